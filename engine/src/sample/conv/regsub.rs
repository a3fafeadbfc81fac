//! `regsub`: replaces what a regular expression matches (manual, 7.3.1).

use regex::bytes::Captures;

use crate::sample::args::{Arg, Args, Kind, spec};
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::pattern::compile_regex;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

use Kind::Str;

pub static ROWS: &[ConvertRow] = &[convert(
    "regsub",
    spec(2, &[Str, Str, Str]),
    Type::Str,
    Type::Str,
    |v, a, _| regsub(v, a),
)
.prepared(prepare)];

fn prepare(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let flags = args.text(2).unwrap_or_default();
    if let Some(unknown) = flags.iter().find(|flag| !b"ig".contains(flag)) {
        let message = format!("unknown flag '{}' of 'regsub'", char::from(*unknown));
        return Err(compiler.error(
            message,
            "write 'i' (ignore case), 'g' (all matches) or both",
        ));
    }
    let ignore_case = flags.contains(&b'i');
    let text = String::from_utf8_lossy(args.text(0).unwrap_or_default()).into_owned();
    let regex = compile_regex(&text, ignore_case)
        .map_err(|error| compiler.error(error.message, "correct the regular expression"))?;
    args.replace(0, Arg::Regex(Box::new(regex)));
    Ok(())
}

fn regsub<'a>(value: Value<'a>, args: &'a Args) -> Option<Value<'a>> {
    let (regex, template) = (args.regex(0)?, args.text(1)?);
    let all = args.text(2).is_some_and(|flags| flags.contains(&b'g'));
    let text = value.into_text();
    if !regex.is_match(&text) {
        return Some(Value::Str(text));
    }
    let mut new = Vec::with_capacity(text.len() + template.len());
    let mut done = 0;
    for captures in regex
        .captures_iter(&text)
        .take(if all { usize::MAX } else { 1 })
    {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        new.extend_from_slice(&text[done..whole.start()]);
        expand_groups(template, &captures, &mut new);
        done = whole.end();
    }
    new.extend_from_slice(&text[done..]);
    Some(Value::text(new))
}

/// Fills `\0` to `\9` with the groups that matched; a backslash before anything else stands for that.
pub fn expand_groups(template: &[u8], captures: &Captures<'_>, out: &mut Vec<u8>) {
    let mut rest = template;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..backslash]);
        match rest.get(backslash + 1) {
            Some(digit) if digit.is_ascii_digit() => {
                if let Some(group) = captures.get(usize::from(digit - b'0')) {
                    out.extend_from_slice(group.as_bytes());
                }
            }
            Some(other) => out.push(*other),
            None => {
                out.push(b'\\');
                return;
            }
        }
        rest = &rest[backslash + 2..];
    }
    out.extend_from_slice(rest);
}
