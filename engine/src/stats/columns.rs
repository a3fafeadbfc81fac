//! The columns of `show stat`: names, order and emptiness as in management.txt 9.1.

use super::counter::GaugeTotal;
use super::counters::{BackTotal, FrontTotal, H1Total, seconds_since};
use super::rate::RateTotal;
use super::row::{Object, Row};
use super::value::{Tags, Value};

/// One column.
#[derive(Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    /// How to aggregate it; servers and backends differ in three columns, see [`Column::tags`].
    tags: &'static str,
    /// What it says.
    pub doc: &'static str,
    /// The cell of a row; [`Value::Empty`] where it does not apply.
    pub read: for<'a> fn(&Row<'a>) -> Value<'a>,
}

impl Column {
    /// How to aggregate the cell of this row.
    pub fn tags(&self, row: &Row<'_>) -> Tags {
        Tags(match (self.name, row.object) {
            ("act" | "bck", Object::Server(_)) => "SGPV",
            ("rate_max", Object::Backend(_)) => "MGPV",
            _ => self.tags,
        })
    }
}

/// Every column after another: the 119 of the manual, then ours.
pub fn columns() -> impl Iterator<Item = &'static Column> {
    STATIC_COLUMNS.iter().chain(EXTRA_COLUMNS)
}

const fn column(
    name: &'static str,
    tags: &'static str,
    doc: &'static str,
    read: for<'a> fn(&Row<'a>) -> Value<'a>,
) -> Column {
    Column {
        name,
        tags,
        doc,
        read,
    }
}

fn u32(number: Option<impl Into<u64>>) -> Value<'static> {
    number.map_or(Value::Empty, |number| Value::u32(number.into()))
}

fn u64(number: Option<u64>) -> Value<'static> {
    number.map_or(Value::Empty, Value::U64)
}

fn text(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Empty, Value::text)
}

/// A limit that is shown only when it is set.
fn limit(number: u32) -> Option<u32> {
    (number > 0).then_some(number)
}

fn h1<'a>(row: &Row<'a>) -> Option<&'a H1Total> {
    match row.object {
        Object::Frontend(front) => Some(&front.total.h1),
        Object::Backend(back) => Some(&back.total.h1),
        _ => None,
    }
}

fn percentile(row: &Row<'_>, quantile: f64) -> Value<'static> {
    let histogram = row
        .service()
        .and_then(|service| service.latency.histogram_us());
    u64(histogram.map(|histogram| histogram.value_at_quantile(quantile)))
}

/// Columns 0 to 118: hard-coded positions in many tools.
#[rustfmt::skip]
pub static STATIC_COLUMNS: &[Column] = &[
    column("pxname", "KNSV", "proxy name", |r| Value::text(&r.proxy.name)),
    column("svname", "KNSV", "server or listener name, FRONTEND, BACKEND", |r| Value::text(r.name())),
    column("qcur", "MGPV", "requests now in the queue", |r| match r.object {
        Object::Server(server) => u32(Some(server.queued)),
        Object::Backend(back) => u32(Some(back.queued)),
        _ => Value::Empty,
    }),
    column("qmax", "MMPV", "highest qcur", |r| match r.object {
        Object::Server(server) => u32(Some(server.queued_max)),
        Object::Backend(back) => u32(Some(back.queued_max)),
        _ => Value::Empty,
    }),
    column("scur", "MGPV", "open sessions", |r| Value::u32(open(r).now)),
    column("smax", "MMPV", "highest scur", |r| Value::u32(open(r).max)),
    column("slim", "CLPV", "configured limit of sessions", |r| u32(match r.object {
        Object::Frontend(front) => Some(front.limit),
        Object::Listener(listener) => Some(listener.limit),
        Object::Server(server) => limit(server.limit),
        Object::Backend(back) => Some(back.limit),
    })),
    column("stot", "MCPP", "sessions", |r| Value::U64(match r.object {
        Object::Frontend(front) => front.total.sessions.total,
        Object::Listener(listener) => listener.total.sessions,
        Object::Server(server) => server.total.sessions.total,
        Object::Backend(back) => back.total.service.sessions.total,
    })),
    column("bin", "MCPP", "request bytes received", |r| Value::U64(r.bytes().request_in)),
    column("bout", "MCPP", "response bytes received", |r| Value::U64(r.bytes().response_in)),
    column("dreq", "MCPP", "requests denied by rules", |r| u64(match r.object {
        Object::Frontend(front) => Some(front.total.denied_requests),
        Object::Listener(listener) => Some(listener.total.denied_requests),
        Object::Server(_) => None,
        Object::Backend(back) => Some(back.total.denied_requests),
    })),
    column("dresp", "MCPP", "responses denied by rules", |r| Value::U64(match r.object {
        Object::Frontend(front) => front.total.denied_responses,
        Object::Listener(listener) => listener.total.denied_responses,
        Object::Server(server) => server.total.denied_responses,
        Object::Backend(back) => back.total.service.denied_responses,
    })),
    column("ereq", "MCPP", "bad, aborted and late requests", |r| u64(match r.object {
        Object::Frontend(front) => Some(front.total.request_errors),
        Object::Listener(listener) => Some(listener.total.request_errors),
        _ => None,
    })),
    column("econ", "MCPP", "requests that found no connection", |r| u64(r.service().map(|s| s.connect_errors))),
    column("eresp", "MCPP", "failed responses", |r| u64(r.service().map(|s| s.response_errors))),
    column("wretr", "MCPP", "retries of a connection", |r| u64(r.service().map(|s| s.retries))),
    column("wredis", "MCPP", "requests moved to another server", |r| u64(r.service().map(|s| s.redispatches))),
    column("status", "SGPV", "state", |r| Value::text(match r.object {
        Object::Frontend(front) => front.status,
        Object::Listener(listener) => listener.status,
        Object::Server(server) => server.status.as_str(),
        Object::Backend(back) => back.status,
    })),
    column("weight", "MaPV", "effective weight", |r| u32(match r.object {
        Object::Server(server) => Some(server.weight),
        Object::Backend(back) => Some(back.weight),
        _ => None,
    })),
    column("act", "MGPV", "active servers, or 1 for an active server", |r| u32(match r.object {
        Object::Server(server) => Some(u32::from(!server.backup)),
        Object::Backend(back) => Some(back.active),
        _ => None,
    })),
    column("bck", "MGPV", "backup servers, or 1 for a backup server", |r| u32(match r.object {
        Object::Server(server) => Some(u32::from(server.backup)),
        Object::Backend(back) => Some(back.backup),
        _ => None,
    })),
    column("chkfail", "MCPP", "checks failed while up", |r| u64(r.check().map(|c| c.failed))),
    column("chkdown", "MCPP", "transitions to down", |r| u64(match r.object {
        Object::Server(server) if server.check.is_some() => Some(server.downs),
        Object::Backend(back) => Some(back.downs),
        _ => None,
    })),
    column("lastchg", "MAPP", "seconds since the last change of state", |r| u32(match r.object {
        Object::Server(server) => Some(server.last_change_s),
        Object::Backend(back) => Some(back.last_change_s),
        _ => None,
    })),
    column("downtime", "MCPV", "seconds down in all", |r| u32(match r.object {
        Object::Server(server) if server.check.is_some() => Some(server.downtime_s),
        Object::Backend(back) if back.has_servers => Some(back.downtime_s),
        _ => None,
    })),
    column("qlimit", "CGSV", "configured maxqueue", |r| u32(r.server().and_then(|s| limit(s.queue_limit)))),
    column("pid", "KGPV", "relative process number, always 1", |_| Value::U32(1)),
    column("iid", "KGSV", "proxy id", |r| Value::U32(r.proxy.id)),
    column("sid", "KGSV", "server or listener id", |r| Value::U32(r.id())),
    column("throttle", "MaPV", "per cent of slow start", |r| u32(r.server().and_then(|s| s.throttle_percent))),
    column("lbtot", "MCPP", "times that balancing chose it", |r| u64(r.service().map(|s| s.chosen))),
    column("tracked", "CNSV", "backend/server that it follows", |r| text(r.server().and_then(|s| s.tracked.as_deref()))),
    column("type", "CGSV", "0 frontend, 1 backend, 2 server, 3 listener", |r| Value::U32(match r.object {
        Object::Frontend(_) => 0,
        Object::Backend(_) => 1,
        Object::Server(_) => 2,
        Object::Listener(_) => 3,
    })),
    column("rate", "MRPP", "sessions over the last second", |r| u32(rate(r).map(|rate| rate.per_second))),
    column("rate_lim", "CLPV", "configured limit of sessions a second", |r| u32(r.front().map(|f| f.rate_limit))),
    column("rate_max", "MMPV", "highest rate", |r| u32(rate(r).map(|rate| rate.max))),
    column("check_status", "MOPV", "result of the last check", |r| text(r.check_result().map(|c| c.status.as_str()))),
    column("check_code", "MOPV", "status code that the last check met", |r| u32(r.check_result().and_then(|c| c.code))),
    column("check_duration", "MDPV", "ms that the last check took", |r| u64(r.check_result().and_then(|c| c.duration_ms))),
    column("hrsp_1xx", "MCPP", "interim responses", |r| u64(r.responses().map(|c| c.informational))),
    column("hrsp_2xx", "MCPP", "responses 200 to 299", |r| u64(r.responses().map(|c| c.success))),
    column("hrsp_3xx", "MCPP", "responses 300 to 399", |r| u64(r.responses().map(|c| c.redirection))),
    column("hrsp_4xx", "MCPP", "responses 400 to 499", |r| u64(r.responses().map(|c| c.client_error))),
    column("hrsp_5xx", "MCPP", "responses 500 to 599", |r| u64(r.responses().map(|c| c.server_error))),
    column("hrsp_other", "MCPP", "other responses", |r| u64(r.responses().map(|c| c.other))),
    column("hanafail", "MCPP", "failures seen in traffic (observe)", |r| u64(r.server().and_then(|s| s.observed_failures))),
    column("req_rate", "MRPP", "HTTP requests over the last second", |r| u32(requests(r).map(|rate| rate.per_second))),
    column("req_rate_max", "MMPV", "highest req_rate", |r| u32(requests(r).map(|rate| rate.max))),
    column("req_tot", "MCPP", "HTTP requests", |r| u64(match r.object {
        Object::Frontend(front) => Some(front.total.requests.total),
        _ if !r.http() => None,
        _ => r.service().map(|service| service.requests),
    })),
    column("cli_abrt", "MCPP", "transfers cut by the client", |r| u64(r.service().map(|s| s.client_aborts))),
    column("srv_abrt", "MCPP", "transfers cut by the server", |r| u64(r.service().map(|s| s.server_aborts))),
    column("comp_in", "MCPP", "bytes into the compressor", |r| u64(both(r, |f| f.compressor_in, |b| b.compressor_in))),
    column("comp_out", "MCPP", "bytes out of the compressor", |r| u64(both(r, |f| f.compressor_out, |b| b.compressor_out))),
    column("comp_byp", "MCPP", "bytes around the compressor", |r| u64(both(r, |f| f.compressor_bypass, |b| b.compressor_bypass))),
    column("comp_rsp", "MCPP", "compressed responses", |r| u64(both(r, |f| f.compressed_responses, |b| b.compressed_responses))),
    column("lastsess", "MAPP", "seconds since the last session, -1 before it", |r| match r.service() {
        Some(service) => Value::S32(
            seconds_since(service.last_session, r.process.now_ms).map_or(-1, |age| age as i32),
        ),
        None => Value::Empty,
    }),
    column("last_chk", "MOPV", "what the last check received, or its error", |r| text(r.check_result().map(|c| c.last.as_str()))),
    column("last_agt", "MOPV", "what the agent said, or the error", |r| text(r.agent().map(|c| c.last.as_str()))),
    column("qtime", "MaPV", "average ms in the queue, last 1024 requests", |r| u32(r.service().map(|s| s.queue_time.average()))),
    column("ctime", "MaPV", "average ms to connect, last 1024 requests", |r| u32(r.service().map(|s| s.connect_time.average()))),
    column("rtime", "MaPV", "average ms to respond, last 1024 requests", |r| u32(r.service().map(|s| s.response_time.average()))),
    column("ttime", "MaPV", "average ms in all, last 1024 requests", |r| u32(r.service().map(|s| s.total_time.average()))),
    column("agent_status", "MOPV", "result of the last agent check", |r| text(r.agent().map(|c| c.status.as_str()))),
    column("agent_code", "MOPV", "code of the last agent check", |r| u32(r.agent().and_then(|c| c.code))),
    column("agent_duration", "MDPV", "ms that the last agent check took", |r| u64(r.agent().and_then(|c| c.duration_ms))),
    column("check_desc", "MOPV", "check_status in words", |r| text(r.check_result().map(|c| c.description.as_str()))),
    column("agent_desc", "MOPV", "agent_status in words", |r| text(r.agent().map(|c| c.description.as_str()))),
    column("check_rise", "CGSV", "configured rise", |r| u32(r.check_result().map(|c| c.rise))),
    column("check_fall", "CGSV", "configured fall", |r| u32(r.check_result().map(|c| c.fall))),
    column("check_health", "CGSV", "0 to rise + fall - 1", |r| u32(r.check_result().map(|c| c.health))),
    column("agent_rise", "CGSV", "rise of the agent", |r| u32(r.agent().map(|c| c.rise))),
    column("agent_fall", "CGSV", "fall of the agent", |r| u32(r.agent().map(|c| c.fall))),
    column("agent_health", "CGSV", "0 to rise + fall - 1 of the agent", |r| u32(r.agent().map(|c| c.health))),
    column("addr", "CGSV", "address:port, or unix", |r| match r.object {
        Object::Listener(listener) => Value::text(&listener.address),
        Object::Server(server) => Value::text(&server.address),
        _ => Value::Empty,
    }),
    column("cookie", "CNSV", "the server's cookie, or the backend's cookie name", |r| text(match r.object {
        Object::Server(server) => server.cookie.as_deref(),
        Object::Backend(back) => back.cookie.as_deref(),
        _ => None,
    })),
    column("mode", "CGSV", "proxy mode", |r| Value::text(if r.http() { "http" } else { "tcp" })),
    column("algo", "CGSV", "balance algorithm", |r| text(r.back().map(|b| b.algorithm.as_str()))),
    column("conn_rate", "MRPP", "connections over the last second", |r| u32(r.front().map(|f| f.total.connections.per_second))),
    column("conn_rate_max", "MMPV", "highest conn_rate", |r| u32(r.front().map(|f| f.total.connections.max))),
    column("conn_tot", "MCPP", "connections", |r| u64(match r.object {
        Object::Frontend(front) => Some(front.total.connections.total),
        Object::Listener(listener) => Some(listener.total.connections),
        _ => None,
    })),
    column("intercepted", "MCPP", "requests answered here", |r| u64(r.front().filter(|_| r.http()).map(|f| f.total.intercepted))),
    column("dcon", "MCPP", "connections denied by rules", |r| u64(match r.object {
        Object::Frontend(front) => Some(front.total.denied_connections),
        Object::Listener(listener) => Some(listener.total.denied_connections),
        _ => None,
    })),
    column("dses", "MCPP", "sessions denied by rules", |r| u64(match r.object {
        Object::Frontend(front) => Some(front.total.denied_sessions),
        Object::Listener(listener) => Some(listener.total.denied_sessions),
        _ => None,
    })),
    column("wrew", "MCPP", "header edits that failed", |r| Value::U64(match r.object {
        Object::Frontend(front) => front.total.failed_rewrites,
        Object::Listener(listener) => listener.total.failed_rewrites,
        Object::Server(server) => server.total.failed_rewrites,
        Object::Backend(back) => back.total.service.failed_rewrites,
    })),
    column("connect", "MCPP", "connections opened", |r| u64(r.service().map(|s| s.connects))),
    column("reuse", "MCPP", "connections used again", |r| u64(r.service().map(|s| s.reuses))),
    column("cache_lookups", "MCPP", "cache lookups", |r| u64(both(r, |f| f.cache_lookups, |b| b.cache_lookups).filter(|_| r.http()))),
    column("cache_hits", "MCPP", "cache hits", |r| u64(both(r, |f| f.cache_hits, |b| b.cache_hits).filter(|_| r.http()))),
    column("srv_icur", "MGPV", "idle connections", |r| u32(r.server().map(|s| s.idle.idle))),
    column("src_ilim", "CLPV", "limit of idle connections", |r| u32(r.server().and_then(|s| s.idle.limit))),
    column("qtime_max", "MMPV", "highest ms in the queue", |r| u32(r.service().map(|s| s.queue_time.max))),
    column("ctime_max", "MMPV", "highest ms to connect", |r| u32(r.service().map(|s| s.connect_time.max))),
    column("rtime_max", "MMPV", "highest ms to respond", |r| u32(r.service().map(|s| s.response_time.max))),
    column("ttime_max", "MMPV", "highest ms in all", |r| u32(r.service().map(|s| s.total_time.max))),
    column("eint", "MCPP", "internal errors", |r| Value::U64(match r.object {
        Object::Frontend(front) => front.total.internal_errors,
        Object::Listener(listener) => listener.total.internal_errors,
        Object::Server(server) => server.total.internal_errors,
        Object::Backend(back) => back.total.service.internal_errors,
    })),
    column("idle_conn_cur", "MGPV", "idle connections that are not safe to share", |r| u32(r.server().map(|s| s.idle.unsafe_idle))),
    column("safe_conn_cur", "MGPV", "idle connections that are safe to share", |r| u32(r.server().map(|s| s.idle.safe_idle))),
    column("used_conn_cur", "MGPV", "connections in use", |r| u32(r.server().map(|s| s.idle.used))),
    column("need_conn_est", "MGPV", "connections that the load needs", |r| u32(r.server().map(|s| s.idle.estimated_need))),
    column("uweight", "MaPV", "weight that the user set", |r| u32(match r.object {
        Object::Server(server) => Some(server.user_weight),
        Object::Backend(back) => Some(back.user_weight),
        _ => None,
    })),
    column("agg_server_status", "MGPV", "filled in by the Prometheus exporter", |r| u32(r.back().map(|_| 0u32))),
    column("agg_server_check_status", "MGPV", "deprecated", |r| u32(r.back().map(|_| 0u32))),
    column("agg_check_status", "MGPV", "filled in by the Prometheus exporter", |r| u32(r.back().map(|_| 0u32))),
    column("srid", "MCPV", "revision of the server's slot", |r| u32(r.server().map(|s| s.revision))),
    column("sess_other", "MCPV", "sessions that are not HTTP", |r| u64(r.front().map(|f| f.total.other_sessions))),
    column("h1sess", "MCPP", "HTTP/1 sessions", |r| u64(r.front().map(|f| f.total.h1_sessions))),
    column("h2sess", "MCPP", "HTTP/2 sessions", |r| u64(r.front().map(|f| f.total.h2_sessions))),
    column("h3sess", "MCPP", "HTTP/3 sessions", |r| u64(r.front().map(|f| f.total.h3_sessions))),
    column("req_other", "MCPP", "requests that are not HTTP", |r| u64(r.front().map(|f| f.total.other_requests))),
    column("h1req", "MCPP", "HTTP/1 requests", |r| u64(r.front().map(|f| f.total.h1_requests))),
    column("h2req", "MCPP", "HTTP/2 requests", |r| u64(r.front().map(|f| f.total.h2_requests))),
    column("h3req", "MCPP", "HTTP/3 requests", |r| u64(r.front().map(|f| f.total.h3_requests))),
    column("proto", "SGPV", "protocol of the listener", |r| text(r.listener().map(|l| l.protocol))),
    column("priv_idle_cur", "MGPV", "private idle connections", |r| u32(r.server().map(|s| s.idle.private_idle))),
    column("reqbin", "MCPP", "request bytes received", |r| Value::U64(r.bytes().request_in)),
    column("reqbout", "MCPP", "request bytes sent", |r| Value::U64(r.bytes().request_out)),
    column("resbin", "MCPP", "response bytes received", |r| Value::U64(r.bytes().response_in)),
    column("resbout", "MCPP", "response bytes sent", |r| Value::U64(r.bytes().response_out)),
    column("cache_hint_hits", "MCPP", "cache hits that sent early hints", |r| u64(both(r, |_| 0, |_| 0).filter(|_| r.http()))),
];

/// Columns behind `-`, whose presence and order nobody may rely on.
#[rustfmt::skip]
pub static EXTRA_COLUMNS: &[Column] = &[
    column("ssl_sess", "MCPV", "TLS handshakes", |r| Value::U64(tls(r)[0])),
    column("ssl_reused_sess", "MCPV", "TLS handshakes that were resumed", |r| Value::U64(tls(r)[1])),
    column("ssl_failed_handshake", "MCPV", "failed TLS handshakes", |r| Value::U64(tls(r)[2])),
    column("h1_open_connections", "MGPV", "open HTTP/1 connections", |r| u64(h1(r).map(|h1| h1.open_connections.now))),
    column("h1_open_streams", "MGPV", "open HTTP/1 streams", |r| u64(h1(r).map(|h1| h1.open_streams.now))),
    column("h1_total_connections", "MCPV", "HTTP/1 connections", |r| u64(h1(r).map(|h1| h1.connections))),
    column("h1_total_streams", "MCPV", "HTTP/1 streams", |r| u64(h1(r).map(|h1| h1.streams))),
    column("h1_bytes_in", "MCPV", "bytes received over HTTP/1", |r| u64(h1(r).map(|h1| h1.bytes_in))),
    column("h1_bytes_out", "MCPV", "bytes sent over HTTP/1", |r| u64(h1(r).map(|h1| h1.bytes_out))),
    column("h1_spliced_bytes_in", "MCPV", "bytes received through a pipe", |r| u64(h1(r).map(|h1| h1.spliced_in))),
    column("h1_spliced_bytes_out", "MCPV", "bytes sent through a pipe", |r| u64(h1(r).map(|h1| h1.spliced_out))),
    column("latency_p50_us", "MaPV", "response time that half of the requests stay below", |r| percentile(r, 0.5)),
    column("latency_p90_us", "MaPV", "response time, 90 %", |r| percentile(r, 0.9)),
    column("latency_p99_us", "MaPV", "response time, 99 %", |r| percentile(r, 0.99)),
    column("latency_p999_us", "MaPV", "response time, 99.9 %", |r| percentile(r, 0.999)),
];

fn open(row: &Row<'_>) -> GaugeTotal {
    match row.object {
        Object::Frontend(front) => front.total.open,
        Object::Listener(listener) => listener.total.open,
        Object::Server(server) => server.total.open,
        Object::Backend(back) => back.total.service.open,
    }
}

fn rate(row: &Row<'_>) -> Option<RateTotal> {
    match row.object {
        Object::Frontend(front) => Some(front.total.sessions),
        _ => row.service().map(|service| service.sessions),
    }
}

fn requests(row: &Row<'_>) -> Option<RateTotal> {
    row.front().map(|front| front.total.requests)
}

fn both(row: &Row<'_>, front: fn(&FrontTotal) -> u64, back: fn(&BackTotal) -> u64) -> Option<u64> {
    match row.object {
        Object::Frontend(facts) => Some(front(&facts.total)),
        Object::Backend(facts) => Some(back(&facts.total)),
        _ => None,
    }
}

fn tls(row: &Row<'_>) -> [u64; 3] {
    match row.object {
        Object::Frontend(front) => {
            let total = &front.total;
            [
                total.tls_sessions,
                total.tls_resumed_sessions,
                total.tls_failed_handshakes,
            ]
        }
        Object::Listener(listener) => {
            let total = &listener.total;
            [
                total.tls_sessions,
                total.tls_resumed_sessions,
                total.tls_failed_handshakes,
            ]
        }
        Object::Server(server) => {
            let total = &server.total;
            [
                total.tls_sessions,
                total.tls_resumed_sessions,
                total.tls_failed_handshakes,
            ]
        }
        Object::Backend(back) => {
            let total = &back.total.service;
            [
                total.tls_sessions,
                total.tls_resumed_sessions,
                total.tls_failed_handshakes,
            ]
        }
    }
}
