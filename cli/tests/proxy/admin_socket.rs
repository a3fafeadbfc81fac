//! Commands on the admin socket, and that every core obeys them at once.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, get};
use std::io::{BufRead, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

struct Site {
    listen: Port,
    origins: [Origin; 2],
    proxy: Proxy,
}

fn site(cores: usize) -> Site {
    let listen = Port::reserve();
    let origins = ["one", "two"].map(Origin::named);
    let [one, two] = origins.each_ref().map(|origin| origin.address);
    let config = format!(
        "
defaults
    mode http{LONG_TIMEOUTS}
frontend web
    bind *:{listen}
    default_backend app
backend app
    balance roundrobin
    server s1 {one} weight 1
    server s2 {two} weight 1
"
    );
    let proxy = Proxy::start(cores, &config);
    Site {
        listen,
        origins,
        proxy,
    }
}

impl Site {
    fn shares(&self, count: usize) -> [usize; 2] {
        let answers: Vec<String> = (0..count)
            .map(|_| get(self.listen.address(), "/").text())
            .collect();
        ["one", "two"].map(|name| answers.iter().filter(|answer| *answer == name).count())
    }
}

#[test]
fn disable_and_enable_act_on_kept_connections_at_once() {
    for cores in CORES {
        let site = site(cores);
        // Many connections, so that every core has some.
        let mut clients: Vec<Client> = (0..16)
            .map(|_| Client::connect(site.listen.address()))
            .collect();
        for client in &mut clients {
            assert_eq!(client.get("/").status(), 200);
        }
        assert_eq!(site.proxy.admin("disable server app/s1"), "");
        for client in &mut clients {
            assert_eq!(client.get("/").text(), "two");
        }
        assert_eq!(site.proxy.admin("enable server app/s1"), "");
        let answers: Vec<String> = clients
            .iter_mut()
            .map(|client| client.get("/").text())
            .collect();
        assert_eq!(
            answers.iter().filter(|name| *name == "one").count(),
            8,
            "{cores} cores"
        );
    }
}

#[test]
fn set_server_state() {
    for cores in CORES {
        let site = site(cores);
        for (state, status) in [("maint", "MAINT"), ("drain", "DRAIN")] {
            assert_eq!(
                site.proxy
                    .admin(&format!("set server app/s2 state {state}")),
                ""
            );
            assert_eq!(site.shares(6), [6, 0], "{state}");
            let shown = site.proxy.stat("app", "s2", "status");
            assert!(shown.starts_with(status), "{shown}");
            assert_eq!(site.proxy.admin("set server app/s2 state ready"), "");
            assert_eq!(site.shares(6), [3, 3]);
        }
    }
}

#[test]
fn weights() {
    for cores in CORES {
        let site = site(cores);
        assert_eq!(site.proxy.admin("get weight app/s1"), "1 (initial 1)");
        assert_eq!(site.proxy.admin("set weight app/s1 3"), "");
        assert_eq!(site.proxy.admin("get weight app/s1"), "3 (initial 1)");
        assert_eq!(site.shares(8), [6, 2]);
        assert_eq!(site.proxy.admin("set server app/s1 weight 100%"), "");
        assert_eq!(site.shares(8), [4, 4]);
        assert_eq!(site.proxy.admin("set weight app/s2 0"), "");
        assert_eq!(site.shares(4), [4, 0]);
    }
}

#[test]
fn show_info_and_show_stat() {
    for cores in CORES {
        let site = site(cores);
        for _ in 0..10 {
            get(site.listen.address(), "/");
        }
        let info = site.proxy.admin("show info");
        let field = |name: &str| {
            let value = info
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{name}: ")));
            value
                .unwrap_or_else(|| panic!("no {name} in {info}"))
                .to_owned()
        };
        assert_eq!(field("Nbthread"), cores.to_string());
        for name in [
            "Name",
            "Version",
            "Pid",
            "Uptime_sec",
            "Maxconn",
            "CurrConns",
            "CumReq",
        ] {
            assert!(!field(name).is_empty());
        }
        assert_eq!(site.proxy.stat("web", "FRONTEND", "stot"), "10");
        assert_eq!(site.proxy.stat("app", "BACKEND", "hrsp_2xx"), "10");
        assert_eq!(site.proxy.stat("app", "s1", "stot"), "5");
        let bytes: u64 = site
            .proxy
            .stat("app", "s1", "bout")
            .parse()
            .expect("a number");
        assert!(bytes > 5 * 3);
        assert_eq!(site.origins[0].requests().len(), 5);
    }
}

#[test]
fn show_servers_state() {
    let site = site(1);
    site.proxy.admin("disable server app/s2");
    let state = site.proxy.admin("show servers state app");
    let mut lines = state.lines();
    assert_eq!(lines.next(), Some("1"));
    assert!(
        lines
            .next()
            .is_some_and(|line| line.starts_with("# be_id be_name srv_id srv_name srv_addr "))
    );
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(' ').collect()).collect();
    assert_eq!(rows.len(), 2);
    let [first, second] = [&rows[0], &rows[1]];
    // Operational state 2 is running, 0 stopped; administrative state 1 is forced maintenance.
    assert_eq!(
        (first[1], first[3], first[4], first[5], first[6]),
        ("app", "s1", "127.0.0.1", "2", "0")
    );
    assert_eq!((second[3], second[5], second[6]), ("s2", "0", "1"));
    assert_eq!((first.len(), second.len()), (25, 25));
}

#[test]
fn errors_name_what_is_wrong() {
    let site = site(1);
    for (command, answer) in [
        ("disable server app/nope", "No such server."),
        ("disable server nope/s1", "No such backend."),
        ("disable server app", "Require 'backend/server'."),
        ("set weight app/s1", "'set weight' expects"),
    ] {
        let said = site.proxy.admin(command);
        assert!(!said.is_empty(), "{command}");
        let known =
            answer.starts_with('\'') || said.contains(answer) || said.starts_with("No such");
        assert!(known, "{command}: {said}");
    }
    assert!(site.proxy.admin("nonsense").starts_with("Unknown command"));
    let help = site.proxy.admin("help");
    for command in [
        "show stat",
        "disable server",
        "set server",
        "show info",
        "prompt",
        "quit",
    ] {
        assert!(help.contains(command), "{command} in {help}");
    }
}

#[test]
fn several_commands_and_the_prompt() {
    let site = site(1);
    let both = site.proxy.admin("get weight app/s1; get weight app/s2");
    assert_eq!(both.matches("1 (initial 1)").count(), 2);

    let mut session = UnixStream::connect(site.proxy.admin_socket()).expect("the socket");
    session
        .set_read_timeout(Some(crate::harness::PATIENCE))
        .expect("a timeout");
    let mut reader = std::io::BufReader::new(session.try_clone().expect("a handle"));
    let mut until_prompt = || {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"> ") {
            let mut byte = [0];
            std::io::Read::read_exact(&mut reader, &mut byte).expect("the prompt");
            bytes.push(byte[0]);
        }
        String::from_utf8(bytes).expect("text")
    };
    session.write_all(b"prompt\n").expect("sent");
    until_prompt();
    for _ in 0..2 {
        session.write_all(b"get weight app/s1\n").expect("sent");
        assert!(until_prompt().contains("1 (initial 1)"));
    }
    session.write_all(b"quit\n").expect("sent");
    session.shutdown(Shutdown::Write).expect("a half-close");
    let mut rest = Vec::new();
    reader.read_until(0, &mut rest).expect("the end");
    assert!(rest.iter().all(u8::is_ascii_whitespace));
}

#[test]
fn levels_limit_what_a_socket_may_do() {
    let listen = Port::reserve();
    let directory = tempfile::tempdir().expect("a directory");
    let low = directory.path().join("user.sock");
    let config = format!(
        "
global
    stats socket {} level user
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{listen}
    server s1 127.0.0.1:{listen}
",
        low.display()
    );
    let proxy = Proxy::start(1, &config);
    let mut user = UnixStream::connect(&low).expect("the socket");
    user.write_all(b"disable server web/s1\n").expect("sent");
    user.shutdown(Shutdown::Write).expect("a half-close");
    let answer = std::io::read_to_string(user).expect("an answer");
    assert!(!answer.trim().is_empty());
    assert_ne!(proxy.stat("web", "s1", "status"), "MAINT");
}
