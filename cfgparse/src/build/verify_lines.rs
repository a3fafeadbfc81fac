//! What `bind` and `server` lines and routes need from the rest of the configuration.

use std::collections::HashMap;

use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::model::Model;
use crate::model::Place;
use crate::model::global::Global;
use crate::model::proxy::{Mode, Proxy, Target};
use crate::model::server::Server;
use crate::model::tls::{TlsServerVerify, TlsVerify};

/// Checks the lines of all proxies.
pub fn verify_lines(cx: &mut Context, model: &Model) {
    let by_name = by_name(model);
    let tracked = tracked(model);
    // Certificates of a whole frontend.
    let has_frontend_crt = cx.uses.iter().any(|used| used.info.name == "ssl-f-use");
    for proxy in model.proxies.iter().filter(|proxy| !proxy.disabled) {
        if !has_frontend_crt {
            bind_certificates(cx, proxy);
        }
        bind_ids(cx, proxy);
        routes(cx, proxy, &by_name);
        server_ids(cx, proxy);
        let checks_by_tls = connects_by_tls(proxy);
        for server in &proxy.servers {
            authorities(cx, &model.global, proxy, server, checks_by_tls);
            tracking(cx, proxy, server, &tracked);
        }
    }
}

/// Proxies with a backend side.
fn by_name(model: &Model) -> HashMap<&str, &Proxy> {
    let backends = model
        .proxies
        .iter()
        .filter(|proxy| proxy.kind.has_backend());
    backends.map(|proxy| (proxy.name.as_str(), proxy)).collect()
}

fn refuse(
    cx: &mut Context,
    code: &'static str,
    at: Place,
    len: usize,
    message: String,
    remedy: &str,
) {
    let span = Span {
        at,
        len: len as u32,
    };
    cx.report(Diagnostic::new(Severity::Alert, code, Some(span), message).remedy(remedy));
}

/// A listener that speaks TLS shows a certificate (manual, 5.1: `ssl`).
fn bind_certificates(cx: &mut Context, proxy: &Proxy) {
    for bind in &proxy.binds {
        let Some(tls) = &bind.tls else { continue };
        let has_some = !tls.crt.is_empty()
            || !tls.default_crt.is_empty()
            || !tls.crt_list.is_empty()
            || tls.generate_certificates
            || tls.strict_sni == Some(true);
        if has_some {
            continue;
        }
        let message = format!(
            "Proxy '{}': no SSL certificate specified for bind '{}' at [{}] (use 'crt').",
            proxy.name,
            bind.written,
            cx.locate(bind.at)
        );
        refuse(
            cx,
            "no-certificate",
            bind.at,
            4,
            message,
            "use 'crt <file>'",
        );
    }
}

fn bind_ids(cx: &mut Context, proxy: &Proxy) {
    let mut first: HashMap<u32, (&str, Place)> = HashMap::new();
    for bind in &proxy.binds {
        let Some(id) = bind.id else { continue };
        if let Some((written, at)) = first.insert(id, (&bind.written, bind.at)) {
            let message = format!(
                "'bind {}' : 'id' : custom id {id} already used at {} ('bind {written}').",
                bind.written,
                cx.locate(at)
            );
            refuse(
                cx,
                "duplicate-name",
                bind.at,
                4,
                message,
                "give each another id",
            );
        }
    }
}

fn server_ids(cx: &mut Context, proxy: &Proxy) {
    let mut first: HashMap<u32, (&str, Place)> = HashMap::new();
    for server in &proxy.servers {
        let Some(id) = server.id else { continue };
        if let Some((name, at)) = first.insert(id, (&server.name, server.at)) {
            let message = format!(
                "'server {}/{}' : 'id' : custom id {id} already used at {} ('server {name}').",
                proxy.name,
                server.name,
                cx.locate(at)
            );
            refuse(
                cx,
                "duplicate-name",
                server.at,
                6,
                message,
                "give each another id",
            );
        }
    }
}

/// HTTP can't be handed to a backend that speaks TCP; the other way round it is made HTTP.
fn routes(cx: &mut Context, proxy: &Proxy, by_name: &HashMap<&str, &Proxy>) {
    if !proxy.kind.has_frontend() {
        return;
    }
    let rules = proxy
        .use_backends
        .iter()
        .filter_map(|rule| match &rule.target {
            Target::Static(name) => Some((name.as_str(), rule.at, "use_backend")),
            Target::Dynamic(_) => None,
        });
    let default = match &proxy.default_backend {
        Some(Target::Static(name)) => Some((name.as_str(), proxy.at, "default backend")),
        _ => None,
    };
    for (name, at, how) in rules.chain(default) {
        let Some(backend) = by_name.get(name) else {
            continue;
        };
        let fits = match (proxy.mode, backend.mode) {
            (Mode::Tcp, Mode::Http) => true,
            (from, to) => from == to,
        };
        if fits {
            continue;
        }
        let message = format!(
            "{} {} '{}' ({}) tries to use incompatible {} {} '{name}' ({}) as its {how} (see 'mode').",
            mode_word(proxy.mode),
            proxy.kind.keyword(),
            proxy.name,
            cx.locate(proxy.at),
            mode_word(backend.mode),
            backend.kind.keyword(),
            cx.locate(backend.at)
        );
        let len = if how == "use_backend" {
            how.len()
        } else {
            proxy.kind.keyword().len()
        };
        refuse(
            cx,
            "incompatible-mode",
            at,
            len,
            message,
            "give both the same mode",
        );
    }
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Http => "http",
        Mode::Tcp => "tcp",
        Mode::Health => "health",
        Mode::Log => "log",
        Mode::Spop => "spop",
    }
}

/// A server's certificate can be checked against authorities only (manual, 5.2: `verify`).
fn authorities(
    cx: &mut Context,
    global: &Global,
    proxy: &Proxy,
    server: &Server,
    checks_by_tls: bool,
) {
    let checked_by_tls = server.check.ssl || server.check.enabled && checks_by_tls;
    let enabled = server.tls.as_ref().is_some_and(|tls| tls.enabled);
    if !enabled && !checked_by_tls {
        return;
    }
    let tls = server.tls.as_ref();
    let by_default = global.ssl_server_verify == TlsServerVerify::Required;
    let checks = tls
        .and_then(|tls| tls.verify)
        .map_or(by_default, |verify| verify != TlsVerify::None);
    if !checks || tls.is_some_and(|tls| tls.ca_file.is_some()) {
        return;
    }
    let message = format!(
        "'server {}/{}' : verify is enabled by default but no CA file specified. If you're running on a LAN where you're certain to trust the server's certificate, please set an explicit 'verify none' statement on the 'server' line, or use 'ssl-server-verify none' in the global section to disable server-side verifications by default.",
        proxy.name, server.name
    );
    refuse(
        cx,
        "no-certificate",
        server.at,
        6,
        message,
        "add 'ca-file @system-ca', or 'verify none'",
    );
}

/// Checks that `connect ssl`.
fn connects_by_tls(proxy: &Proxy) -> bool {
    use crate::model::check::CheckStep;
    proxy
        .check
        .rules
        .iter()
        .any(|rule| matches!(&rule.step, CheckStep::Connect(connect) if connect.ssl))
}

/// Servers that others may track, by backend and name; none where nobody does.
fn tracked(model: &Model) -> HashMap<(&str, &str), &Server> {
    let backends = || {
        model
            .proxies
            .iter()
            .filter(|proxy| proxy.kind.has_backend())
    };
    let servers = || backends().flat_map(|proxy| proxy.servers.iter().map(move |s| (proxy, s)));
    if servers().all(|(_, server)| server.track.is_none()) {
        return HashMap::new();
    }
    servers()
        .map(|(proxy, server)| ((proxy.name.as_str(), server.name.as_str()), server))
        .collect()
}

/// A tracked server must be checked, or nobody knows its state.
fn tracking(
    cx: &mut Context,
    proxy: &Proxy,
    server: &Server,
    servers: &HashMap<(&str, &str), &Server>,
) {
    let Some((backend, name)) = &server.track else {
        return;
    };
    if server.check.enabled {
        let message = format!(
            "'server {}/{}' : unable to enable checks and tracking at the same time!",
            proxy.name, server.name
        );
        let remedy = "remove 'check' or 'track'";
        return refuse(cx, "exclusive", server.at, 6, message, remedy);
    }
    let backend = if backend.is_empty() {
        &proxy.name
    } else {
        backend
    };
    let Some(tracked) = servers.get(&(backend.as_str(), name.as_str())) else {
        return;
    };
    if tracked.check.enabled || tracked.agent.enabled || tracked.track.is_some() {
        return;
    }
    let message = format!(
        "'server {}/{}' : unable to use {backend}/{name} for tracking as it does not have any check nor agent enabled.",
        proxy.name, server.name,
    );
    refuse(
        cx,
        "no-check",
        server.at,
        6,
        message,
        "add 'check' to the tracked server",
    );
}

/// Programs need the supervising process (HAProxy 2.6; later ones have none).
pub fn programs(cx: &mut Context, model: &Model, header: Span) {
    if model.global.master_worker.is_none() {
        let message = "Can't use a 'program' section without master worker mode.";
        cx.alert(header, "wrong-section", message);
    }
}
