//! One ACL test: criterion, flags, patterns (manual, 7.1).

use super::Fault;
use super::pattern;
use super::sample::{self, Parsed};
use crate::ast::Word;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity, Span, closest};
use crate::model::expr::{AclExpr, MatchMethod, Pattern, PatternFile};
use crate::registry::acl_words::ACL_WORDS;
use crate::registry::sample::find_acl_word;

/// A test and the places where its data exists.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedAcl {
    pub test: AclExpr,
    pub available: u32,
}

/// What the flags in front of the patterns said.
#[derive(Default)]
struct Flags {
    method: Option<MatchMethod>,
    ignore_case: bool,
    no_dns: bool,
    unique_id: Option<u32>,
    as_map: bool,
    ended: bool,
    files: Vec<(String, Span)>,
}

/// Parses the words behind an ACL's name, or those inside `{ }`.
pub fn parse(cx: &mut Context, words: &[Word], at: Span) -> Result<ParsedAcl, Fault> {
    let Some((criterion, rest)) = words.split_first() else {
        return Err(Fault::new(
            "missing-argument",
            at,
            "missing fetch method in ACL expression ''",
        ));
    };
    let (parsed, implied) = criterion_of(cx, criterion)?;
    let (flags, values) = flags(rest)?;
    if let (Some(implied), Some(_)) = (implied, flags.method)
        && !matches!(
            implied,
            MatchMethod::Str | MatchMethod::Int | MatchMethod::Bin
        )
    {
        cx.warn(
            criterion.span(),
            "method-overwritten",
            format!("original matching method of '{}' was overwritten and will not be applied as expected.", criterion.text),
        );
    }
    let method = flags.method.or(implied).or(parsed.out.default_method());
    let Some(method) = method else {
        return Err(Fault::new(
            "missing-method",
            criterion.span(),
            format!("matching method must be specified first (using '-m') when using a sample fetch of this type ('{}')", criterion.text),
        ).remedy(Some("add '-m' with one of found, bool, int, ip, bin, len, str, sub, reg, beg, end, dir, dom".to_owned())));
    };
    let files = read_files(cx, method, &flags)?;
    let mut patterns = Vec::with_capacity(values.len());
    for word in values {
        pattern::check(cx, method, flags.ignore_case, &word.text, word.span())?;
        patterns.push(Pattern {
            text: word.text.clone(),
            at: word.at,
        });
    }
    let needs_none = matches!(method, MatchMethod::Found | MatchMethod::Bool);
    if patterns.is_empty() && flags.files.is_empty() && !needs_none && !flags.ended {
        warn_never_matches(cx, criterion);
    }
    let test = AclExpr {
        sample: parsed.expr,
        method,
        ignore_case: flags.ignore_case,
        no_dns: flags.no_dns,
        unique_id: flags.unique_id,
        as_map: flags.as_map,
        patterns,
        files,
        at: criterion.at,
    };
    Ok(ParsedAcl {
        test,
        available: parsed.available,
    })
}

/// Parses words of our own: what it would say is not said.
pub fn parse_quietly(cx: &mut Context, words: &[Word]) -> Result<ParsedAcl, Fault> {
    let said = std::mem::take(&mut cx.diagnostics);
    let parsed = parse(cx, words, Span::default());
    cx.diagnostics = said;
    parsed
}

fn warn_never_matches(cx: &mut Context, criterion: &Word) {
    let message = format!(
        "parsing acl keyword '{}' :\n  no pattern to match against were provided, so this ACL will never match.",
        criterion.text
    );
    cx.report(
        Diagnostic::new(
            Severity::Warning,
            "no-pattern",
            Some(criterion.span()),
            message,
        )
        .remedy(
            "add '--' if this is intended; to match only for existence use '-m found', to match an \
             integer as a boolean use '-m bool'",
        ),
    );
}

/// The criterion, and the method that its name implies. Converters make that method void.
fn criterion_of(cx: &mut Context, word: &Word) -> Result<(Parsed, Option<MatchMethod>), Fault> {
    let end = word.text.find(['(', ',']).unwrap_or(word.text.len());
    let name = &word.text[..end];
    let Some(row) = find_acl_word(name) else {
        let parsed = sample::parse(cx, &word.text, word.span()).map_err(in_acl)?;
        return Ok((parsed, None));
    };
    let text = format!("{}{}", row.fetch, &word.text[end..]);
    let mut parsed = sample::parse(cx, &text, word.span()).map_err(in_acl)?;
    parsed.expr.text.clone_from(&word.text);
    let implied = parsed.expr.converters.is_empty().then_some(row.method);
    Ok((parsed, implied))
}

fn in_acl(mut fault: Fault) -> Fault {
    if fault.code == "unknown-fetch" && fault.remedy.is_none() {
        let name = fault.message.split('\'').nth(1).unwrap_or("");
        let near = closest(name, ACL_WORDS.iter().map(|word| word.name));
        fault.remedy = near.map(|near| format!("did you mean '{near}' maybe ?"));
    }
    fault.message = fault
        .message
        .replace(" in expression '", " in ACL expression '");
    fault
}

fn flags(words: &[Word]) -> Result<(Flags, &[Word]), Fault> {
    let mut flags = Flags::default();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let value = words.get(at + 1);
        let missing = || {
            Fault::new(
                "missing-argument",
                word.span(),
                format!("'{}' expects a value", word.text),
            )
        };
        match word.as_str() {
            "-i" => flags.ignore_case = true,
            "-n" => flags.no_dns = true,
            "-M" => flags.as_map = true,
            "--" => {
                flags.ended = true;
                at += 1;
                break;
            }
            "-f" => {
                let value = value.ok_or_else(missing)?;
                flags.files.push((value.text.clone(), value.span()));
                at += 1;
            }
            "-u" => {
                let value = value.ok_or_else(missing)?;
                let id = value.text.parse().map_err(|_| {
                    Fault::new(
                        "bad-value",
                        value.span(),
                        "Argument of '-u' must be an integer",
                    )
                })?;
                flags.unique_id = Some(id);
                at += 1;
            }
            "-m" => {
                let value = value.ok_or_else(missing)?;
                if flags.method.is_some() {
                    return Err(Fault::new(
                        "two-methods",
                        value.span(),
                        "only one explicit matching method can be defined with '-m' parameter",
                    ));
                }
                let method = pattern::method(&value.text).ok_or_else(|| {
                    let message = format!(
                        "unknown matching method '{}' when parsing ACL expression",
                        value.text
                    );
                    Fault::new("unknown-method", value.span(), message)
                })?;
                flags.method = Some(method);
                at += 1;
            }
            text if text.starts_with('-') && !is_negative_number(text) => {
                return Err(Fault::new(
                    "unknown-flag",
                    word.span(),
                    format!(
                        "'{text}' is not a valid ACL option. Please use '--' before any pattern beginning with a '-'"
                    ),
                ));
            }
            _ => break,
        }
        at += 1;
    }
    Ok((flags, &words[at..]))
}

fn is_negative_number(text: &str) -> bool {
    text.len() > 1 && text[1..].starts_with(|c: char| c.is_ascii_digit())
}

fn read_files(
    cx: &mut Context,
    method: MatchMethod,
    flags: &Flags,
) -> Result<Vec<PatternFile>, Fault> {
    let mut files = Vec::with_capacity(flags.files.len());
    for (path, span) in &flags.files {
        let file = cx.pattern_file(path, flags.as_map, *span)?;
        for line in &file.lines {
            pattern::check(cx, method, flags.ignore_case, &line.key, *span).map_err(
                |mut fault| {
                    fault.message =
                        format!("{} at line {} of file '{path}'", fault.message, line.line);
                    fault
                },
            )?;
        }
        files.push(file);
    }
    Ok(files)
}
