//! Answers made here: error pages, what rules return, what services produce.

use reactor::Seg;
use wire::h1::{Asked, ConnectionOut, HeadParser, Limits, Parse, Switch};
use wire::{Head, Known};

use super::{Next, Stream, decide};
use crate::plan::ErrorPage;
use crate::rules::{Answer, AnswerBody};
use crate::service::Message;

/// Answers with the page that is configured for `status`, or else with HAProxy's own.
pub fn error(stream: &mut Stream<'_>, status: u16) -> Next {
    send(stream, &Answer::error(status))
}

/// Refuses a request that never became whole: the message goes out as it is written, with its own
/// word on the connection. No rule sees it, and whatever is left of the request stays unread.
pub fn refuse(stream: &mut Stream<'_>, status: u16) -> Next {
    let message = match page_of(stream, status) {
        Some(ErrorPage::Message(message)) => message,
        // `http-error` may speak of the request, and there is none.
        Some(ErrorPage::Reply(_)) | None => Message::of_error(status).raw.as_bytes(),
        Some(ErrorPage::Silent | ErrorPage::Location { .. }) => {
            stream.exchange.request_framing.keep_alive = false;
            return error(stream, status);
        }
    };
    stream.exchange.facts.status = i32::from(status);
    let link = &stream.client.link;
    link.write(|out| out.extend_from_slice(message));
    link.flush();
    stream.exchange.response_begun = true;
    Next::Close
}

/// Sends an answer; tells whether the connection may go on.
pub fn send(stream: &mut Stream<'_>, answer: &Answer) -> Next {
    let page = configured_page(stream, answer);
    let answer = page.as_ref().unwrap_or(answer);
    let Some(made) = make(stream, answer) else {
        stream.exchange.facts.status = -1;
        return Next::Close;
    };
    decide::after_response(stream);
    deliver(stream, made)
}

/// Sends the hint that a rule has made; HTTP/1.0 knows none (RFC 9110, section 15.2).
pub fn early_hint(stream: &mut Stream<'_>) {
    let Some((name, value)) = stream.exchange.overrides.hint.take() else {
        return;
    };
    if !stream.exchange.request.version().is_11() {
        return;
    }
    let mut head = begin(103);
    head.append(&name, &value);
    super::response::tell(stream, &head, ConnectionOut::SILENT);
    stream.client.link.flush();
}

/// Sends a whole HTTP message that was made here.
pub fn message(stream: &mut Stream<'_>, message: &[u8]) -> Next {
    match whole(&mut stream.exchange.response, message) {
        Some(made) => {
            decide::after_response(stream);
            deliver(stream, made)
        }
        None => Next::Close,
    }
}

/// The body of an answer whose head stands in the exchange.
struct Made {
    body: Seg,
    /// The message itself ends the connection.
    closes: bool,
}

impl Made {
    fn new(body: Seg) -> Made {
        Made {
            body,
            closes: false,
        }
    }
}

/// Sends the head that stands in the exchange, and what was made for it.
fn deliver(stream: &mut Stream<'_>, Made { body, closes }: Made) -> Next {
    let status = stream.exchange.response.status();
    stream.exchange.facts.status = i32::from(status);
    let lives = !closes
        && stream.exchange.request_framing.keep_alive
        && stream.client_may_live()
        && stream.exchange.request_framing.switch != Some(Switch::Connect);
    let request = &stream.exchange.request;
    let is_head = request.method() == b"HEAD";
    let connection = ConnectionOut {
        keep_alive: lives,
        peer_10: !request.version().is_11(),
        silent: false,
    };
    super::response::tell(stream, &stream.exchange.response, connection);
    let link = &stream.client.link;
    if !is_head {
        link.send(body);
    }
    link.flush();
    stream.exchange.response_begun = true;
    if lives { Next::Again } else { Next::Close }
}

/// Sends the response whose head stands in the exchange.
pub fn whole_response(stream: &mut Stream<'_>, body: Seg) -> Next {
    decide::after_response(stream);
    deliver(stream, Made::new(body))
}

/// Makes the response's head in the exchange; `None` closes without a word.
fn make(stream: &mut Stream<'_>, answer: &Answer) -> Option<Made> {
    let (content_type, bytes): (_, &[u8]) = match &answer.body {
        AnswerBody::ErrorFile => {
            let made = error_page(stream, answer.status)?;
            append_fields(&mut stream.exchange.response, answer);
            return Some(made);
        }
        AnswerBody::Message(message) if message.is_empty() => return None,
        AnswerBody::Message(message) => return whole(&mut stream.exchange.response, message),
        AnswerBody::Empty => {
            let response = &mut stream.exchange.response;
            *response = begin(answer.status);
            append_length(response, 0);
            append_fields(response, answer);
            return Some(Made::new(Seg::constant(b"")));
        }
        AnswerBody::Content {
            content_type,
            bytes,
        } => (content_type, bytes),
        AnswerBody::Shared {
            content_type,
            bytes,
        } => (content_type, bytes),
    };
    let response = &mut stream.exchange.response;
    *response = begin(answer.status);
    append_fields(response, answer);
    append_length(response, bytes.len());
    if let Some(content_type) = content_type {
        response.append(b"content-type", content_type.as_bytes());
    }
    Some(Made::new(Seg::heap(bytes.to_vec())))
}

fn begin(status: u16) -> Head {
    Head::response(status, wire::status::reason(status).as_bytes())
}

fn append_fields(response: &mut Head, answer: &Answer) {
    for (name, value) in &answer.fields {
        response.append(name, value);
    }
}

fn append_length(response: &mut Head, length: usize) {
    response.append_with(b"content-length", |out| {
        out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
    });
}

/// The page that stands for a status: the backend's, then the frontend's.
fn page_of<'g>(stream: &Stream<'g>, status: u16) -> Option<&'g ErrorPage> {
    let plan = stream.generation.plan();
    [stream.backend(), stream.client.frontend]
        .into_iter()
        .find_map(|proxy| plan.proxy(proxy).error_pages.page(status))
}

/// What `http-error` says for an answer that is the proxy's own page; its fields come after.
fn configured_page(stream: &Stream<'_>, answer: &Answer) -> Option<Answer> {
    if answer.body != AnswerBody::ErrorFile {
        return None;
    }
    let Some(ErrorPage::Reply(reply)) = page_of(stream, answer.status) else {
        return None;
    };
    let mut page = stream.with_cx(|cx| reply.render(cx));
    page.fields.extend_from_slice(&answer.fields);
    Some(page)
}

fn error_page(stream: &mut Stream<'_>, status: u16) -> Option<Made> {
    let page = page_of(stream, status);
    let response = &mut stream.exchange.response;
    match page {
        Some(ErrorPage::Silent) => None,
        Some(ErrorPage::Message(message)) => whole(response, message),
        Some(ErrorPage::Location { status, url }) => {
            *response = begin(*status);
            append_length(response, 0);
            response.append(b"cache-control", b"no-cache");
            response.append(b"location", url.as_bytes());
            Some(Made::new(Seg::constant(b"")))
        }
        Some(ErrorPage::Reply(_)) | None => {
            whole(response, Message::of_error(status).raw.as_bytes())
        }
    }
}

/// A whole HTTP message as it stands in a file: its head is parsed like any other, and it keeps its
/// version. Without a length only the connection's end tells where it ends (RFC 9112, section 6.3).
fn whole(response: &mut Head, message: &[u8]) -> Option<Made> {
    let parsed =
        HeadParser::new().response(message, &Limits::default(), Asked::default(), response);
    let Ok(Parse::Complete { consumed, framing }) = parsed else {
        debug_assert!(false, "error files are checked when they are loaded");
        return None;
    };
    let has_length = response.contains_known(Known::ContentLength);
    let asks_to_close = response.version().is_11() && !framing.keep_alive;
    Some(Made {
        body: Seg::heap(message[consumed..].to_vec()),
        closes: asks_to_close || !has_length,
    })
}
