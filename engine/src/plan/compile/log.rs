//! What a proxy logs, and where to.

use std::sync::Arc;

use cfgparse::model::bind::Bind;
use cfgparse::model::expr::LogFormat;
use cfgparse::model::log::{Format as Written, LogAddr, LogFraming, LogTarget as Line};
use cfgparse::model::section::Ring;
use cfgparse::model::{Addr, Mode, Model, Port, Proxy, Server};

use super::Context;
use crate::limits::{BUFFER_BYTES, IMPLICIT_RING_TIMEOUT_MS, LOG_FORWARD_MAXCONN, LOG_LINE_BYTES};
use crate::log::{
    CLF_LOG_FORMAT, Format, HTTP_LOG_FORMAT, HTTPS_LOG_FORMAT, JSON_HTTP_LOG_FORMAT,
    JSON_TCP_LOG_FORMAT, Profile, Steps, TCP_CLF_LOG_FORMAT, TCP_LOG_FORMAT,
};
use crate::plan::{Destination, LogForward, LogSink, LogTarget, ProxyId, RingServer, RingSpec};
use crate::sample::{Compiler, Point};

/// The `ring` sections.
pub(super) fn rings(model: &Model) -> Vec<RingSpec> {
    let spec = |ring: &Ring| RingSpec {
        name: ring.name.as_str().into(),
        description: ring
            .description
            .as_ref()
            .unwrap_or(&ring.name)
            .as_str()
            .into(),
        size: ring.size.map_or(BUFFER_BYTES, |bytes| bytes as usize),
        maxlen: ring.maxlen.map_or(LOG_LINE_BYTES, |bytes| bytes as usize),
        // Manual, 12.5: raw where nothing is written.
        framing: Some(match ring.format {
            LogFraming::Default => LogFraming::Raw,
            written => written,
        }),
        connect_ms: ring.timeout_connect_ms.map(u64::from),
        server_ms: ring.timeout_server_ms.map(u64::from),
        servers: ring.servers.iter().map(ring_server).collect(),
    };
    model.rings.iter().map(spec).collect()
}

fn ring_server(line: &Server) -> RingServer {
    RingServer {
        endpoint: super::server::endpoint(line),
        counts_octets: line.log_proto.as_deref() == Some("octet-count"),
        line: Arc::new(line.clone()),
    }
}

impl Context<'_> {
    /// The index of a `log` line; the same line in several sections is one target.
    fn log_target(&mut self, line: &Line, compiler: &Compiler<'_>) -> usize {
        let known = self
            .log_targets
            .iter()
            .position(|known| known.line == *line);
        if let Some(known) = known {
            return known;
        }
        let to = match &line.address {
            LogAddr::Ring(name) => {
                let ring = self.rings.iter().position(|ring| *ring.name == **name);
                ring.map_or(Destination::Nowhere, Destination::Ring)
            }
            LogAddr::Backend(name) => self.log_backend(name, line, compiler),
            LogAddr::Stream(address, port) => {
                let file = compiler.names.file_name(line.at.file);
                let told = format!(
                    "created from log directive declared into '{file}' at line {}",
                    line.at.line
                );
                let server = stream_server(address, *port);
                Destination::Ring(self.implicit_ring(&told, &server, line.len))
            }
            address => Destination::Socket(address.clone()),
        };
        let line = line.clone();
        self.log_targets.push(LogTarget { line, to });
        self.log_targets.len() - 1
    }

    /// The `log-forward` sections.
    pub(super) fn log_forwards(&mut self, compiler: &Compiler<'_>) -> Box<[LogForward]> {
        let model = self.model;
        let binds = |binds: &[Bind]| binds.iter().cloned().map(Arc::new).collect();
        let mut all = Vec::with_capacity(model.log_forwards.len());
        for section in &model.log_forwards {
            let targets = section.logs.iter();
            all.push(LogForward {
                name: section.name.as_str().into(),
                targets: targets
                    .map(|line| self.log_target(line, compiler))
                    .collect(),
                maxconn: section.maxconn.unwrap_or(LOG_FORWARD_MAXCONN),
                backlog: section.backlog,
                client_ms: section.timeout_client_ms.map(u64::from),
                lines_only: section.lines_only,
                unparsed: section.unparsed,
                host: section.host,
                binds: binds(&section.binds),
                datagram_binds: binds(&section.dgram_binds),
            });
        }
        all.into()
    }

    fn log_backend(&mut self, name: &str, line: &Line, compiler: &Compiler<'_>) -> Destination {
        let backend = compiler.names.backend(name);
        let is_for_logs = |id: &ProxyId| self.model.proxies[id.index()].mode == Mode::Log;
        if let Some(backend) = backend.filter(is_for_logs) {
            return Destination::Backend(backend);
        }
        self.error(
            line.at,
            format!("backend '{name}' is not in log mode and cannot be a log target."),
            "add 'mode log' to the backend",
        );
        Destination::Nowhere
    }

    /// A ring in front of one stream server.
    fn implicit_ring(&mut self, told: &str, server: &Server, len: Option<u32>) -> usize {
        let number = self.rings.len() + 1 - self.model.rings.len();
        self.rings.push(RingSpec {
            name: format!("ring#{number}").into(),
            description: told.into(),
            size: server
                .log_bufsize
                .map_or(BUFFER_BYTES, |bytes| bytes as usize),
            maxlen: len.map_or(LOG_LINE_BYTES, |bytes| bytes as usize),
            framing: None,
            connect_ms: Some(IMPLICIT_RING_TIMEOUT_MS),
            server_ms: Some(IMPLICIT_RING_TIMEOUT_MS),
            servers: vec![ring_server(server)],
        });
        self.rings.len() - 1
    }

    /// The ring in front of a server of a log backend; datagrams need none.
    pub(super) fn server_ring(&mut self, line: &Server, section: &Proxy) -> Option<usize> {
        if section.mode != Mode::Log || line.written.starts_with("udp") {
            return None;
        }
        let told = format!("created for server '{}/{}'", section.name, line.name);
        Some(self.implicit_ring(&told, line, None))
    }

    pub(super) fn log(&mut self, section: &Proxy, compiler: &mut Compiler<'_>) -> LogSink {
        let logging = &section.logging;
        let mut targets = Vec::new();
        for target in &logging.targets {
            targets.push(self.log_target(target, compiler));
        }
        compiler.point = Point::Log;
        compiler.at = section.at;
        let built_in = |text: &str| cfgparse::expr::format::built_in(text);
        let format = match &logging.format {
            Written::Default => None,
            Written::Tcp => built_in(TCP_LOG_FORMAT),
            Written::TcpClf => built_in(TCP_CLF_LOG_FORMAT),
            Written::Json if section.mode == Mode::Http => built_in(JSON_HTTP_LOG_FORMAT),
            Written::Json => built_in(JSON_TCP_LOG_FORMAT),
            Written::Http => built_in(HTTP_LOG_FORMAT),
            Written::HttpClf => built_in(CLF_LOG_FORMAT),
            Written::Https => built_in(HTTPS_LOG_FORMAT),
            Written::Custom(format) => Some(format.clone()),
        };
        let mut compile = |format: Option<&LogFormat>| {
            let compiled = Format::compile(format?, compiler);
            self.note(compiled).map(Arc::new)
        };
        let format = compile(format.as_ref());
        let error_format = compile(logging.error_format.as_ref());
        let structured_data = compile(logging.format_sd.as_ref());
        LogSink {
            targets: targets.into(),
            counts: format.as_ref().is_some_and(|format| format.uses("lc")),
            format,
            error_format,
            structured_data,
            profiles: self.profiles(&logging.targets, compiler),
            steps: Steps::new(&logging.steps),
            http: section.mode == Mode::Http,
            tag: logging.tag.as_deref().map(Into::into),
            dontlognull: logging.dontlognull,
            dontlog_normal: logging.dontlog_normal,
            separate_errors: logging.log_separate_errors,
            asap: logging.logasap,
        }
    }
}

impl Context<'_> {
    fn profiles(
        &mut self,
        targets: &[Line],
        compiler: &mut Compiler<'_>,
    ) -> Box<[Option<Profile>]> {
        if targets.iter().all(|target| target.profile.is_none()) {
            return Box::default();
        }
        let mut profiles = Vec::with_capacity(targets.len());
        for target in targets {
            let section = target.profile.as_deref();
            let section = section.and_then(|name| compiler.names.log_profile(name));
            let profile = section.map(|section| Profile::compile(&section, compiler));
            profiles.push(profile.and_then(|profile| self.note(profile)));
        }
        profiles.into()
    }
}

/// The server that a `log tcp@...` line stands for.
fn stream_server(address: &Addr, port: u16) -> Server {
    Server {
        address: address.clone(),
        port: Port::Fixed(port),
        ..Server::new("log")
    }
}
