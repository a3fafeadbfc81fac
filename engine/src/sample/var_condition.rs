//! Conditions under which a variable is set (manual, 7.3.1 `set-var`).

use super::env::Compiler;
use super::error::CompileError;
use super::value::Value;
use super::vars::Scope;

/// What must be true of the variable as it is, or of the value that it is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VarCondition {
    Exists,
    ExistsNot,
    /// The value is empty; numbers and addresses never are.
    Empty,
    NotEmpty,
    Set,
    NotSet,
    /// The variable is greater than the value; true of what are not two integers.
    Greater,
    Less,
}

impl VarCondition {
    /// The condition of this name.
    pub fn parse(word: &str) -> Option<VarCondition> {
        Some(match word {
            "ifexists" => VarCondition::Exists,
            "ifnotexists" => VarCondition::ExistsNot,
            "ifempty" => VarCondition::Empty,
            "ifnotempty" => VarCondition::NotEmpty,
            "ifset" => VarCondition::Set,
            "ifnotset" => VarCondition::NotSet,
            "ifgt" => VarCondition::Greater,
            "iflt" => VarCondition::Less,
            _ => return None,
        })
    }

    /// Whether a variable of `scope` may be set from `old` to `new`.
    pub fn allows(self, scope: Scope, old: Option<&Value<'_>>, new: &Value<'_>) -> bool {
        // The configuration makes those of the process, a first value all others.
        let exists = scope == Scope::Proc || old.is_some();
        let is_empty = new.bytes().is_some_and(<[u8]>::is_empty);
        let numbers = match (old, new) {
            (Some(Value::Sint(old)), Value::Sint(new)) => Some((*old, *new)),
            _ => None,
        };
        match self {
            VarCondition::Exists => exists,
            VarCondition::ExistsNot => !exists,
            VarCondition::Empty => is_empty,
            VarCondition::NotEmpty => !is_empty,
            VarCondition::Set => old.is_some(),
            VarCondition::NotSet => old.is_none(),
            VarCondition::Greater => numbers.is_none_or(|(old, new)| old > new),
            VarCondition::Less => numbers.is_none_or(|(old, new)| old < new),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_look_at_what_the_manual_says() {
        let text = Value::str;
        let int = Value::Sint;
        let cases = [
            ("ifexists", Scope::Txn, None, text(b"v"), false),
            ("ifexists", Scope::Proc, None, text(b"v"), true),
            ("ifexists", Scope::Txn, Some(int(1)), text(b"v"), true),
            ("ifnotexists", Scope::Txn, None, text(b"v"), true),
            ("ifnotexists", Scope::Proc, None, text(b"v"), false),
            ("ifempty", Scope::Txn, Some(text(b"")), text(b"v"), false),
            ("ifempty", Scope::Txn, Some(int(1)), text(b""), true),
            ("ifempty", Scope::Txn, None, int(0), false),
            ("ifnotempty", Scope::Txn, None, text(b""), false),
            ("ifnotempty", Scope::Txn, None, int(0), true),
            ("ifset", Scope::Proc, None, text(b"v"), false),
            ("ifset", Scope::Proc, Some(int(1)), text(b"v"), true),
            ("ifnotset", Scope::Proc, None, text(b"v"), true),
            ("ifnotset", Scope::Req, Some(text(b"")), text(b"v"), false),
            ("ifgt", Scope::Txn, Some(int(5)), int(4), true),
            ("ifgt", Scope::Txn, Some(int(5)), int(5), false),
            ("ifgt", Scope::Txn, Some(int(5)), text(b"9"), true),
            ("ifgt", Scope::Txn, None, int(9), true),
            ("iflt", Scope::Txn, Some(int(5)), int(6), true),
            ("iflt", Scope::Txn, Some(int(5)), int(5), false),
        ];
        for (word, scope, old, new, expected) in cases {
            let only = VarCondition::parse(word).unwrap();
            let allowed = only.allows(scope, old.as_ref(), &new);
            assert_eq!(allowed, expected, "{word} {scope:?} {old:?} {new:?}");
        }
    }
}
