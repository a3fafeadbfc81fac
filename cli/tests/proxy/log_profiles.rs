//! Which lines are written when, and what they say for one target (manual, 4.2 `log-steps`, 4.4
//! `do-log`, 8.3.5 `log-profile`).

use crate::harness::{Client, LONG_TIMEOUTS, Origin, Port, Proxy, Syslog, get};

/// The text of a line of RFC 5424 behind its date and host: tag, process, structured data, text.
fn told(line: &str) -> String {
    let words: Vec<&str> = line.splitn(7, ' ').collect();
    format!("{} {}", words[3], words[6])
}

fn proxy(sections: &str, log: &str, frontend: &str, backend: &str) -> (Port, Syslog, Proxy) {
    let (listen, syslog) = (Port::reserve(), Syslog::start());
    let mode = if frontend.contains("mode tcp") {
        "tcp"
    } else {
        "http"
    };
    let config = format!(
        "
{sections}
defaults
    mode {mode}{LONG_TIMEOUTS}
frontend front
    bind *:{listen}
    log {} format rfc5424 {log} local0
    {frontend}
    default_backend back
backend back
    {backend}
",
        syslog.address()
    );
    let proxy = Proxy::start(1, &config);
    (listen, syslog, proxy)
}

const FORMAT: &str = "log-format \"%OG %ST %B %HM %s\"";

#[test]
fn steps_of_a_request() {
    let origin = Origin::named("a");
    let server = format!("server s1 {}", origin.address);
    let frontend = format!("{FORMAT}\n    log-steps all");
    let (listen, syslog, _proxy) = proxy("", "", &frontend, &server);
    get(listen.address(), "/");
    let lines: Vec<String> = (0..5).map(|_| told(&syslog.line())).collect();
    let begins = [
        "haproxy - txn_accept 0 0 <BADREQ> <NOSRV>",
        "haproxy - txn_request -1 0 GET <NOSRV>",
        "haproxy - txn_connect -1 0 GET s1",
        "haproxy - txn_response 200 ",
        "haproxy - txn_close 200 ",
    ];
    for (line, begin) in lines.iter().zip(begins) {
        assert!(line.starts_with(begin), "{lines:#?}");
    }

    let frontend =
        format!("{FORMAT}\n    log-steps connect\n    http-request deny if {{ path /no }}");
    let (listen, syslog, _proxy) = proxy("", "", &frontend, &server);
    get(listen.address(), "/no");
    get(listen.address(), "/");
    assert!(syslog.line().ends_with("txn_connect -1 0 GET s1"));
    // What is no request is always told.
    Client::connect(listen.address()).send("BAD\r\n\r\n").rest();
    assert!(syslog.line().contains("sess_error 400"));
}

#[test]
fn steps_of_a_connection() {
    let origin = Origin::raw(|peer| peer.send("greetings"));
    let server = format!("server s1 {}", origin.address);
    let frontend = "mode tcp\n    log-format \"%OG %B %s\"\n    log-steps all";
    let (listen, syslog, _proxy) = proxy("", "", frontend, &server);
    Client::connect(listen.address()).rest();
    assert_eq!(told(&syslog.line()), "haproxy - txn_accept 0 <NOSRV>");
    assert_eq!(told(&syslog.line()), "haproxy - txn_connect 0 s1");
    assert_eq!(told(&syslog.line()), "haproxy - txn_close 9 s1");
}

#[test]
fn a_profile_makes_the_lines_of_its_target() {
    let profile = "
log-profile own
    log-tag custom
    on close format \"closed %f\" sd \"[x]\"
    on accept drop
    on any format \"any %OG\"
";
    let frontend =
        format!("{FORMAT}\n    log-steps accept,request,close\n    http-request return status 200");
    let (listen, syslog, _proxy) = proxy(profile, "profile own", &frontend, "");
    get(listen.address(), "/");
    assert_eq!(told(&syslog.line()), "custom - any txn_request");
    assert_eq!(told(&syslog.line()), "custom [x] closed front");
    Client::connect(listen.address()).send("BAD\r\n\r\n").rest();
    assert_eq!(told(&syslog.line()), "custom - any sess_error");
}

#[test]
fn do_log_in_every_ruleset() {
    let origin = Origin::named("a");
    let server = format!("http-response do-log\n    server s1 {}", origin.address);
    let profile = "
log-profile own
    on http-req format \"profile %OG\"
";
    let frontend = format!(
        "{FORMAT}
    tcp-request connection do-log
    tcp-request session do-log
    tcp-request content do-log
    http-request do-log profile own
    http-request set-log-level err if {{ path /loud }}
    http-request set-log-level silent if {{ path /silent }}
    http-after-response do-log"
    );
    let (listen, syslog, _proxy) = proxy(profile, "", &frontend, &server);
    get(listen.address(), "/silent");
    let before = [
        "tcp-req-conn 0 ",
        "tcp-req-sess 0 ",
        "tcp-req-cont -1 ",
        "profile http-req",
    ];
    let expect = |begins: &[&str], priority: &str| {
        for begin in begins {
            let line = syslog.line();
            let text = told(&line);
            assert!(line.starts_with(priority), "{line}");
            assert!(
                text.starts_with(&format!("haproxy - {begin}")),
                "{begin}: {text}"
            );
        }
    };
    expect(&before, "<134>");
    get(listen.address(), "/loud");
    expect(&before, "<134>");
    expect(
        &["http-res 200 ", "http-after-res 200 ", "txn_close 200 "],
        "<131>",
    );
}
