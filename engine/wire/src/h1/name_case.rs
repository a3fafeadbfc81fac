//! The case of field names for receivers that wrongly care (manual, `h1-case-adjust`).

use std::collections::HashMap;

/// How some names are to be spelled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameCase {
    names: HashMap<Box<[u8]>, Box<[u8]>>,
}

impl NameCase {
    /// Pairs of a name in lower case and the same name as it is to be written; others are left out.
    pub fn new<'n>(pairs: impl IntoIterator<Item = (&'n [u8], &'n [u8])>) -> NameCase {
        let pairs = pairs.into_iter();
        let alike = pairs.filter(|(from, to)| from.eq_ignore_ascii_case(to));
        NameCase {
            names: alike.map(|(from, to)| (from.into(), to.into())).collect(),
        }
    }

    /// Spells the names of a head as it was written.
    pub fn apply(&self, head: &mut [u8]) {
        let mut at = next_line(head, 0);
        while let Some(length) = head[at..].iter().position(|&b| matches!(b, b':' | b'\r')) {
            if let Some(name) = self.names.get(&head[at..at + length]) {
                head[at..at + length].copy_from_slice(name);
            }
            at = next_line(head, at);
        }
    }
}

/// Where the line behind the one at `from` begins.
fn next_line(head: &[u8], from: usize) -> usize {
    let end = memchr::memchr(b'\n', &head[from..]);
    end.map_or(head.len(), |end| from + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_and_values_left_alone() {
        let pairs: [(&[u8], &[u8]); 3] = [
            (b"content-length", b"Content-Length"),
            (b"x-a", b"X-A"),
            (b"host", b"longer"),
        ];
        let case = NameCase::new(pairs);
        let mut head =
            b"x-a: HTTP/1.1\r\nx-a: content-length\r\nx-a: \r\nhost: x-a\r\ncontent-length: 1\r\n\r\n"
                .to_vec();
        case.apply(&mut head);
        assert_eq!(
            head,
            b"x-a: HTTP/1.1\r\nX-A: content-length\r\nX-A: \r\nhost: x-a\r\nContent-Length: 1\r\n\r\n"
        );
        case.apply(&mut []);
        case.apply(&mut b"HTTP/1.1 100 Continue\r\n\r\n".to_vec());
    }
}
