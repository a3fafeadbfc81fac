//! The server side of a proxy.

use std::sync::Arc;

use cfgparse::model::proxy::Target;
use cfgparse::model::{Algorithm, HashFunction, HashMethod, Proxy};

use super::Context;
use super::frontend::switching_point;
use crate::balance;
use crate::limits::RETRIES;
use crate::log::Format;
use crate::persist::Cookie;
use crate::plan::{
    self, Backend, Key, Persist, PersistRule, ProxyId, Redispatch, RetryOn, Server, ServerTarget,
    Trouble, UseServer,
};
use crate::probe;
use crate::sample::{Compiler, Expr, Point};

impl Context<'_> {
    pub(super) fn backend(
        &mut self,
        section: &Proxy,
        id: ProxyId,
        servers: &mut Vec<Server>,
        compiler: &mut Compiler<'_>,
    ) -> Backend {
        compiler.at = section.at;
        let check = self.note(probe::ruleset(&section.check, compiler));
        let check = check.map(Arc::new);
        let mut own = Vec::new();
        for line in &section.servers {
            let index = servers.len() as u32;
            let server = self.server(line, (section, id), index, check.as_ref(), compiler);
            own.push(server.id);
            servers.push(server);
        }
        if section.balance.hash_type.function == HashFunction::Wt6 {
            self.error(
                section.at,
                "'hash-type' with the function 'wt6' is not supported yet".to_owned(),
                "use 'sdbm' or 'djb2' with 'avalanche'",
            );
        }
        let use_servers = self.use_servers(section, id, compiler);
        Backend {
            servers: own.into(),
            retries: section.retries.unwrap_or(RETRIES),
            redispatch: redispatch(section.options.redispatch),
            retry_on: retry_on(section),
            balance: balance_config(section),
            key: self.key(section, compiler),
            use_servers,
            cookie: section.cookie.as_ref().map(Cookie::new),
            persists: section.options.persist,
            persist_rules: self.persist_rules(section, compiler),
            stick_request: self.stick_rules(section, false, compiler),
            stick_response: self.stick_rules(section, true, compiler),
            fullconn: section.fullconn.unwrap_or(0),
            unique_id: self.unique_id(section, compiler),
            check,
            send_name_header: section
                .http_send_name_header
                .as_ref()
                .map(|name| name.to_ascii_lowercase().into_bytes().into()),
        }
    }

    fn use_servers(
        &mut self,
        section: &Proxy,
        id: ProxyId,
        compiler: &mut Compiler<'_>,
    ) -> Vec<UseServer> {
        let mut use_servers = Vec::new();
        for rule in &section.use_servers {
            let point = switching_point(section);
            let condition = self.condition(rule.condition.as_ref(), rule.at, point, compiler);
            let name = match &rule.target {
                Target::Static(name) => name,
                Target::Dynamic(format) => {
                    let format = Format::compile(format, compiler);
                    if let Some(format) = self.note(format) {
                        let target = ServerTarget::Named(format);
                        use_servers.push(UseServer { condition, target });
                    }
                    continue;
                }
            };
            match compiler.names.server(id, name) {
                Some(server) => use_servers.push(UseServer {
                    condition,
                    target: ServerTarget::Server(server),
                }),
                None => self.error(
                    rule.at,
                    format!("unable to find server '{name}' referenced in a 'use-server' rule"),
                    "name a server of this section",
                ),
            }
        }
        use_servers
    }

    fn persist_rules(&mut self, section: &Proxy, compiler: &mut Compiler<'_>) -> Vec<PersistRule> {
        let point = switching_point(section);
        let mut rules = Vec::new();
        for rule in &section.persist_rules {
            if let Some(condition) = self.condition(Some(&rule.condition), rule.at, point, compiler)
            {
                let persist = if rule.force {
                    Persist::Forced
                } else {
                    Persist::Ignored
                };
                rules.push(PersistRule { condition, persist });
            }
        }
        rules
    }

    fn key(&mut self, section: &Proxy, compiler: &mut Compiler<'_>) -> Key {
        let lower = |name: &str| name.to_ascii_lowercase().into_bytes().into_boxed_slice();
        match &section.balance.algorithm {
            Some(Algorithm::Source) => Key::Source,
            Some(Algorithm::Uri {
                len,
                depth,
                whole,
                path_only,
            }) => Key::Uri {
                bytes_max: *len,
                depth: *depth,
                whole: *whole,
                path_only: *path_only,
            },
            Some(Algorithm::UrlParam { name, check_post }) => Key::UrlParam {
                name: name.as_bytes().into(),
                in_body: check_post.is_some(),
            },
            Some(Algorithm::Hdr {
                name,
                use_domain_only,
            }) => Key::Header {
                name: lower(name),
                domain_only: *use_domain_only,
            },
            Some(Algorithm::Hash(expr)) => {
                compiler.at = section.at;
                compiler.point = match switching_point(section) {
                    Point::TcpRequest => Point::TcpRequest,
                    _ => Point::HttpRequest,
                };
                let compiled = Expr::compile(expr, compiler);
                self.note(compiled).map_or(Key::None, Key::Expr)
            }
            Some(Algorithm::LogHash(expr)) => {
                compiler.at = section.at;
                compiler.point = Point::Internal;
                let compiled = Expr::compile(expr, compiler);
                self.note(compiled).map_or(Key::None, Key::Log)
            }
            Some(Algorithm::Sticky) => Key::Sticky,
            Some(Algorithm::RdpCookie { name }) => {
                Key::RdpCookie(name.as_deref().unwrap_or(RDP_COOKIE).as_bytes().into())
            }
            _ => Key::None,
        }
    }
}

/// Manual 4.2, `balance rdp-cookie`.
const RDP_COOKIE: &str = "mstshash";

fn redispatch(written: Option<i32>) -> Redispatch {
    match written {
        None | Some(0) => Redispatch::Never,
        Some(every) if every > 0 => Redispatch::Every(every as u32),
        Some(from_last) => Redispatch::FromLast(from_last.unsigned_abs()),
    }
}

/// The words of `retry-on`; they replace what was there before. TLS early data is never sent to
/// servers, so none can be rejected.
fn retry_on(section: &Proxy) -> RetryOn {
    use cfgparse::model::proxy::RetryOn as Word;
    let all = [
        Trouble::ConnFailure,
        Trouble::EmptyResponse,
        Trouble::JunkResponse,
        Trouble::ResponseTimeout,
        Trouble::Status(500),
        Trouble::Status(502),
        Trouble::Status(503),
        Trouble::Status(504),
    ];
    if section.retry_on.is_empty() {
        return RetryOn::new([Trouble::ConnFailure]);
    }
    RetryOn::new(section.retry_on.iter().flat_map(|word| match word {
        Word::None | Word::ZeroRttRejected => Vec::new(),
        Word::ConnFailure => vec![Trouble::ConnFailure],
        Word::EmptyResponse => vec![Trouble::EmptyResponse],
        Word::JunkResponse => vec![Trouble::JunkResponse],
        Word::ResponseTimeout => vec![Trouble::ResponseTimeout],
        Word::Status(status) => vec![Trouble::Status(*status)],
        Word::AllRetryableErrors => all.to_vec(),
    }))
}

fn balance_config(section: &Proxy) -> balance::Config {
    let written = &section.balance;
    let method = match written.hash_type.method {
        HashMethod::MapBased => balance::Method::MapBased,
        HashMethod::Consistent => balance::Method::Consistent,
    };
    let function = match written.hash_type.function {
        HashFunction::Djb2 => balance::HashFunction::Djb2,
        HashFunction::Crc32 => balance::HashFunction::Crc32,
        HashFunction::None => balance::HashFunction::None,
        HashFunction::Sdbm | HashFunction::Wt6 => balance::HashFunction::Sdbm,
    };
    let avalanche = written.hash_type.modifier.is_some();
    balance::Config {
        algorithm: match &written.algorithm {
            Some(Algorithm::Roundrobin | Algorithm::Sticky) => balance::Algorithm::RoundRobin,
            Some(Algorithm::StaticRr) => balance::Algorithm::StaticRr,
            Some(Algorithm::Leastconn) => balance::Algorithm::LeastConn,
            Some(Algorithm::First) => balance::Algorithm::First,
            Some(Algorithm::Random { draws }) => balance::Algorithm::Random { draws: *draws },
            None => balance::Algorithm::Random { draws: 2 },
            Some(_) => balance::Algorithm::Hash,
        },
        hash_type: balance::HashType {
            method,
            function,
            avalanche,
        },
        all_backups: section.options.allbackups,
        balance_factor: written.hash_balance_factor.unwrap_or(0),
        affinity: match written.hash_preserve_affinity.as_deref() {
            Some("maxconn") => balance::Affinity::Maxconn,
            Some("maxqueue") => balance::Affinity::Maxqueue,
            _ => balance::Affinity::Always,
        },
    }
}

/// Manual, `fullconn`: by default a tenth of the sum of the frontends' `maxconn` that may lead to
/// the backend; a frontend without one counts with the process's. Never less than 1.
pub(super) fn set_fullconn(proxies: &mut [plan::Proxy], process_maxconn: u32) {
    let mut sums = vec![0u32; proxies.len()];
    for proxy in proxies.iter() {
        let Some(frontend) = &proxy.frontend else {
            continue;
        };
        let maxconn = match frontend.maxconn {
            0 => process_maxconn,
            maxconn => maxconn,
        };
        let targets = frontend.routes.iter().map(|route| &route.target);
        for target in targets.chain(&frontend.default_backend) {
            if let plan::RouteTarget::Backend(backend) = target {
                let sum = &mut sums[backend.index()];
                *sum = sum.saturating_add(maxconn);
            }
        }
        if proxy.backend.is_some() {
            let sum = &mut sums[proxy.id.index()];
            *sum = sum.saturating_add(maxconn);
        }
    }
    for (proxy, sum) in proxies.iter_mut().zip(sums) {
        if let Some(backend) = proxy
            .backend
            .as_mut()
            .filter(|backend| backend.fullconn == 0)
        {
            backend.fullconn = sum.div_ceil(10).max(1);
        }
    }
}
