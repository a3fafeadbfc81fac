//! Servers that come, go and change their name at run time (management.txt 9.3, `add server`).

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, get};
use std::sync::atomic::{AtomicBool, Ordering};

struct Site {
    listen: Port,
    first: Origin,
    second: Origin,
    proxy: Proxy,
}

fn site(cores: usize) -> Site {
    let listen = Port::reserve();
    let (first, second) = (Origin::named("one"), Origin::named("two"));
    let config = format!(
        "
defaults
    mode http{LONG_TIMEOUTS}
frontend web
    bind *:{listen}
    use_backend fixed if {{ path_beg /fixed }}
    default_backend app
backend app
    balance roundrobin
    default-server weight 7
    default-server name small weight 3
    server s1 {}
backend fixed
    balance static-rr
    use-server s1 if {{ path /fixed/one }}
    server s1 {}
    server s2 {}
",
        first.address, first.address, first.address
    );
    let proxy = Proxy::start(cores, &config);
    Site {
        listen,
        first,
        second,
        proxy,
    }
}

#[test]
fn an_added_server_serves_on_every_core_and_goes_without_a_trace() {
    for cores in CORES {
        let site = site(cores);
        let mut clients: Vec<Client> = (0..16)
            .map(|_| Client::connect(site.listen.address()))
            .collect();
        let mut answers = || -> Vec<String> {
            clients
                .iter_mut()
                .map(|client| client.get("/").text())
                .collect()
        };
        let admin = |command: &str| site.proxy.admin(command);
        for round in 0..5 {
            let two = site.second.address;
            assert_eq!(
                admin(&format!("add server app/s2 {two} from be:")),
                "New server registered."
            );
            assert!(answers().iter().all(|name| name == "one"), "in maintenance");
            assert_eq!(admin("enable server app/s2"), "");
            let found = answers();
            let count = found.iter().filter(|name| *name == "two").count();
            assert_eq!(count, 8, "{cores} cores, round {round}");
            assert_eq!(
                admin("del server app/s2"),
                "Only servers in maintenance mode can be deleted."
            );
            assert_eq!(admin("disable server app/s2"), "");
            assert_eq!(admin("wait 5s srv-removable app/s2"), "Done.");
            assert_eq!(admin("del server app/s2"), "Server deleted.");
            assert!(answers().iter().all(|name| name == "one"));
            assert_eq!(admin("del server app/s2"), "No such server.");
        }
        assert_eq!(site.second.requests().len(), 40);
        assert_eq!(site.first.requests().len(), 5 * 40);
    }
}

#[test]
fn a_new_server_counts_from_zero_where_an_old_one_stood() {
    for cores in CORES {
        let site = site(cores);
        let (admin, two) = (|line: &str| site.proxy.admin(line), site.second.address);
        admin(&format!("add server app/s2 {two} weight 256"));
        admin("enable server app/s2");
        for _ in 0..20 {
            get(site.listen.address(), "/");
        }
        let served = site.proxy.stat("app", "s2", "stot");
        assert_ne!(served, "0");
        admin("disable server app/s2;wait 5s srv-removable app/s2;del server app/s2");
        assert_eq!(
            admin(&format!("add server app/other {two} from srv:small")),
            "New server registered."
        );
        assert_eq!(site.proxy.stat("app", "other", "stot"), "0");
        assert_eq!(admin("get weight app/other"), "3 (initial 3)");
        assert_eq!(site.proxy.stat("app", "BACKEND", "stot"), "20");
    }
}

#[test]
fn what_cannot_be_added_is_refused() {
    let site = site(1);
    let rows = [
        ("foo/s1 127.0.0.1:80", "No such backend."),
        (
            "app/s1 127.0.0.1:80",
            "Already exists a server with the same name in backend.",
        ),
        (
            "app/s2",
            "'server' expects <name> and <addr>[:<port>] as arguments.",
        ),
        (
            "fixed/s9 127.0.0.1:80",
            "Backend does not support dynamic servers : backend 'fixed' uses a non dynamic load balancing method.",
        ),
        ("app", "Require 'backend/server'."),
        (
            "app/s2 127.0.0.1:80 track nobody",
            "unable to find required server 'nobody' for tracking.",
        ),
        (
            "app/s2 127.0.0.1:80 enabled",
            "'enabled' option is not accepted for dynamic server",
        ),
        (
            "app/a$ 127.0.0.1:80",
            "character '$' is not permitted in server name 'a$'.",
        ),
    ];
    for (words, expected) in rows {
        assert_eq!(site.proxy.admin(&format!("add server {words}")), expected);
    }
}

#[test]
fn a_server_that_a_rule_names_stays() {
    let site = site(2);
    let admin = |line: &str| site.proxy.admin(line);
    admin("disable server fixed/s1;disable server fixed/s2");
    assert_eq!(
        admin("del server fixed/s1"),
        "This server cannot be removed at runtime due to other configuration elements pointing to it."
    );
    assert_eq!(
        admin("set server fixed/s1 name other"),
        "Cannot rename: server's name is statically referenced (use-server, track, or sample argument)."
    );
    assert_eq!(admin("del server fixed/s2"), "Server deleted.");
    admin("enable server fixed/s1");
    assert_eq!(get(site.listen.address(), "/fixed").text(), "one");
}

#[test]
fn a_server_is_renamed() {
    for cores in CORES {
        let site = site(cores);
        let admin = |line: &str| site.proxy.admin(line);
        assert_eq!(
            admin("set server app/s1 name blue"),
            "Server must be in maintenance mode to be renamed (set server <b>/<s> state maint)."
        );
        admin("disable server app/s1");
        assert_eq!(
            admin("set server app/s1 name bl/ue"),
            "Server name contains invalid characters."
        );
        assert_eq!(admin("set server app/s1 name blue"), "Server name updated.");
        assert_eq!(admin("enable server app/s1"), "No such server.");
        assert_eq!(admin("enable server app/blue"), "");
        assert!(admin("show servers state app").contains(" app 1 blue 127.0.0.1 2 0 "));
        assert_eq!(get(site.listen.address(), "/").text(), "one");
        assert_eq!(site.proxy.stat("app", "blue", "stot"), "1");
    }
}

/// Servers come and go under traffic: no request fails.
#[test]
fn traffic_does_not_notice() {
    for cores in CORES {
        let site = site(cores);
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut client = Client::connect(site.listen.address());
                    while !over.load(Ordering::Relaxed) {
                        assert_eq!(client.get("/").status(), 200);
                    }
                });
            }
            let admin = |line: &str| site.proxy.admin(line);
            let two = site.second.address;
            for round in 0..30 {
                let name = format!("app/d{}", round % 3);
                assert_eq!(
                    admin(&format!("add server {name} {two} weight 7")),
                    "New server registered."
                );
                admin(&format!("enable server {name}"));
                admin(&format!("disable server {name}"));
                assert_eq!(admin(&format!("wait 5s srv-removable {name}")), "Done.");
                assert_eq!(admin(&format!("del server {name}")), "Server deleted.");
            }
            over.store(true, Ordering::Relaxed);
        });
    }
}
