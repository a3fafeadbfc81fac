//! The log lines of an exchange (manual, chapter 8).

use std::sync::atomic::Ordering;

use super::{Client, Local, Stream, finish};
use crate::log::{
    Cause, Level, Phase, Profile, ProfileLine, Purpose, write_connect_line, write_error_line,
};
use crate::logger::Line;
use crate::plan::LogSink;
use crate::rules::LogLevel;
use crate::sample::{ConnectionError, Cx, LogOrigin};
use crate::state::Generation;

/// A request is there, or a connection of `mode tcp`: the line of a frontend without a format,
/// which tells of the connection (manual, 8.2.1), and the first of `log-steps`.
pub fn connected(stream: &mut Stream<'_>) {
    let sink = sink(stream.generation, stream.client);
    if !sink.is_on() {
        return;
    }
    if sink.steps.are_chosen() {
        // Of the request nothing is told yet.
        let line = std::mem::take(&mut stream.exchange.facts.request_line);
        step(stream, LogOrigin::Accept, 0);
        stream.exchange.facts.request_line = line;
        if stream.is_http() {
            step(stream, LogOrigin::Request, 0);
        }
    }
    if sink.format.is_none() && !sink.steps.are_chosen() {
        let text = |cx: &Cx<'_>, out: &mut Vec<u8>| write_connect_line(cx, sink.http, out);
        emit(stream, sink, Level::Info, LogOrigin::Unspecified, text);
    }
}

/// A stream comes to one of its steps: `log-steps`, or `option logasap`, by which the line is
/// written as soon as the server has answered, or taken the connection (manual, 8.3.2);
/// `response_bytes` have come from it.
pub fn passes(stream: &mut Stream<'_>, origin: LogOrigin, response_bytes: u64) {
    let sink = sink(stream.generation, stream.client);
    if sink.steps.are_chosen() {
        step(stream, origin, response_bytes);
    }
    let is_due = (origin == LogOrigin::Response) == stream.is_http();
    if !sink.asap || !is_due || !sink.is_on() || stream.exchange.log_is_muted {
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

/// A line on the way, in which only what is known by then stands.
fn step(stream: &mut Stream<'_>, origin: LogOrigin, response_bytes: u64) {
    let sink = sink(stream.generation, stream.client);
    // The one early line is all that `option logasap` leaves.
    if !sink.steps.has(origin) || sink.asap {
        return;
    }
    let received = finish::measure(stream).request;
    let facts = &mut stream.exchange.facts;
    let kept = (facts.status, facts.bytes_out);
    facts.bytes_in = 0;
    facts.bytes_out = response_bytes;
    facts.status = match origin {
        LogOrigin::Accept => 0,
        LogOrigin::Response => facts.status,
        _ => -1,
    };
    of_stream(stream, received, origin);
    let facts = &mut stream.exchange.facts;
    (facts.status, facts.bytes_out) = kept;
}

/// Writes the line of an exchange that is over, if the frontend wants one; `received` bytes came
/// from the client.
pub fn write(stream: &mut Stream<'_>, received: u64) {
    // One whose body was waited for in vain was understood.
    let exchange = &stream.exchange;
    let is_understood = exchange.marks.request_us > 0 || !exchange.facts.request_line.is_empty();
    let is_error = stream.is_http() && !is_understood;
    let origin = if is_error {
        LogOrigin::SessionError
    } else {
        LogOrigin::Close
    };
    let steps = sink(stream.generation, stream.client).steps;
    if is_error || !steps.are_chosen() || steps.has(LogOrigin::Close) {
        of_stream(stream, received, origin);
    }
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
    emit(stream, sink, level, origin, |cx, out| {
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
    emit(stream, sink, level, LogOrigin::SessionKilled, text);
}

/// Hands the lines of one event to the logger.
fn emit(
    stream: &Stream<'_>,
    sink: &LogSink,
    level: Level,
    origin: LogOrigin,
    render: impl Fn(&Cx<'_>, &mut Vec<u8>),
) {
    let event = Event {
        local: stream.local,
        generation: stream.generation,
        sink,
        level,
        origin,
        profile: None,
    };
    stream.with_cx(|cx| event.write(cx, &render));
}

/// `do-log`: a line of the frontend in the midst of a ruleset.
pub fn write_now(
    local: &Local,
    generation: &Generation,
    cx: &Cx<'_>,
    origin: LogOrigin,
    profile: Option<&Profile>,
) {
    let sink = &generation.plan().proxy(cx.session.frontend).log;
    let level = match cx.overrides.log_level {
        Some(LogLevel::Silent) => return,
        Some(LogLevel::At(level)) => level,
        None => Level::Info,
    };
    let event = Event {
        local,
        generation,
        sink,
        level,
        origin,
        profile,
    };
    event.write(cx, &|cx, out| match &sink.format {
        Some(format) => format.render(cx, Purpose::Log, out),
        None => write_connect_line(cx, sink.http, out),
    });
}

/// Something that lines are written about.
struct Event<'a> {
    local: &'a Local,
    generation: &'a Generation,
    sink: &'a LogSink,
    level: Level,
    origin: LogOrigin,
    /// Instead of the targets' own.
    profile: Option<&'a Profile>,
}

impl Event<'_> {
    /// One line for all targets, or one for each where profiles make them differ.
    fn write(&self, cx: &Cx<'_>, render: &dyn Fn(&Cx<'_>, &mut Vec<u8>)) {
        if self.profile.is_none() && self.sink.profiles.is_empty() {
            return self.line(cx, &self.sink.targets, None, None, render);
        }
        for (at, target) in self.sink.targets.iter().enumerate() {
            let own = self.sink.profiles.get(at).and_then(Option::as_ref);
            let profile = self.profile.or(own);
            let step = profile.and_then(|profile| profile.line(self.origin));
            if step.is_none_or(|step| !step.drop) {
                self.line(cx, std::slice::from_ref(target), profile, step, render);
            }
        }
    }

    /// Renders a line into the core's buffer and hands it to the logger.
    fn line(
        &self,
        cx: &Cx<'_>,
        targets: &[usize],
        profile: Option<&Profile>,
        step: Option<&ProfileLine>,
        render: &dyn Fn(&Cx<'_>, &mut Vec<u8>),
    ) {
        let (local, plan) = (self.local, self.generation.plan());
        let mut text = local.take_scratch();
        text.clear();
        match step.and_then(|step| step.format.as_ref()) {
            Some(format) => format.render(cx, Purpose::Log, &mut text),
            None => render(cx, &mut text),
        }
        let structured_at = text.len();
        let own = step.and_then(|step| step.structured.as_ref());
        let structured = own.or(self.sink.structured_data.as_deref());
        if let Some(format) = structured {
            format.render(cx, Purpose::Log, &mut text);
        }
        let tag = profile.and_then(|profile| profile.tag.as_deref());
        let (message, data) = text.split_at(structured_at);
        let line = Line {
            level: self.level,
            clock: local.clock(),
            tag: tag
                .or(self.sink.tag.as_deref())
                .unwrap_or(&plan.process.log_tag),
            host: plan.process.log_host.as_deref(),
            structured: structured.map(|_| data),
        };
        local.logger.write(targets, &line, message);
        local.keep_scratch(text);
    }
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
