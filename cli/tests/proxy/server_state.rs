//! Server states that survive a restart by way of a file.

use std::fs;

use crate::harness::{Origin, Port, Proxy, wait_until};

fn config(settings: &str, state: &str, servers: &str) -> String {
    let listen = Port::reserve();
    format!(
        "
global
    {settings}
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
    load-server-state-from-file {state}
listen web
    bind *:{listen}
    balance roundrobin
{servers}
"
    )
}

#[test]
fn weights_states_and_addresses_are_taken_up_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("states");
    let origin = Origin::named("a");
    let port = origin.address.port();
    let settings = format!("server-state-file {}", file.display());
    let servers = format!(
        "    server s1 {} weight 10
    server s2 {0} weight 20
    server s3 {0}
    server s4 localhost:{port}
    server s5 {0} check inter 60s",
        origin.address
    );
    let before = Proxy::start(1, &config(&settings, "global", &servers));
    for command in [
        "set weight web/s1 5",
        "set weight web/s2 7",
        "set server web/s3 state drain",
        "set server web/s4 addr 127.0.0.9",
        "disable server web/s5",
    ] {
        before.admin(command);
    }
    let saved = before.admin("show servers state") + "\n";
    fs::write(&file, saved).expect("the state file");
    drop(before);

    // The configuration has changed its mind about one weight.
    let servers = servers.replace("weight 20", "weight 30");
    let after = Proxy::start(1, &config(&settings, "global", &servers));
    assert_eq!(after.admin("get weight web/s1").trim(), "5 (initial 10)");
    assert_eq!(after.admin("get weight web/s2").trim(), "30 (initial 30)");
    assert_eq!(after.stat("web", "s3", "status"), "DRAIN");
    assert_eq!(after.stat("web", "s5", "status"), "MAINT");
    let states = after.admin("show servers state");
    let of_s4 = states.lines().find(|line| line.contains(" s4 "));
    assert!(
        of_s4.is_some_and(|line| line.contains(" 127.0.0.9 ")),
        "{states}"
    );
}

#[test]
fn a_server_that_was_down_is_down_until_its_check_says_otherwise() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut origin = Origin::named("a");
    origin.stop();
    let base = format!("server-state-base {}", directory.path().display());
    let servers = format!(
        "    server s1 {} check inter 50ms fall 1 rise 1",
        origin.address
    );
    let before = Proxy::start(1, &config(&base, "none", &servers));
    wait_until("the server is down", || {
        before.stat("web", "s1", "status") == "DOWN"
    });
    // A backend's own file has its name.
    let saved = before.admin("show servers state web") + "\n";
    fs::write(directory.path().join("web"), saved).expect("the state file");
    drop(before);
    origin.start();
    let after = Proxy::start(1, &config(&base, "local", &servers));
    wait_until("the check has brought it up", || {
        after.stat("web", "s1", "status") == "UP"
    });
    assert_eq!(after.stat("web", "s1", "chkdown"), "1");
}
