//! What kind of health check: `option httpchk` and its relatives (manual, 4.2).

use super::draft::Draft;
use crate::args::Args;
use crate::build::keyword::{Row, proxy_row};
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::expr::format;
use crate::model::check::{CheckKind, HttpCheck};
use crate::registry::prelude::*;
use crate::registry::sample::Where;

#[rustfmt::skip]
pub const ROWS: &[Row<Draft>] = &[
    proxy_row("external-check command", "<command>", "DLB", Full, "program that checks", |cx, d, a| d.proxy.check.external_command = a.text(cx, "a command")),
    proxy_row("external-check path", "<path>", "DLB", Full, "PATH of that program", |cx, d, a| d.proxy.check.external_path = a.text(cx, "a path")),
    proxy_row("option external-check", "", "DLB", Full, "check by a program", |_, d, _| d.proxy.check.kind = CheckKind::External),
    proxy_row("option httpchk", "[<method>] [<uri>] [<version> [<host>]]", "DLB", Full, "check by an HTTP request", httpchk),
    proxy_row("option ldap-check", "", "DLB", Full, "check by an LDAP bind", |_, d, _| d.proxy.check.kind = CheckKind::Ldap),
    proxy_row("option mysql-check", "[user <name> [post-41|pre-41]]", "DLB", Full, "check by a MySQL handshake", mysql),
    proxy_row("option pgsql-check", "user <name>", "DLB", Full, "check by a PostgreSQL start", |cx, d, a| {
        if !a.accept("user") {
            a.unexpected_end(cx, "'user' <username> as argument");
            a.rest();
            return;
        }
        if let Some(user) = a.text(cx, "'user' <username> as argument") {
            d.proxy.check.kind = CheckKind::Pgsql { user };
        }
    }),
    proxy_row("option redis-check", "", "DLB", Full, "check by a Redis PING", |_, d, _| d.proxy.check.kind = CheckKind::Redis),
    proxy_row("option smtpchk", "[<hello> <domain>]", "DLB", Full, "check by an SMTP greeting", |_, d, a| {
        let hello = a.next().map_or("HELO", |w| w.as_str()).to_owned();
        let domain = a.next().map_or("localhost", |w| w.as_str()).to_owned();
        d.proxy.check.kind = CheckKind::Smtp { hello, domain };
    }),
    proxy_row("option spop-check", "", "DLB", Full, "check by an SPOP handshake", |_, d, _| d.proxy.check.kind = CheckKind::Spop),
    proxy_row("option ssl-hello-chk", "", "DLB", Full, "check by a TLS greeting", |_, d, _| d.proxy.check.kind = CheckKind::SslHello),
    proxy_row("option tcp-check", "", "DLB", Full, "check by tcp-check rules", |_, d, _| {
        d.begin_check();
        d.proxy.check.kind = CheckKind::Tcp;
    }),
];

fn httpchk(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let mut check = HttpCheck::default();
    let words = args.rest();
    match words {
        [] => {}
        [uri] => check.uri.clone_from(&uri.text),
        [method, uri, version @ ..] => {
            check.method.clone_from(&method.text);
            check.uri.clone_from(&uri.text);
            let mut rest = version;
            if let [_, _, extra, ..] = version
                && !version[0].text.contains("\r\n")
            {
                let message = format!(
                    "'option httpchk' : unexpected extra argument '{}'.",
                    extra.text
                );
                cx.report(
                    Diagnostic::new(
                        Severity::Alert,
                        "extra-argument",
                        Some(extra.span()),
                        message,
                    )
                    .remedy("write headers as 'http-check send hdr <name> <value>'"),
                );
                rest = &version[..2];
            }
            if let [version, host] = rest {
                check.version.clone_from(&version.text);
                if host.text.contains(':') && !host.text.contains('[') {
                    // Older configurations wrote a whole header there, or a name with a port.
                    let is_name = host
                        .text
                        .split_once(':')
                        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
                    if !is_name {
                        check.trailing.clone_from(&host.text);
                    }
                }
                if check.trailing.is_empty() {
                    match format::parse(cx, &host.text, host.span(), Where::Check) {
                        Ok(format) => check.host = Some(format),
                        Err(fault) => fault.report(cx, "'option httpchk' : "),
                    }
                }
                rest = &[];
            }
            let version = rest;
            if !version.is_empty() {
                let text = version
                    .iter()
                    .map(|w| w.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" ");
                let (version, trailing) = text.split_once("\r\n").unwrap_or((&text, ""));
                version.trim().clone_into(&mut check.version);
                trailing.clone_into(&mut check.trailing);
            }
        }
    }
    draft.begin_check();
    draft.proxy.check.kind = CheckKind::Http(check);
}

fn mysql(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let mut user = None;
    let mut pre_41 = false;
    if args.accept("user") {
        user = args.text(cx, "a user name");
        if let Some(word) = args.next() {
            match word.as_str() {
                "post-41" => {}
                "pre-41" => pre_41 = true,
                _ => args.unexpected(cx, word, "'post-41' or 'pre-41'"),
            }
        }
    } else if let Some(word) = args.next() {
        args.unexpected(cx, word, "'user'");
        args.rest();
    }
    draft.proxy.check.kind = CheckKind::Mysql { user, pre_41 };
}
