//! What the parser does to a head: received lines in, normalised fields out.

use super::{Field, Head, Span};
use crate::name::Known;
use crate::text;

/// Longest field name in bytes: HAProxy refuses more, since its own representation has 8 bits.
const NAME_BYTES_MAX: usize = 255;

/// What [`Head::edit_known`] does with a field.
pub(crate) enum Edit {
    Keep,
    Remove,
    Replace(Vec<u8>),
}

impl Head {
    /// Room for a head of `bytes` octets, so that parsing it does not grow step by step.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
        self.fields.reserve(bytes / 32);
    }

    /// Adds a received field line and tells its id; `None` when the name is empty, too long, not a
    /// token, or not followed by a colon at once (RFC 9112 section 5.1).
    pub(crate) fn push_line(&mut self, line: &[u8]) -> Option<Known> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(line);
        let colon = lowercase_name(&mut self.bytes[start..])?;
        let name = Span {
            start: start as u32,
            len: colon as u32,
        };
        let value = self.trimmed(start + colon + 1, self.bytes.len());
        let known = Known::of(self.text(name));
        self.fields.push(Field { name, value, known });
        Some(known)
    }

    /// Joins a continuation line to the last field, `gap` spaces standing for the line end
    /// (obs-fold, RFC 9112 section 5.2); `false` without a field to continue.
    ///
    /// Only while parsing: the last value then ends the buffer, but for blanks.
    pub(crate) fn fold_line(&mut self, gap: usize, line: &[u8]) -> bool {
        let Some(start) = self.fields.last().map(|field| field.value.start as usize) else {
            return false;
        };
        self.bytes.resize(self.bytes.len() + gap, b' ');
        self.bytes.extend_from_slice(line);
        let value = self.trimmed(start, self.bytes.len());
        if let Some(last) = self.fields.last_mut() {
            last.value = value;
        }
        true
    }

    /// Lets `edit` keep, remove or replace each field of one id.
    pub(crate) fn edit_known(&mut self, known: Known, mut edit: impl FnMut(&[u8]) -> Edit) {
        let mut index = 0;
        while index < self.fields.len() {
            if self.fields[index].known == known {
                match edit(self.text(self.fields[index].value)) {
                    Edit::Keep => {}
                    Edit::Replace(value) => self.replace_value(index, &value),
                    Edit::Remove => {
                        self.fields.remove(index);
                        continue;
                    }
                }
            }
            index += 1;
        }
    }

    fn trimmed(&self, start: usize, end: usize) -> Span {
        let raw = &self.bytes[start..end];
        let text = text::trim(raw);
        let lead = raw
            .iter()
            .take_while(|&&b| text::blank(b))
            .count()
            .min(raw.len());
        Span {
            start: (start + lead) as u32,
            len: text.len() as u32,
        }
    }
}

/// Puts the name in front of the colon into lower case, in place; tells the colon's position.
fn lowercase_name(line: &mut [u8]) -> Option<usize> {
    for (index, byte) in line.iter_mut().enumerate().take(NAME_BYTES_MAX + 1) {
        if *byte == b':' {
            return (index > 0).then_some(index);
        }
        let lower = text::TOKEN_LOWER[*byte as usize];
        if lower == 0 {
            return None;
        }
        *byte = lower;
    }
    None
}
