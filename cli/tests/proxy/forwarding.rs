//! Server connections: reuse, privacy, names.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, get};

fn proxy(cores: usize, settings: &str, origin: &Origin) -> (Port, Proxy) {
    let listen = Port::reserve();
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{listen}
    {settings}
    server s1 {}
",
        origin.address
    );
    let proxy = Proxy::start(cores, &config);
    (listen, proxy)
}

#[test]
fn no_answer_reaches_another_client() {
    for cores in CORES {
        let origin = Origin::answering(|request| {
            let tag = request.header("x-tag").unwrap_or_default().to_owned();
            let body = tag.repeat(1 + tag.len() % 7 * 100);
            format!(
                "HTTP/1.1 200 OK\r\nx-tag: {tag}\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        });
        let (listen, _proxy) = proxy(cores, "", &origin);
        let to = listen.address();
        std::thread::scope(|scope| {
            for thread in 0..16 {
                scope.spawn(move || {
                    let mut client = Client::connect(to);
                    for n in 0..50 {
                        let tag = format!("t{thread}-{}", "n".repeat(n % 9));
                        client.send(format!("GET / HTTP/1.1\r\nhost: a\r\nx-tag: {tag}\r\n\r\n"));
                        let answer = client.response();
                        assert_eq!(answer.header("x-tag"), Some(tag.as_str()));
                        assert_eq!(answer.text(), tag.repeat(1 + tag.len() % 7 * 100));
                    }
                });
            }
        });
    }
}

#[test]
fn idle_server_connections_are_shared_by_later_requests() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, "", &origin);
    let mut clients: Vec<Client> = (0..10).map(|_| Client::connect(listen.address())).collect();
    for _ in 0..20 {
        for client in &mut clients {
            assert_eq!(client.get("/").status(), 200);
        }
    }
    assert!(origin.connections() <= 10, "{}", origin.connections());
}

#[test]
fn a_server_that_asks_for_the_close_gets_a_new_connection_each_time() {
    let origin = Origin::raw(|peer| {
        peer.request()?;
        peer.send("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
    });
    let (listen, _proxy) = proxy(1, "", &origin);
    let mut client = Client::connect(listen.address());
    for _ in 0..3 {
        let answer = client.get("/");
        assert_eq!(
            (answer.text().as_str(), answer.header("connection")),
            ("ok", None)
        );
    }
    assert_eq!(origin.connections(), 3);
}

#[test]
fn http_server_close_and_httpclose() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, "option http-server-close", &origin);
    let mut client = Client::connect(listen.address());
    for _ in 0..3 {
        assert_eq!(client.get("/").header("connection"), None);
    }
    assert_eq!(origin.connections(), 3);
    assert_eq!(origin.last_request().header("connection"), Some("close"));

    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, "option httpclose", &origin);
    let mut client = Client::connect(listen.address());
    assert_eq!(client.get("/").header("connection"), Some("close"));
    client.ends();
}

#[test]
fn forwardfor_adds_a_header_of_its_own() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, "option forwardfor", &origin);
    let mut client = Client::connect(listen.address());
    client
        .send("GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 9.9.9.9\r\n\r\n")
        .response();
    assert_eq!(
        origin.last_request().all("x-forwarded-for"),
        ["9.9.9.9", "127.0.0.1"]
    );
}

#[test]
fn forwardfor_takes_another_name_and_exceptions() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, "option forwardfor header X-Client", &origin);
    get(listen.address(), "/");
    assert_eq!(origin.last_request().header("x-client"), Some("127.0.0.1"));

    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, "option forwardfor except 127.0.0.0/8", &origin);
    get(listen.address(), "/");
    assert_eq!(origin.last_request().header("x-forwarded-for"), None);
}
