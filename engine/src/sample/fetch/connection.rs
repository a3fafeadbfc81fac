//! The connections of both sides (manual, 7.3.3).

use std::net::SocketAddr;

use wire::pp::kind;

use crate::sample::args::{Args, Kind, NONE, Spec, spec};
use crate::sample::cx::{Cx, Timers};
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::point::Needs::{Client, RequestKept, ResponseKept, Server, StreamEnd};
use crate::sample::row::{FetchRow, Fetched, Walk, fetch};
use crate::sample::value::{Type, Value};
use crate::sample::world::{Side, TcpMeasures};

use super::connection_error;

/// `ms` or `us`.
const UNIT: Spec = spec(0, &[Kind::Str]);

pub static ROWS: &[FetchRow] = &[
    fetch("src", NONE, Type::Addr, Client, |_, cx, _| ip(cx.src())),
    fetch("src_port", NONE, Type::Sint, Client, |_, cx, _| {
        port(cx.src())
    }),
    fetch("src_is_local", NONE, Type::Bool, Client, |_, cx, _| {
        is_local(cx, cx.src())
    }),
    fetch("dst", NONE, Type::Addr, Client, |_, cx, _| ip(cx.dst())),
    fetch("dst_port", NONE, Type::Sint, Client, |_, cx, _| {
        port(cx.dst())
    }),
    fetch("dst_is_local", NONE, Type::Bool, Client, |_, cx, _| {
        is_local(cx, cx.dst())
    }),
    fetch("dst_conn", NONE, Type::Sint, Client, |_, cx, _| {
        int(cx.world.listener_connections(cx.session.listener))
    }),
    fetch("fc_src", NONE, Type::Addr, Client, |_, cx, _| {
        ip(cx.session.connection_src.or(cx.session.src))
    }),
    fetch("fc_src_port", NONE, Type::Sint, Client, |_, cx, _| {
        port(cx.session.connection_src.or(cx.session.src))
    }),
    fetch("fc_src_is_local", NONE, Type::Bool, Client, |_, cx, _| {
        is_local(cx, cx.session.connection_src.or(cx.session.src))
    }),
    fetch("fc_dst", NONE, Type::Addr, Client, |_, cx, _| {
        ip(cx.session.connection_dst.or(cx.session.dst))
    }),
    fetch("fc_dst_port", NONE, Type::Sint, Client, |_, cx, _| {
        port(cx.session.connection_dst.or(cx.session.dst))
    }),
    fetch("fc_dst_is_local", NONE, Type::Bool, Client, |_, cx, _| {
        is_local(cx, cx.session.connection_dst.or(cx.session.dst))
    }),
    fetch("fc_rcvd_proxy", NONE, Type::Bool, Client, |_, cx, _| {
        Fetched::Value(Value::Bool(cx.session.received_proxy))
    }),
    fetch("fc_pp_tlv", spec(1, &[Kind::Str]), Type::Str, Client, tlv).prepared(check_tlv),
    fetch("fc_pp_authority", NONE, Type::Str, Client, |_, cx, _| {
        let authority = cx.session.proxy_tlv(kind::AUTHORITY);
        authority.map(Value::str).into()
    }),
    fetch("fc_pp_unique_id", NONE, Type::Str, Client, |_, cx, _| {
        let id = cx.session.proxy_tlv(kind::UNIQUE_ID);
        id.map(Value::str).into()
    }),
    fetch("fc_http_major", NONE, Type::Sint, Client, |_, cx, _| {
        int(cx.session.http_major)
    }),
    fetch("fc_err", NONE, Type::Sint, Client, |_, cx, _| {
        int(cx.session.error)
    }),
    fetch("fc_err_str", NONE, Type::Str, Client, |_, cx, _| {
        Fetched::Value(Value::str(
            connection_error::message(cx.session.error).as_bytes(),
        ))
    }),
    fetch("fc_err_name", NONE, Type::Str, Client, |_, cx, _| {
        error_name(cx.session.error)
    }),
    fetch("bc_err_name", NONE, Type::Str, Server, |_, cx, _| {
        error_name(cx.stream.server_error)
    }),
    fetch("bc_reused", NONE, Type::Bool, Server, |_, cx, _| {
        on_server_side(cx, Value::Bool(cx.stream.server_is_reused))
    }),
    // One stream at a time, and never a glitch: what HTTP/1 connections have.
    fetch("fc_nb_streams", NONE, Type::Sint, Client, |_, _, _| int(1)),
    fetch("bc_nb_streams", NONE, Type::Sint, Server, |_, cx, _| {
        on_server_side(cx, Value::Sint(1))
    }),
    fetch(
        "fc_settings_streams_limit",
        NONE,
        Type::Sint,
        Client,
        |_, _, _| int(1),
    ),
    fetch(
        "bc_settings_streams_limit",
        NONE,
        Type::Sint,
        Server,
        |_, cx, _| on_server_side(cx, Value::Sint(1)),
    ),
    fetch("fc_glitches", NONE, Type::Sint, Client, |_, _, _| int(0)),
    fetch("bc_glitches", NONE, Type::Sint, Server, |_, cx, _| {
        on_server_side(cx, Value::Sint(0))
    }),
    fetch("fc_rtt", UNIT, Type::Sint, Client, |a, cx, _| {
        time_of(cx, Side::Client, a, |m| m.rtt_us)
    }),
    fetch("fc_rttvar", UNIT, Type::Sint, Client, |a, cx, _| {
        time_of(cx, Side::Client, a, |m| m.rttvar_us)
    }),
    fetch("bc_rtt", UNIT, Type::Sint, Server, |a, cx, _| {
        time_of(cx, Side::Server, a, |m| m.rtt_us)
    }),
    fetch("bc_rttvar", UNIT, Type::Sint, Server, |a, cx, _| {
        time_of(cx, Side::Server, a, |m| m.rttvar_us)
    }),
    fetch("fc_unacked", UNIT, Type::Sint, Client, |_, cx, _| {
        count_of(cx, |m| m.unacked)
    }),
    fetch("fc_sacked", UNIT, Type::Sint, Client, |_, cx, _| {
        count_of(cx, |m| m.sacked)
    }),
    fetch("fc_lost", UNIT, Type::Sint, Client, |_, cx, _| {
        count_of(cx, |m| m.lost)
    }),
    fetch("fc_retrans", UNIT, Type::Sint, Client, |_, cx, _| {
        count_of(cx, |m| m.retrans)
    }),
    fetch("fc_fackets", UNIT, Type::Sint, Client, |_, cx, _| {
        count_of(cx, |m| m.fackets)
    }),
    fetch("fc_reordering", UNIT, Type::Sint, Client, |_, cx, _| {
        count_of(cx, |m| m.reordering)
    }),
    fetch("bc_src", NONE, Type::Addr, Server, |_, cx, _| {
        ip(cx.server_side_src())
    }),
    fetch("bc_src_port", NONE, Type::Sint, Server, |_, cx, _| {
        port(cx.server_side_src())
    }),
    fetch("bc_dst", NONE, Type::Addr, Server, |_, cx, _| {
        ip(cx.stream.server_side_dst)
    }),
    fetch("bc_dst_port", NONE, Type::Sint, Server, |_, cx, _| {
        port(cx.stream.server_side_dst)
    }),
    fetch("bc_http_major", NONE, Type::Sint, Server, |_, cx, _| {
        cx.stream.server_side_dst.map(|_| Value::Sint(1)).into()
    }),
    fetch("bc_err", NONE, Type::Sint, Server, |_, cx, _| {
        int(cx.stream.server_error)
    }),
    fetch("bc_err_str", NONE, Type::Str, Server, |_, cx, _| {
        Fetched::Value(Value::str(
            connection_error::message(cx.stream.server_error).as_bytes(),
        ))
    }),
    fetch("bc_be_queue", NONE, Type::Sint, Server, |_, cx, _| {
        int(cx.stream.backend_queue)
    }),
    fetch("bc_srv_queue", NONE, Type::Sint, Server, |_, cx, _| {
        int(cx.stream.server_queue)
    }),
    fetch("bytes_in", NONE, Type::Sint, Client, |_, cx, _| {
        count(cx.stream.bytes_in)
    }),
    fetch("bytes_out", NONE, Type::Sint, Client, |_, cx, _| {
        count(cx.stream.bytes_out)
    }),
    fetch("req.bytes_in", NONE, Type::Sint, Client, |_, cx, _| {
        count(cx.stream.bytes_in)
    }),
    fetch("res.bytes_in", NONE, Type::Sint, Client, |_, cx, _| {
        count(cx.stream.bytes_out)
    }),
    fetch(
        "accept_date",
        spec(0, &[Kind::Str]),
        Type::Sint,
        Client,
        |a, cx, _| in_unit(cx.session.accepted_us, a),
    ),
    fetch(
        "request_date",
        spec(0, &[Kind::Str]),
        Type::Sint,
        RequestKept,
        |a, cx, _| in_unit(cx.stream.request_us, a),
    ),
    fetch(
        "fc.timer.handshake",
        NONE,
        Type::Sint,
        Client,
        |_, cx, _| timer(cx.session.handshake_ms),
    ),
    fetch("fc.timer.total", NONE, Type::Sint, StreamEnd, |_, cx, _| {
        timer(timers(cx).total_ms)
    }),
    fetch(
        "req.timer.idle",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| timer(timers(cx).idle_ms),
    ),
    fetch(
        "req.timer.hdr",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| timer(timers(cx).request_ms),
    ),
    fetch("req.timer.queue", NONE, Type::Sint, Server, |_, cx, _| {
        timer(timers(cx).queue_ms)
    }),
    fetch("req.timer.tq", NONE, Type::Sint, RequestKept, |_, cx, _| {
        timer(timers(cx).until_request_ms(cx.session.handshake_ms))
    }),
    fetch("bc.timer.connect", NONE, Type::Sint, Server, |_, cx, _| {
        timer(timers(cx).connect_ms)
    }),
    fetch(
        "res.timer.hdr",
        NONE,
        Type::Sint,
        ResponseKept,
        |_, cx, _| timer(timers(cx).response_ms),
    ),
    fetch("res.timer.data", NONE, Type::Sint, StreamEnd, |_, cx, _| {
        timer(timers(cx).data_ms(cx.session.handshake_ms))
    }),
    fetch(
        "txn.timer.total",
        NONE,
        Type::Sint,
        StreamEnd,
        |_, cx, _| timer(timers(cx).active_ms(cx.session.handshake_ms)),
    ),
    fetch("txn.timer.user", NONE, Type::Sint, StreamEnd, |_, cx, _| {
        timer(timers(cx).user_ms())
    }),
    fetch("txn.id32", NONE, Type::Sint, Client, |_, cx, _| {
        int(cx.stream.id as u32)
    }),
    fetch("txn.sess_term_state", NONE, Type::Str, Client, term_state),
    fetch("txn.conn_retries", NONE, Type::Sint, Server, |_, cx, _| {
        int(cx.stream.retries)
    }),
    fetch("txn.redispatched", NONE, Type::Bool, Server, |_, cx, _| {
        Fetched::Value(Value::Bool(cx.stream.redispatched))
    }),
];

/// What only a connection to a server has.
fn on_server_side<'a>(cx: &Cx<'_>, value: Value<'a>) -> Fetched<'a> {
    let is_there = cx.stream.server.is_some();
    is_there.then_some(value).into()
}

fn ip<'a>(address: Option<SocketAddr>) -> Fetched<'a> {
    address.map(|a| Value::ip(a.ip())).into()
}

fn port<'a>(address: Option<SocketAddr>) -> Fetched<'a> {
    address.map(|a| Value::Sint(i64::from(a.port()))).into()
}

fn int<'a>(number: impl Into<i64>) -> Fetched<'a> {
    Fetched::Value(Value::Sint(number.into()))
}

fn count<'a>(number: u64) -> Fetched<'a> {
    Fetched::Value(Value::Sint(i64::try_from(number).unwrap_or(i64::MAX)))
}

/// The stream's times: final in its log line, those so far before.
fn timers(cx: &Cx<'_>) -> Timers {
    if cx.stream.timers.total_ms >= 0 {
        cx.stream.timers
    } else {
        cx.world.timers()
    }
}

fn timer<'a>(ms: i32) -> Fetched<'a> {
    (ms >= 0).then(|| Value::Sint(i64::from(ms))).into()
}

/// A figure of the client's connection.
fn count_of<'a>(cx: &Cx<'_>, pick: fn(TcpMeasures) -> u32) -> Fetched<'a> {
    let measures = cx.world.tcp_measures(Side::Client);
    measures.map(|m| Value::Sint(i64::from(pick(m)))).into()
}

/// A time in milliseconds, or in microseconds where the argument is `us`.
fn time_of<'a>(cx: &Cx<'_>, side: Side, args: &Args, pick: fn(TcpMeasures) -> u32) -> Fetched<'a> {
    let unit_us = if args.text(0) == Some(b"us") { 1 } else { 1000 };
    let measures = cx.world.tcp_measures(side);
    measures
        .map(|m| Value::Sint(i64::from(pick(m) / unit_us)))
        .into()
}

/// Whether an address is this machine's; a socket of the unix family always is.
fn is_local<'a>(cx: &Cx<'_>, address: Option<SocketAddr>) -> Fetched<'a> {
    let is_own = |a: SocketAddr| cx.world.is_own_address(a.ip().to_canonical());
    Fetched::Value(Value::Bool(address.is_none_or(is_own)))
}

/// A date in seconds, or in the unit of the first argument.
fn in_unit<'a>(us: u64, args: &Args) -> Fetched<'a> {
    count(match args.text(0) {
        Some(b"ms") => us / 1000,
        Some(b"us") => us,
        _ => us / 1_000_000,
    })
}

fn term_state<'a>(_: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    Fetched::Value(Value::text(cx.stream.termination.two()))
}

fn error_name<'a>(error: u16) -> Fetched<'a> {
    Some(connection_error::name(error))
        .filter(|n| !n.is_empty())
        .map(|n| Value::str(n.as_bytes()))
        .into()
}

/// The records of one kind of the PROXY header, one after another.
fn tlv<'a>(args: &'a Args, cx: &Cx<'a>, walk: &mut Walk) -> Fetched<'a> {
    let Some(kind) = args.text(0).and_then(tlv_kind) else {
        return Fetched::Absent;
    };
    let records = cx.session.proxy_tlvs.iter();
    let mut values = records.filter(|(known, _)| *known == kind).skip(walk.field);
    walk.field += 1;
    let value = values.next();
    walk.more = walk.each && values.next().is_some();
    value.map(|(_, value)| Value::str(value)).into()
}

fn check_tlv(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let text = args.text(0).unwrap_or_default();
    if tlv_kind(text).is_some() {
        return Ok(());
    }
    let name = String::from_utf8_lossy(text);
    Err(compiler.error(
        format!("unknown TLV '{name}' of 'fc_pp_tlv'"),
        "give a number from 0 to 255 or a name such as UNIQUE_ID",
    ))
}

/// A record's kind: a number, or the name that the PROXY protocol gives it.
fn tlv_kind(text: &[u8]) -> Option<u8> {
    use wire::pp::kind;
    let text = std::str::from_utf8(text).ok()?;
    if let Some(digits) = text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        return u8::from_str_radix(digits, 16).ok();
    }
    Some(match text {
        "ALPN" => kind::ALPN,
        "AUTHORITY" => kind::AUTHORITY,
        "CRC32" => kind::CRC32C,
        "NETNS" => kind::NETNS,
        "NOOP" => kind::NOOP,
        "SSL" => kind::SSL,
        "SSL_CIPHER" => kind::SSL_CIPHER,
        "SSL_CN" => kind::SSL_CN,
        "SSL_KEY_ALG" => kind::SSL_KEY_ALG,
        "SSL_SIG_ALG" => kind::SSL_SIG_ALG,
        "SSL_VERSION" => kind::SSL_VERSION,
        "UNIQUE_ID" => kind::UNIQUE_ID,
        number => return number.parse().ok(),
    })
}
