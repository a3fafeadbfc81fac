//! HTTP/1 messages as they pass: persistence, framing, interim answers, old versions.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, get};

fn proxy(cores: usize, origin: &Origin) -> (Port, Proxy) {
    let listen = Port::reserve();
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{listen}
    server s1 {}
",
        origin.address
    );
    let proxy = Proxy::start(cores, &config);
    (listen, proxy)
}

#[test]
fn a_connection_serves_many_requests_and_so_does_the_server_connection() {
    for cores in CORES {
        let origin = Origin::named("a");
        let (listen, _proxy) = proxy(cores, &origin);
        let mut client = Client::connect(listen.address());
        for n in 0..50 {
            let answer = client.get(&format!("/{n}"));
            assert_eq!((answer.status(), answer.text().as_str()), (200, "a"));
            assert_eq!(answer.header("connection"), None);
        }
        assert_eq!(origin.connections(), 1);
        let paths: Vec<String> = origin
            .requests()
            .iter()
            .map(|r| r.path().to_owned())
            .collect();
        assert_eq!(paths, (0..50).map(|n| format!("/{n}")).collect::<Vec<_>>());
    }
}

#[test]
fn a_client_that_asks_for_the_close_gets_it() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    let answer = client.response();
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(answer.text(), "a");
    client.ends();
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    for cores in CORES {
        let origin = Origin::answering(|request| {
            let path = request.path();
            format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{path}",
                path.len()
            )
        });
        let (listen, _proxy) = proxy(cores, &origin);
        let mut client = Client::connect(listen.address());
        let requests: Vec<String> = (0..20)
            .map(|n| format!("GET /{n} HTTP/1.1\r\nhost: a\r\n\r\n"))
            .collect();
        let requests = requests.concat();
        client.send(requests);
        for n in 0..20 {
            assert_eq!(client.response().text(), format!("/{n}"));
        }
    }
}

#[test]
fn pipelined_uploads_keep_their_bodies() {
    let origin = Origin::answering(|request| {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}",
            request.body.len(),
            request.text()
        )
    });
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    client.send(
        "POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello\
         POST /2 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
         GET /3 HTTP/1.1\r\nhost: a\r\n\r\n",
    );
    let bodies = [(); 3].map(|()| client.response().text());
    assert_eq!(bodies, ["hello", "abc", ""]);
}

#[test]
fn a_head_in_single_bytes_is_the_same_request() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    for byte in b"POST /slow HTTP/1.1\r\nhost: a\r\nx-a: b\r\ncontent-length: 2\r\n\r\nhi" {
        client.send([*byte]);
    }
    assert_eq!(client.response().status(), 200);
    let request = origin.last_request();
    assert_eq!(
        (request.header("x-a"), request.text().as_str()),
        (Some("b"), "hi")
    );
}

#[test]
fn chunked_bodies_and_trailers_pass_both_ways() {
    for cores in CORES {
        let origin = Origin::answering(|request| {
            assert_eq!(request.trailers, [("x-sum".to_owned(), "42".to_owned())]);
            let body = request.text();
            format!(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                 {:x}\r\n{body}\r\n1\r\n!\r\n0\r\nx-end: yes\r\n\r\n",
                body.len()
            )
        });
        let (listen, _proxy) = proxy(cores, &origin);
        let mut client = Client::connect(listen.address());
        for _ in 0..3 {
            client.send(
                "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n\
                 5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nx-sum: 42\r\n\r\n",
            );
            let answer = client.response();
            assert_eq!(answer.text(), "hello world!");
            assert_eq!(answer.trailers, [("x-end".to_owned(), "yes".to_owned())]);
        }
    }
}

#[test]
fn head_has_a_length_and_no_body() {
    let origin = Origin::named("abc");
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    for _ in 0..2 {
        client.send("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_eq!(
            client.response_to_head().header("content-length"),
            Some("3")
        );
        assert_eq!(client.get("/").text(), "abc");
    }
}

#[test]
fn answers_without_a_body_end_at_their_head() {
    let origin = Origin::answering(|request| match request.path() {
        "/204" => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        "/304" => {
            "HTTP/1.1 304 Not Modified\r\netag: \"x\"\r\ncontent-length: 9\r\n\r\n".to_owned()
        }
        _ => "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(),
    });
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    for (path, status) in [("/204", 204), ("/304", 304), ("/", 200), ("/204", 204)] {
        assert_eq!(client.get(path).status(), status);
    }
}

#[test]
fn the_client_waits_for_100_continue_and_gets_it() {
    for cores in CORES {
        let origin = Origin::raw(|peer| {
            while let Some(mut request) = peer.request_head()? {
                assert_eq!(request.header("expect"), Some("100-continue"));
                peer.send("HTTP/1.1 100 Continue\r\n\r\n")?;
                request.read_body(&mut peer.reader, crate::harness::Expect::Request)?;
                peer.send(crate::harness::ok(&request.text()))?;
            }
            Ok(())
        });
        let (listen, _proxy) = proxy(cores, &origin);
        let mut client = Client::connect(listen.address());
        for body in ["first", "second"] {
            let length = body.len();
            client.send(format!(
                "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
            ));
            assert_eq!(client.response_head().status(), 100);
            client.send(body);
            assert_eq!(client.response().text(), body);
        }
    }
}

#[test]
fn a_refused_expectation_ends_without_the_body() {
    let origin = Origin::raw(|peer| {
        peer.request_head()?;
        peer.send(
            "HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        )
    });
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    client.send("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
    assert_eq!(client.response().status(), 417);
}

#[test]
fn early_hints_come_before_the_answer() {
    let origin = Origin::answering(|_| {
        "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n\
         HTTP/1.1 103 Early Hints\r\nlink: </b.js>; rel=preload\r\n\r\n\
         HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
            .to_owned()
    });
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    for _ in 0..2 {
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        for link in ["</a.css>; rel=preload", "</b.js>; rel=preload"] {
            let hints = client.response_head();
            assert_eq!((hints.status(), hints.header("link")), (103, Some(link)));
        }
        assert_eq!(client.response().text(), "ok");
    }
}

#[test]
fn an_http_1_0_client_is_served_and_closed() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    let answer = client.send("GET / HTTP/1.0\r\n\r\n").response();
    assert_eq!(
        (answer.status(), answer.header("connection")),
        (200, Some("close"))
    );
    client.ends();

    let mut client = Client::connect(listen.address());
    for _ in 0..2 {
        let answer = client
            .send("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
            .response();
        assert_eq!(answer.header("connection"), Some("keep-alive"));
    }
}

#[test]
fn a_chunked_answer_reaches_an_http_1_0_client_whole() {
    let origin = Origin::answering(|_| {
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            .to_owned()
    });
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    let answer = client.send("GET / HTTP/1.0\r\n\r\n").response();
    // HAProxy leaves it chunked: only a server that ignored the version sends this.
    assert_eq!(answer.text(), "abcde");
    client.ends();
}

#[test]
fn an_http_1_0_server_delimits_by_its_close() {
    for cores in CORES {
        let origin = Origin::raw(|peer| {
            peer.request()?;
            peer.send("HTTP/1.0 200 OK\r\n\r\nuntil the end")
        });
        let (listen, _proxy) = proxy(cores, &origin);
        for _ in 0..3 {
            let answer = get(listen.address(), "/");
            assert_eq!(answer.text(), "until the end");
        }
    }
}

#[test]
fn a_close_delimited_answer_becomes_one_that_ends_correctly() {
    let origin = Origin::raw(|peer| {
        peer.request()?;
        peer.send("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
        for _ in 0..100 {
            peer.send([b'x'; 1000])?;
        }
        Ok(())
    });
    let (listen, _proxy) = proxy(1, &origin);
    assert_eq!(get(listen.address(), "/").body.len(), 100_000);
}

#[test]
fn header_values_and_their_order_are_kept_and_names_are_lower_case() {
    let origin = Origin::answering(|_| {
        "HTTP/1.1 299 Odd Reason\r\nSet-Cookie: a=1\r\nX-Mixed: V a L\r\nSet-Cookie: b=2\r\n\
         Content-Length: 0\r\n\r\n"
            .to_owned()
    });
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    client.send("GET /p?q=1#no HTTP/1.1\r\nhost: a\r\n\r\n".replace("#no", ""));
    let answer = client.response();
    assert_eq!(answer.start, "HTTP/1.1 299 Odd Reason");
    assert_eq!(answer.all("set-cookie"), ["a=1", "b=2"]);
    assert!(
        answer
            .headers
            .iter()
            .any(|(name, value)| name == "x-mixed" && value == "V a L")
    );

    client
        .send("GET / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nx-two: 2\r\nX-One: 3\r\n\r\n")
        .response();
    let request = origin.last_request();
    let odd: Vec<&str> = request
        .headers
        .iter()
        .filter(|(n, _)| n.starts_with("x-"))
        .map(|(_, v)| v.as_str())
        .collect();
    assert_eq!(odd, ["1", "2", "3"]);
}

#[test]
fn an_early_answer_reaches_a_client_that_is_still_uploading() {
    let origin = Origin::raw(|peer| {
        peer.request_head()?;
        peer.send("HTTP/1.1 413 Too Much\r\ncontent-length: 4\r\nconnection: close\r\n\r\nstop")?;
        // Reads on until the proxy gives up, so that no reset destroys the answer.
        std::io::copy(&mut peer.reader, &mut std::io::sink()).map(|_| ())
    });
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nbeginning");
    let answer = client.response();
    assert_eq!((answer.status(), answer.text().as_str()), (413, "stop"));
}
