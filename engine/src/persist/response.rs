//! The cookie in a response.

use cfgparse::model::persist::CookieMode;
use wire::{Head, Known};

use super::{Change, Cookie, Seen, scan, stamp};
use crate::log::{CookieIn, CookieOut};

/// What a response's cookie depends on beside the response.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The value that stands for the server; `None` where it has none.
    pub value: Option<&'a [u8]>,
    /// The client's cookie, or `use-server`, led to the server.
    pub is_direct: bool,
    /// `ignore-persist`.
    pub is_ignored: bool,
    pub method: &'a [u8],
    pub now_s: u32,
}

/// Edits the server's own cookie and adds ours where the client needs one.
pub fn write(
    cookie: &Cookie,
    head: &mut Head,
    seen: &Seen,
    sent: &Sent<'_>,
    scratch: &mut Vec<u8>,
) -> CookieOut {
    if sent.is_ignored {
        return CookieOut::None;
    }
    let own = edit_own(cookie, head, sent, scratch);
    let is_kept = own == CookieOut::Passive && cookie.preserve;
    if cookie.mode != CookieMode::Insert || is_kept || !wants_cookie(cookie, seen, sent) {
        return own;
    }
    if cookie.postonly && sent.method != b"POST" {
        return own;
    }
    head.append_with(b"set-cookie", |out| insert(cookie, seen, sent, out));
    if cookie.nocache && is_cacheable(head, sent.method) {
        head.append(b"cache-control", b"private");
    }
    match seen.state {
        CookieIn::Valid => CookieOut::Updated,
        _ => CookieOut::Inserted,
    }
}

/// Whether the client has no cookie for this server yet, or one whose dates are to be renewed.
fn wants_cookie(cookie: &Cookie, seen: &Seen, sent: &Sent<'_>) -> bool {
    let has_dates = cookie.max_idle_s > 0 || seen.last_s > 0;
    let is_stale = has_dates && seen.last_s < sent.now_s;
    let changes_life = (cookie.max_life_s > 0) != (seen.first_s > 0);
    !sent.is_direct || is_stale || changes_life
}

fn insert(cookie: &Cookie, seen: &Seen, sent: &Sent<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&cookie.name);
    out.push(b'=');
    let Some(value) = sent.value else {
        // The server has no cookie: the client is to forget that of another one.
        out.extend_from_slice(b"; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/");
        out.extend_from_slice(&cookie.attributes);
        return;
    };
    out.extend_from_slice(value);
    if cookie.has_dates() {
        out.push(b'|');
        stamp::push(sent.now_s, out);
        if cookie.max_life_s > 0 {
            out.push(b'|');
            let first_s = match seen.first_s {
                0 => sent.now_s,
                first_s => first_s,
            };
            stamp::push(first_s, out);
        }
    }
    out.extend_from_slice(b"; path=/");
    out.extend_from_slice(&cookie.attributes);
}

/// What becomes of cookies of this name that the server sets. `Set-Cookie2` is nobody's any more
/// (RFC 6265, section 9.4).
fn edit_own(cookie: &Cookie, head: &mut Head, sent: &Sent<'_>, scratch: &mut Vec<u8>) -> CookieOut {
    let mut outcome = CookieOut::None;
    let mut index = 0;
    while index < head.len() {
        let change = match head.field(index) {
            Some((b"set-cookie", text)) => {
                scratch.clear();
                edit(cookie, sent, text, scratch, &mut outcome)
            }
            _ => Change::Nothing,
        };
        match change {
            Change::Nothing => index += 1,
            Change::Gone => head.remove_at(index),
            Change::Made => {
                head.replace_value(index, scratch);
                index += 1;
            }
        }
    }
    outcome
}

/// Edits one `Set-Cookie`: its first pair is the cookie (RFC 6265, section 4.1.1).
fn edit(
    cookie: &Cookie,
    sent: &Sent<'_>,
    text: &[u8],
    out: &mut Vec<u8>,
    outcome: &mut CookieOut,
) -> Change {
    let Some(piece) = scan::pieces(text).next() else {
        return Change::Nothing;
    };
    let Some(value) = &piece.value else {
        return Change::Nothing;
    };
    let tidied = |out: &mut Vec<u8>| {
        if !piece.has_blanks() {
            return Change::Nothing;
        }
        piece.push(text, out);
        out.extend_from_slice(&text[piece.whole.end..]);
        Change::Made
    };
    if text[piece.name.clone()] != *cookie.name {
        return tidied(out);
    }
    let replaces = cookie.mode == CookieMode::Insert || cookie.indirect && sent.is_direct;
    if replaces && !cookie.preserve {
        *outcome = CookieOut::Deleted;
        return Change::Gone;
    }
    let (Some(server), CookieMode::Rewrite | CookieMode::Prefix) = (sent.value, cookie.mode) else {
        *outcome = CookieOut::Passive;
        return tidied(out);
    };
    *outcome = CookieOut::Rewritten;
    out.extend_from_slice(&text[..piece.name.end]);
    out.push(b'=');
    out.extend_from_slice(server);
    if cookie.mode == CookieMode::Prefix {
        out.push(b'~');
        out.extend_from_slice(&text[value.clone()]);
    }
    out.extend_from_slice(&text[value.end..]);
    Change::Made
}

/// Whether a cache was told in so many words that it may keep the response (RFC 9111, 5.2.2).
fn is_cacheable(head: &Head, method: &[u8]) -> bool {
    let of_pragma = head.values_known(Known::Pragma);
    if method != b"GET"
        || of_pragma
            .into_iter()
            .any(|value| is_word(value, b"no-cache"))
    {
        return false;
    }
    let mut may = false;
    for value in head.values_known(Known::CacheControl) {
        for word in value.split(|&byte| byte == b',') {
            let mut halves = word.splitn(2, |&byte| byte == b'=');
            let name = halves.next().unwrap_or(word).trim_ascii();
            let age = halves.next().map_or(&b""[..], <[u8]>::trim_ascii);
            if [&b"private"[..], b"no-cache", b"no-store"]
                .iter()
                .any(|no| is_word(name, no))
            {
                return false;
            }
            if [&b"max-age"[..], b"s-maxage"]
                .iter()
                .any(|yes| is_word(name, yes))
            {
                if age == b"0" {
                    return false;
                }
                may = true;
            }
        }
    }
    may
}

fn is_word(text: &[u8], word: &[u8]) -> bool {
    text.eq_ignore_ascii_case(word)
}
