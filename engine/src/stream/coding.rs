//! Bodies that are compressed on their way (manual 4.2, `compression`).

use reactor::Seg;
use wire::h1::BodyLength;

use super::connect::ServerSide;
use super::{Stream, retry};
use crate::compress::{self, Algorithm, Coder, Compression};
use crate::mux::Link;
use crate::mux::h1::Outgoing;
use crate::plan::ProxyId;

/// Coded bytes that are put on the receiver's link at once, unless the sender pauses.
const PIECE_BYTES: usize = 8_192;

/// What is compressed of an exchange.
#[derive(Clone, Copy, Debug, Default)]
pub struct Codings {
    /// The request's body goes out so.
    pub request: Option<Algorithm>,
    /// What the client would take.
    accepted: Option<Algorithm>,
    /// The response's body goes out so.
    pub response: Option<Algorithm>,
}

/// A body that is compressed on its way.
pub struct Coding {
    coder: Coder,
    /// What came out and was not put on the link yet.
    coded: Vec<u8>,
    bytes_in: u64,
    bytes_out: u64,
}

impl Coding {
    /// Takes a piece of body; puts what came out on the link when it is worth it.
    pub fn put(&mut self, outgoing: Outgoing, to: &Link, piece: &[u8]) {
        self.bytes_in += piece.len() as u64;
        self.coder.feed(piece, &mut self.coded);
        if self.coded.len() >= PIECE_BYTES {
            self.emit(outgoing, to);
        }
    }

    /// The sender pauses: the receiver gets all that there is.
    pub fn pause(&mut self, outgoing: Outgoing, to: &Link) {
        self.coder.flush(&mut self.coded);
        self.emit(outgoing, to);
    }

    /// The body is over.
    pub fn finish(&mut self, outgoing: Outgoing, to: &Link) {
        self.coder.finish(&mut self.coded);
        self.emit(outgoing, to);
    }

    fn emit(&mut self, outgoing: Outgoing, to: &Link) {
        if !self.coded.is_empty() {
            self.bytes_out += self.coded.len() as u64;
            outgoing.data(to, Seg::heap(std::mem::take(&mut self.coded)));
        }
    }
}

/// A body begins to go out compressed.
pub fn begin(stream: &Stream<'_>, algorithm: Algorithm) -> Coding {
    let level = stream.generation.plan().process.compression_level;
    Coding {
        coder: stream.local.coders.take(algorithm, level),
        coded: Vec::new(),
        bytes_in: 0,
        bytes_out: 0,
    }
}

/// Whose lines count: the backend's, or else the frontend's.
fn settings<'s>(stream: &Stream<'s>) -> Option<&'s Compression> {
    let plan = stream.generation.plan();
    let of = |proxy: ProxyId| plan.proxy(proxy).compression.as_ref();
    of(stream.backend()).or_else(|| of(stream.client.frontend))
}

/// Before the request goes out: what the client would take of a response, and whether the request's
/// own body is compressed. Bodies that may have to be sent twice are left as they are.
pub fn on_request(stream: &mut Stream<'_>) {
    let Some(settings) = settings(stream) else {
        return;
    };
    let repeats = retry::wants_request(stream, stream.backend());
    let exchange = &mut *stream.exchange;
    if let Some(responses) = &settings.responses {
        exchange.codings.accepted = compress::chosen(&exchange.request, responses);
        compress::offload(&mut exchange.request, settings);
    }
    if let Some(requests) = settings.requests.as_ref().filter(|_| !repeats)
        && let Some(bytes) = bytes(exchange.request_framing.body, &stream.client.link)
        && compress::fits_request(&exchange.request, bytes, requests)
    {
        exchange.codings.request = requests.algorithms.first().copied();
        if let Some(algorithm) = exchange.codings.request {
            compress::shape_request(&mut exchange.request, algorithm);
        }
    }
}

/// Before the response's head goes out: whether its body is compressed.
pub fn on_response(stream: &mut Stream<'_>, side: &ServerSide) {
    let Some(algorithm) = stream.exchange.codings.accepted else {
        return;
    };
    let responses = settings(stream).and_then(|settings| settings.responses.as_ref());
    let exchange = &mut *stream.exchange;
    if let Some(responses) = responses
        && let Some(bytes) = bytes(exchange.response_framing.body, &side.link)
        && compress::fits_response(&exchange.response, bytes, responses)
    {
        compress::shape_response(&mut exchange.response, algorithm);
        exchange.codings.response = Some(algorithm);
        let stats = &stream.generation.stats;
        stats
            .front(stream.client.frontend)
            .compressed_responses
            .inc();
        stats.back(stream.backend()).compressed_responses.inc();
    }
}

/// A response's body that is there as a whole, compressed; `None` where it goes out as it is.
pub fn whole(stream: &mut Stream<'_>, body: &[u8]) -> Option<Vec<u8>> {
    let responses = settings(stream)?.responses.as_ref()?;
    let exchange = &mut *stream.exchange;
    let algorithm = compress::chosen(&exchange.request, responses)?;
    let bytes = body.len() as u64;
    if bytes == 0 || !compress::fits_response(&exchange.response, bytes, responses) {
        return None;
    }
    compress::shape_response(&mut exchange.response, algorithm);
    let mut coding = begin(stream, algorithm);
    let mut coded = Vec::with_capacity(body.len() / 2);
    coding.coder.feed(body, &mut coded);
    coding.coder.finish(&mut coded);
    (coding.bytes_in, coding.bytes_out) = (bytes, coded.len() as u64);
    let response = &mut stream.exchange.response;
    response.remove(b"transfer-encoding");
    response.append_with(b"content-length", |out| {
        out.extend_from_slice(coded.len().to_string().as_bytes());
    });
    let stats = &stream.generation.stats;
    stats
        .front(stream.client.frontend)
        .compressed_responses
        .inc();
    stats.back(stream.backend()).compressed_responses.inc();
    received(stream, Some(Box::new(coding)));
    Some(coded)
}

/// Bytes of a body, as far as they are known when its head is; `None` for one that is not compressed:
/// there is none, or its end is the connection's.
fn bytes(body: BodyLength, from: &Link) -> Option<u64> {
    match body {
        BodyLength::None | BodyLength::Length(0) => None,
        BodyLength::Length(bytes) => Some(bytes),
        // What has come with the head.
        BodyLength::Chunked => Some(from.queued() as u64),
        BodyLength::UntilClose | BodyLength::Tunnel => None,
    }
}

/// A request's body has gone, or will not: the coder's memory is kept.
pub fn sent(stream: &Stream<'_>, coding: Option<Box<Coding>>) {
    if let Some(coding) = coding {
        stream.local.coders.give_back(coding.coder);
    }
}

/// The same for a response's, which is counted.
pub fn received(stream: &Stream<'_>, coding: Option<Box<Coding>>) {
    let Some(coding) = coding else { return };
    let stats = &stream.generation.stats;
    let (front, back) = (
        stats.front(stream.client.frontend),
        stats.back(stream.backend()),
    );
    front.compressor_in.add(coding.bytes_in);
    front.compressor_out.add(coding.bytes_out);
    back.compressor_in.add(coding.bytes_in);
    back.compressor_out.add(coding.bytes_out);
    stream.local.coders.give_back(coding.coder);
}
