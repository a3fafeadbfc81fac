//! Conditions and the first actions.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Message, Origin, Port, Proxy, get};

struct Site {
    listen: Port,
    origins: [Origin; 2],
    _proxy: Proxy,
}

fn site(cores: usize, rules: &str) -> Site {
    let listen = Port::reserve();
    let origins = ["default", "other"].map(|name| {
        Origin::answering(move |_| {
            let length = name.len();
            format!(
                "HTTP/1.1 200 OK\r\nserver: origin\r\nx-old: 1\r\ncontent-length: {length}\r\n\r\n{name}"
            )
        })
    });
    let [default, other] = origins.each_ref().map(|origin| origin.address);
    let rules = rules.replace('\n', "\n    ");
    let config = format!(
        "
defaults
    mode http{LONG_TIMEOUTS}
frontend web
    bind *:{listen}
    {rules}
    default_backend default
backend default
    server s1 {default}
backend other
    server s1 {other}
"
    );
    let proxy = Proxy::start(cores, &config);
    Site {
        listen,
        origins,
        _proxy: proxy,
    }
}

impl Site {
    fn ask(&self, head: &str) -> Message {
        Client::connect(self.listen.address())
            .send(format!("{head}\r\n\r\n"))
            .response()
    }

    fn backend_of(&self, head: &str) -> String {
        self.ask(head).text()
    }
}

/// Condition, a request for which it holds, one for which it does not.
const CONDITIONS: &[(&str, &str, &str)] = &[
    (
        "{ path /a }",
        "GET /a?q HTTP/1.1\r\nhost: h",
        "GET /A HTTP/1.1\r\nhost: h",
    ),
    (
        "{ path -i /a /b }",
        "GET /B HTTP/1.1\r\nhost: h",
        "GET /c HTTP/1.1\r\nhost: h",
    ),
    (
        "{ path_beg /api/ }",
        "GET /api/x HTTP/1.1\r\nhost: h",
        "GET /api HTTP/1.1\r\nhost: h",
    ),
    (
        "{ path_end .png .gif }",
        "GET /x.gif HTTP/1.1\r\nhost: h",
        "GET /x.gif.txt HTTP/1.1\r\nhost: h",
    ),
    (
        "{ path_sub admin }",
        "GET /x/admin/y HTTP/1.1\r\nhost: h",
        "GET /x HTTP/1.1\r\nhost: h",
    ),
    (
        "{ path_reg ^/v[0-9]+/ }",
        "GET /v12/x HTTP/1.1\r\nhost: h",
        "GET /vx/x HTTP/1.1\r\nhost: h",
    ),
    (
        "{ url_sub q=1 }",
        "GET /?q=1 HTTP/1.1\r\nhost: h",
        "GET /?q=2 HTTP/1.1\r\nhost: h",
    ),
    (
        "{ method POST }",
        "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 0",
        "GET / HTTP/1.1\r\nhost: h",
    ),
    (
        "{ hdr(host) -i Example.com }",
        "GET / HTTP/1.1\r\nHost: EXAMPLE.COM",
        "GET / HTTP/1.1\r\nhost: x",
    ),
    (
        "{ hdr_beg(host) www. }",
        "GET / HTTP/1.1\r\nhost: www.x",
        "GET / HTTP/1.1\r\nhost: x.www.",
    ),
    (
        "{ hdr(x-a) 1 2 }",
        "GET / HTTP/1.1\r\nhost: h\r\nx-a: 7, 2",
        "GET / HTTP/1.1\r\nhost: h",
    ),
    (
        "{ src 127.0.0.0/8 } { path /y }",
        "GET /y HTTP/1.1\r\nhost: h",
        "GET /n HTTP/1.1\r\nhost: h",
    ),
    (
        "{ path /y } || { path /z }",
        "GET /z HTTP/1.1\r\nhost: h",
        "GET /n HTTP/1.1\r\nhost: h",
    ),
    (
        "{ path_beg / } !{ path /n }",
        "GET /y HTTP/1.1\r\nhost: h",
        "GET /n HTTP/1.1\r\nhost: h",
    ),
    (
        "is_y is_get",
        "GET /y HTTP/1.1\r\nhost: h",
        "HEAD2 /y HTTP/1.1\r\nhost: h",
    ),
    (
        "!is_y or !TRUE",
        "GET /n HTTP/1.1\r\nhost: h",
        "GET /y HTTP/1.1\r\nhost: h",
    ),
];

#[test]
fn conditions() {
    for (condition, yes, no) in CONDITIONS {
        let rules =
            format!("acl is_y path /y\nacl is_get method GET\nuse_backend other if {condition}");
        let site = site(1, &rules);
        assert_eq!(
            site.backend_of(yes),
            "other",
            "{condition} should hold for {yes}"
        );
        assert_eq!(
            site.backend_of(no),
            "default",
            "{condition} should not hold for {no}"
        );
    }
}

#[test]
fn unless_and_the_first_match_wins() {
    for cores in CORES {
        let rules =
            "use_backend default if { path /first }\nuse_backend other unless { path_beg /x }";
        let site = site(cores, rules);
        assert_eq!(site.backend_of("GET /first HTTP/1.1\r\nhost: h"), "default");
        assert_eq!(site.backend_of("GET /x HTTP/1.1\r\nhost: h"), "default");
        assert_eq!(site.backend_of("GET /y HTTP/1.1\r\nhost: h"), "other");
    }
}

#[test]
fn patterns_from_a_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("hosts.lst");
    std::fs::write(&file, "# comment\n\none.example\nTwo.Example\n").expect("written");
    let site = site(
        1,
        &format!(
            "use_backend other if {{ hdr(host) -i -f {} }}",
            file.display()
        ),
    );
    assert_eq!(
        site.backend_of("GET / HTTP/1.1\r\nhost: two.example"),
        "other"
    );
    assert_eq!(
        site.backend_of("GET / HTTP/1.1\r\nhost: three.example"),
        "default"
    );
}

#[test]
fn deny() {
    for cores in CORES {
        let rules = "http-request deny if { path /no }\nhttp-request deny deny_status 429 if { path /busy }";
        let site = site(cores, rules);
        let answer = site.ask("GET /no HTTP/1.1\r\nhost: h");
        assert_eq!(answer.status(), 403);
        assert!(
            answer
                .text()
                .contains("Request forbidden by administrative rules.")
        );
        assert_eq!(site.ask("GET /busy HTTP/1.1\r\nhost: h").status(), 429);
        assert_eq!(site.ask("GET /yes HTTP/1.1\r\nhost: h").status(), 200);
        assert_eq!(site.origins[0].requests().len(), 1);
    }
}

#[test]
fn redirects() {
    let rules = "http-request redirect location /new code 301 if { path /old }\n\
                 http-request redirect prefix https://x.test code 307 if { path_beg /p/ }\n\
                 http-request redirect scheme https if { path /s }\n\
                 redirect location http://legacy.test/ if { path /legacy }";
    let site = site(1, rules);
    for (path, status, location) in [
        ("/old", 301, "/new"),
        ("/p/a?b", 307, "https://x.test/p/a?b"),
        ("/s", 302, "https://h/s"),
        ("/legacy", 302, "http://legacy.test/"),
    ] {
        let answer = site.ask(&format!("GET {path} HTTP/1.1\r\nhost: h"));
        assert_eq!(
            (answer.status(), answer.header("location")),
            (status, Some(location))
        );
        assert_eq!(answer.header("content-length"), Some("0"));
    }
}

#[test]
fn header_edits_in_requests() {
    for cores in CORES {
        let rules = "http-request set-header X-Set new\nhttp-request add-header X-Add two\n\
                     http-request del-header X-Del\nhttp-request set-header X-If yes if { path /if }\n\
                     http-request set-header X-Src %[src]";
        let site = site(cores, rules);
        let head = "GET /if HTTP/1.1\r\nhost: h\r\nx-set: a\r\nx-set: b\r\nx-add: one\r\nx-del: gone\r\nx-keep: k";
        assert_eq!(site.ask(head).status(), 200);
        let seen = site.origins[0].last_request();
        assert_eq!(seen.all("x-set"), ["new"]);
        assert_eq!(seen.all("x-add"), ["one", "two"]);
        assert_eq!(seen.header("x-del"), None);
        assert_eq!(seen.header("x-keep"), Some("k"));
        assert_eq!(seen.header("x-if"), Some("yes"));
        assert_eq!(seen.header("x-src"), Some("127.0.0.1"));
    }
}

#[test]
fn header_edits_in_responses() {
    for cores in CORES {
        let rules = "http-response set-header Server edge\nhttp-response add-header X-New n\n\
                     http-response del-header X-Old";
        let site = site(cores, rules);
        let answer = site.ask("GET / HTTP/1.1\r\nhost: h");
        assert_eq!(answer.all("server"), ["edge"]);
        assert_eq!(
            (answer.header("x-new"), answer.header("x-old")),
            (Some("n"), None)
        );
        assert_eq!(answer.text(), "default");
    }
}

/// Manual, `WAIT_END`: it waits for the end of the inspection in `mode http` too, and the rules
/// behind it are asked then.
#[test]
fn rules_on_content_wait_in_mode_http() {
    const DELAY: std::time::Duration = std::time::Duration::from_millis(400);
    let origin = Origin::named("a");
    let listen = Port::reserve();
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{listen}
    tcp-request inspect-delay 400ms
    tcp-request content set-var(txn.waited) bool(true) if {{ path /slow }} WAIT_END
    tcp-request content reject if {{ path /slow/reject }} WAIT_END
    tcp-request content set-var(txn.after) bool(true)
    http-response set-header x-seen %[var(txn.waited)],%[var(txn.after)]
    server s1 {}
",
        origin.address
    );
    for cores in CORES {
        let _proxy = Proxy::start(cores, &config);
        let begun = std::time::Instant::now();
        let answer = get(listen.address(), "/quick");
        assert_eq!(answer.header("x-seen"), Some(",1"));
        let answer = get(listen.address(), "/slow");
        assert_eq!(answer.header("x-seen"), Some("1,1"));
        assert!(begun.elapsed() >= DELAY);
        Client::connect(listen.address())
            .send("GET /slow/reject HTTP/1.1\r\nhost: a\r\n\r\n")
            .ends();
    }
}
