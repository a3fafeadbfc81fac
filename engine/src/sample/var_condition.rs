//! Conditions under which a variable is set (manual, `set-var`).

use super::env::Compiler;
use super::error::CompileError;
use super::value::Value;

/// What must be true of the old or the new value (manual, `set-var`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VarCondition {
    Existing,
    Missing,
    Empty,
    NotEmpty,
    NewSet,
    NewNotSet,
    Greater,
    Less,
}

impl VarCondition {
    /// The condition of this name.
    pub fn parse(word: &str) -> Option<VarCondition> {
        Some(match word {
            "ifexists" => VarCondition::Existing,
            "ifnotexists" => VarCondition::Missing,
            "ifempty" => VarCondition::Empty,
            "ifnotempty" => VarCondition::NotEmpty,
            "ifset" => VarCondition::NewSet,
            "ifnotset" => VarCondition::NewNotSet,
            "ifgt" => VarCondition::Greater,
            "iflt" => VarCondition::Less,
            _ => return None,
        })
    }

    /// Whether the variable may be set from `old` to `new`.
    pub fn allows(self, old: Option<&Value<'_>>, new: Option<&Value<'_>>) -> bool {
        let is_empty = |v: &Value<'_>| v.bytes().is_some_and(<[u8]>::is_empty);
        let ordered = |greater: bool| {
            let numbers = old.and_then(Value::as_int).zip(new.and_then(Value::as_int));
            numbers.is_none_or(|(old, new)| if greater { old > new } else { old < new })
        };
        match self {
            VarCondition::Existing => old.is_some(),
            VarCondition::Missing => old.is_none(),
            VarCondition::Empty => old.is_none_or(is_empty),
            VarCondition::NotEmpty => old.is_some_and(|v| !is_empty(v)),
            VarCondition::NewSet => new.is_some(),
            VarCondition::NewNotSet => new.is_none(),
            VarCondition::Greater => ordered(true),
            VarCondition::Less => ordered(false),
        }
    }

    /// The condition of this name, or what to write instead.
    pub fn compile(word: &str, compiler: &Compiler<'_>) -> Result<Self, CompileError> {
        Self::parse(word).ok_or_else(|| {
            compiler.error(
                format!("unknown condition '{word}' of set-var"),
                "write ifexists, ifnotexists, ifempty, ifnotempty, ifset, ifnotset, ifgt or iflt",
            )
        })
    }
}
