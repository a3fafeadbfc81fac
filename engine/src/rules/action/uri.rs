//! `set-method`, `set-path`, `set-pathq`, `set-query`, `set-uri` and their `replace-` forms.

use cfgparse::model::rule::Action;
use regex::bytes::Regex;
use wire::Head;

use crate::log::{Format, Purpose};
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::Compiler;
use crate::sample::pattern::compile_regex;

use super::replace::expand;
use super::{Act, Compiled, Flow};

/// The part of the request line that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Method,
    Path,
    Pathq,
    Query,
    Uri,
}

#[derive(Debug)]
struct Set {
    part: Part,
    value: Format,
    /// `replace-`: only where this matches the part as it is.
    regex: Option<Regex>,
}

impl Act for Set {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let done = txn.with_scratch(
            |cx, out| self.value.render(cx, Purpose::Http, out),
            |txn, text| {
                let Some(head) = txn.request.as_deref_mut() else {
                    return true;
                };
                let Some(regex) = &self.regex else {
                    return set(head, self.part, text);
                };
                let Some(captures) = regex.captures(part(head, self.part)) else {
                    return true;
                };
                let mut new = Vec::with_capacity(text.len() + 32);
                expand(text, &captures, &mut new);
                set(head, self.part, &new)
            },
        );
        if done {
            Flow::Next
        } else {
            Flow::rewrite_failed(txn)
        }
    }
}

fn part(head: &Head, part: Part) -> &[u8] {
    match part {
        Part::Method => head.method(),
        Part::Path => head.path(),
        Part::Pathq => head.path_and_query(),
        Part::Query => head.query().unwrap_or_default(),
        Part::Uri => head.target(),
    }
}

/// Whether `value` could take the part's place on the wire.
fn set(head: &mut Head, part: Part, value: &[u8]) -> bool {
    if part == Part::Method {
        let is_token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
        if value.is_empty() || !value.iter().all(is_token) {
            return false;
        }
        head.set_method(value);
        return true;
    }
    // A blank passes, as in HAProxy: the message stays one message.
    if value.iter().any(u8::is_ascii_control) {
        return false;
    }
    match part {
        Part::Path => head.set_path(value),
        Part::Pathq => head.set_path_and_query(value),
        Part::Query => head.set_query(value),
        _ => head.set_target(value),
    }
    true
}

pub fn compile(action: &Action, compiler: &mut Compiler<'_>) -> Compiled {
    let (part, format, regex) = match action {
        Action::SetMethod(format) => (Part::Method, format, None),
        Action::SetPath(format) => (Part::Path, format, None),
        Action::SetPathq(format) => (Part::Pathq, format, None),
        Action::SetQuery(format) => (Part::Query, format, None),
        Action::SetUri(format) => (Part::Uri, format, None),
        Action::ReplacePath { regex, replacement } => (Part::Path, replacement, Some(regex)),
        Action::ReplacePathq { regex, replacement } => (Part::Pathq, replacement, Some(regex)),
        Action::ReplaceUri { regex, replacement } => (Part::Uri, replacement, Some(regex)),
        _ => return Err(compiler.error("not a URI action", "report this")),
    };
    let regex = regex
        .map(|text| {
            compile_regex(text, false).map_err(|error| {
                compiler.error(
                    error.message,
                    "write a regular expression for the URI's part",
                )
            })
        })
        .transpose()?;
    Ok(Box::new(Set {
        part,
        value: Format::compile(format, compiler)?,
        regex,
    }))
}
