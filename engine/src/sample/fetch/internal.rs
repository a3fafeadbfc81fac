//! The process: proxies, servers, dates, random numbers (manual, 7.3.2).

use crate::plan::ProxyId;
use crate::rules::{Holds, named_test};
use crate::sample::args::{Arg, Args, Kind, NONE, Spec, spec};
use crate::sample::cx::Cx;
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::point::Needs::{Client, Nothing, RequestKept, Server};
use crate::sample::row::{FetchRow, Fetched, Walk, fetch};
use crate::sample::value::{Type, Value};
use crate::sample::world::{ProxyCounters, ProxyTimeout, ServerCounters};

use Kind::{Backend, Frontend, Int, Str};

pub static ROWS: &[FetchRow] = &[
    fetch(
        "nbsrv",
        spec(0, &[Backend]),
        Type::Sint,
        Nothing,
        |a, cx, _| {
            a.proxy(0)
                .map(|b| Value::Sint(i64::from(cx.world.usable_servers(b))))
                .into()
        },
    ),
    fetch(
        "be_conn",
        spec(0, &[Backend]),
        Type::Sint,
        Nothing,
        |a, cx, _| proxy(a, cx, |c| c.backend_connections),
    ),
    fetch(
        "be_conn_free",
        spec(0, &[Backend]),
        Type::Sint,
        Nothing,
        be_conn_free,
    ),
    fetch(
        "be_sess_rate",
        spec(0, &[Backend]),
        Type::Sint,
        Nothing,
        |a, cx, _| proxy(a, cx, |c| c.backend_session_rate),
    ),
    fetch(
        "fe_conn",
        spec(0, &[Frontend]),
        Type::Sint,
        Nothing,
        |a, cx, _| proxy(a, cx, |c| c.frontend_connections),
    ),
    fetch(
        "fe_sess_rate",
        spec(0, &[Frontend]),
        Type::Sint,
        Nothing,
        |a, cx, _| proxy(a, cx, |c| c.frontend_session_rate),
    ),
    fetch(
        "fe_req_rate",
        spec(0, &[Frontend]),
        Type::Sint,
        Nothing,
        |a, cx, _| proxy(a, cx, |c| c.request_rate),
    ),
    fetch(
        "queue",
        spec(0, &[Backend]),
        Type::Sint,
        Nothing,
        |a, cx, _| proxy(a, cx, |c| c.total_queue),
    ),
    fetch(
        "avg_queue",
        spec(0, &[Backend]),
        Type::Sint,
        Nothing,
        avg_queue,
    ),
    fetch(
        "connslots",
        spec(0, &[Backend]),
        Type::Sint,
        Nothing,
        connslots,
    ),
    fetch(
        "srv_is_up",
        spec(1, &[Kind::Server]),
        Type::Bool,
        Nothing,
        |a, cx, _| {
            a.server(0)
                .map(|s| Value::Bool(cx.world.server_is_up(s)))
                .into()
        },
    ),
    fetch(
        "srv_conn",
        spec(1, &[Kind::Server]),
        Type::Sint,
        Nothing,
        |a, cx, _| server(a, cx, |c| c.connections),
    ),
    fetch(
        "srv_conn_free",
        spec(1, &[Kind::Server]),
        Type::Sint,
        Nothing,
        srv_conn_free,
    ),
    fetch(
        "srv_queue",
        spec(1, &[Kind::Server]),
        Type::Sint,
        Nothing,
        |a, cx, _| server(a, cx, |c| c.queue),
    ),
    fetch(
        "srv_sess_rate",
        spec(1, &[Kind::Server]),
        Type::Sint,
        Nothing,
        |a, cx, _| server(a, cx, |c| c.session_rate),
    ),
    fetch(
        "srv_weight",
        spec(1, &[Kind::Server]),
        Type::Sint,
        Nothing,
        |a, cx, _| server(a, cx, |c| c.weight),
    ),
    fetch(
        "srv_iweight",
        spec(1, &[Kind::Server]),
        Type::Sint,
        Nothing,
        |a, cx, _| server(a, cx, |c| c.initial_weight),
    ),
    fetch(
        "srv_uweight",
        spec(1, &[Kind::Server]),
        Type::Sint,
        Nothing,
        |a, cx, _| server(a, cx, |c| c.user_weight),
    ),
    fetch("act_conn", NONE, Type::Sint, Nothing, |_, cx, _| {
        int(cx.world.process_connections())
    }),
    fetch("fe_name", NONE, Type::Str, Client, |_, cx, _| {
        Fetched::Value(Value::str(
            cx.world.proxy_name(cx.session.frontend).as_bytes(),
        ))
    }),
    fetch("fe_id", NONE, Type::Sint, Client, |_, cx, _| {
        int(cx.world.proxy_number(cx.session.frontend))
    }),
    fetch("fe_defbe", NONE, Type::Str, Client, |_, cx, _| {
        let backend = cx.world.default_backend(cx.session.frontend);
        backend
            .map(|b| Value::str(cx.world.proxy_name(b).as_bytes()))
            .into()
    }),
    fetch("be_name", NONE, Type::Str, RequestKept, |_, cx, _| {
        Fetched::Value(Value::str(cx.world.proxy_name(backend_of(cx)).as_bytes()))
    }),
    fetch("be_id", NONE, Type::Sint, RequestKept, |_, cx, _| {
        int(cx.world.proxy_number(backend_of(cx)))
    }),
    fetch("srv_name", NONE, Type::Str, Server, |_, cx, _| {
        cx.stream
            .server
            .map(|s| Value::str(cx.world.server_name(s).as_bytes()))
            .into()
    }),
    fetch("srv_id", NONE, Type::Sint, Server, |_, cx, _| {
        cx.stream
            .server
            .map(|s| Value::Sint(i64::from(cx.world.server_number(s))))
            .into()
    }),
    fetch("so_id", NONE, Type::Sint, Client, |_, cx, _| {
        int(cx.world.listener_number(cx.session.listener))
    }),
    fetch("so_name", NONE, Type::Str, Client, |_, cx, _| {
        cx.world
            .listener_name(cx.session.listener)
            .map(|n| Value::str(n.as_bytes()))
            .into()
    }),
    fetch("date", spec(0, &[Int, Str]), Type::Sint, Nothing, date),
    fetch("date_us", NONE, Type::Sint, Nothing, |_, cx, _| {
        int((cx.clock.unix_us % 1_000_000) as u32)
    }),
    fetch("rand", spec(0, &[Int]), Type::Sint, Nothing, rand),
    fetch("uuid", spec(0, &[Int]), Type::Str, Nothing, uuid),
    fetch("hostname", NONE, Type::Str, Nothing, |_, cx, _| {
        Fetched::Value(Value::str(cx.world.host_name().as_bytes()))
    }),
    fetch("stopping", NONE, Type::Bool, Nothing, |_, cx, _| {
        Fetched::Value(Value::Bool(cx.world.is_stopping()))
    }),
    fetch("uptime", NONE, Type::Sint, Nothing, |_, cx, _| {
        Fetched::Value(Value::Sint(cx.world.uptime_s() as i64))
    }),
    fetch("tgroup", NONE, Type::Sint, Nothing, |_, _, _| int(0u8)),
    fetch(
        "acl",
        Spec {
            required: 1,
            kinds: &[Str],
            repeats: true,
        },
        Type::Bool,
        Nothing,
        acl,
    )
    .prepared(prepare_acl),
    fetch(
        "be_max_retries",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| {
            let retries = cx.world.max_retries(backend_of(cx));
            Fetched::Value(Value::Sint(i64::from(retries)))
        },
    ),
    fetch(
        "cur_max_retries",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| {
            let set = cx.stream.retries_max;
            let retries = set.unwrap_or_else(|| cx.world.max_retries(backend_of(cx)));
            Fetched::Value(Value::Sint(i64::from(retries)))
        },
    ),
    fetch("prio_class", NONE, Type::Sint, Nothing, |_, cx, _| {
        int(i64::from(cx.overrides.priority_class))
    }),
    fetch("prio_offset", NONE, Type::Sint, Nothing, |_, cx, _| {
        int(i64::from(cx.overrides.priority_offset_ms))
    }),
    fetch("last_entity", NONE, Type::Str, RequestKept, |_, cx, _| {
        let entity = cx.stream.last_rule.as_ref();
        entity
            .map(|(file, line)| Value::text(format!("{file}:{line}")))
            .into()
    }),
    fetch("waiting_entity", NONE, Type::Str, RequestKept, |_, _, _| {
        Fetched::Absent
    }),
    fetch("pid", NONE, Type::Sint, Nothing, |_, cx, _| {
        int(cx.world.process_id())
    }),
    fetch("proc", NONE, Type::Sint, Nothing, |_, _, _| int(1u8)),
    fetch("nbproc", NONE, Type::Sint, Nothing, |_, _, _| int(1u8)),
    fetch("thread", NONE, Type::Sint, Nothing, |_, cx, _| {
        int(cx.world.core())
    }),
    fetch("quic_enabled", NONE, Type::Bool, Nothing, |_, _, _| {
        Fetched::Value(Value::Bool(false))
    }),
    fetch(
        "last_rule_file",
        NONE,
        Type::Str,
        RequestKept,
        |_, cx, _| {
            cx.stream
                .last_rule
                .as_ref()
                .map(|(file, _)| Value::str(file.as_bytes()))
                .into()
        },
    ),
    fetch(
        "last_rule_line",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| {
            cx.stream
                .last_rule
                .as_ref()
                .map(|(_, line)| Value::Sint(i64::from(*line)))
                .into()
        },
    ),
    fetch(
        "be_connect_timeout",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| backend_timeout(cx, ProxyTimeout::Connect),
    ),
    fetch(
        "be_queue_timeout",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| backend_timeout(cx, ProxyTimeout::Queue),
    ),
    fetch(
        "be_server_timeout",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| backend_timeout(cx, ProxyTimeout::Server),
    ),
    fetch(
        "be_tarpit_timeout",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| backend_timeout(cx, ProxyTimeout::Tarpit),
    ),
    fetch(
        "be_tunnel_timeout",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| backend_timeout(cx, ProxyTimeout::Tunnel),
    ),
    fetch(
        "cur_client_timeout",
        NONE,
        Type::Sint,
        Client,
        |_, cx, _| current_timeout(cx, ProxyTimeout::Client),
    ),
    fetch(
        "cur_connect_timeout",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| current_timeout(cx, ProxyTimeout::Connect),
    ),
    fetch(
        "cur_queue_timeout",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| current_timeout(cx, ProxyTimeout::Queue),
    ),
    fetch(
        "cur_server_timeout",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| current_timeout(cx, ProxyTimeout::Server),
    ),
    fetch(
        "cur_tarpit_timeout",
        NONE,
        Type::Sint,
        Client,
        |_, cx, _| current_timeout(cx, ProxyTimeout::Tarpit),
    ),
    fetch(
        "cur_tunnel_timeout",
        NONE,
        Type::Sint,
        RequestKept,
        |_, cx, _| current_timeout(cx, ProxyTimeout::Tunnel),
    ),
    fetch("fe_client_timeout", NONE, Type::Sint, Client, |_, cx, _| {
        frontend_timeout(cx, ProxyTimeout::Client)
    }),
    fetch("fe_tarpit_timeout", NONE, Type::Sint, Client, |_, cx, _| {
        frontend_timeout(cx, ProxyTimeout::Tarpit)
    }),
];

fn int<'a>(number: impl Into<i64>) -> Fetched<'a> {
    Fetched::Value(Value::Sint(number.into()))
}

/// The stream's backend; before one is chosen, the frontend stands for it.
fn backend_of(cx: &Cx<'_>) -> ProxyId {
    cx.stream.backend.unwrap_or(cx.session.frontend)
}

fn proxy<'a>(args: &Args, cx: &Cx<'_>, pick: fn(ProxyCounters) -> u32) -> Fetched<'a> {
    args.proxy(0)
        .map(|id| Value::Sint(i64::from(pick(cx.world.proxy_counters(id)))))
        .into()
}

fn server<'a>(args: &Args, cx: &Cx<'_>, pick: fn(ServerCounters) -> u32) -> Fetched<'a> {
    args.server(0)
        .map(|id| Value::Sint(i64::from(pick(cx.world.server_counters(id)))))
        .into()
}

fn connslots<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    args.proxy(0)
        .map(|id| Value::Sint(cx.world.proxy_counters(id).slots.map_or(-1, i64::from)))
        .into()
}

/// -1 where a server has no `maxconn` (manual, `be_conn_free`).
fn be_conn_free<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    args.proxy(0)
        .map(|id| Value::Sint(cx.world.proxy_counters(id).free.map_or(-1, i64::from)))
        .into()
}

fn srv_conn_free<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    args.server(0)
        .map(|id| Value::Sint(cx.world.server_counters(id).free.map_or(-1, i64::from)))
        .into()
}

/// Queued requests for each usable server, rounded up; twice the queue where none is usable.
fn avg_queue<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let Some(id) = args.proxy(0) else {
        return Fetched::Absent;
    };
    let queued = cx.world.proxy_counters(id).total_queue;
    int(match cx.world.usable_servers(id) {
        0 => queued.saturating_mul(2),
        servers => queued.div_ceil(servers),
    })
}

/// `date([offset[,unit]])`: the offset is in the unit's own unit.
fn date<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let offset = args.int(0).unwrap_or(0);
    let now = match args.text(1) {
        Some(b"ms") => cx.clock.unix_us / 1000,
        Some(b"us") => cx.clock.unix_us,
        _ => cx.clock.unix_us / 1_000_000,
    };
    int((now as i64).wrapping_add(offset))
}

/// `rand([range])`: 32 bits, or less than the range.
fn rand<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let random = cx.next_random() >> 32;
    int(
        match args.int(0).and_then(|range| u32::try_from(range).ok()) {
            Some(range) => ((random * u64::from(range)) >> 32) as u32,
            None => random as u32,
        },
    )
}

/// `uuid([version])`: random (4, the default) or ordered by time (7) (RFC 9562).
fn uuid<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let mut bytes = [0u8; 16];
    bytes[..8].copy_from_slice(&cx.next_random().to_be_bytes());
    bytes[8..].copy_from_slice(&cx.next_random().to_be_bytes());
    let version = match args.int(0) {
        None | Some(4) => 4,
        Some(7) => {
            let ms = (cx.clock.unix_us / 1000).to_be_bytes();
            bytes[..6].copy_from_slice(&ms[2..]);
            7
        }
        Some(_) => return Fetched::Absent,
    };
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = Vec::with_capacity(36);
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push(b'-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.push(b"0123456789abcdef"[usize::from(digit)]);
        }
    }
    Fetched::Value(Value::text(text))
}

fn backend_timeout<'a>(cx: &Cx<'_>, which: ProxyTimeout) -> Fetched<'a> {
    let ms = cx.world.proxy_timeout_ms(backend_of(cx), which);
    ms.map(|ms| Value::Sint(i64::from(ms))).into()
}

fn frontend_timeout<'a>(cx: &Cx<'_>, which: ProxyTimeout) -> Fetched<'a> {
    let ms = cx.world.proxy_timeout_ms(cx.session.frontend, which);
    ms.map(|ms| Value::Sint(i64::from(ms))).into()
}

/// A timeout as a rule set it for this stream, or else as its proxy has it.
fn current_timeout<'a>(cx: &Cx<'_>, which: ProxyTimeout) -> Fetched<'a> {
    match cx.overrides.timeout_ms(which) {
        Some(ms) => Fetched::Value(Value::Sint(i64::from(ms))),
        None if which == ProxyTimeout::Client => frontend_timeout(cx, which),
        None => {
            let ms = cx.world.proxy_timeout_ms(backend_of(cx), which);
            ms.map(|ms| Value::Sint(i64::from(ms))).into()
        }
    }
}

/// `acl([!]name[,...])`: the names become tests, each behind its text.
fn prepare_acl(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let mut with_tests = Vec::with_capacity(args.0.len() * 2);
    for arg in &args.0 {
        let Arg::Str(text) = arg else { continue };
        let name = String::from_utf8_lossy(text).into_owned();
        let test = named_test(name.trim_start_matches('!'), compiler)?;
        with_tests.extend([arg.clone(), Arg::Test(test)]);
    }
    args.0 = with_tests.into();
    Ok(())
}

fn acl<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let mut all = Holds::Yes;
    for index in (0..args.0.len()).step_by(2) {
        let negated = args.text(index).is_some_and(|name| name.starts_with(b"!"));
        let holds = args
            .test(index + 1)
            .map_or(Holds::No, |test| test.holds(cx));
        all = all.min(if negated { holds.negate() } else { holds });
    }
    match all {
        Holds::NotYet => Fetched::NotYet,
        decided => Fetched::Value(Value::Bool(decided == Holds::Yes)),
    }
}
