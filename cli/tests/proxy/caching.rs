//! Responses that a cache keeps and gives (manual, 6).

use std::io::Read;

use crate::harness::{
    CORES, Client, LONG_TIMEOUTS, Message, Origin, Port, Proxy, Syslog, wait_until,
};

fn config(port: &Port, origin: &Origin, section: &str, lines: &str) -> String {
    format!(
        "
frontend web
    mode http{LONG_TIMEOUTS}
    log global
    option httplog
    bind 127.0.0.1:{port}
    default_backend app
backend app
    mode http{LONG_TIMEOUTS}
    {lines}
    http-request cache-use small
    http-response cache-store small
    http-response set-header x-hit %[res.cache_hit],%[res.cache_name]
    server s1 {}
cache small
    total-max-size 1
    {section}",
        origin.address
    )
}

/// Answers with how often it was asked, in as many bytes as the path says.
fn origin(fields: &'static str, chunked: bool) -> Origin {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    Origin::answering(move |request| {
        let number = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        let size = request.path().rsplit('/').next();
        let size = size.and_then(|size| size.parse().ok()).unwrap_or(10);
        let mut body = number.to_string();
        body.push_str(&" ".repeat(size - body.len()));
        if chunked {
            let size = body.len();
            format!(
                "HTTP/1.1 200 OK\r\n{fields}transfer-encoding: chunked\r\n\r\n\
                {size:x}\r\n{body}\r\n0\r\n\r\n"
            )
        } else if request.start.starts_with("HEAD ") {
            format!(
                "HTTP/1.1 200 OK\r\n{fields}content-length: {}\r\n\r\n",
                body.len()
            )
        } else {
            format!(
                "HTTP/1.1 200 OK\r\n{fields}content-length: {}\r\n\r\n{body}",
                body.len()
            )
        }
    })
}

fn ask(port: &Port, method: &str, path: &str, fields: &str) -> Message {
    let mut client = Client::connect(port.address());
    client.send(format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\n{fields}\r\n"
    ));
    if method == "HEAD" {
        client.response_to_head()
    } else {
        client.response()
    }
}

fn hit(response: &Message) -> &str {
    response
        .header("x-hit")
        .expect("the field that a rule sets")
}

#[test]
fn every_core_gives_what_one_has_kept() {
    for (cores, chunked) in CORES
        .into_iter()
        .flat_map(|cores| [(cores, false), (cores, true)])
    {
        // A killed process's sockets may outlive it for a moment: each run has its own port.
        let (port, log) = (Port::reserve(), Syslog::start());
        let fields = "cache-control: max-age=30\r\netag: \"a\"\r\nage: 3\r\n";
        let origin = origin(fields, chunked);
        let head = format!("    log {} local0", log.address());
        let config = head + &config(&port, &origin, "max-age 60", "");
        let proxy = Proxy::start(cores, &config);
        let first = ask(&port, "GET", "/a/500", "");
        assert_eq!((hit(&first), first.body.len()), ("0,", 500));
        wait_until("it is kept", || {
            proxy.admin("show cache").lines().count() == 2
        });
        for _ in 0..20 {
            let response = ask(&port, "GET", "/a/500", "");
            assert_eq!((hit(&response), &response.body), ("1,small", &first.body));
            let age: u64 = response
                .header("age")
                .expect("an age")
                .parse()
                .expect("seconds");
            assert!(age >= 3, "{age}");
        }
        assert_eq!(origin.requests().len(), 1);
        log.line_with(" app/s1 ");
        let line = log.line_with(" app/<CACHE> ");
        assert!(line.contains(" 200 ") && line.contains(" LR-- "), "{line}");
        let known = ask(&port, "GET", "/a/500", "if-none-match: \"b\", W/\"a\"\r\n");
        assert_eq!((known.status(), known.body.len()), (304, 0));
        let unknown = ask(&port, "GET", "/a/500", "if-none-match: \"b\"\r\n");
        assert_eq!((unknown.status(), unknown.body.len()), (200, 500));
        let head = ask(&port, "HEAD", "/a/500", "");
        assert_eq!(hit(&head), "1,small");
        assert_eq!(proxy.stat("app", "BACKEND", "cache_hits"), "23");
        assert_eq!(proxy.stat("app", "BACKEND", "cache_lookups"), "24");
    }
}

#[test]
fn requests_that_the_server_gets() {
    let (port, origin) = (
        Port::reserve(),
        origin("cache-control: max-age=30\r\n", false),
    );
    let proxy = Proxy::start(1, &config(&port, &origin, "max-age 60", ""));
    let count = || proxy.admin("show cache").lines().count() - 1;
    ask(&port, "GET", "/a", "");
    wait_until("it is kept", || count() == 1);
    for (method, fields, is_hit) in [
        ("GET", "", true),
        ("GET", "authorization: Basic x\r\n", false),
        ("GET", "cache-control: no-cache\r\n", false),
        ("GET", "pragma: no-cache\r\n", false),
        ("OPTIONS", "", false),
        ("GET", "", true),
    ] {
        let response = ask(&port, method, "/a", fields);
        assert_eq!(hit(&response) == "1,small", is_hit, "{method} {fields}");
    }
    // What was asked for afresh has taken the old one's place.
    let fresh = ask(&port, "GET", "/a", "");
    assert_eq!(fresh.text().trim(), "4");
    assert_eq!(
        hit(&ask(&port, "POST", "/a", "content-length: 0\r\n")),
        "0,"
    );
    assert_eq!(count(), 0, "it may have been changed");
    assert_eq!(hit(&ask(&port, "GET", "/a", "")), "0,");
    wait_until("it is kept", || count() == 1);
    assert_eq!(hit(&ask(&port, "GET", "/b", "")), "0,", "another address");
}

#[test]
fn objects_that_are_too_big_are_not_kept() {
    for chunked in [false, true] {
        let port = Port::reserve();
        let origin = origin("cache-control: max-age=30\r\n", chunked);
        let section = "max-object-size 20000\n    max-age 60";
        let proxy = Proxy::start(1, &config(&port, &origin, section, ""));
        for path in ["/big/20000", "/big/200000"] {
            let first = ask(&port, "GET", path, "");
            assert_eq!(hit(&ask(&port, "GET", path, "")), "0,", "{path}");
            assert!(first.body.len() >= 20_000);
        }
        ask(&port, "GET", "/small/10000", "");
        wait_until("it is kept", || {
            proxy.admin("show cache").lines().count() == 2
        });
        // A megabyte of objects pushes it out.
        for number in 0..120 {
            ask(&port, "GET", &format!("/{number}/10000"), "");
        }
        let held = proxy.admin("show cache").lines().count() - 1;
        assert!((50..105).contains(&held), "{held}");
        assert_eq!(hit(&ask(&port, "GET", "/119/10000", "")), "1,small");
        assert_eq!(hit(&ask(&port, "GET", "/small/10000", "")), "0,");
    }
}

#[test]
fn variants() {
    let port = Port::reserve();
    let origin = Origin::answering(|request| {
        let (coding, word) = match request.header("accept-encoding") {
            Some(accepted) if accepted.contains("gzip") => ("content-encoding: gzip\r\n", "gzip"),
            _ => ("", "none"),
        };
        let vary = match request.path() {
            "/other" => "X-Other",
            "/origin" => "Origin",
            _ => "Accept-Encoding",
        };
        format!(
            "HTTP/1.1 200 OK\r\nvary: {vary}\r\n{coding}cache-control: max-age=30\r\n\
            content-length: 4\r\n\r\n{word}"
        )
    });
    let _proxy = Proxy::start(1, &config(&port, &origin, "process-vary on", ""));
    let is_kept = |path: &str, fields: &str| hit(&ask(&port, "GET", path, fields)) == "1,small";
    let gzip = "accept-encoding: gzip\r\n";
    wait_until("one is kept", || is_kept("/a", gzip));
    assert_eq!(ask(&port, "GET", "/a", "").text(), "gzip", "any will do");
    let other = "accept-encoding: br\r\n";
    assert!(!is_kept("/a", other));
    wait_until("two are kept", || is_kept("/a", other));
    for (accepted, expected) in [
        ("gzip, br", "gzip"),
        ("br", "none"),
        ("br, gzip;q=0.1", "gzip"),
    ] {
        let response = ask(
            &port,
            "GET",
            "/a",
            &format!("accept-encoding: {accepted}\r\n"),
        );
        let found = (hit(&response), &response.text()[..]);
        assert_eq!(found, ("1,small", expected), "{accepted}");
    }
    wait_until("three are kept", || is_kept("/origin", "origin: a\r\n"));
    assert!(!is_kept("/origin", "origin: b\r\n"));
    assert!(is_kept("/origin", "origin: a\r\n"));
    for _ in 0..2 {
        assert_eq!(hit(&ask(&port, "GET", "/other", "")), "0,");
    }
}

/// Objects are kept as they came, and compressed for whom wants it (manual, 9.4).
#[test]
fn compression_comes_behind_the_cache() {
    let fields = "cache-control: max-age=30\r\ncontent-type: text/plain\r\netag: \"a\"\r\n";
    let (port, origin) = (Port::reserve(), origin(fields, false));
    let proxy = Proxy::start(
        1,
        &config(&port, &origin, "max-age 60", "compression algo gzip"),
    );
    let first = ask(&port, "GET", "/a/3000", "accept-encoding: gzip\r\n");
    assert_eq!(
        (hit(&first), first.header("content-encoding")),
        ("0,", Some("gzip"))
    );
    wait_until("it is kept", || {
        proxy.admin("show cache").lines().count() == 2
    });
    for (accepted, coding) in [("", None), ("accept-encoding: gzip\r\n", Some("gzip"))] {
        let response = ask(&port, "GET", "/a/3000", accepted);
        assert_eq!(
            (hit(&response), response.header("content-encoding")),
            ("1,small", coding)
        );
        let mut body = Vec::new();
        if coding.is_some() {
            let decoded = flate2::read::GzDecoder::new(&response.body[..]).read_to_end(&mut body);
            decoded.expect("gzip");
            assert_eq!(response.header("etag"), Some("W/\"a\""));
        } else {
            body.clone_from(&response.body);
        }
        assert_eq!(String::from_utf8_lossy(&body), format!("{:<3000}", "1"));
    }
    let known = ask(
        &port,
        "GET",
        "/a/3000",
        "accept-encoding: gzip\r\nif-none-match: W/\"a\"\r\n",
    );
    assert_eq!((known.status(), known.body.len()), (304, 0));
}
