//! Limits that change at run time: `set maxconn`, `set rate-limit`.

use super::frontend::frontend;
use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::ops::RateLimit;
use crate::control::reply::{Answer, Reply};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("set maxconn frontend", "set maxconn frontend <frontend> <value>",
        "change a frontend's maxconn setting", Level::Admin, frontend_maxconn),
    row("set maxconn global", "set maxconn global <value>",
        "change the per-process maxconn setting", Level::Admin, process_maxconn),
    row("set maxconn server", "set maxconn server <bk>/<srv>",
        "change a server's maxconn setting", Level::Admin, server_maxconn),
    row("set rate-limit", "set rate-limit <setting> <value>",
        "change a rate limiting value", Level::Admin, rate_limit),
];

fn frontend_maxconn(call: &mut Call<'_>) -> Answer {
    let frontend = frontend(call, 3)?;
    let maxconn = call.number(4, "Integer value expected.")?;
    call.ops.set_frontend_maxconn(frontend, maxconn)?;
    Ok(Reply::Done)
}

fn process_maxconn(call: &mut Call<'_>) -> Answer {
    let maxconn = call.number(3, "Expects an integer value.")?;
    call.ops
        .set_process_maxconn((maxconn > 0).then_some(maxconn))?;
    Ok(Reply::Done)
}

fn server_maxconn(call: &mut Call<'_>) -> Answer {
    let server = call.server(3)?;
    if call.word(4).is_empty() {
        return Err("Require <maxconn>.".into());
    }
    let maxconn = call.number(4, "maxconn string empty or preceded by garbage")?;
    call.ops.set_server_maxconn(server, maxconn)?;
    Ok(Reply::Done)
}

const RATE_LIMIT_USAGE: &str = "'set rate-limit' only supports :
   - 'connections global' to set the per-process maximum connection rate
   - 'sessions global' to set the per-process maximum session rate
   - 'ssl-sessions global' to set the per-process maximum SSL session rate
   - 'http-compression global' to set the per-process maximum compression speed in kB/s";

fn rate_limit(call: &mut Call<'_>) -> Answer {
    let limit = match (call.word(2), call.word(3)) {
        ("connections", "global") => RateLimit::Connections,
        ("sessions", "global") => RateLimit::Sessions,
        ("ssl-sessions", "global") => RateLimit::TlsSessions,
        ("http-compression", "global") => RateLimit::Compression,
        _ => return Err(RATE_LIMIT_USAGE.into()),
    };
    let per_second = call.number(4, "Expects an integer value.")?;
    call.ops.set_rate_limit(limit, u64::from(per_second))?;
    Ok(Reply::Done)
}
