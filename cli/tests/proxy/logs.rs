//! Log lines as they reach a syslog server.

use crate::harness::{CORES, Client, Origin, Port, Proxy, Syslog, get, wait_until};

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

/// `sample`: of every four lines the second and the fourth.
#[test]
fn a_target_takes_its_sample() {
    let (listen, all, some) = (Port::reserve(), Syslog::start(), Syslog::start());
    let config = format!(
        "
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
frontend front
    bind {}
    log {} local0
    log {} sample 2,4:4 local0
    log-format %HP
    http-request return status 200
",
        listen.address(),
        all.address(),
        some.address(),
    );
    let _proxy = Proxy::start(1, &config);
    let mut client = Client::connect(listen.address());
    for number in 1..=8 {
        client.get(&format!("/{number}"));
    }
    all.line_with("/8");
    let last = |line: String| line.rsplit(' ').next().map(str::to_owned);
    let seen: Vec<_> = (0..4).filter_map(|_| last(some.line())).collect();
    assert_eq!(seen, ["/2", "/4", "/6", "/8"]);
}

/// One object of the named items, in both encodings; whatever has no name is left out.
#[test]
fn encoded_lines() {
    let syslog = Syslog::start();
    let [json, cbor, single] = [(); 3].map(|()| Port::reserve());
    let config = format!(
        "
defaults named_for_rules
    mode http
    log {} local0
    timeout connect 1s
    timeout client 30s
    timeout server 30s
    http-request return status 200
frontend json
    bind {}
    capture request header x-a len 20
    capture request header x-b len 20
    log-format \"lost %{{+json}}o %(request)r %(st)ST %(as_text:str)ST %(yes:bool)[int(3)] %(list)hrl %(resp)hsl %(none)[var(txn.none)] %ci %(five)[int(5)]\"
frontend cbor
    bind {}
    log-format \"%{{+cbor}}o %(st)ST %(yes)[bool(1)] %(neg)Tc %(none)[var(txn.none)] %(x)[str(ab)]\"
frontend single
    bind {}
    log-format \"single %{{+json}}HM %{{+cbor}}ST\"
",
        syslog.address(),
        json.address(),
        cbor.address(),
        single.address(),
    );
    let _proxy = Proxy::start(1, &config);
    Client::connect(json.address())
        .send("GET /\"x HTTP/1.1\r\nhost: a\r\nx-a: v w\r\n\r\n")
        .response();
    let line = syslog.line_with("request");
    assert!(
        line.ends_with(
            ": {\"request\": \"GET /#22x HTTP/1.1\", \"st\": 200, \"as_text\": \"200\", \"yes\": true, \
             \"list\": [\"v w\", \"-\"], \"resp\": null, \"none\": \"\", \"five\": 5}"
        ),
        "{line}"
    );
    get(cbor.address(), "/");
    let line = syslog.line_with(": BF");
    // The reference cuts some texts in chunks, none of these.
    assert!(
        line.ends_with(": BF62737418C863796573F5636E656720646E6F6E65F66178626162FF"),
        "{line}"
    );
    get(single.address(), "/");
    assert!(syslog.line_with("single").ends_with("single \"GET\" 18C8"));
}

/// `option jsonlog` is our own: the fields of `httplog` and `tcplog` in one JSON object.
#[test]
fn jsonlog() {
    if std::env::var_os("ENGINE_UNDER_TEST").is_some() {
        return;
    }
    let origin = Origin::named("a");
    let server = format!("server s1 {}", origin.address);
    let (listen, syslog, _proxy) = proxy(1, "mode http\n    option jsonlog", &server);
    get(listen.address(), "/path?q=1");
    let line = syslog.line_with("/path");
    let (_, object) = line.split_once("]: ").expect("a tag");
    assert!(
        object.starts_with("{\"client_ip\": \"127.0.0.1\", "),
        "{line}"
    );
    for field in [
        "\"backend_name\": \"app\", \"server_name\": \"s1\"",
        "\"status_code\": 200",
        "\"captured_request_cookie\": \"\"",
        "\"termination_state\": \"----\"",
        "\"http_request\": \"GET /path?q=1 HTTP/1.1\"}",
    ] {
        assert!(object.contains(field), "{field} in {line}");
    }
    let (listen, syslog, _proxy) = proxy(1, "mode tcp\n    option jsonlog", &server);
    get(listen.address(), "/");
    assert!(
        syslog
            .line_with("accept_date")
            .contains("\"termination_state\": \"--\"")
    );
}

/// A receiver that reads nothing costs lines, which are counted, and no time.
#[test]
fn what_a_target_does_not_take_is_counted() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("log");
    let _receiver = std::os::unix::net::UnixDatagram::bind(&path).expect("a receiver");
    let listen = Port::reserve();
    let config = format!(
        "
    log {} local0
defaults
    mode http
    log global
    option httplog
    timeout connect 1s
    timeout client 30s
    timeout server 30s
frontend front
    bind {}
    http-request return status 200
",
        path.display(),
        listen.address(),
    );
    let proxy = Proxy::start(1, &config);
    let dropped = || {
        let info = proxy.admin("show info");
        let line = info.lines().find_map(|l| l.strip_prefix("DroppedLogs: "));
        line.expect("a counter").parse::<u64>().expect("a number")
    };
    let mut client = Client::connect(listen.address());
    for _ in 0..2000 {
        assert_eq!(client.get("/").status(), 200);
    }
    wait_until("lines are counted as dropped", || dropped() > 0);
    assert!(dropped() < 2000, "the receiver's queue took some");
}
