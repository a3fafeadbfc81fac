//! Which connections go on after an exchange, and who may use them.

use crate::harness::{Client, LONG_TIMEOUTS, Origin, Port, Proxy, get, ok};

/// A frontend and a backend with a mode each.
fn proxy(front: &str, back: &str, origins: &[&Origin]) -> (Port, Proxy) {
    let listen = Port::reserve();
    let servers: Vec<String> = origins
        .iter()
        .enumerate()
        .map(|(n, origin)| format!("    server s{n} {}\n", origin.address))
        .collect();
    let servers = servers.concat();
    let config = format!(
        "
defaults
    mode http{LONG_TIMEOUTS}
frontend front
    bind *:{listen}
    {front}
    default_backend app
backend app
    balance roundrobin
    {back}
{servers}"
    );
    let proxy = Proxy::start(1, &config);
    (listen, proxy)
}

/// Manual, `option httpclose`, `option http-server-close`, `option http-pretend-keepalive`: which
/// side each one closes, and what the server is told.
#[test]
fn each_mode_closes_its_side() {
    let (close, keep) = (Some("close"), None);
    for (front, back, client_lives, server_lives, told) in [
        ("", "", true, true, keep),
        ("option http-server-close", "", true, false, close),
        ("", "option http-server-close", true, false, close),
        ("option httpclose", "", false, true, keep),
        ("", "option httpclose", true, false, close),
        ("option httpclose", "option httpclose", false, false, close),
        (
            "",
            "option httpclose\n    option http-pretend-keepalive",
            true,
            false,
            keep,
        ),
        (
            "option http-server-close",
            "option http-pretend-keepalive",
            true,
            false,
            keep,
        ),
    ] {
        let origin = Origin::named("origin");
        let (listen, _proxy) = proxy(front, back, &[&origin]);
        let what = format!("{front} / {back}");
        let mut client = Client::connect(listen.address());
        assert_eq!(client.get("/1").text(), "origin");
        assert_eq!(origin.last_request().header("connection"), told, "{what}");
        if client_lives {
            assert_eq!(client.get("/2").text(), "origin", "{what}");
        } else {
            client.ends();
            // Not the first request of its connection: it may use another's.
            let mut client = Client::connect(listen.address());
            client.send("GET /2 HTTP/1.1\r\nhost: a\r\n\r\n").response();
            continue;
        }
        let connections = if server_lives { 1 } else { 2 };
        assert_eq!(origin.connections(), connections, "{what}");
    }
}

/// Manual, `option prefer-last-server`: it speaks of connections that the client still holds.
#[test]
fn the_last_server_is_preferred() {
    const PREFER: &str = "option prefer-last-server\n    http-reuse never";
    let origins = [Origin::named("a"), Origin::named("b")];
    let (listen, _proxy) = proxy("", PREFER, &[&origins[0], &origins[1]]);
    let mut client = Client::connect(listen.address());
    let first = client.get("/").text();
    for _ in 0..3 {
        assert_eq!(client.get("/").text(), first);
    }
    let (listen, _proxy) = proxy("", "http-reuse never", &[&origins[0], &origins[1]]);
    let mut client = Client::connect(listen.address());
    let first = client.get("/").text();
    assert_ne!(client.get("/").text(), first, "else they take turns");
}

/// Manual, `http-reuse`: a connection that was authenticated belongs to its client.
#[test]
fn an_authenticated_connection_is_private() {
    for scheme in ["NTLM", "Negotiate YII="] {
        let number = std::sync::atomic::AtomicUsize::new(0);
        let origin = Origin::raw(move |peer| {
            let own = number.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            while let Some(request) = peer.request()? {
                if request.path() == "/login" {
                    peer.send(format!(
                        "HTTP/1.1 401 No\r\nwww-authenticate: {scheme}\r\ncontent-length: 0\r\n\r\n"
                    ))?;
                } else {
                    peer.send(ok(&own.to_string()))?;
                }
            }
            Ok(())
        });
        let (listen, _proxy) = proxy("", "http-reuse always", &[&origin]);
        let mut first = Client::connect(listen.address());
        assert_eq!(first.get("/login").status(), 401);
        assert_eq!(get(listen.address(), "/").text(), "1", "it gets another");
        assert_eq!(first.get("/").text(), "0", "its own again");
    }
}

/// Nobody knows whether the server acted: the client has to decide whether to ask again.
#[test]
fn a_request_that_is_not_safe_is_not_repeated_on_a_dead_connection() {
    let origin = Origin::raw(|peer| {
        peer.request()?;
        peer.send(ok("first"))?;
        peer.request().map(|_| ())
    });
    let (listen, _proxy) = proxy("", "", &[&origin]);
    let mut client = Client::connect(listen.address());
    client.get("/");
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx");
    client.ends();
    assert_eq!(origin.requests().len(), 2);
}

/// A chunked body that is broken within sight of its head is no response.
#[test]
fn a_response_that_is_broken_from_the_start_is_502() {
    let origin = Origin::raw(|peer| {
        peer.request()?;
        peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokx\r\n")
    });
    let (listen, _proxy) = proxy("", "", &[&origin]);
    assert_eq!(get(listen.address(), "/").status(), 502);
}
