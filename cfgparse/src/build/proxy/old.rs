//! Keywords that HAProxy removed: understood, with a warning that shows today's spelling.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::draft::Draft;
use super::statement;
use crate::args::Args;
use crate::ast::{Line, Word};
use crate::build::bind;
use crate::context::Context;
use crate::diagnostic::Span;

/// A keyword of an older version.
struct Old {
    name: &'static str,
    /// What messages recommend.
    new: &'static str,
    /// The version that removed it.
    since: &'static str,
    rewrite: Rewrite,
}

/// How a line of an older version is written today.
enum Rewrite {
    /// The first words are replaced by these.
    Words(&'static [&'static str]),
    /// By a function of the other words; `None`: it can't be.
    With(fn(&[Word]) -> Option<Vec<String>>),
    /// It has no effect anymore.
    Nothing,
}

#[rustfmt::skip]
const OLD: &[Old] = &[
    Old { name: "clitimeout", new: "timeout client", since: "2.1", rewrite: Rewrite::Words(&["timeout", "client"]) },
    Old { name: "srvtimeout", new: "timeout server", since: "2.1", rewrite: Rewrite::Words(&["timeout", "server"]) },
    Old { name: "contimeout", new: "timeout connect", since: "2.1", rewrite: Rewrite::Words(&["timeout", "connect"]) },
    Old { name: "block", new: "http-request deny", since: "2.1", rewrite: Rewrite::Words(&["http-request", "deny"]) },
    Old { name: "redispatch", new: "option redispatch", since: "2.1", rewrite: Rewrite::Words(&["option", "redispatch"]) },
    Old { name: "transparent", new: "option transparent", since: "3.5", rewrite: Rewrite::Words(&["option", "transparent"]) },
    Old { name: "option accept-invalid-http-request", new: "option accept-unsafe-violations-in-http-request", since: "3.5", rewrite: Rewrite::Words(&["option", "accept-unsafe-violations-in-http-request"]) },
    Old { name: "option accept-invalid-http-response", new: "option accept-unsafe-violations-in-http-response", since: "3.5", rewrite: Rewrite::Words(&["option", "accept-unsafe-violations-in-http-response"]) },
    Old { name: "bind-process", new: "nothing: threads take all connections", since: "2.7", rewrite: Rewrite::Nothing },
    Old { name: "monitor-net", new: "http-request return status 200 if { src ... }", since: "2.5", rewrite: Rewrite::With(|w| {
        let network = w.first()?.text.clone();
        Some(["http-request", "return", "status", "200", "if", "{", "src", &network, "}"].map(str::to_owned).to_vec())
    }) },
    Old { name: "option forceclose", new: "option httpclose", since: "2.0", rewrite: Rewrite::Words(&["option", "httpclose"]) },
    Old { name: "option http-tunnel", new: "option http-keep-alive", since: "2.1", rewrite: Rewrite::Nothing },
    Old { name: "option http-use-htx", new: "nothing: it is always on", since: "2.2", rewrite: Rewrite::Nothing },
    Old { name: "reqadd", new: "http-request add-header", since: "2.1", rewrite: Rewrite::With(|w| add_header(w, "http-request")) },
    Old { name: "rspadd", new: "http-response add-header", since: "2.1", rewrite: Rewrite::With(|w| add_header(w, "http-response")) },
    Old { name: "reqdel", new: "http-request del-header", since: "2.1", rewrite: Rewrite::With(|w| del_header(w, "http-request", false)) },
    Old { name: "reqidel", new: "http-request del-header", since: "2.1", rewrite: Rewrite::With(|w| del_header(w, "http-request", true)) },
    Old { name: "rspdel", new: "http-response del-header", since: "2.1", rewrite: Rewrite::With(|w| del_header(w, "http-response", false)) },
    Old { name: "rspidel", new: "http-response del-header", since: "2.1", rewrite: Rewrite::With(|w| del_header(w, "http-response", true)) },
    Old { name: "reqrep", new: "http-request replace-header", since: "2.1", rewrite: Rewrite::With(|w| replace(w, "http-request")) },
    Old { name: "reqirep", new: "http-request replace-header", since: "2.1", rewrite: Rewrite::With(|w| replace(w, "http-request")) },
    Old { name: "rsprep", new: "http-response replace-header", since: "2.1", rewrite: Rewrite::With(|w| replace(w, "http-response")) },
    Old { name: "rspirep", new: "http-response replace-header", since: "2.1", rewrite: Rewrite::With(|w| replace(w, "http-response")) },
    Old { name: "reqdeny", new: "http-request deny", since: "2.1", rewrite: Rewrite::With(|_| None) },
    Old { name: "reqideny", new: "http-request deny", since: "2.1", rewrite: Rewrite::With(|_| None) },
    Old { name: "rspdeny", new: "http-response deny", since: "2.1", rewrite: Rewrite::With(|_| None) },
    Old { name: "rspideny", new: "http-response deny", since: "2.1", rewrite: Rewrite::With(|_| None) },
    Old { name: "reqallow", new: "http-request allow", since: "2.1", rewrite: Rewrite::With(|_| None) },
    Old { name: "reqiallow", new: "http-request allow", since: "2.1", rewrite: Rewrite::With(|_| None) },
    Old { name: "reqpass", new: "http-request allow", since: "2.1", rewrite: Rewrite::With(|_| None) },
    Old { name: "reqipass", new: "http-request allow", since: "2.1", rewrite: Rewrite::With(|_| None) },
    Old { name: "reqtarpit", new: "http-request tarpit", since: "2.1", rewrite: Rewrite::With(|_| None) },
    Old { name: "reqitarpit", new: "http-request tarpit", since: "2.1", rewrite: Rewrite::With(|_| None) },
    Old { name: "reqset", new: "http-request set-header", since: "2.1", rewrite: Rewrite::With(|_| None) },
    Old { name: "reqsetbe", new: "use_backend", since: "2.1", rewrite: Rewrite::With(|_| None) },
    Old { name: "dispatch", new: "server with a fixed address", since: "3.5", rewrite: Rewrite::With(|w| {
        let mut words = vec!["server".to_owned(), "dispatch".to_owned()];
        words.extend(w.iter().map(|w| w.text.clone()));
        Some(words)
    }) },
];

static INDEX: LazyLock<HashMap<&str, &Old>> =
    LazyLock::new(|| OLD.iter().map(|old| (old.name, old)).collect());

/// Reads a line of an older version. False: it is none.
pub fn translate(cx: &mut Context, draft: &mut Draft, args: &mut Args) -> bool {
    let words = &args.line().words;
    let found = match (words[0].as_str(), words.get(1)) {
        ("option", Some(second)) => INDEX.get(format!("option {}", second.text).as_str()),
        (name, _) => INDEX.get(name),
    };
    let Some(old) = found else { return false };
    let length = old.name.split(' ').count();
    let span = args.span();
    let rest = words[length..].to_vec();
    let (tail_at, rewritten) = match &old.rewrite {
        Rewrite::Words(new) => (0, Some(new.iter().map(|w| (*w).to_owned()).collect())),
        Rewrite::With(rewrite) => {
            let at = rest
                .iter()
                .position(|w| matches!(w.as_str(), "if" | "unless"));
            let at = at.unwrap_or(rest.len());
            (at, rewrite(&rest[..at]))
        }
        Rewrite::Nothing => {
            cx.translated(span, old.name, old.new, old.since);
            return true;
        }
    };
    let Some(new): Option<Vec<String>> = rewritten else {
        let message = format!(
            "The '{}' directive is not supported anymore since HAProxy {}. Use '{}' instead.",
            old.name, old.since, old.new
        );
        cx.alert(span, "old-spelling", message);
        return true;
    };
    let shown = new.join(" ");
    cx.translated(
        span,
        old.name,
        if tail_at == 0 { old.new } else { &shown },
        old.since,
    );
    if cx.translates(old.since) {
        let line = line_of(&new, &rest[tail_at..], span);
        statement(cx, draft, &line);
    }
    true
}

/// A line as it would be written today, all of its new words at the old line's place.
fn line_of(new: &[String], tail: &[Word], span: Span) -> Line {
    let mut words: Vec<Word> = new
        .iter()
        .map(|text| Word {
            text: text.clone(),
            at: span.at,
            len: span.len,
        })
        .collect();
    words.extend_from_slice(tail);
    Line { words }
}

/// `Name: value`, blanks escaped.
fn add_header(words: &[Word], set: &str) -> Option<Vec<String>> {
    let text = words.iter().map(Word::as_str).collect::<Vec<_>>().join(" ");
    let (name, value) = text.split_once(':')?;
    let value = value.trim().replace('%', "%%");
    Some(vec![
        set.to_owned(),
        "add-header".to_owned(),
        name.trim().to_owned(),
        value,
    ])
}

/// `^Name:` with whatever stands behind the colon: only whole header fields can be told by name.
fn del_header(words: &[Word], set: &str, _ignore_case: bool) -> Option<Vec<String>> {
    let pattern = words.first()?.as_str();
    let name = pattern
        .strip_prefix('^')?
        .strip_suffix([':', '*'])
        .unwrap_or(pattern);
    let name = name
        .trim_start_matches('^')
        .trim_end_matches(['.', ':', '*']);
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    plain.then(|| vec![set.to_owned(), "del-header".to_owned(), name.to_owned()])
}

/// `^Name:\ pattern` and its replacement `Name:\ value`, where both name one header field.
fn replace(words: &[Word], set: &str) -> Option<Vec<String>> {
    let (pattern, replacement) = (words.first()?.as_str(), words.get(1)?.as_str());
    let pattern = pattern.strip_prefix('^')?;
    let (name, pattern) = pattern.split_once(':')?;
    let (new_name, value) = replacement.split_once(':')?;
    let plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !plain || name.is_empty() || !name.eq_ignore_ascii_case(new_name) {
        return None;
    }
    Some(vec![
        set.to_owned(),
        "replace-header".to_owned(),
        name.to_owned(),
        format!("^{}", pattern.trim_start_matches("\\ ").trim_start()),
        value.trim_start().replace('%', "%%"),
    ])
}

/// `listen NAME ADDR:PORT`, the bind line of the first versions.
pub fn inline_bind(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let span = args.here();
    if !cx.options.translate_removed {
        cx.alert(
            span,
            "old-spelling",
            "please use the 'bind' keyword for listening addresses.",
        );
        args.rest();
        return;
    }
    let written: Vec<&str> = args.line().words[2..].iter().map(Word::as_str).collect();
    let message = format!(
        "please use the 'bind' keyword for listening addresses; it is understood as 'bind {}'",
        written.join(" ")
    );
    cx.warn(span, "old-spelling", message);
    if let Some(bind) = bind::parse(cx, args, "bind", draft.proxy.kind.keyword()) {
        draft.proxy.binds.push(bind);
    }
    args.rest();
}
