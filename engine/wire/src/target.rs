//! The parts of a request target (RFC 9112 section 3.2).

use crate::head::Head;
use crate::name::Known;

/// The four forms of a request target (RFC 9112 sections 3.2.1 to 3.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetForm {
    /// `/path?query`
    Origin,
    /// `scheme://authority/path?query`
    Absolute,
    /// `host:port`, with CONNECT only
    Authority,
    /// `*`, with OPTIONS only
    Asterisk,
}

/// A request target taken apart; all parts borrow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// Which form it has.
    pub form: TargetForm,
    /// The scheme without `://`; empty unless absolute.
    pub scheme: &'a [u8],
    /// User information, host and port; empty unless absolute or authority.
    pub authority: &'a [u8],
    /// Path, `?` and query as sent; may be empty in an absolute target. `*` for the asterisk form.
    pub path_and_query: &'a [u8],
}

impl<'a> Target<'a> {
    /// Takes `target` apart; `connect` tells that the method is CONNECT.
    ///
    /// Anything that does not begin with `/` and is neither `*` nor absolute counts as an authority.
    pub fn split(target: &'a [u8], connect: bool) -> Target<'a> {
        let bare = |form, authority, path_and_query| Target {
            form,
            scheme: &[],
            authority,
            path_and_query,
        };
        if connect {
            return bare(TargetForm::Authority, target, &[]);
        }
        if target.first() == Some(&b'/') {
            return bare(TargetForm::Origin, &[], target);
        }
        if target == b"*" {
            return bare(TargetForm::Asterisk, &[], target);
        }
        let Some(colon) = scheme_len(target) else {
            return bare(TargetForm::Authority, target, &[]);
        };
        let rest = &target[colon + 3..];
        let end = rest
            .iter()
            .position(|b| matches!(b, b'/' | b'?' | b'#'))
            .unwrap_or(rest.len());
        Target {
            form: TargetForm::Absolute,
            scheme: &target[..colon],
            authority: &rest[..end],
            path_and_query: &rest[end..],
        }
    }

    /// The path without query; empty if there is none.
    pub fn path(&self) -> &'a [u8] {
        split_query(self.path_and_query).0
    }

    /// What follows the first `?`, if there is one.
    pub fn query(&self) -> Option<&'a [u8]> {
        split_query(self.path_and_query).1
    }

    /// The authority without user information: `host:port` or `host`.
    pub fn host_and_port(&self) -> &'a [u8] {
        match memchr::memrchr(b'@', self.authority) {
            Some(at) => &self.authority[at + 1..],
            None => self.authority,
        }
    }
}

/// Length of the scheme if `target` begins with `scheme://` (RFC 3986 section 3.1).
fn scheme_len(target: &[u8]) -> Option<usize> {
    let colon = memchr::memchr(b':', target)?;
    let (scheme, rest) = target.split_at(colon);
    let valid = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    (valid && rest.starts_with(b"://")).then_some(colon)
}

fn split_query(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'?', text) {
        Some(mark) => (&text[..mark], Some(&text[mark + 1..])),
        None => (text, None),
    }
}

impl Head {
    /// The request target taken apart.
    pub fn target_parts(&self) -> Target<'_> {
        Target::split(self.target(), self.method() == b"CONNECT")
    }

    /// The path without query; empty for CONNECT and for an absolute target without one.
    pub fn path(&self) -> &[u8] {
        self.target_parts().path()
    }

    /// What follows the first `?` of the target, if there is one.
    pub fn query(&self) -> Option<&[u8]> {
        self.target_parts().query()
    }

    /// Path and query; in the common origin form this is the whole target.
    pub fn path_and_query(&self) -> &[u8] {
        self.target_parts().path_and_query
    }

    /// The first `Host` value, or else the target's authority without user information.
    pub fn host(&self) -> &[u8] {
        match self.first_known(Known::Host) {
            Some(host) => host,
            None => self.target_parts().host_and_port(),
        }
    }

    /// Replaces the path and leaves scheme, authority and query alone (manual, `set-path`).
    pub fn set_path(&mut self, path: &[u8]) {
        self.edit_target(|target, out| {
            out.extend_from_slice(path);
            push_query(target.query(), out);
        });
    }

    /// Replaces the query, `?` excluded; an empty one removes it with its `?` (manual, `set-query`).
    pub fn set_query(&mut self, query: &[u8]) {
        self.edit_target(|target, out| {
            out.extend_from_slice(target.path());
            push_query((!query.is_empty()).then_some(query), out);
        });
    }

    /// Replaces path and query together (manual, `set-pathq`).
    pub fn set_path_and_query(&mut self, text: &[u8]) {
        self.edit_target(|_, out| out.extend_from_slice(text));
    }

    fn edit_target(&mut self, write: impl FnOnce(&Target<'_>, &mut Vec<u8>)) {
        let parts = self.target_parts();
        let mut text = Vec::with_capacity(self.target().len() + 32);
        if parts.form == TargetForm::Absolute {
            text.extend_from_slice(parts.scheme);
            text.extend_from_slice(b"://");
            text.extend_from_slice(parts.authority);
        }
        write(&parts, &mut text);
        self.set_target(&text);
    }
}

fn push_query(query: Option<&[u8]>, out: &mut Vec<u8>) {
    if let Some(query) = query {
        out.push(b'?');
        out.extend_from_slice(query);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_forms_of_rfc_9112_section_3_2() {
        let origin = Target::split(b"/where?q=now?x", false);
        assert_eq!(origin.form, TargetForm::Origin);
        assert_eq!(origin.path(), b"/where");
        assert_eq!(origin.query(), Some(&b"q=now?x"[..]));

        let absolute = Target::split(b"http://u:p@www.example.org:80/pub/a?b", false);
        assert_eq!(absolute.form, TargetForm::Absolute);
        assert_eq!(absolute.scheme, b"http");
        assert_eq!(absolute.host_and_port(), b"www.example.org:80");
        assert_eq!(absolute.path_and_query, b"/pub/a?b");

        let bare = Target::split(b"http://example.org", false);
        assert_eq!(
            (bare.authority, bare.path()),
            (&b"example.org"[..], &b""[..])
        );
        let query = Target::split(b"http://example.org?a", false);
        assert_eq!((query.path(), query.query()), (&b""[..], Some(&b"a"[..])));

        assert_eq!(Target::split(b"a.org:80", true).form, TargetForm::Authority);
        assert_eq!(Target::split(b"*", false).form, TargetForm::Asterisk);
        assert_eq!(
            Target::split(b"1http://x", false).form,
            TargetForm::Authority
        );
    }

    #[test]
    fn edits_keep_the_parts_they_do_not_name() {
        let mut head = Head::request(b"GET", b"/a?b");
        head.set_path(b"/c");
        assert_eq!(head.target(), b"/c?b");
        head.set_query(b"d");
        assert_eq!(head.target(), b"/c?d");
        head.set_query(b"");
        assert_eq!(head.target(), b"/c");

        let mut head = Head::request(b"GET", b"http://h:1/a?b");
        head.set_path(b"/z");
        assert_eq!(head.target(), b"http://h:1/z?b");
        head.set_path_and_query(b"/q");
        assert_eq!(head.target(), b"http://h:1/q");
        assert_eq!(head.host(), b"h:1");
        head.append(b"host", b"other");
        assert_eq!(head.host(), b"other");
    }
}
