//! Log lines as they reach a syslog server.

use crate::harness::{CORES, Client, Origin, Port, Proxy, Syslog, get};

fn proxy(cores: usize, settings: &str, server: &str) -> (Port, Syslog, Proxy) {
    let (listen, syslog) = (Port::reserve(), Syslog::start());
    let config = format!(
        "
global
    log {} local0
defaults
    log global
    timeout connect 1s
    timeout client 30s
    timeout server 30s
frontend front
    bind *:{listen}
    {settings}
    default_backend app
backend app
    {}
    retries 0
    {server}
",
        syslog.address(),
        if settings.contains("mode tcp") {
            "mode tcp"
        } else {
            "mode http"
        },
    );
    let proxy = Proxy::start(cores, &config);
    (listen, syslog, proxy)
}

#[test]
fn httplog() {
    for cores in CORES {
        let origin = Origin::named("hello");
        let server = format!("server s1 {}", origin.address);
        let (listen, syslog, _proxy) = proxy(cores, "mode http\n    option httplog", &server);
        let mut client = Client::connect(listen.address());
        let port = client.stream().local_addr().expect("bound").port();
        client
            .send("GET /path?q=1 HTTP/1.1\r\nhost: a\r\n\r\n")
            .response();
        let line = syslog.line_with("/path");
        assert!(line.starts_with("<134>"), "local0.info: {line}");
        assert!(line.contains(&format!(" 127.0.0.1:{port} [")), "{line}");
        assert!(line.contains("] front app/s1 0/0/"), "{line}");
        let after_times = line.split("app/s1 ").nth(1).expect("the times");
        let words: Vec<&str> = after_times.split(' ').collect();
        assert_eq!(words[0].split('/').count(), 5, "{line}");
        assert_eq!(
            (words[1], words[3], words[4], words[5]),
            ("200", "-", "-", "----"),
            "{line}"
        );
        assert!(line.ends_with("\"GET /path?q=1 HTTP/1.1\""), "{line}");
    }
}

#[test]
fn refused_and_unreachable() {
    let (listen, syslog, _proxy) = proxy(1, "mode http\n    option httplog", "");
    assert_eq!(get(listen.address(), "/none").status(), 503);
    let line = syslog.line_with("/none");
    assert!(
        line.contains(" app/<NOSRV> ") && line.contains(" SC-- "),
        "{line}"
    );

    let mut origin = Origin::named("a");
    let server = format!("server s1 {}", origin.address);
    let (listen, syslog, _proxy) = proxy(1, "mode http\n    option httplog", &server);
    origin.stop();
    assert_eq!(get(listen.address(), "/dead").status(), 503);
    let line = syslog.line_with("/dead");
    assert!(
        line.contains(" app/s1 ") && line.contains(" 503 ") && line.contains(" SC-- "),
        "{line}"
    );

    let mut client = Client::connect(listen.address());
    assert_eq!(client.send("BAD\r\n\r\n").response().status(), 400);
    let line = syslog.line_with("<BADREQ>");
    assert!(
        line.contains(" front/<NOSRV> ") && line.contains(" PR-- "),
        "{line}"
    );
}

#[test]
fn tcplog() {
    for cores in CORES {
        let origin = Origin::raw(|peer| peer.send("greetings"));
        let server = format!("server s1 {}", origin.address);
        let (listen, syslog, _proxy) = proxy(cores, "mode tcp\n    option tcplog", &server);
        let mut client = Client::connect(listen.address());
        assert_eq!(client.rest(), b"greetings");
        drop(client);
        let line = syslog.line_with("front app/s1");
        let words: Vec<&str> = line
            .split("app/s1 ")
            .nth(1)
            .expect("the times")
            .split(' ')
            .collect();
        assert_eq!(words[0].split('/').count(), 3, "{line}");
        assert_eq!((words[1], words[2]), ("9", "--"), "{line}");
    }
}

#[test]
fn a_dead_log_server_stops_nothing() {
    let origin = Origin::named("a");
    let server = format!("server s1 {}", origin.address);
    let (listen, syslog, _proxy) = proxy(1, "mode http\n    option httplog", &server);
    drop(syslog);
    let mut client = Client::connect(listen.address());
    for _ in 0..100 {
        assert_eq!(client.get("/").status(), 200);
    }
}

/// Manual, `capture cookie`: by the beginning of its name, or by the whole name with `=`.
#[test]
fn captured_cookies() {
    let origin = Origin::named("hello");
    let server = format!("server s1 {}", origin.address);
    let settings = "mode http\n    option httplog\n    capture cookie SID= len 9";
    let (listen, syslog, _proxy) = proxy(1, settings, &server);
    Client::connect(listen.address())
        .send("GET /c HTTP/1.1\r\nhost: a\r\ncookie: SIDE=no; SID=abcdefgh; x=y\r\n\r\n")
        .response();
    let line = syslog.line_with("/c");
    assert!(line.contains(" SID=abcde - ---- "), "{line}");
}
