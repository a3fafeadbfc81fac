//! One connection of `mode tcp`: rules on its first bytes, a server, a tunnel.

use reactor::Readable;

use super::connect::{self, Attempts};
use super::judge::{Contents, Sees};
use super::wait::{Interrupted, Patience, wait};
use super::watch::Watch;
use super::{Fault, Stream, error, finish, persist, route, tunnel};
use crate::log::{Cause, Phase};
use crate::plan::ProxyId;
use crate::rules::{Ruleset, Verdict};
use crate::sample::Data;

/// Runs one TCP stream to its end.
pub async fn run(stream: &mut Stream<'_>) {
    stream.generation.stats.process.requests.inc();
    stream
        .generation
        .stats
        .front(stream.client.frontend)
        .other_requests
        .inc();
    stream.exchange.marks.request_us = stream.local.core.now_us();
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
    stream.exchange.marks.request_us = stream.local.core.now_us();
    let mut attempts = Attempts::new(persist::bind(stream));
    let side = connect::open(stream, backend, &mut attempts).await?;
    let plan = stream.generation.plan();
    let mut watch = Watch::new(
        plan.proxy(frontend).timeouts.client_ms,
        plan.proxy(backend).timeouts.server_ms,
        stream.local.core.now_ms(),
    );
    tunnel::run(stream, backend, &side.link, &mut watch).await
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
    let (mut from, mut complete, mut last_chance) = (0, false, delay_ms == 0);
    loop {
        match evaluate(stream, &rules.request_content, from, complete, last_chance) {
            Verdict::Continue | Verdict::Accept => return Ok(()),
            Verdict::Wait { rule } if !(complete || last_chance) => from = rule,
            Verdict::Wait { .. } => return Ok(()),
            _ => {
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
        match wait(stream.local, client, patience, |cx| {
            client.link.poll_more(seen, cx)
        })
        .await
        {
            Ok(Readable::Data) => {}
            Ok(Readable::Eof | Readable::Failed(_)) => complete = true,
            Err(Interrupted::TimedOut) => last_chance = true,
            Err(other) => return Err(other.fault(Cause::ClientTimeout, Phase::Request)),
        }
    }
}

fn evaluate(
    stream: &mut Stream<'_>,
    rules: &Ruleset,
    from: usize,
    complete: bool,
    last_chance: bool,
) -> Verdict {
    let received = stream.client.link.linearize();
    let bytes: &[u8] = received.as_deref().unwrap_or(&[]);
    let request = Data {
        bytes,
        complete,
        last_chance,
    };
    stream.evaluate(
        rules,
        from,
        Sees::Connection,
        Contents {
            request,
            response: Data::default(),
        },
    )
}
