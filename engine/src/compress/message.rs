//! Which messages are compressed, and what their heads say then.

use wire::{Head, Known};

use super::{Algorithm, Compression, Direction};

/// The algorithm that both sides know: the one that the client likes best, by its `q`, then by its
/// order (RFC 9110, section 12.5.3).
pub fn chosen(request: &Head, direction: &Direction) -> Option<Algorithm> {
    if !request.version().is_11() || is_old_browser(request) {
        return None;
    }
    let mut best: Option<(u32, Algorithm)> = None;
    for value in request.values(b"accept-encoding") {
        for item in value.split(|&byte| byte == b',') {
            let (token, quality) = weighted(item);
            // Of two that answer to one name the later line counts.
            let found =
                direction.algorithms.iter().rev().find(|algorithm| {
                    token == b"*" || token.eq_ignore_ascii_case(algorithm.token())
                });
            if let Some(&algorithm) = found
                && quality > best.map_or(0, |(quality, _)| quality)
            {
                best = Some((quality, algorithm));
            }
        }
    }
    best.map(|(_, algorithm)| algorithm)
}

/// A token and its `q` in thousandths.
fn weighted(item: &[u8]) -> (&[u8], u32) {
    let mut parts = item.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    let token = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix(b"q=").or(part.strip_prefix(b"Q=")));
    (token, quality.map_or(1_000, thousandths))
}

/// `0.8` is 800; what is no number is 0.
fn thousandths(text: &[u8]) -> u32 {
    let rest = match text {
        [b'0', rest @ ..] => rest,
        [b'1', ..] => return 1_000,
        _ => return 0,
    };
    let digits = rest.strip_prefix(b".").unwrap_or_default();
    let value = |byte: &u8| u32::from(byte.saturating_sub(b'0').min(9));
    let scaled = digits.iter().zip([100, 10, 1]);
    scaled.map(|(byte, scale)| value(byte) * scale).sum()
}

/// Browsers that say they can and cannot (manual, `compression`): `Mozilla/4`, unless it is MSIE 6
/// with the service pack, or MSIE 7 and later.
fn is_old_browser(request: &Head) -> bool {
    let Some(agent) = request
        .first(b"user-agent")
        .filter(|agent| agent.starts_with(b"Mozilla/4"))
    else {
        return false;
    };
    let Some(at) = memchr::memmem::find(agent, b"MSIE ") else {
        return true;
    };
    let version = &agent[at + 5..];
    match version {
        [b'7'..=b'9', b'.', ..] | [b'1'..=b'9', b'0'..=b'9', ..] => false,
        [b'6', b'.', ..] => memchr::memmem::find(version, b"SV1").is_none(),
        _ => true,
    }
}

/// `compression offload`: servers are not asked for what is done here.
pub fn offload(request: &mut Head, settings: &Compression) {
    if settings.offload {
        request.remove(b"accept-encoding");
    }
}

/// Whether a response is to be compressed; `bytes` as far as the length is known.
pub fn fits_response(response: &Head, bytes: u64, direction: &Direction) -> bool {
    matches!(response.status(), 200..=203)
        && response.version().is_11()
        && bytes >= direction.min_bytes
        && !response.contains(b"content-encoding")
        && is_of_type(response, direction)
        && !forbids_change(response)
        && has_sound_etag(response)
}

/// The same for a request.
pub fn fits_request(request: &Head, bytes: u64, direction: &Direction) -> bool {
    request.version().is_11()
        && bytes >= direction.min_bytes
        && !request.contains(b"content-encoding")
        && is_of_type(request, direction)
        && !forbids_change(request)
}

fn is_of_type(head: &Head, direction: &Direction) -> bool {
    let Some(value) = head.first(b"content-type") else {
        return direction.types.is_empty();
    };
    let begins = |with: &[u8]| {
        let start = value.get(..with.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    if begins(b"multipart") {
        return false;
    }
    direction.types.is_empty() || direction.types.iter().any(|wanted| begins(wanted))
}

/// `Cache-Control: no-transform` (RFC 9111, section 5.2.2.6).
fn forbids_change(head: &Head) -> bool {
    head.values(b"cache-control").any(|value| {
        let mut words = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        words.any(|word| word.eq_ignore_ascii_case(b"no-transform"))
    })
}

/// One entity tag at most, and a well-formed one: `"..."` or `W/"..."`.
fn has_sound_etag(response: &Head) -> bool {
    let mut tags = response.values(b"etag");
    let Some(tag) = tags.next() else { return true };
    let opaque = tag.strip_prefix(b"W/").unwrap_or(tag);
    let is_quoted = opaque.len() >= 2 && opaque.starts_with(b"\"") && opaque.ends_with(b"\"");
    is_quoted && tags.next().is_none()
}

/// The head of a response that goes out compressed: a body of another length, an entity tag that
/// says "equivalent" instead of "equal", and a word to caches.
pub fn shape_response(response: &mut Head, algorithm: Algorithm) {
    let strong = response.positions(b"etag").next();
    if let Some(at) = strong
        && let Some((_, tag)) = response.field(at)
        && !tag.starts_with(b"W/")
    {
        let weak = [b"W/", tag].concat();
        response.replace_value(at, &weak);
    }
    chunk(response);
    vary(response);
    response.append(b"content-encoding", algorithm.token());
}

/// The head of a request that goes out compressed.
pub fn shape_request(request: &mut Head, algorithm: Algorithm) {
    chunk(request);
    request.append(b"content-encoding", algorithm.token());
}

fn chunk(head: &mut Head) {
    if head.remove(b"content-length") {
        head.append_with(Known::TransferEncoding.text().as_bytes(), |out| {
            out.extend_from_slice(b"chunked");
        });
    }
}

fn vary(response: &mut Head) {
    const NAME: &[u8] = b"Accept-Encoding";
    let has_name = |value: &[u8]| {
        let mut words = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        words.any(|word| word.eq_ignore_ascii_case(NAME) || word == b"*")
    };
    if response.values(b"vary").any(has_name) {
        return;
    }
    let last = response.positions(b"vary").next_back();
    match last.and_then(|at| Some((at, response.field(at)?.1.trim_ascii().to_vec()))) {
        Some((at, value)) if !value.is_empty() => {
            response.replace_value(at, &[&value[..], b",", NAME].concat());
        }
        Some((at, _)) => response.replace_value(at, NAME),
        None => response.append(b"vary", NAME),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direction() -> Direction {
        Direction {
            algorithms: [Algorithm::Gzip, Algorithm::Deflate].into(),
            types: [b"text/plain"[..].into(), b"text/html"[..].into()].into(),
            min_bytes: 10,
        }
    }

    fn request(fields: &[(&str, &str)]) -> Head {
        let mut head = Head::request(b"GET", b"/");
        for (name, value) in fields {
            head.append(name.as_bytes(), value.as_bytes());
        }
        head
    }

    fn response(fields: &[(&str, &str)]) -> Head {
        let mut head = Head::response(200, b"OK");
        head.append(b"content-type", b"text/plain; charset=utf-8");
        for (name, value) in fields {
            head.append(name.as_bytes(), value.as_bytes());
        }
        head
    }

    /// As HAProxy 3.5 chooses.
    #[test]
    fn what_the_client_likes_best() {
        let (gzip, deflate) = (Some(Algorithm::Gzip), Some(Algorithm::Deflate));
        for (accepted, expected) in [
            ("gzip", gzip),
            ("GZIP", gzip),
            ("deflate, gzip;q=0.5", deflate),
            ("deflate;q=0.5, gzip", gzip),
            ("deflate;q=0.25,gzip; q=0.3", gzip),
            ("gzip;q=0", None),
            ("*", deflate),
            ("gzip, *", gzip),
            ("br", None),
            ("gzip;q=nonsense", None),
            ("", None),
        ] {
            let request = request(&[("accept-encoding", accepted)]);
            assert_eq!(chosen(&request, &direction()), expected, "{accepted}");
        }
        assert_eq!(chosen(&request(&[]), &direction()), None);
    }

    #[test]
    fn old_browsers() {
        for (agent, is_old) in [
            ("Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.0)", true),
            (
                "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)",
                false,
            ),
            ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0)", false),
            ("Mozilla/4.0 (compatible; MSIE 10.0)", false),
            ("Mozilla/4.0", true),
            ("Mozilla/5.0", false),
            ("curl/8", false),
        ] {
            assert_eq!(
                is_old_browser(&request(&[("user-agent", agent)])),
                is_old,
                "{agent}"
            );
        }
    }

    #[test]
    fn responses_that_are_left_alone() {
        for (fields, expected) in [
            (&[][..], true),
            (&[("etag", "\"a\"")], true),
            (&[("etag", "W/\"a\"")], true),
            (&[("etag", "\"\"")], true),
            (&[("etag", "\"a")], false),
            (&[("etag", "a")], false),
            (&[("etag", "\"")], false),
            (&[("etag", "\"a\""), ("etag", "\"b\"")], false),
            (&[("content-encoding", "br")], false),
            (&[("cache-control", "max-age=1, no-transform")], false),
            (&[("cache-control", "max-age=1")], true),
        ] {
            assert_eq!(
                fits_response(&response(fields), 10, &direction()),
                expected,
                "{fields:?}"
            );
        }
        assert!(!fits_response(&response(&[]), 9, &direction()));
        let mut other = response(&[]);
        other.set(b"content-type", b"image/png");
        assert!(!fits_response(&other, 10, &direction()));
        other.set(b"content-type", b"Multipart/byteranges");
        assert!(!fits_response(
            &other,
            10,
            &Direction {
                types: Box::default(),
                ..direction()
            }
        ));
        other.set_status(404, None);
        other.set(b"content-type", b"text/html");
        assert!(!fits_response(&other, 10, &direction()));
    }

    #[test]
    fn heads_of_compressed_responses() {
        for (vary, expected) in [
            (None, "Accept-Encoding"),
            (Some(""), "Accept-Encoding"),
            (Some("Other"), "Other,Accept-Encoding"),
            (Some("Other,Accept-Encoding"), "Other,Accept-Encoding"),
            (Some("accept-encoding , Other"), "accept-encoding , Other"),
        ] {
            let mut head = response(&[("etag", "\"a\""), ("content-length", "10")]);
            if let Some(value) = vary {
                head.append(b"vary", value.as_bytes());
            }
            shape_response(&mut head, Algorithm::RawDeflate);
            assert_eq!(head.first(b"vary"), Some(expected.as_bytes()));
            assert_eq!(head.first(b"etag"), Some(&b"W/\"a\""[..]));
            assert_eq!(head.first(b"transfer-encoding"), Some(&b"chunked"[..]));
            assert_eq!(head.first(b"content-encoding"), Some(&b"deflate"[..]));
            assert!(!head.contains(b"content-length"));
        }
    }
}
