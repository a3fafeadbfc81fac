//! A connection between two exchanges: waiting for the next request, or for its end.

use std::task::{Context, Poll, ready};

use reactor::Readable;
use wire::h1::Limits;

use crate::limits::LINGER_MS;
use crate::log::{Cause, Phase};
use crate::mux::Link;
use crate::mux::h1::{BodyError, Incoming, Piece};
use crate::state::Generation;
use crate::stream::{Client, Exchange, Fault, Interrupted, Local, Patience, wait};

/// Waits for the first byte of a request; returns from when its `timeout http-request` runs.
///
/// `Err(None)`: nothing came and nobody needs to know. `Err(Some(..))`: to be told and logged.
pub async fn next_request(
    local: &Local,
    generation: &Generation,
    client: &mut Client,
) -> Result<u64, Option<Fault>> {
    let now_ms = local.core.now_ms();
    let is_first = client.exchanges == 0;
    if !is_first && client.link.queued() == 0 && local.is_stopping.get() {
        return Err(None);
    }
    let timeouts = &generation.plan().proxy(client.frontend).timeouts;
    let timeout_ms = if is_first {
        timeouts.http_request_ms
    } else {
        timeouts.http_keep_alive_ms
    };
    let patience = Patience {
        until_ms: timeout_ms.map(|ms| now_ms + ms),
        watches_client: false,
    };
    let mut unread = client.unread.take();
    let limits = &generation.plan().process.head_limits;
    let first_byte = wait(local, client, patience, |cx| {
        if let Some(body) = &mut unread {
            ready!(drain(body, &client.link, limits, cx))?;
            unread = None;
        }
        client.link.poll_more(0, cx).map(Ok::<_, BodyError>)
    })
    .await;
    client.is_drained = unread.is_none();
    let first_byte = match first_byte {
        Ok(Ok(readable)) => Ok(readable),
        // The end of a body that was answered long ago cannot be found: nothing can follow it.
        Ok(Err(_)) => return Err(None),
        Err(interrupted) => Err(interrupted),
    };
    match first_byte {
        Ok(Readable::Data) => Ok(if is_first {
            now_ms
        } else {
            local.core.now_ms()
        }),
        // Silence between two requests needs no answer (manual, `timeout http-keep-alive`).
        _ if !is_first => Err(None),
        Err(Interrupted::Ended(_)) => Err(None),
        Err(Interrupted::TimedOut) => silent(generation, client, Cause::ClientTimeout),
        Ok(_) | Err(Interrupted::ClientGone) => silent(generation, client, Cause::ClientAbort),
    }
}

/// Takes a body off its link and drops it.
fn drain(
    body: &mut Incoming,
    link: &Link,
    limits: &Limits,
    cx: &mut Context<'_>,
) -> Poll<Result<(), BodyError>> {
    while let Piece::Data(_) = ready!(body.poll_piece(link, limits, u64::MAX, cx))? {}
    Poll::Ready(Ok(()))
}

/// A connection on which nothing was ever said (manual, `option http-ignore-probes`).
fn silent(generation: &Generation, client: &Client, cause: Cause) -> Result<u64, Option<Fault>> {
    let proxy = generation.plan().proxy(client.frontend);
    if proxy.options.ignore_probes {
        return Err(None);
    }
    Err(Some(Fault::new(cause, Phase::Request)))
}

/// Notes where an exchange begins.
pub fn begin(local: &Local, client: &mut Client, exchange: &mut Exchange) {
    client.exchanges += 1;
    client.entry.is_idle.set(false);
    client.entry.begun_ms.set(local.core.now_ms());
    let (received, sent) = client.link.passed();
    let clock = local.clock();
    let facts = &mut exchange.facts;
    facts.id = local.next_stream_id();
    facts.first_request = client.is_first_exchange();
    facts.request_us = clock.unix_us;
    let marks = &mut exchange.marks;
    marks.start_us = client.ready_us;
    marks.first_byte_us = local.core.now_us();
    marks.begun_ms = local.core.now_ms();
    marks.received_before = received - client.link.queued() as u64;
    marks.sent_before = sent + client.link.unsent() as u64;
}

/// Lets the client take what is on its way, then closes in order.
pub async fn close(local: &Local, generation: &Generation, client: &mut Client) {
    let timeouts = &generation.plan().proxy(client.frontend).timeouts;
    let patience = |ms: Option<u64>| Patience {
        until_ms: ms.map(|ms| local.core.now_ms() + ms),
        watches_client: false,
    };
    let is_over = client.is_drained && client.link.plain().is_some();
    if is_over && client.link.end_at_once() {
        return;
    }
    client.link.shutdown_write();
    let sent = wait(local, client, patience(timeouts.client_ms), |cx| {
        client.link.poll_sent(0, cx)
    });
    if sent.await.is_err() || is_over {
        return;
    }
    // The client may still be sending. A close now would answer with a reset, which could take
    // from it the response it has not read yet (RFC 9112, section 9.6).
    let _ = wait(local, client, patience(Some(LINGER_MS)), |cx| {
        loop {
            match client.link.poll_more(0, cx) {
                Poll::Ready(Readable::Data) => client.link.consume(client.link.queued()),
                Poll::Ready(Readable::Eof | Readable::Failed(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}
