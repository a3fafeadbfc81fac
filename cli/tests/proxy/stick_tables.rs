//! Stick tables: limits by what a client did, servers that clients stay with, the admin socket.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, get, ok, wait_until};

/// A frontend with rules and a backend `servers` with two servers; tables stand in `tables`.
struct Site {
    listen: Port,
    _origins: [Origin; 2],
    proxy: Proxy,
}

fn site(cores: usize, rules: &str, backend: &str, tables: &str) -> Site {
    let listen = Port::reserve();
    let origins = ["a", "b"].map(|name| {
        Origin::answering(move |request| match request.path() {
            "/404" => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
            "/500" => "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n".to_owned(),
            path if path.starts_with("/login") => format!(
                "HTTP/1.1 200 OK\r\nx-session: {}\r\ncontent-length: 1\r\n\r\n{name}",
                &path[1..]
            ),
            _ => ok(name),
        })
    });
    let [a, b] = origins.each_ref().map(|origin| origin.address);
    let (rules, backend) = (
        rules.replace('\n', "\n    "),
        backend.replace('\n', "\n    "),
    );
    let config = format!(
        "
defaults
    mode http{LONG_TIMEOUTS}
frontend web
    bind 127.0.0.1:{listen}
    {rules}
    default_backend servers
backend servers
    balance roundrobin
    {backend}
    server a {a}
    server b {b}
{tables}
"
    );
    let proxy = Proxy::start(cores, &config);
    Site {
        listen,
        _origins: origins,
        proxy,
    }
}

impl Site {
    fn get(&self, path: &str) -> String {
        let message = get(self.listen.address(), path);
        match message.status() {
            200 => message.text(),
            status => status.to_string(),
        }
    }

    fn with_field(&self, path: &str, field: &str) -> String {
        let head = format!("GET {path} HTTP/1.1\r\nhost: h\r\n{field}\r\n\r\n");
        Client::connect(self.listen.address())
            .send(head)
            .response()
            .text()
    }

    /// The figure of the only entry of a table.
    #[track_caller]
    fn figure(&self, table: &str, name: &str) -> String {
        figure(&self.proxy, table, name)
    }
}

#[track_caller]
fn figure(proxy: &Proxy, table: &str, name: &str) -> String {
    let dump = proxy.admin(&format!("show table {table}"));
    let line = dump.lines().nth(1).unwrap_or_default();
    let value = line.split(' ').find_map(|word| {
        let (known, value) = word.split_once('=')?;
        (known == name).then(|| value.to_owned())
    });
    value.unwrap_or_else(|| panic!("no {name} in {dump}"))
}

#[test]
fn a_client_that_asks_too_often_is_denied() {
    for cores in CORES {
        let site = site(
            cores,
            "http-request track-sc0 src\n\
             stick-table type ip size 1k expire 10m store http_req_rate(10m)\n\
             http-request deny deny_status 429 if { sc_http_req_rate(0) gt 3 }",
            "",
            "",
        );
        let answers: Vec<_> = (0..5).map(|_| site.get("/")).collect();
        assert_eq!(answers[3..], ["429", "429"], "{answers:?}");
        assert!(
            answers[..3].iter().all(|a| a == "a" || a == "b"),
            "{answers:?}"
        );
        assert_eq!(site.figure("web", "http_req_rate(600000)"), "5");
    }
}

/// The rate of connections is looked up by address; nothing is tracked by that.
#[test]
fn connections_are_rejected_by_their_rate() {
    let site = site(
        1,
        "tcp-request connection reject if { src_conn_rate(rates) ge 2 }\n\
         tcp-request connection track-sc1 src table rates",
        "",
        "backend rates\n    stick-table type ipv6 size 10 expire 10m store conn_rate(10m),conn_cnt",
    );
    assert!(["a", "b"].contains(&site.get("/").as_str()));
    assert!(["a", "b"].contains(&site.get("/").as_str()));
    let mut third = Client::connect(site.listen.address());
    third.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    assert!(!matches!(third.try_response(), Ok(Some(_))));
    assert_eq!(site.figure("rates", "conn_cnt"), "2");
    assert_eq!(site.figure("rates", "key"), "::ffff:127.0.0.1");
}

#[test]
fn events_count_when_they_happen() {
    for cores in CORES {
        let site = site(
            cores,
            "tcp-request connection track-sc0 src table sources\n\
             http-request track-sc1 path table paths if { path /404 }\n\
             http-request deny if { path /no }\n\
             http-request return status 404 if { path /mine }",
            "",
            "backend sources\n    stick-table type ip size 10 store conn_cnt,conn_cur,sess_cnt,http_req_cnt,http_err_cnt,http_fail_cnt,bytes_in_cnt\n\
             backend paths\n    stick-table type string size 10 store sess_cnt,http_req_cnt,http_err_cnt,conn_cnt",
        );
        let mut client = Client::connect(site.listen.address());
        for (path, status) in [
            ("/", 200),
            ("/404", 404),
            ("/500", 500),
            ("/no", 403),
            ("/mine", 404),
        ] {
            assert_eq!(client.get(path).status(), status, "{path}");
        }
        let figures = |names: &[&str]| -> Vec<String> {
            names
                .iter()
                .map(|name| site.figure("sources", name))
                .collect()
        };
        assert_eq!(
            figures(&[
                "use",
                "conn_cnt",
                "conn_cur",
                "sess_cnt",
                "http_req_cnt",
                "http_err_cnt",
                "http_fail_cnt"
            ]),
            ["1", "1", "1", "1", "5", "2", "1"]
        );
        drop(client);
        wait_until("the connection has left", || {
            site.figure("sources", "conn_cur") == "0"
        });
        assert_eq!(figures(&["use", "exp"]), ["0", "0"]);
        assert_eq!(site.figure("paths", "key"), "/404");
        let paths = ["conn_cnt", "sess_cnt", "http_req_cnt", "http_err_cnt"];
        assert_eq!(
            paths.map(|name| site.figure("paths", name)),
            ["1", "0", "1", "1"]
        );
    }
}

/// No count is lost or made up, however the connections spread over cores.
#[test]
fn counts_are_exact_over_all_cores() {
    let site = site(
        2,
        "http-request track-sc0 src\n\
         http-request sc-inc-gpc0(0)\n\
         stick-table type ip size 1k expire 10m store gpc0,http_req_cnt,conn_cnt,conn_cur",
        "",
        "",
    );
    let address = site.listen.address();
    let clients: Vec<_> = (0..16)
        .map(|_| {
            std::thread::spawn(move || {
                for _ in 0..5 {
                    let mut client = Client::connect(address);
                    for _ in 0..5 {
                        assert_eq!(client.get("/").status(), 200);
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.join().expect("a client");
    }
    wait_until("all have left", || site.figure("web", "conn_cur") == "0");
    let figures = ["gpc0", "http_req_cnt", "conn_cnt"].map(|name| site.figure("web", name));
    assert_eq!(figures, ["400", "400", "400"]);
}

/// A limit on concurrent connections holds for the process.
#[test]
fn concurrent_connections_are_limited() {
    for cores in CORES {
        let site = site(
            cores,
            "tcp-request connection track-sc0 src table sources\n\
             http-request deny deny_status 429 if { sc0_conn_cur gt 2 }",
            "",
            "backend sources\n    stick-table type ip size 10 expire 1m store conn_cur",
        );
        let mut clients = [0; 2].map(|_| Client::connect(site.listen.address()));
        assert_eq!(clients.each_mut().map(|c| c.get("/").status()), [200, 200]);
        assert_eq!(site.get("/"), "429");
        wait_until("the third has left", || {
            site.figure("sources", "conn_cur") == "2"
        });
        assert_eq!(clients.each_mut().map(|c| c.get("/").status()), [200, 200]);
    }
}

#[test]
fn a_client_sticks_to_its_server() {
    for cores in CORES {
        let site = site(
            cores,
            "",
            "stick-table type string size 10 expire 10m\nstick on hdr(x-client)",
            "",
        );
        let ann = site.with_field("/", "x-client: ann");
        let bob = site.with_field("/", "x-client: bob");
        assert_ne!(ann, bob, "the servers take turns");
        for _ in 0..3 {
            assert_eq!(site.with_field("/", "x-client: bob"), bob);
            assert_eq!(site.with_field("/", "x-client: ann"), ann);
        }
        site.proxy.admin("clear table servers key ann");
        let dump = site.proxy.admin("show table servers");
        let id = if bob == "a" { 1 } else { 2 };
        assert!(
            dump.starts_with("# table: servers, type: string, size:10, used:1\n"),
            "{dump}"
        );
        assert!(
            dump.contains(&format!(" server_id={id} server_key={bob}")),
            "{dump}"
        );
        // A server that is down binds nobody, and what follows is learned.
        site.proxy
            .admin(&format!("set server servers/{bob} state maint"));
        assert_eq!(site.with_field("/", "x-client: bob"), ann);
        assert_eq!(site.figure("servers", "server_key"), ann);
    }
}

#[test]
fn a_server_is_learned_from_its_response() {
    for cores in CORES {
        let site = site(
            cores,
            "",
            "stick-table type string size 10 expire 10m\n\
             stick match hdr(x-session)\n\
             stick store-response res.hdr(x-session)",
            "",
        );
        let first = site.get("/login1");
        let second = site.get("/login2");
        assert_ne!(first, second);
        for _ in 0..3 {
            assert_eq!(site.with_field("/", "x-session: login1"), first);
            assert_eq!(site.with_field("/", "x-session: login2"), second);
        }
    }
}

#[test]
fn a_full_table_forgets_an_old_key() {
    let site = site(
        1,
        "http-request track-sc0 path table paths\n\
         http-request return status 200 content-type text/plain lf-string %[table_cnt(paths)],%[table_avl(paths)],%[path,in_table(paths)]",
        "",
        "backend paths\n    stick-table type string size 3 expire 10m store http_req_cnt",
    );
    let answers = ["/1", "/2", "/3", "/4", "/5"].map(|path| site.get(path));
    assert_eq!(answers, ["1,2,1", "2,1,1", "3,0,1", "3,0,1", "3,0,1"]);
}

#[test]
fn fetches_and_converters_read_and_change_figures() {
    let site = site(
        1,
        "http-request track-sc2 path table paths\n\
         http-request sc-add-gpc(1,2) int(40)\n\
         http-request sc-inc-gpc(1,2)\n\
         http-request sc-set-gpt0(2) 7\n\
         http-request return status 200 content-type text/plain lf-string \
         %[sc2_tracked],%[sc1_tracked],%[sc_key(2)],%[sc_get_gpc(1,2)],%[sc_inc_gpc0(2)],%[sc_get_gpc0(2)],%[sc_clr_gpc0(2)],%[sc2_get_gpc0],%[sc_get_gpt(0,2)],%[path,table_gpt0(paths)],%[str(no),table_gpt0(paths)],%[str(no),table_trackers(paths)],%[src_inc_gpc0(sources)],%[src_get_gpc0(sources)],%[str(no),table_expire(paths,-1)]",
        "",
        "backend paths\n    stick-table type string size 10 expire 10m store gpc(2),gpt(1)\n\
         backend sources\n    stick-table type ip size 10 expire 10m store gpc0",
    );
    assert_eq!(site.get("/x"), "1,0,/x,41,1,1,1,0,7,7,0,0,1,1,-1");
    assert_eq!(site.get("/x"), "1,0,/x,82,1,1,1,0,7,7,0,0,2,2,-1");
}

#[test]
fn the_admin_socket_shows_and_changes_tables() {
    let site = site(
        1,
        "stick-table type ip size 1k expire 1d store gpc0,conn_rate(10s),gpt0,server_id",
        "",
        "backend more\n    stick-table type integer size 5 store gpc(2),gpc_rate(2,10s),gpt(1)\n\
         peers held\n    table names type string len 10 size 7 store http_req_cnt",
    );
    let admin = |command: &str| site.proxy.admin(command);
    assert_eq!(
        admin("show table"),
        "# table: held/names, type: string, size:7, used:0\n\
         # table: more, type: integer, size:5, used:0\n\
         # table: web, type: ip, size:1024, used:0"
    );
    assert_eq!(
        admin("set table web key 192.0.2.1 data.gpc0 3 data.conn_rate 9"),
        ""
    );
    assert_eq!(admin("set table web key 192.0.2.2 data.gpt0 4"), "");
    let dump = admin("show table web key 192.0.2.1");
    let (head, line) = dump.split_once('\n').expect("two lines");
    assert_eq!(head, "# table: web, type: ip, size:1024, used:2");
    let (pointer, rest) = line.split_once(": ").expect("a pointer");
    assert!(pointer.starts_with("0x"), "{line}");
    assert!(rest.starts_with("key=192.0.2.1 use=0 exp=86"), "{line}");
    assert!(
        rest.ends_with(" shard=0 server_id=0 gpt0=0 gpc0=3 conn_rate(10000)=9"),
        "{line}"
    );
    assert!(admin("show table web data.gpc0 gt 2").contains("key=192.0.2.1 "));
    assert!(!admin("show table web data.gpc0 gt 2").contains("key=192.0.2.2 "));
    assert!(admin(&format!("show table web ptr {pointer}")).contains("key=192.0.2.1 "));
    admin("clear table web data.gpt0 eq 4");
    assert!(admin("show table web").starts_with("# table: web, type: ip, size:1024, used:1\n"));
    admin("clear table web");
    assert_eq!(
        admin("show table web"),
        "# table: web, type: ip, size:1024, used:0"
    );
    admin("set table more key 77 data.gpc[1] 5 data.gpt[0] 6");
    assert!(admin("show table more data.gpc[1] eq 5").ends_with(
        "key=77 use=0 exp=0 shard=0 gpt0=6 gpc0=0 gpc1=5 gpc0_rate(10000)=0 gpc1_rate(10000)=0"
    ),);
    for (command, answer) in [
        ("show table nothing", "No such table"),
        ("set table web key x.y data.gpc0 1", "Invalid key"),
        ("set table web key", "Key value expected"),
        (
            "set table web key 192.0.2.3 data.gpc1 1",
            "Data type not stored in this table",
        ),
        (
            "set table web key 192.0.2.3 data.gpc0 x",
            "Require a valid integer value to store",
        ),
        (
            "show table web data.gpc0 gg 3",
            "Filter entry #1: Require and operator among \"eq\", \"ne\", \"le\", \"ge\", \"lt\", \"gt\"",
        ),
        (
            "show table web data.none gt 3",
            "Filter entry #1: Unknown data type",
        ),
        (
            "show table web ptr 0x1",
            "No entry can be found matching ptr.",
        ),
    ] {
        assert_eq!(admin(command), answer, "{command}");
    }
}

/// What is tracked after a request's or a response's head counts at once, and all see what follows.
#[test]
fn keys_that_are_tracked_late_count_at_once() {
    for cores in CORES {
        let site = site(
            cores,
            "",
            "tcp-request content track-sc0 str(x) table contents\n\
             http-request track-sc1 str(x) table requests\n\
             http-response track-sc2 str(x) table responses\n\
             http-response sc-inc-gpc0(2)\n\
             http-after-response set-header x-counts %[sc0_http_err_cnt],%[sc1_http_err_cnt],%[sc2_http_err_cnt]",
            "backend contents\n    stick-table type string size 10 store http_req_cnt,http_err_cnt\n\
             backend requests\n    stick-table type string size 10 store http_req_cnt,http_err_cnt\n\
             backend responses\n    stick-table type string size 10 store http_req_cnt,http_err_cnt,gpc0",
        );
        let message = get(site.listen.address(), "/404");
        assert_eq!(message.header("x-counts"), Some("1,1,1"));
        get(site.listen.address(), "/");
        for table in ["contents", "requests", "responses"] {
            let figures = ["http_req_cnt", "http_err_cnt"].map(|name| site.figure(table, name));
            assert_eq!(figures, ["2", "1"], "{table}");
        }
        assert_eq!(site.figure("responses", "gpc0"), "2");
    }
}

/// Two backends share a table; the rules wait for bytes of the connection.
#[test]
fn a_tcp_client_sticks_to_its_server() {
    for cores in CORES {
        let (first, second) = (Port::reserve(), Port::reserve());
        let origins = ["a", "b"].map(Origin::named);
        let [a, b] = origins.each_ref().map(|origin| origin.address);
        let config = format!(
            "
defaults
    mode tcp{LONG_TIMEOUTS}
listen one
    bind 127.0.0.1:{first}
    tcp-request inspect-delay 10s
    tcp-request content track-sc0 req.payload(0,3) table methods
    balance roundrobin
    stick-table type ip size 10 expire 10m
    stick store-request src
    server a {a}
    server b {b}
listen two
    bind 127.0.0.1:{second}
    balance roundrobin
    stick match src table one
    server a {a}
    server b {b}
backend methods
    stick-table type string size 10 store conn_cnt
"
        );
        let proxy = Proxy::start(cores, &config);
        let served = get(first.address(), "/").text();
        for _ in 0..3 {
            assert_eq!(get(second.address(), "/").text(), served);
        }
        assert_eq!(figure(&proxy, "one", "server_key"), served);
        assert_eq!(figure(&proxy, "methods", "key"), "GET");
        let other = get(first.address(), "/").text();
        assert_ne!(other, served, "nothing is looked up there");
        assert_eq!(get(second.address(), "/").text(), other);
    }
}
