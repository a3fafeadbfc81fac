//! The request's head: received within its time, made ready for the server.

use std::net::IpAddr;

use reactor::Seg;
use wire::h1::{BodyLength, ConnectionOut, Limits, write_request};
use wire::{Known, Version};

use super::connect::ServerSide;
use super::wait::{Interrupted, Patience, wait};
use super::{Fault, Stream};
use crate::log::{Cause, Phase};
use crate::mux::h1::{HeadFault, HeadReader, check_chunks};

/// Receives the head of a request whose first byte is there (manual, `timeout http-request`).
pub async fn receive(stream: &mut Stream<'_>) -> Result<(), Fault> {
    let mut reader = HeadReader::default();
    let timeouts = &stream
        .generation
        .plan()
        .proxy(stream.client.frontend)
        .timeouts;
    // The first request's time runs from the connection, a later one's from its first byte.
    let begun_ms = stream.exchange.marks.begun_ms;
    let patience = Patience {
        until_ms: timeouts.http_request_ms.map(|ms| begun_ms + ms),
        watches_client: false,
    };
    let limits = Limits {
        lenient: stream.front_options().lenient_request,
        ..*stream.limits()
    };
    let link = &stream.client.link;
    let request = &mut stream.exchange.request;
    let received = wait(stream.local, stream.client, patience, |cx| {
        reader.poll_request(link, &limits, request, cx)
    });
    let framing = match received.await {
        Ok(Ok(framing)) => framing,
        Ok(Err(fault)) => return Err(refused(&fault)),
        Err(Interrupted::Ended(cause)) => {
            return Err(Fault::new(cause, Phase::Request).with_status(0));
        }
        Err(interrupted) => return Err(interrupted.fault(Cause::ClientTimeout, Phase::Request)),
    };
    let is_broken = |bytes: Seg| check_chunks(&bytes, &limits).is_err();
    if framing.body == BodyLength::Chunked && stream.client.link.linearize().is_some_and(is_broken)
    {
        return Err(Fault::new(Cause::Proxy, Phase::Request));
    }
    stream.exchange.request_framing = framing;
    stream.exchange.marks.request_us = stream.local.core.now_us();
    keep_request_line(stream);
    capture_fields(stream);
    Ok(())
}

fn refused(fault: &HeadFault) -> Fault {
    match fault {
        HeadFault::Closed { .. } | HeadFault::Failed(_) => {
            Fault::new(Cause::ClientAbort, Phase::Request)
        }
        HeadFault::Refused(error) => {
            Fault::new(Cause::Proxy, Phase::Request).with_status(error.request_status())
        }
    }
}

/// The request line as the log shows it, before rules change it.
fn keep_request_line(stream: &mut Stream<'_>) {
    let max = stream.generation.plan().process.log_uri_bytes;
    let exchange = &mut *stream.exchange;
    let (request, line) = (&exchange.request, &mut exchange.facts.request_line);
    line.extend_from_slice(request.method());
    line.push(b' ');
    line.extend_from_slice(request.target());
    let Version { major, minor } = request.version();
    line.extend_from_slice(&[
        b' ',
        b'H',
        b'T',
        b'T',
        b'P',
        b'/',
        b'0' + major,
        b'.',
        b'0' + minor,
    ]);
    line.truncate(max);
}

/// The fields that the frontend keeps for its log (manual, `capture request header`).
fn capture_fields(stream: &mut Stream<'_>) {
    let plan = stream.generation.plan();
    let Some(frontend) = &plan.proxy(stream.client.frontend).frontend else {
        return;
    };
    let exchange = &mut *stream.exchange;
    exchange.captures.declared = frontend.captures_declared;
    let store = &mut exchange.captures.request;
    frontend.capture(&frontend.request_captures, &exchange.request, store);
    if let Some(cookie) = &frontend.cookie_capture {
        let lines = exchange.request.values_known(Known::Cookie);
        cookie.take(lines, Some(b';'), &mut exchange.facts.request_cookie);
    }
}

/// What the proxy itself adds to a request before it goes to a server.
pub fn add_own_fields(stream: &mut Stream<'_>) {
    add_unique_id(stream);
    let plan = stream.generation.plan();
    if let Some(option) = &plan.proxy(stream.backend()).options.forwarded {
        super::forwarded::add(stream, option);
    }
    let front = &plan.proxy(stream.client.frontend).options;
    let back = &plan.proxy(stream.backend()).options;
    let source = stream
        .exchange
        .facts
        .src
        .or(stream.client.facts.src)
        .map(|a| a.ip());
    let destination = stream
        .exchange
        .facts
        .dst
        .or(stream.client.facts.dst)
        .map(|a| a.ip());
    let request = &mut stream.exchange.request;
    // The backend's name wins; `if-none` holds only if both sides agree (manual, `option
    // forwardfor`).
    let both = [&front.forwardfor, &back.forwardfor];
    let either = || both.into_iter().flatten();
    if let (Some(field), Some(source)) = (either().next_back(), source) {
        let if_none = either().all(|field| field.if_none);
        let excepted = either().any(|field| field.except.is_some_and(|net| net.contains(&source)));
        let is_there = if_none && request.contains(&field.name);
        if !excepted && !is_there {
            append_address(request, &field.name, source);
        }
    }
    if let (Some(field), Some(destination)) = (
        back.originalto.as_ref().or(front.originalto.as_ref()),
        destination,
    ) && !field.except.is_some_and(|net| net.contains(&destination))
    {
        append_address(request, &field.name, destination);
    }
}

/// Manual, `unique-id-header`.
fn add_unique_id(stream: &mut Stream<'_>) {
    let frontend = stream.generation.plan().proxy(stream.client.frontend);
    let named = frontend.frontend.as_ref();
    let Some(name) = named.and_then(|frontend| frontend.unique_id_header.as_ref()) else {
        return;
    };
    let id = stream.with_cx(|cx| cx.unique_id().to_vec());
    if !id.is_empty() {
        stream.exchange.request.set(name, &id);
    }
}

fn append_address(request: &mut wire::Head, name: &[u8], address: IpAddr) {
    use std::io::Write;
    request.append_with(name, |out| {
        let written = write!(out, "{address}");
        debug_assert!(written.is_ok(), "writing to memory");
    });
}

/// Writes the request's head to the server.
pub fn write_head(stream: &mut Stream<'_>, side: &ServerSide) {
    let plan = stream.generation.plan();
    let backend = plan.proxy(stream.backend());
    if let Some(name) = backend
        .backend
        .as_ref()
        .and_then(|b| b.send_name_header.as_deref())
    {
        let server = plan.server(side.id).name.as_bytes();
        stream.exchange.request.set(name, server);
    }
    let request = &stream.exchange.request;
    let connection = ConnectionOut {
        // Some servers spoil a response that ends their connection (manual, `option
        // http-pretend-keepalive`).
        keep_alive: stream.server_may_live() || stream.backend_options().pretend_keep_alive,
        peer_10: !request.version().is_11(),
        silent: request.contains_known(Known::Upgrade),
    };
    let case = backend.options.server_name_case.as_deref();
    side.link.write(|out| {
        let start = out.len();
        write_request(request, connection, out);
        if let Some(case) = case {
            case.apply(&mut out[start..]);
        }
    });
}
