//! The statistics page.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, get};

fn proxy(cores: usize, settings: &str) -> (Port, Port, Origin, Proxy) {
    let (web, stats) = (Port::reserve(), Port::reserve());
    let origin = Origin::named("a");
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{web}
    server s1 {} check
listen page
    mode http{LONG_TIMEOUTS}
    bind *:{stats}
    stats enable
    {settings}
",
        origin.address
    );
    let proxy = Proxy::start(cores, &config);
    (web, stats, origin, proxy)
}

#[test]
fn csv_has_the_columns_and_counts_of_all_cores() {
    for cores in CORES {
        let (web, stats, _origin, _proxy) = proxy(cores, "stats uri /");
        for _ in 0..20 {
            assert_eq!(get(web.address(), "/").status(), 200);
        }
        let csv = get(stats.address(), "/;csv");
        assert_eq!(csv.status(), 200);
        assert!(
            csv.header("content-type")
                .is_some_and(|kind| kind.starts_with("text/plain"))
        );
        let text = csv.text();
        assert!(
            text.starts_with("# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,")
        );
        let row = |service: &str| {
            let row = text
                .lines()
                .find(|line| line.starts_with(&format!("web,{service},")));
            row.expect("a row")
                .split(',')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(row("FRONTEND")[7], "20");
        assert_eq!(row("s1")[7], "20");
        assert_eq!(row("BACKEND")[17], "UP");
        assert_eq!(row("FRONTEND")[17], "OPEN");
    }
}

#[test]
fn uri_and_everything_else() {
    let (_web, stats, _origin, _proxy) = proxy(1, "stats uri /admin/stats\n    stats refresh 7s");
    let page = get(stats.address(), "/admin/stats");
    assert_eq!(page.status(), 200);
    assert!(page.header("refresh").is_some() || page.text().contains("refresh"));
    assert_eq!(get(stats.address(), "/").status(), 503);
}

#[test]
fn authentication() {
    let settings = "stats uri /\n    stats realm The\\ Realm\n    stats auth joe:secret";
    let (_web, stats, _origin, _proxy) = proxy(1, settings);
    let mut client = Client::connect(stats.address());
    let answer = client.get("/");
    assert_eq!(answer.status(), 401);
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Basic realm=\"The Realm\"")
    );
    let ask = |credentials: &str| {
        let mut client = Client::connect(stats.address());
        client.send(format!(
            "GET / HTTP/1.1\r\nhost: a\r\nauthorization: Basic {credentials}\r\n\r\n"
        ));
        client.response().status()
    };
    assert_eq!(ask("am9lOnNlY3JldA=="), 200);
    assert_eq!(ask("am9lOndyb25n"), 401);
    assert_eq!(ask("%%%"), 401);
}

#[test]
fn the_version_can_be_hidden() {
    let (_web, stats, _origin, proxy) = proxy(1, "stats uri /\n    stats hide-version");
    let info = proxy.admin("show info");
    let version = info
        .lines()
        .find_map(|line| line.strip_prefix("Version: "))
        .expect("a version");
    assert!(!get(stats.address(), "/").text().contains(version));
}
