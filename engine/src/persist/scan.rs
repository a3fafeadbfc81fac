//! Pieces of a `Cookie` value: what stands between `;` or `,`, quotes respected.

use std::ops::Range;

/// One piece, by places in the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// From behind one delimiter to the next.
    pub whole: Range<usize>,
    /// Without blanks around.
    pub name: Range<usize>,
    /// Without blanks around; `None` without `=`.
    pub value: Option<Range<usize>>,
}

impl Piece {
    /// An attribute such as `$Path`, which belongs to the cookie before it (RFC 2109, 4.3.4).
    pub fn is_attribute(&self, text: &[u8]) -> bool {
        text.get(self.name.start) == Some(&b'$') && !self.name.is_empty()
    }

    /// Appends the piece as it stands, but without blanks around its `=`.
    pub fn push(&self, text: &[u8], out: &mut Vec<u8>) {
        match &self.value {
            None => out.extend_from_slice(&text[self.whole.clone()]),
            Some(value) => {
                out.extend_from_slice(&text[self.whole.start..self.name.end]);
                out.push(b'=');
                out.extend_from_slice(&text[value.start..self.whole.end]);
            }
        }
    }

    /// Whether [`Self::push`] changes anything.
    pub fn has_blanks(&self) -> bool {
        let tight = |value: &Range<usize>| value.start == self.name.end + 1;
        !self.value.as_ref().is_none_or(tight)
    }
}

/// The pieces of a value, one after the other; every call gets further, whatever the bytes are.
pub fn pieces(text: &[u8]) -> impl Iterator<Item = Piece> + '_ {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let piece = piece(text, start);
        next = (piece.whole.end < text.len()).then_some(piece.whole.end + 1);
        Some(piece)
    })
}

fn piece(text: &[u8], start: usize) -> Piece {
    let mut equal = None;
    let mut end = start;
    let (mut quoted, mut escaped) = (false, false);
    while end < text.len() {
        match text[end] {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if equal.is_some() => quoted = !quoted,
            b'=' if equal.is_none() => equal = Some(end),
            b';' | b',' if !quoted => break,
            _ => {}
        }
        end += 1;
    }
    Piece {
        whole: start..end,
        name: trimmed(text, start..equal.unwrap_or(end)),
        value: equal.map(|equal| trimmed(text, equal + 1..end)),
    }
}

fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let inside = &text[range.clone()];
    let start = inside
        .iter()
        .position(|byte| !is_blank(byte))
        .map_or(range.end, |at| range.start + at);
    let end = inside
        .iter()
        .rposition(|byte| !is_blank(byte))
        .map_or(start, |at| range.start + at + 1);
    start..end
}

#[cfg(test)]
mod tests {
    use super::pieces;

    fn pairs(text: &str) -> Vec<(&str, Option<&str>)> {
        pieces(text.as_bytes())
            .map(|piece| (&text[piece.name], piece.value.map(|value| &text[value])))
            .collect()
    }

    #[test]
    fn delimiters_quotes_and_blanks() {
        assert_eq!(
            pairs("a=1; b = 2 ,c"),
            [("a", Some("1")), ("b", Some("2")), ("c", None)]
        );
        assert_eq!(
            pairs(r#"a="x; y\"; z"; b=1"#),
            [("a", Some(r#""x; y\"; z""#)), ("b", Some("1"))]
        );
        assert_eq!(pairs(";=;"), [("", None), ("", Some("")), ("", None)]);
        assert_eq!(pairs(""), [("", None)]);
        assert_eq!(pairs("a=\"b; c"), [("a", Some("\"b; c"))]);
    }
}
