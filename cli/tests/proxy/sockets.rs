//! Socket options of both sides: TCP keep-alive, and closing with a reset.

use std::io::{ErrorKind, Read};

use crate::harness::{Client, LONG_TIMEOUTS, Origin, Port, Proxy};

/// Seconds until the kernel's keep-alive timer of the connection between these ports runs out;
/// `None` if it has none (proc(5), `/proc/net/tcp`).
fn keepalive_s(local: u16, remote: u16) -> Option<u64> {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
    let (local, remote) = (format!(":{local:04X}"), format!(":{remote:04X}"));
    let mut rows = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row[1].ends_with(&local) && row[2].ends_with(&remote));
    let timer = row.expect("the connection")[5];
    let (kind, ticks) = timer.split_once(':').expect("kind and time");
    (kind == "02").then(|| u64::from_str_radix(ticks, 16).expect("ticks") / 100)
}

/// The timers of the client's and the server's connection while both are idle.
fn timers(options: &str) -> (Option<u64>, Option<u64>) {
    let (listen, origin) = (
        Port::reserve(),
        Origin::answering(|_| crate::harness::ok("a")),
    );
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{listen}
    http-response set-header x-port %[bc_src_port]
    {options}
    server s1 {}
",
        origin.address
    );
    let _proxy = Proxy::start(1, &config);
    let mut client = Client::connect(listen.address());
    let answer = client.get("/");
    let ours: u16 = answer
        .header("x-port")
        .and_then(|port| port.parse().ok())
        .expect("a port");
    let theirs = client.stream().local_addr().expect("bound").port();
    // Until the last answer is acknowledged another timer may run.
    std::thread::sleep(std::time::Duration::from_millis(300));
    (
        keepalive_s(listen.number, theirs),
        keepalive_s(ours, origin.address.port()),
    )
}

#[test]
fn keep_alive_probes_on_the_sides_that_ask_for_them() {
    assert_eq!(timers(""), (None, None));
    let (client, server) = timers("option clitcpka\n    clitcpka-idle 500s");
    assert!(
        client.is_some_and(|s| (490..=500).contains(&s)),
        "{client:?}"
    );
    assert_eq!(server, None);
    let (client, server) = timers(
        "option srvtcpka\n    srvtcpka-idle 600s\n    srvtcpka-cnt 3\n    srvtcpka-intvl 5s",
    );
    assert_eq!(client, None);
    assert!(
        server.is_some_and(|s| (590..=600).contains(&s)),
        "{server:?}"
    );
    let (client, server) = timers("option tcpka");
    assert!(client.is_some() && server.is_some());
}

fn nolinger(options: &str) -> (Port, Proxy, Origin, std::sync::mpsc::Receiver<ErrorKind>) {
    let (ends, seen) = std::sync::mpsc::channel();
    let (listen, origin) = (
        Port::reserve(),
        Origin::raw(move |peer| {
            peer.request()?;
            peer.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")?;
            let end = peer
                .reader
                .read(&mut [0])
                .err()
                .map_or(ErrorKind::UnexpectedEof, |e| e.kind());
            let _ = ends.send(end);
            Ok(())
        }),
    );
    let config = format!(
        "
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 300ms
listen web
    bind 127.0.0.1:{listen}
    {options}
    server s1 {}
",
        origin.address
    );
    (listen, Proxy::start(1, &config), origin, seen)
}

/// How the server sees the end of an exchange that is cut short.
fn servers_end(options: &str) -> ErrorKind {
    let (listen, _proxy, _origin, seen) = nolinger(options);
    let mut client = Client::connect(listen.address());
    client
        .send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .response_head();
    client.rest();
    seen.recv().expect("the server's end")
}

#[test]
fn nolinger_ends_a_connection_with_a_reset() {
    assert_eq!(servers_end("option nolinger"), ErrorKind::ConnectionReset);
}
