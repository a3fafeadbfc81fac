//! Bodies that are seen before they are passed on: by rules, or by whoever may send them again.

use std::task::Poll;

use wire::Known;
use wire::h1::BodyLength;

use super::connect::ServerSide;
use super::exchange::Upload;
use super::relay::Flow;
use super::wait::{Patience, wait};
use super::{Fault, Stream};
use crate::log::{Cause, Phase};
use crate::mux::h1::{BodyError, Extent, Outgoing};
use crate::plan::ProxyId;

/// How long, and for how much, a body is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Milliseconds of the core's clock.
    pub until_ms: Option<u64>,
    /// Enough when this much has come; the whole body otherwise.
    pub at_least_bytes: Option<u64>,
}

/// Waits for the request's body before `proxy`'s rules run (manual, `option http-buffer-request`).
pub async fn if_configured(stream: &mut Stream<'_>, proxy: ProxyId) -> Result<(), Fault> {
    let plan = stream.generation.plan();
    if plan.proxy(proxy).options.buffer_request {
        let timeouts = &plan.proxy(stream.client.frontend).timeouts;
        let begun_ms = stream.exchange.marks.begun_ms;
        let wanted = Wanted {
            until_ms: timeouts.http_request_ms.map(|ms| begun_ms + ms),
            at_least_bytes: None,
        };
        return request(stream, wanted).await;
    }
    if plan.process.reads_bodies {
        look_at_request(stream);
    }
    Ok(())
}

/// Waits for the request's body; a client that leaves meanwhile is told of later, when the rules
/// have said whose request it was.
pub async fn request(stream: &mut Stream<'_>, wanted: Wanted) -> Result<(), Fault> {
    let length = stream.exchange.request_framing.body;
    if length == BodyLength::None || stream.exchange.pending_fault.is_some() {
        return Ok(());
    }
    if look_at_request(stream) == Extent::Part {
        invite(stream);
    }
    let limits = *stream.limits();
    let patience = Patience {
        until_ms: wanted.until_ms,
        watches_client: false,
    };
    let (client, preview) = (&*stream.client, &mut stream.exchange.request_body);
    let enough = wanted.at_least_bytes.unwrap_or(u64::MAX);
    let waited = wait(stream.local, client, patience, |cx| {
        preview.poll_look(&client.link, length, &limits, enough, cx)
    });
    let fault = match waited.await {
        Ok(Ok(_)) => {
            stream.exchange.marks.request_us = stream.local.core.now_us();
            return Ok(());
        }
        Ok(Err(BodyError::Cut | BodyError::Failed(_))) => {
            let gone = Fault::new(Cause::ClientAbort, Phase::Request).untold();
            stream.exchange.pending_fault = Some(gone);
            stream.exchange.marks.request_us = stream.local.core.now_us();
            return Ok(());
        }
        Ok(Err(BodyError::Malformed)) => Fault::new(Cause::Proxy, Phase::Request),
        Err(interrupted) => interrupted.fault(Cause::ClientTimeout, Phase::Request),
    };
    // Without its body it was no whole request: the log has no time for it.
    stream.exchange.marks.request_us = 0;
    Err(fault)
}

/// Sees what has come of the request's body, without a wait.
pub fn look_at_request(stream: &mut Stream<'_>) -> Extent {
    let limits = *stream.limits();
    let exchange = &mut *stream.exchange;
    let length = exchange.request_framing.body;
    exchange
        .request_body
        .look(&stream.client.link, length, &limits)
}

/// Tells a client that waits for leave to send its body (RFC 9110, section 10.1.1). The server is
/// not asked again.
fn invite(stream: &mut Stream<'_>) {
    if !std::mem::take(&mut stream.exchange.request_framing.expect_continue) {
        return;
    }
    stream.exchange.request.remove_known(Known::Expect);
    let link = &stream.client.link;
    link.write(|out| out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n"));
    link.flush();
}

/// Takes the request's body off the client's connection if it is there as a whole, so that it can
/// be sent more than once (manual, `retry-on`); false if the request can go out only once.
pub fn hold_request(stream: &mut Stream<'_>) -> bool {
    let (held, length) = (stream.exchange.upload, stream.exchange.request_framing.body);
    if held == Upload::Held || length == BodyLength::None {
        return true;
    }
    if look_at_request(stream) != Extent::Whole {
        return false;
    }
    stream.exchange.request_body.take_off(&stream.client.link);
    stream.exchange.upload = Upload::Held;
    true
}

/// Sends the body that is held.
pub fn send_request(stream: &Stream<'_>, side: &ServerSide) {
    let outgoing = match stream.exchange.request_framing.body {
        BodyLength::Chunked => Outgoing::Chunked,
        _ => Outgoing::Plain,
    };
    stream.exchange.request_body.send(outgoing, &side.link);
}

/// Waits for the response's body (manual, `http-response wait-for-body`); the request's goes on
/// its way meanwhile.
pub async fn response(
    stream: &mut Stream<'_>,
    side: &ServerSide,
    upload: &mut Flow,
    wanted: Wanted,
) -> Result<(), Fault> {
    let length = stream.exchange.response_framing.body;
    if matches!(length, BodyLength::None | BodyLength::Tunnel) {
        return Ok(());
    }
    let limits = *stream.limits();
    let patience = Patience {
        until_ms: wanted.until_ms,
        watches_client: false,
    };
    let (client, preview) = (&*stream.client, &mut stream.exchange.response_body);
    let enough = wanted.at_least_bytes.unwrap_or(u64::MAX);
    let waited = wait(stream.local, client, patience, |cx| {
        if let Poll::Ready(Err(_)) = upload.poll(&client.link, &side.link, &limits, cx) {
            upload.discard();
        }
        preview.poll_look(&side.link, length, &limits, enough, cx)
    });
    match waited.await {
        // What came of a body that was cut goes to the client, and then the cut.
        Ok(Ok(_) | Err(BodyError::Cut | BodyError::Failed(_))) => Ok(()),
        Ok(Err(BodyError::Malformed)) => Err(Fault::new(Cause::Proxy, Phase::Headers)),
        Err(interrupted) => Err(interrupted.fault(Cause::ServerTimeout, Phase::Headers)),
    }
}

/// Sees what has come of the response's body.
pub fn look_at_response(stream: &mut Stream<'_>, side: &ServerSide) {
    let limits = *stream.limits();
    let exchange = &mut *stream.exchange;
    let length = exchange.response_framing.body;
    exchange.response_body.look(&side.link, length, &limits);
}
