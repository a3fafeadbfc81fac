//! What reports show of one server.

use super::snapshot::Moment;
use crate::plan::{Endpoint, Server, ServerId};
use crate::server::{
    CheckReport, CheckStatus, Health, Operational, ServerState, StatusInput, WEIGHT_SCALE,
    status_text,
};
use std::sync::PoisonError;

use crate::stats::{CheckFacts, Condition, GaugeTotal, IdleFacts, ServerFacts, StateFacts};

/// `pool-purge-delay` where none is written (manual, 5.2).
const PURGE_DELAY_MS: u64 = 5_000;

/// Bits of `srv_check_state` (management.txt 9.3).
const CHECK_CONFIGURED: u8 = 2;
const CHECK_ENABLED: u8 = 4;

/// One server at one instant.
pub(super) fn server(moment: &Moment<'_>, id: ServerId) -> ServerFacts {
    let runtime = moment.runtime;
    let (plan, state) = (runtime.plan.server(id), &runtime.servers[id.index()]);
    let endpoint = &runtime.endpoints[id.index()];
    let endpoint = endpoint.read().unwrap_or_else(PoisonError::into_inner).clone();
    let (health, agent) = (state.health(), state.agent());
    let tracked = plan
        .line
        .track
        .as_ref()
        .map(|(backend, server)| format!("{backend}/{server}"));
    let mut total = runtime.stats.servers[id.index()].total(moment.now_ms);
    // Permits are counted exactly for the whole process, queue and limit go by them.
    total.open = GaugeTotal {
        now: u64::from(state.in_use()),
        max: u64::from(state.in_use_peak()).max(total.open.max),
    };
    let report = state.check_report();
    ServerFacts {
        name: plan.name.to_string(),
        id: state.id(),
        status: status_text(&StatusInput {
            admin: state.admin(),
            operational: state.operational(),
            health,
            agent,
            tracked: tracked.as_deref(),
        }),
        condition: condition(state, health.or(agent)),
        backup: state.is_backup(),
        weight: state.effective_weight().div_ceil(WEIGHT_SCALE),
        user_weight: state.user_weight(),
        initial_weight: state.initial_weight(),
        queued: state.queued(),
        queued_max: state.queued_peak(),
        queue_limit: state.maxqueue(),
        limit: state.maxconn(),
        last_change_s: moment.seconds_since(report.last_change_ms),
        downtime_s: (report.downtime_ms(state.operational(), moment.now_ms) / 1000) as u32,
        downs: report.went_down,
        throttle_percent: Some(state.throttle_percent()).filter(|percent| *percent < 100),
        tracked,
        check: health.map(|health| check(&report, health)),
        agent: agent.map(|agent| check(&state.agent_report(), agent)),
        address: address(&endpoint),
        host: host(plan),
        cookie: plan.line.cookie.clone(),
        idle: idle(plan, state),
        state: numbers(plan, state, &report, &endpoint),
        observed_failures: None,
        revision: 0,
        total,
    }
}

fn condition(state: &ServerState, health: Option<Health>) -> Condition {
    let admin = state.admin();
    if admin.in_maint() {
        return Condition::Maint;
    }
    if !state.operational().is_up() {
        let rising = health.is_some_and(|health| health.counter > 0);
        return if rising {
            Condition::GoingUp
        } else {
            Condition::Down
        };
    }
    if admin.in_drain() || state.user_weight() == 0 {
        return Condition::Drain;
    }
    match health {
        _ if state.operational() == Operational::Stopping => Condition::NoLb,
        None => Condition::NoCheck,
        Some(health) if health.counter < health.max() => Condition::GoingDown,
        Some(_) => Condition::Up,
    }
}

fn check(report: &CheckReport, health: Health) -> CheckFacts {
    let star = if report.in_progress { "* " } else { "" };
    let done = !matches!(
        report.status,
        CheckStatus::Unknown | CheckStatus::Initializing
    );
    CheckFacts {
        failed: report.failed,
        status: format!("{star}{}", report.status.code()),
        description: report.status.description().to_owned(),
        code: Some(report.code).filter(|code| *code > 0 && report.status.has_code()),
        duration_ms: done.then_some(report.duration_ms),
        last: report.info.clone(),
        rise: health.rise,
        fall: health.fall,
        health: health.counter,
    }
}

fn address(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp(address) => address.to_string(),
        Endpoint::TcpOffset(ip, offset) if ip.is_ipv6() => format!("[{ip}]:{offset:+}"),
        Endpoint::TcpOffset(ip, offset) => format!("{ip}:{offset:+}"),
        Endpoint::Unix(_) | Endpoint::Abstract(_) => "unix".to_owned(),
        Endpoint::Unresolved => String::new(),
    }
}

fn host(plan: &Server) -> Option<String> {
    match &plan.line.address {
        cfgparse::model::Addr::Name { host, .. } => Some(host.clone()),
        _ => None,
    }
}

fn idle(plan: &Server, state: &ServerState) -> IdleFacts {
    let pool = &plan.line.pool;
    let idle = state.idle_total();
    IdleFacts {
        idle,
        limit: pool.max_conn.and_then(|limit| u32::try_from(limit).ok()),
        safe_idle: idle,
        used: state.in_use(),
        used_max: state.in_use_peak(),
        estimated_need: state.in_use(),
        purge_delay_ms: pool.purge_delay_ms.map_or(PURGE_DELAY_MS, u64::from),
        ..IdleFacts::default()
    }
}

fn numbers(
    plan: &Server,
    state: &ServerState,
    report: &CheckReport,
    endpoint: &Endpoint,
) -> StateFacts {
    let checked = |present: bool| {
        if present {
            CHECK_CONFIGURED | CHECK_ENABLED
        } else {
            0
        }
    };
    StateFacts {
        operational: state.operational() as u8,
        administrative: state.admin().bits(),
        check_status: status_number(report.status),
        check_result: result_number(report.status),
        check_state: checked(state.health().is_some()),
        agent_state: checked(state.agent().is_some()),
        port: match endpoint {
            Endpoint::Tcp(address) => address.port(),
            _ => 0,
        },
        check_port: plan.line.check.port.unwrap_or(0),
        agent_port: plan.line.agent.port.unwrap_or(0),
        forced_id: plan.line.id.is_some(),
        tls: plan.is_tls,
    }
}

/// The numbers that a live HAProxy 3.5 writes into its state file.
fn status_number(status: CheckStatus) -> u8 {
    match status {
        CheckStatus::Unknown | CheckStatus::Initializing => 1,
        CheckStatus::Observed => 4,
        CheckStatus::SocketError => 5,
        CheckStatus::L4Ok => 6,
        CheckStatus::L4Timeout => 7,
        CheckStatus::L4Connection => 8,
        CheckStatus::L6Ok => 9,
        CheckStatus::L6Timeout => 10,
        CheckStatus::L6Response => 11,
        CheckStatus::L7Timeout => 12,
        CheckStatus::L7Response => 13,
        CheckStatus::L7Ok => 15,
        CheckStatus::L7OkConditional => 16,
        CheckStatus::L7Status => 17,
        CheckStatus::ProcessError => 18,
        CheckStatus::ProcessTimeout => 19,
        CheckStatus::ProcessOk => 20,
    }
}

/// 0 unknown, 2 failed, 3 passed, 4 conditionally passed.
fn result_number(status: CheckStatus) -> u8 {
    match status {
        CheckStatus::Unknown | CheckStatus::Initializing => 0,
        CheckStatus::L7OkConditional => 4,
        status if status.is_passed() => 3,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_every_kind() {
        let rows = [
            (
                Endpoint::Tcp("127.0.0.1:80".parse().expect("v4")),
                "127.0.0.1:80",
            ),
            (Endpoint::Tcp("[::1]:80".parse().expect("v6")), "[::1]:80"),
            (
                Endpoint::TcpOffset("10.0.0.1".parse().expect("v4"), 0),
                "10.0.0.1:+0",
            ),
            (
                Endpoint::TcpOffset("::1".parse().expect("v6"), -5),
                "[::1]:-5",
            ),
            (Endpoint::Unix("/x".to_owned()), "unix"),
            (Endpoint::Unresolved, ""),
        ];
        for (endpoint, expected) in rows {
            assert_eq!(address(&endpoint), expected);
        }
    }

    #[test]
    fn results_follow_the_status() {
        assert_eq!(result_number(CheckStatus::L7Ok), 3);
        assert_eq!(result_number(CheckStatus::L7OkConditional), 4);
        assert_eq!(result_number(CheckStatus::L4Connection), 2);
        assert_eq!(result_number(CheckStatus::Initializing), 0);
    }

    #[test]
    fn a_check_tells_its_last_result() {
        let report = CheckReport {
            status: CheckStatus::L7Status,
            code: 500,
            duration_ms: 3,
            info: "HTTP status check returned code <500>".to_owned(),
            in_progress: true,
            ..CheckReport::default()
        };
        let facts = check(
            &report,
            Health {
                rise: 2,
                fall: 3,
                counter: 1,
            },
        );
        assert_eq!((facts.status.as_str(), facts.code), ("* L7STS", Some(500)));
        assert_eq!((facts.duration_ms, facts.health), (Some(3), 1));
        let fresh = check(&CheckReport::default(), Health::barely_up(2, 3));
        assert_eq!((fresh.code, fresh.duration_ms), (None, None));
    }
}
