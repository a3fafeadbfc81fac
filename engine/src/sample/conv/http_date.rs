//! `date`: dates as HTTP headers write them (RFC 9110 section 5.6.7).

use crate::log::date::unix_us;
use crate::sample::args::NONE;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

pub static ROWS: &[ConvertRow] = &[convert("date", NONE, Type::Str, Type::Sint, |v, _, _| {
    parse(std::str::from_utf8(&v.into_text()).ok()?).map(Value::Sint)
})];

/// Seconds since 1970 of an IMF-fixdate, an RFC 850 or an asctime date.
fn parse(text: &str) -> Option<i64> {
    let words: Vec<&str> = text
        .split([' ', ',', '-'])
        .filter(|word| !word.is_empty())
        .collect();
    let (day, month, year, clock) = match words[..] {
        // Sun Nov  6 08:49:37 1994
        [_, month, day, clock, year] if clock.contains(':') => (day, month, year, clock),
        // Sun, 06 Nov 1994 08:49:37 GMT and Sunday, 06-Nov-94 08:49:37 GMT
        [_, day, month, year, clock, "GMT" | "UTC"] => (day, month, year, clock),
        _ => return None,
    };
    let year = match (year.len(), year.parse::<i64>().ok()?) {
        (2, year) if year < 70 => 2000 + year,
        (2, year) => 1900 + year,
        (_, year) => year,
    };
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = MONTHS
        .find(month)
        .filter(|at| month.len() == 3 && at % 3 == 0)?
        / 3
        + 1;
    let mut parts = clock.split(':').map(|part| part.parse::<u32>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let day: u32 = day.parse().ok()?;
    let valid = (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    valid.then(|| unix_us(year, month as u32, day, hour, minute, second) / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_three_forms_of_rfc_9110() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(text), Some(784_111_777), "{text}");
        }
        for text in [
            "",
            "Sun, 06 Nov 1994",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "a, b c d e:f GMT",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
