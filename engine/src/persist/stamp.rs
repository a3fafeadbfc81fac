//! Dates inside cookie values: five characters of base64 for thirty bits of four seconds each.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Length of a date.
const LEN: usize = 5;

/// Appends a moment, rounded up to four seconds so that a cookie is not sent again at once.
pub fn push(seconds: u32, out: &mut Vec<u8>) {
    let units = seconds.saturating_add(3) >> 2;
    for digit in (0..LEN as u32).rev() {
        out.push(DIGITS[(units >> (6 * digit) & 63) as usize]);
    }
}

/// A moment in seconds since 1970; 0 for what is no date.
pub fn parse(text: &[u8]) -> u32 {
    if text.len() != LEN {
        return 0;
    }
    let mut units = 0u32;
    for byte in text {
        let Some(digit) = DIGITS.iter().position(|digit| digit == byte) else {
            return 0;
        };
        units = units << 6 | digit as u32;
    }
    units << 2
}

#[cfg(test)]
mod tests {
    use super::{parse, push};

    #[test]
    fn dates_survive_to_four_seconds() {
        for seconds in [4, 1_700_000_000, 1_700_000_003] {
            let mut text = Vec::new();
            push(seconds, &mut text);
            assert_eq!(text.len(), 5);
            assert!((seconds..seconds + 4).contains(&parse(&text)), "{seconds}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            &b""[..],
            b"AAAA",
            b"AAAAAA",
            b"AA AA",
            b"\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(parse(text), 0);
        }
    }
}
