//! What is said when the administrative state of a server changes, as HAProxy 3.5 says it.

use crate::check::{AdminEvent, Left, admin_text};
use crate::server::{Admin, ServerState};

/// What a message tells beside the states.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'a> {
    /// The server that this one tracks.
    pub via: Option<&'a str>,
    /// Why, where nobody asked for it.
    pub cause: Option<&'a str>,
    /// The server was down before.
    pub was_down: bool,
    /// Its host name.
    pub host: &'a str,
}

/// The messages about a change from `before` to the present state, in order.
pub fn admin_changed(
    server: &ServerState,
    before: Admin,
    told: Told<'_>,
    left: &Left,
) -> Vec<String> {
    let after = server.admin();
    let via = told.via;
    match (before.in_maint(), after.in_maint()) {
        (false, true) => {
            let inherits = after.contains(Admin::IMAINT) && !after.contains(Admin::FMAINT);
            let event = AdminEvent::Maintenance {
                via: via.filter(|_| inherits),
                cause: told.cause,
                was_down: told.was_down && told.cause.is_some(),
            };
            vec![admin_text(server, event, left)]
        }
        (true, true) => still_in_maintenance(server, before, via),
        (true, false) => {
            let mut texts = if before.contains(Admin::RMAINT) {
                resolves_again(server, told, left)
            } else {
                let forced = before.contains(Admin::FMAINT);
                let event = AdminEvent::LeftMaintenance { forced };
                vec![admin_text(server, event, left)]
            };
            texts.extend(still_in_drain(server, via));
            texts
        }
        (false, false) => drain_changed(server, before, via, left),
    }
}

fn resolves_again(server: &ServerState, told: Told<'_>, left: &Left) -> Vec<String> {
    let event = AdminEvent::ResolvesAgain { host: told.host };
    let thanks = "administratively READY thanks to valid DNS answer";
    vec![
        admin_text(server, event, left),
        format!("{} {thanks}.", subject(server)),
    ]
}

fn drain_changed(
    server: &ServerState,
    before: Admin,
    via: Option<&str>,
    left: &Left,
) -> Vec<String> {
    let after = server.admin();
    match (before.in_drain(), after.in_drain()) {
        (false, true) => {
            let via = via.filter(|_| !after.contains(Admin::FDRAIN));
            vec![admin_text(server, AdminEvent::Drain { via }, left)]
        }
        (true, false) => {
            let via = via.filter(|_| !before.contains(Admin::FDRAIN));
            vec![admin_text(server, AdminEvent::LeftDrain { via }, left)]
        }
        (true, true) => still_in_drain(server, via).into_iter().collect(),
        (false, false) => Vec::new(),
    }
}

fn still_in_maintenance(server: &ServerState, before: Admin, via: Option<&str>) -> Vec<String> {
    let after = server.admin();
    let left_forced = before.contains(Admin::FMAINT) && !after.contains(Admin::FMAINT);
    let Some(via) = via.filter(|_| left_forced) else {
        return Vec::new();
    };
    vec![format!(
        "{} is leaving forced maintenance but remains in maintenance via {via}.",
        subject(server)
    )]
}

fn still_in_drain(server: &ServerState, via: Option<&str>) -> Option<String> {
    let subject = subject(server);
    match (server.admin().contains(Admin::FDRAIN), via) {
        _ if !server.admin().in_drain() => None,
        (true, _) => Some(format!("{subject} remains in forced drain mode.")),
        (false, Some(via)) => Some(format!("{subject} remains in drain mode via {via}.")),
        (false, None) => None,
    }
}

fn subject(server: &ServerState) -> String {
    let kind = if server.is_backup() {
        "Backup Server"
    } else {
        "Server"
    };
    format!("{kind} {}/{}", server.backend().name(), server.name())
}
