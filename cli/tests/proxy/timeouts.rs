//! Every timeout, by the status or the silence that it ends in.

use crate::harness::{CORES, Client, Origin, Port, Proxy, get, wait_until};
use std::io::Read;
use std::time::{Duration, Instant};

/// A server that accepts and never answers.
fn silent() -> Origin {
    Origin::raw(|peer| {
        while peer.request()?.is_some() {}
        Ok(())
    })
}

fn proxy(cores: usize, settings: &str, server: &str) -> (Port, Proxy) {
    let listen = Port::reserve();
    let config = format!(
        "
defaults
    mode http
    timeout connect 10s
    timeout client 30s
    timeout server 30s
listen web
    bind *:{listen}
    {settings}
    server s1 {server}
"
    );
    let proxy = Proxy::start(cores, &config);
    (listen, proxy)
}

#[test]
fn an_unfinished_head_is_408() {
    for cores in CORES {
        let origin = Origin::named("a");
        let (listen, _proxy) = proxy(
            cores,
            "timeout http-request 100ms",
            &origin.address.to_string(),
        );
        let mut client = Client::connect(listen.address());
        let begun = Instant::now();
        let answer = client.send("GET / HTTP/1.1\r\nhost: a\r\n").response();
        assert!(begun.elapsed() >= Duration::from_millis(90));
        assert_eq!(
            (answer.status(), answer.header("connection")),
            (408, Some("close"))
        );
        client.ends();
        assert!(origin.requests().is_empty());
    }
}

#[test]
fn bytes_do_not_prolong_the_time_for_a_head() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, "timeout http-request 200ms", &origin.address.to_string());
    let mut client = Client::connect(listen.address());
    let mut dripping = client.stream().try_clone().expect("a handle");
    let drip = std::thread::spawn(move || {
        use std::io::Write;
        let mut sent = 0;
        // Ends when the proxy has closed.
        while sent < 10_000 && dripping.write_all(b"x").is_ok() {
            sent += 1;
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(client.response().status(), 408);
    drop(client);
    drip.join().expect("the dripping client");
}

#[test]
fn an_idle_kept_alive_connection_is_closed_in_silence() {
    for cores in CORES {
        let origin = Origin::named("a");
        let (listen, _proxy) = proxy(
            cores,
            "timeout http-keep-alive 100ms",
            &origin.address.to_string(),
        );
        let mut client = Client::connect(listen.address());
        assert_eq!(client.get("/").status(), 200);
        client.ends();
    }
}

#[test]
fn a_silent_server_is_504() {
    for cores in CORES {
        let origin = silent();
        let (listen, _proxy) = proxy(cores, "timeout server 100ms", &origin.address.to_string());
        let mut client = Client::connect(listen.address());
        let begun = Instant::now();
        let answer = client.get("/");
        assert!(begun.elapsed() >= Duration::from_millis(90));
        assert_eq!(answer.status(), 504);
        assert!(answer.text().contains("The server didn't respond in time."));
        assert_eq!(
            origin.requests().len(),
            1,
            "a request that was sent is not repeated"
        );
    }
}

#[test]
fn a_server_that_falls_silent_inside_its_answer_is_cut_off() {
    let origin = Origin::raw(|peer| {
        peer.request()?;
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")?;
        std::io::copy(&mut peer.reader, &mut std::io::sink()).map(|_| ())
    });
    let (listen, _proxy) = proxy(1, "timeout server 100ms", &origin.address.to_string());
    let mut client = Client::connect(listen.address());
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response_head().status(), 200);
    assert_eq!(client.rest(), b"half");
}

#[test]
fn a_server_that_cannot_be_reached_is_503() {
    for cores in CORES {
        // A full accept queue: further handshakes are not answered.
        let port = Port::reserve();
        let listener = port.listen(0);
        let fill = || {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
            let socket = socket.expect("a socket");
            socket.set_nonblocking(true).expect("non-blocking");
            let _ = socket.connect(&port.address().into());
            socket
        };
        let fillers: Vec<_> = (0..3).map(|_| fill()).collect();
        wait_until("the queue is full", || {
            fillers
                .iter()
                .filter(|socket| socket.peer_addr().is_ok())
                .count()
                >= 1
        });
        let settings = "timeout connect 100ms\n    retries 1";
        let (listen, _proxy) = proxy(cores, settings, &port.address().to_string());
        assert_eq!(get(listen.address(), "/").status(), 503);
        drop((listener, fillers));
    }
}

#[test]
fn a_request_that_waits_too_long_in_the_queue_is_503() {
    for cores in CORES {
        let origin = silent();
        let server = format!("{} maxconn 1", origin.address);
        let (listen, _proxy) = proxy(cores, "timeout queue 100ms", &server);
        let mut first = Client::connect(listen.address());
        first.send("GET /first HTTP/1.1\r\nhost: a\r\n\r\n");
        origin.wait_for_requests(1);
        assert_eq!(get(listen.address(), "/second").status(), 503);
        assert_eq!(origin.requests().len(), 1);
    }
}

#[test]
fn a_client_that_stops_sending_its_body_is_refused() {
    let origin = Origin::raw(|peer| {
        peer.request()?;
        Ok(())
    });
    let (listen, _proxy) = proxy(1, "timeout client 100ms", &origin.address.to_string());
    let mut client = Client::connect(listen.address());
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf");
    // HAProxy's own word is 400 while nothing of an answer has come, 408 with a buffered request.
    assert!(matches!(client.response().status(), 400 | 408));
    client.ends();
}

#[test]
fn an_idle_tcp_connection_is_closed() {
    for cores in CORES {
        for settings in ["timeout client 100ms", "timeout server 100ms"] {
            let (told, ended) = std::sync::mpsc::channel();
            let told = std::sync::Mutex::new(told);
            let origin = Origin::raw(move |peer| {
                peer.send("hello")?;
                let mut rest = Vec::new();
                let _ = peer.reader.read_to_end(&mut rest);
                told.lock().expect("one at a time").send(rest.len()).ok();
                Ok(())
            });
            let settings = format!("mode tcp\n    {settings}");
            let (listen, _proxy) = proxy(cores, &settings, &origin.address.to_string());
            let mut client = Client::connect(listen.address());
            assert_eq!(client.rest(), b"hello");
            drop(client);
            assert_eq!(ended.recv_timeout(crate::harness::PATIENCE), Ok(0));
        }
    }
}

#[test]
fn a_tunnel_has_its_own_timeout() {
    let origin = Origin::raw(|peer| {
        peer.request_head()?;
        peer.send("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n")?;
        std::io::copy(&mut peer.reader, &mut std::io::sink()).map(|_| ())
    });
    let (listen, _proxy) = proxy(1, "timeout tunnel 100ms", &origin.address.to_string());
    let mut client = Client::connect(listen.address());
    client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
    assert_eq!(client.response_head().status(), 101);
    client.ends();
}

#[test]
fn traffic_keeps_a_connection_alive_beyond_the_timeout() {
    let origin = Origin::raw(|peer| {
        let mut byte = [0];
        while peer.reader.read(&mut byte)? == 1 {
            peer.send(byte)?;
        }
        Ok(())
    });
    let settings = "mode tcp\n    timeout client 1s\n    timeout server 1s";
    let (listen, _proxy) = proxy(1, settings, &origin.address.to_string());
    let mut client = Client::connect(listen.address());
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(2500) {
        client.send("x");
        assert_eq!(client.bytes(1), b"x");
        std::thread::sleep(Duration::from_millis(50));
    }
}
