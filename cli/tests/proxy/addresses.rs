//! Where connections come from and go to: `source`, `transparent`, `interface`, and what else
//! concerns the network more than what is said over it. Each scenario makes its own network.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use crate::harness::{
    CORES, Client, LONG_TIMEOUTS, Message, Namespace, Origin, Port, Proxy, get, is_installed, ok,
    wait_until,
};

/// A server that tells who connected.
fn telling(address: &str) -> Origin {
    Origin::raw_on(Port::at(address.parse().expect("an address")), |peer| {
        while peer.request()?.is_some() {
            let from = peer.reader.get_ref().peer_addr()?;
            peer.send(ok(&from.to_string()))?;
        }
        Ok(())
    })
}

fn config(bind: &str, backend: &str) -> String {
    format!(
        "
frontend web
    mode http{LONG_TIMEOUTS}
    bind {bind}
    http-request set-header x-dst %[dst]:%[dst_port]
    default_backend origin
backend origin
    mode http{LONG_TIMEOUTS}
    {backend}
"
    )
}

fn ip_of(seen: &str) -> &str {
    seen.rsplit_once(':').expect("address and port").0
}

#[test]
fn source_is_a_server_s_or_its_section_s() {
    let Some(net) = Namespace::create() else {
        return;
    };
    net.inside(|| {
        let origin = telling("127.0.0.1:0");
        let at = origin.address;
        for cores in CORES {
            for (backend, expected) in [
                (format!("source 127.0.0.5\n    server s {at}"), "127.0.0.5"),
                (
                    format!("source 127.0.0.5 interface lo\n    server s {at}"),
                    "127.0.0.5",
                ),
                (format!("server s {at} source 127.0.0.6"), "127.0.0.6"),
                (
                    format!("default-server source 127.0.0.7\n    server s {at}"),
                    "127.0.0.7",
                ),
                (
                    format!("source 127.0.0.5\n    server s {at} source 127.0.0.6 tcp-ut 5s"),
                    "127.0.0.6",
                ),
                (format!("source 0.0.0.0\n    server s {at}"), "127.0.0.1"),
                (format!("server s {at} source 127.0.0.8:12345"), "127.0.0.8"),
            ] {
                let port = Port::reserve();
                let bind = format!("127.0.0.1:{port}");
                let _proxy = Proxy::start(cores, &config(&bind, &backend));
                let seen = get(port.address(), "/").text();
                assert_eq!(ip_of(&seen), expected, "{backend}");
                assert_eq!(
                    backend.contains(":12345"),
                    seen.ends_with(":12345"),
                    "{seen}"
                );
            }
        }
    });
}

#[test]
fn checks_come_from_the_source_too() {
    let Some(net) = Namespace::create() else {
        return;
    };
    net.inside(|| {
        let origin = telling("127.0.0.1:0");
        let port = Port::reserve();
        let backend = format!(
            "option httpchk GET /\n    http-check expect string 127.0.0.5:\n    \
             server s {} source 127.0.0.5 check inter 50ms",
            origin.address
        );
        let proxy = Proxy::start(1, &config(&format!("127.0.0.1:{port}"), &backend));
        wait_until("the check was good", || {
            proxy.stat("origin", "s", "check_status") == "L7OK"
        });
    });
}

/// A check without a socket has failed before it began.
#[test]
fn a_check_from_a_source_that_is_not_ours_fails() {
    let Some(net) = Namespace::create() else {
        return;
    };
    net.inside(|| {
        let origin = telling("127.0.0.1:0");
        let port = Port::reserve();
        let backend = format!(
            "server s {} source 192.0.2.9 check agent-check agent-port 1 inter 50ms",
            origin.address
        );
        let proxy = Proxy::start(1, &config(&format!("127.0.0.1:{port}"), &backend));
        wait_until("the server is down", || {
            proxy.stat("origin", "s", "status") == "DOWN"
        });
    });
}

#[test]
fn ports_of_a_range_are_used_and_then_used_up() {
    let Some(net) = Namespace::create() else {
        return;
    };
    net.inside(|| {
        let origin = telling("127.0.0.1:0");
        let port = Port::reserve();
        let backend = format!(
            "retries 0\n    http-reuse never\n    server s {} source 127.0.0.1:23001-23003",
            origin.address
        );
        let bind = format!("127.0.0.1:{port}");
        let _proxy = Proxy::start(1, &config(&bind, &backend));
        let mut clients: Vec<_> = (0..4).map(|_| Client::connect(port.address())).collect();
        let mut seen: Vec<_> = clients.iter_mut().map(|client| client.get("/")).collect();
        let refused = seen.pop().expect("the fourth");
        assert_eq!(refused.status(), 503, "no port is left");
        let mut ports: Vec<_> = seen.iter().map(Message::text).collect();
        ports.sort();
        let all = [1, 2, 3].map(|n| format!("127.0.0.1:2300{n}"));
        assert_eq!(ports, all);
        // One that has gone may be used again.
        drop(clients.remove(0));
        wait_until("a port is free", || {
            get(port.address(), "/").status() == 200
        });
    });
}

#[test]
fn a_source_that_is_not_ours_is_a_failed_connection() {
    let Some(net) = Namespace::create() else {
        return;
    };
    net.inside(|| {
        let origin = telling("127.0.0.1:0");
        let port = Port::reserve();
        let backend = format!("source 192.0.2.9\n    server s {}", origin.address);
        let bind = format!("127.0.0.1:{port}");
        let _proxy = Proxy::start(1, &config(&bind, &backend));
        assert_eq!(get(port.address(), "/").status(), 503);
        assert_eq!(origin.connections(), 0);
    });
}

/// A client, the proxy and a server in three networks; the proxy is the way between the others,
/// and takes in what the server sends to clients.
struct Networks {
    client: Namespace,
    proxy: Namespace,
    server: Namespace,
}

impl Networks {
    fn create() -> Option<Networks> {
        let networks = Networks {
            client: Namespace::create()?,
            proxy: Namespace::create()?,
            server: Namespace::create()?,
        };
        let Networks {
            client,
            proxy,
            server,
        } = &networks;
        proxy.wire("near", "10.1.0.1/24", client, "eth0", "10.1.0.2/24");
        proxy.wire("far", "10.2.0.1/24", server, "eth0", "10.2.0.2/24");
        client.command("ip address add 10.1.0.3/24 dev eth0");
        client.command("ip route add default via 10.1.0.1");
        server.command("ip route add default via 10.2.0.1");
        proxy.command("ip route add local 0.0.0.0/0 dev lo table 100");
        proxy.command("ip rule add iif far lookup 100");
        Some(networks)
    }

    fn origin(&self) -> Origin {
        self.server.inside(|| telling("10.2.0.2:80"))
    }

    fn start(&self, cores: usize, bind: &str, backend: &str) -> Proxy {
        let config = config(bind, backend);
        self.proxy.inside(|| Proxy::start(cores, &config))
    }

    /// What the server saw of a client at `from`.
    fn ask(&self, from: &str, to: &str, field: &str) -> String {
        self.client
            .inside(|| client(from, to).send(request(field)).response().text())
    }
}

fn request(field: &str) -> String {
    format!("GET / HTTP/1.1\r\nhost: a\r\n{field}\r\n")
}

fn client(from: &str, to: &str) -> Client {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.expect("a socket");
    let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
    socket.set_reuse_address(true).expect("an option");
    socket
        .bind(&address(from).into())
        .expect("an address of the client");
    socket.connect(&address(to).into()).expect("a connection");
    let stream = TcpStream::from(socket);
    let patience = Some(crate::harness::PATIENCE);
    stream.set_read_timeout(patience).expect("a timeout");
    Client::over(stream)
}

#[test]
fn a_server_sees_the_client_s_address() {
    let Some(networks) = Networks::create() else {
        return;
    };
    let origin = networks.origin();
    // What a process that was killed listened on may stay for a moment.
    let mut ports = 8080..;
    for cores in CORES {
        for (source, field, seen) in [
            ("0.0.0.0 usesrc clientip", "", "10.1.0.3:"),
            ("10.2.0.1 usesrc clientip", "", "10.1.0.3:"),
            ("0.0.0.0 usesrc client", "", "10.1.0.3:4567"),
            ("0.0.0.0 usesrc 10.1.0.77:81", "", "10.1.0.77:81"),
            ("0.0.0.0 usesrc 10.1.0.78", "", "10.1.0.78:"),
            (
                "0.0.0.0 usesrc hdr_ip(x-for)",
                "x-for: 10.1.0.8, 10.1.0.9\r\n",
                "10.1.0.9:",
            ),
            (
                "0.0.0.0 usesrc hdr_ip(x-for,1)",
                "x-for: 10.1.0.8, 10.1.0.9\r\n",
                "10.1.0.8:",
            ),
            // As the manual has it; HAProxy 3.5-dev5 answers 500.
            ("0.0.0.0 usesrc hdr_ip(x-for)", "", "10.2.0.1:"),
        ] {
            let at = format!("10.1.0.1:{}", ports.next().expect("a port"));
            let backend = format!("source {source}\n    server s 10.2.0.2:80");
            let _proxy = networks.start(cores, &at, &backend);
            let from = if source.ends_with("client") {
                "10.1.0.3:4567"
            } else {
                "10.1.0.3:0"
            };
            let text = networks.ask(from, &at, field);
            assert!(text.starts_with(seen), "{source}: {text}");
        }
    }
    drop(origin);
}

#[test]
fn a_connection_that_shows_one_client_serves_no_other() {
    let Some(networks) = Networks::create() else {
        return;
    };
    let origin = networks.origin();
    let backend = "http-reuse always\n    source 0.0.0.0 usesrc clientip\n    server s 10.2.0.2:80";
    let _proxy = networks.start(1, "10.1.0.1:8080", backend);
    let ask = |from: &str| networks.ask(from, "10.1.0.1:8080", "");
    let first = ask("10.1.0.2:0");
    assert!(first.starts_with("10.1.0.2:"), "{first}");
    assert!(ask("10.1.0.3:0").starts_with("10.1.0.3:"));
    assert_eq!(ask("10.1.0.2:0"), first, "the same connection");
    assert_eq!(origin.connections(), 2);
}

#[test]
fn a_listener_takes_connections_to_others() {
    for cores in CORES {
        let Some(networks) = Networks::create() else {
            return;
        };
        let origin = networks.origin();
        networks.proxy.command("ip rule add iif near lookup 100");
        let _proxy = networks.start(cores, "10.9.9.9:80 transparent", "server s 10.2.0.2:80");
        let seen = networks.ask("10.1.0.2:0", "10.9.9.9:80", "");
        assert!(seen.starts_with("10.2.0.1:"), "{seen}");
        let request = origin.last_request();
        assert_eq!(request.header("x-dst"), Some("10.9.9.9:80"));
    }
}

/// The whole of it: the packet filter brings connections to anyone, and they go on to whom they
/// were meant for, from whom they came from.
#[test]
fn the_packet_filter_s_connections_go_on_to_where_they_were_meant_to() {
    if !is_installed("nft") {
        eprintln!("skipped: nft is not installed");
        return;
    }
    for cores in CORES {
        let Some(networks) = Networks::create() else {
            return;
        };
        let origin = networks.origin();
        let proxy = &networks.proxy;
        proxy.command("ip rule add fwmark 1 lookup 100");
        proxy.command("nft add table ip t");
        proxy.command("nft add chain ip t c { type filter hook prerouting priority mangle ; }");
        proxy.command("nft add rule ip t c iif near tcp dport 80 tproxy to :8080 meta mark set 1");
        let backend = "source 0.0.0.0 usesrc clientip\n    server s 0.0.0.0:0";
        let _proxy = networks.start(cores, "*:8080 transparent", backend);
        let seen = networks.ask("10.1.0.3:0", "10.2.0.2:80", "");
        assert!(seen.starts_with("10.1.0.3:"), "{seen}");
        assert_eq!(origin.last_request().header("x-dst"), Some("10.2.0.2:80"));
    }
}

#[test]
fn a_listener_of_one_interface_hears_no_other() {
    let Some(networks) = Networks::create() else {
        return;
    };
    let _origin = networks.origin();
    let _proxy = networks.start(1, "*:8080 interface near", "server s 10.2.0.2:80");
    assert!(
        networks
            .ask("10.1.0.2:0", "10.1.0.1:8080", "")
            .starts_with("10.2.0.1:")
    );
    let refused = networks
        .server
        .inside(|| TcpStream::connect("10.2.0.1:8080"));
    assert_eq!(
        refused.expect_err("nobody there").kind(),
        std::io::ErrorKind::ConnectionRefused
    );
}

/// A negative `mss` is asked of each connection; whether it helps is the kernel's business.
#[test]
fn segments_keep_below_the_listener_s_mss() {
    let Some(networks) = Networks::create() else {
        return;
    };
    let _origin = networks.origin();
    for (port, mss, most) in [(8080, "mss 600", 600), (8081, "mss -1000", 1460)] {
        let at = format!("10.1.0.1:{port}");
        let bind = format!("{at} {mss} tcp-ut 5s cc reno");
        let _proxy = networks.start(1, &bind, "server s 10.2.0.2:80");
        networks.client.inside(|| {
            let mut client = client("10.1.0.2:0", &at);
            assert_eq!(client.send(request("")).response().status(), 200);
            let socket = socket2::SockRef::from(client.stream());
            let ours = socket.tcp_mss().expect("a size");
            assert!(ours <= most, "{mss}: {ours}");
        });
    }
}

/// Manual, `defer-accept`: a client that says nothing is not accepted.
#[test]
fn a_listener_may_wait_for_the_client_s_first_words() {
    let Some(networks) = Networks::create() else {
        return;
    };
    let _origin = networks.origin();
    let proxy = networks.start(1, "10.1.0.1:8080 defer-accept", "server s 10.2.0.2:80");
    networks.client.inside(|| {
        let silent = client("10.1.0.2:0", "10.1.0.1:8080");
        let mut talking = client("10.1.0.2:0", "10.1.0.1:8080");
        assert_eq!(talking.send(request("")).response().status(), 200);
        assert_eq!(proxy.stat("web", "FRONTEND", "conn_tot"), "1");
        drop(silent);
    });
}

/// Manual, `tfo`: a client that was here before sends its request with the first packet.
#[test]
fn a_listener_takes_requests_with_the_first_packet() {
    let Some(networks) = Networks::create() else {
        return;
    };
    if !is_installed("curl") {
        eprintln!("skipped: curl is not installed");
        return;
    }
    let _origin = networks.origin();
    for side in [&networks.client, &networks.proxy] {
        side.inside(|| std::fs::write("/proc/sys/net/ipv4/tcp_fastopen", "3"))
            .expect("a setting");
    }
    let _proxy = networks.start(1, "10.1.0.1:8080 tfo", "server s 10.2.0.2:80");
    let fast_opens = || {
        let text = networks
            .proxy
            .inside(|| std::fs::read_to_string("/proc/thread-self/net/netstat"));
        let text = text.expect("the kernel's counters");
        let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
        let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
        let at = names
            .split(' ')
            .position(|name| name == "TCPFastOpenPassive");
        values
            .split(' ')
            .nth(at.expect("a counter"))
            .map(str::to_owned)
    };
    networks.client.inside(|| {
        for _ in 0..2 {
            let mut curl = Command::new("curl");
            curl.args(["-s", "--fail", "--tcp-fastopen", "http://10.1.0.1:8080/"]);
            assert!(curl.output().expect("curl").status.success());
        }
    });
    assert_eq!(fast_opens().as_deref(), Some("1"), "the second one");
}
