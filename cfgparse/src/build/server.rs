//! `server`, `default-server` and `server-template` lines (manual, 5.2).

use std::sync::LazyLock;

use super::bind::{ca_path, crt_path, exclude, force, proto, verify, version};
use super::keyword::{Row, Table, lax_number, row};
use super::server_source;
use crate::address;
use crate::args::Args;
use crate::context::{Context, Reference, ReferenceKind};
use crate::expr::{format, sample};
use crate::model::section::Network;
use crate::model::server::{
    Addr, AddressFamily, InitAddr, InitState, MarkedDown, MarkedUp, Observe, OnError, ProxyVersion,
    SendProxy, Server,
};
use crate::model::tls::{ServerTls, TlsVersion};
use crate::registry::Info;
use crate::registry::prelude::*;
use crate::registry::sample::Where;

/// A server line while it is read, or what `default-server` lines left for the next.
#[derive(Clone)]
pub struct Params {
    pub server: Server,
    /// It is a `default-server` line that is being read.
    pub is_default: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            server: Server::new(""),
            is_default: false,
        }
    }
}

impl Params {
    fn tls(&mut self) -> &mut ServerTls {
        self.server.tls.get_or_insert_default()
    }

    /// `ssl` and `no-ssl`.
    fn switch_tls(&mut self, on: bool) {
        let tls = self.tls();
        tls.was_enabled |= tls.enabled;
        tls.enabled = on;
        tls.is_off = !on;
    }

    fn send_proxy(&mut self) -> &mut SendProxy {
        self.server.send_proxy.get_or_insert_default()
    }

    fn send_proxy_of(&mut self, version: ProxyVersion) -> &mut SendProxy {
        let options = self.send_proxy();
        options.version = options.version.max(Some(version));
        options
    }

    fn no_send_proxy(&mut self, version: ProxyVersion) {
        let options = self.send_proxy();
        options.version = options.version.filter(|asked| *asked != version);
    }
}

static TABLE: LazyLock<Table<Params>> = LazyLock::new(|| Table::new(&[PLAIN, CHECK, TLS]));

/// Rows for the documents.
pub fn infos() -> impl Iterator<Item = &'static Info> {
    PLAIN.iter().chain(CHECK).chain(TLS).map(|row| &row.info)
}

/// Reads parameters up to the end of the line. `label` is how messages call the line.
pub fn params(cx: &mut Context, params: &mut Params, args: &mut Args, label: &str) {
    while args.peek().is_some() {
        args.begin_name();
        let span = args.here();
        if let Some(word) = args.peek()
            && let Some(id) = word.text.strip_prefix("set-proxy-v2-tlv-fmt(")
        {
            tlv(cx, params, args, id);
            continue;
        }
        let Some(row) = TABLE.find(args) else {
            TABLE.unknown(cx, args, label);
            return;
        };
        args.name_so_far();
        cx.used(&row.info, span);
        if params.is_default && OF_ONE_SERVER.contains(&row.info.name) {
            let name = row.info.name;
            let message = format!("'{name}' option is not accepted in default-server sections.");
            cx.alert(span, "wrong-section", message);
        }
        (row.parse)(cx, params, args);
    }
}

/// What `default-server` does not take.
const OF_ONE_SERVER: &[&str] = &[
    "guid",
    "id",
    "no-sslv3",
    "no-tlsv10",
    "no-tlsv11",
    "no-tlsv12",
    "no-tlsv13",
];

/// `set-proxy-v2-tlv-fmt(ID) FORMAT`.
fn tlv(cx: &mut Context, params: &mut Params, args: &mut Args, id: &str) {
    let Some(word) = args.next() else { return };
    if let Some(row) = TLS
        .iter()
        .find(|row| row.info.name == "set-proxy-v2-tlv-fmt")
    {
        cx.used(&row.info, word.span());
    }
    let text = id.trim_end_matches(')');
    let id = match text.strip_prefix("0x") {
        Some(hex) => u8::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    let Some(id) = id else {
        args.unexpected(cx, word, "a TLV type between 0 and 255");
        return;
    };
    let Some(word) = args.required(cx, "a format") else {
        return;
    };
    match format::parse(cx, &word.text, word.span(), Where::BeHttpRequest) {
        Ok(format) => params.send_proxy().tlvs.push((id, format)),
        Err(fault) => fault.report(cx, "'set-proxy-v2-tlv-fmt' : "),
    }
}

fn text(cx: &mut Context, args: &mut Args) -> Option<String> {
    args.text(cx, "a value")
}

fn list(cx: &mut Context, args: &mut Args) -> Vec<String> {
    let words = text(cx, args).unwrap_or_default();
    words
        .split(',')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// One of several words, each with what it stands for.
fn choice<T: Copy>(cx: &mut Context, args: &mut Args, words: &[(&str, T)]) -> Option<T> {
    let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
    let wanted = format!("one of {}", names.join(", "));
    let word = args.required(cx, &wanted)?;
    let found = words
        .iter()
        .find(|(name, _)| *name == word.text)
        .map(|(_, value)| *value);
    if found.is_none() {
        args.unexpected(cx, word, &wanted);
    }
    found
}

fn address_of(cx: &mut Context, args: &mut Args) -> Option<Addr> {
    let word = args.required(cx, "an address")?;
    match address::server(&cx.address(&word.text)) {
        Ok((addr, _)) => Some(addr),
        Err(error) => {
            let message = format!("'{}' : {error}", args.label());
            cx.alert(word.span(), "bad-address", message);
            None
        }
    }
}

/// `<addr>:<port>`: the port must be there.
fn socks4(cx: &mut Context, params: &mut Params, args: &mut Args) {
    let Some(word) = args.required(cx, "<addr>:<port>") else {
        return;
    };
    match address::server(&cx.address(&word.text)) {
        Ok((Addr::Ip(_) | Addr::Name { .. }, crate::model::Port::Offset(0)))
            if !word.text.ends_with(":0") =>
        {
            let message = format!("'socks4' : missing port specification in '{}'.", word.text);
            cx.alert(word.span(), "bad-address", message);
        }
        Ok(_) => params.server.socks4 = Some(word.text.clone()),
        Err(error) => cx.alert(word.span(), "bad-address", format!("'socks4' : {error}")),
    }
}

fn port(cx: &mut Context, args: &mut Args) -> Option<u16> {
    // HAProxy takes 0, and what is no number, for none.
    let port = args.number_in(cx, 0, 65_535)?;
    (port > 0).then_some(port as u16)
}

/// Letters, digits and a few signs, as the statistics write them.
pub(super) fn guid(cx: &mut Context, args: &mut Args) -> Option<String> {
    let word = args.required(cx, "a unique id")?;
    let bad = |c: &char| !(c.is_ascii_alphanumeric() || "-_:.".contains(*c));
    if let Some(bad) = word.text.chars().find(bad) {
        let message = format!("'{}' : invalid character '{bad}'.", args.label());
        cx.alert(word.span(), "bad-name", message);
        return None;
    }
    Some(word.text.clone())
}

/// `none`, `last`, `libc`, addresses, comma separated.
fn init_addr(cx: &mut Context, args: &mut Args) -> Vec<InitAddr> {
    let Some(word) = args.required(cx, "a list of 'last', 'libc', 'none' and addresses") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for part in word.text.split(',') {
        match part {
            "last" => found.push(InitAddr::Last),
            "libc" => found.push(InitAddr::Libc),
            "none" => found.push(InitAddr::None),
            _ => match part.parse() {
                Ok(ip) => found.push(InitAddr::Ip(ip)),
                Err(_) => {
                    args.unexpected(cx, word, "a list of 'last', 'libc', 'none' and addresses");
                }
            },
        }
    }
    found
}

fn proxy_v2_options(cx: &mut Context, params: &mut Params, args: &mut Args) {
    let Some(word) = args.required(cx, "a list of options") else {
        return;
    };
    let options = params.send_proxy();
    for option in word.text.split(',') {
        match option {
            "ssl" => options.ssl = true,
            "cert-cn" => {
                options.ssl = true;
                options.ssl_cn = true;
            }
            "unique-id" => options.unique_id = true,
            "crc32c" => options.crc32c = true,
            "authority" => options.authority = true,
            "ssl-cipher" => {
                options.ssl = true;
                options.ssl_cipher = true;
            }
            "cert-key" => {
                options.ssl = true;
                options.cert_key = true;
            }
            "cert-sig" => {
                options.ssl = true;
                options.cert_sig = true;
            }
            _ => args.unexpected(
                cx,
                word,
                "ssl, cert-cn, ssl-cipher, cert-sig, cert-key, authority, crc32c or unique-id",
            ),
        }
    }
}

fn track(cx: &mut Context, params: &mut Params, args: &mut Args) {
    let Some(word) = args.required(cx, "[<backend>/]<server>") else {
        return;
    };
    let (backend, name) = word.text.split_once('/').unwrap_or(("", &word.text));
    params.server.track = Some((backend.to_owned(), name.to_owned()));
    let backend = if backend.is_empty() {
        &cx.owner.name
    } else {
        backend
    };
    // Which server a `default-server` line means is known where the proxy is only.
    if !backend.is_empty() {
        cx.references.push(Reference {
            kind: ReferenceKind::Server,
            name: format!("{backend}/{name}"),
            span: word.span(),
        });
    }
}

/// `resolve-net`: networks, comma separated.
fn networks(cx: &mut Context, args: &mut Args) -> Vec<Network> {
    let wanted = "networks such as 10.0.0.0/8,192.168.0.0/16";
    let Some(word) = args.required(cx, wanted) else {
        return Vec::new();
    };
    let found: Vec<_> = word.text.split(',').map(address::network).collect();
    if found.contains(&None) {
        args.unexpected(cx, word, wanted);
    }
    found.into_iter().flatten().collect()
}

/// How answers of resolvers are used (manual, 5.3.2).
fn resolve_opts(cx: &mut Context, args: &mut Args) -> Vec<String> {
    let known = ["allow-dup-ip", "ignore-weight", "prevent-dup-ip"];
    let span = args.here();
    let options = list(cx, args);
    if let Some(unknown) = options
        .iter()
        .find(|option| !known.contains(&option.as_str()))
    {
        let message = format!(
            "'resolve-opts' : unknown resolve-opts option '{unknown}', supported methods are '{}'.",
            known.join("', '")
        );
        cx.alert(span, "unexpected-argument", message);
    }
    options
}

/// An expression that picks a TLS name or a pool, evaluated when the server is known.
fn expression(cx: &mut Context, args: &mut Args) -> Option<crate::model::expr::SampleExpr> {
    let word = args.required(cx, "a sample expression")?;
    match sample::parse(cx, &word.text, word.span()) {
        Ok(parsed) => Some(parsed.expr),
        Err(fault) => {
            let prefix = format!("'{}' : ", args.label());
            fault.report(cx, &prefix);
            None
        }
    }
}

#[rustfmt::skip]
const PLAIN: &[Row<Params>] = &[
    row("backup", "", Full, "used when all others are down", |_, p, _| p.server.backup = true),
    row("cc", "<algo>", Full, "congestion control algorithm", |cx, p, a| p.server.cc = text(cx, a)),
    row("cookie", "<value>", Full, "value of the persistence cookie", |cx, p, a| p.server.cookie = text(cx, a)),
    row("disabled", "", Full, "starts in maintenance", |_, p, _| p.server.disabled = true),
    row("enabled", "", Full, "does not start in maintenance", |_, p, _| p.server.disabled = false),
    row("guid", "<string>", Harmless, "unique id", |cx, p, a| p.server.guid = guid(cx, a)),
    row("hash-key", "id|id32|guid|addr|addr-port", Planned, "what consistent hashing knows the server by", |cx, p, a| p.server.hash_key = a.one_of(cx, &["id", "id32", "guid", "addr", "addr-port"])),
    lax_number(row("id", "<id>", Full, "id in statistics and in consistent hashing", |cx, p, a| p.server.id = a.number_in(cx, 1, i64::from(i32::MAX)).map(|n| n as u32))),
    row("idle-ping", "<delay>", Planned, "ping idle HTTP/2 connections", |cx, _, a| { a.time(cx); }),
    row("init-addr", "<methods>", Full, "how a name is resolved at start", |cx, p, a| p.server.init_addr = init_addr(cx, a)),
    row("init-state", "up|fully-up|down|fully-down", Full, "state before the first check", |cx, p, a| {
        p.server.init_state = choice(cx, a, &[("up", InitState::Up), ("fully-up", InitState::FullyUp), ("down", InitState::Down), ("fully-down", InitState::FullyDown), ("none", InitState::Up)]);
    }),
    row("log-bufsize", "<bytes>", Full, "buffer of a log backend's server", |cx, p, a| {
        let span = a.here();
        p.server.log_bufsize = a.size(cx);
        if p.server.log_bufsize == Some(0) { cx.alert(span, "out-of-range", "'log-bufsize' has to be > 0."); }
    }),
    row("log-proto", "legacy|octet-count", Full, "framing of log lines over TCP", |cx, p, a| p.server.log_proto = a.one_of(cx, &["legacy", "octet-count"])),
    lax_number(row("max-reuse", "<count>", Full, "requests over one connection", |cx, p, a| p.server.pool.max_reuse = a.number_in(cx, -1, i64::from(i32::MAX)).map(|n| n as i32))),
    lax_number(row("maxconn", "<maxconn>", Full, "connections at the same time", |cx, p, a| p.server.maxconn = a.number(cx).unwrap_or(0))),
    lax_number(row("maxqueue", "<maxqueue>", Full, "requests that may wait for this server", |cx, p, a| p.server.maxqueue = a.number(cx).unwrap_or(0))),
    lax_number(row("minconn", "<minconn>", Full, "lower end of a dynamic maxconn", |cx, p, a| p.server.minconn = a.number(cx).unwrap_or(0))),
    row("namespace", "<name>", Planned, "network namespace", |cx, p, a| p.server.namespace = text(cx, a)),
    row("no-backup", "", Full, "takes back 'backup'", |_, p, _| p.server.backup = false),
    row("no-send-proxy", "", Full, "takes back 'send-proxy'", |_, p, _| p.no_send_proxy(ProxyVersion::V1)),
    row("no-send-proxy-v2", "", Full, "takes back 'send-proxy-v2'", |_, p, _| p.no_send_proxy(ProxyVersion::V2)),
    row("no-send-proxy-v2-ssl", "", Full, "takes back 'send-proxy-v2-ssl'", |_, p, _| { p.no_send_proxy(ProxyVersion::V2); p.send_proxy().ssl = false; }),
    row("no-send-proxy-v2-ssl-cn", "", Full, "takes back 'send-proxy-v2-ssl-cn'", |_, p, _| { p.no_send_proxy(ProxyVersion::V2); p.send_proxy().ssl = false; p.send_proxy().ssl_cn = false; }),
    row("no-tfo", "", Full, "takes back 'tfo'", |_, p, _| p.server.tfo = false),
    row("non-stick", "", Full, "never learned in a stick table", |_, p, _| p.server.non_stick = true),
    row("on-marked-down", "shutdown-sessions", Full, "what happens to its sessions when it goes down", |cx, p, a| {
        p.server.on_marked_down = choice(cx, a, &[("shutdown-sessions", MarkedDown::ShutdownSessions)]);
    }),
    row("on-marked-up", "shutdown-backup-sessions", Full, "what happens to backup servers' sessions when it comes up", |cx, p, a| {
        p.server.on_marked_up = choice(cx, a, &[("shutdown-backup-sessions", MarkedUp::ShutdownBackupSessions)]);
    }),
    row("pool-conn-name", "<expr>", Planned, "names the pool of idle connections", |cx, p, a| p.server.pool.conn_name = expression(cx, a)),
    lax_number(row("pool-low-conn", "<number>", Full, "idle connections below which none is taken from other threads", |cx, p, a| p.server.pool.low_conn = a.number(cx))),
    lax_number(row("pool-max-conn", "<number>", Full, "idle connections kept", |cx, p, a| p.server.pool.max_conn = a.number_in(cx, -1, i64::from(i32::MAX)).map(|n| n as i32))),
    row("pool-purge-delay", "<delay>", Full, "how long idle connections are kept", |cx, p, a| p.server.pool.purge_delay_ms = a.time(cx)),
    row("proto", "<name>", Partial("h1 and none only"), "protocol without negotiation", |cx, p, a| p.server.proto = proto(cx, a)),
    row("proxy-v2-options", "<options>", Full, "what the PROXY header tells", proxy_v2_options),
    row("quic-cc-algo", "<algo>", Planned, "congestion control of QUIC", |cx, _, a| { text(cx, a); }),
    row("redir", "<prefix>", Planned, "answer GET and HEAD with a redirect", |cx, p, a| p.server.redir = text(cx, a)),
    row("resolve-net", "<networks>", Full, "networks preferred in answers", |cx, p, a| p.server.resolve_net = networks(cx, a)),
    row("resolve-opts", "<options>", Full, "how answers are used", |cx, p, a| p.server.resolve_opts = resolve_opts(cx, a)),
    row("resolve-prefer", "ipv4|ipv6", Full, "family preferred in answers", |cx, p, a| {
        p.server.resolve_prefer = choice(cx, a, &[("ipv4", AddressFamily::Ipv4), ("ipv6", AddressFamily::Ipv6)]);
    }),
    row("resolvers", "<id>", Full, "section that resolves the name at run time", |cx, p, a| {
        let Some(word) = a.required(cx, "a resolvers section") else { return };
        cx.references.push(Reference { kind: ReferenceKind::Resolvers, name: word.text.clone(), span: word.span() });
        p.server.resolvers = Some(word.text.clone());
    }),
    row("send-proxy", "", Full, "send a PROXY header, version 1", |_, p, _| { p.send_proxy_of(ProxyVersion::V1); }),
    row("send-proxy-v2", "", Full, "send a PROXY header, version 2", |_, p, _| { p.send_proxy_of(ProxyVersion::V2); }),
    row("send-proxy-v2-ssl", "", Full, "with TLS information", |_, p, _| p.send_proxy_of(ProxyVersion::V2).ssl = true),
    row("send-proxy-v2-ssl-cn", "", Full, "with the client certificate's name", |_, p, _| { let s = p.send_proxy_of(ProxyVersion::V2); s.ssl = true; s.ssl_cn = true; }),
    lax_number(row("shard", "<shard>", Planned, "shard of a peer", |cx, p, a| p.server.shard = a.number(cx))),
    row("slowstart", "<time>", Full, "time over which its weight grows", |cx, p, a| p.server.slowstart_ms = a.time(cx)),
    row("socks4", "<addr>:<port>", Full, "connect through this proxy", socks4),
    row("source", "<addr>[:<low>[-<high>]] [usesrc ...] [interface <name>]", Full, "address to connect from", |cx, p, a| p.server.source = server_source::parse(cx, a)),
    row("stick", "", Full, "takes back 'non-stick'", |_, p, _| p.server.non_stick = false),
    row("strict-maxconn", "", Planned, "maxconn counts idle connections too", |_, p, _| p.server.strict_maxconn = true),
    row("tcp-md5sig", "<password>", Planned, "TCP MD5 signatures", |cx, _, a| { text(cx, a); }),
    row("tcp-ut", "<delay>", Full, "TCP user timeout", |cx, p, a| p.server.tcp_ut_ms = a.time(cx)),
    row("tfo", "", Harmless, "TCP fast open", |_, p, _| p.server.tfo = true),
    row("track", "[<backend>/]<server>", Full, "take the state of another server", track),
    lax_number(row("weight", "<weight>", Full, "share of the load, 0 to 256", |cx, p, a| p.server.weight = a.number_in(cx, 0, 256).unwrap_or(1) as u32)),
    row("ws", "auto|h1|h2", Planned, "protocol of WebSockets", |cx, p, a| p.server.ws = a.one_of(cx, &["auto", "h1", "h2"])),
];

#[rustfmt::skip]
const CHECK: &[Row<Params>] = &[
    row("addr", "<ipv4|ipv6>", Full, "address of health checks", |cx, p, a| p.server.check.addr = address_of(cx, a)),
    row("agent-addr", "<addr>", Full, "address of the agent", |cx, p, a| p.server.agent.addr = address_of(cx, a)),
    row("agent-check", "", Full, "ask an agent for state and weight", |_, p, _| p.server.agent.enabled = true),
    row("agent-inter", "<delay>", Full, "time between two questions to the agent", |cx, p, a| p.server.agent.inter_ms = a.delay(cx)),
    lax_number(row("agent-port", "<port>", Full, "port of the agent", |cx, p, a| p.server.agent.port = port(cx, a))),
    row("agent-send", "<string>", Full, "what the agent is asked", |cx, p, a| p.server.agent.send = text(cx, a)),
    row("check", "", Full, "check the server's health", |_, p, _| p.server.check.enabled = true),
    row("check-alpn", "<protocols>", Full, "protocols offered by checks", |cx, p, a| p.server.check.alpn = list(cx, a)),
    row("check-pool-conn-name", "<name>", Planned, "pool that checks take connections from", |cx, _, a| { text(cx, a); }),
    row("check-proto", "<name>", Partial("h1 and none only"), "protocol of checks", |cx, p, a| p.server.check.proto = a.one_of(cx, &["h1", "h2", "fcgi", "spop", "none"])),
    row("check-reuse-pool", "", Planned, "checks use idle connections", |_, p, _| p.server.check.reuse_pool = true),
    row("check-send-proxy", "", Full, "checks send a PROXY header", |_, p, _| p.server.check.send_proxy = true),
    row("check-sni", "<sni>", Full, "TLS name of checks", |cx, p, a| p.tls().check_sni = text(cx, a)),
    row("check-sni-auto", "", Full, "TLS name of checks from the check's host", |_, p, _| p.server.check.no_sni_auto = false),
    row("check-ssl", "", Full, "checks speak TLS", |_, p, _| p.server.check.ssl = true),
    row("check-via-socks4", "", Full, "checks go through socks4", |_, p, _| p.server.check.via_socks4 = true),
    row("downinter", "<delay>", Full, "time between checks while down", |cx, p, a| p.server.check.downinter_ms = a.delay(cx)),
    lax_number(row("error-limit", "<count>", Full, "errors that 'observe' bears", |cx, p, a| p.server.check.error_limit = a.number_in(cx, 1, i64::from(i32::MAX)).map(|n| n as u32))),
    lax_number(row("fall", "<count>", Full, "failed checks until down", |cx, p, a| p.server.check.fall = a.number_in(cx, 1, i64::from(i32::MAX)).map(|n| n as u32))),
    row("fastinter", "<delay>", Full, "time between checks in transition", |cx, p, a| p.server.check.fastinter_ms = a.delay(cx)),
    row("healthcheck", "<name>", Full, "section that describes the check", |cx, p, a| {
        let Some(word) = a.required(cx, "the name of a 'healthcheck' section") else { return };
        cx.references.push(Reference { kind: ReferenceKind::Healthcheck, name: word.text.clone(), span: word.span() });
        p.server.check.healthcheck = Some(word.text.clone());
    }),
    row("inter", "<delay>", Full, "time between checks", |cx, p, a| p.server.check.inter_ms = a.delay(cx)),
    row("no-agent-check", "", Full, "takes back 'agent-check'", |_, p, _| p.server.agent.enabled = false),
    row("no-check", "", Full, "takes back 'check'", |_, p, _| p.server.check.enabled = false),
    row("no-check-reuse-pool", "", Full, "takes back 'check-reuse-pool'", |_, p, _| p.server.check.reuse_pool = false),
    row("no-check-send-proxy", "", Full, "takes back 'check-send-proxy'", |_, p, _| p.server.check.send_proxy = false),
    row("no-check-sni-auto", "", Full, "no TLS name in checks", |_, p, _| p.server.check.no_sni_auto = true),
    row("no-check-ssl", "", Full, "checks don't speak TLS", |_, p, _| { p.server.check.ssl = false; p.server.check.no_ssl = true; }),
    row("observe", "layer4|layer7", Full, "traffic counts as checks", |cx, p, a| {
        p.server.check.observe = choice(cx, a, &[("layer4", Observe::Layer4), ("layer7", Observe::Layer7), ("none", Observe::Layer4)]);
    }),
    row("on-error", "fastinter|fail-check|sudden-death|mark-down", Full, "what too many errors do", |cx, p, a| {
        p.server.check.on_error = choice(cx, a, &[("fastinter", OnError::Fastinter), ("fail-check", OnError::FailCheck), ("sudden-death", OnError::SuddenDeath), ("mark-down", OnError::MarkDown)]);
    }),
    lax_number(row("port", "<port>", Full, "port of health checks", |cx, p, a| p.server.check.port = port(cx, a))),
    lax_number(row("rise", "<count>", Full, "good checks until up", |cx, p, a| p.server.check.rise = a.number_in(cx, 1, i64::from(i32::MAX)).map(|n| n as u32))),
];

#[rustfmt::skip]
const TLS: &[Row<Params>] = &[
    row("allow-0rtt", "", Planned, "send TLS early data", |_, p, _| p.tls().allow_0rtt = true),
    row("alpn", "<protocols>", Planned, "protocols to agree on, in order", |cx, p, a| p.tls().alpn = list(cx, a)),
    row("ca-file", "<cafile>", Full, "authorities of the server's certificate", |cx, p, a| p.tls().ca_file = ca_path(cx, a)),
    row("ciphers", "<ciphers>", Full, "ciphers up to TLS 1.2", |cx, p, a| p.tls().ciphers = text(cx, a)),
    row("ciphersuites", "<suites>", Full, "ciphers of TLS 1.3", |cx, p, a| p.tls().ciphersuites = text(cx, a)),
    row("client-sigalgs", "<sigalgs>", Planned, "signatures of the client certificate", |cx, p, a| p.tls().client_sigalgs = text(cx, a)),
    row("crl-file", "<crlfile>", Full, "revoked server certificates", |cx, p, a| p.tls().crl_file = ca_path(cx, a)),
    row("crt", "<cert>", Full, "client certificate with key", |cx, p, a| p.tls().crt = crt_path(cx, a)),
    row("curves", "<curves>", Full, "key exchange groups", |cx, p, a| p.tls().curves = text(cx, a)),
    row("force-sslv3", "", Refused("SSLv3 is broken: remove it"), "SSLv3 only", |_, p, _| force(&mut p.tls().versions, TlsVersion::Ssl3)),
    row("force-tlsv10", "", Refused("use ssl-min-ver TLSv1.2"), "TLS 1.0 only", |_, p, _| force(&mut p.tls().versions, TlsVersion::Tls10)),
    row("force-tlsv11", "", Refused("use ssl-min-ver TLSv1.2"), "TLS 1.1 only", |_, p, _| force(&mut p.tls().versions, TlsVersion::Tls11)),
    row("force-tlsv12", "", Full, "TLS 1.2 only", |_, p, _| force(&mut p.tls().versions, TlsVersion::Tls12)),
    row("force-tlsv13", "", Full, "TLS 1.3 only", |_, p, _| force(&mut p.tls().versions, TlsVersion::Tls13)),
    row("ktls", "on|off", Harmless, "TLS records by the kernel", |cx, _, a| { a.on_off(cx); }),
    row("no-renegotiate", "", Ignored("rustls never renegotiates"), "refuse renegotiation", |_, p, _| p.tls().renegotiate = Some(false)),
    row("no-sni-auto", "", Planned, "no TLS name unless 'sni' gives one", |_, p, _| p.tls().no_sni_auto = true),
    row("no-ssl", "", Full, "takes back 'ssl'", |_, p, _| p.switch_tls(false)),
    row("no-ssl-reuse", "", Full, "no TLS session is used again", |_, p, _| p.tls().no_ssl_reuse = true),
    row("no-sslv3", "", Full, "not SSLv3", |_, p, _| exclude(&mut p.tls().versions, TlsVersion::Ssl3)),
    row("no-tls-tickets", "", Planned, "no session tickets", |_, p, _| p.tls().no_tls_tickets = true),
    row("no-tlsv10", "", Full, "not TLS 1.0", |_, p, _| exclude(&mut p.tls().versions, TlsVersion::Tls10)),
    row("no-tlsv11", "", Full, "not TLS 1.1", |_, p, _| exclude(&mut p.tls().versions, TlsVersion::Tls11)),
    row("no-tlsv12", "", Full, "not TLS 1.2", |_, p, _| exclude(&mut p.tls().versions, TlsVersion::Tls12)),
    row("no-tlsv13", "", Full, "not TLS 1.3", |_, p, _| exclude(&mut p.tls().versions, TlsVersion::Tls13)),
    row("npn", "<protocols>", Refused("use alpn"), "protocols of the old extension", |cx, _, a| { text(cx, a); }),
    row("renegotiate", "", Refused("rustls never renegotiates"), "allow renegotiation", |_, p, _| p.tls().renegotiate = Some(true)),
    row("set-proxy-v2-tlv-fmt", "(<id>) <fmt>", Full, "add a TLV to the PROXY header", |_, _, _| {}),
    row("sigalgs", "<sigalgs>", Planned, "signatures offered", |cx, p, a| p.tls().sigalgs = text(cx, a)),
    row("sni", "<expr>", Planned, "TLS name", |cx, p, a| p.tls().sni = expression(cx, a)),
    row("sni-auto", "", Ignored("it is the default"), "TLS name from the request's host", |_, p, _| p.tls().no_sni_auto = false),
    row("ssl", "", Full, "speak TLS", |_, p, _| p.switch_tls(true)),
    row("ssl-max-ver", "<version>", Full, "newest version", |cx, p, a| p.tls().versions.max = version(cx, a)),
    row("ssl-min-ver", "<version>", Full, "oldest version", |cx, p, a| p.tls().versions.min = version(cx, a)),
    row("ssl-reuse", "", Full, "takes back 'no-ssl-reuse'", |_, p, _| p.tls().no_ssl_reuse = false),
    row("tls-tickets", "", Full, "takes back 'no-tls-tickets'", |_, p, _| p.tls().no_tls_tickets = false),
    row("verify", "none|required", Full, "whether the server's certificate is checked", |cx, p, a| p.tls().verify = verify(cx, a)),
    row("verifyhost", "<hostname>", Full, "name in the server's certificate", |cx, p, a| p.tls().verifyhost = text(cx, a)),
];
