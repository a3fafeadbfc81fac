//! Arguments of fetches and converters, parsed once.

use std::sync::Arc;

use cfgparse::bytes::raw;

use crate::plan::{ProxyId, ServerId};
use crate::rules::{Test, Userlist};
use crate::table::TableId;

use super::cx::Cx;
use super::env::Compiler;
use super::error::CompileError;
use super::pattern::PatternId;
use super::vars::VarRef;

/// What kind of argument a row takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Str,
    Int,
    /// A name of an HTTP field.
    Header,
    /// A backend; the current one where the argument is missing.
    Backend,
    /// A frontend; the current one where the argument is missing.
    Frontend,
    /// `[backend/]server`
    Server,
    Userlist,
    Var,
    /// A variable, or else an integer.
    IntOrVar,
    /// A variable, or else a string.
    StrOrVar,
    /// A stick table; the section's own where the argument is missing.
    OwnTable,
    /// A stick table, or none.
    OtherTable,
    /// An IPv4 mask: dotted or bits.
    Mask4,
    /// An IPv6 mask: bits or an address.
    Mask6,
}

/// One argument, ready for use.
#[derive(Clone, Debug)]
pub enum Arg {
    /// Not given.
    Absent,
    Str(Box<[u8]>),
    Int(i64),
    Header(HeaderName),
    Proxy(ProxyId),
    Server(ServerId),
    Userlist(Arc<Userlist>),
    Var(VarRef),
    Mask4(u32),
    Mask6(u128),
    Regex(Box<regex::bytes::Regex>),
    Patterns(PatternId),
    Test(Arc<Test>),
    Table(TableId),
}

/// A field name with its id, ready for lookups without comparing text.
#[derive(Clone, Debug)]
pub struct HeaderName {
    /// In lower case.
    pub text: Box<[u8]>,
    pub known: wire::Known,
}

impl HeaderName {
    pub fn new(name: &str) -> HeaderName {
        let text = name.to_ascii_lowercase().into_bytes();
        HeaderName {
            known: wire::Known::of(&text),
            text: text.into(),
        }
    }
}

/// The arguments of one call.
#[derive(Clone, Debug, Default)]
pub struct Args(pub Box<[Arg]>);

impl Args {
    fn at(&self, index: usize) -> &Arg {
        self.0.get(index).unwrap_or(&Arg::Absent)
    }

    pub fn int(&self, index: usize) -> Option<i64> {
        match self.at(index) {
            Arg::Int(i) => Some(*i),
            _ => None,
        }
    }

    /// The number that stands there, or that the variable there holds now.
    pub(super) fn number(&self, index: usize, cx: &Cx<'_>) -> Option<i64> {
        match self.at(index) {
            Arg::Var(var) => cx.var(*var)?.as_int(),
            _ => self.int(index),
        }
    }

    /// Whether the argument was written.
    pub fn is_given(&self, index: usize) -> bool {
        !matches!(self.at(index), Arg::Absent)
    }

    /// A number that counts something.
    pub fn index(&self, index: usize) -> Option<usize> {
        usize::try_from(self.int(index)?).ok()
    }

    pub fn test(&self, index: usize) -> Option<&Arc<Test>> {
        match self.at(index) {
            Arg::Test(test) => Some(test),
            _ => None,
        }
    }

    pub fn table(&self, index: usize) -> Option<TableId> {
        match self.at(index) {
            Arg::Table(id) => Some(*id),
            _ => None,
        }
    }

    /// Text of a string argument.
    pub fn text(&self, index: usize) -> Option<&[u8]> {
        match self.at(index) {
            Arg::Str(s) => Some(s),
            _ => None,
        }
    }

    pub fn header(&self, index: usize) -> Option<&HeaderName> {
        match self.at(index) {
            Arg::Header(name) => Some(name),
            _ => None,
        }
    }

    pub fn proxy(&self, index: usize) -> Option<ProxyId> {
        match self.at(index) {
            Arg::Proxy(id) => Some(*id),
            _ => None,
        }
    }

    pub fn server(&self, index: usize) -> Option<ServerId> {
        match self.at(index) {
            Arg::Server(id) => Some(*id),
            _ => None,
        }
    }

    pub fn var(&self, index: usize) -> Option<VarRef> {
        match self.at(index) {
            Arg::Var(var) => Some(*var),
            _ => None,
        }
    }

    pub fn userlist(&self, index: usize) -> Option<&Arc<Userlist>> {
        match self.at(index) {
            Arg::Userlist(list) => Some(list),
            _ => None,
        }
    }

    pub fn mask4(&self, index: usize) -> Option<u32> {
        match self.at(index) {
            Arg::Mask4(mask) => Some(*mask),
            _ => None,
        }
    }

    pub fn mask6(&self, index: usize) -> Option<u128> {
        match self.at(index) {
            Arg::Mask6(mask) => Some(*mask),
            _ => None,
        }
    }

    pub fn regex(&self, index: usize) -> Option<&regex::bytes::Regex> {
        match self.at(index) {
            Arg::Regex(regex) => Some(regex),
            _ => None,
        }
    }

    pub fn patterns(&self, index: usize) -> Option<PatternId> {
        match self.at(index) {
            Arg::Patterns(id) => Some(*id),
            _ => None,
        }
    }

    /// Replaces argument `index`, which must exist.
    pub(super) fn replace(&mut self, index: usize, arg: Arg) {
        if let Some(slot) = self.0.get_mut(index) {
            *slot = arg;
        }
    }
}

/// What a row takes: the first `required` of `kinds` must be given.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    pub required: usize,
    pub kinds: &'static [Kind],
    /// The last kind may be given any number of times.
    pub repeats: bool,
}

/// No arguments.
pub const NONE: Spec = Spec {
    required: 0,
    kinds: &[],
    repeats: false,
};

/// The first `required` of `kinds` must be given, the others may be.
pub const fn spec(required: usize, kinds: &'static [Kind]) -> Spec {
    Spec {
        required,
        kinds,
        repeats: false,
    }
}

/// Parses the arguments of the call `name(words)` as `spec` says.
pub fn parse(
    name: &str,
    what: &str,
    words: &[String],
    spec: &Spec,
    compiler: &mut Compiler<'_>,
) -> Result<Args, CompileError> {
    // `name()` is one empty argument, which counts as none (manual, 7.3).
    let words = if words.len() == 1 && words[0].is_empty() && spec.required == 0 {
        &[]
    } else {
        words
    };
    if words.len() < spec.required {
        let message = format!(
            "missing arguments (got {}/{}) in {what} '{name}'",
            words.len(),
            spec.required
        );
        return Err(compiler.error(message, format!("write {}", usage(name, spec))));
    }
    if words.len() > spec.kinds.len() && !spec.repeats {
        let message = format!("too many arguments in {what} '{name}'");
        return Err(compiler.error(message, format!("write {}", usage(name, spec))));
    }
    let mut args = Vec::with_capacity(spec.kinds.len());
    for (index, word) in words.iter().enumerate() {
        let kind = spec.kinds[index.min(spec.kinds.len() - 1)];
        if word.is_empty() && index >= spec.required && kind != Kind::Str && kind != Kind::StrOrVar
        {
            args.push(default_arg(kind, name, compiler)?);
            continue;
        }
        args.push(parse_one(name, what, index, word, kind, compiler)?);
    }
    while args.len() < spec.kinds.len() {
        args.push(default_arg(spec.kinds[args.len()], name, compiler)?);
    }
    Ok(Args(args.into_boxed_slice()))
}

fn usage(name: &str, spec: &Spec) -> String {
    let mut text = String::from(name);
    if !spec.kinds.is_empty() {
        text.push('(');
        for (index, kind) in spec.kinds.iter().enumerate() {
            let word = format!("{kind:?}").to_lowercase();
            let comma = if index > 0 { "," } else { "" };
            if index < spec.required {
                text.extend([comma, "<", &word, ">"]);
            } else {
                text.extend(["[", comma, "<", &word, ">]"]);
            }
        }
        text.push(')');
    }
    text
}

/// What a missing optional argument stands for.
fn default_arg(kind: Kind, name: &str, compiler: &Compiler<'_>) -> Result<Arg, CompileError> {
    Ok(match kind {
        Kind::Backend | Kind::Frontend => compiler.proxy.map_or(Arg::Absent, Arg::Proxy),
        Kind::OwnTable => {
            let own = compiler.proxy;
            let own = own.and_then(|proxy| compiler.names.table_of(proxy));
            let (id, _) = own.ok_or_else(|| {
                compiler.error(
                    format!("'{name}' needs a stick-table, and its section has none"),
                    "add a 'stick-table' line, or name a table in its parentheses",
                )
            })?;
            Arg::Table(id)
        }
        _ => Arg::Absent,
    })
}

fn parse_one(
    name: &str,
    what: &str,
    index: usize,
    word: &str,
    kind: Kind,
    compiler: &mut Compiler<'_>,
) -> Result<Arg, CompileError> {
    let wrong = |compiler: &Compiler<'_>, expected: &str| {
        compiler.error(
            format!(
                "failed to parse '{word}' as type '{expected}' in argument {} of {what} '{name}'",
                index + 1
            ),
            format!("write {expected} there"),
        )
    };
    Ok(match kind {
        Kind::Str => Arg::Str(raw(word).into()),
        Kind::Int => Arg::Int(word.parse().map_err(|_| wrong(compiler, "integer"))?),
        Kind::Header => Arg::Header(HeaderName::new(word)),
        Kind::Backend => Arg::Proxy(
            compiler
                .names
                .backend(word)
                .ok_or_else(|| unknown(compiler, "backend", word, name))?,
        ),
        Kind::Frontend => Arg::Proxy(
            compiler
                .names
                .frontend(word)
                .ok_or_else(|| unknown(compiler, "frontend", word, name))?,
        ),
        Kind::Server => Arg::Server(server(word, name, compiler)?),
        Kind::Userlist => Arg::Userlist(
            compiler
                .names
                .userlist(word)
                .ok_or_else(|| unknown(compiler, "userlist", word, name))?,
        ),
        Kind::Var => Arg::Var(var(word, compiler)?),
        Kind::IntOrVar => match word.parse() {
            Ok(number) => Arg::Int(number),
            Err(_) => Arg::Var(var(word, compiler)?),
        },
        Kind::StrOrVar => match compiler.vars.intern(word) {
            Ok(var) => Arg::Var(var),
            Err(_) => Arg::Str(raw(word).into()),
        },
        Kind::OwnTable | Kind::OtherTable => {
            let table = compiler.names.table(word);
            let (id, _) = table.ok_or_else(|| unknown(compiler, "stick-table", word, name))?;
            Arg::Table(id)
        }
        Kind::Mask4 => Arg::Mask4(mask4(word).ok_or_else(|| wrong(compiler, "IPv4 mask"))?),
        Kind::Mask6 => Arg::Mask6(mask6(word).ok_or_else(|| wrong(compiler, "IPv6 mask"))?),
    })
}

fn unknown(compiler: &Compiler<'_>, what: &str, word: &str, name: &str) -> CompileError {
    compiler.error(
        format!("unable to find {what} '{word}' referenced in '{name}'"),
        format!("declare {what} '{word}' or correct its name"),
    )
}

fn var(word: &str, compiler: &mut Compiler<'_>) -> Result<VarRef, CompileError> {
    compiler.vars.intern(word).map_err(|message| {
        CompileError::new(compiler.at, message, "write a name such as txn.my_name")
    })
}

fn server(word: &str, name: &str, compiler: &Compiler<'_>) -> Result<ServerId, CompileError> {
    let (backend, server) = match word.split_once('/') {
        Some((backend, server)) => (compiler.names.backend(backend), server),
        None => (compiler.proxy, word),
    };
    backend
        .and_then(|backend| compiler.names.server(backend, server))
        .ok_or_else(|| unknown(compiler, "server", word, name))
}

/// `24` or `255.255.255.0`.
pub fn mask4(word: &str) -> Option<u32> {
    if let Ok(bits) = word.parse::<u32>() {
        return match bits {
            0 => Some(0),
            1..=32 => Some(u32::MAX << (32 - bits)),
            _ => None,
        };
    }
    word.parse::<std::net::Ipv4Addr>().ok().map(u32::from)
}

/// `64` or `ffff:ffff::`.
pub fn mask6(word: &str) -> Option<u128> {
    if let Ok(bits) = word.parse::<u32>() {
        return match bits {
            0 => Some(0),
            1..=128 => Some(u128::MAX << (128 - bits)),
            _ => None,
        };
    }
    word.parse::<std::net::Ipv6Addr>().ok().map(u128::from)
}
