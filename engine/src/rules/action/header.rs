//! `add-header`, `set-header`, `del-header`.

use cfgparse::model::rule::{Action, HeaderMatch};
use wire::Head;

use crate::log::{Format, Purpose};
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::Compiler;
use crate::sample::pattern::compile_regex;

use super::{Act, Compiled, Flow};

/// The head that rules of `kind` change.
pub(super) fn head<'a>(txn: &'a mut Txn<'_>, kind: Kind) -> Option<&'a mut Head> {
    if kind.is_response() {
        txn.response.as_deref_mut()
    } else {
        txn.request.as_deref_mut()
    }
}

#[derive(Debug)]
struct Write {
    name: Box<[u8]>,
    value: Format,
    /// `set-header`: fields of that name are removed first.
    replace: bool,
}

impl Act for Write {
    fn run(&self, txn: &mut Txn<'_>, kind: Kind) -> Flow {
        if let Some(text) = self.value.constant() {
            if let Some(head) = head(txn, kind) {
                self.write(head, text);
            }
            return Flow::Next;
        }
        txn.with_scratch(
            |cx, out| self.value.render(cx, Purpose::Http, out),
            |txn, text| {
                if let Some(head) = head(txn, kind) {
                    self.write(head, text);
                }
            },
        );
        Flow::Next
    }
}

impl Write {
    fn write(&self, head: &mut Head, value: &[u8]) {
        if self.replace {
            head.set(&self.name, value);
        } else {
            head.append(&self.name, value);
        }
    }
}

#[derive(Debug)]
struct Delete {
    name: Box<[u8]>,
    how: How,
}

#[derive(Debug)]
enum How {
    Exactly,
    Beginning,
    End,
    Inside,
    Regex(Box<regex::bytes::Regex>),
}

impl Act for Delete {
    fn run(&self, txn: &mut Txn<'_>, kind: Kind) -> Flow {
        let Some(head) = head(txn, kind) else {
            return Flow::Next;
        };
        let wanted = &self.name[..];
        match &self.how {
            How::Exactly => drop(head.remove(wanted)),
            How::Beginning => head.retain(|name, _| !name.starts_with(wanted)),
            How::End => head.retain(|name, _| !name.ends_with(wanted)),
            How::Inside => {
                let finder = memchr::memmem::Finder::new(wanted);
                head.retain(|name, _| finder.find(name).is_none());
            }
            How::Regex(regex) => head.retain(|name, _| !regex.is_match(name)),
        }
        Flow::Next
    }
}

pub fn compile(action: &Action, compiler: &mut Compiler<'_>) -> Compiled {
    let (name, value, replace) = match action {
        Action::AddHeader { name, value } => (name, value, false),
        Action::SetHeader { name, value } => (name, value, true),
        Action::DelHeader { name, method } => return compile_delete(name, *method, compiler),
        _ => return Err(compiler.error("not a header action", "report this")),
    };
    Ok(Box::new(Write {
        name: name.to_ascii_lowercase().into_bytes().into(),
        value: Format::compile(value, compiler)?,
        replace,
    }))
}

fn compile_delete(name: &str, method: HeaderMatch, compiler: &mut Compiler<'_>) -> Compiled {
    let how = match method {
        HeaderMatch::Str => How::Exactly,
        HeaderMatch::Beg => How::Beginning,
        HeaderMatch::End => How::End,
        HeaderMatch::Sub => How::Inside,
        HeaderMatch::Reg => How::Regex(Box::new(compile_regex(name, true).map_err(|error| {
            compiler.error(
                error.message,
                "write a regular expression for the field's name",
            )
        })?)),
    };
    Ok(Box::new(Delete {
        name: name.to_ascii_lowercase().into_bytes().into(),
        how,
    }))
}
