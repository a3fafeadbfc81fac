//! Lines in a byte stream (RFC 6587): counted octets, or up to a line feed.

/// What the received bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// A line, and how many bytes it took.
    Line(&'a [u8], usize),
    /// These bytes mean nothing.
    Skip(usize),
    /// The line is not complete.
    More,
    /// Neither framing; the connection is of no more use.
    Broken,
}

/// Looks at the first line. `lines_only` is `option assume-rfc6587-ntf`: whatever there is ends
/// with a line feed. A line of `bytes_max` or more is refused.
pub fn next(bytes: &[u8], lines_only: bool, bytes_max: usize) -> Next<'_> {
    match bytes.first() {
        None => Next::More,
        Some(b'\n') if lines_only => Next::Skip(1),
        Some(b'<') => line(bytes, bytes_max),
        Some(_) if lines_only => line(bytes, bytes_max),
        Some(b'1'..=b'9') => counted(bytes, bytes_max),
        Some(_) => Next::Broken,
    }
}

fn line(bytes: &[u8], bytes_max: usize) -> Next<'_> {
    match memchr::memchr(b'\n', &bytes[..bytes.len().min(bytes_max)]) {
        Some(end) => Next::Line(&bytes[..end], end + 1),
        None if bytes.len() >= bytes_max => Next::Broken,
        None => Next::More,
    }
}

fn counted(bytes: &[u8], bytes_max: usize) -> Next<'_> {
    let mut length = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => length = length * 10 + usize::from(byte - b'0'),
            b' ' => {
                let end = at + 1 + length;
                return match bytes.get(at + 1..end) {
                    Some(line) => Next::Line(line, end),
                    None => Next::More,
                };
            }
            _ => return Next::Broken,
        }
        if length >= bytes_max {
            return Next::Broken;
        }
    }
    Next::More
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All lines, and what stopped.
    fn lines(mut bytes: &[u8], lines_only: bool) -> (Vec<String>, &'static str) {
        let mut found = Vec::new();
        loop {
            match next(bytes, lines_only, 50) {
                Next::Line(line, taken) => {
                    found.push(String::from_utf8_lossy(line).into_owned());
                    bytes = &bytes[taken..];
                }
                Next::Skip(count) => bytes = &bytes[count..],
                Next::More => return (found, "more"),
                Next::Broken => return (found, "broken"),
            }
        }
    }

    #[test]
    fn framings() {
        let long = format!("<1>{}\n", "x".repeat(60));
        let rows: &[(&str, bool, &[&str], &str)] = &[
            ("9 <134>abcd", false, &["<134>abcd"], "more"),
            (
                "<1>a\n9 <134>abcd<2>b\n",
                false,
                &["<1>a", "<134>abcd", "<2>b"],
                "more",
            ),
            ("12 <134>ab\ncd\ne", false, &["<134>ab\ncd\ne"], "more"),
            ("9 <13", false, &[], "more"),
            ("9", false, &[], "more"),
            ("<1>a", false, &[], "more"),
            ("0 <1>x\n", false, &[], "broken"),
            ("1a <1>x\n", false, &[], "broken"),
            ("99999999999999999999999 <1>x\n", false, &[], "broken"),
            ("plain\n", false, &[], "broken"),
            ("<1>a\n\n<1>b\n", false, &["<1>a"], "broken"),
            (&long, false, &[], "broken"),
            ("plain\n\n9 <1>x\n", true, &["plain", "9 <1>x"], "more"),
            (&long, true, &[], "broken"),
        ];
        for (bytes, lines_only, expected, end) in rows {
            let (found, stopped) = lines(bytes.as_bytes(), *lines_only);
            assert_eq!(found, *expected, "{bytes:?}");
            assert_eq!(stopped, *end, "{bytes:?}");
        }
    }
}
