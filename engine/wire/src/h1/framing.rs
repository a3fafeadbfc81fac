//! What a complete head says of its body's length and its connection.

use super::error::HeadError;
use super::host;
use super::parse::Limits;
use crate::head::{Edit, Head, Version};
use crate::name::Known;
use crate::text;

/// Where a body ends (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none.
    None,
    /// Exactly so many bytes, at least one.
    Length(u64),
    /// Chunked transfer coding: [`crate::h1::ChunkDecoder`] finds the end.
    Chunked,
    /// All that comes until the connection closes; responses only.
    UntilClose,
    /// No longer HTTP: both directions are relayed as they are (101, CONNECT with 2xx).
    Tunnel,
}

/// The other protocol that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// CONNECT: a tunnel after any 2xx.
    Connect,
    /// `upgrade: websocket` with its key (RFC 6455).
    Websocket,
    /// `upgrade` to anything else.
    Other,
}

/// The framing of one message, as decided from its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// Where the body ends.
    pub body: BodyLength,
    /// Whether the peer's connection may live after this message.
    pub keep_alive: bool,
    /// The protocol that a request asks for, or that a response grants.
    pub switch: Option<Switch>,
    /// The client waits for `100 Continue` before it sends its body (RFC 9110 section 10.1.1).
    pub expect_continue: bool,
}

/// What of a request decides how its response is framed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The method was HEAD: the response has no body whatever its fields say.
    pub head: bool,
    /// What the request asked to switch to.
    pub switch: Option<Switch>,
}

impl Asked {
    /// What decides of the request `head` with `framing`.
    pub fn of(head: &Head, framing: &Framing) -> Asked {
        Asked {
            head: head.method() == b"HEAD",
            switch: framing.switch,
        }
    }
}

/// Which known names a head contains, so that absent ones cost nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen(u64);

impl Seen {
    pub(super) fn note(&mut self, known: Known) {
        self.0 |= 1 << known as u32;
    }

    fn has(self, known: Known) -> bool {
        self.0 & (1 << known as u32) != 0
    }
}

/// Checks and normalises a complete request head, then tells its framing.
pub(super) fn request(head: &mut Head, seen: Seen, limits: &Limits) -> Result<Framing, HeadError> {
    host::check(head, seen.has(Known::Host), limits.lenient)?;
    let connection = connection(head, seen, true);
    let mut body = body_length(head, seen, false)?;
    let switch = requested_switch(head, &connection, limits.lenient)?;
    let mut keep_alive = connection.keep_alive(head.version());
    if seen.has(Known::TransferEncoding) {
        // RFC 9112 section 6.1: both fields, or chunked from an HTTP/1.0 client, may be an attempt at
        // smuggling; the request is served and the connection ends.
        keep_alive &= !seen.has(Known::ContentLength) && head.version().is_11();
    }
    if switch == Some(Switch::Connect) {
        if let BodyLength::Length(_) = body {
            // If no tunnel came of it, the body would be read as the next request.
            return Err(HeadError::ConnectBody);
        }
        keep_alive &= body == BodyLength::None;
        head.remove_known(Known::ContentLength);
        head.remove_known(Known::TransferEncoding);
        body = BodyLength::None;
    }
    let bodyless = matches!(head.method(), b"GET" | b"HEAD" | b"DELETE");
    if body != BodyLength::None
        && bodyless
        && !head.version().is_11()
        && !limits.body_with_any_method
    {
        return Err(HeadError::BodyNotAllowed);
    }
    let expect_continue = seen.has(Known::Expect)
        && head.version().is_11()
        && head
            .values_known(Known::Expect)
            .any(|v| v.eq_ignore_ascii_case(b"100-continue"));
    Ok(Framing {
        body,
        keep_alive,
        switch,
        expect_continue,
    })
}

/// Checks and normalises a complete response head, then tells its framing.
pub(super) fn response(
    head: &mut Head,
    seen: Seen,
    asked: Asked,
    lenient: bool,
) -> Result<Framing, HeadError> {
    let connection = connection(head, seen, false);
    let announced = body_length(head, seen, lenient)?;
    let status = head.status();
    let switch = granted_switch(head, &connection, asked, lenient)?;
    if switch.is_some() || status == 204 || status / 100 == 1 {
        // RFC 9112 section 6.2, RFC 9110 section 9.3.6: these never have a body nor say so.
        head.remove_known(Known::ContentLength);
        head.remove_known(Known::TransferEncoding);
    }
    let body = if switch.is_some() {
        BodyLength::Tunnel
    } else if asked.head || status == 204 || status == 304 || status / 100 == 1 {
        BodyLength::None
    } else if announced == BodyLength::None && !seen.has(Known::ContentLength) {
        BodyLength::UntilClose
    } else {
        announced
    };
    let ends = matches!(body, BodyLength::UntilClose | BodyLength::Tunnel);
    let doubtful = seen.has(Known::TransferEncoding)
        && (seen.has(Known::ContentLength) || !head.version().is_11());
    let keep_alive = !ends && !doubtful && connection.keep_alive(head.version());
    Ok(Framing {
        body,
        keep_alive,
        switch,
        expect_continue: false,
    })
}

/// Checks the fields behind a chunked body that a head would have to say right: a receiver might
/// take them for such. All others pass as they are.
pub(super) fn trailers(head: &mut Head, seen: Seen) -> Result<(), HeadError> {
    if seen.has(Known::Host) {
        host::merge(head)?;
    }
    if seen.has(Known::ContentLength) {
        content_length(head)?;
    }
    if seen.has(Known::TransferEncoding) {
        match chunked(head, false) {
            Ok(()) | Err(HeadError::TransferCoding) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What the `connection` and `upgrade` fields said before they were cleaned.
#[derive(Default)]
struct Connection {
    close: bool,
    persistent: bool,
    upgrade: bool,
}

impl Connection {
    fn keep_alive(&self, version: Version) -> bool {
        !self.close && (version.is_11() || self.persistent)
    }
}

/// Reads the hop-by-hop fields and removes what concerns only this hop: `close` and `keep-alive`,
/// the upgrade to HTTP/2, and `te` but for `trailers`. Other tokens of `connection` pass.
fn connection(head: &mut Head, seen: Seen, request: bool) -> Connection {
    let mut connection = Connection::default();
    if seen.has(Known::Te) {
        head.edit_known(Known::Te, te);
    }
    if seen.has(Known::Upgrade) {
        head.edit_known(Known::Upgrade, |value| {
            keep_elements(value, |protocol| {
                !protocol.eq_ignore_ascii_case(b"h2c") && !protocol.eq_ignore_ascii_case(b"h2")
            })
        });
    }
    if seen.has(Known::Connection) {
        for token in head
            .values_known(Known::Connection)
            .flat_map(text::elements)
        {
            connection.close |= token.eq_ignore_ascii_case(b"close");
            connection.persistent |= token.eq_ignore_ascii_case(b"keep-alive");
            connection.upgrade |= token.eq_ignore_ascii_case(b"upgrade");
        }
        connection.upgrade &= head.contains_known(Known::Upgrade);
        let upgrade = connection.upgrade;
        head.edit_known(Known::Connection, |value| {
            keep_elements(value, |token| {
                !(token.eq_ignore_ascii_case(b"close")
                    || token.eq_ignore_ascii_case(b"keep-alive")
                    || (token.eq_ignore_ascii_case(b"upgrade") && !upgrade))
            })
        });
    }
    if request && seen.has(Known::Upgrade) && !connection.upgrade {
        head.remove_known(Known::Upgrade);
    }
    connection
}

/// `te: trailers` is all that survives (RFC 9110 section 10.1.4).
fn te(value: &[u8]) -> Edit {
    match value {
        b"trailers" => Edit::Keep,
        _ if text::elements(value).any(|coding| coding == b"trailers") => {
            Edit::Replace(b"trailers".to_vec())
        }
        _ => Edit::Remove,
    }
}

/// Rewrites a list only if an element goes; a list with nothing but empty elements goes whole.
fn keep_elements(list: &[u8], keep: impl Fn(&[u8]) -> bool) -> Edit {
    let elements = || text::elements(list).filter(|element| !element.is_empty());
    if elements().next().is_some() && elements().all(&keep) {
        return Edit::Keep;
    }
    let mut kept = Vec::new();
    for element in elements().filter(|element| keep(element)) {
        if !kept.is_empty() {
            kept.extend_from_slice(b", ");
        }
        kept.extend_from_slice(element);
    }
    if kept.is_empty() {
        Edit::Remove
    } else {
        Edit::Replace(kept)
    }
}

fn requested_switch(
    head: &Head,
    connection: &Connection,
    lenient: bool,
) -> Result<Option<Switch>, HeadError> {
    if head.method() == b"CONNECT" {
        return Ok(Some(Switch::Connect));
    }
    if !connection.upgrade {
        return Ok(None);
    }
    if !is_websocket(head) {
        return Ok(Some(Switch::Other));
    }
    // RFC 6455 section 4.1: 16 random bytes in base64.
    match head.first_known(Known::SecWebsocketKey) {
        Some(key) if key.len() == 24 => Ok(Some(Switch::Websocket)),
        _ if lenient => Ok(Some(Switch::Websocket)),
        _ => Err(HeadError::Websocket),
    }
}

fn granted_switch(
    head: &Head,
    connection: &Connection,
    asked: Asked,
    lenient: bool,
) -> Result<Option<Switch>, HeadError> {
    match (head.status(), asked.switch) {
        (200..=299, Some(Switch::Connect)) => Ok(Some(Switch::Connect)),
        (101, None | Some(Switch::Connect)) => Err(HeadError::Switch),
        (101, Some(_)) if !connection.upgrade => Err(HeadError::Switch),
        (101, Some(Switch::Websocket))
            if !lenient && !head.contains_known(Known::SecWebsocketAccept) =>
        {
            Err(HeadError::Websocket)
        }
        (101, switch) => Ok(switch),
        _ => Ok(None),
    }
}

fn is_websocket(head: &Head) -> bool {
    head.values_known(Known::Upgrade)
        .flat_map(text::elements)
        .any(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
}

/// The announced length: `Content-Length` merged to one field, `Transfer-Encoding` checked, and
/// the former dropped where both stand (RFC 9112 section 6.3).
fn body_length(head: &mut Head, seen: Seen, lenient: bool) -> Result<BodyLength, HeadError> {
    let mut length = 0;
    if seen.has(Known::ContentLength) {
        length = content_length(head)?;
    }
    if seen.has(Known::TransferEncoding) {
        chunked(head, lenient)?;
        let mut is_first = true;
        head.edit_known(Known::TransferEncoding, |value| match value {
            _ if !std::mem::take(&mut is_first) => Edit::Remove,
            b"chunked" => Edit::Keep,
            _ => Edit::Replace(b"chunked".to_vec()),
        });
        head.remove_known(Known::ContentLength);
        return Ok(BodyLength::Chunked);
    }
    Ok(if length == 0 {
        BodyLength::None
    } else {
        BodyLength::Length(length)
    })
}

/// One length, whatever the number of times it is told (RFC 9110 section 8.6).
fn content_length(head: &mut Head) -> Result<u64, HeadError> {
    let mut length = None;
    let mut told = 0;
    for element in head
        .values_known(Known::ContentLength)
        .flat_map(text::elements)
    {
        let value = decimal(element).ok_or(HeadError::ContentLength)?;
        if length.is_some_and(|length| length != value) {
            return Err(HeadError::ContentLength);
        }
        length = Some(value);
        told += 1;
    }
    let length = length.ok_or(HeadError::ContentLength)?;
    let plain = head
        .first_known(Known::ContentLength)
        .is_some_and(|value| value.len() == 1 || value.first() != Some(&b'0'));
    if told > 1 || !plain {
        let mut first = true;
        head.edit_known(Known::ContentLength, |_| {
            if std::mem::take(&mut first) {
                Edit::Replace(itoa::Buffer::new().format(length).as_bytes().to_vec())
            } else {
                Edit::Remove
            }
        });
    }
    Ok(length)
}

/// Digits only, within 64 bits.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, digit| {
        if !digit.is_ascii_digit() {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// `chunked` must be the last coding and stand once; any other coding is not decoded here.
fn chunked(head: &Head, lenient: bool) -> Result<(), HeadError> {
    let mut chunked = false;
    let mut others = false;
    for coding in head
        .values_known(Known::TransferEncoding)
        .flat_map(text::elements)
    {
        let is_again = chunked && coding.eq_ignore_ascii_case(b"chunked");
        if lenient && (coding.is_empty() || is_again) {
            continue;
        }
        if chunked || coding.is_empty() {
            return Err(HeadError::TransferEncoding);
        }
        chunked = coding.eq_ignore_ascii_case(b"chunked");
        others |= !chunked;
    }
    match (chunked, others) {
        (true, false) => Ok(()),
        (true, true) => Err(HeadError::TransferCoding),
        (false, _) => Err(HeadError::TransferEncoding),
    }
}
