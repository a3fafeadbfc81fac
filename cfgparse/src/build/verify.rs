//! What holds between sections: names that must exist, what a mode forbids, what is missing.

use std::collections::HashMap;

use crate::context::{Context, Reference, ReferenceKind};
use crate::diagnostic::{Diagnostic, Severity, Span, closest};
use crate::model::bind::BindAddr;
use crate::model::proxy::{Mode, Proxy, ProxyKind};
use crate::model::server::{Addr, Port};
use crate::model::{Model, Place};

/// Checks a whole model.
pub fn verify(cx: &mut Context, model: &Model) {
    names(cx, model);
    for proxy in &model.proxies {
        if !proxy.disabled {
            listens(cx, proxy);
            timeouts(cx, proxy);
            modes(cx, proxy);
            checks(cx, proxy);
        }
    }
    ports(cx, model);
    references(cx, model);
}

fn span(at: Place, len: usize) -> Span {
    Span {
        at,
        len: len as u32,
    }
}

fn header(proxy: &Proxy) -> Span {
    span(proxy.at, proxy.kind.keyword().len() + 1 + proxy.name.len())
}

fn described(proxy: &Proxy) -> String {
    let kind = if proxy.kind == ProxyKind::Listen {
        "proxy"
    } else {
        proxy.kind.keyword()
    };
    format!("{kind} '{}'", proxy.name)
}

/// Two proxies share a name only if one is a frontend and the other a backend.
fn names(cx: &mut Context, model: &Model) {
    let mut first: HashMap<&str, Vec<&Proxy>> = HashMap::new();
    for proxy in &model.proxies {
        let known = first.entry(&proxy.name).or_default();
        if let Some(other) = known.first() {
            let place = cx.locate(other.at);
            let sides_differ = known.iter().all(|other| {
                matches!(
                    (other.kind, proxy.kind),
                    (ProxyKind::Frontend, ProxyKind::Backend)
                        | (ProxyKind::Backend, ProxyKind::Frontend)
                )
            });
            let message = format!(
                "Parsing [{}]: {} has the same name as {} declared at {place}.",
                cx.locate(proxy.at),
                described(proxy),
                described(other)
            );
            if sides_differ {
                cx.report(
                    Diagnostic::new(
                        Severity::Warning,
                        "duplicate-name",
                        Some(header(proxy)),
                        message,
                    )
                    .cause("HAProxy takes this no longer since version 3.3")
                    .remedy("rename one or the other")
                    .global(),
                );
            } else {
                cx.report(
                    Diagnostic::new(
                        Severity::Alert,
                        "duplicate-name",
                        Some(header(proxy)),
                        message,
                    )
                    .remedy("rename one or the other")
                    .global(),
                );
            }
        }
        known.push(proxy);
    }
}

fn listens(cx: &mut Context, proxy: &Proxy) {
    if !proxy.kind.has_frontend() || !proxy.binds.is_empty() {
        return;
    }
    let message = format!(
        "{} has no 'bind' directive. Please declare it as a backend if this was intended.",
        described(proxy)
    );
    cx.report(Diagnostic::new(Severity::Warning, "no-bind", Some(header(proxy)), message).global());
}

fn timeouts(cx: &mut Context, proxy: &Proxy) {
    let frontend =
        proxy.kind.has_frontend() && !proxy.binds.is_empty() || proxy.kind == ProxyKind::Frontend;
    let backend = proxy.kind.has_backend() && !proxy.servers.is_empty();
    let unset = |timeout: Option<u32>| timeout.unwrap_or(0) == 0;
    let mut missing = Vec::new();
    let client = frontend && unset(proxy.timeouts.client);
    let connect = backend && unset(proxy.timeouts.connect);
    let server = backend && unset(proxy.timeouts.server);
    for (is_missing, name) in [
        (client, "'client'"),
        (connect, "'connect'"),
        (server, "'server'"),
    ] {
        if is_missing {
            missing.push(name);
        }
    }
    if missing.is_empty() || matches!(proxy.mode, Mode::Log) {
        return;
    }
    let message = format!(
        "missing timeouts for {}.\n   | While not properly invalid, you will certainly encounter various problems\n   | with such a configuration. To fix this, please ensure that all following\n   | timeouts are set to a non-zero value: {}.",
        described(proxy),
        missing.join(", ")
    );
    cx.report(
        Diagnostic::new(
            Severity::Warning,
            "missing-timeouts",
            Some(header(proxy)),
            message,
        )
        .global(),
    );
}

/// Lines that need HTTP in a proxy that speaks TCP.
fn modes(cx: &mut Context, proxy: &Proxy) {
    if proxy.mode == Mode::Http {
        return;
    }
    let mut ignored = |count: usize, what: &str, at: Option<Place>| {
        if count == 0 {
            return;
        }
        let message = format!(
            "{what} rules ignored for {} as they require HTTP mode.",
            described(proxy)
        );
        let place = at.map_or_else(|| header(proxy), |at| span(at, what.len()));
        cx.report(
            Diagnostic::new(Severity::Warning, "needs-http", Some(place), message)
                .remedy("set 'mode http' if this proxy speaks HTTP")
                .global(),
        );
    };
    let rules = &proxy.rules;
    ignored(
        rules.http_request.len(),
        "http-request",
        rules.http_request.first().map(|r| r.at),
    );
    ignored(
        rules.http_response.len(),
        "http-response",
        rules.http_response.first().map(|r| r.at),
    );
    ignored(
        rules.http_after_response.len(),
        "http-after-response",
        rules.http_after_response.first().map(|r| r.at),
    );
    ignored(
        rules.redirects.len(),
        "redirect",
        rules.redirects.first().map(|r| r.at),
    );
}

/// A checked server must have a port that checks can go to.
fn checks(cx: &mut Context, proxy: &Proxy) {
    if !proxy.kind.has_backend() {
        return;
    }
    use crate::model::check::CheckStep;
    let rule_has_port =
        proxy.check.rules.iter().any(
            |rule| matches!(&rule.step, CheckStep::Connect(connect) if connect.port.is_some()),
        );
    for server in &proxy.servers {
        let inet = matches!(server.address, Addr::Ip(_) | Addr::Name { .. });
        let portless = inet && matches!(server.port, Port::Offset(_));
        if server.check.enabled && portless && server.check.port.is_none() && !rule_has_port {
            let message = format!(
                "config: {} : server '{}' has neither service port nor check port.",
                described(proxy),
                server.name
            );
            cx.report(
                Diagnostic::new(
                    Severity::Alert,
                    "no-check-port",
                    Some(span(server.at, 6)),
                    message,
                )
                .remedy("give the server's address a port, or add 'port <port>'")
                .global(),
            );
        }
    }
}

/// The same address bound twice, but by sockets that are inherited.
fn ports(cx: &mut Context, model: &Model) {
    let mut first: HashMap<&BindAddr, Place> = HashMap::new();
    let binds = model
        .proxies
        .iter()
        .filter(|proxy| !proxy.disabled)
        .flat_map(|proxy| &proxy.binds);
    for bind in binds {
        for address in &bind.addresses {
            if matches!(
                address,
                BindAddr::Fd(_) | BindAddr::Sockpair(_) | BindAddr::ReverseHttp(_)
            ) {
                continue;
            }
            if let Some(place) = first.get(address) {
                let message = format!(
                    "'bind {}' : address already used by the 'bind' line at {}; connections are shared between the two.",
                    bind.written,
                    cx.locate(*place)
                );
                cx.report(Diagnostic::new(
                    Severity::Diag,
                    "bound-twice",
                    Some(span(bind.at, 4 + 1 + bind.written.len())),
                    message,
                ));
            } else {
                first.insert(address, bind.at);
            }
        }
    }
}

/// Every name that was used must stand for something.
fn references(cx: &mut Context, model: &Model) {
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
    names: HashMap<&'static str, Vec<&'m str>>,
    servers: HashMap<&'m str, std::collections::HashSet<&'m str>>,
}

impl<'m> Index<'m> {
    fn new(model: &'m Model) -> Self {
        let mut names: HashMap<&'static str, Vec<&str>> = HashMap::new();
        let mut servers: HashMap<&str, std::collections::HashSet<&str>> = HashMap::new();
        for proxy in &model.proxies {
            if proxy.kind.has_backend() {
                names.entry("backend").or_default().push(&proxy.name);
            }
            if proxy.kind.has_frontend() {
                names.entry("frontend").or_default().push(&proxy.name);
            }
            if proxy.stick_table.is_some() {
                names.entry("table").or_default().push(&proxy.name);
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
        Self { names, servers }
    }

    fn list(&self, kind: ReferenceKind) -> &[&'m str] {
        self.names.get(word(kind)).map_or(&[], Vec::as_slice)
    }

    fn has(&self, kind: ReferenceKind, name: &str) -> bool {
        match kind {
            ReferenceKind::Server => match name.split_once('/') {
                Some((backend, server)) => self
                    .servers
                    .get(backend)
                    .is_some_and(|servers| servers.contains(server)),
                None => self.servers.values().any(|servers| servers.contains(name)),
            },
            // `default` always exists: it is made from /etc/resolv.conf.
            ReferenceKind::Resolvers if name == "default" => true,
            _ => self.list(kind).contains(&name),
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
    let near = closest(name, index.list(reference.kind).iter().copied());
    let mut diagnostic = Diagnostic::new(
        Severity::Alert,
        "unknown-name",
        Some(reference.span),
        message,
    );
    diagnostic.remedy = Some(near.map_or_else(
        || format!("add a section or line that defines {kind} '{name}'"),
        |near| format!("did you mean '{near}' maybe ?"),
    ));
    cx.report(diagnostic);
}
