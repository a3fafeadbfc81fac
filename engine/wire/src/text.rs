//! Character classes and lists of HTTP text.

/// A token character in lower case, or 0 for a byte that may not stand in a token
/// (RFC 9110 section 5.6.2).
pub(crate) static TOKEN_LOWER: [u8; 256] = {
    let mut table = [0; 256];
    let mut b = 0;
    while b < 256 {
        if is_token(b as u8) {
            table[b] = (b as u8).to_ascii_lowercase();
        }
        b += 1;
    }
    table
};

/// Bytes allowed in a request target: HAProxy refuses controls, space, `#`, DEL and 8-bit ones.
static TARGET: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = b'!';
    while b < 0x7f {
        table[b as usize] = b != b'#';
        b += 1;
    }
    table
};

/// Whether every byte of `text` may stand in a request target.
pub(crate) fn valid_target(text: &[u8]) -> bool {
    text.iter().all(|&b| TARGET[b as usize])
}

/// Whether `text` is a host with an optional port, or empty (RFC 3986 sections 3.2.2 and 3.2.3,
/// as loosely as HAProxy reads them).
pub(crate) fn valid_host(text: &[u8]) -> bool {
    let rest = match text.strip_prefix(b"[") {
        None => text,
        Some(literal) => match memchr::memchr(b']', literal) {
            Some(end)
                if literal[..end]
                    .iter()
                    .all(|&b| b.is_ascii_hexdigit() || b".:".contains(&b)) =>
            {
                &literal[end + 1..]
            }
            _ => return false,
        },
    };
    rest.iter()
        .all(|&b| TARGET[b as usize] && !b",/?@[\\]".contains(&b))
}

/// Whether `b` may stand in a token; methods and field names are tokens.
pub(crate) fn token(b: u8) -> bool {
    TOKEN_LOWER[b as usize] != 0
}

/// Space or tab (RFC 9110 section 5.6.3).
pub(crate) fn blank(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

/// `text` without surrounding spaces and tabs.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&b| !blank(b)).unwrap_or(text.len());
    let end = text
        .iter()
        .rposition(|&b| !blank(b))
        .map_or(start, |last| last + 1);
    &text[start..end]
}

/// The elements of a comma list, trimmed; empty ones included.
pub(crate) fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&b| b == b',').map(trim)
}

const fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(
            b,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}
