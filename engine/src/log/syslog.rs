//! Syslog framing of a finished message (manual, 3.1 `log`; RFC 3164, RFC 5424).

use std::io::Write;

use super::date::Date;

/// Severity, most severe first (manual, 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    Emerg,
    Alert,
    Crit,
    Err,
    Warning,
    Notice,
    Info,
    Debug,
}

impl Level {
    const NAMES: [&'static str; 8] = [
        "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
    ];

    /// The level of a word such as `notice`.
    pub fn parse(word: &str) -> Option<Level> {
        let position = Self::NAMES.iter().position(|name| *name == word)?;
        Level::from_number(position as u8)
    }

    /// The level with number 0 (`emerg`) to 7 (`debug`).
    pub fn from_number(number: u8) -> Option<Level> {
        use Level::{Alert, Crit, Debug, Emerg, Err, Info, Notice, Warning};
        [Emerg, Alert, Crit, Err, Warning, Notice, Info, Debug]
            .get(usize::from(number))
            .copied()
    }

    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// Facility, 0 (`kern`) to 23 (`local7`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Facility(u8);

impl Facility {
    const NAMES: [&'static str; 24] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2",
        "ftp", "ntp", "audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4",
        "local5", "local6", "local7",
    ];

    /// The facility with number 0 (`kern`) to 23 (`local7`).
    pub fn from_number(number: u8) -> Option<Facility> {
        (usize::from(number) < Self::NAMES.len()).then_some(Facility(number))
    }

    /// The facility of a word such as `local0`.
    pub fn parse(word: &str) -> Option<Facility> {
        let position = Self::NAMES.iter().position(|name| *name == word)?;
        Some(Facility(position as u8))
    }

    /// 0 (`kern`) to 23 (`local7`).
    pub fn number(self) -> u8 {
        self.0
    }

    pub fn name(self) -> &'static str {
        Self::NAMES[usize::from(self.0)]
    }
}

/// How a message is framed (manual, `log ... format`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// `<14>Feb  6 12:14:14 tag[pid]: message`; a host only with `log-send-hostname`.
    #[default]
    Rfc3164,
    /// As `Rfc3164`, always without a host.
    Local,
    /// `<14>1 2009-02-06T12:14:14.655000+00:00 host tag pid - - message`
    Rfc5424,
    /// `<14>message`
    Priority,
    /// `<6>message`, without a facility.
    Short,
    /// `<6>2009-02-06T... message`
    Timed,
    /// `2009-02-06T... message`
    Iso,
    /// The message alone.
    Raw,
}

impl Framing {
    /// The framing of a word such as `rfc5424`.
    pub fn parse(word: &str) -> Option<Framing> {
        Some(match word {
            "rfc3164" => Framing::Rfc3164,
            "local" => Framing::Local,
            "rfc5424" => Framing::Rfc5424,
            "priority" => Framing::Priority,
            "short" => Framing::Short,
            "timed" => Framing::Timed,
            "iso" => Framing::Iso,
            "raw" => Framing::Raw,
            _ => return None,
        })
    }
}

/// What stands before a message.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    pub framing: Framing,
    pub facility: Facility,
    pub level: Level,
    /// Local time of the message.
    pub date: Date,
    /// `log-send-hostname`; RFC 5424 uses the machine's name where it is missing.
    pub host: Option<&'a str>,
    /// `log-tag`.
    pub tag: &'a str,
    pub pid: u32,
    /// RFC 5424: the structured data, `-` where there is none.
    pub structured: &'a [u8],
}

impl Frame<'_> {
    /// Appends what stands before the message.
    pub fn write(&self, out: &mut Vec<u8>) {
        let level = self.level as u8;
        let priority = self.facility.0 * 8 + level;
        // Writing to a Vec cannot fail.
        match self.framing {
            Framing::Rfc3164 | Framing::Local => {
                drop(write!(out, "<{priority}>"));
                self.date.write_rfc3164(out);
                out.push(b' ');
                if let (Framing::Rfc3164, Some(host)) = (self.framing, self.host) {
                    drop(write!(out, "{host} "));
                }
                drop(write!(out, "{}[{}]: ", self.tag, self.pid));
            }
            Framing::Rfc5424 => {
                drop(write!(out, "<{priority}>1 "));
                self.date.write_rfc5424(out);
                let host = self.host.unwrap_or("-");
                drop(write!(out, " {host} {} {} - ", self.tag, self.pid));
                out.extend_from_slice(self.structured);
                out.push(b' ');
            }
            Framing::Priority => drop(write!(out, "<{priority}>")),
            Framing::Short => drop(write!(out, "<{level}>")),
            Framing::Timed => {
                drop(write!(out, "<{level}>"));
                self.date.write_rfc5424(out);
                out.push(b' ');
            }
            Framing::Iso => {
                self.date.write_rfc5424(out);
                out.push(b' ');
            }
            Framing::Raw => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(framing: Framing, host: Option<&str>) -> String {
        let mut out = Vec::new();
        let frame = Frame {
            framing,
            facility: Facility::parse("local0").unwrap(),
            level: Level::parse("info").unwrap(),
            date: Date::new(1_233_922_454_655_123, 0),
            host,
            tag: "haproxy",
            pid: 42,
            structured: b"-",
        };
        frame.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_framing() {
        assert_eq!(
            framed(Framing::Rfc3164, None),
            "<134>Feb  6 12:14:14 haproxy[42]: "
        );
        assert_eq!(
            framed(Framing::Rfc3164, Some("h")),
            "<134>Feb  6 12:14:14 h haproxy[42]: "
        );
        assert_eq!(
            framed(Framing::Local, Some("h")),
            "<134>Feb  6 12:14:14 haproxy[42]: "
        );
        assert_eq!(
            framed(Framing::Rfc5424, Some("h")),
            "<134>1 2009-02-06T12:14:14.655123+00:00 h haproxy 42 - - "
        );
        assert_eq!(framed(Framing::Priority, None), "<134>");
        assert_eq!(framed(Framing::Short, None), "<6>");
        assert_eq!(
            framed(Framing::Timed, None),
            "<6>2009-02-06T12:14:14.655123+00:00 "
        );
        assert_eq!(
            framed(Framing::Iso, None),
            "2009-02-06T12:14:14.655123+00:00 "
        );
        assert_eq!(framed(Framing::Raw, None), "");
    }

    #[test]
    fn names_go_there_and_back() {
        for name in Level::NAMES {
            assert_eq!(Level::parse(name).unwrap().name(), name);
        }
        for name in Facility::NAMES {
            assert_eq!(Facility::parse(name).unwrap().name(), name);
        }
        assert_eq!(Level::parse("silent"), None);
    }
}
