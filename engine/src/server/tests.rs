//! Exactness of permits and queues, alone and under threads.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use super::*;

/// Remembers whom it woke, and lets threads sleep until they are.
#[derive(Default)]
struct Bells {
    rung: Mutex<HashSet<Token>>,
    bell: Condvar,
}

impl Bells {
    fn wait(&self, token: Token) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !rung.remove(&token) {
            rung = self.bell.wait(rung).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn take(&self) -> Vec<u64> {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tickets: Vec<u64> = rung.drain().map(|token| token.ticket).collect();
        tickets.sort_unstable();
        tickets
    }
}

impl Wake for Bells {
    fn wake(&self, token: Token) {
        self.rung
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(token);
        self.bell.notify_all();
    }
}

fn token(ticket: u64) -> Token {
    Token { core: 0, ticket }
}

fn limited(maxconn: u32) -> ServerSettings {
    ServerSettings {
        maxconn,
        ..ServerSettings::default()
    }
}

fn farm(settings: &[ServerSettings]) -> (Arc<Bells>, Arc<BackendState>, Vec<Arc<ServerState>>) {
    let bells = Arc::new(Bells::default());
    let mut registry = Registry::new(2, Arc::clone(&bells) as Arc<dyn Wake>);
    let backend = registry.backend("be", BackendSettings::default());
    let servers: Vec<_> = (1..)
        .zip(settings)
        .map(|(id, settings): (u32, _)| registry.server("be", &format!("s{id}"), settings).0)
        .collect();
    for server in &servers {
        server.set_serves_backend_queue(true);
    }
    (bells, backend, servers)
}

fn queued(admission: Admission) -> Waiting {
    match admission {
        Admission::Queued(waiting) => waiting,
        other => panic!("expected to wait, got {other:?}"),
    }
}

fn granted(waiting: &mut Waiting) -> Option<(Permit, u32)> {
    match waiting.outcome() {
        Outcome::Granted { permit, ahead } => Some((permit, ahead)),
        Outcome::Pending | Outcome::Redispatch => None,
    }
}

#[test]
fn a_limit_holds_and_a_dropped_permit_comes_back() {
    let (_, _, servers) = farm(&[limited(2)]);
    let first = servers[0].try_permit();
    let second = servers[0].try_permit();
    assert!(first.is_some() && second.is_some() && servers[0].try_permit().is_none());
    drop(first);
    assert!(servers[0].try_permit().is_some());
    drop(second);
    assert_eq!((servers[0].in_use(), servers[0].in_use_peak()), (0, 2));
}

#[test]
fn a_permit_for_a_seen_load_is_refused_when_the_load_moved() {
    let (_, _, servers) = farm(&[limited(5)]);
    let held = servers[0].try_permit_if(0);
    assert!(held.is_some() && servers[0].try_permit_if(0).is_none());
    assert!(servers[0].try_permit_if(1).is_some());
}

#[test]
fn waiters_are_served_in_order_and_newcomers_stand_behind() {
    let (bells, backend, servers) = farm(&[limited(1)]);
    let held = servers[0].try_permit();
    let wait =
        |ticket, order: Order| queued(backend.admit_to_server(&servers[0], &order, token(ticket)));
    let mut late = wait(
        1,
        Order {
            now_ms: 20,
            ..Order::default()
        },
    );
    let mut early = wait(
        2,
        Order {
            now_ms: 30,
            offset_ms: -20,
            ..Order::default()
        },
    );
    let mut urgent = wait(
        3,
        Order {
            now_ms: 40,
            class: -1,
            ..Order::default()
        },
    );
    assert_eq!((servers[0].queued(), servers[0].queued_peak()), (3, 3));
    assert!(servers[0].try_permit().is_none());

    drop(held);
    assert_eq!(bells.take(), [3]);
    let (permit, ahead) = granted(&mut urgent).expect("the urgent one is first");
    assert_eq!(ahead, 0);
    assert!(granted(&mut early).is_none());
    drop(permit);
    let (permit, ahead) = granted(&mut early).expect("then the earlier one");
    assert_eq!(ahead, 1);
    drop(permit);
    let (_permit, ahead) = granted(&mut late).expect("then the last");
    assert_eq!(ahead, 2);
    assert_eq!(servers[0].queued(), 0);
}

#[test]
fn a_waiter_that_gives_up_frees_its_place_or_its_permit() {
    let (bells, backend, servers) = farm(&[limited(1)]);
    let held = servers[0].try_permit();
    let first = queued(backend.admit_to_server(&servers[0], &Order::default(), token(1)));
    let second = queued(backend.admit_to_server(&servers[0], &Order::default(), token(2)));
    let mut third = queued(backend.admit_to_server(&servers[0], &Order::default(), token(3)));
    drop(second);
    assert_eq!(servers[0].queued(), 2);
    drop(held);
    assert_eq!(bells.take(), [1]);
    // It was granted but never looked: the permit moves on.
    drop(first);
    assert_eq!(bells.take(), [3]);
    assert!(granted(&mut third).is_some());
    drop(third);
    assert_eq!((servers[0].in_use(), servers[0].queued()), (0, 0));
}

#[test]
fn a_free_permit_goes_to_the_earlier_of_both_queues() {
    let (_, backend, servers) = farm(&[limited(1), limited(1)]);
    let held: Vec<_> = servers.iter().filter_map(ServerState::try_permit).collect();
    let at = |now_ms| Order {
        now_ms,
        ..Order::default()
    };
    let all = || servers.iter().cloned();
    let mut shared = queued(backend.admit_to_backend(all(), &at(10), token(1)));
    let mut own = queued(backend.admit_to_server(&servers[0], &at(20), token(2)));
    assert_eq!((backend.queued(), backend.queued_peak()), (1, 1));
    servers[0].set_serves_backend_queue(false);
    drop(held);
    // The first server serves only its own queue now, so each got one.
    let (one, _) = granted(&mut shared).expect("the second server serves the backend");
    let (two, _) = granted(&mut own).expect("the first server serves its own");
    assert_eq!((one.server().name(), two.server().name()), ("s2", "s1"));
}

#[test]
fn a_server_that_goes_down_sends_its_waiters_back() {
    let (bells, backend, servers) = farm(&[limited(1)]);
    let _held = servers[0].try_permit();
    let mut free = queued(backend.admit_to_server(&servers[0], &Order::default(), token(1)));
    let pinned_order = Order {
        pinned: true,
        ..Order::default()
    };
    let mut pinned = queued(backend.admit_to_server(&servers[0], &pinned_order, token(2)));
    assert_eq!(backend.redispatch(&servers[0]), 1);
    assert_eq!(bells.take(), [1]);
    assert!(matches!(free.outcome(), Outcome::Redispatch));
    assert!(matches!(pinned.outcome(), Outcome::Pending));
    assert_eq!(servers[0].queued(), 1);
}

#[test]
fn maxqueue_refuses_the_next_one() {
    let settings = ServerSettings {
        maxqueue: 1,
        ..limited(1)
    };
    let (_, backend, servers) = farm(&[settings]);
    let _held = servers[0].try_permit();
    let _waiting = queued(backend.admit_to_server(&servers[0], &Order::default(), token(1)));
    let refused = backend.admit_to_server(&servers[0], &Order::default(), token(2));
    assert!(matches!(refused, Admission::QueueFull));
}

#[test]
fn a_raised_limit_serves_the_queue() {
    let (bells, backend, servers) = farm(&[limited(1)]);
    let _held = servers[0].try_permit();
    let mut waiting = queued(backend.admit_to_server(&servers[0], &Order::default(), token(1)));
    servers[0].set_maxconn(2);
    backend.serve(&servers[0]);
    assert_eq!(bells.take(), [1]);
    assert!(granted(&mut waiting).is_some());
}

#[test]
fn the_limit_grows_from_minconn_to_maxconn_with_the_backend() {
    let settings = ServerSettings {
        minconn: 10,
        ..limited(100)
    };
    let (_, backend, servers) = farm(&[settings]);
    backend.adopt(BackendSettings { fullconn: 200 });
    assert_eq!(servers[0].limit(), Some(10));
    for _ in 0..100 {
        backend.session_begins();
    }
    assert_eq!(servers[0].limit(), Some(50));
    for _ in 0..100 {
        backend.session_begins();
    }
    assert_eq!(servers[0].limit(), Some(100));
    servers[0].store_throttle(25);
    assert_eq!(servers[0].limit(), Some(25));
    backend.session_ends();
    assert_eq!(backend.sessions(), 199);
}

#[test]
fn idle_connections_are_found_on_other_cores() {
    let (_, _, servers) = farm(&[limited(0)]);
    servers[0].add_idle(1);
    assert_eq!(
        (servers[0].idle_elsewhere(0), servers[0].idle_elsewhere(1)),
        (Some(1), None)
    );
    assert_eq!(servers[0].idle_total(), 1);
    servers[0].remove_idle(1);
    assert_eq!(servers[0].idle_elsewhere(0), None);
}

/// Each of some threads takes, holds and returns permits; `get` obtains one and may wait.
fn hammer(limit: u32, threads: u64, rounds: u64, get: impl Fn(u64) -> Permit + Sync) {
    let inside = AtomicU32::new(0);
    let exceeded = AtomicBool::new(false);
    let done = AtomicU64::new(0);
    thread::scope(|scope| {
        for core in 0..threads {
            let (inside, exceeded, done, get) = (&inside, &exceeded, &done, &get);
            scope.spawn(move || {
                for round in 0..rounds {
                    let permit = get(core * rounds + round);
                    if inside.fetch_add(1, Ordering::SeqCst) >= limit {
                        exceeded.store(true, Ordering::SeqCst);
                    }
                    if round % 7 == 0 {
                        thread::yield_now();
                    }
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(permit);
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert!(
        !exceeded.load(Ordering::SeqCst),
        "more permits than the limit"
    );
    assert_eq!(done.load(Ordering::SeqCst), threads * rounds);
}

fn claim(bells: &Bells, ticket: u64, admission: Admission) -> Permit {
    match admission {
        Admission::Granted(permit) => permit,
        Admission::QueueFull => panic!("no maxqueue was set"),
        Admission::Queued(mut waiting) => {
            // A lost wake-up would leave this thread, and so the test, here for ever.
            bells.wait(token(ticket));
            granted(&mut waiting).expect("woken with a permit").0
        }
    }
}

#[test]
fn under_threads_no_permit_too_many_and_no_wakeup_lost() {
    let (bells, backend, servers) = farm(&[limited(3)]);
    hammer(3, 8, 2_000, |ticket| {
        let admission = backend.admit_to_server(&servers[0], &Order::default(), token(ticket));
        claim(&bells, ticket, admission)
    });
    assert_eq!((servers[0].in_use(), servers[0].queued()), (0, 0));
    assert_eq!(servers[0].in_use_peak(), 3);
}

#[test]
fn under_threads_the_backend_queue_loses_nobody_either() {
    let (bells, backend, servers) = farm(&[limited(1), limited(2)]);
    hammer(3, 8, 2_000, |ticket| {
        if !backend.has_queue()
            && let Some(permit) = servers.iter().find_map(ServerState::try_permit)
        {
            return permit;
        }
        let admission =
            backend.admit_to_backend(servers.iter().cloned(), &Order::default(), token(ticket));
        claim(&bells, ticket, admission)
    });
    assert_eq!(backend.queued(), 0);
    assert_eq!(servers.iter().map(|server| server.in_use()).sum::<u32>(), 0);
}

#[test]
fn under_threads_waiters_that_give_up_cost_nothing() {
    let (bells, backend, servers) = farm(&[limited(2)]);
    hammer(2, 6, 1_000, |ticket| {
        loop {
            let admission = backend.admit_to_server(&servers[0], &Order::default(), token(ticket));
            if ticket % 3 == 0 {
                if let Admission::Granted(permit) = admission {
                    return permit;
                }
                drop(admission);
                bells
                    .rung
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&token(ticket));
                thread::yield_now();
                continue;
            }
            return claim(&bells, ticket, admission);
        }
    });
    assert_eq!((servers[0].in_use(), servers[0].queued()), (0, 0));
}
