//! A `frontend`, `backend` or `listen` section, as the data path needs it.

use std::sync::Arc;

use cfgparse::model::proxy::{HttpConnection, HttpReuse, Keepalive, Mode, RestrictNames};
use ipnet::IpNet;
use wire::h1::NameCase;

use super::{Backend, ErrorPages, ListenerId, LogSink, ProxyId};
use crate::log::Format;
use crate::rules::{Condition, Ruleset};
use crate::sample::Expr;
use crate::sample::{CaptureCounts, CaptureStore};

/// One proxy.
#[derive(Debug)]
pub struct Proxy {
    pub id: ProxyId,
    pub name: Arc<str>,
    pub mode: Mode,
    /// `id`, or the position counted from 1 (and from 2 on where HAProxy counts so).
    pub number: u32,
    pub timeouts: Timeouts,
    pub rules: Rulesets,
    pub options: Options,
    pub log: LogSink,
    pub stats_page: Option<StatsPage>,
    pub error_pages: Arc<ErrorPages>,
    pub compression: Option<crate::compress::Compression>,
    pub frontend: Option<Frontend>,
    pub backend: Option<Backend>,
    /// The section as the configuration has it, for the stats page and the admin socket.
    pub section: Arc<cfgparse::model::Proxy>,
}

/// What only the client side of a proxy has.
#[derive(Debug)]
pub struct Frontend {
    pub listeners: Vec<ListenerId>,
    /// Connections at once; 0 is no limit of its own.
    pub maxconn: u32,
    /// In order; the first that applies wins.
    pub routes: Vec<Route>,
    pub default_backend: Option<RouteTarget>,
    pub monitor_uri: Option<Box<[u8]>>,
    pub monitor_fail: Vec<Condition>,
    pub unique_id: Option<Arc<Format>>,
    /// In lower case.
    pub unique_id_header: Option<Box<[u8]>>,
    pub request_captures: Box<[HeaderCapture]>,
    pub response_captures: Box<[HeaderCapture]>,
    pub cookie_capture: Option<CookieCapture>,
    /// All slots of captures, those of rules included.
    pub captures_declared: CaptureCounts,
}

impl Frontend {
    /// Keeps the last value of each field that is captured, cut to its length.
    pub fn capture(&self, fields: &[HeaderCapture], head: &wire::Head, into: &mut CaptureStore) {
        for field in fields {
            if let Some(value) = head.values(&field.name).last() {
                into.set(field.slot, &value[..value.len().min(field.bytes_max)]);
            }
        }
    }
}

/// A header that is kept for the log.
#[derive(Clone, Debug)]
pub struct HeaderCapture {
    pub slot: usize,
    /// In lower case.
    pub name: Box<[u8]>,
    pub bytes_max: usize,
}

/// The cookie that is kept for the log (manual, `capture cookie`).
#[derive(Clone, Debug)]
pub struct CookieCapture {
    /// What its name begins with; with an equals sign at the end, the whole name.
    pub begins: Box<[u8]>,
    pub bytes_max: usize,
}

impl CookieCapture {
    /// Keeps the first such cookie of these lines, name and value, cut to its length.
    pub fn take<'h>(
        &self,
        lines: impl Iterator<Item = &'h [u8]>,
        separator: Option<u8>,
        into: &mut Vec<u8>,
    ) {
        let found = lines
            .flat_map(|line| line.split(move |&byte| Some(byte) == separator))
            .map(<[u8]>::trim_ascii)
            .find(|cookie| cookie.starts_with(&self.begins));
        if let Some(cookie) = found {
            let end = memchr::memchr(b';', cookie).unwrap_or(cookie.len());
            into.clear();
            into.extend_from_slice(&cookie[..end.min(self.bytes_max)]);
        }
    }
}

/// `use_backend`.
#[derive(Debug)]
pub struct Route {
    pub condition: Option<Condition>,
    pub target: RouteTarget,
}

/// Where a route leads.
#[derive(Debug)]
pub enum RouteTarget {
    Backend(ProxyId),
    /// The name is known only with the request.
    Named(Format),
}

/// Milliseconds; `None` waits without end. Fallbacks of the manual are already applied.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timeouts {
    pub client_ms: Option<u64>,
    pub client_fin_ms: Option<u64>,
    pub client_hs_ms: Option<u64>,
    pub http_request_ms: Option<u64>,
    pub http_keep_alive_ms: Option<u64>,
    pub connect_ms: Option<u64>,
    pub queue_ms: Option<u64>,
    pub server_ms: Option<u64>,
    pub server_fin_ms: Option<u64>,
    pub tunnel_ms: Option<u64>,
    pub tarpit_ms: Option<u64>,
}

impl Timeouts {
    /// With the fallbacks of the manual: `http-request` and `http-keep-alive` to each other and to
    /// `client`, `queue` and `tarpit` to `connect`, `client-hs` to `client`.
    pub fn new(from: &cfgparse::model::Timeouts) -> Self {
        let ms = |value: Option<u32>| value.filter(|&ms| ms > 0).map(u64::from);
        let (client, connect) = (ms(from.client), ms(from.connect));
        let http_request = ms(from.http_request);
        Self {
            client_ms: client,
            client_fin_ms: ms(from.client_fin),
            client_hs_ms: ms(from.client_hs).or(client),
            http_request_ms: http_request.or(client),
            http_keep_alive_ms: ms(from.http_keep_alive).or(http_request).or(client),
            connect_ms: connect,
            queue_ms: ms(from.queue).or(connect),
            server_ms: ms(from.server),
            server_fin_ms: ms(from.server_fin),
            tunnel_ms: ms(from.tunnel),
            tarpit_ms: ms(from.tarpit).or(connect),
        }
    }
}

/// The rules of one proxy, compiled, each in the order of evaluation.
#[derive(Debug)]
pub struct Rulesets {
    pub connection: Ruleset,
    pub session: Ruleset,
    pub request_content: Ruleset,
    pub response_content: Ruleset,
    pub http_request: Ruleset,
    pub http_response: Ruleset,
    /// `redirect` lines, which run after `http-request`.
    pub redirects: Ruleset,
    pub http_after_response: Ruleset,
    pub request_inspect_delay_ms: Option<u64>,
    pub response_inspect_delay_ms: Option<u64>,
}

/// The options that change how messages pass.
#[derive(Clone, Debug)]
pub struct Options {
    pub connection: HttpConnection,
    /// `option forwardfor`.
    pub forwardfor: Option<AddressField>,
    /// `option originalto`.
    pub originalto: Option<AddressField>,
    /// `option forwarded`.
    pub forwarded: Option<Arc<Forwarded>>,
    pub reuse: HttpReuse,
    pub abort_on_close: bool,
    pub nolinger: bool,
    /// `option accept-unsafe-violations-in-http-request` and `-response`.
    pub lenient_request: bool,
    pub lenient_response: bool,
    /// `option http-pretend-keepalive`.
    pub pretend_keep_alive: bool,
    /// `option prefer-last-server`.
    pub prefers_last_server: bool,
    /// Probes of idle connections, where they are on (`option clitcpka`, `option srvtcpka`).
    pub client_probes: Option<Keepalive>,
    pub server_probes: Option<Keepalive>,
    /// `option http-buffer-request`.
    pub buffer_request: bool,
    pub ignore_probes: bool,
    /// `option h1-case-adjust-bogus-client` and `-server`.
    pub client_name_case: Option<Arc<NameCase>>,
    pub server_name_case: Option<Arc<NameCase>>,
    /// `option http-use-proxy-header`.
    pub proxy_header: bool,
    /// `option http-restrict-req-hdr-names`.
    pub restrict_names: RestrictNames,
    pub contstats: bool,
}

/// A field that tells a server one of the client connection's addresses.
#[derive(Clone, Debug)]
pub struct AddressField {
    /// In lower case.
    pub name: Box<[u8]>,
    /// Not for addresses in this network.
    pub except: Option<IpNet>,
    /// Only where the request has no such field yet.
    pub if_none: bool,
}

/// The statistics page of a proxy.
#[derive(Debug)]
pub struct StatsPage {
    pub uri: String,
    pub realm: String,
    pub settings: Arc<cfgparse::model::Stats>,
    pub admin: Vec<Condition>,
    pub rules: Ruleset,
}

/// What `option forwarded` tells of a request (RFC 7239).
#[derive(Debug)]
pub struct Forwarded {
    pub proto: bool,
    pub host: Option<Said>,
    pub by: Option<Said>,
    pub by_port: Option<Said>,
    pub r#for: Option<Said>,
    pub for_port: Option<Said>,
}

/// Where a part of it comes from.
#[derive(Debug)]
pub enum Said {
    Default,
    Expr(Expr),
}
