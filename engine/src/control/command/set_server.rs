//! Changing one server: `set server`.

use super::server::set_weight;
use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::ops::{AdminState, ForcedHealth, ServerChange};
use crate::control::reply::{Answer, Refusal, Reply, Severity};
use crate::plan::ServerId;
use std::net::IpAddr;

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("set server", "set server <bk>/<srv> [opts]",
        "change a server's state, weight, address, name or ssl", Level::Admin, set_server),
];

const USAGE: &str = "usage: set server <backend>/<server> addr | agent | agent-addr | \
agent-port | agent-send | check-addr | check-port | fqdn | health | name | ssl | state | weight";

fn set_server(call: &mut Call<'_>) -> Answer {
    let server = call.server(2)?;
    match call.word(3) {
        "state" => state(call, server),
        "weight" => set_weight(call, 2, 4),
        "health" => health(call, server),
        "agent" => agent(call, server),
        "addr" | "check-addr" | "agent-addr" => address(call, server),
        "check-port" => {
            let text = required(call, "set server <b>/<s> check-port requires a port.")?;
            let port = whole_port(&text)?;
            change(call, server, ServerChange::CheckPort(port))
        }
        "agent-port" => {
            let text = required(call, "set server <b>/<s> agent-port requires a port.")?;
            let port = whole_port(&text)?;
            change(call, server, ServerChange::AgentPort(port))
        }
        "agent-send" => {
            let text = required(call, "set server <b>/<s> agent-send requires a text.")?;
            change(call, server, ServerChange::AgentSend(text))
        }
        "fqdn" => {
            let name = required(call, "set server <b>/<s> fqdn requires a FQDN.")?;
            change(call, server, ServerChange::Fqdn(name))
        }
        "name" => {
            let name = required(call, "set server <b>/<s> name requires a new name.")?;
            change(call, server, ServerChange::Name(name))
        }
        "ssl" => match call.word(4) {
            "on" => change(call, server, ServerChange::Tls(true)),
            "off" => change(call, server, ServerChange::Tls(false)),
            _ => Err("'set server <srv> ssl' expects 'on' or 'off'.".into()),
        },
        _ => Err(USAGE.into()),
    }
}

fn state(call: &mut Call<'_>, server: ServerId) -> Answer {
    let state = match call.word(4) {
        "ready" => AdminState::Ready,
        "drain" => AdminState::Drain,
        "maint" => AdminState::Maint,
        _ => return Err("'set server <srv> state' expects 'ready', 'drain' and 'maint'.".into()),
    };
    call.ops.set_admin_state(server, state)?;
    Ok(Reply::Done)
}

fn health(call: &mut Call<'_>, server: ServerId) -> Answer {
    let health = match call.word(4) {
        "up" => ForcedHealth::Up,
        "stopping" => ForcedHealth::Stopping,
        "down" => ForcedHealth::Down,
        _ => return Err("'set server <srv> health' expects 'up', 'stopping', or 'down'.".into()),
    };
    call.ops.force_health(server, health)?;
    Ok(Reply::Done)
}

fn agent(call: &mut Call<'_>, server: ServerId) -> Answer {
    let health = match call.word(4) {
        "up" => ForcedHealth::Up,
        "down" => ForcedHealth::Down,
        _ => return Err("'set server <srv> agent' expects 'up' or 'down'.".into()),
    };
    call.ops.force_agent(server, health)?;
    Ok(Reply::Done)
}

/// `addr|check-addr|agent-addr <ip> [port <port>]`.
fn address(call: &mut Call<'_>, server: ServerId) -> Answer {
    let (what, written) = (call.word(3), call.word(4));
    if written.is_empty() {
        let text = format!("set server <b>/<s> {what} requires an address and optionally a port.");
        return Err(text.into());
    }
    let address: IpAddr = written.parse().map_err(|_| {
        Refusal(match what {
            "addr" => format!("Invalid addr '{written}'"),
            _ => format!("invalid addr '{written}'"),
        })
    })?;
    let port = match (call.word(5), call.word(6)) {
        ("port", text) => {
            let complaint = || Refusal(format!("problem converting port '{text}' to an int"));
            Some(port(text).ok_or_else(complaint)?)
        }
        _ => None,
    };
    let wanted = match what {
        "addr" => ServerChange::Address { address, port },
        "check-addr" => ServerChange::CheckAddress { address, port },
        _ => ServerChange::AgentAddress { address, port },
    };
    change(call, server, wanted)
}

fn change(call: &mut Call<'_>, server: ServerId, change: ServerChange) -> Answer {
    let text = call.ops.change_server(server, change)?;
    let warning = |text| Reply::Message(Severity::Warning, text);
    Ok(text.map_or(Reply::Done, warning))
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok()
}

fn whole_port(text: &str) -> Result<u16, Refusal> {
    let number: i64 = text
        .parse()
        .map_err(|_| "provided port is not an integer")?;
    u16::try_from(number).map_err(|_| "provided port is invalid".into())
}

fn required(call: &Call<'_>, complaint: &str) -> Result<String, Refusal> {
    match call.word(4) {
        "" => Err(complaint.into()),
        text => Ok(text.to_owned()),
    }
}
