//! What is tried again, how often, and where (manual, `retries`, `retry-on`, `option redispatch`).

use super::queue::Want;
use super::wait::{Interrupted, Patience, wait};
use super::{Fault, Stream, persist};
use crate::limits::RETRY_PAUSE_MS;
use crate::log::{Cause, Phase};
use crate::plan::{Backend, ProxyId, ServerId, Trouble};

/// What has been tried for a request.
#[derive(Default)]
pub struct Attempts {
    /// Attempts after the first.
    retries: u32,
    avoid: Vec<ServerId>,
    /// Where the next attempt goes; anywhere if nothing binds it.
    next: Option<ServerId>,
}

impl Attempts {
    /// Nothing has been tried; something may bind the request to a server.
    pub fn new(bound: Option<ServerId>) -> Self {
        Self {
            next: bound,
            ..Self::default()
        }
    }

    /// Which server the next attempt wants.
    pub fn want(&self) -> Want<'_> {
        match self.next {
            Some(server) => Want::This(server),
            None => Want::Any { avoid: &self.avoid },
        }
    }

    /// Whether the next attempt stays with the server of the one before: what it waits is then
    /// part of the time to connect (`%Tc`), and no time in queue.
    pub fn stays(&self) -> bool {
        self.retries > 0 && self.next.is_some()
    }
}

fn plan<'g>(stream: &Stream<'g>, backend: ProxyId) -> Option<&'g Backend> {
    stream.generation.plan().proxy(backend).backend.as_ref()
}

fn limit(stream: &Stream<'_>, plan: &Backend) -> u32 {
    stream.exchange.facts.retries_max.unwrap_or(plan.retries)
}

/// Whether the request must be kept so that it can be sent again.
pub fn wants_request(stream: &Stream<'_>, backend: ProxyId) -> bool {
    let Some(plan) = plan(stream, backend) else {
        return false;
    };
    plan.retry_on.needs_request()
        && !stream.exchange.overrides.no_l7_retry
        && limit(stream, plan) > 0
}

/// Whether another attempt may follow this trouble.
pub fn applies(
    stream: &Stream<'_>,
    backend: ProxyId,
    attempts: &Attempts,
    trouble: Trouble,
) -> bool {
    let Some(plan) = plan(stream, backend) else {
        return false;
    };
    let can_repeat = trouble == Trouble::ConnFailure
        || (!stream.exchange.overrides.no_l7_retry && stream.exchange.can_repeat());
    can_repeat && plan.retry_on.covers(trouble) && attempts.retries < limit(stream, plan)
}

/// Prepares another attempt after one on `failed`: on the same server, or on any other.
pub async fn prepare(
    stream: &mut Stream<'_>,
    backend: ProxyId,
    attempts: &mut Attempts,
    failed: ServerId,
    refused: bool,
) -> Result<(), Fault> {
    let Some(plan) = plan(stream, backend) else {
        return Err(Fault::new(Cause::Internal, Phase::Connect));
    };
    attempts.retries += 1;
    stream.exchange.facts.retries = attempts.retries;
    let goes_elsewhere = plan
        .redispatch
        .applies(attempts.retries, limit(stream, plan))
        || !(stream.generation.server(failed).is_usable() || stream.exchange.persistence.insists);
    let stats = &stream.generation.stats;
    let (server, service) = (stats.server(failed), &stats.back(backend).service);
    if goes_elsewhere {
        attempts.avoid.push(failed);
        attempts.next = None;
        persist::lose(stream);
        stream.exchange.facts.redispatched = true;
        server.redispatches.inc();
        service.redispatches.inc();
        return Ok(());
    }
    attempts.next = Some(failed);
    server.retries.inc();
    service.retries.inc();
    if refused {
        let timeouts = &stream.generation.plan().proxy(backend).timeouts;
        pause(stream, timeouts.connect_ms).await?;
    }
    Ok(())
}

/// A refused connection is not tried again at once (manual, `retries`: one second at most).
async fn pause(stream: &Stream<'_>, connect_timeout_ms: Option<u64>) -> Result<(), Fault> {
    let pause_ms = connect_timeout_ms.map_or(RETRY_PAUSE_MS, |ms| ms.min(RETRY_PAUSE_MS));
    let patience = Patience {
        until_ms: Some(stream.local.core.now_ms() + pause_ms),
        watches_client: stream.aborts_on_close(),
    };
    let never = wait(stream.local, stream.client, patience, |_| {
        std::task::Poll::<()>::Pending
    });
    match never.await {
        Err(Interrupted::TimedOut) | Ok(()) => Ok(()),
        Err(other) => Err(other.fault(Cause::ServerTimeout, Phase::Connect)),
    }
}
