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

/// Each trouble on the first connection, a good answer on the second.
fn trouble_first(trouble: &'static str) -> Origin {
    let first = std::sync::atomic::AtomicBool::new(true);
    Origin::raw(move |peer| {
        peer.request()?;
        if !first.swap(false, std::sync::atomic::Ordering::SeqCst) {
            return peer.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood");
        }
        match trouble {
            "silence" => std::io::copy(&mut peer.reader, &mut std::io::sink()).map(|_| ()),
            text => peer.send(text),
        }
    })
}

const REFUSAL: &str = "HTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\nno";

/// Manual, `retry-on`: each word grants its own trouble, and no other.
#[test]
fn retry_on_grants_another_attempt() {
    for (word, trouble, status) in [
        ("empty-response", "", 200),
        ("conn-failure", "", 502),
        ("none", "", 502),
        ("junk-response", "no HTTP\r\n\r\n", 200),
        ("junk-response", "HTTP/1.1 200 OK\r\ncontent-le", 200),
        ("response-timeout", "no HTTP\r\n\r\n", 502),
        ("response-timeout", "silence", 200),
        ("empty-response junk-response", "silence", 504),
        ("503", REFUSAL, 200),
        ("502 504", REFUSAL, 503),
        ("all-retryable-errors", "", 200),
        ("all-retryable-errors", REFUSAL, 200),
        ("all-retryable-errors", "silence", 200),
    ] {
        let origin = trouble_first(trouble);
        let settings = format!("retry-on {word}\n    retries 1\n    timeout server 300ms");
        let (listen, _proxy) = proxy(1, &settings, &[&origin]);
        let mut client = Client::connect(listen.address());
        assert_eq!(client.get("/").status(), status, "{word}: {trouble}");
        assert_eq!(origin.requests().len(), 1 + usize::from(status == 200));
    }
}

/// A request whose body is there as a whole is sent again with it, wherever its bytes were cut.
#[test]
fn a_request_is_repeated_with_its_body() {
    for cores in CORES {
        for framing in [
            "content-length: 5\r\n\r\nhello",
            "transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nx-sum: 1\r\n\r\n",
        ] {
            let origin = trouble_first("");
            let settings = "retry-on empty-response\n    option http-buffer-request";
            let (listen, _proxy) = proxy(cores, settings, &[&origin]);
            let mut client = Client::connect(listen.address());
            client.send(format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}"));
            assert_eq!(client.response().text(), "good");
            let requests = origin.requests();
            assert_eq!(requests.len(), 2);
            assert_eq!(requests[0].text(), "hello");
            assert_eq!(requests[0].text(), requests[1].text());
            assert_eq!(requests[0].trailers, requests[1].trailers);
            assert_eq!(client.get("/").text(), "good", "the connection goes on");
        }
    }
}

#[test]
fn a_request_that_fits_no_buffer_is_not_repeated() {
    let origin = trouble_first("");
    let (listen, _proxy) = proxy(1, "retry-on empty-response", &[&origin]);
    let mut client = Client::connect(listen.address());
    let body = "x".repeat(100_000);
    client.send(format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(client.response().status(), 502);
    assert_eq!(origin.requests().len(), 1);
}

#[test]
fn a_rule_forbids_another_attempt() {
    let origin = trouble_first("");
    let settings = "retry-on all-retryable-errors
    http-request disable-l7-retry if { path /once }";
    let (listen, _proxy) = proxy(1, settings, &[&origin]);
    assert_eq!(get(listen.address(), "/once").status(), 502);
    let origin = trouble_first("");
    let (listen, _proxy) = proxy(1, settings, &[&origin]);
    assert_eq!(get(listen.address(), "/more").status(), 200);
}
