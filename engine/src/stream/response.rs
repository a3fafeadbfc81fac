//! The response's head: awaited while the request's body goes out, judged, passed on.

use std::future::poll_fn;
use std::task::Poll;

use wire::h1::{Asked, BodyLength, ConnectionOut, Framing, Limits, write_response};
use wire::{Head, Known};

use super::coding;
use super::connect::ServerSide;
use super::relay::{Flow, FlowError, source};
use super::wait::broken;
use super::watch::{Side, Watch};
use super::{Exchange, Fault, Stream};
use crate::limits::INTERIM_RESPONSES_MAX;
use crate::log::{Cause, Phase};
use crate::mux::h1::{HeadFault, HeadReader, Incoming, Outgoing, check_chunks};
use crate::plan::Trouble;

/// Why there is no response.
pub enum NoResponse {
    /// Nothing can be done about it.
    Fault(Fault),
    /// Another attempt may do better; the fault, if none does.
    Trouble(Trouble, Fault),
    /// The server closed an idle connection just as the request went out on it: it has not seen
    /// the request, or may safely see it again (RFC 9110, section 9.2.2).
    Stale,
}

impl NoResponse {
    fn trouble(trouble: Trouble, cause: Cause) -> Self {
        Self::Trouble(trouble, Fault::new(cause, Phase::Headers))
    }
}

/// Waits for the final response's head, passing interim ones on; the request's body goes out
/// meanwhile.
pub async fn receive(
    stream: &mut Stream<'_>,
    side: &ServerSide,
    upload: &mut Flow,
    watch: &mut Watch,
) -> Result<(), NoResponse> {
    let asked = Asked::of(&stream.exchange.request, &stream.exchange.request_framing);
    for _ in 0..INTERIM_RESPONSES_MAX {
        let framing = head(stream, side, upload, watch, asked).await?;
        stream.exchange.response_framing = framing;
        let status = stream.exchange.response.status();
        if status >= 200 || status == 101 {
            if framing.body == BodyLength::Chunked && is_broken(side, stream.limits()) {
                return Err(NoResponse::trouble(Trouble::JunkResponse, Cause::Proxy));
            }
            return Ok(());
        }
        pass_interim(stream);
    }
    Err(NoResponse::Fault(Fault::new(Cause::Proxy, Phase::Headers)))
}

async fn head(
    stream: &mut Stream<'_>,
    side: &ServerSide,
    upload: &mut Flow,
    watch: &mut Watch,
    asked: Asked,
) -> Result<Framing, NoResponse> {
    let mut reader = HeadReader::default();
    let limits = Limits {
        lenient: stream.backend_options().lenient_response,
        ..*stream.limits()
    };
    let watches_client = stream.aborts_on_close();
    let may_repeat = may_repeat(stream.exchange, side, upload);
    let (local, client) = (stream.local, &*stream.client);
    let response = &mut stream.exchange.response;
    poll_fn(|cx| {
        if let Poll::Ready(Err(error)) = upload.poll(&client.link, &side.link, &limits, cx) {
            match error {
                // The server reads no more: what it has to say still counts.
                FlowError::Sink => upload.discard(),
                FlowError::Source(error) => {
                    let fault = source(error, Side::Client, Phase::Headers);
                    return Poll::Ready(Err(NoResponse::Fault(fault)));
                }
            }
        }
        match reader.poll_response(&side.link, &limits, asked, response, cx) {
            Poll::Ready(Ok(framing)) => return Poll::Ready(Ok(framing)),
            Poll::Ready(Err(fault)) => return Poll::Ready(Err(missing(&fault, may_repeat))),
            Poll::Pending => {}
        }
        if let Some(interrupted) = broken(client, watches_client && upload.finished, cx) {
            let fault = interrupted.fault(Cause::ServerTimeout, Phase::Headers);
            return Poll::Ready(Err(NoResponse::Fault(fault)));
        }
        let awaited = [!upload.finished, upload.finished || side.link.unsent() > 0];
        watch
            .poll(local, client, &side.link, awaited, cx)
            .map(|side| Err(timed_out(side)))
    })
    .await
}

/// Whether the beginning of a chunked body, which came with the head, is malformed: nothing of the
/// response is passed on then.
fn is_broken(side: &ServerSide, limits: &Limits) -> bool {
    let beginning = side.link.peek();
    beginning.is_some_and(|bytes| check_chunks(&bytes, limits).is_err())
}

/// What became of a head that did not come.
fn missing(fault: &HeadFault, may_repeat: bool) -> NoResponse {
    match fault {
        // Half a head is an invalid response (manual, 8.5: `PH`).
        HeadFault::Refused(_) | HeadFault::Closed { begun: true } => {
            NoResponse::trouble(Trouble::JunkResponse, Cause::Proxy)
        }
        HeadFault::Closed { begun: false } | HeadFault::Failed(_) if may_repeat => {
            NoResponse::Stale
        }
        HeadFault::Closed { begun: false } | HeadFault::Failed(_) => {
            NoResponse::trouble(Trouble::EmptyResponse, Cause::ServerAbort)
        }
    }
}

fn timed_out(side: Side) -> NoResponse {
    match side {
        Side::Client => NoResponse::Fault(Fault::new(Cause::ClientTimeout, Phase::Headers)),
        Side::Server => NoResponse::trouble(Trouble::ResponseTimeout, Cause::ServerTimeout),
    }
}

/// Whether a request that met a closed idle connection may be sent again.
fn may_repeat(exchange: &Exchange, side: &ServerSide, upload: &Flow) -> bool {
    let is_idempotent = matches!(
        exchange.request.method(),
        b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE" | b"PUT" | b"DELETE"
    );
    side.is_reused && is_idempotent && upload.incoming.received() == 0
}

/// The fields that the frontend keeps for its log (manual, `capture response header`).
pub fn capture_fields(stream: &mut Stream<'_>) {
    let plan = stream.generation.plan();
    if let Some(frontend) = &plan.proxy(stream.client.frontend).frontend {
        let exchange = &mut *stream.exchange;
        let store = &mut exchange.captures.response;
        frontend.capture(&frontend.response_captures, &exchange.response, store);
        if let Some(cookie) = &frontend.cookie_capture {
            let lines = exchange.response.values_known(Known::SetCookie);
            cookie.take(lines, None, &mut exchange.facts.response_cookie);
        }
    }
}

/// A 1xx response goes to the client as it is; HTTP/1.0 knows none (RFC 9110, section 15.2).
fn pass_interim(stream: &mut Stream<'_>) {
    if !stream.exchange.request.version().is_11() {
        return;
    }
    tell(stream, &stream.exchange.response, ConnectionOut::SILENT);
    stream.client.link.flush();
}

/// What becomes of the two connections after the exchange, and how the body goes out.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    pub client_lives: bool,
    pub server_lives: bool,
    pub outgoing: Outgoing,
}

/// Decides how the response goes to the client (RFC 9112, sections 6.3 and 9.3).
pub fn course(stream: &Stream<'_>) -> Course {
    let exchange = &*stream.exchange;
    let (asked, given) = (&exchange.request_framing, &exchange.response_framing);
    let client_is_11 = exchange.request.version().is_11();
    let server_is_11 = exchange.response.version().is_11();
    let outgoing = match given.body {
        _ if exchange.codings.response.is_some() => Outgoing::Chunked,
        BodyLength::None if exchange.request.method() == b"HEAD" => Outgoing::Nothing,
        BodyLength::Tunnel => Outgoing::Stream,
        BodyLength::Chunked if client_is_11 => Outgoing::Chunked,
        _ => Outgoing::Plain,
    };
    let ends_with_connection = match given.body {
        BodyLength::UntilClose | BodyLength::Tunnel => true,
        // Chunked in HTTP/1.0 is no framing to all readers (RFC 9112, section 6.1).
        BodyLength::Chunked => !(client_is_11 && server_is_11),
        BodyLength::None | BodyLength::Length(_) => false,
    };
    Course {
        client_lives: asked.keep_alive && !ends_with_connection && stream.client_may_live(),
        server_lives: given.keep_alive
            && stream.server_may_live()
            && !matches!(given.body, BodyLength::UntilClose | BodyLength::Tunnel),
        outgoing,
    }
}

/// Writes a head to the client, its names spelled as the frontend wants them.
pub fn tell(stream: &Stream<'_>, head: &Head, connection: ConnectionOut) {
    let case = stream.front_options().client_name_case.as_deref();
    stream.client.link.write(|out| {
        let start = out.len();
        write_response(head, connection, out);
        if let Some(case) = case {
            case.apply(&mut out[start..]);
        }
    });
}

/// Writes the response's head to the client.
pub fn write_head(stream: &mut Stream<'_>, course: Course) {
    let is_tunnel = course.outgoing == Outgoing::Stream;
    let peer_10 = !stream.exchange.request.version().is_11();
    let response = &mut stream.exchange.response;
    if peer_10 && stream.exchange.response_framing.body == BodyLength::Chunked {
        response.remove(Known::TransferEncoding.text().as_bytes());
    }
    let connection = ConnectionOut {
        keep_alive: course.client_lives,
        peer_10,
        silent: is_tunnel,
    };
    tell(stream, &stream.exchange.response, connection);
    stream.exchange.response_begun = true;
}

/// The response's body on its way to the client.
pub fn download(stream: &Stream<'_>, course: Course) -> Flow {
    let body = Incoming::new(stream.exchange.response_framing.body);
    let mut flow = Flow::new(body, course.outgoing);
    flow.is_last = !course.client_lives;
    let algorithm = stream.exchange.codings.response;
    flow.coding = algorithm.map(|algorithm| Box::new(coding::begin(stream, algorithm)));
    flow
}

/// Whether a server asks for an authentication of the connection, as NTLM and Negotiate are
/// (manual, `http-reuse`).
pub fn authenticates_connection(response: &Head) -> bool {
    let field: &[u8] = match response.status() {
        401 => b"www-authenticate",
        407 => b"proxy-authenticate",
        _ => return false,
    };
    let is_of_connection = |value: &[u8]| {
        [&b"ntlm"[..], b"negotiate"].into_iter().any(|scheme| {
            let start = value.get(..scheme.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })
    };
    response.values(field).any(is_of_connection)
}
