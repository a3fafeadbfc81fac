//! What a finding does to a server.

use cfgparse::model::server::{InitState, OnError};

use super::schedule::Settings;
use crate::probe::Finding;
use crate::server::{Change, CheckStatus, Health, Operational, ServerState};

/// The effect of one result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The server changed its state: a new view, redispatch, and a message are due.
    pub change: Option<Change>,
    /// Worth a line under `option log-health-checks`: the counter or the result moved.
    pub is_news: bool,
}

/// Gives a server that is new to this process its first health. Not for a server whose state
/// survived a reload, unless its `rise` or `fall` changed: then the counter is kept in range.
pub fn prepare(server: &ServerState, settings: &Settings, is_new: bool) {
    let (rise, fall) = (settings.rise.max(1), settings.fall.max(1));
    if !is_new && let Some(known) = server.health() {
        let was_up = known.is_up();
        let mut health = Health::barely_up(rise, fall);
        match (was_up, known.is_settled()) {
            (true, true) => health.fill(),
            (true, false) => {}
            (false, _) => health.counter = known.counter.min(rise - 1),
        }
        server.set_health(Some(health));
        return;
    }
    let mut health = Health::barely_up(rise, fall);
    match settings.init_state {
        InitState::FullyUp => health.fill(),
        InitState::Up => {}
        InitState::Down => health.counter = rise - 1,
        InitState::FullyDown => health.counter = 0,
    }
    server.set_health(Some(health));
    if !health.is_up() {
        server.set_operational(Operational::Stopped);
    }
    let mut report = server.check_report();
    if report.status == CheckStatus::Unknown {
        report.status = CheckStatus::Initializing;
    }
}

/// Takes a result into account. A server in maintenance is not judged.
pub fn judge(
    server: &ServerState,
    settings: &Settings,
    finding: &Finding,
    duration_ms: u64,
    now_ms: u64,
) -> Judged {
    let quiet = Judged {
        change: None,
        is_news: false,
    };
    if server.admin().in_maint() {
        return quiet;
    }
    let before = server
        .health()
        .unwrap_or_else(|| Health::barely_up(settings.rise, settings.fall));
    let mut health = before;
    let status_before = note(server, finding, duration_ms, before.is_up());
    let change = if finding.status.is_passed() {
        passed(server, finding, &mut health, now_ms)
    } else {
        let fell = health.bad();
        server.set_health(Some(health));
        // Live traffic or an operator may have stopped it while its checks were fine.
        if fell || !health.is_up() {
            server.go_down(now_ms)
        } else {
            None
        }
    };
    Judged {
        change,
        is_news: health != before || finding.status != status_before,
    }
}

/// Stores the result for the statistics; returns the one before.
fn note(server: &ServerState, finding: &Finding, duration_ms: u64, was_up: bool) -> CheckStatus {
    let mut report = server.check_report();
    let before = std::mem::replace(&mut report.status, finding.status);
    report.code = finding.code;
    report.duration_ms = duration_ms;
    report.info.clone_from(&finding.info);
    report.in_progress = false;
    if was_up && !finding.status.is_passed() {
        report.failed += 1;
    }
    before
}

fn passed(
    server: &ServerState,
    finding: &Finding,
    health: &mut Health,
    now_ms: u64,
) -> Option<Change> {
    let conditionally = finding.status == CheckStatus::L7OkConditional;
    // Manual 4.2, disable-on-404: a stopped server stays stopped even if it answers 404.
    if conditionally && !health.is_up() {
        return None;
    }
    health.good();
    server.set_health(Some(*health));
    if conditionally {
        server.go_stopping()
    } else if health.is_up() {
        server.go_up(now_ms)
    } else {
        None
    }
}

/// `error-limit` errors in a row were observed in live traffic: applies `on-error`. The next check
/// is due after `fastinter` in any case.
pub fn observe(server: &ServerState, settings: &Settings, now_ms: u64) -> Judged {
    let Some(mut health) = server.health() else {
        return Judged {
            change: None,
            is_news: false,
        };
    };
    if server.admin().in_maint() || !health.is_up() || settings.on_error == OnError::Fastinter {
        return Judged {
            change: None,
            is_news: false,
        };
    }
    let finding = Finding {
        status: CheckStatus::Observed,
        code: 0,
        info: format!("Detected {} consecutive errors", settings.error_limit),
    };
    match settings.on_error {
        OnError::Fastinter | OnError::FailCheck => {}
        // One more failure, this one not counted, is enough.
        OnError::SuddenDeath => {
            note(server, &finding, 0, true);
            health.counter = health.counter.min(health.rise);
            server.set_health(Some(health));
            return Judged {
                change: None,
                is_news: true,
            };
        }
        OnError::MarkDown => {
            health.counter = health.rise;
            server.set_health(Some(health));
        }
    }
    judge(server, settings, &finding, 0, now_ms)
}
