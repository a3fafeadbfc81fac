//! `resolvers`, `peers`, `mailers` (manual, 5.3, 11, 12).

use std::sync::LazyLock;

use super::access::lines;
use super::name;
use crate::address;
use crate::args::Args;
use crate::ast::Section;
use crate::build::bind;
use crate::build::keyword::{Row, Table, row};
use crate::build::proxy::log as proxy_log;
use crate::build::proxy::stick_table::stick_table;
use crate::build::server::{self, Params};
use crate::context::Context;
use crate::model::section::{Mailers, Nameserver, Peers, Resolvers};
use crate::model::server::{Port, Server};
use crate::registry::prelude::*;
use crate::registry::{Info, Status};

#[rustfmt::skip]
const RESOLVERS: &[Row<Resolvers>] = &[
    row("accepted_payload_size", "<size>", Full, "bytes of an answer", |cx, r, a| r.accepted_payload_size = a.number_in(cx, 512, 65_535).map(|n| n as u32)),
    row("hold", "<status> <period>", Full, "how long an earlier answer outweighs a failure", hold),
    row("nameserver", "<name> <address>[:port] [param*]", Partial("UDP and TCP; no parameter behind the address"), "server to ask", nameserver),
    row("parse-resolv-conf", "", Full, "take the servers of /etc/resolv.conf", |_, r, _| r.parse_resolv_conf = Some(r.nameservers.len())),
    row("resolve_retries", "<number>", Full, "questions before giving up", |cx, r, a| r.resolve_retries = a.number(cx)),
    row("timeout", "resolve|retry <time>", Full, "time between questions", |cx, r, a| {
        let Some(word) = a.required(cx, "'retry' or 'resolve' and <time> as arguments") else { return };
        match word.as_str() {
            "resolve" => r.timeout_resolve_ms = a.time(cx),
            "retry" => r.timeout_retry_ms = a.time(cx),
            _ => { a.unexpected(cx, word, "'retry' or 'resolve'"); a.rest(); }
        }
    }),
];

/// Refused where a table would have to be sent to others.
const ALONE: Status =
    Partial("tables are kept here; nothing is exchanged with other peers, which are refused");

#[rustfmt::skip]
const PEERS: &[Row<Peers>] = &[
    row("bind", "[<address>]:<port> [param*]", ALONE, "where this peer listens", |cx, p, a| {
        if let Some(bind) = bind::parse(cx, a, "bind", "peers") { p.binds.push(bind); }
        a.rest();
    }),
    row("default-bind", "[param*]", ALONE, "parameters of the bind line", |_, _, a| { a.rest(); }),
    row("default-server", "[param*]", ALONE, "parameters of the peers", |_, _, a| { a.rest(); }),
    row("disabled", "", ALONE, "don't synchronise", |_, p, _| p.disabled = true),
    row("enabled", "", ALONE, "synchronise", |_, p, _| p.disabled = false),
    row("log", "<target> ... <facility>", ALONE, "where log lines go", |cx, p, a| match proxy_log::target(cx, a) {
        Some(target) => p.logs.push(target),
        None => { a.rest(); }
    }),
    row("peer", "<name> [<address>]:<port> [param*]", ALONE, "a peer", |cx, p, a| {
        if let Some(server) = server_line(cx, a, false) { p.peers.push(server); }
    }),
    row("server", "<name> [<address>:<port>] [param*]", ALONE, "a peer", |cx, p, a| {
        if let Some(server) = server_line(cx, a, false) { p.peers.push(server); }
    }),
    row("shards", "<number>", ALONE, "parts of the tables", |cx, p, a| p.shards = a.number(cx)),
    row("table", "<name> type <type> size <size> ...", Full, "table of this section", |cx, p, a| {
        let Some(name) = a.text(cx, "a table name") else { return };
        let mut table = stick_table(cx, a);
        table.name = format!("{}/{name}", p.name);
        p.tables.push(table);
    }),
];

#[rustfmt::skip]
const MAILERS: &[Row<Mailers>] = &[
    row("mailer", "<name> <ip>:<port>", Planned, "a mail server", |cx, m, a| {
        let (Some(name), Some(word)) = (a.text(cx, "<name> and <addr>[:<port>]"), a.required(cx, "<addr>[:<port>]")) else { return };
        match address::server(&cx.address(&word.text)) {
            Ok((addr, Port::Fixed(port))) => m.mailers.push((name, addr, port)),
            Ok((addr, _)) => m.mailers.push((name, addr, 25)),
            Err(error) => cx.alert(word.span(), "bad-address", error.to_string()),
        }
    }),
    row("timeout mail", "<time>", Planned, "time to send", |cx, m, a| m.timeout_mail_ms = a.time(cx)),
];

/// Rows for the documents.
pub fn infos() -> impl Iterator<Item = (&'static str, &'static Info)> {
    RESOLVERS
        .iter()
        .map(|row| ("resolvers", &row.info))
        .chain(PEERS.iter().map(|row| ("peers", &row.info)))
        .chain(MAILERS.iter().map(|row| ("mailers", &row.info)))
}

/// `NAME ADDRESS PARAMS`; the local peer has no address.
pub(super) fn server_line(
    cx: &mut Context,
    args: &mut Args,
    address_needed: bool,
) -> Option<Server> {
    let name = args.text(cx, "<name> and <addr>[:<port>] as arguments")?;
    let mut params = Params::default();
    params.server.name.clone_from(&name);
    params.server.at = args.span().at;
    let is_address = args.peek_str().contains([':', '/', '@', '.']);
    if address_needed || is_address {
        let word = args.required(cx, "<addr>[:<port>]")?;
        params.server.written.clone_from(&word.text);
        match address::server(&cx.address(&word.text)) {
            Ok((addr, port)) => {
                params.server.address = addr;
                params.server.port = port;
            }
            Err(error) => cx.alert(
                word.span(),
                "bad-address",
                format!("'server {name}' : {error}"),
            ),
        }
    }
    server::params(cx, &mut params, args, &format!("'server {name}'"));
    args.rest();
    Some(params.server)
}

fn hold(cx: &mut Context, resolvers: &mut Resolvers, args: &mut Args) {
    let wanted = "'nx', 'refused', 'timeout', 'valid', 'obsolete' or 'other' and <time>";
    let Some(word) = args.required(cx, wanted) else {
        return;
    };
    let time = args.time(cx);
    match word.as_str() {
        "nx" => resolvers.hold_nx_ms = time,
        "refused" => resolvers.hold_refused_ms = time,
        "timeout" => resolvers.hold_timeout_ms = time,
        "valid" => resolvers.hold_valid_ms = time,
        "obsolete" => resolvers.hold_obsolete_ms = time,
        "other" => resolvers.hold_other_ms = time,
        _ => args.unexpected(cx, word, wanted),
    }
}

fn nameserver(cx: &mut Context, resolvers: &mut Resolvers, args: &mut Args) {
    let wanted = "<name> and <addr>[:<port>] as arguments";
    let (Some(name), Some(word)) = (args.text(cx, wanted), args.required(cx, wanted)) else {
        return;
    };
    if let Some(earlier) = resolvers
        .nameservers
        .iter()
        .find(|known| known.name == name)
    {
        let place = cx.locate(earlier.at);
        let message =
            format!("name server '{name}' has same name as another one (declared at {place}).");
        cx.alert(args.span(), "duplicate-name", message);
    }
    let tcp = word.text.starts_with("tcp");
    if let Some(extra) = args.peek() {
        let (span, what) = (
            extra.span(),
            format!("nameserver {name} ... {}", extra.text),
        );
        cx.not_yet(span, &what);
    }
    match address::server(&cx.address(&word.text)) {
        Ok((address, port)) => {
            let port = if let Port::Fixed(port) = port {
                port
            } else {
                53
            };
            resolvers.nameservers.push(Nameserver {
                name,
                address,
                port,
                tcp,
                at: word.at,
            });
        }
        Err(error) => cx.alert(
            word.span(),
            "bad-address",
            format!("'nameserver' : {error}"),
        ),
    }
    args.rest();
}

/// Reads a section of type `$model` by its rows.
macro_rules! reader {
    ($(#[$doc:meta])* $function:ident, $model:ident, $rows:ident) => {
        $(#[$doc])*
        pub fn $function(cx: &mut Context, section: &Section) -> $model {
            static TABLE: LazyLock<Table<$model>> = LazyLock::new(|| Table::new(&[$rows]));
            let mut model = $model { at: section.header.span().at, ..$model::default() };
            model.name = name(cx, section);
            lines(cx, &TABLE, &mut model, section);
            model
        }
    };
}
pub(super) use reader;

reader!(
    /// Reads a `resolvers` section.
    resolvers, Resolvers, RESOLVERS
);
reader!(
    /// Reads a `peers` section.
    peers, Peers, PEERS
);
reader!(
    /// Reads a `mailers` section.
    mailers, Mailers, MAILERS
);
