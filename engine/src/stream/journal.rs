//! The log line of an exchange (manual, chapter 8).

use super::Stream;
use crate::log::{Cause, Level, Purpose, write_connect_line, write_error_line};
use crate::logger::Line;
use crate::plan::LogSink;
use crate::rules::LogLevel;
use crate::sample::{ConnectionError, Cx};

/// Writes the line, if the frontend wants one for this exchange.
pub fn write(stream: &Stream<'_>) {
    let plan = stream.generation.plan();
    let proxy = plan.proxy(stream.client.frontend);
    let sink = &proxy.log;
    if !sink.is_on() || stream.exchange.log_is_muted || !wants(stream, sink) {
        return;
    }
    let level = match stream.exchange.overrides.log_level {
        Some(LogLevel::Silent) => return,
        Some(LogLevel::At(level)) => level,
        None if sink.separate_errors && is_error(stream) => Level::Err,
        None => Level::Info,
    };
    send(stream, level, |cx, text| match &sink.format {
        Some(format) => format.render(cx, Purpose::Log, text),
        None => write_connect_line(cx, stream.is_http(), text),
    });
}

/// Writes the line of a connection that failed before its first stream (manual, 8.2.5).
pub fn write_refused(stream: &Stream<'_>) {
    let sink = &stream.generation.plan().proxy(stream.client.frontend).log;
    let error = stream.client.facts.error;
    if !sink.is_on() || (sink.dontlognull && ConnectionError::is_silence(error)) {
        return;
    }
    let level = if sink.separate_errors {
        Level::Err
    } else {
        Level::Info
    };
    send(stream, level, |cx, text| {
        write_error_line(cx, ConnectionError::message(error), text);
    });
}

/// Sends the line that `render` writes to the frontend's log targets.
fn send(stream: &Stream<'_>, level: Level, render: impl FnOnce(&Cx<'_>, &mut Vec<u8>)) {
    let plan = stream.generation.plan();
    let sink = &plan.proxy(stream.client.frontend).log;
    let mut text = stream.local.take_scratch();
    text.clear();
    let mut structured = Vec::new();
    stream.with_cx(|cx| {
        render(cx, &mut text);
        if let Some(format) = &sink.structured_data {
            format.render(cx, Purpose::Log, &mut structured);
        }
    });
    let line = Line {
        level,
        clock: stream.local.clock(),
        tag: sink.tag.as_deref().unwrap_or(&plan.process.log_tag),
        host: plan.process.log_host.as_deref(),
        structured: sink.structured_data.as_ref().map(|_| structured.as_slice()),
    };
    stream.local.logger.write(&sink.targets, &line, &text);
    stream.local.keep_scratch(text);
}

/// Manual, `option dontlognull` and `option dontlog-normal`.
fn wants(stream: &Stream<'_>, sink: &LogSink) -> bool {
    let facts = &stream.exchange.facts;
    if sink.dontlognull && facts.bytes_in == 0 && facts.backend.is_none() {
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
