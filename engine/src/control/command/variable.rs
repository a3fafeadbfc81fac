//! Variables of the process (management.txt 9.3, `get var`).

use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::reply::{Answer, Reply};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("get var", "get var <name>", "retrieve contents of a process-wide variable", Level::User, get),
];

fn get(call: &mut Call<'_>) -> Answer {
    let name = call.word(2);
    if name.is_empty() {
        return Err("Missing process-wide variable identifier.".into());
    }
    let slot = name
        .strip_prefix("proc.")
        .and_then(|name| call.ops.proc_vars().find(name))
        .ok_or("Variable not found.")?;
    let Some(value) = call.ops.proc_vars().now(slot) else {
        return Err("Variable not found.".into());
    };
    let mut text = Vec::new();
    value.write_text(&mut text);
    Ok(Reply::info(format!(
        "{name}: type={} value=<{}>",
        value.kind().word(),
        String::from_utf8_lossy(&text)
    )))
}
