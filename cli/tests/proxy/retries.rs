//! What happens when a server cannot be reached or dies.

use crate::harness::{CORES, Client, Origin, Port, Proxy, get};

fn proxy(cores: usize, settings: &str, origins: &[&Origin]) -> (Port, Proxy) {
    let listen = Port::reserve();
    let servers: Vec<String> = origins
        .iter()
        .enumerate()
        .map(|(n, origin)| format!("    server s{n} {}\n", origin.address))
        .collect();
    let servers = servers.concat();
    let config = format!(
        "
listen web
    mode http
    timeout connect 50ms
    timeout client 30s
    timeout server 30s
    balance roundrobin
    bind *:{listen}
    {settings}
{servers}"
    );
    let proxy = Proxy::start(cores, &config);
    (listen, proxy)
}

#[test]
fn redispatch_finds_another_server() {
    for cores in CORES {
        let (mut dead, alive) = (Origin::named("dead"), Origin::named("alive"));
        let (listen, proxy) = proxy(cores, "option redispatch\n    retries 2", &[&dead, &alive]);
        dead.stop();
        for _ in 0..4 {
            assert_eq!(get(listen.address(), "/").text(), "alive");
        }
        assert_ne!(proxy.stat("web", "BACKEND", "wredis"), "0");
    }
}

#[test]
fn without_redispatch_the_request_stays_with_its_server() {
    let mut dead = Origin::named("dead");
    let (listen, proxy) = proxy(1, "retries 2", &[&dead]);
    dead.stop();
    assert_eq!(get(listen.address(), "/").status(), 503);
    assert_eq!(proxy.stat("web", "s0", "wretr"), "2");
    assert_eq!(proxy.stat("web", "s0", "econ"), "1");
}

#[test]
fn a_server_that_closes_without_an_answer_is_502() {
    for cores in CORES {
        let origin = Origin::raw(|peer| peer.request().map(|_| ()));
        let (listen, _proxy) = proxy(cores, "", &[&origin]);
        let mut client = Client::connect(listen.address());
        assert_eq!(client.get("/").status(), 502);
        assert_eq!(client.get("/").status(), 502, "the connection goes on");
        assert_eq!(origin.requests().len(), 2, "sent requests are not repeated");
    }
}

#[test]
fn a_server_that_talks_nonsense_is_502() {
    let origin = Origin::raw(|peer| {
        peer.request()?;
        peer.send("this is no HTTP\r\n\r\n")
    });
    let (listen, _proxy) = proxy(1, "", &[&origin]);
    assert_eq!(get(listen.address(), "/").status(), 502);
}

#[test]
fn a_server_that_dies_inside_its_answer_cuts_the_client_off() {
    for framing in ["content-length: 100", "transfer-encoding: chunked"] {
        let origin = Origin::raw(move |peer| {
            peer.request()?;
            peer.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n"))?;
            peer.send("4\r\nhalf\r\n")
        });
        let (listen, _proxy) = proxy(1, "", &[&origin]);
        let mut client = Client::connect(listen.address());
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_eq!(client.response_head().status(), 200);
        assert_eq!(client.rest(), b"4\r\nhalf\r\n", "{framing}");
    }
}

#[test]
fn a_server_connection_closed_while_idle_is_replaced() {
    for cores in CORES {
        let origin = Origin::raw(|peer| {
            // One answer, then the close that clients of kept connections must expect.
            peer.request()?;
            peer.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        });
        let (listen, _proxy) = proxy(cores, "", &[&origin]);
        let mut client = Client::connect(listen.address());
        for n in 1..=5 {
            assert_eq!(client.get("/").text(), "ok");
            assert_eq!(origin.connections(), n);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}
