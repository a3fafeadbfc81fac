//! `if` and `unless`: ACLs joined by and, or, not (manual, 7.2).

use super::{Fault, acl};
use crate::ast::Word;
use crate::context::Context;
use crate::diagnostic::{Span, closest};
use crate::expr::scope::Scope;
use crate::model::expr::{AclTest, Condition, Term};
use crate::registry::sample::Where;

/// ACLs that exist everywhere (manual, 7.4), with the test that each stands for.
pub const PREDEFINED: &[(&str, &[&str])] = &[
    ("FALSE", &["always_false"]),
    ("HTTP", &["req.proto_http"]),
    ("HTTP_1.0", &["req.ver", "1.0"]),
    ("HTTP_1.1", &["req.ver", "1.1"]),
    ("HTTP_2.0", &["req.ver", "2.0"]),
    ("HTTP_3.0", &["req.ver", "3.0"]),
    ("HTTP_CONTENT", &["req.hdr_val(content-length)", "gt", "0"]),
    ("HTTP_URL_ABS", &["url_reg", "^[^/:]*://"]),
    ("HTTP_URL_SLASH", &["url_beg", "/"]),
    ("HTTP_URL_STAR", &["url", "*"]),
    ("LOCALHOST", &["src", "127.0.0.1/8", "::1"]),
    ("METH_CONNECT", &["method", "CONNECT"]),
    ("METH_DELETE", &["method", "DELETE"]),
    ("METH_GET", &["method", "GET", "HEAD"]),
    ("METH_HEAD", &["method", "HEAD"]),
    ("METH_OPTIONS", &["method", "OPTIONS"]),
    ("METH_POST", &["method", "POST"]),
    ("METH_PUT", &["method", "PUT"]),
    ("METH_TRACE", &["method", "TRACE"]),
    ("RDP_COOKIE", &["req.rdp_cookie_cnt", "gt", "0"]),
    ("REQ_CONTENT", &["req.len", "gt", "0"]),
    ("TRUE", &["always_true"]),
    ("WAIT_END", &["wait_end"]),
];

/// Parses what follows the keyword `if` or `unless`, which is `words[0]`.
pub fn parse(
    cx: &mut Context,
    scope: &Scope,
    words: &[Word],
    place: Where,
) -> Result<Condition, Fault> {
    let (keyword, rest) = match words.split_first() {
        Some((keyword, rest)) if matches!(keyword.as_str(), "if" | "unless") => (keyword, rest),
        first => {
            let span = first.map_or_else(Span::default, |(word, _)| word.span());
            return Err(Fault::new(
                "bad-condition",
                span,
                "missing 'if' or 'unless'",
            ));
        }
    };
    let mut any_of = Vec::new();
    let mut all_of = Vec::new();
    let mut negated = false;
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        at += 1;
        match word.as_str() {
            "!" => negated = !negated,
            "||" => or(&mut any_of, &mut all_of, negated, word)?,
            text if text.eq_ignore_ascii_case("or") => {
                or(&mut any_of, &mut all_of, negated, word)?;
            }
            text if text.trim_start_matches('!') == "{" => {
                negated ^= text.len() % 2 == 0;
                let length = rest[at..].iter().position(|word| word.text == "}");
                let Some(length) = length else {
                    return Err(Fault::new(
                        "bad-condition",
                        word.span(),
                        "missing closing '}' in condition",
                    )
                    .remedy(Some(
                        "put '}' behind the patterns, as a word of its own".to_owned(),
                    )));
                };
                let parsed = acl::parse(cx, &rest[at..at + length], word.span())?;
                scope.check_available(cx, None, parsed.available, &parsed.test, place, word.span());
                all_of.push(Term {
                    negated: std::mem::take(&mut negated),
                    test: AclTest::Anonymous(Box::new(parsed.test)),
                });
                at += length + 1;
            }
            text => {
                let name = text.trim_start_matches('!');
                negated ^= (text.len() - name.len()) % 2 == 1;
                resolve(cx, scope, name, place, word)?;
                all_of.push(Term {
                    negated: std::mem::take(&mut negated),
                    test: AclTest::Named(name.to_owned()),
                });
            }
        }
    }
    if negated {
        return Err(Fault::new(
            "bad-condition",
            keyword.span(),
            "lone '!' at the end of the condition",
        ));
    }
    if all_of.is_empty() {
        let message = format!("no condition behind '{}'", words[words.len() - 1].text);
        return Err(Fault::new("bad-condition", keyword.span(), message));
    }
    any_of.push(all_of);
    Ok(Condition {
        negated: keyword.as_str() == "unless",
        any_of,
        text: rest.iter().map(Word::as_str).collect::<Vec<_>>().join(" "),
    })
}

/// Ends a conjunction.
fn or(
    any_of: &mut Vec<Vec<Term>>,
    all_of: &mut Vec<Term>,
    negated: bool,
    word: &Word,
) -> Result<(), Fault> {
    if all_of.is_empty() || negated {
        let message = format!("unexpected '{}' in condition", word.text);
        return Err(Fault::new("bad-condition", word.span(), message));
    }
    any_of.push(std::mem::take(all_of));
    Ok(())
}

fn resolve(
    cx: &mut Context,
    scope: &Scope,
    name: &str,
    place: Where,
    word: &Word,
) -> Result<(), Fault> {
    if let Some(available) = scope.acl(name) {
        for (test, available) in available {
            scope.check_available(cx, Some(name), *available, test, place, word.span());
        }
        return Ok(());
    }
    if PREDEFINED.iter().any(|(known, _)| *known == name) {
        cx.used_predefined(name, word.span());
        return Ok(());
    }
    let near = closest(name, scope.acl_names());
    let remedy = if name.starts_with('{') || name.ends_with('}') {
        Some("'{' and '}' are words of their own: put blanks around them".to_owned())
    } else {
        near.map(|n| format!("did you mean '{n}' maybe ?"))
    };
    Err(Fault::new(
        "unknown-acl",
        word.span(),
        format!("no such ACL : '{name}'"),
    )
    .remedy(remedy))
}
