//! A process for tests: it has the sample's proxies and remembers what it was told.

use std::sync::Arc;

use cfgparse::model::expr::MatchMethod;

use super::level::Level;
use super::ops::{
    AdminState, CheckKind, Clear, ForcedHealth, Later, NewWeight, NotFound, Ops, RateLimit,
    ServerChange, SocketFacts, StreamFacts,
};
use crate::plan::{ProxyId, ServerId};
use crate::ring::Ring;
use crate::sample::pattern::{LivePatterns, PatternTable, Patterns, Use};
use crate::sample::{ProcVars, Type, Value, VarTable};
use crate::stats::{Snapshot, sample};
use crate::table::Table;

pub(super) struct FakeOps {
    snapshot: Snapshot,
    /// Every change, in words.
    pub(super) done: Vec<String>,
    /// How many of them every core has applied.
    pub(super) settled: usize,
    frontend_enabled: bool,
    patterns: LivePatterns,
    proc_vars: ProcVars,
}

impl FakeOps {
    pub(super) fn new() -> Self {
        Self {
            snapshot: sample::snapshot(),
            done: Vec::new(),
            settled: 0,
            frontend_enabled: true,
            patterns: LivePatterns::new(patterns()),
            proc_vars: proc_vars(),
        }
    }

    #[allow(
        clippy::unnecessary_wraps,
        reason = "the shape that the trait's methods return"
    )]
    fn note(&mut self, what: String) -> Result<(), String> {
        self.done.push(what);
        Ok(())
    }

    fn server_names(&self) -> impl Iterator<Item = (&str, &str)> {
        let proxies = self.snapshot.proxies.iter();
        proxies.flat_map(|proxy| {
            proxy
                .servers
                .iter()
                .map(|server| (proxy.name.as_str(), server.name.as_str()))
        })
    }
}

/// A map of text and one of addresses to numbers, and a list.
fn patterns() -> Patterns {
    let mut table = PatternTable::default();
    let at = |line| (Arc::from("e.cfg"), line);
    let mut add = |line, name, method, lines: &[(&str, Option<&str>)], value| {
        let lines = lines.iter().copied();
        let id = table
            .intern(name, Use::of(method), lines)
            .expect("patterns");
        table.used(id, at(line), value);
    };
    let text = [("a", Some("1")), ("b", Some("2")), ("b", Some("3"))];
    let networks = [("127.0.0.0/8", Some("5"))];
    add(10, "m.map", MatchMethod::Str, &text, Some(Type::Str));
    add(
        11,
        "x.acl",
        MatchMethod::Str,
        &[("x", None), ("y", None)],
        None,
    );
    add(12, "ip.map", MatchMethod::Ip, &networks, Some(Type::Sint));
    table.patterns()
}

fn proc_vars() -> ProcVars {
    let mut table = VarTable::default();
    let var = table.intern("proc.limit").expect("a name");
    let vars = ProcVars::new(&table);
    vars.set(var.slot, Some(Value::Sint(7)));
    vars
}

fn now<T: 'static>(value: T) -> Later<T> {
    Box::pin(std::future::ready(value))
}

impl Ops for FakeOps {
    fn settled(&mut self) -> Option<Later<()>> {
        let changed = self.done.len() > self.settled;
        self.settled = self.done.len();
        changed.then(|| now(()))
    }

    fn snapshot(&mut self) -> Snapshot {
        self.snapshot.clone()
    }

    fn version(&self) -> String {
        "3.5.0".to_owned()
    }

    fn uptime_ms(&self) -> u64 {
        self.snapshot.process.uptime_ms
    }

    fn date(&self) -> String {
        "21/Nov/2026:04:01:02.833".to_owned()
    }

    fn server(&self, backend: &str, server: &str) -> Result<ServerId, NotFound> {
        if !self
            .snapshot
            .proxies
            .iter()
            .any(|proxy| proxy.name == backend)
        {
            return Err(NotFound::Backend);
        }
        let found = self
            .server_names()
            .position(|names| names == (backend, server));
        found
            .map(|index| ServerId(index as u32))
            .ok_or(NotFound::Server)
    }

    fn frontend(&self, name: &str) -> Option<ProxyId> {
        let found = self
            .snapshot
            .proxies
            .iter()
            .position(|proxy| proxy.name == name);
        found.map(|index| ProxyId(index as u32))
    }

    fn set_admin_state(&mut self, server: ServerId, state: AdminState) -> Result<(), String> {
        self.note(format!("{} {state:?}", server.0))
    }

    fn weight(&self, _server: ServerId) -> (u32, u32) {
        (1, 3)
    }

    fn set_weight(&mut self, server: ServerId, weight: NewWeight) -> Result<(), String> {
        self.note(format!("{} {weight:?}", server.0))
    }

    fn force_health(&mut self, server: ServerId, health: ForcedHealth) -> Result<(), String> {
        self.note(format!("{} health {health:?}", server.0))
    }

    fn force_agent(&mut self, _server: ServerId, _health: ForcedHealth) -> Result<(), String> {
        Err("agent checks are not enabled on this server.".to_owned())
    }

    fn set_checks(&mut self, server: ServerId, kind: CheckKind, on: bool) -> Result<(), String> {
        self.note(format!("{} {kind:?} checks {on}", server.0))
    }

    fn change_server(
        &mut self,
        server: ServerId,
        change: ServerChange,
    ) -> Result<Option<String>, String> {
        self.note(format!("{} {change:?}", server.0))?;
        Ok(Some("changed".to_owned()))
    }

    fn add_server(&mut self, b: &str, s: &str, words: &[String]) -> Result<String, String> {
        self.note(format!("add {b}/{s} {}", words.join(" ")))?;
        Ok("New server registered.".to_owned())
    }

    fn default_servers(&self, _backend: &str) -> Result<Vec<(String, Vec<String>)>, String> {
        Ok(vec![(
            "web".to_owned(),
            vec![String::new(), "a".to_owned()],
        )])
    }

    fn delete_server(&mut self, server: ServerId) -> Result<(), String> {
        self.note(format!("delete {}", server.0))
    }

    fn removable(&mut self, _: &str, s: &str, _ms: u64) -> Later<Result<String, String>> {
        now(if s == "s1" {
            Err("Failed. Only servers in maintenance mode can be deleted.".to_owned())
        } else {
            Ok("Done.".to_owned())
        })
    }

    fn set_server_maxconn(&mut self, server: ServerId, maxconn: u32) -> Result<(), String> {
        self.note(format!("{} maxconn {maxconn}", server.0))
    }

    fn set_frontend_enabled(&mut self, _frontend: ProxyId, on: bool) -> Result<bool, String> {
        Ok(std::mem::replace(&mut self.frontend_enabled, on) != on)
    }

    fn shutdown_frontend(&mut self, frontend: ProxyId) -> Result<(), String> {
        self.note(format!("frontend {} shut down", frontend.0))
    }

    fn set_frontend_maxconn(&mut self, frontend: ProxyId, maxconn: u32) -> Result<(), String> {
        self.note(format!("frontend {} maxconn {maxconn}", frontend.0))
    }

    fn set_process_maxconn(&mut self, maxconn: Option<u32>) -> Result<(), String> {
        match maxconn {
            Some(501..) => Err("Value out of range.".to_owned()),
            other => self.note(format!("maxconn {other:?}")),
        }
    }

    fn set_rate_limit(&mut self, limit: RateLimit, per_second: u64) -> Result<(), String> {
        self.note(format!("{limit:?} {per_second}"))
    }

    fn clear_counters(&mut self, clear: Clear) {
        self.done.push(format!("clear {clear:?}"));
    }

    fn streams(&mut self) -> Result<Later<Vec<StreamFacts>>, String> {
        Ok(now(vec![StreamFacts {
            id: 0x2a,
            protocol: "tcpv4",
            source: "192.0.2.1:4000".to_owned(),
            frontend: "web".to_owned(),
            backend: "web".to_owned(),
            server: "s1".to_owned(),
            age_ms: 4_200,
            core: 1,
            client_fd: 20,
            server_fd: Some(21),
            expires_ms: Some(50_000),
            retries_left: 3,
            ..StreamFacts::default()
        }]))
    }

    fn shutdown_stream(&mut self, id: u64) -> Result<Later<bool>, String> {
        Ok(now(id == 0x2a))
    }

    fn shutdown_server_streams(&mut self, server: ServerId) {
        self.done.push(format!("{} streams shut down", server.0));
    }

    fn patterns(&self) -> &LivePatterns {
        &self.patterns
    }

    fn proc_vars(&self) -> &ProcVars {
        &self.proc_vars
    }

    fn tables(&self) -> &[Arc<Table>] {
        &[]
    }

    fn caches(&self) -> &[Arc<crate::cache::Cache>] {
        &[]
    }

    fn table_clock_ms(&self) -> u64 {
        0
    }

    fn rings(&self) -> &[Arc<Ring>] {
        &[]
    }

    fn resolvers(&self, section: Option<&str>) -> Option<String> {
        section.is_none().then(String::new)
    }

    fn resolvers_table(&self) -> String {
        String::new()
    }

    fn admin_sockets(&self) -> Vec<SocketFacts> {
        vec![SocketFacts {
            name: "unix@/run/e.sock".to_owned(),
            level: Level::Admin,
        }]
    }

    fn startup_logs(&self) -> String {
        String::new()
    }

    fn environment(&self) -> Vec<String> {
        vec!["HOME=/root".to_owned(), "LANG=C".to_owned()]
    }

    fn sleep(&mut self, _delay_ms: u64) -> Later<()> {
        now(())
    }

    fn activity(&mut self) -> Vec<(String, Vec<u64>)> {
        vec![("loops".to_owned(), vec![40, 2])]
    }
}
