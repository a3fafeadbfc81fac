//! Forgetting what was counted: `clear counters`.

use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::ops::Clear;
use crate::control::reply::{Answer, Reply};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("clear counters", "clear counters [all|server <bk>/<srv> [force]] ",
        "clear max statistics counters (or all, or one server's)", Level::User, clear),
];

fn clear(call: &mut Call<'_>) -> Answer {
    match call.word(2) {
        "all" => {
            call.require(Level::Admin)?;
            call.ops.clear_counters(Clear::All);
        }
        "server" => {
            call.require(Level::Admin)?;
            let server = call.server(3)?;
            call.ops.clear_counters(Clear::Server(server));
            return Ok(Reply::info("Server counters cleared."));
        }
        _ => {
            call.require(Level::Operator)?;
            call.ops.clear_counters(Clear::Maxima);
        }
    }
    Ok(Reply::Done)
}
