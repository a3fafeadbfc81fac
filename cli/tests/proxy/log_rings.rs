//! Log lines that go through rings and log backends (manual, 12.5 and 4.2 `mode log`).

use crate::harness::{CORES, LONG_TIMEOUTS, PATIENCE, Port, Proxy, Syslog, get, wait_until};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;

/// A proxy whose frontend answers by itself and logs as `frontend` says.
fn proxy(cores: usize, sections: &str, frontend: &str) -> (Port, Proxy) {
    let listen = Port::reserve();
    let config = format!(
        "
{sections}
defaults
    mode http{LONG_TIMEOUTS}
frontend front
    bind *:{listen}
    log-format \"%HP end\"
    http-request return status 200
    {frontend}
"
    );
    let proxy = Proxy::start(cores, &config);
    (listen, proxy)
}

fn lines_of(listener: &TcpListener) -> BufReader<std::net::TcpStream> {
    let (stream, _) = listener.accept().expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    BufReader::new(stream)
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).expect("a line");
    line
}

#[test]
fn a_ring_shows_its_newest_lines() {
    for cores in CORES {
        let ring = "ring kept\n    description \"My local buffer\"\n    format short\n    maxlen 20\n    size 500";
        let (listen, proxy) = proxy(cores, ring, "log ring@kept format rfc5424 local0");
        for number in 0..60 {
            get(listen.address(), &format!("/{number:02}"));
        }
        // One core writes after the other has answered.
        wait_until("the last line", || {
            proxy.admin("show events kept").contains("/59 end")
        });
        let text = proxy.admin("show events kept");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() > 5 && lines.len() < 60, "{text}");
        assert!(lines.iter().all(|line| line.starts_with("<6>/")), "{text}");
        assert_eq!(proxy.admin("show events kept -n"), "");
        let zero = proxy.admin("show events kept -0");
        assert!(zero.contains("/59 end\0"), "{zero}");
        get(listen.address(), "/0123456789abcdefghijklmno");
        wait_until("a line cut at maxlen", || {
            let text = proxy.admin("show events kept");
            text.lines().last() == Some("<6>/0123456789abcdef")
        });
        let sinks = proxy.admin("show events");
        let row = "    kept       : type=buffer, 0 dropped, My local buffer";
        assert!(sinks.lines().any(|line| line == row), "{sinks}");
        assert_eq!(proxy.admin("show events other"), "No such event sink");
    }
}

/// `-w` waits for lines until the client says something.
#[test]
fn a_client_follows_a_ring() {
    let (listen, proxy) = proxy(1, "ring kept", "log ring@kept local0");
    get(listen.address(), "/before");
    let mut client = UnixStream::connect(proxy.admin_socket()).expect("an admin socket");
    client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    client.write_all(b"show events kept -wn\n").expect("asked");
    // The command is in effect when its reader holds a place: ask until a line comes.
    let mut seen = BufReader::new(client.try_clone().expect("a second handle"));
    std::thread::spawn({
        let address = listen.address();
        move || {
            for _ in 0..50 {
                get(address, "/followed");
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
    });
    assert_eq!(line(&mut seen), "/followed end\n");
    client.write_all(b"\n").expect("said something");
    let mut rest = String::new();
    seen.read_to_string(&mut rest).expect("the end");
    let (lines, empty) = rest.split_at(rest.len() - 1);
    assert_eq!(empty, "\n");
    assert!(lines.is_empty() || lines.ends_with(" end\n"), "{rest:?}");
}

#[test]
fn a_server_gets_all_lines_in_either_framing() {
    for cores in CORES {
        let (counted, plain) = (Port::reserve(), Port::reserve());
        let (counted_listener, plain_listener) = (counted.listen(8), plain.listen(8));
        let rings = format!(
            "ring a\n    format raw\n    server s 127.0.0.1:{counted} log-proto octet-count\n\
             ring b\n    format raw\n    server s 127.0.0.1:{plain} log-proto legacy"
        );
        let (listen, _proxy) = proxy(cores, &rings, "log ring@a local0\n    log ring@b local0");
        for number in 0..20 {
            get(listen.address(), &format!("/{number:02}"));
        }
        let mut bytes = vec![0; 20 * "7 /00 end".len()];
        lines_of(&counted_listener)
            .read_exact(&mut bytes)
            .expect("lines");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for number in 0..20 {
            assert!(text.contains(&format!("7 /{number:02} end")), "{text}");
        }
        let mut plain = lines_of(&plain_listener);
        let mut all: Vec<String> = (0..20).map(|_| line(&mut plain)).collect();
        all.sort();
        assert_eq!((&*all[0], &*all[19]), ("/00 end\n", "/19 end\n"));
    }
}

/// Lines that came while the server was away are sent when it is back, none of them twice.
#[test]
fn a_server_that_comes_back_goes_on() {
    let port = Port::reserve();
    let listener = port.listen(8);
    let target = format!("log tcp@127.0.0.1:{port} format raw local0");
    let (listen, _proxy) = proxy(1, "", &target);
    get(listen.address(), "/first");
    let mut first = lines_of(&listener);
    assert_eq!(line(&mut first), "/first end\n");
    drop(first);
    // The proxy may learn of the end only when it writes, so the next line may be lost.
    get(listen.address(), "/lost-or-not");
    let mut second = lines_of(&listener);
    get(listen.address(), "/second");
    let next = line(&mut second);
    let next = if next.contains("lost") {
        line(&mut second)
    } else {
        next
    };
    assert_eq!(next, "/second end\n");
}

/// A server that takes nothing costs lines and no request; what is dropped is counted.
#[test]
fn a_blocked_server_slows_nobody() {
    let port = Port::reserve();
    let listener = port.listen(8);
    let ring = format!(
        "ring small\n    format raw\n    size 1000\n    maxlen 1000\n    server s 127.0.0.1:{port}"
    );
    let (listen, proxy) = proxy(2, &ring, "log ring@small local0");
    let (_stuck, _) = listener.accept().expect("a connection");
    let dropped = || {
        let sinks = proxy.admin("show events");
        let row = sinks
            .lines()
            .find(|row| row.contains(" small "))
            .expect("the ring");
        let count = row
            .split_once("type=buffer, ")
            .and_then(|(_, rest)| rest.split(' ').next());
        count.expect("a count").parse::<u64>().expect("a number")
    };
    let path = format!("/{}", "x".repeat(900));
    wait_until("dropped lines", || {
        for _ in 0..500 {
            assert_eq!(get(listen.address(), &path).status(), 200);
        }
        dropped() > 0
    });
}

fn log_backend(balance: &str, servers: &[&Syslog]) -> String {
    let server = |(number, server): (usize, &&Syslog)| {
        format!("    server s{number} udp@{}\n", server.address())
    };
    let servers: String = servers.iter().enumerate().map(server).collect();
    format!("backend logs\n    mode log\n    balance {balance}\n{servers}")
}

#[test]
fn a_log_backend_shares_lines_out_exactly() {
    for cores in CORES {
        let servers = [Syslog::start(), Syslog::start()];
        let backend = log_backend("roundrobin", &[&servers[0], &servers[1]]);
        let (listen, _proxy) = proxy(cores, &backend, "log backend@logs format raw local0");
        for number in 0..20 {
            get(listen.address(), &format!("/{number:02}"));
        }
        let mut lines = Vec::new();
        for server in &servers {
            lines.extend((0..10).map(|_| server.line()));
        }
        lines.sort();
        lines.dedup();
        assert_eq!(lines.len(), 20, "{lines:#?}");
    }
}

/// The first server keeps all lines until it is away; back again, it is the last in the row.
#[test]
fn sticky_lines_stay_with_their_server() {
    let servers = [Syslog::start(), Syslog::start()];
    let backend = log_backend("sticky", &[&servers[0], &servers[1]]);
    let (listen, proxy) = proxy(2, &backend, "log backend@logs format raw local0");
    let expect = |paths: &[&str], server: &Syslog| {
        for path in paths {
            get(listen.address(), path);
            assert_eq!(server.line(), format!("{path} end"));
        }
    };
    expect(&["/1", "/2", "/3"], &servers[0]);
    proxy.admin("disable server logs/s0");
    expect(&["/4", "/5"], &servers[1]);
    proxy.admin("enable server logs/s0");
    expect(&["/6", "/7"], &servers[1]);
    proxy.admin("disable server logs/s1");
    expect(&["/8"], &servers[0]);
}

#[test]
fn hashed_lines_of_a_kind_go_the_same_way() {
    let servers = [Syslog::start(), Syslog::start()];
    let backend = log_backend("log-hash 'field(2,/)'", &[&servers[0], &servers[1]]);
    let (listen, _proxy) = proxy(2, &backend, "log backend@logs format raw local0");
    let kinds = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for round in 0..3 {
        for kind in kinds {
            get(listen.address(), &format!("/{kind}/{round}"));
        }
    }
    let mut homes = std::collections::HashMap::new();
    let mut count = 0;
    for (home, server) in servers.iter().enumerate() {
        server.quiet_after(|line| {
            let kind = line.split('/').nth(1).expect("a kind").to_owned();
            assert_eq!(*homes.entry(kind).or_insert(home), home, "{line}");
            count += 1;
        });
    }
    assert_eq!(count, 24);
    assert!(homes.values().any(|home| *home == 0) && homes.values().any(|home| *home == 1));
}
