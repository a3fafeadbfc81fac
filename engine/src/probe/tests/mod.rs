//! What a ruleset makes of an answer. Statuses and words were recorded from HAProxy 3.5 with the
//! same configuration and the same answers.

mod fixed_protocols;

use std::cell::Cell;
use std::io;
use std::sync::Arc;

use cfgparse::model::Place;
use cfgparse::model::check::{
    Check, CheckConnect, CheckKind, CheckPort, CheckRule, CheckStep, Expect as ModelExpect,
    ExpectMatch, HttpCheck, HttpSend,
};
use cfgparse::model::expr::{FormatFlags, FormatPart, LogFormat};
use cfgparse::model::rule::Action;

use super::ruleset::Prologue;
use super::{Asking, ConnectStep, Finding, Probe, Ruleset, Subject, Todo, compile, fixed};
use crate::plan::{ProxyId, ServerId};
use crate::sample::testing::{Process, expr};
use crate::sample::{Clock, Compiler};
use crate::server::CheckStatus::{
    self, L4Connection, L4Ok, L4Timeout, L6Ok, L6Response, L7Ok, L7OkConditional, L7Response,
    L7Status, L7Timeout, SocketError,
};

fn rule(step: CheckStep) -> CheckRule {
    CheckRule {
        step,
        comment: None,
        is_http: false,
        at: Place::default(),
    }
}

fn expect(what: ExpectMatch) -> ModelExpect {
    ModelExpect {
        negated: false,
        what,
        min_recv: None,
        ok_status: None,
        error_status: None,
        tout_status: None,
        on_success: None,
        on_error: None,
        status_code: None,
    }
}

fn wants(what: ExpectMatch) -> CheckStep {
    CheckStep::Expect(Box::new(expect(what)))
}

fn refuses(what: ExpectMatch) -> CheckStep {
    CheckStep::Expect(Box::new(ModelExpect {
        negated: true,
        ..expect(what)
    }))
}

fn literal(text: &str) -> LogFormat {
    LogFormat {
        parts: vec![FormatPart::Text(text.to_owned())],
        text: text.to_owned(),
        ..LogFormat::default()
    }
}

fn text(text: &str) -> ExpectMatch {
    ExpectMatch::Text(text.as_bytes().to_vec())
}

fn ruleset(kind: CheckKind, steps: Vec<CheckStep>) -> Arc<Ruleset> {
    let is_http = matches!(kind, CheckKind::Http(_));
    let check = Check {
        kind,
        rules: steps
            .into_iter()
            .map(|step| CheckRule {
                is_http,
                ..rule(step)
            })
            .collect(),
        ..Check::default()
    };
    compiled(&check)
}

fn compiled(check: &Check) -> Arc<Ruleset> {
    let names = Process::default();
    match compile::ruleset(check, &mut Compiler::new(&names)) {
        Ok(rules) => Arc::new(rules),
        Err(error) => panic!("{error}"),
    }
}

/// `%[TEXT]`
fn sample(text: &str) -> LogFormat {
    LogFormat {
        parts: vec![FormatPart::Sample {
            expr: expr(text),
            flags: FormatFlags::default(),
            name: None,
        }],
        text: format!("%[{text}]"),
        ..LogFormat::default()
    }
}

/// Server `s1` of backend `be`.
fn probe(rules: &Arc<Ruleset>) -> Probe {
    let subject = Subject {
        backend: ProxyId(1),
        server: ServerId(0),
    };
    Probe::new(Arc::clone(rules), ConnectStep::default(), subject, None)
}

/// Asks the probe what to do next, in a process of its own.
fn next(probe: &mut Probe) -> Todo {
    probe.todo(Asking {
        world: &Process::default(),
        clock: Clock::default(),
        random: &Cell::new(1),
    })
}

fn tcp(steps: Vec<CheckStep>) -> Arc<Ruleset> {
    ruleset(CheckKind::Tcp, steps)
}

fn http(steps: Vec<CheckStep>) -> Arc<Ruleset> {
    ruleset(CheckKind::Http(HttpCheck::default()), steps)
}

/// How a server behaves: what it answers to each receive, and whether it then closes.
enum Server<'a> {
    Refuses,
    Holds(&'a [&'a [u8]]),
    Closes(&'a [&'a [u8]]),
    Resets,
}

fn run(rules: &Arc<Ruleset>, server: &Server<'_>) -> Finding {
    let mut probe = probe(rules);
    let mut received = 0;
    for _ in 0..100 {
        match (next(&mut probe), server) {
            (Todo::Done(finding), _) => return finding,
            (Todo::Connect(_), Server::Refuses) => {
                return probe.failed(&io::Error::from_raw_os_error(libc::ECONNREFUSED));
            }
            (Todo::Connect(_) | Todo::Send(_), _) => {}
            (Todo::Receive, Server::Refuses | Server::Resets) => {
                return probe.failed(&io::Error::from_raw_os_error(libc::ECONNRESET));
            }
            (Todo::Receive, Server::Holds(answers) | Server::Closes(answers)) => {
                match answers.get(received) {
                    Some(bytes) => probe.received(bytes),
                    None if matches!(server, Server::Closes(_)) => probe.ended(),
                    None => return probe.timed_out(false),
                }
                received += 1;
            }
        }
    }
    panic!("a probe that never ends")
}

fn finds(rules: &Arc<Ruleset>, server: &Server<'_>, status: CheckStatus, code: u32, info: &str) {
    let info = info.to_owned();
    assert_eq!(run(rules, server), Finding { status, code, info });
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const NOT_FOUND: &[u8] = b"HTTP/1.0 404 Not Found\r\n\r\n";
const ERR: &[u8] = b"-ERR no\r\n";
const REFUSED: &str = "ECONNREFUSED returned by OS (Connection refused)";

#[test]
fn connections() {
    let plain = ruleset(CheckKind::Connect, Vec::new());
    finds(&plain, &Server::Holds(&[]), L4Ok, 0, "");
    finds(&plain, &Server::Refuses, L4Connection, 0, REFUSED);
    finds(
        &http(Vec::new()),
        &Server::Refuses,
        L4Connection,
        0,
        REFUSED,
    );
    let connect = |port| {
        CheckStep::Connect(Box::new(CheckConnect {
            port,
            ..CheckConnect::default()
        }))
    };
    finds(
        &tcp(vec![connect(None)]),
        &Server::Holds(&[]),
        L4Ok,
        0,
        "(tcp-check)",
    );
    let to_port_1 = tcp(vec![connect(Some(CheckPort::Fixed(1)))]);
    let words = format!("{REFUSED} at step 1 of tcp-check (connect port 1)");
    finds(&to_port_1, &Server::Refuses, L4Connection, 0, &words);
    let implicit = tcp(vec![wants(text("x"))]);
    let words = format!("{REFUSED} at initial connection step of tcp-check");
    finds(&implicit, &Server::Refuses, L4Connection, 0, &words);
    let timed_out = probe(&plain).timed_out(false);
    assert_eq!(timed_out.status, L4Timeout);
}

#[test]
fn tcp_content() {
    let pong = tcp(vec![wants(text("+PONG"))]);
    let step = "step 1 of tcp-check (expect string '+PONG')";
    finds(
        &pong,
        &Server::Holds(&[ERR]),
        L7Timeout,
        0,
        &format!(" at {step}"),
    );
    finds(
        &pong,
        &Server::Holds(&[b"+PO", b"NG"]),
        L7Ok,
        0,
        "(tcp-check)",
    );
    let mismatch = "TCPCHK did not match content '+PONG' at step 1";
    finds(&pong, &Server::Closes(&[ERR]), L7Response, 0, mismatch);
    let empty = "TCPCHK got an empty response at step 1";
    finds(&pong, &Server::Closes(&[]), L7Response, 0, empty);

    let unwanted = tcp(vec![refuses(text("ERR"))]);
    let words = "TCPCHK matched unwanted content 'ERR' at step 1";
    finds(&unwanted, &Server::Holds(&[ERR]), L7Response, 0, words);
    finds(
        &unwanted,
        &Server::Closes(&[b"fine"]),
        L7Ok,
        0,
        "(tcp-check)",
    );

    let regex = tcp(vec![wants(ExpectMatch::Regex("F.O".to_owned()))]);
    let words = "TCPCHK did not match content (regex) at step 1";
    finds(&regex, &Server::Closes(&[ERR]), L7Response, 0, words);
    let binary = tcp(vec![refuses(ExpectMatch::BinaryRegex("4552".to_owned()))]);
    let words = "TCPCHK matched unwanted content (binary regex) at step 1";
    finds(&binary, &Server::Holds(&[ERR]), L7Response, 0, words);
}

#[test]
fn tcp_sequences() {
    let send_only = tcp(vec![CheckStep::Send(b"PING".to_vec())]);
    finds(&send_only, &Server::Holds(&[]), L7Ok, 0, "(tcp-check)");
    let check = Check {
        kind: CheckKind::Tcp,
        rules: vec![
            rule(wants(text("ERR"))),
            rule(CheckStep::Send(b"Q".to_vec())),
            CheckRule {
                comment: Some("cc".to_owned()),
                ..rule(wants(text("FOO")))
            },
        ],
        ..Check::default()
    };
    // What was received before a send does not answer it.
    let words = "TCPCHK got an empty response at step 3 comment: cc";
    finds(
        &compiled(&check),
        &Server::Closes(&[ERR]),
        L7Response,
        0,
        words,
    );
    let words = " at step 3 of tcp-check (expect string 'FOO') comment: 'cc'";
    finds(
        &compiled(&check),
        &Server::Holds(&[ERR]),
        L7Timeout,
        0,
        words,
    );

    let at_once = tcp(vec![CheckStep::Expect(Box::new(ModelExpect {
        min_recv: Some(0),
        error_status: Some("L7STS".to_owned()),
        ..expect(text("+PONG"))
    }))]);
    let words = "TCPCHK did not match content '+PONG' at step 1";
    finds(&at_once, &Server::Holds(&[ERR]), L7Status, 0, words);
    let layer6 = tcp(vec![CheckStep::Expect(Box::new(ModelExpect {
        ok_status: Some("L6OK".to_owned()),
        ..expect(text("ERR"))
    }))]);
    finds(&layer6, &Server::Holds(&[ERR]), L6Ok, 0, "(tcp-check)");
}

#[test]
fn http_statuses() {
    let default = http(Vec::new());
    finds(&default, &Server::Holds(&[OK]), L7Ok, 200, "");
    finds(
        &default,
        &Server::Holds(&[b"HTTP/1.0 301 Moved\r\n\r\n"]),
        L7Ok,
        301,
        "",
    );
    finds(
        &default,
        &Server::Holds(&[NOT_FOUND]),
        L7Status,
        404,
        "Not Found",
    );
    let words = "TCPCHK did not match content(status codes) at step 2";
    finds(
        &default,
        &Server::Holds(&[b"HTTP/1.0 400\r\n\r\n"]),
        L7Status,
        400,
        words,
    );
    finds(
        &default,
        &Server::Holds(&[b"SSH-2.0\r\n\r\n"]),
        SocketError,
        0,
        "",
    );
    finds(&default, &Server::Closes(&[]), SocketError, 0, "");
    let reset = "ECONNRESET returned by OS (Connection reset by peer)";
    finds(&default, &Server::Resets, SocketError, 0, reset);
    finds(
        &default,
        &Server::Holds(&[b"HTTP/1.1 200 OK\r\nCon"]),
        L7Timeout,
        0,
        "",
    );

    let listed = http(vec![wants(ExpectMatch::Status(vec![
        (200, 210),
        (404, 404),
    ]))]);
    finds(&listed, &Server::Holds(&[NOT_FOUND]), L7Ok, 404, "");
    let not_200 = http(vec![refuses(ExpectMatch::Status(vec![(200, 200)]))]);
    finds(&not_200, &Server::Holds(&[OK]), L7Status, 200, "OK");
    let five = http(vec![wants(ExpectMatch::StatusRegex("^5".to_owned()))]);
    finds(&five, &Server::Holds(&[OK]), L7Status, 200, "OK");
}

#[test]
fn http_content() {
    let hello = http(vec![wants(text("hello"))]);
    finds(&hello, &Server::Holds(&[OK]), L7Ok, 200, "");
    // `string` alone does not look at the status.
    let error = b"HTTP/1.1 500 Err\r\nContent-Length: 5\r\n\r\nhello";
    finds(&hello, &Server::Holds(&[error]), L7Ok, 500, "");
    let half: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel";
    finds(&hello, &Server::Holds(&[half]), L7Timeout, 0, "");
    finds(&hello, &Server::Holds(&[half, b"lo"]), L7Ok, 200, "");
    let words = "HTTP content check did not match";
    finds(&hello, &Server::Closes(&[half]), L7Response, 200, words);
    let unwanted = http(vec![refuses(ExpectMatch::Regex("h.l".to_owned()))]);
    let words = "HTTP check matched unwanted content";
    finds(&unwanted, &Server::Holds(&[OK]), L7Response, 200, words);
}

#[test]
fn a_404_can_mean_stopping() {
    let check = Check {
        kind: CheckKind::Http(HttpCheck::default()),
        disable_on_404: true,
        ..Check::default()
    };
    let rules = compiled(&check);
    finds(
        &rules,
        &Server::Holds(&[NOT_FOUND]),
        L7OkConditional,
        404,
        "",
    );
    finds(&rules, &Server::Holds(&[OK]), L7Ok, 200, "");
}

#[test]
fn http_requests() {
    let line = HttpCheck {
        method: "GET".to_owned(),
        uri: "/health".to_owned(),
        version: "HTTP/1.1".to_owned(),
        host: Some(literal("www.example.com")),
        trailing: String::new(),
    };
    let sent = |rules: &Arc<Ruleset>| {
        let mut probe = probe(rules);
        assert!(matches!(next(&mut probe), Todo::Connect(_)));
        match next(&mut probe) {
            Todo::Send(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            other => panic!("{other:?}"),
        }
    };
    let plain = ruleset(CheckKind::Http(line.clone()), Vec::new());
    assert_eq!(
        sent(&plain),
        "GET /health HTTP/1.1\r\nhost: www.example.com\r\nconnection: close\r\n\r\n"
    );
    let with_method = HttpSend {
        method: Some("HEAD".to_owned()),
        ..HttpSend::default()
    };
    let merged = ruleset(
        CheckKind::Http(line),
        vec![CheckStep::HttpSend(Box::new(with_method))],
    );
    assert!(sent(&merged).starts_with("HEAD /health HTTP/1.1\r\n"));
    // The answer to HEAD has no body, whatever it says.
    finds(
        &merged,
        &Server::Holds(&[b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"]),
        L7Ok,
        200,
        "",
    );
}

#[test]
fn no_answer_makes_a_probe_panic_or_run_for_ever() {
    let all = [
        http(vec![wants(text("hello"))]),
        tcp(vec![wants(text("x"))]),
        Arc::new(fixed::redis()),
        Arc::new(fixed::smtp("HELO", "x")),
        Arc::new(fixed::pgsql("x")),
        Arc::new(fixed::mysql(Some("x"), false)),
        Arc::new(fixed::ldap()),
        Arc::new(fixed::ssl_hello()),
    ];
    proptest::proptest!(|(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64))| {
        for rules in &all {
            run(rules, &Server::Closes(&[&bytes, &bytes]));
            run(rules, &Server::Holds(&[&bytes, &bytes]));
        }
    });
}

#[test]
fn proxy_headers_of_checks() {
    let written = |prologue: Prologue| {
        let mut out = Vec::new();
        let (local, peer) = (([10, 0, 0, 1], 4000).into(), ([10, 0, 0, 2], 80).into());
        prologue.write(Some(local), Some(peer), &mut out);
        out
    };
    assert!(written(Prologue::None).is_empty());
    let one = b"PROXY TCP4 10.0.0.1 10.0.0.2 4000 80\r\n";
    assert_eq!(written(Prologue::ProxyV1), one);
    // LOCAL, without addresses.
    let two = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00";
    assert_eq!(written(Prologue::ProxyV2), two);
}

#[test]
fn expressions_see_the_answer_and_the_variables_of_the_check() {
    let set = |name: &str, text: &str| {
        CheckStep::Var(Action::SetVar {
            name: name.to_owned(),
            conditions: Vec::new(),
            expr: expr(text),
        })
    };
    let rules = http(vec![
        set("check.word", "str(hel)"),
        wants(ExpectMatch::TextFormat(sample(
            "var(check.word),concat(lo)",
        ))),
        set("check.length", "res.hdr(content-length)"),
        CheckStep::Expect(Box::new(ModelExpect {
            on_success: Some(sample("var(check.length),add(1)")),
            status_code: Some(expr("status,add(2)")),
            ..expect(ExpectMatch::Status(vec![(200, 200)]))
        })),
    ]);
    finds(&rules, &Server::Holds(&[OK]), L7Ok, 202, "6");
    let told = tcp(vec![CheckStep::Expect(Box::new(ModelExpect {
        on_error: Some(sample("be_name")),
        ..expect(ExpectMatch::BinaryFormat(sample("str(2b4f4b)")))
    }))]);
    finds(&told, &Server::Closes(&[ERR]), L7Response, 0, "be");
    finds(&told, &Server::Holds(&[b"+OK\r\n"]), L7Ok, 0, "(tcp-check)");
    let no_hex = tcp(vec![wants(ExpectMatch::BinaryFormat(sample("str(xy)")))]);
    let words = "Failed to parse hexastring resulting of eval of a log-format string";
    finds(&no_hex, &Server::Holds(&[ERR]), L7Response, 0, words);
}

#[test]
fn a_port_can_be_computed() {
    let connect = CheckStep::Connect(Box::new(CheckConnect {
        port: Some(CheckPort::Expr(expr("int(4000),add(2)"))),
        ..CheckConnect::default()
    }));
    let Todo::Connect(step) = next(&mut probe(&tcp(vec![connect]))) else {
        panic!("a check begins with a connection");
    };
    assert_eq!(step.port, Some(4002));
}

/// Recorded from HAProxy 3.5.
#[test]
fn a_comment_speaks_of_the_line_below_and_of_a_run_of_expectations() {
    let note = |text: &str| CheckRule {
        comment: Some(text.to_owned()),
        ..rule(CheckStep::Comment)
    };
    let of = |rules: Vec<CheckRule>| {
        let kind = CheckKind::Tcp;
        compiled(&Check {
            kind,
            rules,
            ..Check::default()
        })
    };
    let (ok, foo) = (|| rule(wants(text("ERR"))), || rule(wants(text("FOO"))));
    let run = of(vec![note("A"), ok(), foo()]);
    let words = "TCPCHK did not match content 'FOO' at step 3 comment: A";
    finds(&run, &Server::Closes(&[ERR]), L7Response, 0, words);
    let sent = rule(CheckStep::Send(b"Q".to_vec()));
    let apart = of(vec![note("A"), sent, foo()]);
    let words = "TCPCHK did not match content 'FOO' at step 3";
    finds(&apart, &Server::Closes(&[ERR]), L7Response, 0, words);
}
