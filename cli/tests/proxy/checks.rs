//! Health checks.

use crate::harness::{CORES, LONG_TIMEOUTS, Origin, Port, Proxy, Syslog, get, ok, wait_until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn proxy(cores: usize, settings: &str, server: &str) -> (Port, Syslog, Proxy) {
    let (listen, syslog) = (Port::reserve(), Syslog::start());
    let config = format!(
        "
global
    log {} local0
defaults
    log global
    mode http{LONG_TIMEOUTS}
listen web
    bind *:{listen}
    {settings}
    server s1 {server}
",
        syslog.address()
    );
    let proxy = Proxy::start(cores, &config);
    (listen, syslog, proxy)
}

/// A server whose `/health` can be switched between 200 and 500.
fn switchable() -> (Origin, Arc<AtomicBool>) {
    let healthy = Arc::new(AtomicBool::new(true));
    let state = Arc::clone(&healthy);
    let origin = Origin::answering(move |request| match request.path() {
        "/health" if !state.load(Ordering::SeqCst) => {
            "HTTP/1.1 500 Ill\r\ncontent-length: 0\r\n\r\n".to_owned()
        }
        _ => ok("a"),
    });
    (origin, healthy)
}

#[test]
fn transitions_are_logged_in_haproxys_words() {
    for cores in CORES {
        let mut origin = Origin::named("a");
        let server = format!("{} check inter 50ms fall 2 rise 2", origin.address);
        let (listen, syslog, proxy) = proxy(cores, "", &server);
        assert_eq!(get(listen.address(), "/").status(), 200);
        origin.stop();
        let down = syslog.line_with("Server web/s1 is DOWN");
        assert!(
            down.contains("reason: Layer4 connection problem, info: \""),
            "{down}"
        );
        assert!(down.contains("Connection refused"), "{down}");
        assert!(
            down.contains("0 active and 0 backup servers left."),
            "{down}"
        );
        syslog.line_with("proxy web has no server available!");
        assert_eq!(get(listen.address(), "/").status(), 503);
        origin.start();
        let up = syslog.line_with("Server web/s1 is UP");
        assert!(up.contains("reason: Layer4 check passed"), "{up}");
        assert!(up.contains("1 active and 0 backup servers online."), "{up}");
        wait_until("requests pass again", || {
            get(listen.address(), "/").status() == 200
        });
        assert_eq!(proxy.stat("web", "s1", "check_status"), "L4OK");
    }
}

#[test]
fn httpchk_asks_and_judges() {
    for cores in CORES {
        let (origin, healthy) = switchable();
        let server = format!("{} check inter 50ms fall 2 rise 2", origin.address);
        let settings = "option httpchk GET /health HTTP/1.0";
        let (listen, _syslog, proxy) = proxy(cores, settings, &server);
        let status = || proxy.stat("web", "s1", "status");
        wait_until("the first check is done", || {
            proxy.stat("web", "s1", "check_status") == "L7OK"
        });
        assert_eq!(origin.last_request().start, "GET /health HTTP/1.0");
        healthy.store(false, Ordering::SeqCst);
        wait_until("the server is down", || status() == "DOWN");
        assert_eq!(proxy.stat("web", "s1", "check_status"), "L7STS");
        assert_eq!(proxy.stat("web", "s1", "check_code"), "500");
        assert_eq!(get(listen.address(), "/").status(), 503);
        healthy.store(true, Ordering::SeqCst);
        wait_until("the server is up", || status() == "UP");
        assert_eq!(get(listen.address(), "/").status(), 200);
    }
}

#[test]
fn an_expected_status_replaces_the_usual_ones() {
    let origin = Origin::answering(|request| match request.path() {
        "/teapot" => "HTTP/1.1 418 Teapot\r\ncontent-length: 0\r\n\r\n".to_owned(),
        _ => ok("a"),
    });
    let settings = "option httpchk\n    http-check send meth GET uri /teapot ver HTTP/1.1 hdr host a\n    \
                    http-check expect status 418";
    let server = format!("{} check inter 50ms", origin.address);
    let (listen, _syslog, proxy) = proxy(1, settings, &server);
    wait_until("the check passes", || {
        proxy.stat("web", "s1", "check_status") == "L7OK"
    });
    assert_eq!(get(listen.address(), "/").status(), 200);

    let settings = "option httpchk GET /\n    http-check expect status 204";
    let server = format!("{} check inter 50ms fall 1", origin.address);
    let (_listen, _syslog, proxy) = proxy_of(settings, &server);
    wait_until("the server is down", || {
        proxy.stat("web", "s1", "status") == "DOWN"
    });
}

fn proxy_of(settings: &str, server: &str) -> (Port, Syslog, Proxy) {
    proxy(1, settings, server)
}

#[test]
fn another_port_and_address_for_checks() {
    let (origin, mut monitor) = (Origin::named("a"), Origin::named("monitor"));
    let server = format!(
        "{} check inter 50ms fall 1 rise 1 addr 127.0.0.1 port {}",
        origin.address,
        monitor.address.port()
    );
    let (listen, _syslog, proxy) = proxy(1, "", &server);
    // A connect-only check never completes its handshake: the monitor accepts nothing.
    wait_until("the check has passed", || {
        proxy.stat("web", "s1", "check_status") == "L4OK"
    });
    assert_eq!(get(listen.address(), "/").status(), 200);
    monitor.stop();
    wait_until("the server is down", || {
        proxy.stat("web", "s1", "status") == "DOWN"
    });
    assert_eq!(get(listen.address(), "/").status(), 503);
}

#[test]
fn a_check_that_is_never_answered_fails() {
    let origin = Origin::raw(|peer| {
        while peer.request()?.is_some() {}
        Ok(())
    });
    let server = format!("{} check inter 100ms fall 1", origin.address);
    let (_listen, _syslog, proxy) = proxy(1, "option httpchk\n    timeout check 100ms", &server);
    wait_until("the server is down", || {
        proxy.stat("web", "s1", "status") == "DOWN"
    });
    let result = proxy.stat("web", "s1", "check_status");
    assert!(
        ["L7TOUT", "L4TOUT"].contains(&result.trim_start_matches("* ")),
        "{result}"
    );
}

/// Manual 5.2, `observe layer7`, `error-limit`, `on-error`: traffic finds out before the checks.
#[test]
fn traffic_marks_a_server_down() {
    let origin = Origin::answering(|request| match request.path() {
        "/bad" => "HTTP/1.1 500 Ill\r\ncontent-length: 0\r\n\r\n".to_owned(),
        _ => ok("a"),
    });
    for cores in CORES {
        let server = format!(
            "{} check inter 60s observe layer7 error-limit 3 on-error mark-down",
            origin.address
        );
        let (listen, syslog, proxy) = proxy(cores, "", &server);
        for path in ["/bad", "/bad", "/", "/bad", "/bad"] {
            get(listen.address(), path);
        }
        assert_eq!(proxy.stat("web", "s1", "hanafail"), "0");
        get(listen.address(), "/bad");
        let down = syslog.line_with("Server web/s1 is DOWN");
        assert!(down.contains("Detected 3 consecutive errors"), "{down}");
        assert_eq!(proxy.stat("web", "s1", "hanafail"), "1");
        assert_eq!(get(listen.address(), "/").status(), 503);
    }
}

/// Manual 5.2, `on-marked-down` and `on-marked-up`: sessions end with the server's state.
#[test]
fn sessions_end_when_servers_change() {
    let slow = || {
        Origin::raw(|peer| {
            while peer.request()?.is_some() {
                peer.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")?;
            }
            Ok(())
        })
    };
    for cores in CORES {
        let (main, backup, listen) = (slow(), slow(), Port::reserve());
        let proxy = Proxy::start(
            cores,
            &format!(
                "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{listen}
    server s1 {} on-marked-down shutdown-sessions on-marked-up shutdown-backup-sessions
    server s2 {} backup
",
                main.address, backup.address
            ),
        );
        let begin = || {
            let mut client = crate::harness::Client::connect(listen.address());
            client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
            client.response_head();
            assert_eq!(client.bytes(3), b"abc");
            client
        };
        let mut on_main = begin();
        proxy.admin("set server web/s1 health down");
        on_main.ends();
        let mut on_backup = begin();
        proxy.admin("set server web/s1 health up");
        on_backup.ends();
    }
}

/// Manual 5.2, `agent-check`: an agent changes weight and states, and only it takes them back.
#[test]
fn an_agent_speaks_for_its_server() {
    let words = Arc::new(std::sync::Mutex::new("up 50%\n"));
    let spoken = Arc::clone(&words);
    let agent = Origin::raw(move |peer| peer.send(*spoken.lock().expect("words")));
    let origin = Origin::named("a");
    for cores in CORES {
        *words.lock().expect("words") = "up 50%\n";
        let server = format!(
            "{} weight 40 agent-check agent-addr 127.0.0.1 agent-port {} agent-inter 50ms",
            origin.address,
            agent.address.port()
        );
        let (listen, syslog, proxy) = proxy(
            cores,
            "balance roundrobin\n    option log-health-checks",
            &server,
        );
        let becomes = |field: &str, value: &str| {
            wait_until(&format!("{field} {value}"), || {
                proxy.stat("web", "s1", field) == value
            });
        };
        becomes("uweight", "20");
        *words.lock().expect("words") = "down # too hot\n";
        becomes("status", "DOWN (agent)");
        assert_eq!(get(listen.address(), "/").status(), 503);
        syslog.line_with("info: \"via agent : down (too hot)\"");
        *words.lock().expect("words") = "up maxconn:7 100%\n";
        becomes("slim", "7");
        becomes("uweight", "40");
        assert_eq!(get(listen.address(), "/").status(), 200);
        *words.lock().expect("words") = "maint\n";
        becomes("status", "MAINT");
        *words.lock().expect("words") = "ready up\n";
        becomes("status", "no check");
        assert_eq!(get(listen.address(), "/").status(), 200);
    }
}

#[test]
fn one_checker_serves_all_cores() {
    let origin = Origin::named("a");
    let begun = std::time::Instant::now();
    let server = format!("{} check inter 100ms", origin.address);
    // HAProxy resets a mere connection before its server sees it.
    let (_listen, _syslog, _proxy) = proxy(2, "option httpchk", &server);
    wait_until("the server was checked ten times", || {
        origin.connections() >= 10
    });
    // Each check begins an interval after the last one's end, however many cores there are.
    assert!(begun.elapsed().as_millis() >= 850, "{:?}", begun.elapsed());
}

#[test]
fn first_checks_are_spread_over_the_shortest_interval() {
    let origins: Vec<Origin> = (0..4).map(|_| Origin::named("a")).collect();
    let [first, second, third, fourth] = [0, 1, 2, 3].map(|index| origins[index].address);
    let server = format!(
        "{first} check inter 8s
    server s2 {second} check inter 8s
    server s3 {third} check inter 8s
    server s4 {fourth} check inter 8s"
    );
    let (_listen, _syslog, _proxy) = proxy(1, "option httpchk", &server);
    let wait = |index: usize| {
        let origin: &Origin = &origins[index];
        wait_until("a first check", || origin.connections() > 0);
        std::time::Instant::now()
    };
    let (first, second) = (wait(0), wait(1));
    assert!(
        (second - first).as_millis() >= 1_000,
        "{:?}",
        second - first
    );
}

#[test]
fn a_check_may_take_as_long_as_timeout_check_says() {
    let origin = Origin::raw(|peer| {
        let _request = peer.request()?;
        // The answer never comes; the proxy closes.
        peer.request().map(|_| ())
    });
    let settings = "option httpchk\n    timeout check 400ms";
    let server = format!("{} check inter 60s fall 1", origin.address);
    let (_listen, syslog, proxy) = proxy(1, settings, &server);
    let line = syslog.line_with("Server web/s1 is DOWN");
    assert!(line.contains("reason: Layer7 timeout"), "{line}");
    let took: u64 = proxy
        .stat("web", "s1", "check_duration")
        .parse()
        .expect("a duration");
    assert!(took >= 399, "{took}");
}

#[test]
fn disabled_checks_are_not_shown() {
    let origin = Origin::named("a");
    let server = format!("{} check inter 50ms", origin.address);
    let (_listen, _syslog, proxy) = proxy(1, "", &server);
    wait_until("the server is up", || {
        proxy.stat("web", "s1", "status") == "UP"
    });
    proxy.admin("disable health web/s1");
    assert_eq!(proxy.stat("web", "s1", "status"), "no check");
    assert_eq!(proxy.stat("web", "s1", "check_status"), "");
    proxy.admin("enable health web/s1");
    assert_eq!(proxy.stat("web", "s1", "status"), "UP");
}
