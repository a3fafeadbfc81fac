//! What is said when the administrative state of a server changes, as HAProxy 3.5 says it.

use crate::check::{AdminEvent, Left, admin_text};
use crate::server::{Admin, ServerState};

/// The messages about a change from `before` to the present state, in order. `via` is the server
/// it tracks.
pub fn admin_changed(
    server: &ServerState,
    before: Admin,
    via: Option<&str>,
    left: &Left,
) -> Vec<String> {
    let after = server.admin();
    let inherits = |bit: Admin| if after.contains(bit) { via } else { None };
    match (before.in_maint(), after.in_maint()) {
        (false, true) => {
            let via = inherits(Admin::IMAINT).filter(|_| !after.contains(Admin::FMAINT));
            vec![admin_text(server, AdminEvent::Maintenance { via }, left)]
        }
        (true, true) => still_in_maintenance(server, before, via),
        (true, false) => {
            let forced = before.contains(Admin::FMAINT);
            let mut texts = vec![admin_text(
                server,
                AdminEvent::LeftMaintenance { forced },
                left,
            )];
            texts.extend(still_in_drain(server, via));
            texts
        }
        (false, false) => drain_changed(server, before, via, left),
    }
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
