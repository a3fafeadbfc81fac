//! `replace-header` and `replace-value`: a regular expression over whole lines, or over each value.

use cfgparse::model::rule::Action;
use regex::bytes::{Captures, Regex};

use crate::log::{Format, Purpose};
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::pattern::compile_regex;
use crate::sample::{Compiler, value_spans};

use super::header::head;
use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct Replace {
    name: Box<[u8]>,
    regex: Regex,
    replacement: Format,
    /// `replace-value`: the comma-separated values of a line are replaced one by one.
    each_value: bool,
}

impl Act for Replace {
    fn run(&self, txn: &mut Txn<'_>, kind: Kind) -> Flow {
        // The replacement is evaluated once, its `\1` filled in for each line.
        txn.with_scratch(
            |cx, out| self.replacement.render(cx, Purpose::Http, out),
            |txn, template| {
                let Some(head) = head(txn, kind) else {
                    return;
                };
                let positions: Vec<usize> = head.positions(&self.name).collect();
                for position in positions {
                    let Some((_, line)) = head.field(position) else {
                        continue;
                    };
                    if let Some(new) = self.replaced(line, template) {
                        head.replace_value(position, &new);
                    }
                }
            },
        );
        Flow::Next
    }
}

impl Replace {
    /// The new line, or `None` where nothing matches.
    fn replaced(&self, line: &[u8], template: &[u8]) -> Option<Vec<u8>> {
        let mut new = Vec::with_capacity(line.len() + template.len());
        if !self.each_value {
            let captures = self.regex.captures(line)?;
            expand(template, &captures, &mut new);
            return Some(new);
        }
        let mut changed = false;
        for (position, part) in value_spans(line).enumerate() {
            if position > 0 {
                new.push(b',');
            }
            let value = part.trim_ascii();
            match self.regex.captures(value) {
                Some(captures) => {
                    expand(template, &captures, &mut new);
                    changed = true;
                }
                // What does not change keeps its blanks too.
                None => new.extend_from_slice(part),
            }
        }
        changed.then_some(new)
    }
}

/// Fills `\0` to `\9` with the groups that matched; `\\` is a backslash.
pub(super) fn expand(template: &[u8], captures: &Captures<'_>, out: &mut Vec<u8>) {
    crate::sample::expand_groups(template, captures, out);
}

pub fn compile(action: &Action, compiler: &mut Compiler<'_>) -> Compiled {
    let (name, regex, replacement, each_value) = match action {
        Action::ReplaceHeader {
            name,
            regex,
            replacement,
        } => (name, regex, replacement, false),
        Action::ReplaceValue {
            name,
            regex,
            replacement,
        } => (name, regex, replacement, true),
        _ => return Err(compiler.error("not a replacement", "report this")),
    };
    Ok(Box::new(Replace {
        name: name.to_ascii_lowercase().into_bytes().into(),
        regex: compile_regex(regex, false).map_err(|error| {
            compiler.error(
                error.message,
                "write a regular expression for the field's value",
            )
        })?,
        replacement: Format::compile(replacement, compiler)?,
        each_value,
    }))
}
