//! The answers that the proxy makes itself, to the byte.

use crate::harness::{Client, LONG_TIMEOUTS, Origin, Port, Proxy};

fn raw(rules: &str, request: &str) -> String {
    let (listen, origin) = (Port::reserve(), Origin::named("a"));
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{listen}
    {rules}
    server s1 {}
",
        origin.address
    );
    let _proxy = Proxy::start(1, &config);
    let mut client = Client::connect(listen.address());
    client.send(request);
    client.shut_write();
    String::from_utf8(client.rest()).expect("text")
}

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

#[test]
fn bodies_and_heads() {
    let forbidden = raw("http-request deny", GET);
    assert!(forbidden.starts_with("HTTP/1.1 403 Forbidden\r\ncontent-length: 93\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n"), "{forbidden}");
    let body = "<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n";
    assert!(
        forbidden.ends_with(&format!("\r\n\r\n{body}")),
        "{forbidden}"
    );

    let bad = raw("", "BAD\r\n\r\n");
    let expected = "HTTP/1.1 400 Bad request\r\ncontent-length: 90\r\ncache-control: no-cache\r\nconnection: close\r\ncontent-type: text/html\r\n\r\n\
                    <html><body><h1>400 Bad request</h1>\nYour browser sent an invalid request.\n</body></html>\n";
    assert!(bad.eq_ignore_ascii_case(expected), "{bad}");
}

#[test]
fn no_server() {
    let listen = Port::reserve();
    let config = format!("\nlisten web\n    mode http{LONG_TIMEOUTS}\n    bind *:{listen}\n");
    let _proxy = Proxy::start(1, &config);
    let mut client = Client::connect(listen.address());
    for _ in 0..2 {
        let answer = client.get("/");
        assert_eq!(answer.start, "HTTP/1.1 503 Service Unavailable");
        assert_eq!(answer.header("content-length"), Some("107"));
        let body = "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n";
        assert_eq!(answer.text(), body);
    }
    client.send("HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    assert_eq!(client.response_to_head().status(), 503);
    client.ends();
}

/// Whatever page stands for it: the refused head stays unread, so nothing may follow the answer.
#[test]
fn a_refused_request_is_answered_once() {
    const UNKNOWN_CODING: &str =
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
    for (rule, status) in [
        ("", "422"),
        ("errorloc 422 http://sorry/", "302"),
        (
            "http-error status 422 content-type text/plain string sorry",
            "422",
        ),
    ] {
        let answer = raw(rule, UNKNOWN_CODING);
        let start = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&start), "{rule}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{rule}: {answer}");
    }
}
