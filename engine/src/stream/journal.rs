//! The log lines of an exchange (manual, chapter 8).

use std::sync::atomic::Ordering;

use super::{Client, Stream, finish};
use crate::log::{Cause, Level, Phase, Purpose, write_connect_line, write_error_line};
use crate::logger::Line;
use crate::plan::LogSink;
use crate::rules::LogLevel;
use crate::sample::{ConnectionError, Cx, LogOrigin};
use crate::state::Generation;

/// Writes the line of a frontend without a format: it tells of the connection, so it is written as
/// soon as there is a request (manual, 8.2.1).
pub fn connected(stream: &mut Stream<'_>) {
    let sink = sink(stream.generation, stream.client);
    if !sink.is_on() || sink.format.is_some() {
        return;
    }
    let http = stream.is_http();
    let text = |cx: &Cx<'_>, out: &mut Vec<u8>| write_connect_line(cx, http, out);
    emit(stream, sink, Level::Info, text);
}

/// `option logasap`: writes the line as soon as the server has answered, or taken the connection
/// (manual, 8.3.2); `response_bytes` have come from it.
pub fn early(stream: &mut Stream<'_>, origin: LogOrigin, response_bytes: u64) {
    let sink = sink(stream.generation, stream.client);
    if !sink.asap || !sink.is_on() || stream.exchange.log_is_muted {
        return;
    }
    let received = finish::measure(stream).request;
    // Of the request nothing is told yet.
    stream.exchange.facts.bytes_in = 0;
    stream.exchange.facts.bytes_out = response_bytes;
    of_stream(stream, received, origin);
    stream.exchange.facts.bytes_out = 0;
    stream.exchange.log_is_muted = true;
}

/// Writes the line of an exchange that is over, if the frontend wants one; `received` bytes came
/// from the client.
pub fn write(stream: &mut Stream<'_>, received: u64) {
    let is_error = stream.is_http() && stream.exchange.marks.request_us == 0;
    let origin = if is_error {
        LogOrigin::SessionError
    } else {
        LogOrigin::Close
    };
    of_stream(stream, received, origin);
}

fn of_stream(stream: &mut Stream<'_>, received: u64, origin: LogOrigin) {
    let sink = sink(stream.generation, stream.client);
    if !sink.is_on() || stream.exchange.log_is_muted || !wants(stream, sink, received) {
        return;
    }
    let format = match (origin, &sink.error_format) {
        (LogOrigin::SessionError, Some(format)) => format,
        _ => match &sink.format {
            Some(format) => format,
            None => return,
        },
    };
    let level = match stream.exchange.overrides.log_level {
        Some(LogLevel::Silent) => return,
        Some(LogLevel::At(level)) => level,
        None if sink.separate_errors && is_error(stream) => Level::Err,
        None => Level::Info,
    };
    let facts = &mut stream.exchange.facts;
    facts.log_origin = origin;
    facts.log_is_early = sink.asap;
    if sink.counts {
        let counters = &stream.generation.runtime.log_counters;
        let counter = &counters[stream.client.frontend.index()];
        facts.log_counter = counter.fetch_add(1, Ordering::Relaxed);
    }
    emit(stream, sink, level, |cx, out| {
        format.render(cx, Purpose::Log, out);
    });
}

/// Writes the line of a connection that failed before its first stream (manual, 8.2.5).
pub fn write_refused(stream: &mut Stream<'_>) {
    let sink = sink(stream.generation, stream.client);
    let error = stream.client.facts.error;
    if !sink.is_on() || (sink.dontlognull && ConnectionError::is_silence(error)) {
        return;
    }
    let level = if sink.separate_errors {
        Level::Err
    } else {
        Level::Info
    };
    let clock = stream.local.clock();
    let lasted_us = clock
        .unix_us
        .saturating_sub(stream.client.facts.accepted_us);
    let facts = &mut stream.exchange.facts;
    facts.status = 0;
    facts.log_origin = LogOrigin::SessionKilled;
    facts.timers.total_ms = (lasted_us / 1000) as i32;
    facts.termination.end(Cause::Proxy, Phase::Request);
    let text = |cx: &Cx<'_>, out: &mut Vec<u8>| match &sink.error_format {
        Some(format) => format.render(cx, Purpose::Log, out),
        None => write_error_line(cx, ConnectionError::message(error), out),
    };
    emit(stream, sink, level, text);
}

/// Renders a line into the core's buffer and hands it to the logger.
fn emit(
    stream: &Stream<'_>,
    sink: &LogSink,
    level: Level,
    render: impl FnOnce(&Cx<'_>, &mut Vec<u8>),
) {
    let (local, plan) = (stream.local, stream.generation.plan());
    let mut text = local.take_scratch();
    text.clear();
    let mut structured_at = 0;
    stream.with_cx(|cx| {
        render(cx, &mut text);
        structured_at = text.len();
        if let Some(format) = &sink.structured_data {
            format.render(cx, Purpose::Log, &mut text);
        }
    });
    let (message, structured) = text.split_at(structured_at);
    let line = Line {
        level,
        clock: local.clock(),
        tag: sink.tag.as_deref().unwrap_or(&plan.process.log_tag),
        host: plan.process.log_host.as_deref(),
        structured: sink.structured_data.as_ref().map(|_| structured),
    };
    local.logger.write(&sink.targets, &line, message);
    local.keep_scratch(text);
}

fn sink<'g>(generation: &'g Generation, client: &Client) -> &'g LogSink {
    &generation.plan().proxy(client.frontend).log
}

/// Manual, `option dontlognull` and `option dontlog-normal`.
fn wants(stream: &Stream<'_>, sink: &LogSink, received: u64) -> bool {
    if sink.dontlognull && received == 0 {
        return false;
    }
    !sink.dontlog_normal || is_error(stream)
}

/// Whether something about the exchange is worth an operator's look (manual, `dontlog-normal`:
/// errors, timeouts, retries, redispatches, 5xx).
fn is_error(stream: &Stream<'_>) -> bool {
    let facts = &stream.exchange.facts;
    let ended_well = matches!(facts.termination.cause, Cause::Normal | Cause::Local);
    !ended_well || facts.retries > 0 || facts.redispatched || facts.status >= 500
}
