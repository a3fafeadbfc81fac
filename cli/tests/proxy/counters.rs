//! What each way of ending counts, column by column (management.txt 9.1).

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Message, Origin, Port, Proxy, get, wait_until};
use std::time::Duration;

const BODY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

fn origin() -> Origin {
    Origin::raw(|peer| {
        while let Some(request) = peer.request()? {
            match Message::path(&request) {
                "/missing" => {
                    peer.send("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")?;
                }
                "/cut" => {
                    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")?;
                    return Ok(());
                }
                "/wait" => std::thread::sleep(Duration::from_millis(300)),
                _ => peer.send(BODY)?,
            }
        }
        Ok(())
    })
}

struct Site {
    _origin: Origin,
    web: Port,
    tcp: Port,
    proxy: Proxy,
}

fn site(cores: usize) -> Site {
    let (web, tcp, dead) = (Port::reserve(), Port::reserve(), Port::reserve());
    let origin = origin();
    let live = origin.address;
    let proxy = Proxy::start(
        cores,
        &format!(
            "
defaults
    mode http{LONG_TIMEOUTS}
    retries 2
    timeout connect 100ms
frontend web
    bind *:{web}
    option socket-stats
    http-request return status 200 if {{ path /here }}
    use_backend dead if {{ path /dead }}
    use_backend picky if {{ path /picky }}
    default_backend app
backend app
    server s1 {live}
backend dead
    server s1 {}
backend picky
    http-request deny
    server s1 {live}
frontend tcp
    mode tcp
    bind *:{tcp}
    default_backend raw
backend raw
    mode tcp
    server s1 {live}
",
            dead.address()
        ),
    );
    Site {
        _origin: origin,
        web,
        tcp,
        proxy,
    }
}

/// Proxy and service, and some of their columns with the values they should have.
type Row = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

#[test]
fn each_way_of_ending_counts_where_it_belongs() {
    for cores in CORES {
        let site = site(cores);
        let web = site.web.address();
        for path in ["/", "/missing", "/here", "/picky", "/dead"] {
            get(web, path);
        }
        let mut cut = Client::connect(web);
        cut.send("GET /cut HTTP/1.1\r\nhost: a\r\n\r\n").rest();
        let mut bad = Client::connect(web);
        bad.send("GET / HTTP/1.1\r\nbad header\r\n\r\n");
        assert_eq!(bad.response().status(), 400);
        let mut gone = Client::connect(web);
        gone.send("GET /wait HTTP/1.1\r\nhost: a\r\n\r\n");
        wait_until("the request is at the server", || {
            site.proxy.stat("app", "s1", "scur") == "1"
        });
        drop(gone);
        wait_until("its end", || {
            site.proxy.stat("app", "s1", "cli_abrt") == "1"
        });
        let mut raw = Client::connect(site.tcp.address());
        raw.get("/");
        drop(raw);
        let rows: &[Row] = &[
            (
                "web",
                "FRONTEND",
                &[
                    ("req_tot", "8"),
                    ("h1req", "8"),
                    ("ereq", "1"),
                    ("dreq", "1"),
                    ("intercepted", "1"),
                    ("hrsp_2xx", "3"),
                    ("hrsp_4xx", "4"),
                    ("hrsp_5xx", "1"),
                    ("h1_total_connections", "8"),
                ],
            ),
            ("web", "sock-1", &[("dreq", "1"), ("ereq", "1")]),
            (
                "app",
                "s1",
                &[
                    ("stot", "4"),
                    ("req_tot", "3"),
                    ("hrsp_2xx", "2"),
                    ("hrsp_4xx", "1"),
                    ("hrsp_5xx", "0"),
                    ("eresp", "1"),
                    ("srv_abrt", "1"),
                    ("connect", "4"),
                ],
            ),
            ("app", "BACKEND", &[("req_tot", "4"), ("lbtot", "4")]),
            (
                "dead",
                "s1",
                &[
                    ("stot", "3"),
                    ("req_tot", "0"),
                    ("hrsp_5xx", "0"),
                    ("econ", "1"),
                    ("wretr", "2"),
                    ("lbtot", "1"),
                    ("connect", "3"),
                ],
            ),
            ("dead", "BACKEND", &[("hrsp_5xx", "1"), ("bout", "0")]),
            ("picky", "BACKEND", &[("dreq", "1"), ("hrsp_4xx", "1")]),
            ("tcp", "FRONTEND", &[("req_tot", "0"), ("req_other", "0")]),
        ];
        for (proxy, service, fields) in rows {
            for (field, expected) in *fields {
                let found = site.proxy.stat(proxy, service, field);
                assert_eq!(found, *expected, "{proxy}/{service} {field}, {cores} cores");
            }
        }
        assert_ne!(site.proxy.stat("web", "FRONTEND", "rate_max"), "0");
        assert_ne!(site.proxy.stat("web", "sock-1", "bin"), "0");
    }
}
