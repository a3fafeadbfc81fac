//! Dates as log lines and converters write them.

use std::io::Write;

/// A broken-down time (proleptic Gregorian).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    pub microsecond: u32,
    /// 0 is Sunday.
    pub weekday: u32,
    /// 1 to 366.
    pub day_of_year: u32,
    /// What this time is ahead of UTC, in seconds.
    pub offset_s: i32,
    /// The time zone's name, where it is known.
    pub zone: &'static str,
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const LONG_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const LONG_DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

impl Date {
    /// From microseconds since 1970-01-01 UTC, at a place `offset_s` seconds ahead of UTC.
    pub fn new(unix_us: i64, offset_s: i32) -> Date {
        let microsecond = unix_us.rem_euclid(1_000_000) as u32;
        let local = unix_us.div_euclid(1_000_000) + i64::from(offset_s);
        let days = local.div_euclid(86_400);
        let rest = local.rem_euclid(86_400) as u32;
        let (year, month, day) = civil(days);
        let january_first = days_before(year);
        Date {
            year,
            month,
            day,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            microsecond,
            weekday: (days + 4).rem_euclid(7) as u32,
            day_of_year: (days - january_first) as u32 + 1,
            offset_s,
            zone: if offset_s == 0 { "UTC" } else { "" },
        }
    }

    /// In Greenwich, as gmtime(3) names it.
    pub fn utc(unix_us: i64) -> Date {
        Date {
            zone: "GMT",
            ..Date::new(unix_us, 0)
        }
    }

    fn month_name(&self) -> &'static str {
        MONTHS[(self.month as usize - 1) % 12]
    }

    /// `06/Feb/2009:12:14:14.655` (`%t`, `%tr`).
    pub fn write_log(&self, out: &mut Vec<u8>) {
        self.write_log_seconds(out);
        out.push(b'.');
        digits(out, self.microsecond / 1000, 3);
    }

    /// `06/Feb/2009:12:14:14 +0000` (`%T`, `%Tl`).
    pub fn write_zoned(&self, out: &mut Vec<u8>) {
        self.write_log_seconds(out);
        out.push(b' ');
        self.write_offset(out, false);
    }

    /// `Feb  6 12:14:14` (RFC 3164 section 4.1.2).
    pub fn write_rfc3164(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.month_name().as_bytes());
        out.push(b' ');
        out.push(if self.day < 10 {
            b' '
        } else {
            b'0' + (self.day / 10) as u8
        });
        out.push(b'0' + (self.day % 10) as u8);
        out.push(b' ');
        self.write_clock(out);
    }

    /// `2009-02-06T12:14:14.655000+00:00` (RFC 5424 section 6.2.3).
    pub fn write_rfc5424(&self, out: &mut Vec<u8>) {
        digits(out, self.year as u32, 4);
        out.push(b'-');
        digits(out, self.month, 2);
        out.push(b'-');
        digits(out, self.day, 2);
        out.push(b'T');
        self.write_clock(out);
        out.push(b'.');
        digits(out, self.microsecond, 6);
        self.write_offset(out, true);
    }

    /// `Fri, 06 Feb 2009 12:14:14 GMT` (RFC 9110 section 5.6.7); the offset must be 0.
    pub fn write_http(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(DAYS[self.weekday as usize % 7].as_bytes());
        out.extend_from_slice(b", ");
        digits(out, self.day, 2);
        out.push(b' ');
        out.extend_from_slice(self.month_name().as_bytes());
        out.push(b' ');
        digits(out, self.year as u32, 4);
        out.push(b' ');
        self.write_clock(out);
        out.extend_from_slice(b" GMT");
    }

    fn write_log_seconds(&self, out: &mut Vec<u8>) {
        digits(out, self.day, 2);
        out.push(b'/');
        out.extend_from_slice(self.month_name().as_bytes());
        out.push(b'/');
        digits(out, self.year as u32, 4);
        out.push(b':');
        self.write_clock(out);
    }

    fn write_clock(&self, out: &mut Vec<u8>) {
        digits(out, self.hour, 2);
        out.push(b':');
        digits(out, self.minute, 2);
        out.push(b':');
        digits(out, self.second, 2);
    }

    fn write_offset(&self, out: &mut Vec<u8>, colon: bool) {
        out.push(if self.offset_s < 0 { b'-' } else { b'+' });
        let minutes = self.offset_s.unsigned_abs() / 60;
        digits(out, minutes / 60, 2);
        if colon {
            out.push(b':');
        }
        digits(out, minutes % 60, 2);
    }

    /// strftime(3) with the conversions of the C locale; `%N` and `%3N` give fractions of a second
    /// (manual, `ltime`).
    pub fn write_strftime(&self, format: &[u8], out: &mut Vec<u8>) {
        let mut rest = format;
        while let [first, tail @ ..] = rest {
            rest = tail;
            if *first != b'%' {
                out.push(*first);
                continue;
            }
            rest = match tail {
                [width @ b'1'..=b'9', b'N', after @ ..] => {
                    self.write_fraction(usize::from(width - b'0'), out);
                    after
                }
                [b'-', conversion, after @ ..] => {
                    let start = out.len();
                    self.write_conversion(*conversion, out);
                    while out.len() > start + 1 && matches!(out[start], b'0' | b' ') {
                        out.remove(start);
                    }
                    after
                }
                [conversion, after @ ..] => {
                    self.write_conversion(*conversion, out);
                    after
                }
                [] => {
                    out.push(b'%');
                    tail
                }
            };
        }
    }

    fn write_fraction(&self, width: usize, out: &mut Vec<u8>) {
        let mut text = Vec::with_capacity(9);
        digits(&mut text, self.microsecond, 6);
        text.extend_from_slice(b"000");
        out.extend_from_slice(&text[..width.min(9)]);
    }

    fn write_conversion(&self, conversion: u8, out: &mut Vec<u8>) {
        let hour12 = match self.hour % 12 {
            0 => 12,
            hour => hour,
        };
        match conversion {
            b'a' => out.extend_from_slice(DAYS[self.weekday as usize % 7].as_bytes()),
            b'A' => out.extend_from_slice(LONG_DAYS[self.weekday as usize % 7].as_bytes()),
            b'b' | b'h' => out.extend_from_slice(self.month_name().as_bytes()),
            b'B' => out.extend_from_slice(LONG_MONTHS[(self.month as usize - 1) % 12].as_bytes()),
            b'c' => self.write_strftime(b"%a %b %e %H:%M:%S %Y", out),
            b'C' => digits(out, (self.year / 100) as u32, 2),
            b'd' => digits(out, self.day, 2),
            b'D' | b'x' => self.write_strftime(b"%m/%d/%y", out),
            b'e' => {
                out.push(if self.day < 10 {
                    b' '
                } else {
                    b'0' + (self.day / 10) as u8
                });
                out.push(b'0' + (self.day % 10) as u8);
            }
            b'F' => self.write_strftime(b"%Y-%m-%d", out),
            b'H' => digits(out, self.hour, 2),
            b'I' => digits(out, hour12, 2),
            b'j' => digits(out, self.day_of_year, 3),
            b'k' => drop(write!(out, "{:>2}", self.hour)),
            b'l' => drop(write!(out, "{hour12:>2}")),
            b'm' => digits(out, self.month, 2),
            b'M' => digits(out, self.minute, 2),
            b'n' => out.push(b'\n'),
            b'N' => self.write_fraction(9, out),
            b'p' => out.extend_from_slice(if self.hour < 12 { b"AM" } else { b"PM" }),
            b'P' => out.extend_from_slice(if self.hour < 12 { b"am" } else { b"pm" }),
            b'r' => self.write_strftime(b"%I:%M:%S %p", out),
            b'R' => self.write_strftime(b"%H:%M", out),
            b's' => drop(write!(out, "{}", self.unix_seconds())),
            b'S' => digits(out, self.second, 2),
            b't' => out.push(b'\t'),
            b'T' | b'X' => self.write_clock(out),
            b'u' => digits(out, if self.weekday == 0 { 7 } else { self.weekday }, 1),
            b'U' => digits(out, (self.day_of_year + 6 - self.weekday) / 7, 2),
            b'w' => digits(out, self.weekday, 1),
            b'W' => digits(out, (self.day_of_year + 6 - (self.weekday + 6) % 7) / 7, 2),
            b'y' => digits(out, self.year.rem_euclid(100) as u32, 2),
            b'Y' => drop(write!(out, "{}", self.year)),
            b'z' => self.write_offset(out, false),
            b'Z' => out.extend_from_slice(self.zone.as_bytes()),
            b'%' => out.push(b'%'),
            other => out.extend_from_slice(&[b'%', other]),
        }
    }

    fn unix_seconds(&self) -> i64 {
        let days = days_before(self.year) + i64::from(self.day_of_year) - 1;
        days * 86_400 + i64::from(self.hour * 3600 + self.minute * 60 + self.second)
            - i64::from(self.offset_s)
    }
}

/// Appends `value` with at least `width` digits.
fn digits(out: &mut Vec<u8>, value: u32, width: usize) {
    let mut buffer = [b'0'; 10];
    let mut rest = value;
    let mut at = buffer.len();
    while rest > 0 {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&buffer[at.min(buffer.len() - width)..]);
}

/// Year, month and day of a day counted from 1970-01-01 (Howard Hinnant's algorithm).
fn civil(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to the first day of `year`.
fn days_before(year: i64) -> i64 {
    let before = year - 1;
    365 * (year - 1970) + (before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400))
        - (1969 / 4 - 1969 / 100 + 1969 / 400)
}

/// Microseconds since 1970 of a date in UTC, without checking its parts.
pub fn unix_us(year: i64, month: u32, day: u32, hour: u32, minute: u32, second: u32) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let mut days =
        days_before(year) + BEFORE[(month.max(1) as usize - 1) % 12] + i64::from(day) - 1;
    if leap && month > 2 {
        days += 1;
    }
    (days * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second))
        * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const US: i64 = 1_233_922_454_655_123; // 2009-02-06 12:14:14.655123 UTC

    fn text(write: impl Fn(&Date, &mut Vec<u8>), offset_s: i32) -> String {
        let mut out = Vec::new();
        write(&Date::new(US, offset_s), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_forms_of_log_lines() {
        assert_eq!(text(Date::write_log, 0), "06/Feb/2009:12:14:14.655");
        assert_eq!(text(Date::write_zoned, 3600), "06/Feb/2009:13:14:14 +0100");
        assert_eq!(text(Date::write_rfc3164, 0), "Feb  6 12:14:14");
        assert_eq!(
            text(Date::write_rfc5424, -19_800),
            "2009-02-06T06:44:14.655123-05:30"
        );
        assert_eq!(text(Date::write_http, 0), "Fri, 06 Feb 2009 12:14:14 GMT");
    }

    #[test]
    fn strftime_conversions() {
        let format = |f: &str| text(|d, out| d.write_strftime(f.as_bytes(), out), 0);
        assert_eq!(format("%Y-%m-%d %H:%M:%S.%3N"), "2009-02-06 12:14:14.655");
        assert_eq!(
            format("%6N %N %j %s %e %-d %%"),
            "655123 655123000 037 1233922454  6 6 %"
        );
        assert_eq!(
            format("%A %B %p %I %y %u %U %Q"),
            "Friday February PM 12 09 5 05 %Q"
        );
    }

    proptest! {
        #[test]
        fn every_moment_goes_there_and_back(us in -4_000_000_000_000_000i64..8_000_000_000_000_000) {
            let d = Date::new(us, 0);
            let back = unix_us(d.year, d.month, d.day, d.hour, d.minute, d.second);
            prop_assert_eq!(back + i64::from(d.microsecond), us);
            prop_assert_eq!(d.unix_seconds(), us.div_euclid(1_000_000));
        }
    }
}
