//! Clients that a cookie keeps with their server.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, Syslog, ok};

/// Two servers with the cookies `sa` and `sb`, and `lines` in their section.
struct Pair {
    origins: [Origin; 2],
    listen: Port,
    log: Syslog,
    proxy: Proxy,
}

impl Pair {
    fn start(cores: usize, lines: &str) -> Pair {
        let origins = ["a", "b"].map(|name| {
            Origin::answering(move |request| {
                let own = match request.header("x-own") {
                    Some(_) => "\r\nset-cookie: SID=new; x\r\n",
                    None => "\r\n",
                };
                ok(name).replacen("\r\n", own, 1)
            })
        });
        let (listen, log) = (Port::reserve(), Syslog::start());
        let config = format!(
            "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{listen}
    log {} local0
    option httplog
    balance roundrobin
{lines}
    server a {} cookie sa
    server b {} cookie sb
",
            log.address(),
            origins[0].address,
            origins[1].address
        );
        let proxy = Proxy::start(cores, &config);
        Pair {
            origins,
            listen,
            log,
            proxy,
        }
    }

    /// The answer to a request with these lines.
    fn ask(&self, lines: &str) -> crate::harness::Message {
        let request = format!("GET / HTTP/1.1\r\nhost: x\r\n{lines}\r\n");
        Client::connect(self.listen.address())
            .send(request)
            .response()
    }
}

#[test]
fn a_client_stays_with_the_server_that_it_got() {
    for cores in CORES {
        let pair = Pair::start(cores, "    cookie SID insert indirect");
        let first = pair.ask("");
        let cookie = first.header("set-cookie").expect("a cookie").to_owned();
        assert_eq!(cookie, format!("SID=s{}; path=/", first.text()));
        for _ in 0..6 {
            let again = pair.ask(&format!("cookie: x=1; SID=s{}\r\n", first.text()));
            assert_eq!(
                (again.text(), again.header("set-cookie")),
                (first.text(), None)
            );
        }
        let seen = pair.origins.iter().flat_map(Origin::requests);
        assert!(
            seen.into_iter()
                .all(|r| r.header("cookie").is_none_or(|c| c == "x=1"))
        );
    }
}

#[test]
fn logs_tell_what_became_of_cookies() {
    let pair = Pair::start(1, "    cookie SID insert indirect");
    for (lines, flags) in [
        ("", "--NI"),
        ("cookie: SID=sa\r\n", "--VN"),
        ("cookie: SID=zz\r\n", "--II"),
    ] {
        pair.ask(lines);
        pair.log.line_with(&format!(" {flags} "));
    }
    pair.proxy.admin("disable server web/a");
    let moved = pair.ask("cookie: SID=sa\r\n");
    assert_eq!(
        (moved.text(), moved.header("set-cookie")),
        ("b".into(), Some("SID=sb; path=/"))
    );
    pair.log.line_with(" --DI ");
}

/// Manual, `force-persist` and `ignore-persist`.
#[test]
fn rules_force_and_ignore_persistence() {
    let pair = Pair::start(
        1,
        "    cookie SID insert indirect
    force-persist if { hdr(x-do) force }
    ignore-persist if { hdr(x-do) ignore }",
    );
    pair.proxy.admin("disable server web/a");
    let forced = pair.ask("cookie: SID=sa\r\nx-do: force\r\n");
    assert_eq!(
        (forced.text(), forced.header("set-cookie")),
        ("a".into(), None)
    );
    let ignored = pair.ask("cookie: SID=sa\r\nx-do: ignore\r\n");
    assert_eq!(
        (ignored.text(), ignored.header("set-cookie")),
        ("b".into(), None)
    );
    pair.log.line_with(" --UN ");
}

/// Manual, `option redispatch`: without it a dead server's clients get errors.
#[test]
fn redispatch_breaks_persistence_to_a_dead_server() {
    for (line, status) in [("", 503), ("    option redispatch\n    retries 1", 200)] {
        let mut pair = Pair::start(1, &format!("    cookie SID insert\n{line}"));
        pair.origins[0].stop();
        let answer = pair.ask("cookie: SID=sa\r\n");
        assert_eq!(answer.status(), status);
        let cookie = answer.header("set-cookie");
        assert_eq!(cookie, (status == 200).then_some("SID=sb; path=/"));
    }
}

#[test]
fn prefix_and_rewrite_change_the_servers_own_cookie() {
    for (mode, sent, made) in [
        ("prefix", "SID=sb~v", "SID=sb~new; x"),
        ("rewrite", "SID=sb", "SID=sb; x"),
    ] {
        let pair = Pair::start(1, &format!("    cookie SID {mode}"));
        let answer = pair.ask(&format!("cookie: {sent}\r\nx-own: 1\r\n"));
        assert_eq!(
            (answer.text(), answer.header("set-cookie")),
            ("b".into(), Some(made))
        );
    }
}
