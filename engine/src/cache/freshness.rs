//! Whether a response may be kept, and for how long (manual, 6.1; RFC 9111, sections 3 and 4.2).

use wire::Head;

use crate::log::date;

/// How long an object lives, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Its age when it came.
    pub age_s: u64,
    /// From when it came on.
    pub left_s: u64,
}

/// The life of a response that came at `now_s` (since 1970) in a cache that keeps nothing for longer
/// than `max_age_s`; `None` for one that must not be kept.
pub fn life(response: &Head, max_age_s: u64, now_s: i64) -> Option<Life> {
    if response.status() != 200 || response.contains(b"set-cookie") {
        return None;
    }
    let said = Said::of(response);
    if said.forbids {
        return None;
    }
    let expires_s = || {
        let expires = response.first(b"expires")?;
        // What is no date has expired (RFC 9111, section 5.3).
        Some(http_date(expires).map_or(0, |at_s| (at_s - now_s).max(0) as u64))
    };
    let explicit_s = said.shared_max_age_s.or(said.max_age_s).or_else(expires_s);
    let has_validator = response.contains(b"etag") || response.contains(b"last-modified");
    let whole_s = match explicit_s {
        Some(0) => return None,
        Some(explicit_s) => explicit_s,
        None if has_validator => max_age_s,
        None => return None,
    };
    let age_s = match response.first(b"age") {
        None => 0,
        Some(age) => std::str::from_utf8(age).ok()?.trim().parse().ok()?,
    };
    // The age counts against what the response says of itself, not against our own bound.
    let left_s = whole_s.checked_sub(age_s).filter(|left_s| *left_s > 0)?;
    Some(Life {
        age_s,
        left_s: left_s.min(max_age_s),
    })
}

/// What `Cache-Control`, or else `Pragma`, says.
#[derive(Default)]
struct Said {
    forbids: bool,
    max_age_s: Option<u64>,
    shared_max_age_s: Option<u64>,
}

impl Said {
    fn of(response: &Head) -> Self {
        let mut said = Self::default();
        let mut is_silent = true;
        for value in response.values(b"cache-control") {
            is_silent = false;
            for word in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                said.hear(&word.to_ascii_lowercase());
            }
        }
        if is_silent {
            let mut pragma = response.values(b"pragma");
            said.forbids = pragma.any(|value| value.eq_ignore_ascii_case(b"no-cache"));
        }
        said
    }

    fn hear(&mut self, word: &[u8]) {
        let seconds = |with: &[u8]| {
            let number = word.strip_prefix(with)?;
            let number = std::str::from_utf8(number).ok()?.trim_matches('"');
            Some(number.parse::<u64>().unwrap_or(0))
        };
        match word {
            b"no-store" | b"no-cache" | b"private" => self.forbids = true,
            _ if word.starts_with(b"no-cache=") || word.starts_with(b"private=") => {
                self.forbids = true;
            }
            _ => {
                self.max_age_s = self.max_age_s.or(seconds(b"max-age="));
                self.shared_max_age_s = self.shared_max_age_s.or(seconds(b"s-maxage="));
            }
        }
    }
}

/// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
pub fn http_date(text: &[u8]) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let text = std::str::from_utf8(text).ok()?.trim();
    let (_, rest) = text.split_once(", ")?;
    let words: Vec<&str> = rest.split(' ').collect();
    let [day, month, year, time, "GMT"] = words[..] else {
        return None;
    };
    let month = MONTHS.iter().position(|name| *name == month)? as u32 + 1;
    let mut clock = time.split(':').map(|part| part.parse::<u32>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let (day, year) = (day.parse::<u32>().ok()?, year.parse::<i64>().ok()?);
    let is_sound = (1..=31).contains(&day)
        && (1970..=9999).contains(&year)
        && hour < 24
        && minute < 60
        && second <= 60;
    is_sound.then(|| date::unix_us(year, month, day, hour, minute, second) / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: i64 = 1_603_385_472;

    fn left(fields: &[(&str, &str)]) -> Option<(u64, u64)> {
        let mut head = Head::response(200, b"OK");
        for (name, value) in fields {
            head.append(name.as_bytes(), value.as_bytes());
        }
        life(&head, 60, NOW_S).map(|life| (life.age_s, life.left_s))
    }

    #[test]
    fn rules_of_the_manual() {
        let cache = |value| left(&[("cache-control", value)]);
        assert_eq!(cache("max-age=5"), Some((0, 5)));
        assert_eq!(cache("max-age=500"), Some((0, 60)));
        assert_eq!(cache("max-age=1, s-maxage=5"), Some((0, 5)));
        assert_eq!(cache("max-age=0, s-maxage=5"), Some((0, 5)));
        assert_eq!(cache("Max-Age=\"7\""), Some((0, 7)));
        for forbidden in [
            "max-age=0",
            "no-store, max-age=5",
            "private",
            "no-cache",
            "public",
            "max-age=x",
            "no-cache=\"x-field\", max-age=5",
        ] {
            assert_eq!(cache(forbidden), None, "{forbidden}");
        }
        assert_eq!(left(&[]), None);
        assert_eq!(left(&[("etag", "\"a\"")]), Some((0, 60)));
        assert_eq!(left(&[("last-modified", "x")]), Some((0, 60)));
        assert_eq!(left(&[("etag", "\"a\""), ("pragma", "no-cache")]), None);
        assert_eq!(left(&[("etag", "\"a\""), ("set-cookie", "a=b")]), None);
        let aged = |max_age, age| left(&[("cache-control", max_age), ("age", age)]);
        assert_eq!(aged("max-age=50", "10"), Some((10, 40)));
        assert_eq!(aged("max-age=500", "100"), Some((100, 60)));
        assert_eq!(aged("max-age=5", "10"), None);
        assert_eq!(aged("max-age=5", "abc"), None);
        assert_eq!(
            left(&[("expires", "Thu, 22 Oct 2020 16:51:17 GMT")]),
            Some((0, 5))
        );
        assert_eq!(left(&[("expires", "Thu, 22 Oct 2020 16:51:00 GMT")]), None);
        assert_eq!(left(&[("expires", "0"), ("etag", "\"a\"")]), None);
    }

    #[test]
    fn dates() {
        assert_eq!(http_date(b"Thu, 22 Oct 2020 16:51:12 GMT"), Some(NOW_S));
        for bad in [
            "",
            "x",
            "Thu, 22 Oct 2020 16:51:12",
            "Thu, 99 Oct 2020 16:51:12 GMT",
            "Thu, 22 Xxx 2020 16:51:12 GMT",
            "Thu, 22 Oct 2020 24:51:12 GMT",
        ] {
            assert_eq!(http_date(bad.as_bytes()), None, "{bad}");
        }
    }
}
