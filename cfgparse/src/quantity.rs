//! Times, sizes and numbers as written (manual, 2.5 and 2.6).

use thiserror::Error;

/// Why a quantity is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QuantityError {
    #[error("a number is expected")]
    NoNumber,
    #[error("unexpected character '{0}'")]
    Unexpected(char),
    #[error("the value is too large")]
    TooLarge,
    #[error("the value is too small")]
    TooSmall,
}

/// The unit of a time written without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    Milliseconds,
    Seconds,
}

/// Longest time HAProxy takes: 2^31 - 1 milliseconds, about 24.8 days.
pub const TIME_MAX_MS: u64 = i32::MAX as u64;

fn split(text: &str) -> Result<(u64, &str), QuantityError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Err(match text.chars().next() {
            Some(first) => QuantityError::Unexpected(first),
            None => QuantityError::NoNumber,
        });
    }
    let number = text[..digits]
        .parse()
        .map_err(|_| QuantityError::TooLarge)?;
    Ok((number, &text[digits..]))
}

/// What follows the unit of a time: `10sec` is read as ten seconds, as HAProxy does, who will not for
/// ever.
pub fn behind_time(text: &str) -> Option<char> {
    let (_, suffix) = split(text).ok()?;
    suffix[unit(suffix)?.len()..].chars().next()
}

/// The unit that a text begins with.
fn unit(text: &str) -> Option<&str> {
    let units = ["us", "ms", "s", "m", "h", "d"];
    units.into_iter().find(|unit| text.starts_with(unit))
}

/// A time in milliseconds, rounded up; what follows its unit is not looked at.
pub fn time_ms(text: &str, unit: TimeUnit) -> Result<u32, QuantityError> {
    let (number, suffix) = split(text)?;
    let suffix = self::unit(suffix).unwrap_or(suffix);
    let ms = match suffix {
        "us" => Some(number.div_ceil(1000)),
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "d" => number.checked_mul(86_400_000),
        "" => match unit {
            TimeUnit::Milliseconds => Some(number),
            TimeUnit::Seconds => number.checked_mul(1_000),
        },
        _ => return Err(QuantityError::Unexpected(unexpected(suffix))),
    };
    match ms {
        Some(ms) if ms <= TIME_MAX_MS => Ok(ms as u32),
        _ => Err(QuantityError::TooLarge),
    }
}

fn unexpected(suffix: &str) -> char {
    suffix.chars().next().unwrap_or(' ')
}

/// A size in bytes.
pub fn size(text: &str) -> Result<u64, QuantityError> {
    let (number, suffix) = split(text)?;
    let shift = match suffix {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        _ => {
            let first = suffix.chars().next().unwrap_or(' ');
            let known = "kKmMgG".contains(first);
            let shown = if known {
                suffix.chars().nth(1).unwrap_or(first)
            } else {
                first
            };
            return Err(QuantityError::Unexpected(shown));
        }
    };
    number
        .checked_mul(1 << shift)
        .ok_or(QuantityError::TooLarge)
}

/// The integer that a text begins with, as C's `atol` reads it: 0 where there is none.
pub fn leading(text: &str) -> i64 {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let value: i64 = digits[..end]
        .parse()
        .unwrap_or(if end == 0 { 0 } else { i64::MAX });
    if text.starts_with('-') { -value } else { value }
}

/// An integer of any type, digits and sign only.
pub fn number<T: TryFrom<i64>>(text: &str) -> Result<T, QuantityError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() {
        return Err(QuantityError::NoNumber);
    }
    if let Some(bad) = digits.chars().find(|c| !c.is_ascii_digit()) {
        return Err(QuantityError::Unexpected(bad));
    }
    let value: i64 = text.parse().map_err(|_| QuantityError::TooLarge)?;
    T::try_from(value).map_err(|_| {
        if value < 0 {
            QuantityError::TooSmall
        } else {
            QuantityError::TooLarge
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let ms = |text| time_ms(text, TimeUnit::Milliseconds);
        assert_eq!(ms("5000"), Ok(5000));
        assert_eq!(ms("5s"), Ok(5000));
        assert_eq!(ms("1500us"), Ok(2));
        assert_eq!(ms("10800s"), Ok(10_800_000));
        assert_eq!(ms("1d"), Ok(86_400_000));
        assert_eq!(time_ms("2", TimeUnit::Seconds), Ok(2000));
        assert_eq!(ms("10sec"), Ok(10_000));
        assert_eq!(ms("10min"), Ok(600_000));
        assert_eq!(behind_time("10sec"), Some('e'));
        assert_eq!(behind_time("10ms"), None);
        assert_eq!(behind_time("10"), None);
        assert_eq!(ms("10z"), Err(QuantityError::Unexpected('z')));
        assert_eq!(ms("-1"), Err(QuantityError::Unexpected('-')));
        assert_eq!(ms(""), Err(QuantityError::NoNumber));
        assert_eq!(ms("25d"), Err(QuantityError::TooLarge));
        assert_eq!(ms("99999999999999999999"), Err(QuantityError::TooLarge));
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("16384"), Ok(16384));
        assert_eq!(size("16k"), Ok(16384));
        assert_eq!(size("2M"), Ok(2 << 20));
        assert_eq!(size("1g"), Ok(1 << 30));
        assert_eq!(size("1kb"), Err(QuantityError::Unexpected('b')));
        assert_eq!(size("1.5k"), Err(QuantityError::Unexpected('.')));
    }

    #[test]
    fn numbers_fit_their_type() {
        assert_eq!(number::<u8>("255"), Ok(255));
        assert_eq!(number::<u8>("256"), Err(QuantityError::TooLarge));
        assert_eq!(number::<u32>("-1"), Err(QuantityError::TooSmall));
        assert_eq!(number::<i32>("-1"), Ok(-1));
        assert_eq!(number::<i32>("12x"), Err(QuantityError::Unexpected('x')));
        assert_eq!(number::<i32>(""), Err(QuantityError::NoNumber));
    }
}
