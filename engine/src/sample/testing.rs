//! Scenes for tests: messages, facts and a small process to evaluate expressions in.

use std::cell::Cell;

use cfgparse::model::Place;
use cfgparse::model::expr::{Call, FormatFlags, FormatPart, LogFormat, SampleExpr};
use wire::Head;

use crate::plan::{ListenerId, ProxyId, ServerId};
use crate::rules::{Overrides, Txn};

use super::pattern::{LivePatterns, PatternId, PatternView};
use super::{
    Captures, Clock, Compiler, Cx, Data, Effects, Expr, Fetched, Names, PatternChange,
    SessionFacts, StreamFacts, StreamVars, VarStore, World,
};

/// Frontend `fe` is 0, backend `be` is 1 and has servers `s1` (0, up) and `s2` (1, down).
#[derive(Debug, Default)]
pub struct Process {
    pub patterns: LivePatterns,
}

impl Names for Process {
    fn backend(&self, name: &str) -> Option<ProxyId> {
        (name == "be").then_some(ProxyId(1))
    }

    fn frontend(&self, name: &str) -> Option<ProxyId> {
        (name == "fe").then_some(ProxyId(0))
    }

    fn server(&self, backend: ProxyId, name: &str) -> Option<ServerId> {
        match (backend, name) {
            (ProxyId(1), "s1") => Some(ServerId(0)),
            (ProxyId(1), "s2") => Some(ServerId(1)),
            _ => None,
        }
    }

    fn environment(&self, name: &str) -> Option<String> {
        (name == "HOME").then(|| "/root".to_owned())
    }

    fn file_name(&self, _: u32) -> std::sync::Arc<str> {
        "test.cfg".into()
    }
}

impl World for Process {
    fn proxy_name(&self, proxy: ProxyId) -> &str {
        ["fe", "be"][proxy.index()]
    }

    fn server_name(&self, server: ServerId) -> &str {
        ["s1", "s2"][server.index()]
    }

    fn usable_servers(&self, _: ProxyId) -> u32 {
        1
    }

    fn server_is_up(&self, server: ServerId) -> bool {
        server == ServerId(0)
    }

    fn process_id(&self) -> u32 {
        42
    }

    fn host_name(&self) -> &'static str {
        "box"
    }

    fn patterns(&self) -> PatternView<'_> {
        PatternView::of_all(&self.patterns)
    }

    fn change_patterns(&self, set: PatternId, change: PatternChange) {
        // A key that the set cannot have changes nothing.
        let _ = self.patterns.change(set, change);
    }
}

/// One stream with all that rules see.
pub struct Scene {
    pub session: SessionFacts,
    pub stream: StreamFacts,
    pub request: Option<Head>,
    pub response: Option<Head>,
    pub request_bytes: Vec<u8>,
    pub complete: bool,
    pub last_chance: bool,
    pub captures: Captures,
    pub session_vars: VarStore,
    pub vars: StreamVars,
    pub overrides: Overrides,
    pub process: Process,
    pub effects: Effects,
    pub random: Cell<u64>,
    pub scratch: Vec<u8>,
}

impl Scene {
    /// A stream without messages from 192.0.2.1:1234 to 192.0.2.2:80.
    pub fn new() -> Scene {
        let mut session = SessionFacts::new(ProxyId(0), ListenerId(0));
        session.src = Some(([192, 0, 2, 1], 1234).into());
        session.dst = Some(([192, 0, 2, 2], 80).into());
        session.accepted_us = 1_233_922_454_655_123;
        Scene {
            session,
            stream: StreamFacts::default(),
            request: None,
            response: None,
            request_bytes: Vec::new(),
            complete: false,
            last_chance: false,
            captures: Captures::default(),
            session_vars: VarStore::default(),
            vars: StreamVars::default(),
            overrides: Overrides::default(),
            process: Process::default(),
            effects: Effects::default(),
            random: Cell::new(1),
            scratch: Vec::new(),
        }
    }

    /// A stream with a request: its first line, then its fields, `name: value`.
    pub fn request(lines: &[&str]) -> Scene {
        let mut scene = Scene::new();
        let (first, fields) = lines.split_first().expect("a request line");
        let mut words = first.split(' ');
        let mut word = || words.next().unwrap_or_default().as_bytes();
        let mut head = Head::request(word(), word());
        if word() == b"HTTP/1.0" {
            head.set_version(wire::Version::HTTP_10);
        }
        add_fields(&mut head, fields);
        scene.stream.request_line = first.as_bytes().to_vec();
        scene.request = Some(head);
        scene.complete = true;
        scene
    }

    /// Adds a response.
    pub fn respond(mut self, status: u16, fields: &[&str]) -> Scene {
        let mut head = Head::response(status, wire::status::reason(status).as_bytes());
        add_fields(&mut head, fields);
        self.response = Some(head);
        self.stream.status = i32::from(status);
        self
    }

    pub fn cx(&self) -> Cx<'_> {
        Cx {
            session: &self.session,
            stream: &self.stream,
            request: self.request.as_ref(),
            response: self.response.as_ref(),
            request_data: Data {
                bytes: &self.request_bytes,
                complete: self.complete,
                last_chance: self.last_chance,
                is_inspected: false,
            },
            response_data: Data::default(),
            captures: &self.captures,
            session_vars: &self.session_vars,
            vars: &self.vars,
            overrides: &self.overrides,
            effects: &self.effects,
            world: &self.process,
            clock: Clock {
                unix_us: 1_233_922_454_655_123,
                utc_offset_s: 0,
            },
            random: &self.random,
        }
    }

    pub fn txn(&mut self) -> Txn<'_> {
        Txn {
            session: &self.session,
            stream: &mut self.stream,
            request: self.request.as_mut(),
            response: self.response.as_mut(),
            request_data: Data {
                bytes: &self.request_bytes,
                complete: self.complete,
                last_chance: self.last_chance,
                is_inspected: false,
            },
            response_data: Data::default(),
            captures: &mut self.captures,
            session_vars: &mut self.session_vars,
            vars: &mut self.vars,
            overrides: &mut self.overrides,
            world: &self.process,
            clock: Clock {
                unix_us: 1_233_922_454_655_123,
                utc_offset_s: 0,
            },
            random: &self.random,
            effects: Effects::default(),
            scratch: &mut self.scratch,
        }
    }

    /// The text of an expression evaluated here: `None` for absent, `?` for not yet.
    pub fn eval(&self, text: &str) -> Option<String> {
        let names = Process::default();
        let mut compiler = compiler(&names);
        // Everything is in sight of a scene.
        let compiled = [
            super::Point::HttpRequest,
            super::Point::HttpResponse,
            super::Point::Log,
        ]
        .into_iter()
        .find_map(|point| {
            compiler.point = point;
            Expr::compile(&expr(text), &mut compiler).ok()
        });
        let Some(compiled) = compiled else {
            panic!("{:?}", Expr::compile(&expr(text), &mut compiler));
        };
        let effects = Effects::default();
        let cx = Cx {
            effects: &effects,
            ..self.cx()
        };
        match compiled.eval(&cx) {
            Fetched::Value(value) => {
                let mut out = Vec::new();
                value.write_text(&mut out);
                Some(String::from_utf8_lossy(&out).into_owned())
            }
            Fetched::Absent => None,
            Fetched::NotYet => Some("?".to_owned()),
        }
    }
}

fn add_fields(head: &mut Head, fields: &[&str]) {
    for field in fields {
        let (name, value) = field.split_once(':').expect("a field");
        head.append(name.as_bytes(), value.trim().as_bytes());
    }
}

/// A compiler in backend `be`.
pub fn compiler(names: &Process) -> Compiler<'_> {
    let mut compiler = Compiler::new(names);
    compiler.enter(ProxyId(1), &[]);
    compiler.point = super::Point::HttpRequest;
    compiler
}

/// Parses `fetch(args),converter(args)`; quotes protect commas and parentheses.
pub fn expr(text: &str) -> SampleExpr {
    let mut calls = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['(', ',']).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let mut args = Vec::new();
        if let Some(inside) = rest.strip_prefix('(') {
            (args, rest) = arguments(inside);
        }
        calls.push(Call {
            name,
            args,
            at: Place::default(),
        });
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    SampleExpr {
        fetch: calls.remove(0),
        converters: calls,
        text: text.to_owned(),
    }
}

fn arguments(text: &str) -> (Vec<String>, &str) {
    let mut args = vec![String::new()];
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((position, c)) = chars.next() {
        let last = args.last_mut().expect("at least one");
        match (quote, c) {
            (None, ')') => return (args, &text[position + 1..]),
            (None, ',') => args.push(String::new()),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None | Some('"'), '\\') => last.extend(chars.next().map(|(_, c)| c)),
            _ => last.push(c),
        }
    }
    (args, "")
}

/// Parses a log-format string: text, `%alias`, `%{flags}alias`, `%[expr]`.
pub fn format(text: &str) -> LogFormat {
    let mut parts = Vec::new();
    let mut all = FormatFlags::default();
    let mut rest = text;
    while let Some(percent) = rest.find('%') {
        push_text(&mut parts, &rest[..percent]);
        rest = &rest[percent + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            push_text(&mut parts, "%");
            rest = after;
            continue;
        }
        let mut flags = all;
        if let Some((words, after)) = rest.strip_prefix('{').and_then(|r| r.split_once('}')) {
            for word in words.split(',') {
                let on = word.starts_with('+');
                match &word[1..] {
                    "Q" => flags.quote = on,
                    "X" => flags.hex = on,
                    "E" => flags.escape = on,
                    other => panic!("flag {other}"),
                }
            }
            rest = after;
        }
        if let Some(inside) = rest.strip_prefix('[') {
            let end = inside.find(']').expect("a closing bracket");
            parts.push(FormatPart::Sample {
                expr: expr(&inside[..end]),
                flags,
                name: None,
            });
            rest = &inside[end + 1..];
            continue;
        }
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        if &rest[..end] == "o" {
            all = flags;
        } else {
            parts.push(FormatPart::Alias {
                name: rest[..end].to_owned(),
                flags,
                key: None,
            });
        }
        rest = &rest[end..];
    }
    push_text(&mut parts, rest);
    LogFormat {
        parts,
        common: all,
        text: text.to_owned(),
    }
}

fn push_text(parts: &mut Vec<FormatPart>, text: &str) {
    if !text.is_empty() {
        parts.push(FormatPart::Text(text.to_owned()));
    }
}
