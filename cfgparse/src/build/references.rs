//! Names that lines refer to: each must stand for something.

use std::collections::{HashMap, HashSet};

use crate::context::{Context, Reference, ReferenceKind};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::Model;

/// Every name that was used must stand for something.
pub fn references(cx: &mut Context, model: &Model) {
    let index = Index::new(model);
    for reference in std::mem::take(&mut cx.references) {
        if index.has(reference.kind, &reference.name) {
            continue;
        }
        missing(cx, &index, &reference);
    }
}

/// Names of all kinds.
struct Index<'m> {
    names: HashMap<&'static str, HashSet<&'m str>>,
    servers: HashMap<&'m str, HashSet<&'m str>>,
    all_servers: HashSet<&'m str>,
}

impl<'m> Index<'m> {
    fn new(model: &'m Model) -> Self {
        let mut names: HashMap<&'static str, HashSet<&str>> = HashMap::new();
        let mut servers: HashMap<&str, HashSet<&str>> = HashMap::new();
        for proxy in &model.proxies {
            if proxy.kind.has_backend() {
                names.entry("backend").or_default().insert(&proxy.name);
            }
            if proxy.kind.has_frontend() {
                names.entry("frontend").or_default().insert(&proxy.name);
            }
            if proxy.stick_table.is_some() {
                names.entry("table").or_default().insert(&proxy.name);
            }
            servers
                .entry(&proxy.name)
                .or_default()
                .extend(proxy.servers.iter().map(|s| s.name.as_str()));
        }
        let tables = model.peers.iter().flat_map(|peers| &peers.tables);
        names
            .entry("table")
            .or_default()
            .extend(tables.map(|table| table.name.as_str()));
        let mut add = |kind, list: Vec<&'m str>| names.entry(kind).or_default().extend(list);
        add(
            "userlist",
            model.userlists.iter().map(|s| s.name.as_str()).collect(),
        );
        add(
            "http-errors",
            model.http_errors.iter().map(|s| s.name.as_str()).collect(),
        );
        add(
            "resolvers",
            model.resolvers.iter().map(|s| s.name.as_str()).collect(),
        );
        add(
            "peers",
            model.peers.iter().map(|s| s.name.as_str()).collect(),
        );
        add(
            "ring",
            model.rings.iter().map(|s| s.name.as_str()).collect(),
        );
        add(
            "cache",
            model.caches.iter().map(|s| s.name.as_str()).collect(),
        );
        add(
            "mailers",
            model.mailers.iter().map(|s| s.name.as_str()).collect(),
        );
        add(
            "fcgi-app",
            model.fcgi_apps.iter().map(|s| s.name.as_str()).collect(),
        );
        let healthchecks = model.healthchecks.iter().map(|s| s.name.as_str());
        add("healthcheck", healthchecks.collect());
        let log_profiles = model.log_profiles.iter().map(|s| s.name.as_str());
        add("log-profile", log_profiles.collect());
        let all_servers = servers.values().flatten().copied().collect();
        Self {
            names,
            servers,
            all_servers,
        }
    }

    fn list(&self, kind: ReferenceKind) -> impl Iterator<Item = &'m str> {
        self.names.get(word(kind)).into_iter().flatten().copied()
    }

    fn has(&self, kind: ReferenceKind, name: &str) -> bool {
        match kind {
            ReferenceKind::Server => match name.split_once('/') {
                Some((backend, server)) => self
                    .servers
                    .get(backend)
                    .is_some_and(|servers| servers.contains(server)),
                None => self.all_servers.contains(name),
            },
            // `default` always exists: it is made from /etc/resolv.conf.
            ReferenceKind::Resolvers if name == "default" => true,
            _ => self
                .names
                .get(word(kind))
                .is_some_and(|names| names.contains(name)),
        }
    }
}

fn word(kind: ReferenceKind) -> &'static str {
    match kind {
        ReferenceKind::Backend => "backend",
        ReferenceKind::Frontend => "frontend",
        ReferenceKind::Server => "server",
        ReferenceKind::Table => "table",
        ReferenceKind::Userlist => "userlist",
        ReferenceKind::HttpErrors => "http-errors",
        ReferenceKind::Resolvers => "resolvers",
        ReferenceKind::Peers => "peers",
        ReferenceKind::Ring => "ring",
        ReferenceKind::Cache => "cache",
        ReferenceKind::Mailers => "mailers",
        ReferenceKind::FcgiApp => "fcgi-app",
        ReferenceKind::Healthcheck => "healthcheck",
        ReferenceKind::Acl => "acl",
        ReferenceKind::BandwidthLimit => "bwlim filter",
        ReferenceKind::LogProfile => "log-profile",
    }
}

fn missing(cx: &mut Context, index: &Index, reference: &Reference) {
    let name = &reference.name;
    let kind = word(reference.kind);
    let message = match reference.kind {
        ReferenceKind::Backend => {
            format!("unable to find required default_backend or use_backend: '{name}'.")
        }
        ReferenceKind::Table => format!("unable to find stick-table '{name}'."),
        _ => format!("unable to find {kind} '{name}'."),
    };
    let near = cx.closest(name, index.list(reference.kind));
    // Log lines for a ring that is not there go nowhere; HAProxy starts nevertheless.
    let severity = match reference.kind {
        ReferenceKind::Ring => Severity::Warning,
        _ => Severity::Alert,
    };
    let mut diagnostic = Diagnostic::new(severity, "unknown-name", Some(reference.span), message);
    diagnostic.remedy = Some(near.map_or_else(
        || format!("add a section or line that defines {kind} '{name}'"),
        |near| format!("did you mean '{near}' maybe ?"),
    ));
    cx.report(diagnostic);
}
