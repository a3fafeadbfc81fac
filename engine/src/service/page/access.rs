//! Who may see the page, and who may change something on it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The users of a page (`stats auth`); empty lets everybody in.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// `user:password` in base64, as a client sends it.
    credentials: Vec<String>,
}

impl Access {
    /// From pairs of user and password.
    pub fn new<'a>(users: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let encode = |(user, password)| STANDARD.encode(format!("{user}:{password}"));
        Self {
            credentials: users.into_iter().map(encode).collect(),
        }
    }

    /// Whether the value of an `authorization` field lets its sender in (RFC 7617).
    pub fn allows(&self, authorization: Option<&[u8]>) -> bool {
        if self.credentials.is_empty() {
            return true;
        }
        let Some((scheme, token)) = authorization.and_then(split_scheme) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(b"basic")
            && self
                .credentials
                .iter()
                .any(|known| same(known.as_bytes(), token))
    }
}

fn split_scheme(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = memchr::memchr(b' ', value)?;
    Some((&value[..blank], value[blank..].trim_ascii()))
}

/// Compares without telling by its duration how much was right.
fn same(known: &[u8], given: &[u8]) -> bool {
    let difference = known.iter().zip(given).fold(0, |all, (a, b)| all | (a ^ b));
    known.len() == given.len() && difference == 0
}

/// Whether a request that changes something was sent from the page itself: the host in `origin`,
/// or else in `referer`, is that of `host`. A request without both was sent by no browser.
pub fn same_origin(host: Option<&[u8]>, origin: Option<&[u8]>, referer: Option<&[u8]>) -> bool {
    let Some(from) = origin.or(referer) else {
        return true;
    };
    let Some(start) = memchr::memmem::find(from, b"://") else {
        return false;
    };
    let authority = &from[start + 3..];
    let end = authority
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let authority = &authority[..end.unwrap_or(authority.len())];
    host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_authentication() {
        let access = Access::new([("admin", "AdMiN123"), ("a", "b")]);
        assert!(access.allows(Some(b"Basic YTpi")));
        assert!(access.allows(Some(b"basic  YTpi")));
        assert!(access.allows(Some(b"Basic YWRtaW46QWRNaU4xMjM=")));
        for bad in [
            &b"Basic YTpj"[..],
            b"Bearer YTpi",
            b"Basic",
            b"Basic YTp",
            b"",
        ] {
            assert!(!access.allows(Some(bad)), "{bad:?}");
        }
        assert!(!access.allows(None));
        assert!(Access::default().allows(None));
    }

    #[test]
    fn changes_come_from_the_page() {
        let host = Some(&b"lb.example:8083"[..]);
        assert!(same_origin(host, Some(b"http://lb.example:8083"), None));
        assert!(same_origin(
            host,
            None,
            Some(b"http://lb.example:8083/stats;up")
        ));
        assert!(same_origin(host, None, None), "no browser");
        assert!(!same_origin(host, Some(b"http://evil.example"), None));
        assert!(!same_origin(
            host,
            Some(b"null"),
            Some(b"http://lb.example:8083/")
        ));
        assert!(!same_origin(None, Some(b"http://lb.example:8083"), None));
    }
}
