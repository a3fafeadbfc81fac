//! From a request to the right to use a server: chosen, bound to one, or after a wait.

use std::task::Poll;

use super::wait::{Patience, wait};
use super::{Fault, Stream, hash, persist};
use crate::balance::{Assigned, Refusal, Request};
use crate::log::{Cause, Phase};
use crate::plan::{ProxyId, ServerId};
use crate::server::{Order, Outcome, Permit, Waiting};

/// Which server a request may go to.
#[derive(Clone, Copy, Debug)]
pub enum Want<'a> {
    /// Any that the algorithm chooses; these only if nothing else is left.
    Any { avoid: &'a [ServerId] },
    /// This one: it is tried again, or something binds the request to it.
    This(ServerId),
}

/// Waits, if need be, for a permit of a server of `backend`.
pub async fn obtain(
    stream: &mut Stream<'_>,
    backend: ProxyId,
    want: Want<'_>,
) -> Result<(ServerId, Permit), Fault> {
    let mut want = want;
    let began_ms = stream.local.core.now_ms();
    let until_ms = timeout_ms(stream, backend).map(|timeout_ms| began_ms + timeout_ms);
    let hash = hash::of_request(stream, backend);
    loop {
        let Some(view) = stream.generation.view(backend) else {
            return Err(no_server());
        };
        let ticket = stream.local.tickets.take();
        let token = ticket.token(stream.local.index);
        let order = Order {
            now_ms: began_ms,
            pinned: stream.exchange.persistence.insists,
            class: stream.exchange.overrides.priority_class,
            offset_ms: stream.exchange.overrides.priority_offset_ms,
        };
        let bound = match want {
            Want::Any { .. } => None,
            Want::This(server) => view.members().iter().find(|member| member.id == server),
        };
        let assigned = match (bound, want) {
            (Some(member), _) => view.assign_to(member, &order, token),
            (None, Want::Any { avoid }) => {
                let seed = stream.local.next_random();
                view.assign(&Request { hash, seed, avoid }, &order, token)
            }
            (None, Want::This(_)) => return Err(no_server()),
        };
        let mut waiting = match assigned {
            Assigned::Granted { server, permit } => return Ok((server, permit)),
            Assigned::Refused(Refusal::NoServer) => return Err(no_server()),
            // Manual, `maxqueue`: others are better than an endless wait.
            Assigned::Refused(Refusal::QueueFull) if bound.is_some() => {
                persist::lose(stream);
                want = Want::Any { avoid: &[] };
                continue;
            }
            Assigned::Refused(Refusal::QueueFull) => {
                return Err(Fault::new(Cause::ServerTimeout, Phase::Queue));
            }
            Assigned::Waiting { waiting, .. } => waiting,
        };
        note_place(stream, &waiting, 0);
        let turn = wait_for_turn(stream, &mut waiting, &ticket, until_ms).await;
        if turn.as_ref().is_err_and(|fault| !fault.is_order()) {
            stream.exchange.marks.permit_us = stream.local.core.now_us();
        }
        match turn? {
            Outcome::Granted { permit, ahead } => {
                note_place(stream, &waiting, ahead);
                match view.id_of(permit.server()) {
                    Some(server) => return Ok((server, permit)),
                    None => return Err(no_server()),
                }
            }
            Outcome::Redispatch if bound.is_some() => {
                persist::lose(stream);
                want = Want::Any { avoid: &[] };
            }
            Outcome::Redispatch | Outcome::Pending => {}
        }
    }
}

/// Manual, 8.2.3: `%sq`, `%bq`; HAProxy counts the request itself as well.
fn note_place(stream: &mut Stream<'_>, waiting: &Waiting, ahead: u32) {
    let facts = &mut stream.exchange.facts;
    if waiting.is_for_server() {
        facts.server_queue = ahead + 1;
    } else {
        facts.backend_queue = ahead + 1;
    }
}

/// Manual, `timeout queue`.
fn timeout_ms(stream: &Stream<'_>, backend: ProxyId) -> Option<u64> {
    let configured_ms = stream.generation.plan().proxy(backend).timeouts.queue_ms;
    let set_ms = stream.exchange.overrides.queue_timeout_ms.map(u64::from);
    set_ms.or(configured_ms)
}

async fn wait_for_turn(
    stream: &mut Stream<'_>,
    waiting: &mut Waiting,
    ticket: &super::tickets::Ticket<'_>,
    until_ms: Option<u64>,
) -> Result<Outcome, Fault> {
    let patience = Patience {
        until_ms,
        watches_client: stream.aborts_on_close(),
    };
    wait(stream.local, stream.client, patience, |cx| {
        ticket.set_waker(cx.waker());
        match waiting.outcome() {
            Outcome::Pending => Poll::Pending,
            outcome => Poll::Ready(outcome),
        }
    })
    .await
    .map_err(|interrupted| {
        // The time in queue is known although it led nowhere.
        stream.exchange.marks.permit_us = stream.local.core.now_us();
        interrupted.fault(Cause::ServerTimeout, Phase::Queue)
    })
}

/// Nobody can serve the request (manual, 8.5: `SC`, status 503).
fn no_server() -> Fault {
    Fault::new(Cause::ServerAbort, Phase::Connect)
}
