//! How unsafe characters are written (manual, 8.6 and 8.2.6).

/// Where text is going, which decides what is unsafe in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// Names and cookies in a log line: non-printable characters become `#XX`.
    Log,
    /// A captured header in `{a|b}`: also `"`, `#`, `{`, `|` and `}`.
    Header,
    /// The request line: also `"` and `#`.
    Uri,
    /// A header value or body made by a rule: what HTTP forbids becomes `%XX`.
    Http,
    /// Nothing is escaped.
    None,
}

impl Escape {
    fn is_unsafe(self, byte: u8) -> bool {
        match self {
            Escape::None => false,
            Escape::Http => (byte < 0x20 && byte != b'\t') || byte == 0x7f,
            Escape::Log => !(0x20..0x7f).contains(&byte),
            Escape::Uri => !(0x20..0x7f).contains(&byte) || matches!(byte, b'"' | b'#'),
            Escape::Header => {
                !(0x20..0x7f).contains(&byte) || matches!(byte, b'"' | b'#' | b'{' | b'|' | b'}')
            }
        }
    }

    /// Appends `text`, safe for its destination.
    pub fn write(self, text: &[u8], out: &mut Vec<u8>) {
        let Some(first) = text.iter().position(|&b| self.is_unsafe(b)) else {
            out.extend_from_slice(text);
            return;
        };
        out.extend_from_slice(&text[..first]);
        for &byte in &text[first..] {
            if self.is_unsafe(byte) {
                out.push(if self == Escape::Http { b'%' } else { b'#' });
                write_hex(byte, out);
            } else {
                out.push(byte);
            }
        }
    }

    /// As [`Escape::write`], with a backslash before the `"`, `\\` and `]` that remain (`%{+E}`).
    pub fn write_with_backslashes(self, text: &[u8], out: &mut Vec<u8>) {
        for byte in text {
            if matches!(byte, b'"' | b'\\' | b']') && !self.is_unsafe(*byte) {
                out.push(b'\\');
            }
            self.write(std::slice::from_ref(byte), out);
        }
    }
}

/// Two hexadecimal digits, upper case.
pub fn write_hex(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push(DIGITS[usize::from(byte >> 4)]);
    out.push(DIGITS[usize::from(byte & 15)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(escape: Escape, text: &[u8]) -> String {
        let mut out = Vec::new();
        escape.write(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_destination_has_its_unsafe_characters() {
        let text = b"a\"#{|}\x01\n";
        assert_eq!(escaped(Escape::Log, text), "a\"#{|}#01#0A");
        assert_eq!(escaped(Escape::Uri, text), "a#22#23{|}#01#0A");
        assert_eq!(escaped(Escape::Header, text), "a#22#23#7B#7C#7D#01#0A");
        assert_eq!(escaped(Escape::Http, text), "a\"#{|}%01%0A");
        let mut out = Vec::new();
        Escape::Uri.write_with_backslashes(b"a\"\\]b", &mut out);
        assert_eq!(out, b"a#22\\\\\\]b");
        assert_eq!(escaped(Escape::None, text), "a\"#{|}\x01\n");
    }
}
