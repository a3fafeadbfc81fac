//! Rows: the declaration of one fetch or converter.

use super::args::{Args, Spec};
use super::cx::Cx;
use super::env::Compiler;
use super::error::CompileError;
use super::point::Needs;
use super::value::{Type, Value};

/// What a fetch found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched<'a> {
    Value(Value<'a>),
    /// It does not exist and will not.
    Absent,
    /// More bytes may bring it: a content rule waits for them.
    NotYet,
}

impl<'a> Fetched<'a> {
    /// The value, if there is one now.
    pub fn value(self) -> Option<Value<'a>> {
        match self {
            Fetched::Value(value) => Some(value),
            Fetched::Absent | Fetched::NotYet => None,
        }
    }
}

impl<'a> From<Option<Value<'a>>> for Fetched<'a> {
    fn from(value: Option<Value<'a>>) -> Fetched<'a> {
        value.map_or(Fetched::Absent, Fetched::Value)
    }
}

/// Position of a fetch that has several values (`hdr`, `cook`): an ACL asks for each in turn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walk {
    /// Give the values one after another; otherwise the one value that an expression means.
    pub each: bool,
    /// Set by the fetch: call again for the next value.
    pub more: bool,
    /// Set by the fetch: more bytes may change the value, so that a mismatch is not final.
    pub may_change: bool,
    /// For the fetch's own use: which field comes next, and where in it.
    pub field: usize,
    pub offset: usize,
}

/// Evaluates a fetch.
pub type FetchFn = for<'a> fn(&'a Args, &Cx<'a>, &mut Walk) -> Fetched<'a>;

/// Applies a converter; `None` ends the expression without a value.
pub type ConvertFn = for<'a> fn(Value<'a>, &'a Args, &Cx<'a>) -> Option<Value<'a>>;

/// Checks arguments further than their kinds, and prepares them.
pub type PrepareFn = fn(&mut Args, &mut Compiler<'_>) -> Result<(), CompileError>;

/// A fetch: `name(args)` gives a value of type `out` wherever `needs` exists.
pub struct FetchRow {
    pub name: &'static str,
    pub args: Spec,
    pub out: Type,
    pub needs: Needs,
    pub run: FetchFn,
    pub prepare: Option<PrepareFn>,
}

/// A converter from `input` to `out`; [`Type::Any`] as `out` of an any-converter means "same".
pub struct ConvertRow {
    pub name: &'static str,
    pub args: Spec,
    pub input: Type,
    pub out: Type,
    pub run: ConvertFn,
    pub prepare: Option<PrepareFn>,
}

/// A row without preparation.
pub const fn fetch(
    name: &'static str,
    args: Spec,
    out: Type,
    needs: Needs,
    run: FetchFn,
) -> FetchRow {
    FetchRow {
        name,
        args,
        out,
        needs,
        run,
        prepare: None,
    }
}

/// A row without preparation.
pub const fn convert(
    name: &'static str,
    args: Spec,
    input: Type,
    out: Type,
    run: ConvertFn,
) -> ConvertRow {
    ConvertRow {
        name,
        args,
        input,
        out,
        run,
        prepare: None,
    }
}

impl FetchRow {
    /// Adds a preparation of the arguments.
    #[must_use]
    pub const fn prepared(mut self, prepare: PrepareFn) -> FetchRow {
        self.prepare = Some(prepare);
        self
    }
}

impl ConvertRow {
    /// Adds a preparation of the arguments.
    #[must_use]
    pub const fn prepared(mut self, prepare: PrepareFn) -> ConvertRow {
        self.prepare = Some(prepare);
        self
    }
}
