//! What each algorithm chooses; sequences marked "live" were recorded from HAProxy 3.5.

mod hash;

use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::plan::ServerId;
use crate::server::{
    Admin, BackendSettings, BackendState, Operational, Order, Permit, Registry, ServerSettings,
    ServerState, Token, Wake,
};

struct NoWake;

impl Wake for NoWake {
    fn wake(&self, _: Token) {}
}

const TOKEN: Token = Token { core: 0, ticket: 0 };

struct Farm {
    backend: Arc<BackendState>,
    servers: Vec<Arc<ServerState>>,
}

impl Farm {
    fn new(settings: &[ServerSettings]) -> Self {
        let mut registry = Registry::new(1, Arc::new(NoWake));
        let backend = registry.backend("be", BackendSettings::default());
        let servers = (1..)
            .zip(settings)
            .map(|(id, settings)| {
                let settings = ServerSettings { id, ..*settings };
                registry.server("be", &format!("s{id}"), &settings).0
            })
            .collect();
        Self { backend, servers }
    }

    fn weighted(weights: &[u32]) -> Self {
        let settings: Vec<_> = weights
            .iter()
            .map(|&weight| ServerSettings {
                weight,
                ..default()
            })
            .collect();
        Self::new(&settings)
    }

    fn view(&self, config: Config) -> View {
        let members = (0..)
            .zip(&self.servers)
            .map(|(id, state)| Member {
                id: ServerId(id),
                state: Arc::clone(state),
            })
            .collect();
        let view = View::build(&self.backend, config, members);
        view.install();
        view
    }

    fn take(&self, index: usize, count: usize) -> Vec<Permit> {
        (0..count)
            .filter_map(|_| self.servers[index].try_permit())
            .collect()
    }
}

fn default() -> ServerSettings {
    ServerSettings::default()
}

fn config(algorithm: Algorithm) -> Config {
    Config {
        algorithm,
        ..Config::default()
    }
}

fn hash_config(hash_type: HashType) -> Config {
    Config {
        algorithm: Algorithm::Hash,
        hash_type,
        ..Config::default()
    }
}

/// The choice as HAProxy's tests name servers: 1 is the first.
fn picked(view: &View, request: &Request<'_>) -> Option<u32> {
    match view.pick(request) {
        Pick::Server { member, .. } => Some(member.id.0 + 1),
        Pick::AllFull | Pick::NoServer => None,
    }
}

fn turns(weights: &[u32], algorithm: Algorithm, count: usize) -> Vec<u32> {
    let view = Farm::weighted(weights).view(config(algorithm));
    (0..count)
        .filter_map(|_| picked(&view, &Request::default()))
        .collect()
}

#[test]
fn roundrobin_orders_turns_like_haproxy_live() {
    let order = |weights: &[u32], count| turns(weights, Algorithm::RoundRobin, count);
    assert_eq!(order(&[1, 1, 1], 6), [1, 2, 3, 1, 2, 3]);
    assert_eq!(order(&[4, 1], 10), [1, 1, 1, 1, 2, 1, 1, 1, 1, 2]);
    assert_eq!(order(&[5, 1, 1], 7), [1, 1, 1, 2, 1, 1, 3]);
    assert_eq!(order(&[3, 2, 1], 6), [1, 2, 1, 3, 1, 2]);
    assert_eq!(order(&[1, 2, 3], 6), [3, 2, 3, 1, 3, 2]);
    assert_eq!(order(&[2, 2, 1, 1], 6), [1, 2, 3, 1, 2, 4]);
}

#[test]
fn static_rr_orders_turns_like_haproxy_live() {
    let order = |weights: &[u32], count| turns(weights, Algorithm::StaticRr, count);
    assert_eq!(order(&[4, 1], 5), [1, 1, 1, 1, 2]);
    assert_eq!(order(&[1, 4], 5), [1, 2, 2, 2, 2]);
    assert_eq!(order(&[3, 2, 1], 6), [1, 1, 2, 1, 2, 3]);
    assert_eq!(
        order(&[7, 5, 3, 2], 17),
        [1, 2, 1, 2, 1, 3, 2, 1, 4, 1, 2, 3, 1, 2, 1, 3, 4]
    );
}

#[test]
fn shares_are_exact_for_any_weights() {
    proptest::proptest!(|(weights in proptest::collection::vec(1_u32..=256, 1..12))| {
        for algorithm in [Algorithm::RoundRobin, Algorithm::StaticRr] {
            let total: u32 = weights.iter().sum();
            let mut counts: HashMap<u32, u32> = HashMap::new();
            for server in turns(&weights, algorithm, total as usize) {
                *counts.entry(server).or_default() += 1;
            }
            for (server, &weight) in (1..).zip(&weights) {
                proptest::prop_assert_eq!(counts.get(&server), Some(&weight));
            }
        }
    });
}

#[test]
fn huge_weight_sums_are_scaled_not_refused() {
    let weights: Vec<u32> = (0..3000).map(|n| 1 + n % 256).collect();
    let farm = Farm::weighted(&weights);
    let view = farm.view(config(Algorithm::RoundRobin));
    assert!((0..100).all(|_| picked(&view, &Request::default()).is_some()));
}

#[test]
fn leastconn_takes_the_least_loaded_then_the_longest_rested() {
    let farm = Farm::weighted(&[1, 1, 2]);
    let view = farm.view(config(Algorithm::LeastConn));
    let mut permits = Vec::new();
    let mut order = Vec::new();
    for _ in 0..8 {
        match view.assign(&Request::default(), &Order::default(), TOKEN) {
            Assigned::Granted { server, permit } => {
                order.push(server.0 + 1);
                permits.push(permit);
            }
            other => panic!("{other:?}"),
        }
    }
    let count = |server| order.iter().filter(|&&s| s == server).count();
    assert_eq!(order[..3], [1, 2, 3]);
    assert_eq!((count(1), count(2), count(3)), (2, 2, 4));
    permits.retain(|permit| permit.server().name() != "s2");
    assert_eq!(picked(&view, &Request::default()), Some(2));
}

#[test]
fn leastconn_without_load_takes_turns() {
    assert_eq!(
        turns(&[1, 1, 1], Algorithm::LeastConn, 6),
        [1, 2, 3, 1, 2, 3]
    );
}

#[test]
fn first_fills_servers_by_id() {
    let limited = ServerSettings {
        maxconn: 2,
        ..default()
    };
    let farm = Farm::new(&[limited, limited]);
    let view = farm.view(config(Algorithm::First));
    assert_eq!(picked(&view, &Request::default()), Some(1));
    let held = farm.take(0, 2);
    assert_eq!(picked(&view, &Request::default()), Some(2));
    let more = farm.take(1, 2);
    assert!(matches!(view.pick(&Request::default()), Pick::AllFull));
    drop((held, more));
    assert_eq!(picked(&view, &Request::default()), Some(1));
}

#[test]
fn random_respects_weights_and_prefers_the_less_loaded() {
    let farm = Farm::weighted(&[1, 3]);
    let single = farm.view(config(Algorithm::Random { draws: 1 }));
    let share = (0..4000)
        .filter(|&seed| {
            picked(
                &single,
                &Request {
                    seed,
                    ..Request::default()
                },
            ) == Some(1)
        })
        .count();
    assert!(
        (850..1150).contains(&share),
        "a weight of 1 in 4 got {share} of 4000"
    );

    let held = farm.take(1, 9);
    let many = farm.view(config(Algorithm::Random { draws: 64 }));
    for seed in 0..100 {
        assert_eq!(
            picked(
                &many,
                &Request {
                    seed,
                    ..Request::default()
                }
            ),
            Some(1)
        );
    }
    drop(held);
}

#[test]
fn backups_serve_only_when_no_active_server_does() {
    let backup = ServerSettings {
        backup: true,
        ..default()
    };
    let farm = Farm::new(&[default(), backup, backup]);
    let rr = config(Algorithm::RoundRobin);
    let order = |config| {
        let view = farm.view(config);
        (0..4)
            .filter_map(|_| picked(&view, &Request::default()))
            .collect::<Vec<_>>()
    };
    assert_eq!(order(rr), [1, 1, 1, 1]);
    farm.servers[0].set_admin(Admin::FMAINT);
    assert_eq!(order(rr), [2, 2, 2, 2]);
    assert_eq!(farm.backend.usable().backup, 2);
    let mut both = order(Config {
        all_backups: true,
        ..rr
    });
    both.sort_unstable();
    assert_eq!(both, [2, 2, 3, 3]);
    farm.servers[1].set_operational(Operational::Stopped);
    farm.servers[2].set_user_weight(0);
    assert!(matches!(
        farm.view(rr).pick(&Request::default()),
        Pick::NoServer
    ));
}

#[test]
fn static_algorithms_ignore_run_time_weights_except_zero() {
    let farm = Farm::weighted(&[1, 1]);
    farm.servers[0].set_user_weight(100);
    let view = farm.view(config(Algorithm::StaticRr));
    let order: Vec<_> = (0..4)
        .filter_map(|_| picked(&view, &Request::default()))
        .collect();
    assert_eq!(order, [1, 2, 1, 2]);
    farm.servers[0].set_user_weight(0);
    let view = farm.view(config(Algorithm::StaticRr));
    assert_eq!(picked(&view, &Request::default()), Some(2));
}

#[test]
fn a_redispatched_request_goes_elsewhere_unless_there_is_nothing_else() {
    for algorithm in [
        Algorithm::RoundRobin,
        Algorithm::StaticRr,
        Algorithm::LeastConn,
        Algorithm::First,
        Algorithm::Random { draws: 2 },
        Algorithm::Hash,
    ] {
        let farm = Farm::weighted(&[1, 1]);
        let view = farm.view(config(algorithm));
        for seed in 0..20 {
            let avoid = [ServerId(0)];
            let request = Request {
                hash: Some(seed as u32),
                seed,
                avoid: &avoid,
            };
            assert_eq!(picked(&view, &request), Some(2), "{algorithm:?}");
            let avoid = [ServerId(0), ServerId(1)];
            let request = Request {
                avoid: &avoid,
                ..request
            };
            assert!(picked(&view, &request).is_some(), "{algorithm:?}");
        }
    }
}

#[test]
fn when_all_are_full_the_request_waits_for_any() {
    let limited = ServerSettings {
        maxconn: 1,
        ..default()
    };
    let farm = Farm::new(&[limited, limited]);
    let view = farm.view(config(Algorithm::RoundRobin));
    let mut held = farm.take(0, 1);
    held.extend(farm.take(1, 1));
    let Assigned::Waiting {
        server: None,
        mut waiting,
    } = view.assign(&Request::default(), &Order::default(), TOKEN)
    else {
        panic!("a full farm must make it wait")
    };
    assert_eq!(farm.backend.queued(), 1);
    held.pop();
    match waiting.outcome() {
        crate::server::Outcome::Granted { permit, ahead } => {
            assert_eq!((permit.server().name(), ahead), ("s2", 0));
            assert_eq!(view.id_of(permit.server()), Some(ServerId(1)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(farm.backend.queued(), 0);
}

#[test]
fn under_threads_every_turn_is_given_exactly_once() {
    let farm = Farm::weighted(&[3, 2, 1]);
    let view = farm.view(config(Algorithm::RoundRobin));
    let (threads, rounds) = (4, 600);
    let mut counts: HashMap<u32, u32> = HashMap::new();
    let picks = std::thread::scope(|scope| {
        let core = || {
            (0..rounds)
                .filter_map(|_| picked(&view, &Request::default()))
                .collect()
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(core)).collect();
        let joined = running
            .into_iter()
            .flat_map(std::thread::ScopedJoinHandle::join);
        joined.collect::<Vec<Vec<u32>>>()
    });
    for server in picks.into_iter().flatten() {
        *counts.entry(server).or_default() += 1;
    }
    assert_eq!((counts[&1], counts[&2], counts[&3]), (1200, 800, 400));
}

#[test]
fn under_threads_leastconn_spreads_held_permits_evenly() {
    let farm = Farm::weighted(&[1, 1, 1, 1]);
    let view = farm.view(config(Algorithm::LeastConn));
    let permits: Vec<Permit> = std::thread::scope(|scope| {
        let core = || {
            let assign = || match view.assign(&Request::default(), &Order::default(), TOKEN) {
                Assigned::Granted { permit, .. } => permit,
                other => panic!("{other:?}"),
            };
            (0..100).map(|_| assign()).collect::<Vec<_>>()
        };
        let running: Vec<_> = (0..4).map(|_| scope.spawn(core)).collect();
        running
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .flatten()
            .collect()
    });
    assert_eq!(permits.len(), 400);
    let counts: Vec<u32> = farm.servers.iter().map(|server| server.in_use()).collect();
    // A core that lost its choice too often to others takes any server: a few may be uneven.
    assert!(
        counts.iter().all(|count| (95..=105).contains(count)),
        "{counts:?}"
    );
}
