//! The Ast becomes the model: sections in order, then what holds between them.

pub mod actions;
mod added;
pub mod bind;
pub mod global;
pub mod keyword;
mod peers;
pub mod proxy;
mod references;
pub mod section;
pub mod server;
pub mod server_source;
pub mod syntax;
pub mod tune;
mod verify;
mod verify_lines;
mod verify_tls;

pub use added::{ADDED_SERVER_KEYWORDS, added_server};

use crate::ast::{Ast, Section, Word};
use crate::context::Context;
use crate::diagnostic::Span;
use crate::expr::acl;
use crate::expr::condition::PREDEFINED;
use crate::model::Model;
use crate::model::expr::Acl;
use crate::model::global::Global;
use crate::model::proxy::Proxy;
use crate::model::tls::{TlsServerVerify, TlsVerify};
use proxy::DefaultsList;
use proxy::draft::Draft;

/// Builds as much of the model as can be understood.
pub fn model(ast: &Ast, cx: &mut Context) -> Model {
    let mut model = Model {
        files: ast.files.clone(),
        ..Model::default()
    };
    model.environment.clone_from(&ast.environment);
    let mut defaults = DefaultsList::default();
    let mut drafts: Vec<Draft> = Vec::new();
    for section in &ast.sections {
        match section.kind() {
            "defaults" => proxy::defaults(cx, &mut defaults, section),
            "frontend" | "listen" | "backend" => drafts.push(proxy::proxy(cx, &defaults, section)),
            _ => other(cx, &mut model, section),
        }
    }
    for draft in drafts {
        let default_servers = draft.default_servers();
        let mut proxy = draft.proxy;
        proxy.default_servers = default_servers;
        if draft.log_global {
            let mut targets = model.global.logs.clone();
            targets.append(&mut proxy.logging.targets);
            proxy.logging.targets = targets;
        }
        proxy.acls = draft.scope.into_acls();
        tls_defaults(&model.global, &mut proxy);
        model.proxies.push(proxy);
    }
    for forward in model.log_forwards.iter_mut().filter(|f| f.log_global) {
        let own = std::mem::replace(&mut forward.logs, model.global.logs.clone());
        forward.logs.extend(own);
    }
    for section in ast.sections.iter().filter(|s| s.kind() == "program") {
        verify_lines::programs(cx, &model, section.header.span());
    }
    verify_lines::verify_lines(cx, &model);
    verify::verify(cx, &model);
    model.maps = std::mem::take(&mut cx.maps);
    model.predefined_acls = predefined(cx);
    model
}

fn other(cx: &mut Context, model: &mut Model, section: &Section) {
    use section::{access, healthcheck, logs, network, store};
    match section.kind() {
        "global" => global::section(cx, &mut model.global, section),
        "userlist" => model.userlists.push(access::userlist(cx, section)),
        "http-errors" => model.http_errors.push(access::http_errors(cx, section)),
        "resolvers" => model.resolvers.push(network::resolvers(cx, section)),
        "peers" => model.peers.push(network::peers(cx, section)),
        "ring" => model.rings.push(logs::ring(cx, section)),
        "mailers" => model.mailers.push(network::mailers(cx, section)),
        "log-forward" => model.log_forwards.push(logs::log_forward(cx, section)),
        "log-profile" => model.log_profiles.push(logs::log_profile(cx, section)),
        "healthcheck" => model
            .healthchecks
            .push(healthcheck::healthcheck(cx, section)),
        "cache" => model.caches.push(store::cache(cx, section)),
        "crt-store" => model.crt_stores.push(store::crt_store(cx, section)),
        "fcgi-app" => model.fcgi_apps.push(store::fcgi_app(cx, section)),
        _ => store::name_only(cx, section),
    }
}

/// What `ssl-default-bind-*`, `ssl-default-server-*` and `ssl-server-verify` say for lines that say nothing.
fn tls_defaults(global: &Global, proxy: &mut Proxy) {
    fn fill(slot: &mut Option<String>, default: Option<&String>) {
        if slot.is_none() {
            *slot = default.cloned();
        }
    }
    let defaults = &global.ssl_default_bind;
    for tls in proxy.binds.iter_mut().filter_map(|bind| bind.tls.as_mut()) {
        fill(&mut tls.ciphers, defaults.ciphers.as_ref());
        fill(&mut tls.ciphersuites, defaults.ciphersuites.as_ref());
        fill(&mut tls.curves, defaults.curves.as_ref());
        fill(&mut tls.sigalgs, defaults.sigalgs.as_ref());
        fill(&mut tls.client_sigalgs, defaults.client_sigalgs.as_ref());
        tls.versions = tls.versions.or(defaults.versions);
        tls.no_tls_tickets |= defaults.no_tls_tickets;
        tls.prefer_client_ciphers |= defaults.prefer_client_ciphers;
        tls.strict_sni = tls.strict_sni.or(defaults.strict_sni.then_some(true));
    }
    let defaults = &global.ssl_default_server;
    for tls in proxy
        .servers
        .iter_mut()
        .filter_map(|server| server.tls.as_mut())
    {
        fill(&mut tls.ciphers, defaults.ciphers.as_ref());
        fill(&mut tls.ciphersuites, defaults.ciphersuites.as_ref());
        fill(&mut tls.curves, defaults.curves.as_ref());
        fill(&mut tls.sigalgs, defaults.sigalgs.as_ref());
        fill(&mut tls.client_sigalgs, defaults.client_sigalgs.as_ref());
        tls.versions = tls.versions.or(defaults.versions);
        tls.no_tls_tickets |= defaults.no_tls_tickets;
        tls.verify = tls.verify.or(Some(match global.ssl_server_verify {
            TlsServerVerify::None => TlsVerify::None,
            TlsServerVerify::Required => TlsVerify::Required,
        }));
    }
}

/// The predefined ACLs that conditions named.
fn predefined(cx: &mut Context) -> Vec<Acl> {
    let names = std::mem::take(&mut cx.predefined);
    let uses = cx.uses.len();
    let mut acls = Vec::with_capacity(names.len());
    for (name, words) in PREDEFINED.iter().filter(|(name, _)| names.contains(name)) {
        let words: Vec<Word> = words
            .iter()
            .map(|text| Word {
                text: (*text).to_owned(),
                at: Span::default().at,
                len: 0,
            })
            .collect();
        if let Ok(parsed) = acl::parse_quietly(cx, &words) {
            acls.push(Acl {
                name: (*name).to_owned(),
                tests: vec![parsed.test],
            });
        }
    }
    // What they consist of was counted where they were named.
    cx.uses.truncate(uses);
    acls
}
