//! Switching checks: `enable|disable health|agent`.

use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::ops::CheckKind;
use crate::control::reply::{Answer, Reply};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("disable agent", "disable agent", "disable agent checks", Level::Admin,
        |call| switch(call, CheckKind::Agent, false)),
    row("disable health", "disable health", "disable health checks", Level::Admin,
        |call| switch(call, CheckKind::Health, false)),
    row("enable agent", "enable agent", "enable agent checks", Level::Admin,
        |call| switch(call, CheckKind::Agent, true)),
    row("enable health", "enable health", "enable health checks", Level::Admin,
        |call| switch(call, CheckKind::Health, true)),
];

fn switch(call: &mut Call<'_>, kind: CheckKind, on: bool) -> Answer {
    let server = call.server(2)?;
    call.ops.set_checks(server, kind, on)?;
    Ok(Reply::Done)
}
