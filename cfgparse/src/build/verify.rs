//! What holds between sections: names that must exist, what a mode forbids, what is missing.

use std::collections::HashMap;

use super::peers;
use super::references::references;
use super::verify_tls;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::model::bind::BindAddr;
use crate::model::proxy::{Mode, Proxy, ProxyKind};
use crate::model::server::{Addr, Port};
use crate::model::{Model, Place};

/// Checks a whole model.
pub fn verify(cx: &mut Context, model: &Model) {
    // Lines that could not be read would make it look as if something were missing.
    let readable = !cx.diagnostics.any_alert();
    names(cx, model);
    for proxy in &model.proxies {
        if !proxy.disabled {
            if readable {
                listens(cx, proxy);
                check_rules(cx, proxy);
                timeouts(cx, proxy);
            }
            modes(cx, proxy);
            checks(cx, proxy);
            page(cx, proxy);
            spoe(cx, proxy);
        }
    }
    ids(cx, model);
    loops(cx, model);
    external_checks(cx, model);
    peers::peers(cx, model);
    ports(cx, model);
    verify_tls::tls(cx, model);
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

/// Ids in statistics are given once.
fn ids(cx: &mut Context, model: &Model) {
    let mut first: HashMap<u32, &Proxy> = HashMap::new();
    for proxy in &model.proxies {
        let Some(id) = proxy.id else { continue };
        let Some(other) = first.insert(id, proxy) else {
            continue;
        };
        let message = format!(
            "{} reuses same custom id as {} (declared at {}).",
            described(proxy),
            described(other),
            cx.locate(other.at)
        );
        cx.alert(header(proxy), "duplicate-name", message);
    }
}

/// A proxy that routes to itself.
fn loops(cx: &mut Context, model: &Model) {
    use crate::model::proxy::Target;
    for proxy in model.proxies.iter().filter(|proxy| !proxy.disabled) {
        let rules = proxy
            .use_backends
            .iter()
            .map(|rule| (&rule.target, rule.at));
        let to_itself = rules
            .filter_map(|(target, at)| match target {
                Target::Static(name) => Some((name, at)),
                Target::Dynamic(_) => None,
            })
            .find(|(name, _)| **name == proxy.name && proxy.kind == ProxyKind::Listen);
        if let Some((name, at)) = to_itself {
            let message = format!("Proxy '{name}': loop detected for use_backend: '{name}'.");
            cx.report(
                Diagnostic::new(
                    Severity::Alert,
                    "unreachable-rule",
                    Some(span(at, "use_backend".len())),
                    message,
                )
                .remedy("name another backend, or remove the rule")
                .global(),
            );
        }
    }
}

/// Check lines of one kind are without effect on checks of another.
fn check_rules(cx: &mut Context, proxy: &Proxy) {
    use crate::model::check::CheckKind;
    if !proxy.kind.has_backend() {
        return;
    }
    let kinds = [
        (
            true,
            "http-check",
            "httpchk",
            matches!(proxy.check.kind, CheckKind::Http(_)),
        ),
        (
            false,
            "tcp-check",
            "tcp-check",
            proxy.check.kind == CheckKind::Tcp,
        ),
    ];
    for (is_http, lines, option, _) in kinds.into_iter().filter(|(.., used)| !used) {
        if proxy.check.rules.iter().any(|rule| rule.is_http == is_http) {
            let message = format!(
                "{} uses {lines} rules without 'option {option}', so the rules are ignored.",
                described(proxy)
            );
            cx.report(
                Diagnostic::new(Severity::Warning, "no-effect", Some(header(proxy)), message)
                    .global(),
            );
        }
    }
}

/// Programs run only where `global` allows them (manual, 3.1).
fn external_checks(cx: &mut Context, model: &Model) {
    use crate::model::check::CheckKind;
    let by_program = |proxy: &&Proxy| {
        proxy.check.kind == CheckKind::External && proxy.kind.has_backend() && !proxy.disabled
    };
    for proxy in model.proxies.iter().filter(by_program) {
        let mut missing = |what: &str, remedy: &str| {
            let message = format!(
                "Proxy '{}' : 'option external-check' unable to find required '{what}'.",
                proxy.name
            );
            let place = Some(header(proxy));
            let alert = Diagnostic::new(Severity::Alert, "missing-argument", place, message);
            cx.report(alert.remedy(remedy).global());
        };
        if !model.global.external_check {
            let remedy = "add 'external-check' to the global section";
            missing("global.external-check", remedy);
        }
        if proxy.check.external_command.is_none() {
            missing("external-check command", "name the program");
        }
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
    use crate::model::balance::Algorithm;
    let switches = proxy.rules.tcp_request_content.iter().any(|rule| {
        matches!(&rule.action, crate::model::rule::Action::Known { name, .. } if name == "switch-mode")
    });
    if proxy.mode == Mode::Http || switches {
        return;
    }
    let rules = &proxy.rules;
    let name = described(proxy);
    let mut found: Vec<(Place, String)> = Vec::new();
    let lists = [
        (
            "http-request",
            rules.http_request.first().map(|rule| rule.at),
        ),
        (
            "http-response",
            rules.http_response.first().map(|rule| rule.at),
        ),
        (
            "http-after-response",
            rules.http_after_response.first().map(|rule| rule.at),
        ),
        ("redirect", rules.redirects.first().map(|rule| rule.at)),
    ];
    for (what, at) in lists {
        if let Some(at) = at {
            found.push((
                at,
                format!("'{what}' rules ignored for {name} as they require HTTP mode."),
            ));
        }
    }
    if proxy.cookie.is_some() && proxy.kind.has_backend() {
        found.push((
            proxy.at,
            format!("cookie will be ignored for {name} (needs 'mode http')."),
        ));
    }
    if proxy.stats.enabled {
        found.push((
            proxy.at,
            format!("'stats' statement ignored for {name} as it requires HTTP mode."),
        ));
    }
    if proxy.monitor_uri.is_some() && proxy.kind.has_frontend() {
        found.push((
            proxy.at,
            format!("'monitor-uri' statement ignored for {name} as it requires HTTP mode."),
        ));
    }
    let layer7 = matches!(
        proxy.balance.algorithm,
        Some(Algorithm::Uri { .. } | Algorithm::UrlParam { .. } | Algorithm::Hdr { .. })
    );
    if layer7 && proxy.kind.has_backend() {
        found.push((
            proxy.at,
            format!("Layer 7 hash not possible for {name} (needs 'mode http'). Falling back to round robin."),
        ));
    }
    if proxy.options.forwardfor.is_some() {
        found.push((
            proxy.at,
            format!("'option forwardfor' ignored for {name} as it requires HTTP mode."),
        ));
    }
    for (at, message) in found {
        let place = if at == proxy.at {
            header(proxy)
        } else {
            span(at, 1)
        };
        cx.report(
            Diagnostic::new(Severity::Warning, "needs-http", Some(place), message)
                .remedy("set 'mode http' if this proxy speaks HTTP")
                .global(),
        );
    }
}

/// A checked server must have a port that checks can go to.
/// The two ways to guard the statistics page exclude each other.
fn page(cx: &mut Context, proxy: &Proxy) {
    let stats = &proxy.stats;
    if !stats.http_request.is_empty() && (!stats.auth.is_empty() || stats.realm.is_some()) {
        let message = format!(
            "proxy '{}': stats 'auth'/'realm' and 'http-request' can't be used at the same time.",
            proxy.name
        );
        cx.alert(header(proxy), "exclusive", message);
    }
}

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
        // An SRV label brings its ports along.
        let inet = match &server.address {
            Addr::Ip(_) => true,
            Addr::Name { host, .. } => server.resolvers.is_none() || !host.starts_with('_'),
            _ => false,
        };
        let portless = inet && matches!(server.port, Port::Offset(_));
        if server.agent.enabled && server.agent.port.is_none() {
            let message = format!(
                "'server {}/{}' : no agent port: the agent can't be asked.",
                proxy.name, server.name
            );
            cx.report(
                Diagnostic::new(
                    Severity::Alert,
                    "no-check-port",
                    Some(span(server.at, 6)),
                    message,
                )
                .remedy("add 'agent-port <port>'"),
            );
        }
        if server.check.enabled && portless && server.check.port.is_none() && !rule_has_port {
            let message = format!(
                "{}: server '{}' has neither service port nor check port.",
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

/// `send-spoe-group` names the engine of a filter of the same proxy.
fn spoe(cx: &mut Context, proxy: &Proxy) {
    use crate::model::rule::Action;
    let rules = &proxy.rules;
    let lists = [
        &rules.tcp_request_content,
        &rules.tcp_response_content,
        &rules.http_request,
        &rules.http_response,
    ];
    let engines: Vec<&str> = proxy
        .filters
        .iter()
        .filter(|filter| filter.name == "spoe")
        .filter_map(|filter| {
            let at = filter.args.iter().position(|arg| arg == "engine")?;
            filter.args.get(at + 1).map(String::as_str)
        })
        .collect();
    for rule in lists.into_iter().flatten() {
        let Action::Known { name, args } = &rule.action else {
            continue;
        };
        let engine = args.first().map_or("", String::as_str);
        if name == "send-spoe-group" && !engines.contains(&engine) {
            let message = format!(
                "Proxy '{}': unable to find SPOE engine '{engine}' used by the send-spoe-group '{}'.",
                proxy.name,
                args.get(1).map_or("", String::as_str)
            );
            cx.report(
                Diagnostic::new(
                    Severity::Alert,
                    "unknown-name",
                    Some(span(rule.at, 12)),
                    message,
                )
                .remedy(format!(
                    "add 'filter spoe engine {engine} config <file>' to this proxy"
                ))
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
