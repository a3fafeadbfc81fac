//! Servers that come and go at run time: `add server`, `del server`.

use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::reply::{Answer, Refusal, Reply};
use std::fmt::Write;

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("add server", "add server <bk>/<srv>", "create a new server", Level::Admin, add),
    row("del server", "del server <bk>/<srv>", "remove a dynamically added server", Level::Admin, delete),
];

fn add(call: &mut Call<'_>) -> Answer {
    if call.word(2) == "help" {
        return Ok(Reply::Report(keywords()));
    }
    let (backend, server) = call
        .word(2)
        .split_once('/')
        .filter(|(_, server)| !server.is_empty())
        .ok_or("Require 'backend/server'.")?;
    let added = call.ops.add_server(backend, server, &call.words[3..]);
    added.map(Reply::info).map_err(Refusal)
}

fn delete(call: &mut Call<'_>) -> Answer {
    let server = call.server(2)?;
    call.ops.delete_server(server)?;
    Ok(Reply::info("Server deleted."))
}

fn keywords() -> String {
    let mut out = String::from("List of keywords supported for dynamic server:\n");
    for keyword in cfgparse::ADDED_SERVER_KEYWORDS {
        let _ = writeln!(out, "{keyword}");
    }
    out
}
