//! Lines of `global` that say more than one value.

use super::super::bind;
use super::text;
use crate::args::Args;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::expr::{format, sample};
use crate::model::global::{CpuMap, Global, GlobalVar, GlobalVarValue, TlsDefaults};
use crate::registry::sample::Where;

/// How the name of a header is spelled for HTTP/1 peers that care.
pub(super) fn case_adjust(cx: &mut Context, global: &mut Global, args: &mut Args) {
    let (Some(from), Some(to)) = (text(cx, args), text(cx, args)) else {
        return;
    };
    let known = &mut global.h1_case_adjust;
    if let Err(message) = add_case(known, &from, &to) {
        cx.alert(
            args.span(),
            "bad-value",
            format!("'h1-case-adjust' : {message}."),
        );
    }
}

/// The same for many: two names a line, `#` begins a comment.
pub(super) fn case_adjust_file(cx: &mut Context, global: &mut Global, args: &mut Args) {
    let Some(word) = args.required(cx, "a file") else {
        return;
    };
    global.h1_case_adjust_file.clear();
    let Some(bytes) = cx.file(&word.text, word.span()) else {
        return;
    };
    for (number, line) in (1..).zip(String::from_utf8_lossy(&bytes).lines()) {
        let line = line.trim_matches([' ', '\t']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let names: Vec<&str> = line
            .split([' ', '\t'])
            .filter(|name| !name.is_empty())
            .collect();
        let added = match names[..] {
            [from, to] => add_case(&mut global.h1_case_adjust_file, from, to),
            _ => Err("expects <from> and <to> as argument".to_owned()),
        };
        if let Err(message) = added {
            let message = format!(
                "h1-headers-case-adjust-file '{}' : {message} at line {number}.",
                word.text
            );
            cx.alert(word.span(), "bad-value", message);
        }
    }
}

fn add_case(known: &mut Vec<(String, String)>, from: &str, to: &str) -> Result<(), String> {
    if !from.eq_ignore_ascii_case(to) {
        return Err("<from> and <to> must not differ except the case".to_owned());
    }
    if known.iter().any(|(name, _)| name == from) {
        return Err(format!("duplicate entry '{from}'"));
    }
    known.push((from.to_owned(), to.to_owned()));
    Ok(())
}

/// Ranges of statuses, added or taken out: `+500-599 -503`.
pub(super) fn codes(cx: &mut Context, args: &mut Args) -> Vec<String> {
    let wanted = "ranges of statuses such as 400-499, +500 or -503";
    if args.is_empty() {
        args.unexpected_end(cx, wanted);
    }
    let status = |text: &str| {
        text.parse::<u16>()
            .is_ok_and(|code| (100..=599).contains(&code))
    };
    let range = |part: &str| match part.split_once('-') {
        Some((low, high)) => status(low) && status(high),
        None => status(part),
    };
    let mut found = Vec::new();
    for word in args.rest() {
        let right = word
            .text
            .split(',')
            .all(|part| range(part.strip_prefix(['+', '-']).unwrap_or(part)));
        if !right {
            args.unexpected(cx, word, wanted);
        }
        found.push(word.text.clone());
    }
    found
}

/// HAProxy loads the file at once, and takes PKCS#3 parameters only: those that `openssl dhparam`
/// writes. Nothing here uses them.
pub(super) fn dh_param_file(cx: &mut Context, global: &mut Global, args: &mut Args) {
    let Some(word) = args.required(cx, "a file") else {
        return;
    };
    global.ssl_dh_param_file = Some(word.text.clone());
    let Some(bytes) = cx.file(&word.text, word.span()) else {
        return;
    };
    if !String::from_utf8_lossy(&bytes).contains("-----BEGIN DH PARAMETERS-----") {
        let message = format!(
            "'ssl-dh-param-file': unable to load DH parameters from file <{}>.",
            word.text
        );
        cx.report(
            Diagnostic::new(
                Severity::Alert,
                "unreadable-file",
                Some(word.span()),
                message,
            )
            .remedy("remove it: finite-field key exchange is not used"),
        );
    }
}

/// Settings of zlib, which HAProxy knows only where it was built with it.
pub(in crate::build) fn needs_zlib(cx: &mut Context, _: &mut Global, args: &mut Args) {
    args.number::<u32>(cx);
    if !cx
        .options
        .facts
        .features
        .iter()
        .any(|feature| feature == "ZLIB")
    {
        let message = format!("unknown keyword '{}' in 'global' section", args.label());
        cx.report(
            Diagnostic::new(
                Severity::Alert,
                "unknown-keyword",
                Some(args.span()),
                message,
            )
            .cause("it is a setting of zlib, which is not part of this program")
            .remedy("remove it: compression needs no such setting here"),
        );
    }
}

pub(super) fn nbproc(cx: &mut Context, _: &mut Global, args: &mut Args) {
    let message = "nbproc is not supported any more since HAProxy 2.5. Threads will automatically be used on multi-processor machines if available.";
    if cx.options.translate_removed {
        cx.warn(args.span(), "old-spelling", message);
    } else {
        cx.alert(args.span(), "old-spelling", message);
    }
    args.rest();
}

pub(super) fn maxconn(cx: &mut Context, global: &mut Global, args: &mut Args) {
    global.maxconn = args.number(cx);
}

pub(super) fn lua_load(cx: &mut Context, _: &mut Global, args: &mut Args) {
    cx.has_lua = true;
    if let Some(word) = args.required(cx, "a file") {
        cx.file(&word.text, word.span());
    }
    args.rest();
}

pub(super) fn environment(cx: &mut Context, _: &mut Global, args: &mut Args) {
    args.required(cx, "an environment variable name and a value");
    args.required(cx, "an environment variable value");
}

pub(super) fn default_path(cx: &mut Context, _: &mut Global, args: &mut Args) {
    let Some(word) = args.required(cx, "'current', 'config', 'parent' or 'origin <path>'") else {
        return;
    };
    let file = cx
        .file_names
        .get(word.at.file as usize)
        .cloned()
        .unwrap_or_default();
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    match word.as_str() {
        "current" => cx.default_path.clear(),
        "config" => folder.clone_into(&mut cx.default_path),
        "parent" => {
            cx.default_path = if folder.is_empty() {
                "..".to_owned()
            } else {
                format!("{folder}/..")
            };
        }
        "origin" => {
            let Some(word) = args.required(cx, "a directory") else {
                return;
            };
            if !cx.exists(&word.text) {
                let message = format!(
                    "couldn't set 'default-path' to origin '{}': no such directory.",
                    word.text
                );
                cx.alert(word.span(), "unreadable-file", message);
            }
            cx.default_path.clone_from(&word.text);
        }
        other => {
            let message = format!(
                "unsupported default-path mode '{other}' for 'default-path', supported modes include 'current', 'config', 'parent', and 'origin'."
            );
            cx.alert(word.span(), "unexpected-argument", message);
            args.rest();
        }
    }
}

/// `all`, `odd`, `even`, numbers and ranges; `base` is the first number.
fn number_set(text: &str, base: u32, most: u32) -> Option<Vec<u32>> {
    let all = base..base + most;
    Some(match text {
        "all" => all.collect(),
        "odd" => all.filter(|n| n % 2 == 1).collect(),
        "even" => all.filter(|n| n % 2 == 0).collect(),
        _ => {
            let mut found = Vec::new();
            for part in text.split(',') {
                let (low, high) = part.split_once('-').unwrap_or((part, part));
                let low: u32 = low.parse().ok()?;
                let high: u32 = if high.is_empty() {
                    base + most - 1
                } else {
                    high.parse().ok()?
                };
                if low < base || high < low || high >= base + most {
                    return None;
                }
                found.extend(low..=high);
            }
            found
        }
    })
}

/// Threads of a group and CPUs of a machine that sets can name.
const MAX_SET: u32 = 1024;

pub(super) fn cpu_map(cx: &mut Context, global: &mut Global, args: &mut Args) {
    let at = args.span().at;
    let Some(word) = args.required(cx, "a thread set") else {
        return;
    };
    let auto = word.text.strip_prefix("auto:");
    let text = auto.unwrap_or(&word.text);
    let (group, threads) = match text.split_once('/') {
        Some((group, threads)) => (group.parse().ok().filter(|g| *g > 0), threads),
        None => (Some(1), text),
    };
    let threads = number_set(threads, 1, MAX_SET);
    let (Some(group), Some(threads)) = (group, threads) else {
        args.unexpected(cx, word, "threads such as 1-4, all, odd or even");
        args.rest();
        return;
    };
    let mut cpus = Vec::new();
    while let Some(word) = args.next() {
        match number_set(&word.text, 0, MAX_SET) {
            Some(set) => cpus.extend(set),
            None => args.unexpected(cx, word, "CPUs such as 0-3"),
        }
    }
    cpus.sort_unstable();
    cpus.dedup();
    if cpus.is_empty() {
        return args.unexpected_end(cx, "CPU numbers");
    }
    global.cpu_map.push(CpuMap {
        auto: auto.is_some(),
        group,
        threads,
        cpus,
        at,
    });
}

pub(super) fn unix_bind(cx: &mut Context, global: &mut Global, args: &mut Args) {
    while let Some(word) = args.next() {
        let bind = &mut global.unix_bind;
        match word.as_str() {
            "prefix" => bind.prefix = text(cx, args),
            "user" => bind.user = text(cx, args),
            "group" => bind.group = text(cx, args),
            "uid" => bind.uid = args.number(cx),
            "gid" => bind.gid = args.number(cx),
            "mode" => {
                let Some(word) = args.required(cx, "an octal mode") else {
                    return;
                };
                bind.mode = u32::from_str_radix(&word.text, 8).ok();
                if bind.mode.is_none() {
                    args.unexpected(cx, word, "an octal mode");
                }
            }
            _ => args.unexpected(
                cx,
                word,
                "'prefix', 'mode', 'uid', 'gid', 'user' or 'group'",
            ),
        }
    }
}

pub(super) fn tls_options(cx: &mut Context, defaults: &mut TlsDefaults, args: &mut Args) {
    use crate::model::tls::TlsVersion;
    while let Some(word) = args.peek() {
        let versions = &mut defaults.versions;
        match word.as_str() {
            "ssl-min-ver" | "ssl-max-ver" => {
                args.next();
                let version = bind::version(cx, args);
                if word.text == "ssl-min-ver" {
                    versions.min = version;
                } else {
                    versions.max = version;
                }
                continue;
            }
            "no-sslv3" => bind::exclude(versions, TlsVersion::Ssl3),
            "no-tlsv10" => bind::exclude(versions, TlsVersion::Tls10),
            "no-tlsv11" => bind::exclude(versions, TlsVersion::Tls11),
            "no-tlsv12" => bind::exclude(versions, TlsVersion::Tls12),
            "no-tlsv13" => bind::exclude(versions, TlsVersion::Tls13),
            "force-sslv3" => bind::force(versions, TlsVersion::Ssl3),
            "force-tlsv10" => bind::force(versions, TlsVersion::Tls10),
            "force-tlsv11" => bind::force(versions, TlsVersion::Tls11),
            "force-tlsv12" => bind::force(versions, TlsVersion::Tls12),
            "force-tlsv13" => bind::force(versions, TlsVersion::Tls13),
            "no-tls-tickets" => defaults.no_tls_tickets = true,
            "tls-tickets" => defaults.no_tls_tickets = false,
            "prefer-client-ciphers" => defaults.prefer_client_ciphers = true,
            "strict-sni" => defaults.strict_sni = true,
            "no-strict-sni" => defaults.strict_sni = false,
            "ssl-reuse" | "no-ssl-reuse" | "renegotiate" | "no-renegotiate" => {
                defaults.other.push(word.text.clone());
            }
            _ => {
                let message = format!("'{}' : unknown option '{}'.", args.label(), word.text);
                cx.alert(word.span(), "unexpected-argument", message);
            }
        }
        args.next();
    }
}

pub(super) fn variable(cx: &mut Context, global: &mut Global, args: &mut Args, formatted: bool) {
    let Some(name) = args.text(cx, "a variable name ('proc.<name>')") else {
        return;
    };
    let Some(word) = args.required(cx, "an expression") else {
        return;
    };
    let at = word.at;
    let value = if formatted {
        format::parse(cx, &word.text, word.span(), Where::Config).map(GlobalVarValue::Format)
    } else {
        sample::parse(cx, &word.text, word.span()).map(|parsed| GlobalVarValue::Expr(parsed.expr))
    };
    match value {
        Ok(value) => global.set_vars.push(GlobalVar { name, value, at }),
        Err(fault) => fault.report(cx, &format!("'{}' : ", args.label())),
    }
}
