//! The one place where a fault becomes what the client is told.

use super::{Fault, Next, Stream, reply};
use crate::log::Phase;

/// Ends the exchange with `fault`: an error page if the client can still be told, else a cut.
pub fn answer(stream: &mut Stream<'_>, fault: Fault) -> Next {
    stream
        .exchange
        .facts
        .termination
        .end(fault.cause, fault.phase);
    count(stream, fault);
    if fault.is_untold && (fault.is_order() || !stream.exchange.response_begun) {
        stream.exchange.facts.status = i32::from(fault.status);
        return Next::Close;
    }
    if fault.status == 0 || stream.exchange.response_begun || !stream.is_http() {
        if !stream.exchange.response_begun {
            stream.exchange.facts.status = -1;
        }
        // What has been passed on still arrives; the end before its time tells that it is not all.
        // What a client does not take is not kept for it.
        if fault.is_clients() && stream.client.link.unsent() > 0 {
            stream.client.link.abort();
        }
        return Next::Close;
    }
    if stream.exchange.facts.request_line.is_empty() {
        return reply::refuse(stream, fault.status);
    }
    reply::error(stream, fault.status)
}

fn count(stream: &Stream<'_>, fault: Fault) {
    let front = stream.generation.stats.front(stream.client.frontend);
    if fault.phase == Phase::Request {
        front.request_errors.inc();
        stream.count_on_listener(|listener| listener.request_errors.inc());
    }
}
