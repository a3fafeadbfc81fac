//! One `server` line.

use std::net::SocketAddr;
use std::sync::Arc;

use cfgparse::bytes::raw;
use cfgparse::model::expr::{Call, SampleExpr};
use cfgparse::model::server::{AddressFamily, MarkedDown, SendProxy, UseSrc};
use cfgparse::model::{Addr, Place, Port, Proxy, Server as Line};

use ipnet::IpNet;

use super::Context;
use crate::limits::POOL_PURGE_DELAY_MS;
use crate::log::Format;
use crate::plan::{
    Endpoint, Plan, PoolTerms, Presents, ProxyHeader, ProxyId, Resolving, Server, ServerCheck,
    ServerId, Source,
};
use crate::probe::{Ruleset, own_connection};
use crate::sample::{Compiler, Expr, Point};

impl Context<'_> {
    pub(super) fn server(
        &mut self,
        line: &Line,
        (section, backend): (&Proxy, ProxyId),
        index: u32,
        of_backend: Option<&Arc<Ruleset>>,
        compiler: &mut Compiler<'_>,
    ) -> Server {
        for keyword in unsupported(line) {
            self.error(
                line.at,
                format!("'{keyword}' on server '{}' is not supported yet", line.name),
                "take it out, or keep this server on HAProxy meanwhile",
            );
        }
        if let Some((of, tracked)) = &line.track {
            // Asked for by name, the tracked server keeps its name.
            let of = compiler.names.backend(of).unwrap_or(backend);
            compiler.names.server(of, tracked);
        }
        let header = line.send_proxy.as_ref();
        Server {
            proxy_header: header.and_then(|header| self.proxy_header(header, line, compiler)),
            source: source(line, section, |usesrc| {
                self.presents(usesrc, line.at, compiler)
            }),
            log_ring: self.server_ring(line, section),
            resolving: self.resolving(line),
            check: self.check(line, of_backend),
            ..Server::of_line(line, backend, ServerId(index))
        }
    }

    /// The check of a server: its `healthcheck` section's, else its backend's.
    fn check(&self, line: &Line, of_backend: Option<&Arc<Ruleset>>) -> Option<ServerCheck> {
        let rules = match &line.check.healthcheck {
            Some(name) => self.healthchecks.get(name.as_str()),
            None => of_backend,
        };
        rules.and_then(|rules| ServerCheck::of(line, rules))
    }

    fn presents(
        &mut self,
        usesrc: &UseSrc,
        at: Place,
        compiler: &mut Compiler<'_>,
    ) -> Option<Presents> {
        let (name, occurrence) = match usesrc {
            // Manual, `source`: "passing a zero here disables the feature".
            UseSrc::Header { occurrence: 0, .. } => return None,
            UseSrc::Header { name, occurrence } => (name, occurrence),
            address => return presented(address),
        };
        compiler.point = Point::HttpRequest;
        compiler.at = at;
        let field = SampleExpr {
            fetch: Call {
                name: "req.hdr_ip".to_owned(),
                args: vec![name.clone(), occurrence.to_string()],
                at,
            },
            converters: Vec::new(),
            text: format!("req.hdr_ip({name},{occurrence})"),
        };
        let compiled = Expr::compile(&field, compiler);
        self.note(compiled).map(Presents::Field)
    }

    fn resolving(&self, line: &Line) -> Option<Resolving> {
        let name = line.resolvers.as_ref()?;
        let says = |word: &str| line.resolve_opts.iter().any(|option| option == word);
        let shares = line
            .resolve_opts
            .iter()
            .rfind(|option| option.ends_with("-dup-ip"))
            .is_some_and(|option| option == "allow-dup-ip");
        Some(Resolving {
            by: super::resolvers::find(self.model, name)?,
            prefer_ipv6: line.resolve_prefer != Some(AddressFamily::Ipv4),
            nets: line
                .resolve_net
                .iter()
                .filter_map(|&(ip, bits)| IpNet::new(ip, bits).ok())
                .map(|net| net.trunc())
                .collect(),
            shares_addresses: shares,
            ignores_weight: says("ignore-weight"),
        })
    }

    fn proxy_header(
        &mut self,
        asked: &SendProxy,
        line: &Line,
        compiler: &mut Compiler<'_>,
    ) -> Option<ProxyHeader> {
        let version = asked.version?;
        compiler.point = Point::HttpRequest;
        compiler.at = line.at;
        let mut records = Vec::new();
        for (kind, format) in &asked.tlvs {
            let compiled = Format::compile(format, compiler);
            records.extend(self.note(compiled).map(|format| (*kind, format)));
        }
        Some(ProxyHeader {
            version,
            asked: asked.clone(),
            records: records.into(),
        })
    }
}

/// Our end of the server's connections: its own `source`, else its section's.
fn source(
    line: &Line,
    section: &Proxy,
    presents: impl FnOnce(&UseSrc) -> Option<Presents>,
) -> Option<Box<Source>> {
    let written = line.source.as_ref().or(section.source.as_ref());
    if written.is_none() && line.tcp_ut_ms.is_none() && line.cc.is_none() {
        return None;
    }
    let mut source = Source {
        user_timeout_ms: line.tcp_ut_ms,
        congestion: line.cc.as_deref().map(Box::from),
        ..Source::default()
    };
    if let Some(written) = written {
        let low = written.port_low.unwrap_or(0);
        source.address = written.ip;
        source.ports = (low, written.port_high.unwrap_or(low));
        source.interface = written.interface.as_deref().map(Box::from);
        source.presents = written.usesrc.as_ref().and_then(presents);
    }
    Some(Box::new(source))
}

/// The address to present that no field of a request tells.
fn presented(usesrc: &UseSrc) -> Option<Presents> {
    match usesrc {
        UseSrc::Client => Some(Presents::Client),
        UseSrc::ClientIp => Some(Presents::ClientIp),
        UseSrc::Address(ip, port) => Some(Presents::Address(SocketAddr::new(*ip, *port))),
        UseSrc::Header { .. } => None,
    }
}

/// Whether an address to present is in a field of the request.
fn needs_field(line: &Line, section: &Proxy) -> bool {
    let written = line.source.as_ref().or(section.source.as_ref());
    let usesrc = written.and_then(|written| written.usesrc.as_ref());
    matches!(usesrc, Some(UseSrc::Header { .. }))
}

/// What the line says that is not done yet.
fn unsupported(line: &Line) -> impl Iterator<Item = &'static str> {
    let is_unknown = line.socks4.is_some() && socks4(line).is_none();
    is_unknown
        .then_some("socks4 without an IPv4 address")
        .into_iter()
}

/// The address of the SOCKS4 proxy, which knows IPv4 only.
fn socks4(line: &Line) -> Option<SocketAddr> {
    let address: SocketAddr = line.socks4.as_ref()?.parse().ok()?;
    address.is_ipv4().then_some(address)
}

impl ServerCheck {
    /// A check by these rules, if the line asks for one.
    fn of(line: &Line, rules: &Arc<Ruleset>) -> Option<Self> {
        line.check.enabled.then(|| Self {
            connection: own_connection(line, rules),
            rules: Arc::clone(rules),
        })
    }
}

impl Server {
    /// A server that is added while the process runs.
    ///
    /// # Errors
    ///
    /// What of the line is not done yet, as a client is told.
    pub fn added(line: &Line, plan: &Plan, backend: ProxyId, id: ServerId) -> Result<Self, String> {
        let proxy = plan.proxy(backend);
        let section = &*proxy.section;
        let formats = line.send_proxy.iter().any(|header| !header.tlvs.is_empty());
        let refused = unsupported(line)
            .chain(formats.then_some("set-proxy-v2-tlv-fmt"))
            .chain(needs_field(line, section).then_some("source ... usesrc hdr_ip"));
        if let Some(keyword) = refused.into_iter().next() {
            return Err(format!(
                "'{keyword}' is not supported for dynamic servers yet"
            ));
        }
        let header = |asked: &SendProxy| {
            Some(ProxyHeader {
                version: asked.version?,
                asked: asked.clone(),
                records: [].into(),
            })
        };
        Ok(Self {
            proxy_header: line.send_proxy.as_ref().and_then(header),
            source: source(line, section, presented),
            check: plan
                .check_rules(line, backend)
                .and_then(|rules| ServerCheck::of(line, rules)),
            ..Self::of_line(line, backend, id)
        })
    }

    /// All but the PROXY header, which may need expressions.
    fn of_line(line: &Line, backend: ProxyId, id: ServerId) -> Self {
        Self {
            id,
            backend,
            name: line.name.as_str().into(),
            endpoint: endpoint(line),
            follows_client: follows_client(line),
            observe: line.check.observe.filter(|_| line.check.enabled),
            error_limit: line.check.error_limit.unwrap_or(ERROR_LIMIT),
            is_tls: line.tls.as_ref().is_some_and(|tls| tls.enabled),
            cookie: line.cookie.as_ref().map(|value| raw(value).into()),
            pool: PoolTerms {
                max: line.pool.max_conn.and_then(|max| u32::try_from(max).ok()),
                low: line.pool.low_conn.unwrap_or(0),
                purge_delay_ms: line
                    .pool
                    .purge_delay_ms
                    .map_or(POOL_PURGE_DELAY_MS, u64::from),
                reuse_max: line.pool.max_reuse.and_then(|max| u32::try_from(max).ok()),
            },
            check: None,
            socks4: socks4(line),
            shutdown_on_down: line.on_marked_down == Some(MarkedDown::ShutdownSessions),
            proxy_header: None,
            source: None,
            log_ring: None,
            is_referenced: false,
            resolving: None,
            line: Arc::new(line.clone()),
        }
    }
}

/// Manual 5.2, `error-limit`.
const ERROR_LIMIT: u32 = 10;

/// Whether connections go where the client wanted to go, in part at least.
fn follows_client(line: &Line) -> bool {
    match &line.address {
        Addr::Ip(ip) if ip.is_unspecified() => true,
        Addr::Ip(_) | Addr::Name { .. } => {
            matches!(line.port, Port::Offset(_) | Port::None | Port::Fixed(0))
        }
        _ => false,
    }
}

/// Where the server is, as far as the text tells; names are resolved when the process starts.
pub(super) fn endpoint(line: &Line) -> Endpoint {
    match (&line.address, line.port) {
        (Addr::Ip(ip), Port::Fixed(port)) => Endpoint::Tcp(SocketAddr::new(*ip, port)),
        (Addr::Ip(ip), Port::Offset(offset)) => Endpoint::TcpOffset(*ip, offset),
        (Addr::Ip(ip), Port::None) => Endpoint::TcpOffset(*ip, 0),
        (Addr::Unix(path), _) => Endpoint::Unix(path.clone()),
        (Addr::Abns(name), _) => Endpoint::Abstract(name.clone()),
        (Addr::Name { .. } | Addr::Fd(_) | Addr::Sockpair(_) | Addr::ReverseHttp, _) => {
            Endpoint::Unresolved
        }
    }
}
