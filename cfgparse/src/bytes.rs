//! Bytes of a configuration that are no UTF-8: kept in texts as characters that nobody writes.
//!
//! HAProxy takes any byte, in a file as it stands and in quotes as `\xE0`. A text here keeps a byte
//! that is part of no character as U+10FF00 plus its value, at the end of the last private plane;
//! where such a character is written it is kept as its four bytes. So every text has its bytes back.

use std::borrow::Cow;

const PLANE: u32 = 0x0010_FF00;

/// All characters of the plane begin with this byte, and few others do.
const FIRST_BYTE: u8 = 0xF4;

fn kept(byte: u8) -> Option<char> {
    char::from_u32(PLANE + u32::from(byte))
}

/// The byte that `c` stands for.
pub fn byte_of(c: char) -> Option<u8> {
    let byte = u8::try_from(u32::from(c).checked_sub(PLANE)?).ok()?;
    (!byte.is_ascii()).then_some(byte)
}

/// The text that stands for `bytes`.
pub fn text(bytes: Vec<u8>) -> String {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) if !text.as_bytes().contains(&FIRST_BYTE) => return text,
        Ok(text) => text.into_bytes(),
        Err(error) => error.into_bytes(),
    };
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if byte_of(c).is_some() {
                let mut buffer = [0; 4];
                out.extend(c.encode_utf8(&mut buffer).bytes().filter_map(kept));
            } else {
                out.push(c);
            }
        }
        out.extend(chunk.invalid().iter().copied().filter_map(kept));
    }
    out
}

/// The bytes that `text` stands for.
pub fn raw(text: &str) -> Cow<'_, [u8]> {
    if !text.as_bytes().contains(&FIRST_BYTE) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match byte_of(c) {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(out)
}

/// `text` as people read it: such bytes as `\xE0`.
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.as_bytes().contains(&FIRST_BYTE) {
        return Cow::Borrowed(text);
    }
    let show = |c| byte_of(c).map_or(String::from(c), |byte| format!("\\x{byte:02X}"));
    Cow::Owned(text.chars().map(show).collect())
}

/// `text` with every byte that is not ASCII as `\xE0`: for regular expressions, which match bytes.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let escape = |byte: &u8| {
        if byte.is_ascii() {
            String::from(char::from(*byte))
        } else {
            format!("\\x{byte:02X}")
        }
    };
    Cow::Owned(raw(text).iter().map(escape).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_kept() {
        let text = text(b"a\xE0\xC3\xA9\xFF".to_vec());
        assert_eq!(shown(&text), "a\\xE0\u{e9}\\xFF");
        assert_eq!(*raw(&text), *b"a\xE0\xC3\xA9\xFF");
    }

    proptest::proptest! {
        #[test]
        fn every_text_has_its_bytes_back(bytes in proptest::collection::vec(0_u8.., 0..40)) {
            assert_eq!(*raw(&text(bytes.clone())), *bytes);
        }

        #[test]
        fn characters_of_the_plane_are_kept_too(chars in "[a\u{10FF7F}-\u{10FFFD}]{0,9}") {
            assert_eq!(*raw(&text(chars.clone().into_bytes())), *chars.as_bytes());
        }
    }
}
