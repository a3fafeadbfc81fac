//! What a snapshot says of small configurations, against a live HAProxy 3.5 on the same text.

use std::fmt::Write as _;

use super::*;
use crate::state::testing;

/// The configuration that HAProxy was asked about, without what needs files.
const CONFIG: &str = "
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 1s
frontend fe
    bind 127.0.0.1:18080
    bind 127.0.0.1:18081 name second maxconn 7
    option socket-stats
    maxconn 100
    default_backend be
frontend fe2
    bind 127.0.0.1:18082
    rate-limit sessions 9
    default_backend empty
backend be
    balance roundrobin
    cookie SRV insert
    server s1 127.0.0.1:9991 check weight 10 cookie a
    server s2 localhost:9992 check disabled weight 20 maxconn 5 maxqueue 3
    server s3 127.0.0.1:9993 backup
    server s4 127.0.0.1:9994 track be/s1 slowstart 10s
    server s5 127.0.0.1:9995 weight 0
    server s6 unix@/tmp/x.sock
    server s7 127.0.0.1:9997 id 77 check
    server s9 nonexistent.invalid:99 init-addr none
    server s12 127.0.0.1:9991 track be/s2
backend empty
backend off
    disabled
    server h1 127.0.0.1:9991 weight 5
backend allb
    option allbackups
    server h1 127.0.0.1:9991 weight 5 backup
    server h2 127.0.0.1:9991 weight 6 backup disabled
    server h3 127.0.0.1:9991 weight 6 backup
";

fn snapshot() -> Snapshot {
    let built = testing::built(CONFIG);
    take(&built.runtime, built.runtime.process.started_ms + 1_500)
}

/// The cells of some columns, a line a row.
fn table(snapshot: &Snapshot, columns: &[&str]) -> String {
    let mut text = String::new();
    for row in snapshot.rows() {
        for name in columns {
            let column = crate::stats::columns().find(|column| column.name == *name);
            text.push_str(&(column.expect("a column").read)(&row).to_string());
            text.push(' ');
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text
}

#[test]
fn states_and_limits() {
    let columns = [
        "pxname", "svname", "slim", "status", "weight", "act", "bck", "addr",
    ];
    let expected = "\
fe FRONTEND 100 OPEN
fe sock-1 0 OPEN    127.0.0.1:18080
fe second 7 OPEN    127.0.0.1:18081
fe2 FRONTEND 500 OPEN
be s1  UP 1/3 10 1 0 127.0.0.1:9991
be s2 5 MAINT 20 1 0 127.0.0.1:9992
be s3  no check 1 0 1 127.0.0.1:9993
be s4  UP 1/3 1 1 0 127.0.0.1:9994
be s5  no check 0 1 0 127.0.0.1:9995
be s6  no check 1 1 0 unix
be s7  UP 1/3 1 1 0 127.0.0.1:9997
be s9  MAINT (resolution) 1 1 0
be s12  MAINT (via be/s2) 1 1 0 127.0.0.1:9991
be BACKEND 10 UP 13 4 1
empty BACKEND 50 UP 0 0 0
allb h1  no check 5 0 1 127.0.0.1:9991
allb h2  MAINT 6 0 1 127.0.0.1:9991
allb h3  no check 6 0 1 127.0.0.1:9991
allb BACKEND 1 UP 11 0 2
";
    assert_eq!(table(&snapshot(), &columns), expected);
}

#[test]
fn ids_checks_and_times() {
    let columns = [
        "svname",
        "iid",
        "sid",
        "rate_lim",
        "tracked",
        "check_status",
        "check_rise",
    ];
    let expected = "\
FRONTEND 2 0 0
sock-1 2 1
second 2 2
FRONTEND 3 0 9
s1 4 1   INI 2
s2 4 2
s3 4 3
s4 4 4  be/s1
s5 4 5
s6 4 6
s7 4 77   INI 2
s9 4 8
s12 4 9  be/s2
BACKEND 4 0
BACKEND 5 0
h1 7 1
h2 7 2
h3 7 3
BACKEND 7 0
";
    assert_eq!(table(&snapshot(), &columns), expected);
    let columns = [
        "svname", "qlimit", "chkdown", "lastchg", "downtime", "cookie", "algo",
    ];
    let text = table(&snapshot(), &columns);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('h')).collect();
    assert_eq!(lines[4], "s1  0 1 0 a");
    assert_eq!(lines[5], "s2 3 0 1 1");
    assert_eq!(lines[13], "BACKEND  0 1 0 SRV roundrobin");
    assert_eq!(lines[14], "BACKEND  0 1   unknown");
}

/// What `show servers state` prints of them, without what has a test of its own.
fn numbers(proxies: &[&ProxyFacts]) -> String {
    let mut text = String::new();
    for (proxy, server) in proxies
        .iter()
        .flat_map(|p| p.servers.iter().map(move |s| (p, s)))
    {
        let state = &server.state;
        let health = server.check.as_ref().map_or(0, |check| check.health);
        let _ = writeln!(
            text,
            "{} {} {} {} {} {} {} {} {} {} {health} {} {}",
            proxy.id,
            server.id,
            server.name,
            state.operational,
            state.administrative,
            server.user_weight,
            server.initial_weight,
            server.last_change_s,
            state.check_status,
            state.check_result,
            state.check_state,
            state.port,
        );
    }
    text
}

#[test]
fn servers_state() {
    let snapshot = snapshot();
    let be: Vec<&ProxyFacts> = snapshot.proxies.iter().filter(|p| p.name == "be").collect();
    let text = numbers(&be);
    let expected = "\
4 1 s1 2 0 10 10 1 1 0 2 6 9991
4 2 s2 0 5 20 20 1 1 0 2 14 9992
4 3 s3 2 0 1 1 1 1 0 0 0 9993
4 4 s4 2 0 1 1 1 1 0 0 0 9994
4 5 s5 2 0 0 0 1 1 0 0 0 9995
4 6 s6 2 0 1 1 1 1 0 0 0 0
4 77 s7 2 0 1 1 1 1 0 2 6 9997
4 8 s9 0 32 1 1 1 1 0 0 0 99
4 9 s12 0 2 1 1 1 1 0 0 0 9991
";
    assert_eq!(text, expected);
}

#[test]
fn the_process() {
    let process = snapshot().process;
    assert_eq!(process.uptime_ms, 1_500);
    assert_eq!(
        (process.max_connections, process.hard_max_connections),
        (500, 500)
    );
    assert_eq!(
        (process.listeners, process.cores, process.idle_percent),
        (3, 2, 100)
    );
    assert_eq!(process.node, "edge1");
}

#[test]
fn names_that_cannot_be_resolved_are_errors() {
    let errors = testing::errors(
        "backend be\n server s1 no-such-host.invalid:1\n server s2 127.0.0.1:1\n server s3 \
         no-such-host.invalid:2\n",
    );
    let texts: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(
        texts,
        [
            "'server be/s1' : could not resolve address 'no-such-host.invalid'.",
            "'server be/s3' : could not resolve address 'no-such-host.invalid'.",
        ]
    );
    assert_eq!((errors[0].at.line, errors[1].at.line), (2, 4));
}

#[test]
fn certificates_that_cannot_be_loaded_are_errors() {
    let file = testing::GONE_FILE;
    let errors = testing::errors(&format!(
        "frontend fe\n mode http\n timeout client 1s\n bind 127.0.0.1:1,127.0.0.1:2 ssl crt {file}\n"
    ));
    assert_eq!(errors.len(), 1, "once a line: {errors:?}");
    assert!(errors[0].message.contains(file), "{errors:?}");
    assert_eq!(errors[0].at.line, 4);
}
