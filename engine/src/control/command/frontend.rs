//! Stopping frontends and starting them again.

use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::reply::{Answer, Refusal, Reply};
use crate::plan::ProxyId;

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("disable frontend", "disable frontend <frontend>",
        "temporarily disable specific frontend", Level::Admin, |call| enable(call, false)),
    row("enable frontend", "enable frontend <frontend>",
        "re-enable specific frontend", Level::Admin, |call| enable(call, true)),
    row("shutdown frontend", "shutdown frontend <frontend>",
        "stop a specific frontend", Level::Admin, shutdown),
];

/// The frontend that a word names.
pub(super) fn frontend(call: &Call<'_>, position: usize) -> Result<ProxyId, Refusal> {
    match call.word(position) {
        "" => Err("A frontend name is expected.".into()),
        name => call
            .ops
            .frontend(name)
            .ok_or_else(|| "No such frontend.".into()),
    }
}

fn enable(call: &mut Call<'_>, on: bool) -> Answer {
    let frontend = frontend(call, 2)?;
    match (call.ops.set_frontend_enabled(frontend, on)?, on) {
        (true, _) => Ok(Reply::Done),
        (false, true) => Err("All sockets are already enabled.".into()),
        (false, false) => Err("All sockets are already disabled.".into()),
    }
}

fn shutdown(call: &mut Call<'_>) -> Answer {
    let frontend = frontend(call, 2)?;
    call.ops.shutdown_frontend(frontend)?;
    Ok(Reply::Done)
}
