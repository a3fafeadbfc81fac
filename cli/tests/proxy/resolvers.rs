//! Names that are followed while the process runs (manual, 5.3), and `do-resolve`.

use crate::harness::{LONG_TIMEOUTS, NameServer, Port, Proxy, Says, Syslog, get, wait_until};

/// Short times, so that scenarios are.
fn section(server: &NameServer, prefix: &str) -> String {
    format!(
        "
resolvers dns
    nameserver ns1 {prefix}{}
    resolve_retries 2
    timeout resolve 100ms
    timeout retry 200ms
    hold nx 300ms
    hold refused 300ms
    hold timeout 300ms
    hold other 300ms
    hold obsolete 0s
    hold valid 10s",
        server.address
    )
}

/// A listener on several addresses of this machine, each of which says which one it is.
fn places(port: &Port) -> String {
    format!(
        "
listen places
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.2:{port},127.0.0.3:{port},127.0.0.4:{port}
    http-request return status 200 content-type text/plain lf-string %[dst]"
    )
}

fn place(port: &Port) -> String {
    let response = get(port.address(), "/");
    format!("{} {}", response.status(), response.text())
}

/// A column of `show servers state`, counted from 0.
fn state(proxy: &Proxy, backend: &str, server: &str, column: usize) -> String {
    let text = proxy.admin(&format!("show servers state {backend}"));
    let row = text.lines().find_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        (words.get(3) == Some(&server)).then(|| words[column].to_owned())
    });
    row.unwrap_or_else(|| panic!("no {backend}/{server} in {text}"))
}

const ADDRESS: usize = 4;
const ADMIN: usize = 6;
const WEIGHT: usize = 7;
const HOST: usize = 17;
const PORT: usize = 18;
const LABEL: usize = 19;

#[test]
fn servers_follow_their_name() {
    let (dns, log) = (NameServer::start(), Syslog::start());
    let (port, behind) = (Port::reserve(), Port::reserve());
    dns.set_addresses("app.test", &["127.0.0.2"]);
    let config = format!(
        "
    log {} local0{}{}
listen web
    mode http{LONG_TIMEOUTS}
    log global
    bind 127.0.0.1:{port}
    balance roundrobin
    default-server resolvers dns init-addr none resolve-prefer ipv4
    server s1 app.test:{behind}
    server s2 App.test:{behind}",
        log.address(),
        section(&dns, ""),
        places(&behind)
    );
    let proxy = Proxy::start(2, &config);
    log.line_with("web/s1: IP changed from '(none)' to '127.0.0.2' by 'dns/ns1'.");
    log.line_with("Server web/s1 ('app.test') is UP/READY (resolves again).");
    log.line_with("Server web/s1 administratively READY thanks to valid DNS answer.");
    wait_until("s1 serves", || place(&port) == "200 127.0.0.2");
    assert_eq!(proxy.stat("web", "s1", "status"), "no check");
    // The only address is taken (manual 5.2, `resolve-opts prevent-dup-ip`).
    assert_eq!(proxy.stat("web", "s2", "status"), "MAINT (resolution)");
    assert_eq!(state(&proxy, "web", "s2", ADMIN), "32");

    dns.set_addresses("app.test", &["127.0.0.2", "127.0.0.3"]);
    log.line_with("web/s2: IP changed from '(none)' to '127.0.0.3' by 'DNS cache'.");
    wait_until("s2 serves", || place(&port) == "200 127.0.0.3");

    dns.set_addresses("app.test", &["127.0.0.4", "127.0.0.3"]);
    log.line_with("web/s1: IP changed from '127.0.0.2' to '127.0.0.4' by 'dns/ns1'.");
    let answers = [place(&port), place(&port)];
    assert!(answers.contains(&"200 127.0.0.4".to_owned()), "{answers:?}");
    assert!(answers.contains(&"200 127.0.0.3".to_owned()), "{answers:?}");

    dns.set("app.test", &[Says::Code(3)]);
    log.line_with("Server web/s1 is going DOWN for maintenance (DNS NX status). 1 active");
    log.line_with("Server web/s2 is going DOWN for maintenance (DNS NX status). 0 active");
    assert!(place(&port).starts_with("503"));
    assert_eq!(state(&proxy, "web", "s1", ADDRESS), "-");
    assert_eq!(state(&proxy, "web", "s1", PORT), behind.to_string());

    dns.set_addresses("app.test", &["127.0.0.2"]);
    log.line_with("web/s1: IP changed from '(none)' to '127.0.0.2' by 'dns/ns1'.");
    wait_until("s1 serves again", || place(&port) == "200 127.0.0.2");
}

#[test]
fn an_srv_label_fills_a_template() {
    let (dns, log) = (NameServer::start(), Syslog::start());
    let (port, behind) = (Port::reserve(), Port::reserve());
    let service = |weight, target| Says::Service(weight, behind.number, target);
    dns.set(
        "_http._tcp.test",
        &[service(1, "n1.test"), service(1_000, "n2.test")],
    );
    dns.set_addresses("n1.test", &["127.0.0.2"]);
    dns.set_addresses("n2.test", &["127.0.0.3"]);
    let config = format!(
        "
    log {} local0{}{}
listen web
    mode http{LONG_TIMEOUTS}
    log global
    bind 127.0.0.1:{port}
    balance roundrobin
    server-template srv 3 _http._tcp.test resolvers dns init-addr none resolve-prefer ipv4",
        log.address(),
        section(&dns, ""),
        places(&behind)
    );
    let proxy = Proxy::start(1, &config);
    let by_host = |host: &str| {
        let found = ["srv1", "srv2", "srv3"]
            .into_iter()
            .find(|server| state(&proxy, "web", server, HOST) == host);
        found.map(|server| (server, state(&proxy, "web", server, ADDRESS)))
    };
    let is_at = |host: &str, ip: &str| by_host(host).is_some_and(|(_, at)| at == ip);
    wait_until("both are found", || {
        is_at("n1.test", "127.0.0.2") && is_at("n2.test", "127.0.0.3")
    });
    let (second, _) = by_host("n2.test").expect("a server");
    assert_eq!(state(&proxy, "web", second, WEIGHT), "4");
    assert_eq!(state(&proxy, "web", second, PORT), behind.to_string());
    assert_eq!(state(&proxy, "web", second, LABEL), "_http._tcp.test");
    assert_eq!(state(&proxy, "web", second, ADMIN), "64");
    let third = ["srv1", "srv2", "srv3"]
        .into_iter()
        .find(|server| state(&proxy, "web", server, HOST) == "-")
        .expect("one is left");
    assert_eq!(proxy.stat("web", third, "status"), "MAINT (resolution)");

    dns.set("_http._tcp.test", &[service(1, "n1.test")]);
    log.line_with(&format!(
        "Server web/{second} is going DOWN for maintenance (entry removed from SRV record)."
    ));
    assert_eq!(place(&port), "200 127.0.0.2");
    assert_eq!(state(&proxy, "web", second, HOST), "-");
    dns.set_addresses("n3.test", &["127.0.0.4"]);
    dns.set(
        "_http._tcp.test",
        &[service(1, "n1.test"), service(1, "n3.test")],
    );
    wait_until("the new one is found", || is_at("n3.test", "127.0.0.4"));
}

#[test]
fn an_answer_to_another_question_is_none() {
    let dns = NameServer::start();
    let (port, behind) = (Port::reserve(), Port::reserve());
    let hostile = [
        Says::First(false, Vec::new()),
        Says::First(
            true,
            b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\xc0\x0c\xc0\x0c".to_vec(),
        ),
        Says::First(true, vec![0xff; 700]),
        Says::First(false, vec![0; 11]),
        Says::Misled([127, 0, 0, 3].into()),
        Says::Address([127, 0, 0, 2].into()),
    ];
    dns.set("app.test", &hostile);
    let config = format!(
        "{}{}
listen web
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{port}
    server s1 app.test:{behind} resolvers dns init-addr none resolve-prefer ipv4",
        section(&dns, ""),
        places(&behind)
    );
    let proxy = Proxy::start(1, &config);
    wait_until("it is found", || place(&port) == "200 127.0.0.2");
    wait_until("many answers have come", || dns.questions("app.test") > 8);
    assert_eq!(place(&port), "200 127.0.0.2");
    let report = proxy.admin("show resolvers dns");
    let figure = |name: &str| {
        let line = report
            .lines()
            .find(|line| line.trim_start().starts_with(name));
        let figure = line.and_then(|line| line.split_whitespace().last()?.parse::<u64>().ok());
        figure.unwrap_or_else(|| panic!("no {name} in {report}"))
    };
    assert!(report.starts_with("Resolvers section dns\n nameserver ns1:\n  sent:        "));
    assert!(figure("valid:") >= 3 && figure("invalid:") >= 3, "{report}");
    assert_eq!(figure("update:"), 1, "{report}");
    assert_eq!(
        proxy.admin("show resolvers nope"),
        "Can't find that resolvers section"
    );
}

#[test]
fn a_name_server_may_be_asked_over_tcp() {
    let dns = NameServer::start();
    let (port, behind) = (Port::reserve(), Port::reserve());
    dns.set("www.test", &[Says::Cname("app.test")]);
    dns.set_addresses("app.test", &["127.0.0.2"]);
    let config = format!(
        "{}{}
listen web
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{port}
    server s1 www.test:{behind} resolvers dns init-addr none resolve-prefer ipv4",
        section(&dns, "tcp@"),
        places(&behind)
    );
    let proxy = Proxy::start(1, &config);
    wait_until("it is found", || place(&port) == "200 127.0.0.2");
    dns.set_addresses("app.test", &["127.0.0.3"]);
    wait_until("it has moved", || place(&port) == "200 127.0.0.3");
    drop(proxy);
}

#[test]
fn an_administrator_gives_a_server_another_name() {
    let dns = NameServer::start();
    let (port, behind) = (Port::reserve(), Port::reserve());
    dns.set_addresses("other.test", &["127.0.0.3"]);
    let config = format!(
        "{}{}
listen web
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{port}
    server s1 127.0.0.2:{behind} resolvers dns resolve-prefer ipv4
    server s2 127.0.0.2:{behind} disabled",
        section(&dns, ""),
        places(&behind)
    );
    let proxy = Proxy::start(1, &config);
    assert_eq!(place(&port), "200 127.0.0.2");
    assert_eq!(
        proxy.admin("set server web/s2 fqdn other.test"),
        "set server <b>/<s> fqdn failed because no resolution is configured."
    );
    assert_eq!(
        proxy.admin("set server web/s1 fqdn other.test"),
        "web/s1 changed its FQDN from (null) to other.test by 'stats socket command'"
    );
    wait_until("it has moved", || place(&port) == "200 127.0.0.3");
    assert_eq!(state(&proxy, "web", "s1", HOST), "other.test");
    assert_eq!(
        proxy.admin("set server web/s1 fqdn other.test"),
        "no need to change the FDQN by 'stats socket command'"
    );
}

#[test]
fn a_rule_resolves_and_sends_there() {
    let dns = NameServer::start();
    dns.set_addresses("two.test", &["127.0.0.2"]);
    dns.set_addresses("three.test", &["127.0.0.3"]);
    dns.set("silent.test", &[Says::Silence]);
    for cores in [1, 2] {
        let (port, behind) = (Port::reserve(), Port::reserve());
        let config = format!(
        "{}{}
frontend web
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{port}
    http-request set-var(txn.name) path,field(2,/)
    http-request do-resolve(txn.ip,dns,ipv4) var(txn.name),concat(.test)
    http-request return status 503 content-type text/plain string none unless {{ var(txn.ip) -m found }}
    http-request set-dst var(txn.ip)
    http-request set-dst-port int({behind})
    use_backend fixed if {{ path_end /fixed }}
    default_backend any
backend any
    mode http{LONG_TIMEOUTS}
    server clear 0.0.0.0:0
backend fixed
    mode http{LONG_TIMEOUTS}
    server clear 0.0.0.0:{behind}",
        section(&dns, ""),
        places(&behind)
    );
        let proxy = Proxy::start(cores, &config);
        let mut client = crate::harness::Client::connect(port.address());
        for (path, expected) in [
            ("/two/", "200 127.0.0.2"),
            ("/three/", "200 127.0.0.3"),
            ("/two/fixed", "200 127.0.0.2"),
            ("/three/fixed", "200 127.0.0.3"),
            ("/nowhere/", "503 none"),
            ("/silent/", "503 none"),
            ("/a..b/", "503 none"),
            ("/two/", "200 127.0.0.2"),
        ] {
            let response = client.get(path);
            let found = format!("{} {}", response.status(), response.text());
            assert_eq!(found, expected, "{path} on {cores} cores");
        }
        drop(proxy);
    }
    // `hold valid` is longer than the scenario: each start asked once.
    assert_eq!(dns.questions("two.test"), 2);
}
