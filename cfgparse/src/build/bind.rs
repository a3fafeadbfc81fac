//! `bind` lines (manual, 5.1).

use std::sync::LazyLock;

use super::keyword::{Row, Table, lax_number, row};
use crate::address;
use crate::args::Args;
use crate::ast::Word;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::bind::{Bind, SocketLevel};
use crate::model::tls::{BindTls, TlsVerify, TlsVersion, TlsVersions};
use crate::registry::Info;
use crate::registry::prelude::*;

/// A `bind` line while it is read.
#[derive(Default)]
pub struct BindDraft {
    pub bind: Bind,
    tls: BindTls,
    ssl: bool,
}

static TABLE: LazyLock<Table<BindDraft>> = LazyLock::new(|| Table::new(&[SOCKET, TLS]));

/// Rows for the documents.
pub fn infos() -> impl Iterator<Item = &'static Info> {
    SOCKET.iter().chain(TLS).map(|row| &row.info)
}

/// Parses addresses and parameters. `what` is the keyword, such as `bind` or `stats socket`.
pub fn parse(cx: &mut Context, args: &mut Args, what: &str, section: &str) -> Option<Bind> {
    let mut draft = BindDraft::default();
    draft.bind.at = args.line().keyword().at;
    let Some(word) = args.next() else {
        let message = format!(
            "'{what}' expects {{<path>|[addr1]:port1[-end1]}}{{,[addr]:port[-end]}}... as arguments."
        );
        cx.alert(args.here(), "missing-argument", message);
        return None;
    };
    draft.bind.written.clone_from(&word.text);
    match address::bind(&cx.address(&word.text), true) {
        Ok(addresses) => {
            if cx.unroll(addresses.len(), word.span()) {
                draft.bind.addresses = addresses;
            }
        }
        Err(error) => cx.alert(word.span(), "bad-address", format!("'{what}' : {error}")),
    }
    let label = format!("'{what} {}' in section '{section}'", word.text);
    while args.peek().is_some() {
        args.begin_name();
        let span = args.here();
        let Some(row) = TABLE.find(args) else {
            TABLE.unknown(cx, args, &label);
            return Some(draft.bind);
        };
        args.name_so_far();
        cx.used(&row.info, span);
        (row.parse)(cx, &mut draft, args);
    }
    if draft.ssl {
        draft.bind.tls = Some(draft.tls);
    }
    Some(draft.bind)
}

fn text(cx: &mut Context, args: &mut Args) -> Option<String> {
    args.text(cx, "a value")
}

/// A segment size, which a minus sign makes one to subtract from what the path allows.
fn mss(cx: &mut Context, args: &mut Args) -> Option<i32> {
    let value = args.number_in(cx, -65_535, 65_535)?;
    if value == 0 {
        let message = "'mss' expects a size between 1 and 65535, or such a size below zero.";
        cx.alert(args.span(), "out-of-range", message);
        return None;
    }
    i32::try_from(value).ok()
}

/// A certificate's path, `crt-base` applied. One that is missing may be a bundle, a file for each
/// type of key.
pub(crate) fn crt_path(cx: &mut Context, args: &mut Args) -> Option<String> {
    let word = args.required(cx, "a file")?;
    let path = cx.tls_path(&word.text, cx.crt_base.as_deref());
    let bundle = ["", ".rsa", ".ecdsa", ".dsa"];
    let found = |suffix: &&str| cx.exists(&format!("{path}{suffix}"));
    // HAProxy loads a server's certificate only where the line says `ssl`.
    let of_server = args.line().keyword().as_str().contains("server");
    let loads = !of_server || args.line().words.iter().any(|word| word.text == "ssl");
    if loads && !path.starts_with('@') && !bundle.iter().any(found) {
        missing_file(cx, word, "unable to stat SSL certificate from file");
    }
    Some(path)
}

fn missing_file(cx: &mut Context, word: &Word, message: &str) {
    cx.report(
        Diagnostic::new(
            Severity::Alert,
            "unreadable-file",
            Some(word.span()),
            format!("{message} '{}' : No such file or directory.", word.text),
        )
        .remedy("check the path, and that this user may read it"),
    );
}

/// A path of authorities, `ca-base` applied.
pub(crate) fn ca_path(cx: &mut Context, args: &mut Args) -> Option<String> {
    let word = args.required(cx, "a file")?;
    let path = cx.tls_path(&word.text, cx.ca_base.as_deref());
    if !path.starts_with('@') && !cx.exists(&path) {
        missing_file(cx, word, "unable to load authorities from");
    }
    Some(path)
}

/// A protocol forced without negotiation.
pub(crate) fn proto(cx: &mut Context, args: &mut Args) -> Option<String> {
    let word = args.required(cx, "a protocol")?;
    match word.as_str() {
        "h1" | "none" => {}
        "h2" | "fcgi" | "spop" | "quic" | "qmux" => {
            cx.not_yet(word.span(), &format!("proto {}", word.text));
        }
        _ => args.unexpected(cx, word, "'h1', 'h2', 'fcgi', 'spop', 'qmux' or 'none'"),
    }
    Some(word.text.clone())
}

/// Octal permission bits.
fn octal(cx: &mut Context, args: &mut Args) -> Option<u32> {
    let word = args.required(cx, "an octal mode")?;
    let mode = u32::from_str_radix(&word.text, 8)
        .ok()
        .filter(|mode| *mode <= 0o7777);
    if mode.is_none() {
        args.unexpected(cx, word, "an octal mode such as 660");
    }
    mode
}

#[rustfmt::skip]
const SOCKET: &[Row<BindDraft>] = &[
    lax_number(row("accept-netscaler-cip", "<magic number>", Refused("use accept-proxy"), "expect a NetScaler header", |cx, d, a| {
        d.bind.accept_netscaler_cip = a.number(cx);
    })),
    row("accept-proxy", "", Full, "expect a PROXY protocol header on every connection", |_, d, _| {
        d.bind.accept_proxy = true;
    }),
    lax_number(row("backlog", "<backlog>", Full, "connections that wait in the kernel", |cx, d, a| d.bind.backlog = a.number(cx))),
    row("cc", "<algo>", Full, "congestion control algorithm", |cx, d, a| d.bind.cc = text(cx, a)),
    row("defer-accept", "", Full, "accept when data has arrived", |_, d, _| d.bind.defer_accept = true),
    row("expose-fd", "listeners", Ignored("the admin socket passes listeners on reload when that exists"), "let a new process take the listening sockets", |cx, d, a| {
        let Some(word) = a.required(cx, "'listeners'") else { return };
        d.bind.expose_fd_listeners = word.text == "listeners";
        if !d.bind.expose_fd_listeners {
            a.unexpected(cx, word, "'listeners'");
        }
    }),
    lax_number(row("gid", "<gid>", Full, "group id of the unix socket", |cx, d, a| d.bind.gid = a.number(cx))),
    row("group", "<group>", Full, "group of the unix socket", |cx, d, a| d.bind.group = text(cx, a)),
    row("guid-prefix", "<string>", Harmless, "prefix of the listeners' unique ids", |cx, d, a| d.bind.guid_prefix = super::server::guid(cx, a)),
    row("id", "<id>", Full, "id in statistics", |cx, d, a| d.bind.id = a.number_in(cx, 1, i64::from(i32::MAX)).map(|n| n as u32)),
    row("idle-ping", "<delay>", Planned, "ping idle HTTP/2 connections", |cx, _, a| {
        a.time(cx);
    }),
    row("interface", "<interface>", Full, "accept from this network interface only", |cx, d, a| d.bind.interface = text(cx, a)),
    row("label", "<label>", Harmless, "label in statistics", |cx, _, a| {
        text(cx, a);
    }),
    row("level", "user|operator|admin", Full, "what an admin socket allows", |cx, d, a| {
        let Some(word) = a.required(cx, "'user', 'operator' or 'admin'") else { return };
        d.bind.level = match word.as_str() {
            "user" => Some(SocketLevel::User),
            "operator" => Some(SocketLevel::Operator),
            "admin" => Some(SocketLevel::Admin),
            _ => {
                a.unexpected(cx, word, "'user', 'operator' or 'admin'");
                None
            }
        };
    }),
    lax_number(row("maxconn", "<maxconn>", Full, "connections of each socket", |cx, d, a| d.bind.maxconn = a.number_in(cx, 0, i64::from(i32::MAX)).map(|n| n as u32))),
    row("mode", "<mode>", Full, "octal permissions of the unix socket", |cx, d, a| d.bind.mode = octal(cx, a)),
    lax_number(row("mss", "<maxseg>", Full, "TCP maximum segment size", |cx, d, a| d.bind.mss = mss(cx, a))),
    row("name", "<name>", Full, "name in statistics", |cx, d, a| d.bind.name = text(cx, a)),
    row("namespace", "<name>", Planned, "network namespace", |cx, d, a| d.bind.namespace = text(cx, a)),
    row("nbconn", "<nbconn>", Planned, "connections opened in reverse", |cx, _, a| {
        a.number::<u32>(cx);
    }),
    lax_number(row("nice", "<nice>", Ignored("all streams have the same priority"), "priority of these connections' tasks", |cx, d, a| {
        d.bind.nice = a.number_in(cx, -1024, 1024).map(|n| n as i32);
    })),
    row("process", "all|odd|even|<set>", Refused("remove it, or use 'thread'"), "processes that accept (removed in 2.5)", |cx, d, a| d.bind.process = text(cx, a)),
    row("proto", "<name>", Partial("h1 and none only"), "protocol without negotiation", |cx, d, a| d.bind.proto = proto(cx, a)),
    row("quic-cc-algo", "<algo>", Planned, "congestion control of QUIC", |cx, _, a| {
        text(cx, a);
    }),
    row("quic-force-retry", "", Planned, "QUIC address validation", |_, _, _| {}),
    row("quic-socket", "<mode>", Planned, "sockets of QUIC connections", |cx, _, a| {
        text(cx, a);
    }),
    row("severity-output", "none|number|string", Harmless, "severity before each line of an answer", |cx, d, a| d.bind.severity_output = a.one_of(cx, &["none", "number", "string"])),
    row("shards", "<number>|by-thread|by-group", Ignored("every core has its own socket"), "sockets for one address", |cx, d, a| d.bind.shards = shards(cx, a)),
    row("tcp-md5sig", "<password>", Planned, "TCP MD5 signatures", |cx, _, a| {
        text(cx, a);
    }),
    row("tcp-ss", "<mode>", Harmless, "save the SYN for tcp fetches", |cx, _, a| {
        a.number::<u32>(cx);
    }),
    row("tcp-ut", "<delay>", Full, "TCP user timeout", |cx, d, a| d.bind.tcp_ut_ms = a.time(cx)),
    row("tfo", "", Full, "TCP fast open", |_, d, _| d.bind.tfo = true),
    row("thread", "<set>", Ignored("every core accepts"), "threads that accept", |cx, d, a| d.bind.thread = text(cx, a)),
    row("transparent", "", Full, "accept for addresses that are not ours", |_, d, _| d.bind.transparent = true),
    lax_number(row("uid", "<uid>", Full, "user id of the unix socket", |cx, d, a| d.bind.uid = a.number(cx))),
    row("user", "<user>", Full, "user of the unix socket", |cx, d, a| d.bind.user = text(cx, a)),
    row("v4v6", "", Full, "an IPv6 socket takes IPv4 too", |_, d, _| d.bind.v4v6 = true),
    row("v6only", "", Full, "an IPv6 socket takes IPv6 only", |_, d, _| d.bind.v6only = true),
];

#[rustfmt::skip]
const TLS: &[Row<BindDraft>] = &[
    row("allow-0rtt", "", Planned, "take TLS early data", |_, d, _| d.tls.allow_0rtt = true),
    row("alpn", "<protocols>", Partial("http/1.1 only; h2 is not offered yet"), "protocols to agree on, in order", |cx, d, a| {
        d.bind.alpn = list(cx, a);
    }),
    row("ca-file", "<cafile>", Full, "authorities of client certificates", |cx, d, a| d.tls.ca_file = ca_path(cx, a)),
    row("ca-ignore-err", "all|<errors>", Planned, "errors of authorities that are let through", |cx, d, a| d.tls.ca_ignore_err = text(cx, a)),
    row("ca-sign-file", "<cafile>", Planned, "authority that signs generated certificates", |cx, _, a| {
        text(cx, a);
    }),
    row("ca-sign-pass", "<passphrase>", Planned, "passphrase of that authority", |cx, _, a| {
        text(cx, a);
    }),
    row("ca-verify-file", "<cafile>", Full, "authorities that are not announced", |cx, d, a| d.tls.ca_verify_file = ca_path(cx, a)),
    row("ciphers", "<ciphers>", Full, "ciphers up to TLS 1.2", |cx, d, a| d.tls.ciphers = text(cx, a)),
    row("ciphersuites", "<suites>", Full, "ciphers of TLS 1.3", |cx, d, a| d.tls.ciphersuites = text(cx, a)),
    row("client-sigalgs", "<sigalgs>", Planned, "signatures taken from clients", |cx, d, a| d.tls.client_sigalgs = text(cx, a)),
    row("crl-file", "<crlfile>", Full, "revoked client certificates", |cx, d, a| d.tls.crl_file = ca_path(cx, a)),
    row("crt", "<cert>", Full, "certificate with key, or a folder of them", |cx, d, a| {
        if let Some(path) = crt_path(cx, a) {
            d.tls.crt.push(path);
        }
    }),
    row("crt-ignore-err", "<errors>", Planned, "errors of client certificates that are let through", |cx, d, a| d.tls.crt_ignore_err = text(cx, a)),
    row("crt-list", "<file>", Full, "list of certificates with their names", |cx, d, a| {
        if let Some(path) = crt_path(cx, a) {
            d.tls.crt_list.push(path);
        }
    }),
    row("curves", "<curves>", Full, "key exchange groups", |cx, d, a| d.tls.curves = text(cx, a)),
    row("default-crt", "<cert>", Full, "certificate where no name fits", |cx, d, a| {
        if let Some(path) = crt_path(cx, a) {
            d.tls.default_crt.push(path);
        }
    }),
    row("ecdhe", "<curve>", Full, "old name of one key exchange group", |cx, d, a| d.tls.ecdhe = text(cx, a)),
    row("force-sslv3", "", Refused("SSLv3 is broken: remove it"), "SSLv3 only", |_, d, _| force(&mut d.tls.versions, TlsVersion::Ssl3)),
    row("force-tlsv10", "", Refused("use ssl-min-ver TLSv1.2"), "TLS 1.0 only", |_, d, _| force(&mut d.tls.versions, TlsVersion::Tls10)),
    row("force-tlsv11", "", Refused("use ssl-min-ver TLSv1.2"), "TLS 1.1 only", |_, d, _| force(&mut d.tls.versions, TlsVersion::Tls11)),
    row("force-tlsv12", "", Full, "TLS 1.2 only", |_, d, _| force(&mut d.tls.versions, TlsVersion::Tls12)),
    row("force-tlsv13", "", Full, "TLS 1.3 only", |_, d, _| force(&mut d.tls.versions, TlsVersion::Tls13)),
    row("generate-certificates", "", Planned, "make certificates for unknown names", |_, d, _| d.tls.generate_certificates = true),
    row("ktls", "on|off", Harmless, "TLS records by the kernel", |cx, _, a| {
        a.on_off(cx);
    }),
    row("no-alpn", "", Full, "agree on no protocol", |_, d, _| {
        d.bind.no_alpn = true;
        d.bind.alpn.clear();
    }),
    row("no-ca-names", "", Full, "don't announce authorities", |_, d, _| d.tls.no_ca_names = true),
    row("no-sslv3", "", Full, "not SSLv3", |_, d, _| exclude(&mut d.tls.versions, TlsVersion::Ssl3)),
    row("no-strict-sni", "", Full, "take unknown names", |_, d, _| d.tls.strict_sni = Some(false)),
    row("no-tls-tickets", "", Full, "no session tickets", |_, d, _| d.tls.no_tls_tickets = true),
    row("no-tlsv10", "", Full, "not TLS 1.0", |_, d, _| exclude(&mut d.tls.versions, TlsVersion::Tls10)),
    row("no-tlsv11", "", Full, "not TLS 1.1", |_, d, _| exclude(&mut d.tls.versions, TlsVersion::Tls11)),
    row("no-tlsv12", "", Full, "not TLS 1.2", |_, d, _| exclude(&mut d.tls.versions, TlsVersion::Tls12)),
    row("no-tlsv13", "", Full, "not TLS 1.3", |_, d, _| exclude(&mut d.tls.versions, TlsVersion::Tls13)),
    row("npn", "<protocols>", Refused("use alpn"), "protocols of the old extension", |cx, _, a| {
        text(cx, a);
    }),
    row("ocsp-update", "on|off", Planned, "fetch OCSP answers", |cx, d, a| d.tls.ocsp_update = text(cx, a)),
    row("prefer-client-ciphers", "", Full, "the client's order of ciphers wins", |_, d, _| d.tls.prefer_client_ciphers = true),
    row("sigalgs", "<sigalgs>", Planned, "signatures offered", |cx, d, a| d.tls.sigalgs = text(cx, a)),
    row("ssl", "", Full, "speak TLS", |_, d, _| d.ssl = true),
    row("ssl-max-ver", "<version>", Full, "newest version", |cx, d, a| d.tls.versions.max = version(cx, a)),
    row("ssl-min-ver", "<version>", Full, "oldest version", |cx, d, a| d.tls.versions.min = version(cx, a)),
    row("strict-sni", "", Full, "refuse unknown names", |_, d, _| d.tls.strict_sni = Some(true)),
    row("tls-ticket-keys", "<file>", Planned, "keys of session tickets", |cx, d, a| {
        let Some(word) = a.required(cx, "a file") else { return };
        cx.file(&word.text, word.span());
        d.tls.tls_ticket_keys = Some(word.text.clone());
    }),
    row("tls-tickets", "", Full, "session tickets", |_, d, _| d.tls.no_tls_tickets = false),
    row("verify", "none|optional|required", Full, "whether clients show a certificate", |cx, d, a| d.tls.verify = verify(cx, a)),
];

/// `by-thread`, `by-group` or a number.
fn shards(cx: &mut Context, args: &mut Args) -> Option<String> {
    let word = args.required(cx, "'by-thread', 'by-group' or a number")?;
    let known = ["by-thread", "by-group", "by-process"].contains(&word.as_str())
        || word
            .text
            .parse::<u16>()
            .is_ok_and(|n| (1..=1024).contains(&n));
    if !known {
        args.unexpected(
            cx,
            word,
            "'by-thread', 'by-group' or a number from 1 to 1024",
        );
    }
    Some(word.text.clone())
}

fn list(cx: &mut Context, args: &mut Args) -> Vec<String> {
    let words = text(cx, args).unwrap_or_default();
    words
        .split(',')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Only this version.
pub(crate) fn force(versions: &mut TlsVersions, version: TlsVersion) {
    versions.min = Some(version);
    versions.max = Some(version);
}

/// Not this version.
pub(crate) fn exclude(versions: &mut TlsVersions, version: TlsVersion) {
    versions.excluded |= 1 << version as u8;
}

/// `SSLv3`, `TLSv1.0` to `TLSv1.3`.
pub(crate) fn version(cx: &mut Context, args: &mut Args) -> Option<TlsVersion> {
    let word = args.required(cx, "a version")?;
    Some(match word.as_str() {
        "SSLv3" => TlsVersion::Ssl3,
        "TLSv1.0" => TlsVersion::Tls10,
        "TLSv1.1" => TlsVersion::Tls11,
        "TLSv1.2" => TlsVersion::Tls12,
        "TLSv1.3" => TlsVersion::Tls13,
        _ => {
            args.unexpected(cx, word, "SSLv3, TLSv1.0, TLSv1.1, TLSv1.2 or TLSv1.3");
            return None;
        }
    })
}

/// `none`, `optional` or `required`.
pub(crate) fn verify(cx: &mut Context, args: &mut Args) -> Option<TlsVerify> {
    let word = args.required(cx, "'none', 'optional' or 'required'")?;
    Some(match word.as_str() {
        "none" => TlsVerify::None,
        "optional" => TlsVerify::Optional,
        "required" => TlsVerify::Required,
        _ => {
            args.unexpected(cx, word, "'none', 'optional' or 'required'");
            return None;
        }
    })
}
