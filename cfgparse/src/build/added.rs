//! Servers that an operator adds while the process runs (management.txt 9.3, `add server`).

use super::proxy::draft::Draft;
use super::proxy::servers;
use super::server::Params;
use crate::args::Args;
use crate::ast::{Line, Word};
use crate::context::Context;
use crate::diagnostic::{Diagnostics, Severity, Span};
use crate::load::LoadOptions;
use crate::model::global::Global;
use crate::model::proxy::Proxy;
use crate::model::server::Server;
use crate::source::{Environment, FileAccess};

/// What `add server help` lists, and all that a server may have that is added at run time.
#[rustfmt::skip]
pub const ADDED_SERVER_KEYWORDS: &[&str] = &[
    "allow-0rtt", "alpn", "ca-file", "check-alpn", "check-sni", "check-ssl", "ciphers",
    "ciphersuites", "client-sigalgs", "crl-file", "curves", "crt", "force-sslv3", "force-tlsv10",
    "force-tlsv11", "force-tlsv12", "force-tlsv13", "ktls", "no-check-sni-auto", "no-renegotiate",
    "no-sni-auto", "no-ssl-reuse", "no-sslv3", "no-tlsv10", "no-tlsv11", "no-tlsv12", "no-tlsv13",
    "no-tls-tickets", "npn", "renegotiate", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn", "sigalgs",
    "sni", "ssl", "ssl-min-ver", "ssl-max-ver", "tls-tickets", "verify", "verifyhost", "backup",
    "cookie", "disabled", "error-limit", "guid", "ws", "hash-key", "id", "idle-ping", "init-state",
    "maxconn", "maxqueue", "minconn", "no-backup", "no-send-proxy", "no-send-proxy-v2", "no-tfo",
    "observe", "on-error", "on-marked-down", "on-marked-up", "pool-conn-name", "pool-low-conn",
    "pool-max-conn", "pool-purge-delay", "proto", "proxy-v2-options", "send-proxy", "send-proxy-v2",
    "shard", "slowstart", "source", "strict-maxconn", "tfo", "track", "usesrc", "weight",
    "healthcheck", "addr", "agent-addr", "agent-check", "agent-inter", "agent-port", "agent-send",
    "check", "check-pool-conn-name", "check-proto", "check-reuse-pool", "check-send-proxy",
    "check-via-socks4", "rise", "fall", "inter", "fastinter", "downinter", "port",
];

/// Reads `<name> <address> [param*]` as a line of `backend`, whose `default-server` counts only
/// where the words say `from`.
///
/// # Errors
///
/// The first thing that is wrong with the words, as a client is told.
pub fn added_server(
    backend: &Proxy,
    global: &Global,
    words: &[String],
    files: &dyn FileAccess,
) -> Result<Server, String> {
    let [name, address, rest @ ..] = words else {
        return Err("'server' expects <name> and <addr>[:<port>] as arguments.".to_owned());
    };
    let mut texts = vec!["server", name.as_str(), address.as_str()];
    if rest.first().is_none_or(|word| word != "from") {
        texts.extend(["from", "none"]);
    }
    texts.extend(rest.iter().map(String::as_str));
    let line = line(&texts);
    let (options, environment) = (LoadOptions::default(), Environment::default());
    let mut cx = Context::new(Diagnostics::default(), files, &options, &[], &environment);
    let mut draft = draft(backend);
    servers::server_line(&mut cx, &mut draft, &mut Args::new(&line, 1));
    refused(&cx)?;
    let is_dynamic = |name: &str| name == "from" || ADDED_SERVER_KEYWORDS.contains(&name);
    if let Some(used) = cx.uses.iter().find(|used| !is_dynamic(used.info.name)) {
        return Err(format!(
            "'{}' option is not accepted for dynamic server",
            used.info.name
        ));
    }
    let mut proxy = draft.proxy;
    super::tls_defaults(global, &mut proxy);
    proxy.servers.pop().ok_or_else(|| "No server.".to_owned())
}

/// A section as it stood when its last line had been read, for what `from` may name.
fn draft(backend: &Proxy) -> Draft {
    let mut draft = Draft::new(Span::default());
    draft.proxy.name.clone_from(&backend.name);
    draft.proxy.kind = backend.kind;
    for (name, server) in &backend.default_servers {
        let params = Params {
            server: server.clone(),
            is_default: false,
        };
        if name.is_empty() {
            draft.default_server = params;
        } else {
            draft.named_params.insert(name.clone(), params);
        }
    }
    draft
}

fn line(texts: &[&str]) -> Line {
    let word = |text: &&str| Word {
        text: (*text).to_owned(),
        at: Span::default().at,
        len: 0,
    };
    Line {
        words: texts.iter().map(word).collect(),
    }
}

fn refused(cx: &Context) -> Result<(), String> {
    let mut found = cx.diagnostics.iter();
    match found.find(|found| found.severity == Severity::Alert) {
        Some(alert) => Err(alert.message.clone()),
        None => Ok(()),
    }
}
