//! Lines of checks: expressions, programs, sections of their own, TLS, SOCKS.

use std::io::{BufRead as _, Read as _};
use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{Origin, Port, Proxy, Syslog, get, ok};

/// Starts backends whose check results go to the log.
fn start(global: &str, backends: &str) -> (Syslog, Proxy) {
    let (listen, syslog) = (Port::reserve(), Syslog::start());
    let config = format!(
        "
global
    log {} local0
    {global}
defaults
    log global
    mode http
    option log-health-checks
    timeout connect 5s
    timeout client 5s
    timeout server 5s
    default-server inter 100ms rise 1 fall 1
frontend unused
    bind *:{listen}
{backends}
",
        syslog.address()
    );
    let proxy = Proxy::start(1, &config);
    (syslog, proxy)
}

#[test]
fn expressions_make_requests_and_read_answers() {
    let origin = Origin::answering(|_| {
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-name: x-mark\r\nx-mark: a, b\r\n\r\nhello".into()
    });
    let backend = format!(
        "backend b
    option httpchk
    http-check connect
    http-check set-var(check.path) str(/ready)
    http-check set-var-fmt(check.id,ifnotexists) %[be_name]-%[srv_name]
    http-check set-var(check.id,ifnotexists) str(never)
    http-check send meth POST uri-lf %[var(check.path)] ver HTTP/1.1 hdr host h hdr x-id %[var(check.id)] body-lf %[be_name]
    http-check expect status 200
    http-check set-var(check.name) res.hdr(x-name)
    http-check expect hdr name-lf %[var(check.name)] value b
    http-check unset-var(check.name)
    http-check expect string hello on-success \"%[res.body]/%[var(check.id)]/%[var(check.name)]\" status-code res.hdr(content-length)
    server s {} check",
        origin.address
    );
    let (syslog, _proxy) = start("", &backend);
    let line = syslog.line_with("Health check for server b/s");
    assert!(
        line.contains("succeeded, reason: Layer7 check passed, code: 5, info: \"hello/b-s/\","),
        "{line}"
    );
    let request = origin.last_request();
    assert_eq!(request.start, "POST /ready HTTP/1.1");
    assert_eq!(request.header("x-id"), Some("b-s"));
    assert_eq!(request.text(), "b");
}

#[test]
fn a_failure_is_told_as_the_line_says() {
    let origin = Origin::raw(|peer| peer.send("-ERR \"no\"\r\n"));
    let backend = format!(
        "backend b
    option tcp-check
    tcp-check connect
    tcp-check comment greeting
    tcp-check expect string-lf +%[str(OK)] error-status L7STS on-error \"said %[res.payload(0,0)]\"
    server s {} check
backend c
    option tcp-check
    tcp-check comment greeting
    tcp-check expect binary-lf 2b%[str(4f4b)]
    server s {0} check",
        origin.address
    );
    let (syslog, _proxy) = start("", &backend);
    let (mut told, mut plain) = (false, false);
    while !(told && plain) {
        let line = syslog.line_with("Health check for server");
        told |= line.contains(
            "b/s failed, reason: Layer7 wrong status, code: 0, info: \"said -ERR <22>no<22><0D><0A> comment: greeting\"",
        );
        plain |= line.contains(
            "c/s failed, reason: Layer7 invalid response, info: \"TCPCHK did not match content (log-format binary) at step 2 comment: greeting\"",
        );
    }
}

#[test]
fn a_program_checks_with_what_it_is_told() {
    let origin = Origin::named("a");
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("check");
    let out = directory.path().join("out");
    let script = format!(
        "#!/bin/sh\necho \"$@ $HAPROXY_PROXY_NAME $HAPROXY_SERVER_NAME $HAPROXY_SERVER_MAXCONN ${{HOME-none}} $PATH\" > {}\nexit 7\n",
        out.display()
    );
    std::fs::write(&program, script).expect("the program");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, mode).expect("its mode");
    let backends = format!(
        "backend b
    option external-check
    external-check command {}
    external-check path /bin:/usr/bin
    server s {} check maxconn 9
backend slow
    option external-check
    external-check command /bin/cat
    external-check path /bin
    timeout check 200ms
    server s {} check",
        program.display(),
        origin.address,
        origin.address,
    );
    let (syslog, proxy) = start("external-check\n    insecure-fork-wanted", &backends);
    let line = syslog.line_with("Health check for server b/s");
    assert!(
        line.contains("failed, reason: External check error, code: 7, check duration"),
        "{line}"
    );
    let told = std::fs::read_to_string(&out).expect("what it was told");
    let (ip, port) = (origin.address.ip(), origin.address.port());
    let expected = format!("NOT_USED NOT_USED {ip} {port} b s 9 none /bin:/usr/bin");
    assert_eq!(told.trim(), expected);
    assert_eq!(proxy.stat("b", "s", "check_status"), "PROCERR");
}

#[test]
fn a_program_that_does_not_end_is_ended() {
    let origin = Origin::named("a");
    let backend = format!(
        "backend b
    option external-check
    external-check command /bin/tail
    timeout check 200ms
    server s {} check",
        origin.address
    );
    // `tail NOT_USED NOT_USED IP PORT` ends at once: there are no such files.
    let (syslog, _proxy) = start("external-check\n    insecure-fork-wanted", &backend);
    let line = syslog.line_with("Health check for server b/s");
    assert!(line.contains("External check error, code: 1"), "{line}");

    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("sleeps");
    std::fs::write(&program, "#!/bin/sh\nexec /bin/sleep 60\n").expect("the program");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, mode).expect("its mode");
    let backend = backend.replace("/bin/tail", &program.display().to_string());
    let (syslog, proxy) = start("external-check\n    insecure-fork-wanted", &backend);
    let line = syslog.line_with("Health check for server b/s");
    assert!(
        line.contains("failed, reason: External check timeout, code: 0"),
        "{line}"
    );
    assert_eq!(
        proxy.stat("b", "s", "check_status").replace("* ", ""),
        "PROCTOUT"
    );
}

#[test]
fn servers_name_a_section_that_says_how_they_are_checked() {
    let origin = Origin::answering(|request| match request.path() {
        "/health" => ok("a"),
        _ => "HTTP/1.1 500 Ill\r\ncontent-length: 0\r\n\r\n".to_owned(),
    });
    let redis = Origin::raw(|peer| {
        let mut request = [0; 14];
        peer.reader.read_exact(&mut request)?;
        peer.send("+PONG\r\n")
    });
    let backends = format!(
        "healthcheck good
    type httpchk GET /health HTTP/1.1 %[srv_name].example
healthcheck cache
    type redis-check
backend b
    option httpchk
    server own {} check
    server named {0} check healthcheck good
    server redis {} check healthcheck cache",
        origin.address, redis.address
    );
    let (syslog, _proxy) = start("", &backends);
    let mut open = vec![
        "b/own failed, reason: Layer7 wrong status, code: 500",
        "b/named succeeded, reason: Layer7 check passed, code: 200",
        "b/redis succeeded, reason: Layer7 check passed, code: 0, info: \"Redis server is ok\"",
    ];
    while !open.is_empty() {
        let line = syslog.line_with("Health check for server");
        open.retain(|part| !line.contains(part));
    }
    let mut hosts = origin.requests();
    hosts.retain(|request| request.path() == "/health");
    assert_eq!(hosts[0].header("host"), Some("named.example"));
}

#[test]
fn a_connect_line_says_where_to_and_what_goes_first() {
    let origin = Origin::raw(|peer| {
        let mut line = String::new();
        peer.reader.read_line(&mut line)?;
        peer.send(line)
    });
    let backend = format!(
        "backend b
    option tcp-check
    tcp-check set-var(check.port) int({})
    tcp-check connect addr {} port var(check.port) send-proxy
    tcp-check expect rstring ^PROXY.TCP4.127 on-success %[res.payload(0,0),field(6,' '),bytes(0,5)]
    server s 127.0.0.9:1 check",
        origin.address.port(),
        origin.address.ip(),
    );
    let (syslog, _proxy) = start("", &backend);
    let line = syslog.line_with("Health check for server b/s");
    assert!(
        line.contains("succeeded, reason: Layer7 check passed"),
        "{line}"
    );
    assert!(line.contains(&origin.address.port().to_string()), "{line}");
}

#[test]
fn traffic_goes_through_socks4_and_checks_where_the_line_says_so() {
    let proxy_seen = Origin::raw(|peer| {
        let mut request = [0; 16];
        peer.reader.read_exact(&mut request)?;
        assert_eq!(&request[..8], &[4, 1, 0, 80, 192, 0, 2, 1]);
        peer.send([0, 0x5a, 0, 0, 0, 0, 0, 0])?;
        while peer.request()?.is_some() {
            peer.send(ok("through"))?;
        }
        Ok(())
    });
    let web = Port::reserve();
    let backend = format!(
        "listen b
    bind *:{web}
    option httpchk
    server s 192.0.2.1:80 check socks4 {} check-via-socks4",
        proxy_seen.address
    );
    let (syslog, _proxy) = start("", &backend);
    assert_eq!(get(web.address(), "/").text(), "through");
    let line = syslog.line_with("Health check for server b/s");
    assert!(
        line.contains("succeeded, reason: Layer7 check passed, code: 200"),
        "{line}"
    );
}
