//! Bodies that are compressed on their way (manual 4.2, `compression`).

use std::fmt::Write;
use std::io::Read;
use std::sync::mpsc;

use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Message, Origin, Port, Proxy, wait_until};

fn config(port: &Port, origin: &Origin, lines: &str) -> String {
    format!(
        "
frontend web
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{port}
    default_backend app
backend app
    mode http{LONG_TIMEOUTS}
    {lines}
    server s1 {}",
        origin.address
    )
}

fn ungzip(coded: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    GzDecoder::new(coded).read_to_end(&mut out).expect("gzip");
    out
}

/// Text that is worth compressing, and unlike itself everywhere.
fn text(bytes: usize) -> String {
    let mut text = String::new();
    let mut number = 0;
    while text.len() < bytes {
        let _ = writeln!(text, "line {number} of {}", number * 7);
        number += 1;
    }
    text.truncate(bytes);
    text
}

fn ask(client: &mut Client, path: &str, fields: &str) -> Message {
    client.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\n{fields}\r\n"));
    client.response()
}

/// Answers with the body that the path asks for: `/length/1000`, `/chunked/1000`.
fn origin() -> Origin {
    Origin::answering(|request| {
        let mut parts = request.path().split('/').skip(1);
        let (how, bytes) = (parts.next().unwrap_or(""), parts.next().unwrap_or("0"));
        let body = text(bytes.parse().unwrap_or(0));
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\netag: \"a\"\r\n";
        if how != "chunked" {
            return format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        }
        let mut answer = format!("{head}transfer-encoding: chunked\r\n\r\n");
        for piece in body.as_bytes().chunks(10_000) {
            let piece = String::from_utf8_lossy(piece);
            let _ = write!(answer, "{:x}\r\n{piece}\r\n", piece.len());
        }
        answer.push_str("0\r\nx-trailer: t\r\n\r\n");
        answer
    })
}

#[test]
fn responses_of_all_sizes_and_framings() {
    let origin = origin();
    let lines = "compression algo gzip\n    compression type text/plain";
    for cores in CORES {
        let port = Port::reserve();
        let proxy = Proxy::start(cores, &config(&port, &origin, lines));
        let mut client = Client::connect(port.address());
        let sizes = [1, 300, 9_000, 100_000, 3_000_000];
        for how in ["length", "chunked"] {
            for bytes in sizes {
                let response = ask(
                    &mut client,
                    &format!("/{how}/{bytes}"),
                    "accept-encoding: gzip\r\n",
                );
                assert_eq!(response.header("content-encoding"), Some("gzip"));
                assert_eq!(response.header("transfer-encoding"), Some("chunked"));
                assert_eq!(response.header("content-length"), None);
                assert_eq!(response.header("vary"), Some("Accept-Encoding"));
                assert_eq!(response.header("etag"), Some("W/\"a\""));
                assert!(
                    ungzip(&response.body) == text(bytes).as_bytes(),
                    "{how} {bytes}"
                );
            }
        }
        let plain = ask(&mut client, "/length/300", "");
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(plain.header("etag"), Some("\"a\""));
        assert_eq!(plain.text(), text(300));
        let sum: usize = sizes.iter().sum::<usize>() * 2;
        // HAProxy counts some bytes of framing in.
        let is_about_all = |counted: usize| counted >= sum && counted < sum + 100;
        wait_until("all is counted", || {
            let counted = proxy.stat("app", "BACKEND", "comp_in");
            counted.parse().is_ok_and(is_about_all)
        });
        for (proxy_name, service) in [("web", "FRONTEND"), ("app", "BACKEND")] {
            assert_eq!(proxy.stat(proxy_name, service, "comp_rsp"), "10");
            let out: usize = proxy
                .stat(proxy_name, service, "comp_out")
                .parse()
                .expect("bytes");
            assert!(out > 0 && out < sum / 2, "{out} of {sum}");
        }
    }
}

#[test]
fn algorithms_as_the_client_likes_them() {
    let origin = origin();
    for (algorithms, accepted, expected) in [
        ("gzip deflate", "deflate, gzip;q=0.5", Some("deflate")),
        ("gzip raw-deflate", "deflate", Some("raw-deflate")),
        ("gzip", "deflate", None),
        ("gzip", "gzip;q=0", None),
        ("identity", "gzip", None),
    ] {
        let (port, lines) = (Port::reserve(), format!("compression algo {algorithms}"));
        let proxy = Proxy::start(1, &config(&port, &origin, &lines));
        let mut client = Client::connect(port.address());
        let accept = format!("accept-encoding: {accepted}\r\n");
        let response = ask(&mut client, "/length/2000", &accept);
        let mut plain = Vec::new();
        match expected {
            Some("deflate") => drop(ZlibDecoder::new(&response.body[..]).read_to_end(&mut plain)),
            Some("raw-deflate") => {
                drop(DeflateDecoder::new(&response.body[..]).read_to_end(&mut plain));
            }
            _ => plain.clone_from(&response.body),
        }
        assert_eq!(
            String::from_utf8_lossy(&plain),
            text(2_000),
            "{algorithms} {accepted}"
        );
        drop(proxy);
    }
}

#[test]
fn messages_that_are_left_alone() {
    let port = Port::reserve();
    let origin = Origin::answering(|request| {
        let (status, field) = match request.path() {
            "/status" => ("404 Not Found", "content-type: text/plain"),
            "/type" => ("200 OK", "content-type: image/png"),
            "/untyped" => ("200 OK", "x-nothing: 1"),
            "/coded" => ("200 OK", "content-type: text/plain\r\ncontent-encoding: br"),
            "/fixed" => (
                "200 OK",
                "content-type: text/plain\r\ncache-control: no-transform",
            ),
            "/tag" => ("200 OK", "content-type: text/plain\r\netag: nonsense"),
            "/small" => {
                return format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\
                content-length: 99\r\n\r\n{}",
                    text(99)
                );
            }
            _ => ("200 OK", "content-type: text/plain"),
        };
        let head = format!("HTTP/1.1 {status}\r\n{field}\r\ncontent-length: 500\r\n\r\n");
        if request.start.starts_with("HEAD ") {
            head
        } else {
            head + &text(500)
        }
    });
    let lines = "compression algo gzip\n    compression type text/plain\n    \
        compression minsize-res 100\n    compression offload";
    let proxy = Proxy::start(1, &config(&port, &origin, lines));
    let mut client = Client::connect(port.address());
    for path in [
        "/status", "/type", "/untyped", "/coded", "/fixed", "/tag", "/small",
    ] {
        let response = ask(&mut client, path, "accept-encoding: gzip\r\n");
        assert!(response.header("content-length").is_some(), "{path}");
        assert_eq!(response.header("vary"), None, "{path}");
    }
    let response = ask(&mut client, "/plain", "accept-encoding: gzip\r\n");
    assert_eq!(ungzip(&response.body), text(500).as_bytes());
    assert_eq!(
        origin.last_request().header("accept-encoding"),
        None,
        "offloaded"
    );
    client.send("HEAD / HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\n\r\n");
    let head = client.response_to_head();
    assert_eq!(head.header("content-length"), Some("500"));
    let mut old = Client::connect(port.address());
    old.send("GET / HTTP/1.0\r\nhost: x\r\naccept-encoding: gzip\r\n\r\n");
    assert_eq!(old.response().text(), text(500));
    assert_eq!(proxy.stat("app", "BACKEND", "comp_rsp"), "1");
}

/// What a server has said so far can be read although it has not ended.
#[test]
fn a_pause_holds_nothing_back() {
    let port = Port::reserve();
    let (go_on, told) = mpsc::channel::<()>();
    let told = std::sync::Mutex::new(told);
    let origin = Origin::raw(move |peer| {
        peer.request()?;
        peer.send(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n\
             5\r\nfirst\r\n",
        )?;
        let _ = told.lock().expect("one reader").recv();
        peer.send("4\r\nlast\r\n0\r\n\r\n")
    });
    let proxy = Proxy::start(1, &config(&port, &origin, "compression algo raw-deflate"));
    let mut client = Client::connect(port.address());
    client.send("GET / HTTP/1.1\r\nhost: x\r\naccept-encoding: deflate\r\n\r\n");
    let head = client.response_head();
    assert_eq!(head.header("content-encoding"), Some("deflate"));
    // The size line of the first chunk, the chunk, and its end.
    let mut size = String::new();
    while !size.ends_with("\r\n") {
        size.push(char::from(client.bytes(1)[0]));
    }
    let length = usize::from_str_radix(size.trim_end(), 16).expect("a size");
    let coded = client.bytes(length);
    let mut first = [0; 5];
    let read = DeflateDecoder::new(&coded[..]).read_exact(&mut first);
    read.expect("the first words");
    assert_eq!(&first, b"first");
    go_on.send(()).expect("the origin waits");
    let rest = client.bytes(7);
    assert!(!rest.is_empty());
    drop(proxy);
}

#[test]
fn requests_on_their_way_to_the_server() {
    let port = Port::reserve();
    let origin = Origin::named("done");
    let lines = "compression direction both\n    compression algo-req gzip\n    \
        compression type-req text/plain\n    compression minsize-req 100";
    let proxy = Proxy::start(1, &config(&port, &origin, lines));
    let mut client = Client::connect(port.address());
    for (kind, bytes, is_coded) in [
        ("text/plain", 5_000, true),
        ("text/plain", 99, false),
        ("image/png", 5_000, false),
        ("text/plain", 700_000, true),
    ] {
        client.send(format!(
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ncontent-length: {bytes}\r\n\r\n{}",
            text(bytes)
        ));
        assert_eq!(client.response().text(), "done");
        let request = origin.last_request();
        assert_eq!(
            request.header("content-encoding").is_some(),
            is_coded,
            "{kind} {bytes}"
        );
        let body = if is_coded {
            assert_eq!(request.header("content-length"), None);
            ungzip(&request.body)
        } else {
            request.body
        };
        assert!(body == text(bytes).as_bytes(), "{kind} {bytes}");
    }
    drop(proxy);
}
