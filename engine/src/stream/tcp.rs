//! One connection of `mode tcp`: rules on its first bytes, a server, a tunnel.

use std::task::Poll;

use reactor::Readable;

use super::connect;
use super::judge::{Contents, Sees};
use super::relay::Flow;
use super::retry::Attempts;
use super::wait::{Interrupted, Patience, wait};
use super::watch::Watch;
use super::{Fault, Stream, error, finish, journal, persist, route, stick, tunnel};
use crate::log::{Cause, Phase};
use crate::mux::Link;
use crate::plan::ProxyId;
use crate::rules::{Ruleset, Verdict};
use crate::sample::{Data, LogOrigin};

/// Runs one TCP stream to its end.
pub async fn run(stream: &mut Stream<'_>) {
    stream.generation.stats.process.requests.inc();
    stream.exchange.marks.request_us = stream.exchange.marks.start_us;
    journal::connected(stream);
    if let Err(fault) = exchange(stream).await {
        error::answer(stream, fault);
    }
    finish::record(stream);
}

async fn exchange(stream: &mut Stream<'_>) -> Result<(), Fault> {
    let frontend = stream.client.frontend;
    content_rules(stream, frontend).await?;
    let backend = route::choose(stream)?;
    stream.enter_backend(backend);
    if backend != frontend {
        content_rules(stream, backend).await?;
    }
    let bound = persist::bind(stream);
    let mut attempts = Attempts::new(stick::bind(stream, bound));
    let side = connect::open(stream, backend, &mut attempts).await?;
    stick::learn(stream);
    let plan = stream.generation.plan();
    let mut watch = Watch::new(
        plan.proxy(frontend).timeouts.client_ms,
        plan.proxy(backend).timeouts.server_ms,
        stream.local.core.now_ms(),
    );
    stream.exchange.marks.response_us = stream.exchange.marks.connected_us;
    journal::passes(stream, LogOrigin::Connect, 0);
    let mut up = tunnel::direction();
    let ended = match response_rules(stream, backend, &side.link, &mut up).await {
        Ok(()) => tunnel::run(stream, backend, &side.link, up, &mut watch).await,
        refused => refused,
    };
    stream.exchange.facts.bytes_out = side.link.passed().0;
    ended
}

/// `tcp-request content`, evaluated again as bytes arrive until it decides or
/// `tcp-request inspect-delay` is over.
async fn content_rules(stream: &mut Stream<'_>, proxy: ProxyId) -> Result<(), Fault> {
    let generation = stream.generation;
    let rules = &generation.plan().proxy(proxy).rules;
    if rules.request_content.is_empty() {
        return Ok(());
    }
    let delay_ms = rules.request_inspect_delay_ms.unwrap_or(0);
    let until_ms = stream.local.core.now_ms() + delay_ms;
    let mut from = 0;
    let mut state = Inspection::new(delay_ms);
    loop {
        match evaluate(stream, &rules.request_content, from, &state) {
            Verdict::Continue | Verdict::Accept => return Ok(()),
            Verdict::Wait { rule } if !state.is_over() => from = rule,
            Verdict::Wait { .. } => return Ok(()),
            Verdict::Resolve { rule, lookup } => {
                super::resolve::look_up(stream, *lookup, Phase::Request).await?;
                from = rule;
                continue;
            }
            refused => {
                if refused == Verdict::SilentDrop {
                    stream.client.forget();
                }
                generation
                    .stats
                    .front(stream.client.frontend)
                    .denied_requests
                    .inc();
                stream.count_on_listener(|listener| listener.denied_requests.inc());
                return Err(Fault::new(Cause::Proxy, Phase::Request).with_status(0));
            }
        }
        let patience = Patience {
            until_ms: Some(until_ms),
            watches_client: false,
        };
        let (client, seen) = (&*stream.client, stream.client.link.queued());
        let waited = wait(stream.local, client, patience, |cx| {
            client.link.poll_more(seen, cx)
        });
        state.note(&waited.await, Phase::Request)?;
    }
}

/// `tcp-response content`, while the client's bytes go on their way.
async fn response_rules(
    stream: &mut Stream<'_>,
    backend: ProxyId,
    server: &Link,
    up: &mut Flow,
) -> Result<(), Fault> {
    let generation = stream.generation;
    let rules = &generation.plan().proxy(backend).rules;
    if rules.response_content.is_empty() {
        return Ok(());
    }
    let limits = *stream.limits();
    let delay_ms = rules.response_inspect_delay_ms.unwrap_or(0);
    let until_ms = stream.local.core.now_ms() + delay_ms;
    let mut from = 0;
    let mut state = Inspection::new(delay_ms);
    loop {
        let response = server.linearize();
        let bytes = response.as_deref().unwrap_or(&[]);
        let contents = Contents {
            request: Data::default(),
            response: state.data(bytes),
        };
        let seen = bytes.len();
        match stream.evaluate(&rules.response_content, from, Sees::Bytes(contents)) {
            Verdict::Continue | Verdict::Accept => return Ok(()),
            Verdict::Wait { rule } if !state.is_over() => from = rule,
            Verdict::Wait { .. } => return Ok(()),
            _ => {
                let service = &generation.stats.back(backend).service;
                service.denied_responses.inc();
                return Err(Fault::new(Cause::Proxy, Phase::Data).with_status(0));
            }
        }
        let patience = Patience {
            until_ms: Some(until_ms),
            watches_client: false,
        };
        let client = &*stream.client;
        let waited = wait(stream.local, client, patience, |cx| {
            if let Poll::Ready(Err(_)) = up.poll(&client.link, server, &limits, cx) {
                up.discard();
            }
            server.poll_more(seen, cx)
        });
        state.note(&waited.await, Phase::Data)?;
    }
}

/// How far the inspection of a direction's first bytes has come.
struct Inspection {
    complete: bool,
    last_chance: bool,
}

impl Inspection {
    fn new(delay_ms: u64) -> Self {
        Self {
            complete: false,
            last_chance: delay_ms == 0,
        }
    }

    /// Nothing new will be known.
    fn is_over(&self) -> bool {
        self.complete || self.last_chance
    }

    fn data<'d>(&self, bytes: &'d [u8]) -> Data<'d> {
        Data {
            bytes,
            complete: self.complete,
            last_chance: self.last_chance,
            is_inspected: false,
        }
    }

    /// What a wait for more brought.
    fn note(&mut self, waited: &Result<Readable, Interrupted>, phase: Phase) -> Result<(), Fault> {
        match waited {
            Ok(Readable::Data) => {}
            Ok(Readable::Eof | Readable::Failed(_)) => self.complete = true,
            Err(Interrupted::TimedOut) => self.last_chance = true,
            Err(other) => return Err(other.fault(Cause::ClientTimeout, phase)),
        }
        Ok(())
    }
}

fn evaluate(stream: &mut Stream<'_>, rules: &Ruleset, from: usize, state: &Inspection) -> Verdict {
    let received = stream.client.link.linearize();
    let contents = Contents {
        request: state.data(received.as_deref().unwrap_or(&[])),
        response: Data::default(),
    };
    stream.evaluate(rules, from, Sees::Bytes(contents))
}
