//! `do-resolve`: the control thread's resolvers look a name up while the stream waits.

use std::sync::{Arc, OnceLock};
use std::task::Poll;

use super::control::{Asked, Question};
use super::wait::{Interrupted, Patience, wait};
use super::{Fault, Stream};
use crate::log::{Cause, Phase};
use crate::rules::Lookup;

/// Has the name looked up; the answer is left in the stream's facts.
pub async fn look_up(stream: &mut Stream<'_>, lookup: Lookup, phase: Phase) -> Result<(), Fault> {
    let patience = patience(stream, &lookup);
    let ticket = stream.local.tickets.take();
    let answer = Arc::new(OnceLock::new());
    stream.local.control.ask(Asked::Resolve(Question {
        lookup,
        answer: Arc::clone(&answer),
        token: ticket.token(stream.local.index),
    }));
    let waited = wait(stream.local, stream.client, patience, |cx| {
        ticket.set_waker(cx.waker());
        answer.get().copied().map_or(Poll::Pending, Poll::Ready)
    });
    let found = match waited.await {
        Ok(found) => found,
        Err(Interrupted::TimedOut) => None,
        Err(other) => return Err(other.fault(Cause::ClientTimeout, phase)),
    };
    stream.exchange.facts.resolved = Some(found);
    Ok(())
}

/// As long as the section's tries take: both families, and one more for the way to control.
fn patience(stream: &Stream<'_>, lookup: &Lookup) -> Patience {
    let terms = &stream.generation.plan().resolvers[lookup.by.index()].terms;
    let questions = u64::from(terms.tries.max(1)) * 2 + 1;
    Patience {
        until_ms: Some(stream.local.core.now_ms() + questions * terms.retry_ms),
        watches_client: stream.aborts_on_close(),
    }
}
