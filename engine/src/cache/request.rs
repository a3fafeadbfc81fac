//! What a request asks of a cache.

use wire::Head;

use super::freshness::http_date;

/// What a request means to a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Answer it if you can, keep the response if not.
    Use,
    /// Keep the response (`Cache-Control: no-cache`).
    Refresh,
    /// Forget the object: the request may change it (RFC 9111, section 4.4).
    Forget,
}

/// A request as a cache sees it.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub key: Box<[u8]>,
    pub purpose: Purpose,
    pub is_head: bool,
    /// In lower case; `None` where there is no such field.
    accept_encoding: Option<Vec<u8>>,
    /// Empty where there is none.
    pub referer: Box<[u8]>,
    pub origin: Box<[u8]>,
}

impl Wanted {
    /// `None` for a request that no cache has to do with (manual, 6.1).
    pub fn of(request: &Head) -> Option<Self> {
        if !request.version().is_11() || request.contains(b"authorization") {
            return None;
        }
        let purpose = match request.method() {
            b"GET" | b"HEAD" if refuses_cached(request) => Purpose::Refresh,
            b"GET" | b"HEAD" => Purpose::Use,
            b"OPTIONS" | b"TRACE" | b"CONNECT" => return None,
            _ => Purpose::Forget,
        };
        let host = request.first(b"host").unwrap_or(b"");
        let owned = |name: &[u8]| Box::from(request.first(name).unwrap_or_default());
        let accepted: Vec<&[u8]> = request.values(b"accept-encoding").collect();
        Some(Self {
            key: [host, request.target()].concat().into(),
            purpose,
            is_head: request.method() == b"HEAD",
            accept_encoding: (!accepted.is_empty())
                .then(|| accepted.join(&b","[..]).to_ascii_lowercase()),
            referer: owned(b"referer"),
            origin: owned(b"origin"),
        })
    }

    /// Whether the client takes this coding; empty is none (RFC 9110, section 12.5.3).
    pub fn takes(&self, coding: &[u8]) -> bool {
        let coding = if coding.is_empty() {
            b"identity"
        } else {
            coding
        };
        let Some(accepted) = &self.accept_encoding else {
            return true;
        };
        let mut by_star = None;
        for item in accepted.split(|&byte| byte == b',') {
            let mut parts = item.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
            let token = parts.next().unwrap_or_default();
            let is_refused = parts.any(|part| {
                let weight = part.strip_prefix(b"q=");
                weight.is_some_and(|weight| weight.iter().all(|byte| b"0.".contains(byte)))
            });
            if token == coding {
                return !is_refused;
            }
            if token == b"*" {
                by_star = Some(!is_refused);
            }
        }
        by_star.unwrap_or(coding == b"identity")
    }
}

/// The client wants an answer of the server (RFC 9111, section 5.2.1).
fn refuses_cached(request: &Head) -> bool {
    let mut is_silent = true;
    for value in request.values(b"cache-control") {
        is_silent = false;
        let mut words = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        if words.any(|word| {
            let word = word.to_ascii_lowercase();
            matches!(&word[..], b"no-cache" | b"no-store" | b"max-age=0")
        }) {
            return true;
        }
    }
    is_silent
        && request
            .values(b"pragma")
            .any(|value| value.eq_ignore_ascii_case(b"no-cache"))
}

/// Whether the client has it already (RFC 9110, section 13.2.2).
pub fn is_not_modified(request: &Head, object: &Head) -> bool {
    if request.contains(b"if-none-match") {
        let opaque = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
        let own = object.first(b"etag").map(opaque);
        return request.values(b"if-none-match").any(|value| {
            let mut tags = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
            tags.any(|tag| tag == b"*" || Some(opaque(tag)) == own)
        });
    }
    let dates = (
        request.first(b"if-modified-since").and_then(http_date),
        object.first(b"last-modified").and_then(http_date),
    );
    matches!(dates, (Some(since), Some(modified)) if modified <= since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, fields: &[(&str, &str)]) -> Head {
        let mut head = Head::request(method.as_bytes(), b"/a?b");
        head.append(b"host", b"x");
        for (name, value) in fields {
            head.append(name.as_bytes(), value.as_bytes());
        }
        head
    }

    #[test]
    fn purposes() {
        for (method, fields, expected) in [
            ("GET", &[][..], Some(Purpose::Use)),
            ("HEAD", &[], Some(Purpose::Use)),
            (
                "GET",
                &[("cache-control", "no-cache")],
                Some(Purpose::Refresh),
            ),
            ("GET", &[("pragma", "no-cache")], Some(Purpose::Refresh)),
            ("GET", &[("authorization", "Basic x")], None),
            ("POST", &[], Some(Purpose::Forget)),
            ("OPTIONS", &[], None),
        ] {
            let wanted = Wanted::of(&request(method, fields));
            assert_eq!(
                wanted.as_ref().map(|wanted| wanted.purpose),
                expected,
                "{method} {fields:?}"
            );
            assert!(wanted.is_none_or(|wanted| *wanted.key == *b"x/a?b"));
        }
    }

    #[test]
    fn codings_that_a_client_takes() {
        for (accepted, coding, expected) in [
            ("gzip, br", "gzip", true),
            ("gzip;q=0", "gzip", false),
            ("gzip;q=0.000", "gzip", false),
            ("gzip;q=0.1", "gzip", true),
            ("br", "gzip", false),
            ("", "gzip", false),
            ("", "", true),
            ("*", "gzip", true),
            ("br", "", true),
            ("identity;q=0", "", false),
            ("*;q=0", "", false),
        ] {
            let wanted = Wanted::of(&request("GET", &[("accept-encoding", accepted)]));
            let takes = wanted.is_some_and(|wanted| wanted.takes(coding.as_bytes()));
            assert_eq!(takes, expected, "{accepted} {coding}");
        }
        let silent = Wanted::of(&request("GET", &[]));
        assert!(silent.is_some_and(|wanted| wanted.takes(b"gzip") && wanted.takes(b"")));
    }

    #[test]
    fn conditions() {
        let mut object = Head::response(200, b"OK");
        object.append(b"etag", b"\"a\"");
        object.append(b"last-modified", b"Thu, 22 Oct 2020 16:51:12 GMT");
        for (name, value, expected) in [
            ("if-none-match", "*", true),
            ("if-none-match", "\"b\", W/\"a\"", true),
            ("if-none-match", "\"b\"", false),
            ("if-modified-since", "Thu, 22 Oct 2020 16:51:12 GMT", true),
            ("if-modified-since", "Thu, 22 Oct 2020 16:51:11 GMT", false),
            ("if-modified-since", "nonsense", false),
            ("x", "y", false),
        ] {
            assert_eq!(
                is_not_modified(&request("GET", &[(name, value)]), &object),
                expected,
                "{value}"
            );
        }
    }
}
