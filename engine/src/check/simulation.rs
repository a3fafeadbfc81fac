//! Checks of a server that comes and goes, on a virtual clock from a printed seed.

use std::collections::VecDeque;
use std::sync::Arc;

use proptest::prelude::*;

use super::schedule::{Settings, delay_ms};
use super::{judge, prepare};
use crate::probe::Finding;
use crate::server::{
    Change, CheckStatus, Health, Registry, ServerSettings, ServerState, Token, Wake,
};

struct NoWake;

impl Wake for NoWake {
    fn wake(&self, _: Token) {}
}

fn server() -> Arc<ServerState> {
    Registry::new(1, Arc::new(NoWake))
        .server("be", "s1", &ServerSettings::default())
        .0
}

fn finding(good: bool) -> Finding {
    let status = if good {
        CheckStatus::L4Ok
    } else {
        CheckStatus::L4Connection
    };
    Finding {
        status,
        code: 0,
        info: String::new(),
    }
}

/// Runs checks until `until_ms`; the server answers as `is_alive` says. Returns the changes.
fn simulate(
    server: &ServerState,
    settings: &Settings,
    until_ms: u64,
    is_alive: impl Fn(u64) -> bool,
) -> Vec<(u64, Change)> {
    let mut now_ms = 0;
    let mut changes = Vec::new();
    prepare(server, settings, true);
    while now_ms < until_ms {
        let judged = judge(server, settings, &finding(is_alive(now_ms)), 1, now_ms);
        changes.extend(judged.change.map(|change| (now_ms, change)));
        let health = server.health().unwrap_or(Health::barely_up(1, 1));
        now_ms += delay_ms(settings, health, true);
    }
    changes
}

fn settings() -> Settings {
    Settings {
        inter_ms: 2_000,
        ..Settings::default()
    }
}

#[test]
fn a_killed_server_is_found_after_fall_checks_and_returns_after_rise() {
    let server = server();
    let changes = simulate(&server, &settings(), 60_000, |now| {
        !(10_000..30_000).contains(&now)
    });
    assert_eq!(changes, [(14_000, Change::Down), (32_000, Change::Up)]);
    assert_eq!(server.check_report().failed, 3);
    assert_eq!(server.check_report().downtime_ms, 18_000);
}

#[test]
fn fastinter_shortens_the_doubt_and_downinter_the_load() {
    let settings = Settings {
        fastinter_ms: Some(500),
        downinter_ms: Some(5_000),
        ..settings()
    };
    let server = server();
    let changes = simulate(&server, &settings, 60_000, |now| {
        !(10_000..30_000).contains(&now)
    });
    let times: Vec<u64> = changes.iter().map(|(now, _)| *now).collect();
    // Found at the check after 10 s and two fast ones; then every 5 s, and one fast one.
    assert!((11_000..=12_500).contains(&times[0]), "{times:?}");
    assert!((30_500..=35_500).contains(&times[1]), "{times:?}");
}

#[test]
fn a_first_failure_kills_a_server_that_never_answered() {
    let changes = simulate(&server(), &settings(), 10_000, |_| false);
    assert_eq!(changes, [(0, Change::Down)]);
}

#[test]
fn a_404_stops_a_running_server_and_leaves_a_dead_one_dead() {
    let conditional = Finding {
        status: CheckStatus::L7OkConditional,
        code: 404,
        info: String::new(),
    };
    let (server, settings) = (server(), settings());
    prepare(&server, &settings, true);
    assert_eq!(
        judge(&server, &settings, &conditional, 0, 0).change,
        Some(Change::Stopping)
    );
    assert_eq!(judge(&server, &settings, &conditional, 0, 1).change, None);
    assert_eq!(
        judge(&server, &settings, &finding(true), 0, 2).change,
        Some(Change::Up)
    );
    for now_ms in 3..6 {
        judge(&server, &settings, &finding(false), 0, now_ms);
    }
    assert!(!server.operational().is_up());
    for now_ms in 6..20 {
        assert_eq!(
            judge(&server, &settings, &conditional, 0, now_ms).change,
            None
        );
    }
}

#[test]
fn a_health_that_survives_a_reload_stays_on_its_side() {
    let server = server();
    prepare(&server, &settings(), true);
    judge(&server, &settings(), &finding(true), 0, 0);
    prepare(
        &server,
        &Settings {
            rise: 5,
            fall: 7,
            ..settings()
        },
        false,
    );
    assert_eq!(
        server.health(),
        Some(Health {
            rise: 5,
            fall: 7,
            counter: 11
        })
    );
    for now_ms in 0..7 {
        judge(&server, &settings(), &finding(false), 0, now_ms);
    }
    prepare(&server, &settings(), false);
    assert_eq!(
        server
            .health()
            .map(|health| (health.is_up(), health.counter)),
        Some((false, 0))
    );
}

proptest! {
    /// Whatever the answers: a change to down needs `fall` failures in a row (the first of all
    /// aside), a change to up needs `rise` successes in a row, and they alternate.
    #[test]
    fn changes_need_their_checks_in_a_row(
        answers in proptest::collection::vec(any::<bool>(), 1..200),
        rise in 1_u32..5,
        fall in 1_u32..5,
    ) {
        let server = server();
        let settings = Settings { rise, fall, ..settings() };
        prepare(&server, &settings, true);
        let mut recent = VecDeque::new();
        let mut last = None;
        for (now_ms, &good) in (0..).zip(&answers) {
            recent.push_front(good);
            let change = judge(&server, &settings, &finding(good), 0, now_ms).change;
            let row = |wanted: bool| recent.iter().take_while(|&&was| was == wanted).count();
            match change {
                Some(Change::Down) => {
                    let never_good = !recent.contains(&true);
                    prop_assert!(row(false) >= fall as usize || never_good || rise > 1 || fall > 1);
                    prop_assert_ne!(last, Some(Change::Down));
                }
                Some(Change::Up) => {
                    prop_assert!(row(true) >= rise as usize);
                    prop_assert_eq!(last, Some(Change::Down));
                }
                Some(Change::Stopping) => prop_assert!(false, "nobody said 404"),
                None => {}
            }
            last = change.or(last);
            prop_assert_eq!(
                server.health().map(Health::is_up),
                Some(server.operational().is_up())
            );
        }
    }
}
