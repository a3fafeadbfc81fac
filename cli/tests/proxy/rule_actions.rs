//! Actions whose effect is not in the message alone: hints, pauses, dropped connections, servers.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy};
use std::io::Read;
use std::time::{Duration, Instant};

struct Site {
    listen: Port,
    origin: Origin,
    _proxy: Proxy,
}

fn site(cores: usize, frontend: &str, backend: &str) -> Site {
    let listen = Port::reserve();
    let origin = Origin::named("origin");
    let config = format!(
        "
defaults
    mode http{LONG_TIMEOUTS}
    balance roundrobin
frontend web
    bind *:{listen}
    {}
    default_backend origin
backend origin
    {}
    server s1 {address}
    server s2 {address}
",
        frontend.replace('\n', "\n    "),
        backend.replace('\n', "\n    "),
        address = origin.address
    );
    let proxy = Proxy::start(cores, &config);
    Site {
        listen,
        origin,
        _proxy: proxy,
    }
}

#[test]
fn hints_come_before_the_answer() {
    for cores in CORES {
        let site = site(cores, "http-request early-hint Link \"<%[path]>\"", "");
        let mut client = Client::connect(site.listen.address());
        client.send("GET /a.css HTTP/1.1\r\nhost: h\r\n\r\n");
        let hint = client.response_head();
        assert_eq!(hint.status(), 103);
        assert_eq!(hint.header("link"), Some("</a.css>"));
        assert_eq!(client.response().text(), "origin");
    }
}

#[test]
fn a_pause_holds_the_request_back() {
    for cores in CORES {
        let site = site(cores, "http-request pause 300ms if { path /slow }", "");
        let begun = Instant::now();
        let answer = Client::connect(site.listen.address()).get("/slow");
        assert_eq!(answer.text(), "origin");
        assert!(begun.elapsed() >= Duration::from_millis(300));
    }
}

#[test]
fn a_dropped_client_hears_nothing() {
    for cores in CORES {
        let site = site(cores, "http-request silent-drop if { path /drop }", "");
        let mut client = Client::connect(site.listen.address());
        client.send("GET /drop HTTP/1.1\r\nhost: h\r\n\r\n");
        let patience = Some(Duration::from_millis(500));
        client
            .stream()
            .set_read_timeout(patience)
            .expect("a timeout");
        let mut byte = [0];
        match client.reader.read(&mut byte) {
            Ok(0) => panic!("the connection was closed"),
            Ok(_) => panic!("the client was answered"),
            // A reset is all that can be done without the right to repair connections.
            Err(error) => assert!(
                matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::ConnectionReset
                ),
                "{error}"
            ),
        }
        assert!(site.origin.requests().is_empty());
    }
}

#[test]
fn a_server_is_chosen_by_rules_and_told_its_name() {
    for cores in CORES {
        let rules = "http-send-name-header X-Name
use-server s2 if { path /two }
use-server %[req.hdr(x-server)] if { req.hdr(x-server) -m found }";
        let site = site(cores, "", rules);
        let name = |head: &str| {
            Client::connect(site.listen.address())
                .send(format!("GET {head}\r\n\r\n"))
                .response();
            let request = site.origin.last_request();
            request.header("x-name").unwrap_or_default().to_owned()
        };
        for _ in 0..3 {
            assert_eq!(name("/two HTTP/1.1\r\nhost: h"), "s2");
            assert_eq!(name("/ HTTP/1.1\r\nhost: h\r\nx-server: s1"), "s1");
        }
        let names = [0; 4].map(|_| name("/ HTTP/1.1\r\nhost: h\r\nx-server: s9"));
        assert!(names.contains(&"s1".to_owned()) && names.contains(&"s2".to_owned()));
    }
}

#[test]
fn figures_of_both_connections() {
    for cores in CORES {
        let rules = "http-response set-header X-Rtt \"%[fc_rtt(us)] %[bc_rtt(us)]\"
http-response set-header X-Source \"%[bc_src] %[bc_src_port]\"
http-request set-fc-tos 0x20";
        let site = site(cores, rules, "");
        let answer = Client::connect(site.listen.address()).get("/");
        let figures = answer.header("x-rtt").expect("figures");
        let positive = |text: &str| text.parse::<u32>().is_ok_and(|figure| figure > 0);
        assert!(figures.split(' ').all(positive), "{figures}");
        let source = answer.header("x-source").expect("an address");
        let (address, port) = source.split_once(' ').expect("two");
        assert_eq!(address, "127.0.0.1");
        assert!(positive(port), "{port}");
    }
}

#[test]
fn a_request_is_described_as_rfc_7239_says() {
    for cores in CORES {
        let source = "http-request set-src hdr(x-src) if { hdr(x-src) -m found }";
        let rows = [
            (
                "option forwarded",
                "GET / HTTP/1.1\r\nhost: h\r\nforwarded: for=1.2.3.4",
                "for=1.2.3.4,proto=http;for=127.0.0.1",
            ),
            (
                "option forwarded proto host for",
                "GET / HTTP/1.1\r\nhost: [::1]:80\r\nx-src: 2001:db8::1",
                "proto=http;host=\"[::1]:80\";for=\"[2001:db8::1]\"",
            ),
            (
                "option forwarded host-expr req.hdr(x-h) by-expr req.hdr(x-h) for-expr str(_hid) for_port-expr int(9)",
                "GET / HTTP/1.1\r\nhost: h\r\nx-h: a.b:81",
                "host=\"a.b:81\";by=unknown;for=\"_hid:9\"",
            ),
        ];
        for (option, head, expected) in rows {
            let site = site(cores, source, option);
            Client::connect(site.listen.address())
                .send(format!("{head}\r\n\r\n"))
                .response();
            let request = site.origin.last_request();
            assert_eq!(request.all("forwarded"), [expected], "{option}");
        }
    }
}
