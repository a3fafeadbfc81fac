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

/// Manual, `stats admin`: a form of the page changes servers; who may not is told so.
#[test]
fn a_form_changes_servers() {
    for cores in CORES {
        let (web, stats, _origin, proxy) =
            proxy(cores, "stats uri /\n    stats admin if { hdr(x-who) boss }");
        let form = |fields: &str, lines: &str| {
            let request = format!(
                "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\
                 content-type: application/x-www-form-urlencoded\r\n{lines}\r\n{fields}",
                fields.len()
            );
            Client::connect(stats.address()).send(request).response()
        };
        let location = |answer: &crate::harness::Message| {
            assert_eq!(answer.status(), 303);
            answer.header("location").expect("a location").to_owned()
        };
        let boss = "x-who: boss\r\n";
        let denied = form("s=s1&action=maint&b=web", "");
        assert_eq!(location(&denied), "/;st=DENY");
        assert_eq!(get(web.address(), "/").status(), 200);
        let done = form("s=s1&action=maint&b=web", boss);
        assert_eq!(location(&done), "/;st=DONE");
        assert_eq!(get(web.address(), "/").status(), 503);
        assert_eq!(proxy.stat("web", "s1", "status"), "MAINT");
        assert_eq!(
            location(&form("s=s1&action=ready&b=web", boss)),
            "/;st=DONE"
        );
        assert_eq!(get(web.address(), "/").status(), 200);
        let foreign = form(
            "s=s1&action=maint&b=web",
            "x-who: boss\r\norigin: http://evil\r\n",
        );
        assert_eq!(location(&foreign), "/;st=DENY");
        assert_eq!(
            location(&form("s=s9&action=maint&b=web", boss)),
            "/;st=ERRP"
        );
        assert_eq!(location(&form("action=maint&b=web", boss)), "/;st=NONE");
        let page = Client::connect(stats.address())
            .send("GET / HTTP/1.1\r\nhost: x\r\nx-who: boss\r\n\r\n")
            .response();
        assert!(page.text().contains("Set state to MAINT"));
        assert!(
            !get(stats.address(), "/")
                .text()
                .contains("Set state to MAINT")
        );
    }
}

/// Manual, `stats http-request`.
#[test]
fn rules_guard_the_page() {
    let rules = "stats uri /
    stats http-request deny if { hdr(x-who) guest }
    stats http-request allow if { hdr(x-who) boss }
    stats http-request auth realm Page";
    let (_web, stats, _origin, _proxy) = proxy(1, rules);
    for (who, status) in [("guest", 403), ("boss", 200), ("nobody", 401)] {
        let request = format!("GET / HTTP/1.1\r\nhost: x\r\nx-who: {who}\r\n\r\n");
        let answer = Client::connect(stats.address()).send(request).response();
        assert_eq!(answer.status(), status, "{who}");
    }
}
