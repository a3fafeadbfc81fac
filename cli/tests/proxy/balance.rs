//! Which server gets which request, exact for the whole process.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, get, wait_until};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

const NAMES: [&str; 4] = ["s1", "s2", "s3", "s4"];

struct Farm {
    listen: Port,
    origins: Vec<Origin>,
    proxy: Proxy,
}

/// Four servers under an algorithm; `options` go to each server line.
fn farm(cores: usize, balance: &str, options: [&str; 4], origins: Vec<Origin>) -> Farm {
    let listen = Port::reserve();
    let servers: Vec<String> = NAMES
        .iter()
        .zip(&origins)
        .zip(options)
        .map(|((name, origin), option)| format!("    server {name} {} {option}\n", origin.address))
        .collect();
    let servers = servers.concat();
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{listen}
    balance {balance}
{servers}"
    );
    let proxy = Proxy::start(cores, &config);
    Farm {
        listen,
        origins,
        proxy,
    }
}

fn named() -> Vec<Origin> {
    NAMES.iter().map(|name| Origin::named(name)).collect()
}

impl Farm {
    fn answers(&self, count: usize) -> Vec<String> {
        (0..count)
            .map(|_| get(self.listen.address(), "/").text())
            .collect()
    }

    fn shares(&self, count: usize) -> BTreeMap<String, usize> {
        let mut shares = BTreeMap::new();
        for name in self.answers(count) {
            *shares.entry(name).or_default() += 1;
        }
        shares
    }
}

#[test]
fn roundrobin_keeps_its_order_over_connections_on_any_core() {
    for cores in CORES {
        let farm = farm(cores, "roundrobin", [""; 4], named());
        assert_eq!(farm.answers(20), NAMES.repeat(5), "{cores} cores");
    }
}

#[test]
fn roundrobin_is_exact_under_concurrency() {
    for cores in CORES {
        let farm = farm(cores, "roundrobin", [""; 4], named());
        let to = farm.listen.address();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(move || {
                    for _ in 0..25 {
                        assert_eq!(get(to, "/").status(), 200);
                    }
                });
            }
        });
        let counts: Vec<usize> = farm.origins.iter().map(|o| o.requests().len()).collect();
        assert_eq!(counts, [50; 4], "{cores} cores");
    }
}

#[test]
fn roundrobin_is_smooth_by_weight() {
    for cores in CORES {
        let weights = ["weight 5", "weight 1", "weight 1", "weight 0"];
        let farm = farm(cores, "roundrobin", weights, named());
        for _ in 0..3 {
            let answers = farm.answers(7);
            let of = |name: &str| answers.iter().filter(|answer| *answer == name).count();
            assert_eq!(
                [of("s1"), of("s2"), of("s3"), of("s4")],
                [5, 1, 1, 0],
                "{answers:?}"
            );
        }
        assert_eq!(
            farm.proxy.admin("set weight web/s4 1; set weight web/s1 1"),
            ""
        );
        assert_eq!(
            farm.shares(40),
            NAMES.map(|name| (name.to_owned(), 10)).into()
        );
    }
}

#[test]
fn static_rr_shares_by_weight() {
    for cores in CORES {
        let weights = ["weight 4", "weight 2", "weight 1", "weight 1"];
        let farm = farm(cores, "static-rr", weights, named());
        let shares: Vec<usize> = farm.shares(24).into_values().collect();
        assert_eq!(shares, [12, 6, 3, 3], "{cores} cores");
    }
}

#[test]
fn leastconn_avoids_busy_servers() {
    for cores in CORES {
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
        let origins = NAMES.map(|name| {
            let gate = std::sync::Arc::clone(&gate);
            Origin::answering(move |request| {
                if request.path() == "/hold" {
                    // Ends when the other end of the channel is dropped.
                    let _ = gate.lock().expect("one at a time").recv();
                }
                crate::harness::ok(name)
            })
        });
        let farm = farm(cores, "leastconn", [""; 4], origins.into());
        let mut held: Vec<Client> = (0..3)
            .map(|_| Client::connect(farm.listen.address()))
            .collect();
        for (n, client) in held.iter_mut().enumerate() {
            client.send("GET /hold HTTP/1.1\r\nhost: a\r\n\r\n");
            let holding = || {
                farm.origins
                    .iter()
                    .map(|origin| origin.requests().len())
                    .sum::<usize>()
            };
            wait_until("the request is held", || holding() == n + 1);
        }
        let free = farm
            .origins
            .iter()
            .position(|origin| origin.requests().is_empty());
        let free = NAMES[free.expect("each of the three is on a server of its own")];
        assert_eq!(farm.answers(6), [free; 6], "{cores} cores");
        drop(release);
        for client in &mut held {
            assert_eq!(client.response().status(), 200);
        }
    }
}

#[test]
fn source_sends_an_address_always_to_the_same_server() {
    for cores in CORES {
        let farm = farm(cores, "source", [""; 4], named());
        let to = farm.listen.address();
        let mut used = BTreeMap::<String, usize>::new();
        for last in 1..=40 {
            let answers: Vec<String> = (0..3).map(|_| get_from(last, to)).collect();
            assert!(
                answers.iter().all(|answer| *answer == answers[0]),
                "{answers:?}"
            );
            *used.entry(answers[0].clone()).or_default() += 1;
        }
        assert!(used.len() >= 3, "{used:?}");
    }
}

/// A request from 127.0.0.`last`.
fn get_from(last: u8, to: SocketAddr) -> String {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.expect("a socket");
    let from = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
    socket.bind(&from.into()).expect("a loopback address");
    socket.connect(&to.into()).expect("a connection");
    Client::over(std::net::TcpStream::from(socket))
        .get("/")
        .text()
}

#[test]
fn first_fills_one_server_before_the_next() {
    for cores in CORES {
        let farm = farm(cores, "first", ["maxconn 10"; 4], named());
        assert_eq!(farm.answers(12), ["s1"; 12], "{cores} cores");
    }
}

#[test]
fn random_uses_all_servers() {
    for cores in CORES {
        let farm = farm(cores, "random", [""; 4], named());
        let shares = farm.shares(200);
        assert_eq!(shares.len(), 4, "{shares:?}");
        assert!(shares.values().all(|share| *share > 15), "{shares:?}");
    }
}

#[test]
fn a_disabled_server_starts_in_maintenance() {
    let farm = farm(1, "roundrobin", ["", "disabled", "", ""], named());
    assert_eq!(farm.answers(6), ["s1", "s3", "s4"].repeat(2));
    assert_eq!(farm.proxy.stat("web", "s2", "status"), "MAINT");
    assert_eq!(farm.proxy.admin("enable server web/s2"), "");
    assert_eq!(
        farm.shares(8),
        NAMES.map(|name| (name.to_owned(), 2)).into()
    );
}
