//! From the model to the plan: names become ids, texts become programs.

mod backend;
mod caches;
mod compression;
mod errors;
mod frontend;
mod log;
mod names;
mod resolvers;
mod server;
mod startup;
mod stick;
mod tables;

use std::collections::HashMap;
use std::sync::Arc;

use cfgparse::model::proxy::{ForwardedValue, RestrictNames};
use cfgparse::model::{Algorithm, Mode, Model, Place};
use ipnet::IpNet;
use wire::h1::NameCase;

use self::names::ModelNames;
use super::proxy::{AddressField, Forwarded, Options, Rulesets, Said, StatsPage, Timeouts};
use super::{Listener, ListenerId, LogTarget, Plan, Process, Proxy, ProxyId, RingSpec, Statuses};
use crate::probe;
use crate::rules::{Condition, Kind, Ruleset};
use crate::sample::pattern::Patterns;
use crate::sample::{CompileError, Compiler, Expr, Point, ProcVars, PublicKeys};
use crate::slots::Current;

pub use startup::{StartSource, StartValue};

/// What the machine adds to a configuration.
#[derive(Clone, Debug)]
pub struct Machine {
    pub host_name: String,
    /// Connections that the descriptor limit allows.
    pub connections_max: u32,
    /// The descriptor limit itself.
    pub descriptors: u64,
    /// Name servers of `/etc/resolv.conf`.
    pub name_servers: Vec<std::net::IpAddr>,
}

/// A plan with what was found on the way.
#[derive(Debug)]
pub struct Compiled {
    pub plan: Plan,
    pub patterns: Patterns,
    /// The process's variables, and what `global` sets them to.
    pub proc_vars: ProcVars,
    pub startup: Vec<StartValue>,
    pub warnings: Vec<CompileError>,
}

/// Compiles a model. All errors are collected; the plan exists only without any.
pub fn compile(model: &Model, machine: &Machine) -> Result<Compiled, Vec<CompileError>> {
    let names = ModelNames::new(model);
    let mut compiler = Compiler::new(&names);
    let mut context = Context::new(model);
    let resolvers = context.resolvers(machine);
    context.healthchecks(&mut compiler);
    let caches = context.caches();
    let mut listeners = Vec::new();
    let mut servers = Vec::new();
    let mut proxies = Vec::new();
    for (index, section) in model.proxies.iter().enumerate() {
        let id = ProxyId(index as u32);
        compiler.enter(id, &section.acls);
        proxies.push(context.proxy(section, id, &mut listeners, &mut servers, &mut compiler));
    }
    let log_forwards = context.log_forwards(&compiler);
    let startup = startup::compile(&model.global, &mut context, &mut compiler);
    if !context.errors.is_empty() {
        return Err(context.errors);
    }
    let mut process = process(model, machine);
    process.reads_bodies = compiler.reads_bodies;
    process.compresses = proxies.iter().any(|proxy| proxy.compression.is_some());
    process.public_keys = std::mem::take(&mut compiler.public_keys);
    backend::set_fullconn(&mut proxies, process.maxconn);
    let plan = Plan {
        process,
        listeners: listeners.into(),
        proxies: proxies.into(),
        servers: names.mark(servers).into_iter().map(Current::new).collect(),
        log_targets: context.log_targets.into(),
        rings: context.rings.into(),
        healthchecks: context.healthchecks,
        log_forwards,
        tables: names.tables.clone().into(),
        resolvers: resolvers.into(),
        caches: caches.into(),
    };
    Ok(Compiled {
        plan,
        patterns: compiler.patterns.patterns(),
        proc_vars: ProcVars::new(&compiler.vars),
        startup,
        warnings: compiler.warnings,
    })
}

/// What is not HTTP is relayed as it is.
fn mode(section: &cfgparse::model::Proxy) -> Mode {
    match section.mode {
        Mode::Http => Mode::Http,
        _ => Mode::Tcp,
    }
}

/// What all parts of the compilation share.
struct Context<'m> {
    model: &'m Model,
    errors: Vec<CompileError>,
    log_targets: Vec<LogTarget>,
    rings: Vec<RingSpec>,
    name_case: Option<Arc<NameCase>>,
    /// `healthcheck` sections by name.
    healthchecks: HashMap<String, Arc<probe::Ruleset>>,
}

impl Context<'_> {
    fn proxy(
        &mut self,
        section: &cfgparse::model::Proxy,
        id: ProxyId,
        listeners: &mut Vec<Listener>,
        servers: &mut Vec<crate::plan::Server>,
        compiler: &mut Compiler<'_>,
    ) -> Proxy {
        let mut frontend = section.kind.has_frontend().then(|| {
            let own = add_listeners(section, id, listeners);
            self.frontend(section, own, compiler)
        });
        let has_backend = section.kind.has_backend();
        let backend = has_backend.then(|| self.backend(section, id, servers, compiler));
        let rules = self.rulesets(section, compiler);
        if let Some(frontend) = &mut frontend {
            // The rules may have added slots of their own.
            frontend.captures_declared = compiler.captures.counts();
        }
        Proxy {
            id,
            name: section.name.as_str().into(),
            mode: mode(section),
            number: section.id.unwrap_or(id.0 + 2),
            timeouts: Timeouts::new(&section.timeouts),
            rules,
            options: self.options(section, compiler),
            log: self.log(section, compiler),
            stats_page: self.stats_page(section, compiler),
            error_pages: Arc::new(self.error_pages(section, compiler)),
            compression: compression::compile(section),
            frontend,
            backend,
            section: Arc::new(section.clone()),
        }
    }
}

impl<'m> Context<'m> {
    fn new(model: &'m Model) -> Self {
        Self {
            model,
            errors: Vec::new(),
            log_targets: Vec::new(),
            rings: log::rings(model),
            name_case: name_case(model),
            healthchecks: HashMap::new(),
        }
    }
}

impl Context<'_> {
    fn healthchecks(&mut self, compiler: &mut Compiler<'_>) {
        for section in &self.model.healthchecks {
            compiler.at = section.at;
            if let Some(rules) = self.note(probe::ruleset(&section.check, compiler)) {
                self.healthchecks
                    .insert(section.name.clone(), Arc::new(rules));
            }
        }
    }

    /// The value, or the error noted and nothing.
    fn note<T>(&mut self, result: Result<T, CompileError>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }

    fn error(&mut self, at: Place, message: String, remedy: &str) {
        self.errors.push(CompileError::new(at, message, remedy));
    }

    fn options(
        &mut self,
        section: &cfgparse::model::Proxy,
        compiler: &mut Compiler<'_>,
    ) -> Options {
        Options {
            forwarded: self.forwarded(section, compiler),
            ..options(section, self.name_case.as_ref())
        }
    }

    /// `option forwarded`, whose parts may be expressions on the request.
    fn forwarded(
        &mut self,
        section: &cfgparse::model::Proxy,
        compiler: &mut Compiler<'_>,
    ) -> Option<Arc<Forwarded>> {
        let option = section.options.forwarded.as_ref()?;
        compiler.point = Point::HttpRequest;
        compiler.at = section.at;
        let mut said = |value: &Option<ForwardedValue>| match value.as_ref()? {
            ForwardedValue::Default => Some(Said::Default),
            ForwardedValue::Expr(expr) => self.note(Expr::compile(expr, compiler)).map(Said::Expr),
        };
        Some(Arc::new(Forwarded {
            proto: option.proto,
            host: said(&option.host),
            by: said(&option.by),
            by_port: said(&option.by_port),
            r#for: said(&option.r#for),
            for_port: said(&option.for_port),
        }))
    }

    fn condition(
        &mut self,
        condition: Option<&cfgparse::model::expr::Condition>,
        at: Place,
        point: Point,
        compiler: &mut Compiler<'_>,
    ) -> Option<Condition> {
        compiler.point = point;
        compiler.at = at;
        let compiled = Condition::compile(condition?, compiler);
        self.note(compiled)
    }

    fn ruleset(
        &mut self,
        rules: &[cfgparse::model::rule::Rule],
        kind: Kind,
        compiler: &mut Compiler<'_>,
    ) -> Ruleset {
        Ruleset::compile(rules, kind, compiler).unwrap_or_else(|errors| {
            self.errors.extend(errors);
            Ruleset::empty(kind)
        })
    }

    fn rulesets(
        &mut self,
        section: &cfgparse::model::Proxy,
        compiler: &mut Compiler<'_>,
    ) -> Rulesets {
        use cfgparse::model::rule::{Action, Rule};
        let rules = &section.rules;
        let redirects: Vec<Rule> = rules
            .redirects
            .iter()
            .map(|redirect| Rule {
                action: Action::Redirect(redirect.redirect.clone()),
                condition: redirect.condition.clone(),
                at: redirect.at,
            })
            .collect();
        let mut compile = |rules: &[Rule], kind| self.ruleset(rules, kind, compiler);
        Rulesets {
            connection: compile(&rules.tcp_request_connection, Kind::TcpRequestConnection),
            session: compile(&rules.tcp_request_session, Kind::TcpRequestSession),
            request_content: compile(&rules.tcp_request_content, Kind::TcpRequestContent),
            response_content: compile(&rules.tcp_response_content, Kind::TcpResponseContent),
            http_request: compile(&rules.http_request, Kind::HttpRequest),
            redirects: compile(&redirects, Kind::HttpRequest),
            http_response: compile(&rules.http_response, Kind::HttpResponse),
            http_after_response: compile(&rules.http_after_response, Kind::HttpAfterResponse),
            request_inspect_delay_ms: rules.request_inspect_delay_ms.map(u64::from),
            response_inspect_delay_ms: rules.response_inspect_delay_ms.map(u64::from),
        }
    }

    fn stats_page(
        &mut self,
        section: &cfgparse::model::Proxy,
        compiler: &mut Compiler<'_>,
    ) -> Option<StatsPage> {
        let stats = &section.stats;
        if !stats.enabled {
            return None;
        }
        let admin = stats
            .admin
            .iter()
            .filter_map(|condition| {
                self.condition(Some(condition), stats.at, Point::HttpRequest, compiler)
            })
            .collect();
        Some(StatsPage {
            uri: stats
                .uri
                .clone()
                .unwrap_or_else(|| "/haproxy?stats".to_owned()),
            realm: stats
                .realm
                .clone()
                .unwrap_or_else(|| "HAProxy Statistics".to_owned()),
            settings: Arc::new(stats.clone()),
            admin,
            rules: self.ruleset(&stats.http_request, Kind::HttpRequest, compiler),
        })
    }
}

fn add_listeners(
    section: &cfgparse::model::Proxy,
    frontend: ProxyId,
    listeners: &mut Vec<Listener>,
) -> Vec<ListenerId> {
    let mut own = Vec::new();
    if section.disabled {
        return own;
    }
    for bind in &section.binds {
        let bind = Arc::new(bind.clone());
        for address in &bind.addresses {
            let id = ListenerId(listeners.len() as u32);
            let number = bind.id.unwrap_or(own.len() as u32 + 1);
            let (address, bind) = (address.clone(), Arc::clone(&bind));
            listeners.push(Listener {
                id,
                frontend,
                address,
                bind,
                number,
            });
            own.push(id);
        }
    }
    own
}

fn options(section: &cfgparse::model::Proxy, case: Option<&Arc<NameCase>>) -> Options {
    let options = &section.options;
    let network = |except: Option<(std::net::IpAddr, u8)>| {
        except.and_then(|(address, bits)| IpNet::new(address, bits).ok())
    };
    let name = |text: &str| text.to_ascii_lowercase().into_bytes().into_boxed_slice();
    Options {
        connection: options.http_connection,
        forwardfor: options.forwardfor.as_ref().map(|field| AddressField {
            name: name(&field.header),
            except: network(field.except),
            if_none: field.if_none,
        }),
        originalto: options.originalto.as_ref().map(|field| AddressField {
            name: name(&field.header),
            except: network(field.except),
            if_none: false,
        }),
        forwarded: None,
        reuse: section.http_reuse,
        // On by default for HTTP (manual, `option abortonclose`).
        abort_on_close: options.abortonclose.unwrap_or(section.mode == Mode::Http),
        nolinger: options.nolinger,
        lenient_request: options.accept_unsafe_violations_in_http_request,
        lenient_response: options.accept_unsafe_violations_in_http_response,
        pretend_keep_alive: options.http_pretend_keepalive,
        prefers_last_server: options.prefer_last_server,
        client_probes: options.clitcpka.then_some(options.clitcpka_settings),
        server_probes: options.srvtcpka.then_some(options.srvtcpka_settings),
        // The parameter may be in the body.
        buffer_request: options.http_buffer_request
            || matches!(
                section.balance.algorithm,
                Some(Algorithm::UrlParam {
                    check_post: Some(_),
                    ..
                })
            ),
        ignore_probes: options.http_ignore_probes,
        client_name_case: case
            .filter(|_| options.h1_case_adjust_bogus_client)
            .cloned(),
        server_name_case: case
            .filter(|_| options.h1_case_adjust_bogus_server)
            .cloned(),
        proxy_header: options.http_use_proxy_header,
        restrict_names: options
            .http_restrict_req_hdr_names
            .unwrap_or(RestrictNames::Preserve),
        contstats: options.contstats,
    }
}

/// How names are spelled where an option asks for it; what a line says goes before what a file says.
fn name_case(model: &Model) -> Option<Arc<NameCase>> {
    let (lines, file) = (
        &model.global.h1_case_adjust,
        &model.global.h1_case_adjust_file,
    );
    if lines.is_empty() && file.is_empty() {
        return None;
    }
    let pairs = file.iter().chain(lines);
    let bytes = pairs.map(|(from, to)| (from.as_bytes(), to.as_bytes()));
    Some(Arc::new(NameCase::new(bytes)))
}

fn process(model: &Model, machine: &Machine) -> Process {
    let (global, tune) = (&model.global, &model.global.tune);
    let buffer_bytes = tune
        .bufsize
        .map_or(crate::limits::BUFFER_BYTES, |bytes| bytes as usize);
    let reserve = tune
        .maxrewrite
        .map_or(crate::limits::REWRITE_RESERVE_BYTES, |bytes| bytes as usize);
    let fields = tune
        .http_maxhdr
        .map_or(crate::limits::HEADERS_MAX, |count| count as usize);
    Process {
        node: global
            .node
            .clone()
            .unwrap_or_else(|| machine.host_name.clone()),
        host_name: machine.host_name.clone(),
        description: global.description.clone(),
        maxconn: global.maxconn.unwrap_or(machine.connections_max),
        maxconn_is_configured: global.maxconn.is_some(),
        descriptors: machine.descriptors,
        hard_stop_after_ms: global.hard_stop_after_ms,
        head_limits: wire::h1::Limits {
            head_bytes: buffer_bytes.saturating_sub(reserve),
            buffer_bytes,
            fields: fields.saturating_sub(1),
            body_with_any_method: global.h1_accept_payload_with_any_method,
            lenient: false,
        },
        reads_bodies: false,
        compresses: false,
        compression_level: tune.comp_maxlevel.unwrap_or(1),
        dns_families: resolvers::families(global),
        log_uri_bytes: tune.http_logurilen.map_or(1024, |bytes| bytes as usize),
        log_tag: global
            .log_tag
            .clone()
            .unwrap_or_else(|| "haproxy".to_owned()),
        log_host: global
            .log_send_hostname
            .as_ref()
            .map(|host| host.clone().unwrap_or_else(|| machine.host_name.clone())),
        stats_timeout_ms: u64::from(global.stats_timeout_ms.unwrap_or(10_000)),
        spread_checks_percent: global.spread_checks.unwrap_or(0),
        check_keeps_environment: global.external_check_preserve_env,
        err_statuses: Statuses::errors(&global.http_err_codes),
        fail_statuses: Statuses::failures(&global.http_fail_codes),
        public_keys: PublicKeys::default(),
    }
}
