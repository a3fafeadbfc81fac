//! The same requests through HAProxy and the engine, under the same rules: what the server and the
//! client see must be the same, byte by byte.
//!
//! `REFERENCE=/path/to/haproxy` chooses another HAProxy than the installed one. The rules keep to
//! what old and new versions do alike.

mod generator;
mod rules;

use crate::harness::{Client, Expect, Message, Origin, Port, Proxy, program};
use generator::Generator;
use rules::{FILES, SITES, Site};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Requests in all; every site gets its share.
const REQUESTS: usize = 500;

/// Differences of one site that are told.
const SHOWN: usize = 3;

/// Where HAProxy is, if it is here.
fn reference() -> Option<PathBuf> {
    let named = std::env::var_os("REFERENCE").map(PathBuf::from);
    let installed = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"].map(PathBuf::from);
    named
        .into_iter()
        .chain(installed)
        .find(|path| path.exists())
}

/// A program that serves one site, with a server behind it.
struct Subject {
    port: Port,
    origin: Origin,
    _proxy: Proxy,
}

/// What one request led to.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// The answer, or what came instead.
    client: Result<Message, String>,
    /// What the server got.
    server: Vec<Message>,
}

impl Subject {
    fn start(program: &Path, site: &Site, files: &Path) -> Subject {
        let port = Port::reserve();
        let origin = Origin::answering(answer);
        let directory = files.to_string_lossy();
        let replaced = |text: &str| {
            text.replace("@DIR", &directory)
                .replace("@ORIGIN", &origin.address.to_string())
        };
        let config = format!(
            "
userlist users
    user user insecure-password pass
defaults
    mode http
    timeout connect 10s
    timeout client 30s
    timeout server 30s
    timeout tarpit 20ms
frontend fe
    bind 127.0.0.1:{port}
    {}
    default_backend be
backend be
    {}
    server s1 {origin}
backend other
    http-request set-header x-backend other
    server s1 {origin}
",
            replaced(site.frontend).replace('\n', "\n    "),
            replaced(site.backend).replace('\n', "\n    "),
            origin = origin.address,
        );
        let proxy = Proxy::start_program(program, 1, &config, &[], &[]);
        Subject {
            port,
            origin,
            _proxy: proxy,
        }
    }

    fn ask(&self, request: &str) -> Outcome {
        let before = self.origin.requests().len();
        let mut client = Client::connect(self.port.address());
        client.send(request);
        let expect = if request.starts_with("HEAD ") {
            Expect::Bodyless
        } else {
            Expect::Response
        };
        let answer = Message::read(&mut client.reader, expect);
        Outcome {
            client: match answer {
                Ok(Some(message)) => Ok(message),
                // A close and a reset are both no answer.
                Ok(None) | Err(_) => Err("nothing".to_owned()),
            },
            server: self.origin.requests().split_off(before),
        }
    }
}

/// A server whose answers have something for every rule.
fn answer(request: &Message) -> String {
    let body = if request.start.starts_with("HEAD ") {
        ""
    } else {
        "hello"
    };
    format!(
        "HTTP/1.1 200 OK\r\nServer: origin\r\nX-Old: one\r\nX-Old:  two , \"three, four\"\r\n\
         Set-Cookie: sid=abc; path=/\r\nSet-Cookie: k=v\r\nCache-Control: private, max-age=3\r\n\
         Location: http://internal/x?y\r\nX-Num: 42\r\nContent-Length: 5\r\n\r\n{body}"
    )
}

#[test]
fn five_hundred_requests_are_treated_as_by_haproxy() {
    let Some(reference) = reference() else {
        eprintln!("skipped: no haproxy is installed, and REFERENCE names none");
        return;
    };
    let files = tempfile::tempdir().expect("a directory");
    for (name, text) in FILES {
        std::fs::write(files.path().join(name), text).expect("a file");
    }
    let share = REQUESTS.div_ceil(SITES.len());
    let mut differences = Vec::new();
    for (number, site) in SITES.iter().enumerate() {
        let expected = Subject::start(&reference, site, files.path());
        let actual = Subject::start(&program(), site, files.path());
        let mut generator = Generator::new(number as u64 + 1);
        let before = differences.len();
        for _ in 0..share {
            let request = generator.request(site.paths, site.bodies);
            let (expected, actual) = (expected.ask(&request), actual.ask(&request));
            if expected != actual && differences.len() < before + SHOWN {
                differences.push(describe(site, &request, &expected, &actual));
            }
        }
    }
    assert!(
        differences.is_empty(),
        "requests that were treated otherwise:\n{}",
        differences.join("\n")
    );
}

fn describe(site: &Site, request: &str, expected: &Outcome, actual: &Outcome) -> String {
    let mut text = format!("== {}\n{request}\n", site.name);
    for (who, outcome) in [("haproxy", expected), ("engine", actual)] {
        let show = |message: &Message| {
            let head = String::from_utf8_lossy(&message.head);
            format!("{head}{}", message.text())
        };
        if expected.client != actual.client {
            let answer = match &outcome.client {
                Ok(message) => show(message),
                Err(other) => other.clone(),
            };
            let _ = writeln!(text, "-- client of {who}:\n{answer}");
        }
        if expected.server != actual.server {
            let got: Vec<String> = outcome.server.iter().map(show).collect();
            let _ = writeln!(text, "-- server of {who}:\n{}", got.join("\n"));
        }
    }
    text.replace('\r', "")
}
