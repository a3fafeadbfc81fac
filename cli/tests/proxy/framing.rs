//! Requests whose end could be read in two ways, and answers like them.

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

/// Request heads that must not reach a server. The manual's word for each is 400.
const REFUSED: &[(&str, &str)] = &[
    (
        "two lengths",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
    ),
    (
        "a list of lengths",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5, 6\r\n\r\nhello",
    ),
    (
        "a negative length",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -5\r\n\r\nhello",
    ),
    (
        "a signed length",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +5\r\n\r\nhello",
    ),
    (
        "an empty length",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length:\r\n\r\n",
    ),
    (
        "a length in hexadecimal",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x5\r\n\r\nhello",
    ),
    (
        "identity",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: identity\r\n\r\n",
    ),
    (
        "chunked twice",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked not last",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    ),
    (
        "a space before the colon",
        "GET / HTTP/1.1\r\nhost: a\r\ncontent-length : 5\r\n\r\n",
    ),
    (
        "a space in a name",
        "GET / HTTP/1.1\r\nhost: a\r\nx a: b\r\n\r\n",
    ),
    ("an empty name", "GET / HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n"),
    (
        "a lone carriage return",
        "GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n",
    ),
    (
        "a zero byte",
        "GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n",
    ),
    ("two hosts", "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n"),
    ("a relative path", "GET x HTTP/1.1\r\nhost: a\r\n\r\n"),
    ("a fragment", "GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n"),
    ("a bad method", "G\u{1}T / HTTP/1.1\r\nhost: a\r\n\r\n"),
    (
        "another host in the URI",
        "GET http://b/ HTTP/1.1\r\nhost: a\r\n\r\n",
    ),
    ("no version", "GET /\r\n\r\n"),
];

#[test]
fn ambiguous_requests_are_refused_and_reach_no_server() {
    for cores in CORES {
        let origin = Origin::named("a");
        let (listen, _proxy) = proxy(cores, &origin);
        for (what, request) in REFUSED {
            let mut client = Client::connect(listen.address());
            let answer = client.send(request).response();
            assert_eq!(answer.status(), 400, "{what}");
            assert_eq!(answer.header("connection"), Some("close"), "{what}");
            client.ends();
        }
        assert_eq!(origin.requests(), []);
    }
}

#[test]
fn too_many_headers_are_refused() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, &origin);
    let headers: Vec<String> = (0..150).map(|n| format!("x-{n}: y\r\n")).collect();
    let headers = headers.concat();
    let mut client = Client::connect(listen.address());
    client.send(format!("GET / HTTP/1.1\r\nhost: a\r\n{headers}\r\n"));
    assert!(matches!(client.response().status(), 400 | 431));
    assert_eq!(origin.requests(), []);
}

#[test]
fn a_broken_chunk_does_not_pass() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, &origin);
    for chunk in ["x\r\n", "-1\r\n", "ffffffffffffffffff\r\n", "3\r\nabcd\r\n"] {
        let mut client = Client::connect(listen.address());
        client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
        client.send(chunk);
        // The head may be at the server already: then the connections end without an answer.
        let answer = client.rest();
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 400 "),
            "{chunk:?}"
        );
    }
    assert_eq!(origin.requests(), [], "no request became complete");
}

#[test]
fn chunked_beats_a_length_and_the_connection_ends() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    client.send(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n\
         1\r\nx\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
    );
    let answer = client.response();
    assert_eq!(
        (answer.status(), answer.header("connection")),
        (200, Some("close"))
    );
    client.rest();
    let requests = origin.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].header("content-length"), None);
    assert_eq!(requests[0].text(), "x");
}

#[test]
fn an_unknown_coding_before_chunked_is_422() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
    assert_eq!(client.response().status(), 422);
}

#[test]
fn what_the_engine_tolerates_arrives_in_order() {
    let origin = Origin::named("a");
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    let tolerated = [
        ("\r\nGET /1 HTTP/1.1\r\nhost: a\r\n\r\n", "/1"),
        ("GET /2 HTTP/1.1\nhost: a\n\n", "/2"),
        ("get /3 HTTP/1.1\r\nhost: a\r\n\r\n", "/3"),
        ("GET /4/../x//y HTTP/1.1\r\nhost: a\r\n\r\n", "/4/../x//y"),
        ("GET /5 HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n", "/5"),
        (
            "POST /6 HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nhi",
            "/6",
        ),
    ];
    for (request, path) in tolerated {
        assert_eq!(client.send(request).response().status(), 200, "{request:?}");
        assert_eq!(origin.last_request().path(), path);
    }
    assert_eq!(origin.last_request().all("content-length"), ["2"]);
}

#[test]
fn ambiguous_answers_are_502() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nx y: z\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 abc OK\r\ncontent-length: 5\r\n\r\nhello",
    ] {
        let origin = Origin::raw(move |peer| {
            peer.request()?;
            peer.send(head)
        });
        let (listen, _proxy) = proxy(1, &origin);
        assert_eq!(get(listen.address(), "/").status(), 502, "{head:?}");
    }
}

/// Manual, `option accept-unsafe-violations-in-http-request` and `-response`: each speaks of its
/// own messages.
#[test]
fn violations_pass_where_an_option_says_so() {
    let request = "GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n";
    for (options, plain, odd_request) in [
        ("", 502, 400),
        ("option accept-unsafe-violations-in-http-request", 502, 502),
        ("option accept-unsafe-violations-in-http-response", 200, 400),
    ] {
        let origin = Origin::raw(|peer| {
            peer.request()?;
            peer.send("HTTP/1.1 200 OK\r\nx y: odd\r\ncontent-length: 0\r\n\r\n")
        });
        let listen = Port::reserve();
        let config = format!(
            "
listen web
    mode http{LONG_TIMEOUTS}
    {options}
    bind *:{listen}
    server s {}",
            origin.address
        );
        let _proxy = Proxy::start(1, &config);
        let response = get(listen.address(), "/");
        assert_eq!(response.status(), plain, "{options}");
        assert_eq!(response.header("x y"), None);
        let mut client = Client::connect(listen.address());
        assert_eq!(client.send(request).response().status(), odd_request);
    }
}
