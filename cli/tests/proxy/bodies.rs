//! Bodies that rules wait for, and requests that are answered before they are whole.

use std::time::Duration;

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, Syslog, ok};

const POST: &str = "POST /form HTTP/1.1\r\nhost: a\r\n";

fn proxy(cores: usize, rules: &str, origin: &Origin, syslog: &Syslog) -> (Port, Proxy) {
    let listen = Port::reserve();
    let config = format!(
        "
global
    log {} local0
listen web
    mode http{LONG_TIMEOUTS}
    log global
    option httplog
    bind *:{listen}
{rules}
    server s {}",
        syslog.address(),
        origin.address
    );
    let proxy = Proxy::start(cores, &config);
    (listen, proxy)
}

#[test]
fn rules_see_a_body_that_was_waited_for() {
    for cores in CORES {
        let (origin, syslog) = (Origin::named("origin"), Syslog::start());
        for rules in [
            "    option http-buffer-request
    http-request set-header x-name %[req.body_param(name)]
    http-request set-header x-length %[req.body_len]",
            "    http-request wait-for-body time 20s
    http-request set-header x-name %[req.body_param(name)]
    http-request set-header x-length %[req.body_len]",
        ] {
            let (listen, _proxy) = proxy(cores, rules, &origin, &syslog);
            let mut client = Client::connect(listen.address());
            client.send(format!("{POST}content-length: 12\r\n\r\na=b&na"));
            std::thread::sleep(Duration::from_millis(30));
            assert_eq!(client.send("me=joe").response().status(), 200);
            let request = origin.last_request();
            assert_eq!(request.header("x-name"), Some("joe"), "{rules}");
            assert_eq!(request.header("x-length"), Some("12"));
            assert_eq!(request.text(), "a=b&name=joe", "it goes on unchanged");
            client.send(format!(
                "{POST}transfer-encoding: chunked\r\n\r\n5\r\nname=\r\n"
            ));
            std::thread::sleep(Duration::from_millis(30));
            let rest = "3\r\nann\r\n0\r\nx-sum: 1\r\n\r\n";
            assert_eq!(client.send(rest).response().status(), 200);
            let request = origin.last_request();
            assert_eq!(request.header("x-name"), Some("ann"), "{rules}");
            assert_eq!(request.text(), "name=ann");
            assert_eq!(request.trailers, [("x-sum".to_owned(), "1".to_owned())]);
        }
    }
}

#[test]
fn a_client_that_expects_leave_is_told_to_go_on() {
    let (origin, syslog) = (Origin::named("origin"), Syslog::start());
    let rules = "    option http-buffer-request";
    let (listen, _proxy) = proxy(1, rules, &origin, &syslog);
    let mut client = Client::connect(listen.address());
    client.send(format!(
        "{POST}content-length: 2\r\nexpect: 100-continue\r\n\r\n"
    ));
    assert_eq!(client.response().status(), 100);
    assert_eq!(client.send("ab").response().status(), 200);
    assert_eq!(origin.last_request().header("expect"), None);
}

/// Manual, `timeout http-request` and `http-request wait-for-body`; 8.5: `cR`.
#[test]
fn a_body_that_does_not_come_is_408() {
    for rules in [
        "    option http-buffer-request\n    timeout http-request 200ms",
        "    http-request wait-for-body time 200ms",
    ] {
        let (origin, syslog) = (Origin::named("origin"), Syslog::start());
        let (listen, _proxy) = proxy(1, rules, &origin, &syslog);
        let mut client = Client::connect(listen.address());
        client.send(format!("{POST}content-length: 10\r\n\r\nabc"));
        assert_eq!(client.response().status(), 408, "{rules}");
        let line = syslog.line_with("/form");
        assert!(line.contains(" web/<NOSRV> -1/-1/-1/-1/"), "{line}");
        assert!(line.contains(" 408 ") && line.contains(" cR-- "), "{line}");
        assert_eq!(origin.requests().len(), 0);
    }
}

#[test]
fn as_much_of_a_body_as_is_asked_for_is_enough() {
    let (origin, syslog) = (Origin::named("origin"), Syslog::start());
    let rules = "    http-request wait-for-body time 20s at-least 3
    http-request return status 200 content-type text/plain lf-string \"%[req.body]\"";
    let (listen, _proxy) = proxy(1, rules, &origin, &syslog);
    let mut client = Client::connect(listen.address());
    client.send(format!("{POST}content-length: 10\r\n\r\nabc"));
    assert_eq!(client.response().text(), "abc");
    // The rest of the body is no request.
    client.send("defghij");
    let next = client.send(format!("{POST}content-length: 3\r\n\r\nxyz"));
    assert_eq!(next.response().text(), "xyz");
}

/// A buffer is the most that is waited for (manual, `option http-buffer-request`).
#[test]
fn a_body_larger_than_a_buffer_goes_on() {
    let (origin, syslog) = (Origin::named("origin"), Syslog::start());
    let rules = "    option http-buffer-request";
    let (listen, _proxy) = proxy(1, rules, &origin, &syslog);
    let mut client = Client::connect(listen.address());
    client.send(format!("{POST}content-length: 100000\r\n\r\n"));
    client.send(vec![b'x'; 60_000]);
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(client.send(vec![b'y'; 40_000]).response().status(), 200);
    assert_eq!(origin.last_request().body.len(), 100_000);
}

#[test]
fn a_client_that_leaves_while_its_body_is_waited_for() {
    let (origin, syslog) = (Origin::named("origin"), Syslog::start());
    let rules = "    option http-buffer-request";
    let (listen, _proxy) = proxy(1, rules, &origin, &syslog);
    let mut client = Client::connect(listen.address());
    client.send(format!("{POST}content-length: 10\r\n\r\nabc"));
    client.shut_write();
    client.ends();
    let line = syslog.line_with("/form");
    assert!(line.contains(" 400 ") && line.contains(" CR-- "), "{line}");
    assert!(!line.contains("/<NOSRV> -1/"), "its head was whole: {line}");
    assert_eq!(origin.requests().len(), 0);
}

#[test]
fn a_response_body_that_was_waited_for() {
    for cores in CORES {
        let origin = Origin::raw(|peer| {
            peer.request()?;
            peer.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc")?;
            std::thread::sleep(Duration::from_millis(30));
            peer.send("def")
        });
        let syslog = Syslog::start();
        let rules = "    http-response wait-for-body time 20s
    http-response set-header x-length %[res.body_len]
    http-response set-header x-body %[res.body]";
        let (listen, _proxy) = proxy(cores, rules, &origin, &syslog);
        let response = Client::connect(listen.address()).get("/");
        assert_eq!(response.header("x-length"), Some("6"));
        assert_eq!(response.header("x-body"), Some("abcdef"));
        assert_eq!(response.text(), "abcdef");
    }
}

/// What is left of a request that was answered already is taken off the connection, which goes on.
#[test]
fn a_connection_survives_an_early_answer() {
    let answers = |peer: &mut crate::harness::Peer| {
        while let Some(request) = peer.request_head()? {
            peer.send(ok("early"))?;
            let mut request = request;
            request.read_body(&mut peer.reader, crate::harness::Expect::Request)?;
        }
        Ok(())
    };
    let closes = |peer: &mut crate::harness::Peer| {
        peer.request_head()?;
        peer.send(ok("early"))?;
        peer.shut_write()?;
        std::io::copy(&mut peer.reader, &mut std::io::sink()).map(|_| ())
    };
    for origin in [Origin::raw(answers), Origin::raw(closes)] {
        let syslog = Syslog::start();
        let rules = "    http-request deny if { path /denied }";
        let (listen, _proxy) = proxy(1, rules, &origin, &syslog);
        for path in ["/form", "/denied"] {
            let mut client = Client::connect(listen.address());
            client.send(format!(
                "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc"
            ));
            let early = client.response();
            assert_eq!(early.header("connection"), None, "{path}");
            let status = early.status();
            client.send("defghij");
            client.send(format!(
                "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc"
            ));
            assert_eq!(client.response().status(), status, "{path}");
        }
    }
}

/// Manual, 8.5: `CL`, `cL`: the response has gone, the request never ended.
#[test]
fn an_upload_that_ends_after_its_answer() {
    let origin = Origin::raw(|peer| {
        peer.request_head()?;
        peer.send(ok("early"))?;
        std::io::copy(&mut peer.reader, &mut std::io::sink()).map(|_| ())
    });
    let syslog = Syslog::start();
    let (listen, _proxy) = proxy(1, "    timeout client 300ms", &origin, &syslog);
    for (leaves, state) in [(true, " CL-- "), (false, " cL-- ")] {
        let mut client = Client::connect(listen.address());
        client.send(format!("{POST}content-length: 10\r\n\r\nabc"));
        assert_eq!(client.response().text(), "early");
        if leaves {
            client.shut_write();
        }
        client.ends();
        let line = syslog.line_with("/form");
        assert!(line.contains(" 200 ") && line.contains(state), "{line}");
    }
}

/// Manual, 8.5: `CH`, `cH`.
#[test]
fn an_upload_that_ends_before_its_answer() {
    let origin = Origin::raw(|peer| {
        peer.request_head()?;
        std::io::copy(&mut peer.reader, &mut std::io::sink()).map(|_| ())
    });
    let syslog = Syslog::start();
    let (listen, _proxy) = proxy(1, "    timeout client 300ms", &origin, &syslog);
    for (count, leaves, state) in [(1, true, " CH-- "), (2, false, " cH-- ")] {
        let mut client = Client::connect(listen.address());
        client.send(format!("{POST}content-length: 10\r\n\r\nabc"));
        origin.wait_for_requests(count);
        if leaves {
            client.shut_write();
        }
        client.rest();
        let line = syslog.line_with("/form");
        assert!(line.contains(" 400 ") && line.contains(state), "{line}");
    }
}
