//! Connections that stop being HTTP: Upgrade and CONNECT.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy};
use std::io::Read;

fn proxy(cores: usize, origin: &Origin) -> (Port, Proxy) {
    let listen = Port::reserve();
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    timeout tunnel 30s
    bind *:{listen}
    server s1 {}
",
        origin.address
    );
    let proxy = Proxy::start(cores, &config);
    (listen, proxy)
}

/// Answers with `head` and then sends everything back in upper case.
fn shouting(head: &'static str) -> Origin {
    Origin::raw(move |peer| {
        peer.request_head()?;
        peer.send(head)?;
        let mut buffer = [0; 1000];
        loop {
            let n = peer.reader.read(&mut buffer)?;
            if n == 0 {
                return Ok(());
            }
            peer.send(buffer[..n].to_ascii_uppercase())?;
        }
    })
}

#[test]
fn an_upgraded_connection_is_a_tunnel() {
    for cores in CORES {
        let origin = shouting(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        );
        let (listen, _proxy) = proxy(cores, &origin);
        let mut client = Client::connect(listen.address());
        client.send(
            "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        );
        let answer = client.response_head();
        assert_eq!(
            (answer.status(), answer.header("upgrade")),
            (101, Some("websocket"))
        );
        for word in ["hello", "GET / HTTP/1.1\r\n\r\n", "bye"] {
            client.send(word);
            assert_eq!(
                client.bytes(word.len()),
                word.to_ascii_uppercase().as_bytes()
            );
        }
        assert_eq!(origin.last_request().header("upgrade"), Some("websocket"));
        client.shut_write();
        client.ends();
    }
}

#[test]
fn bytes_behind_the_upgraded_head_are_not_lost() {
    let origin = Origin::raw(|peer| {
        peer.request_head()?;
        peer.send(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nfirst",
        )?;
        std::io::copy(&mut peer.reader, &mut std::io::sink()).map(|_| ())
    });
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
    assert_eq!(client.response_head().status(), 101);
    assert_eq!(client.bytes(5), b"first");
}

#[test]
fn connect_is_a_tunnel_after_its_200() {
    for cores in CORES {
        let origin = shouting("HTTP/1.1 200 Connection established\r\n\r\n");
        let (listen, _proxy) = proxy(cores, &origin);
        let mut client = Client::connect(listen.address());
        client.send("CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n");
        assert_eq!(client.response_head().status(), 200);
        client.send("secret");
        assert_eq!(client.bytes(6), b"SECRET");
        client.shut_write();
        client.ends();
    }
}

#[test]
fn a_refused_upgrade_stays_http() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
    assert_eq!(client.response().status(), 200);
    assert_eq!(client.get("/again").status(), 200);
}
