//! One server.

use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use cfgparse::model::Port;

use super::{seconds, words};
use crate::plan::{Endpoint, Server, ServerId};
use crate::server::{
    Admin, CheckReport, CheckStatus, Health, Operational, ServerState, StatusInput, WEIGHT_SCALE,
    effective_weight, status_text,
};
use crate::state::{Runtime, Watch};
use crate::stats::{CheckFacts, Condition, IdleFacts, ServerFacts, StateFacts};

/// What reports say about a server.
pub fn facts(runtime: &Runtime, id: ServerId, now_ms: u64) -> ServerFacts {
    let server = runtime.plan.server(id);
    let state = &runtime.servers[id.index()];
    let watch = &runtime.watches[id.index()];
    let line = &server.line;
    let endpoint = &runtime.endpoints[id.index()];
    let endpoint = endpoint
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let named = watch.named();
    let total = runtime.stats.servers[id.index()].total(now_ms);
    let tracked = watch.tracks.map(|id| name(runtime, id));
    let health = watched_health(runtime, id);
    let is_checked = watch.checked && watch.check_enabled.load(Relaxed);
    let report = state.check_report().clone();
    let status = status_text(&StatusInput {
        admin: state.admin(),
        operational: state.operational(),
        health,
        agent: asked_agent(state, watch),
        tracked: tracked.as_deref(),
    });
    ServerFacts {
        name: server.name.to_string(),
        id: state.id(),
        status,
        condition: condition(state, health),
        backup: state.is_backup(),
        // As the load balancer would have it: in drain it takes nothing, and keeps its weight.
        weight: effective_weight(state.user_weight(), state.throttle_percent())
            .div_ceil(WEIGHT_SCALE),
        user_weight: state.user_weight(),
        initial_weight: state.initial_weight(),
        queued: state.queued(),
        queued_max: state.queued_peak(),
        queue_limit: state.maxqueue(),
        limit: state.maxconn(),
        last_change_s: seconds(now_ms.saturating_sub(report.last_change_ms)),
        downtime_s: seconds(report.downtime_ms(state.operational(), now_ms)),
        downs: report.went_down,
        throttle_percent: (state.operational() == Operational::Starting)
            .then(|| state.throttle_percent()),
        tracked,
        observed_failures: line
            .check
            .observe
            .map(|_| watch.observed_failures.load(Relaxed)),
        check: is_checked.then(|| check(state.health(), &report, state.admin().in_maint())),
        agent: asked_agent(state, watch)
            .map(|agent| check(Some(agent), &state.agent_report(), false)),
        address: words::connecting(&endpoint),
        host: named.host.clone(),
        service: named.service.clone(),
        cookie: line.cookie.clone(),
        idle: idle(server, state, total.open.now),
        state: numbers(server, state, watch, &endpoint, &report),
        total,
        ..ServerFacts::default()
    }
}

/// `backend/server`.
fn name(runtime: &Runtime, id: ServerId) -> String {
    let server = runtime.plan.server(id);
    format!(
        "{}/{}",
        runtime.plan.proxy(server.backend).name,
        server.name
    )
}

/// The health of the server at the end of a chain of `track`; none while its checks are disabled.
fn watched_health(runtime: &Runtime, mut id: ServerId) -> Option<Health> {
    // A chain cannot be longer than the list of servers.
    for _ in 0..runtime.watches.len() {
        match runtime.watches[id.index()].tracks {
            Some(tracked) => id = tracked,
            None => break,
        }
    }
    let is_checked = runtime.watches[id.index()].check_enabled.load(Relaxed);
    let health = runtime.servers[id.index()].health();
    health.filter(|_| is_checked)
}

/// What an agent said, while it is asked.
fn asked_agent(state: &ServerState, watch: &Watch) -> Option<Health> {
    let is_asked = watch.agent_enabled.load(Relaxed);
    state.agent().filter(|_| is_asked)
}

fn condition(state: &ServerState, health: Option<Health>) -> Condition {
    let admin = state.admin();
    if admin.in_maint() {
        return Condition::Maint;
    }
    match (state.operational(), health) {
        (Operational::Stopped, Some(health)) if health.counter > 0 => Condition::GoingUp,
        (Operational::Stopped, _) => Condition::Down,
        _ if admin.in_drain() => Condition::Drain,
        (Operational::Stopping, _) => Condition::NoLb,
        (_, None) => Condition::NoCheck,
        (_, Some(health)) if health.counter < health.max() => Condition::GoingDown,
        _ => Condition::Up,
    }
}

/// The last check. HAProxy shows none of a server in maintenance, but what its agent says.
fn check(health: Option<Health>, report: &CheckReport, is_hidden: bool) -> CheckFacts {
    let health = health.unwrap_or_else(|| Health::barely_up(1, 1));
    let counts = CheckFacts {
        failed: report.failed,
        rise: health.rise,
        fall: health.fall,
        health: health.counter,
        ..CheckFacts::default()
    };
    if is_hidden {
        return counts;
    }
    let has_result = !matches!(
        report.status,
        CheckStatus::Unknown | CheckStatus::Initializing
    );
    let running = if report.in_progress { "* " } else { "" };
    CheckFacts {
        status: format!("{running}{}", report.status.code()),
        description: report.status.description().to_owned(),
        code: report.status.has_code().then_some(report.code),
        duration_ms: has_result.then_some(report.duration_ms),
        last: report.info.clone(),
        ..counts
    }
}

fn idle(server: &Server, state: &ServerState, used: u64) -> IdleFacts {
    let idle = state.idle_total();
    IdleFacts {
        idle,
        limit: server.pool.max,
        safe_idle: idle,
        used: u32::try_from(used).unwrap_or(u32::MAX),
        used_max: state.in_use_peak(),
        estimated_need: u32::try_from(used).unwrap_or(u32::MAX),
        purge_delay_ms: server.pool.purge_delay_ms,
        per_core: state.idle_per_core().collect(),
        ..IdleFacts::default()
    }
}

/// Bits of `srv_check_state` (management manual, 9.3).
const RUNNING: u8 = 1;
const CONFIGURED: u8 = 2;
const ENABLED: u8 = 4;
const PAUSED: u8 = 8;
const AGENT: u8 = 16;

fn numbers(
    server: &Server,
    state: &ServerState,
    watch: &Watch,
    endpoint: &Endpoint,
    report: &CheckReport,
) -> StateFacts {
    let line = &server.line;
    let admin = state.admin();
    let mut check_state = 0;
    if watch.checked {
        check_state |= CONFIGURED;
    }
    if watch.check_enabled.load(Relaxed) {
        check_state |= ENABLED;
    }
    if report.in_progress {
        check_state |= RUNNING;
    }
    // Maintenance by the tracked server or the resolver pauses no checks where there are none.
    let no_pause = if watch.checked {
        Admin::READY
    } else {
        Admin::IMAINT.with(Admin::RMAINT)
    };
    if admin.without(no_pause).in_maint() {
        check_state |= PAUSED;
    }
    let agent = match watch.agent_enabled.load(Relaxed) {
        _ if !line.agent.enabled => 0,
        true => CONFIGURED | ENABLED | AGENT,
        false => CONFIGURED | AGENT,
    };
    let port = match (endpoint, watch.named().port, line.port) {
        (Endpoint::Tcp(address), ..) => address.port(),
        (Endpoint::Unresolved, Some(port), _) => port,
        (Endpoint::Unresolved, None, Port::Fixed(port)) => port,
        _ => 0,
    };
    let check_port = match watch.check_port.load(Relaxed) {
        0 => line.check.port.unwrap_or(0),
        changed => changed,
    };
    StateFacts {
        operational: state.operational() as u8,
        administrative: admin.bits(),
        check_status: report.status.number(),
        check_result: result_number(report.status),
        check_state,
        unchecked_health: line.check.rise.unwrap_or(0),
        agent_state: agent,
        port,
        check_port,
        agent_port: line.agent.port.or(line.check.port).unwrap_or(0),
        forced_id: line.id.is_some(),
        use_tls: match &line.tls {
            _ if server.is_tls => 1,
            Some(tls) if tls.is_off => -1,
            _ => 0,
        },
    }
}

/// 0 unknown, 2 failed, 3 passed, 4 conditionally passed.
fn result_number(status: CheckStatus) -> u8 {
    match status {
        CheckStatus::Unknown | CheckStatus::Initializing | CheckStatus::Checked => 0,
        CheckStatus::L7OkConditional => 4,
        status if status.is_passed() => 3,
        _ => 2,
    }
}
