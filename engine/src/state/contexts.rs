//! The TLS contexts of all lines, each loaded once.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use cfgparse::model::global::Global;
use cfgparse::model::tls::{TlsServerVerify, TlsVerify};
use cfgparse::model::{Bind, BindTls, Mode, Place, Server, ServerTls};

use crate::plan::Plan;
use crate::sample::CompileError;
use crate::tls::{BindContext, Contexts, ServerContext, SetupError};

/// What was loaded, and whose it is.
#[derive(Default)]
pub struct Loaded {
    pub contexts: Contexts,
    /// By `ListenerId`.
    pub of_listener: Vec<Option<usize>>,
    /// By `ServerId`.
    pub of_server: Vec<Option<usize>>,
    /// By `log-forward` section, then by its `bind` line.
    pub of_log_forwards: Vec<Vec<Option<usize>>>,
    /// By ring, then by its server.
    pub of_rings: Vec<Vec<Option<usize>>>,
    pub errors: Vec<CompileError>,
    pub warnings: Vec<CompileError>,
}

/// Loads every file that a `bind` or `server` line names.
pub fn load(plan: &Plan, global: &Global) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.binds(plan, global);
    loaded.servers(plan, global);
    for ring in &plan.rings {
        let lines = ring.servers.iter().map(|server| {
            let subject = format!("'server {}/{}'", ring.name, server.line.name);
            let tls = server.line.tls.as_ref().filter(|tls| tls.enabled);
            loaded.server(&server.line, tls, Mode::Tcp, &subject, global)
        });
        let indices = lines.collect();
        loaded.of_rings.push(indices);
    }
    loaded
}

impl Loaded {
    fn binds(&mut self, plan: &Plan, global: &Global) {
        for (index, listener) in plan.listeners.iter().enumerate() {
            let before = index.checked_sub(1);
            let same = before.filter(|&i| Arc::ptr_eq(&plan.listeners[i].bind, &listener.bind));
            if let Some(same) = same {
                self.of_listener.push(self.of_listener[same]);
                continue;
            }
            let bind = &listener.bind;
            let Some(tls) = &bind.tls else {
                self.of_listener.push(None);
                continue;
            };
            let proxy = plan.proxy(listener.frontend);
            let index = self.bind(bind, tls, &proxy.name, proxy.mode, global);
            self.of_listener.push(index);
        }
        for forward in &plan.log_forwards {
            let indices = forward.binds.iter().map(|bind| {
                let tls = bind.tls.as_ref()?;
                self.bind(bind, tls, &forward.name, Mode::Tcp, global)
            });
            let indices = indices.collect();
            self.of_log_forwards.push(indices);
        }
    }

    fn bind(
        &mut self,
        bind: &Bind,
        tls: &BindTls,
        section: &str,
        mode: Mode,
        global: &Global,
    ) -> Option<usize> {
        let subject = format!("'bind {}' in section '{section}'", bind.written);
        let alpn = offered(&bind.alpn, bind.no_alpn, mode);
        let mut warnings = Vec::new();
        if mode == Mode::Http && bind.alpn.iter().any(|name| name == "h2") {
            warnings.push(
                "'alpn h2' : HTTP/2 is not supported yet: clients are offered http/1.1".to_owned(),
            );
        }
        let base = global.crt_base.as_deref().map(Path::new);
        let context = BindContext::load(tls, &global.ssl_default_bind, base, &alpn, &mut warnings);
        self.warn(bind.at, &subject, warnings);
        match context {
            Ok(context) => Some(self.contexts.push_bind(context)),
            Err(error) => self.fail(bind.at, &subject, error),
        }
    }

    fn servers(&mut self, plan: &Plan, global: &Global) {
        for server in plan.servers.iter() {
            let proxy = plan.proxy(server.backend);
            let subject = format!("'server {}/{}'", proxy.name, server.name);
            let tls = tls_of(server);
            let index = self.server(&server.line, tls.as_deref(), proxy.mode, &subject, global);
            self.of_server.push(index);
        }
    }

    fn server(
        &mut self,
        line: &Server,
        tls: Option<&ServerTls>,
        mode: Mode,
        subject: &str,
        global: &Global,
    ) -> Option<usize> {
        let mut warnings = Vec::new();
        let context = tls.map(|tls| context(tls, mode, global, &mut warnings));
        self.warn(line.at, subject, warnings);
        match context? {
            Ok(context) => self.contexts.push_server(context).ok(),
            Err(error) => self.fail(line.at, subject, error),
        }
    }

    fn warn(&mut self, at: Place, subject: &str, warnings: Vec<String>) {
        self.warnings.extend(
            warnings
                .into_iter()
                .map(|text| CompileError::new(at, format!("{subject} : {text}"), "")),
        );
    }

    fn fail(&mut self, at: Place, subject: &str, error: SetupError) -> Option<usize> {
        let (text, remedy) = words(error);
        self.errors.push(CompileError::new(
            at,
            format!("{subject} : {text}."),
            remedy,
        ));
        None
    }
}

/// What is wrong, and what to do about it.
fn words(error: SetupError) -> (String, &'static str) {
    match error {
        SetupError::File {
            file,
            cause,
            remedy,
        } => (
            format!("unable to load '{}': {cause}", file.display()),
            remedy,
        ),
        SetupError::Parameter {
            keyword,
            value,
            cause,
            remedy,
        } => (format!("'{keyword} {value}': {cause}"), remedy),
    }
}

/// The TLS parameters of a server that may be spoken to under TLS, by traffic or by checks.
fn tls_of(server: &crate::plan::Server) -> Option<Cow<'_, ServerTls>> {
    let check = server.check.as_ref();
    let is_checked_so =
        check.is_some_and(|check| check.connection.tls || check.rules.asks_for_tls());
    match &server.line.tls {
        Some(tls) => {
            let is_needed = tls.enabled || tls.was_enabled || is_checked_so;
            is_needed.then_some(Cow::Borrowed(tls))
        }
        None => is_checked_so.then(|| Cow::Owned(ServerTls::default())),
    }
}

fn context(
    tls: &ServerTls,
    mode: Mode,
    global: &Global,
    warnings: &mut Vec<String>,
) -> Result<ServerContext, SetupError> {
    let default_verify = match global.ssl_server_verify {
        TlsServerVerify::None => TlsVerify::None,
        TlsServerVerify::Required => TlsVerify::Required,
    };
    let alpn = offered(&tls.alpn, tls.alpn.is_empty(), mode);
    ServerContext::load(
        tls,
        &global.ssl_default_server,
        tls.verify.unwrap_or(default_verify),
        &alpn,
        warnings,
    )
}

/// The context of a server that is added while the process runs.
///
/// # Errors
///
/// What is wrong with its files or parameters.
pub fn load_added(
    server: &crate::plan::Server,
    mode: Mode,
    global: &Global,
) -> Result<Option<ServerContext>, String> {
    let tls = tls_of(server);
    let loaded = tls.map(|tls| context(&tls, mode, global, &mut Vec::new()));
    loaded
        .transpose()
        .map_err(|error| format!("{}.", words(error).0))
}

/// The protocols to offer, of those we speak: manual 5.1, `alpn`, whose default in HTTP mode is
/// what the proxy can do. In TCP mode the protocol is the servers' affair.
fn offered(written: &[String], none: bool, mode: Mode) -> Vec<String> {
    if none {
        return Vec::new();
    }
    if mode != Mode::Http {
        return written.to_vec();
    }
    let spoken = |name: &&String| matches!(name.as_str(), "http/1.1" | "http/1.0");
    let offered: Vec<String> = written.iter().filter(spoken).cloned().collect();
    if offered.is_empty() {
        vec!["http/1.1".to_owned()]
    } else {
        offered
    }
}
