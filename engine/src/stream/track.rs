//! What is counted under the keys that a connection and its streams track (manual, 11.1).

use super::{Client, Fault, Stream};
use crate::log::Cause;
use crate::table::{Data, Slot, effective, event};

/// The connection has become a session.
pub fn session_begins(client: &Client, now_ms: u64) {
    for tracked in client.facts.tracked.all() {
        tracked.add(event::SESSION, now_ms);
    }
}

/// The connection is over: what its session tracked has been used until now.
pub fn session_ends(client: &mut Client, now_ms: u64) {
    client.facts.tracked.end(now_ms);
}

/// A request's head is complete; keys that rules track from here on count it themselves.
pub fn request(stream: &Stream<'_>) {
    count(stream, event::REQUEST);
}

/// A request never became whole: one all the same, and an error if it was wrong.
pub fn broken_request(stream: &Stream<'_>, fault: Fault) {
    count(stream, event::REQUEST);
    if fault.cause == Cause::Proxy {
        count(stream, event::ERROR);
    }
}

/// A rule denied the request.
pub fn denied(stream: &Stream<'_>) {
    count(stream, event::ERROR);
}

/// A server has answered (manual, 3.1, `http-err-codes` and `http-fail-codes`).
pub fn response(stream: &Stream<'_>) {
    let status = stream.exchange.response.status();
    let process = &stream.generation.plan().process;
    if process.err_statuses.has(status) {
        count(stream, event::ERROR);
    }
    if process.fail_statuses.has(status) {
        count(stream, event::FAILURE);
    }
}

/// The exchange is over: its bytes are counted, those of responses made here not (manual, 11.1:
/// "measured when the data enter haproxy").
pub fn exchange_ends(stream: &mut Stream<'_>) {
    let facts = &stream.exchange.facts;
    if !(facts.tracked.is_empty() && stream.client.facts.tracked.is_empty()) {
        let from_server = facts.server_status > 0 || !stream.is_http();
        let bytes_out = if from_server { facts.bytes_out } else { 0 };
        let bytes = [
            (Slot::of(Data::BytesInCnt), facts.bytes_in),
            (Slot::of(Data::BytesInRate), facts.bytes_in),
            (Slot::of(Data::BytesOutCnt), bytes_out),
            (Slot::of(Data::BytesOutRate), bytes_out),
        ];
        count(stream, &bytes);
    }
    let now_ms = stream.local.core.now_ms();
    stream.exchange.facts.tracked.end(now_ms);
}

fn count(stream: &Stream<'_>, changes: &[(Slot, u64)]) {
    let now_ms = stream.local.core.now_ms();
    let (session, own) = (&stream.client.facts.tracked, &stream.exchange.facts.tracked);
    for tracked in effective(session, own) {
        tracked.add(changes, now_ms);
    }
}
