//! The end of an exchange: times, counters, the log line.

use super::relay::Flows;
use super::{Stream, journal, track};
use crate::log::{Cause, Phase};
use crate::plan::ProxyId;
use crate::sample::ConnectionCounts;
use crate::stats::{Bytes, ServiceCounters};

/// Counts a request, also one that will turn out to be none: HAProxy counts streams.
pub fn request_begins(stream: &Stream<'_>) {
    let now_ms = stream.local.core.now_ms();
    let stats = &stream.generation.stats;
    let front = stats.front(stream.client.frontend);
    front.requests.hit(now_ms);
    front.h1_requests.inc();
    front.h1.streams.inc();
    stats.process.requests.inc();
}

/// Counts everything about the exchange and writes its log line.
pub fn record(stream: &mut Stream<'_>) {
    // The line tells how many others there are.
    stream.leave_all();
    let client = measure(stream);
    count(stream, client);
    journal::write(stream, client.request);
    track::exchange_ends(stream);
    stream.exchange.server_socket = None;
}

/// Bytes that passed on the client's side during the exchange.
#[derive(Clone, Copy)]
pub struct Passed {
    pub request: u64,
    pub response: u64,
}

/// Brings times, sizes and counts up to date.
pub fn measure(stream: &mut Stream<'_>) -> Passed {
    let now_us = stream.local.core.now_us();
    let marks = stream.exchange.marks;
    let is_http = stream.is_http();
    let facts = &mut stream.exchange.facts;
    facts.timers = marks.timers(now_us);
    let (received, sent) = stream.client.link.passed();
    // What waits for the next request is not this one's.
    let queued = if is_http && marks.request_us > 0 {
        stream.client.link.queued() as u64
    } else {
        0
    };
    let sent = sent + stream.client.link.unsent() as u64;
    let passed = Passed {
        request: (received - queued).saturating_sub(marks.received_before),
        response: sent.saturating_sub(marks.sent_before),
    };
    // Nothing counts as received of a request that was never understood.
    facts.bytes_in = if is_http && facts.request_line.is_empty() {
        0
    } else {
        passed.request
    };
    if facts.answered_by.is_some() {
        facts.bytes_out = passed.response;
    }
    let counters = &stream.generation.stats;
    facts.connections = ConnectionCounts {
        process: counters.process.open.everywhere() as u32,
        frontend: counters.front(stream.client.frontend).open.everywhere() as u32,
        backend: facts
            .backend
            .map_or(0, |b| counters.back(b).service.open.everywhere() as u32),
        server: facts
            .server
            .map_or(0, |s| counters.server(s).open.everywhere() as u32),
    };
    passed
}

/// Bytes in the four places where they are counted.
struct Tally {
    client: Passed,
    /// Sent to a server.
    forwarded: u64,
    /// Received from one: what was made here is only sent (manual, 8.2.4 `%B`).
    received: u64,
}

impl Tally {
    fn add_to(&self, bytes: &Bytes) {
        bytes.request_in.add(self.client.request);
        bytes.request_out.add(self.forwarded);
        bytes.response_in.add(self.received);
        bytes.response_out.add(self.client.response);
    }
}

fn count(stream: &mut Stream<'_>, client: Passed) {
    let facts = &stream.exchange.facts;
    let stats = &stream.generation.stats;
    let is_connected = facts.timers.connect_ms >= 0;
    let tally = Tally {
        client,
        forwarded: if is_connected { client.request } else { 0 },
        received: facts.bytes_out,
    };
    tally.add_to(&stats.front(stream.client.frontend).bytes);
    stream.count_on_listener(|listener| tally.add_to(&listener.bytes));
    stats.process.bytes_out.add(client.response);
    if stream.is_http() {
        count_http(stream, &tally);
    }
    let back = facts.backend.map(|backend| &stats.back(backend).service);
    let server = facts.server.map(|server| stats.server(server));
    let termination = &facts.termination;
    if let (Some(back), Cause::ServerTimeout, Phase::Queue) =
        (back, termination.cause, termination.phase)
    {
        back.connect_errors.inc();
    }
    for service in [back, server].into_iter().flatten() {
        tally.add_to(&service.bytes);
        count_end(stream, service);
        if is_connected {
            record_times(stream, service);
        }
    }
}

/// Responses, and HTTP/1 on both sides.
fn count_http(stream: &Stream<'_>, tally: &Tally) {
    let facts = &stream.exchange.facts;
    let stats = &stream.generation.stats;
    let status = u16::try_from(facts.status).unwrap_or(0);
    let front = stats.front(stream.client.frontend);
    front.responses.count(status);
    front.h1.bytes_in.add(tally.client.request);
    front.h1.bytes_out.add(tally.client.response);
    // A server's are those that it has answered, the backend's all that there were.
    if let Some(server) = facts.server.filter(|_| facts.timers.response_ms >= 0) {
        let server = stats.server(server);
        server.responses.count(status);
        server.requests.inc();
    }
    let Some(backend) = facts.backend else { return };
    let back = stats.back(backend);
    back.service.responses.count(status);
    if facts.timers.connect_ms >= 0 {
        back.h1.streams.inc();
        back.h1.bytes_in.add(tally.received);
        back.h1.bytes_out.add(tally.forwarded);
    }
}

/// How it ended, where that is an error.
fn count_end(stream: &Stream<'_>, service: &ServiceCounters) {
    let facts = &stream.exchange.facts;
    let is_connected = facts.timers.connect_ms >= 0;
    let has_response = facts.timers.response_ms >= 0;
    match facts.termination.cause {
        Cause::ClientAbort | Cause::ClientTimeout => service.client_aborts.inc(),
        Cause::ServerAbort | Cause::ServerTimeout if is_connected => {
            if stream.is_http() {
                service.response_errors.inc();
            }
            if has_response {
                service.server_aborts.inc();
            }
        }
        // What came was no response.
        Cause::Proxy if facts.status == 502 && is_connected && !has_response => {
            service.response_errors.inc();
        }
        _ => {}
    }
}

fn record_times(stream: &Stream<'_>, service: &ServiceCounters) {
    let timers = stream.exchange.facts.timers;
    let total_us = stream
        .local
        .core
        .now_us()
        .saturating_sub(stream.exchange.marks.first_byte_us);
    service.queue_time.record(timers.queue_ms.max(0) as u64);
    service.connect_time.record(timers.connect_ms.max(0) as u64);
    service
        .response_time
        .record(timers.response_ms.max(0) as u64);
    service
        .total_time
        .record(timers.active_ms(stream.client.facts.handshake_ms).max(0) as u64);
    service.latency.record_us(total_us);
}

/// Counts what the kernel moved by itself.
pub fn count_spliced(stream: &Stream<'_>, backend: ProxyId, flows: &Flows) {
    let (up, down) = (flows.up.spliced_bytes, flows.down.spliced_bytes);
    if up == 0 && down == 0 {
        return;
    }
    let stats = &stream.generation.stats;
    let (front, back) = (stats.front(stream.client.frontend), stats.back(backend));
    front.h1.spliced_in.add(up);
    back.h1.spliced_out.add(up);
    back.h1.spliced_in.add(down);
    front.h1.spliced_out.add(down);
    stats.process.bytes_spliced.add(up + down);
}
