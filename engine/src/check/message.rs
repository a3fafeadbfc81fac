//! The words of transitions, in the logs and on stderr. All were read off HAProxy 3.5.

use std::fmt::Write as _;

use crate::server::{Change, CheckReport, Health, ServerState, Usable};

/// Why a server changed its state.
#[derive(Clone, Copy, Debug)]
pub enum Cause<'a> {
    /// Its own check.
    Check(&'a CheckReport),
    /// Its own check, whose result `option log-health-checks` has told already.
    LoggedCheck,
    /// The server it tracks: `backend/server`.
    Via(&'a str),
    /// `set server health` and the like.
    Cli,
    /// Its agent, with what that said.
    Agent(&'a CheckReport),
}

/// What is left of the backend after the change.
#[derive(Clone, Copy, Debug, Default)]
pub struct Left {
    pub usable: Usable,
    /// Sessions on the server.
    pub sessions: u32,
    /// Requests moved out of its queue, or into it.
    pub requeued: u32,
    /// Requests in the backend's queue.
    pub queued: u32,
}

/// A change of the administrative state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminEvent<'a> {
    /// Entered maintenance, by command or by the tracked server.
    Maintenance {
        via: Option<&'a str>,
        /// Why, where nobody asked for it.
        cause: Option<&'a str>,
        /// It was down already.
        was_down: bool,
    },
    /// Its name has an address again.
    ResolvesAgain {
        host: &'a str,
    },
    /// Left maintenance; `forced`: it had been entered by command.
    LeftMaintenance {
        forced: bool,
    },
    Drain {
        via: Option<&'a str>,
    },
    LeftDrain {
        via: Option<&'a str>,
    },
}

/// `Server be/s1 is DOWN, reason: ...`.
pub fn change_text(server: &ServerState, change: Change, cause: Cause<'_>, left: &Left) -> String {
    let mut text = subject(server);
    text.push_str(match change {
        Change::Up => " is UP",
        Change::Down => " is DOWN",
        Change::Stopping => " is stopping",
    });
    match cause {
        Cause::Check(report) => push_reason(&mut text, report, ""),
        Cause::Agent(report) => push_reason(&mut text, report, "agent "),
        Cause::LoggedCheck => {}
        Cause::Via(tracked) => {
            let _ = write!(text, " via {tracked}");
        }
        Cause::Cli => text.push_str(", changed from CLI"),
    }
    text.push('.');
    push_left(&mut text, left, change == Change::Down);
    text
}

/// `Server be/s1 is going DOWN for maintenance. ...`.
pub fn admin_text(server: &ServerState, event: AdminEvent<'_>, left: &Left) -> String {
    let mut text = subject(server);
    let via = |via: Option<&str>| via.map(|name| format!(" via {name}")).unwrap_or_default();
    let up = if server.operational().is_up() {
        "UP"
    } else {
        "DOWN"
    };
    let ready = if server.admin().in_drain() {
        "DRAIN"
    } else {
        "READY"
    };
    match event {
        AdminEvent::Maintenance {
            via: by,
            cause,
            was_down,
        } => {
            let what = if was_down {
                "was DOWN and now enters maintenance"
            } else {
                "is going DOWN for maintenance"
            };
            let cause = cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
            let _ = write!(text, " {what}{cause}{}.", via(by));
            if !was_down {
                push_left(&mut text, left, true);
            }
        }
        AdminEvent::ResolvesAgain { host } => {
            let _ = write!(text, " ('{host}') is {up}/{ready} (resolves again).");
        }
        AdminEvent::LeftMaintenance { forced } => {
            let which = if forced {
                "forced maintenance"
            } else {
                "maintenance"
            };
            let _ = write!(text, " is {up}/{ready} (leaving {which}).");
        }
        AdminEvent::Drain { via: by } => {
            let _ = write!(text, " enters drain state{}.", via(by));
            push_left(&mut text, left, false);
        }
        AdminEvent::LeftDrain { via: by } => {
            let which = if by.is_some() {
                "drain"
            } else {
                "forced drain"
            };
            let _ = write!(text, " is {up} (leaving {which}){}.", via(by));
        }
    }
    text
}

/// `Health check for server be/s1 failed, reason: ..., status: 2/3 UP.` (`option
/// log-health-checks`).
pub fn check_text(server: &ServerState, report: &CheckReport, health: Health) -> String {
    result_text("Health", server, report, health)
}

/// The same of an agent's answer.
pub fn agent_text(server: &ServerState, report: &CheckReport, agent: Health) -> String {
    result_text("Agent", server, report, agent)
}

fn result_text(kind: &str, server: &ServerState, report: &CheckReport, health: Health) -> String {
    let verdict = match report.status {
        status if !status.is_passed() => "failed",
        crate::server::CheckStatus::L7OkConditional => "conditionally succeeded",
        _ => "succeeded",
    };
    let mut text = format!(
        "{kind} check for {}server {}/{} {verdict}",
        if server.is_backup() { "backup " } else { "" },
        server.backend().name(),
        server.name(),
    );
    push_reason(&mut text, report, "");
    let (done, of, word) = if health.is_up() {
        (health.counter + 1 - health.rise, health.fall, "UP")
    } else {
        (health.counter, health.rise, "DOWN")
    };
    let _ = write!(text, ", status: {done}/{of} {word}.");
    text
}

/// `backend be has no server available!`: said when the last usable server went. `kind` is
/// `backend`, or `proxy` for a `listen` section.
pub fn no_server_text(kind: &str, name: &str) -> String {
    format!("{kind} {name} has no server available!")
}

fn subject(server: &ServerState) -> String {
    format!(
        "{}erver {}/{}",
        if server.is_backup() { "Backup S" } else { "S" },
        server.backend().name(),
        server.name()
    )
}

fn push_reason(text: &mut String, report: &CheckReport, kind: &str) {
    let _ = write!(text, ", reason: {kind}{}", report.status.description());
    if report.status.has_code() {
        let _ = write!(text, ", code: {}", report.code);
    }
    if !report.info.is_empty() {
        text.push_str(", info: \"");
        push_printable(text, &report.info);
        text.push('"');
    }
    let _ = write!(text, ", check duration: {}ms", report.duration_ms);
}

/// What a server said: bytes that are no text, and quotes, become `<XX>`.
fn push_printable(text: &mut String, said: &str) {
    for &byte in said.as_bytes() {
        if byte != b'"' && (byte == b' ' || byte.is_ascii_graphic()) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "<{byte:02X}>");
        }
    }
}

fn push_left(text: &mut String, left: &Left, is_loss: bool) {
    let Usable { active, backup } = left.usable;
    let which = if is_loss { "left" } else { "online" };
    let _ = write!(
        text,
        " {active} active and {backup} backup servers {which}."
    );
    if active == 0 && backup > 0 {
        text.push_str(" Running on backup.");
    }
    let Left {
        sessions,
        requeued,
        queued,
        ..
    } = left;
    let _ = if is_loss {
        write!(
            text,
            " {sessions} sessions active, {requeued} requeued, {queued} remaining in queue."
        )
    } else {
        write!(
            text,
            " {requeued} sessions requeued, {queued} total in queue."
        )
    };
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::server::{Admin, CheckStatus, Registry, ServerSettings, Token, Wake};

    struct NoWake;

    impl Wake for NoWake {
        fn wake(&self, _: Token) {}
    }

    fn server(backup: bool) -> Arc<ServerState> {
        let settings = ServerSettings {
            backup,
            ..ServerSettings::default()
        };
        Registry::new(1, Arc::new(NoWake))
            .server("be", "s1", &settings)
            .0
    }

    fn left(active: u32, backup: u32) -> Left {
        Left {
            usable: Usable { active, backup },
            ..Left::default()
        }
    }

    #[test]
    fn transitions_in_haproxys_words() {
        let server = server(false);
        let mut report = CheckReport {
            status: CheckStatus::L7Status,
            code: 500,
            info: "X".to_owned(),
            ..CheckReport::default()
        };
        assert_eq!(
            change_text(&server, Change::Down, Cause::Check(&report), &left(0, 1)),
            "Server be/s1 is DOWN, reason: Layer7 wrong status, code: 500, info: \"X\", check \
             duration: 0ms. 0 active and 1 backup servers left. Running on backup. 0 sessions \
             active, 0 requeued, 0 remaining in queue."
        );
        report = CheckReport {
            status: CheckStatus::L7Ok,
            code: 200,
            duration_ms: 1,
            ..CheckReport::default()
        };
        assert_eq!(
            change_text(&server, Change::Up, Cause::Check(&report), &left(1, 1)),
            "Server be/s1 is UP, reason: Layer7 check passed, code: 200, check duration: 1ms. \
             1 active and 1 backup servers online. 0 sessions requeued, 0 total in queue."
        );
        report = CheckReport {
            status: CheckStatus::L7OkConditional,
            code: 404,
            ..CheckReport::default()
        };
        assert_eq!(
            change_text(
                &server,
                Change::Stopping,
                Cause::Check(&report),
                &left(0, 1)
            ),
            "Server be/s1 is stopping, reason: Layer7 check conditionally passed, code: 404, \
             check duration: 0ms. 0 active and 1 backup servers online. Running on backup. 0 \
             sessions requeued, 0 total in queue."
        );
        assert_eq!(
            change_text(&server, Change::Down, Cause::Via("be/s2"), &left(1, 0)),
            "Server be/s1 is DOWN via be/s2. 1 active and 0 backup servers left. 0 sessions \
             active, 0 requeued, 0 remaining in queue."
        );
        assert!(
            change_text(&server, Change::Down, Cause::Cli, &left(1, 0))
                .starts_with("Server be/s1 is DOWN, changed from CLI. 1 active")
        );
        assert!(
            change_text(&server, Change::Down, Cause::LoggedCheck, &left(1, 0))
                .starts_with("Server be/s1 is DOWN. 1 active")
        );
    }

    #[test]
    fn administrative_changes_in_haproxys_words() {
        let server = server(true);
        assert_eq!(
            admin_text(
                &server,
                AdminEvent::Maintenance {
                    via: None,
                    cause: None,
                    was_down: false
                },
                &left(1, 0)
            ),
            "Backup Server be/s1 is going DOWN for maintenance. 1 active and 0 backup servers \
             left. 0 sessions active, 0 requeued, 0 remaining in queue."
        );
        let none = Left::default();
        assert_eq!(
            admin_text(&server, AdminEvent::LeftMaintenance { forced: true }, &none),
            "Backup Server be/s1 is UP/READY (leaving forced maintenance)."
        );
        assert_eq!(
            admin_text(&server, AdminEvent::LeftDrain { via: Some("be/s2") }, &none),
            "Backup Server be/s1 is UP (leaving drain) via be/s2."
        );
        assert_eq!(
            admin_text(&server, AdminEvent::LeftDrain { via: None }, &none),
            "Backup Server be/s1 is UP (leaving forced drain)."
        );
        server.set_admin(Admin::FDRAIN);
        assert_eq!(
            admin_text(
                &server,
                AdminEvent::LeftMaintenance { forced: false },
                &none
            ),
            "Backup Server be/s1 is UP/DRAIN (leaving maintenance)."
        );
        assert!(
            admin_text(&server, AdminEvent::Drain { via: None }, &left(0, 1))
                .contains(" enters drain state. 0 active and 1 backup servers online. Running")
        );
    }

    #[test]
    fn what_a_server_said_cannot_break_a_line() {
        let mut text = String::new();
        push_printable(&mut text, "a \"b\"\r\n\u{e9}");
        assert_eq!(text, "a <22>b<22><0D><0A><C3><A9>");
    }

    #[test]
    fn single_checks_in_haproxys_words() {
        let report = CheckReport {
            status: CheckStatus::L4Ok,
            ..CheckReport::default()
        };
        let health = Health {
            rise: 2,
            fall: 3,
            counter: 1,
        };
        assert_eq!(
            check_text(&server(false), &report, health),
            "Health check for server be/s1 succeeded, reason: Layer4 check passed, check \
             duration: 0ms, status: 1/2 DOWN."
        );
        let up = Health {
            counter: 4,
            ..health
        };
        assert!(check_text(&server(false), &report, up).ends_with("status: 3/3 UP."));
        assert_eq!(
            no_server_text("backend", "be"),
            "backend be has no server available!"
        );
    }
}
