//! Log lines of others: taken apart as they come, put together as a target wants them (manual,
//! 12.6; RFC 3164, RFC 5424).

use std::io::Write;

use cfgparse::model::section::LogHost;

use super::date::Date;
use super::syslog::{Framing, Level};

/// A line that came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Incoming<'a> {
    /// As sent: eight times the facility, plus the level.
    pub priority: Option<u16>,
    pub form: Form,
    pub stamp: Stamp<'a>,
    pub host: &'a [u8],
    pub tag: &'a [u8],
    pub pid: &'a [u8],
    /// RFC 5424 only.
    pub id: &'a [u8],
    /// RFC 5424 only.
    pub structured: &'a [u8],
    pub text: &'a [u8],
}

/// What kind of line it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// `option dont-parse-log`.
    Unread,
    /// Neither of the others.
    #[default]
    Plain,
    Rfc3164,
    Rfc5424,
}

/// When it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamp<'a> {
    #[default]
    None,
    /// `Feb  6 12:14:14`
    Rfc3164(&'a [u8]),
    /// `2009-02-06T12:14:14.655123+00:00`
    Rfc5424(&'a [u8]),
}

/// What the section and the target say about lines that lack something.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub framing: Framing,
    /// Where a line has none.
    pub facility: u8,
    /// Lines more important than this are sent as if they were only this important.
    pub min_level: u8,
    pub host: LogHost,
    /// Who sent the line; empty where that has no address.
    pub source: &'a [u8],
    pub now: Date,
}

impl<'a> Incoming<'a> {
    /// A line that is passed on unread.
    pub fn unread(line: &'a [u8]) -> Self {
        Self {
            form: Form::Unread,
            text: line,
            ..Self::default()
        }
    }

    /// Takes a line apart; `None` where there is nothing behind the priority.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let (priority, rest) = priority(line);
        if rest.is_empty() {
            return None;
        }
        let parsed = rfc5424(rest).or_else(|| rfc3164(rest));
        let parsed = parsed.unwrap_or(Self {
            text: rest,
            ..Self::default()
        });
        Some(Self {
            priority,
            text: without_end(parsed.text),
            ..parsed
        })
    }

    /// How important it is; a line that does not say is an emergency, as HAProxy has it.
    pub fn level(&self) -> Level {
        let level = self.priority.unwrap_or(0) & 7;
        Level::from_number(level as u8).unwrap_or(Level::Emerg)
    }

    /// The framing of a target that names none: that of the line.
    pub fn framing(&self) -> Framing {
        match self.form {
            Form::Unread => Framing::Raw,
            Form::Plain | Form::Rfc3164 => Framing::Rfc3164,
            Form::Rfc5424 => Framing::Rfc5424,
        }
    }

    /// Appends the whole line.
    pub fn write(&self, terms: &Terms<'_>, out: &mut Vec<u8>) {
        let asked = self.priority.unwrap_or(u16::from(terms.facility) * 8);
        let level = (asked & 7).max(u16::from(terms.min_level));
        let priority = (asked & !7) | level;
        // Writing to a Vec cannot fail.
        match terms.framing {
            Framing::Rfc3164 | Framing::Local => {
                drop(write!(out, "<{priority}>"));
                self.write_rfc3164_stamp(terms.now, out);
                out.push(b' ');
                if terms.framing == Framing::Rfc3164 {
                    self.write_host(terms, b"localhost", out);
                    out.push(b' ');
                }
                self.write_tag(out);
            }
            Framing::Rfc5424 => {
                drop(write!(out, "<{priority}>1 "));
                self.write_rfc5424_stamp(terms.now, self.form == Form::Rfc5424, out);
                out.push(b' ');
                self.write_host(terms, b"-", out);
                for field in [self.tag, self.pid, self.id, self.structured] {
                    out.push(b' ');
                    out.extend_from_slice(if field.is_empty() { b"-" } else { field });
                }
                out.push(b' ');
            }
            Framing::Priority => drop(write!(out, "<{priority}>")),
            Framing::Short => drop(write!(out, "<{level}>")),
            Framing::Timed => {
                drop(write!(out, "<{level}>"));
                self.write_rfc5424_stamp(terms.now, false, out);
                out.push(b' ');
            }
            Framing::Iso => {
                self.write_rfc5424_stamp(terms.now, false, out);
                out.push(b' ');
            }
            Framing::Raw => {}
        }
        out.extend_from_slice(self.text);
    }

    fn write_tag(&self, out: &mut Vec<u8>) {
        if self.tag.is_empty() {
            return;
        }
        out.extend_from_slice(self.tag);
        if !self.pid.is_empty() {
            out.push(b'[');
            out.extend_from_slice(self.pid);
            out.push(b']');
        }
        out.extend_from_slice(b": ");
    }

    /// Manual, 12.6 `option host`; `none` stands where nobody knows a name.
    fn write_host(&self, terms: &Terms<'_>, none: &[u8], out: &mut Vec<u8>) {
        let unread = self.form == Form::Unread;
        let source = if unread { b"" } else { terms.source };
        let own = self.host;
        match (own.is_empty(), source.is_empty(), terms.host) {
            (true, true, _) | (true, false, LogHost::Keep) => out.extend_from_slice(none),
            (true, false, _) | (false, false, LogHost::Replace) => out.extend_from_slice(source),
            (false, false, LogHost::Append) => {
                out.extend_from_slice(own);
                out.push(b',');
                out.extend_from_slice(source);
            }
            _ => out.extend_from_slice(own),
        }
    }

    fn write_rfc3164_stamp(&self, now: Date, out: &mut Vec<u8>) {
        match self.stamp {
            Stamp::Rfc3164(stamp) => out.extend_from_slice(stamp),
            Stamp::Rfc5424(stamp) => {
                let month = two_digits(&stamp[5..]).clamp(1, 12);
                out.extend_from_slice(MONTHS[usize::from(month) - 1]);
                out.push(b' ');
                out.push(if stamp[8] == b'0' { b' ' } else { stamp[8] });
                out.push(stamp[9]);
                out.push(b' ');
                out.extend_from_slice(&stamp[11..19]);
            }
            Stamp::None => now.write_rfc3164(out),
        }
    }

    /// `keeps_nil`: a line of RFC 5424 without a time stays without one.
    fn write_rfc5424_stamp(&self, now: Date, keeps_nil: bool, out: &mut Vec<u8>) {
        match self.stamp {
            Stamp::Rfc5424(stamp) => out.extend_from_slice(stamp),
            Stamp::Rfc3164(stamp) => {
                let month = MONTHS.iter().position(|month| stamp.starts_with(month));
                let day = if stamp[4] == b' ' { b'0' } else { stamp[4] };
                // The year is this one, and nobody knows the zone (RFC 5424, 6.2.3).
                let (year, month) = (now.year, month.unwrap_or(0) + 1);
                drop(write!(out, "{year}-{month:02}-"));
                out.extend_from_slice(&[day, stamp[5], b'T']);
                out.extend_from_slice(&stamp[7..15]);
                out.extend_from_slice(b"-00:00");
            }
            Stamp::None if keeps_nil => out.push(b'-'),
            Stamp::None => now.write_rfc5424(out),
        }
    }
}

const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// `<134>`, of at most three digits.
fn priority(line: &[u8]) -> (Option<u16>, &[u8]) {
    let inside = line.strip_prefix(b"<");
    let end = inside.and_then(|inside| inside.iter().take(4).position(|&byte| byte == b'>'));
    let (Some(inside), Some(end)) = (inside, end) else {
        return (None, line);
    };
    let digits = &inside[..end];
    if !digits.iter().all(u8::is_ascii_digit) {
        return (None, line);
    }
    let number = |digits: &[u8]| digits.iter().fold(0, |n, d| n * 10 + u16::from(d - b'0'));
    (Some(number(digits)), &inside[end + 1..])
}

/// `1 TIMESTAMP HOST TAG PID ID STRUCTURED [TEXT]` (RFC 5424, 6).
fn rfc5424(line: &[u8]) -> Option<Incoming<'_>> {
    let rest = line.strip_prefix(b"1 ")?;
    let (stamp, rest) = word(rest)?;
    let stamp = match stamp {
        b"-" => Stamp::None,
        stamp if is_rfc5424_stamp(stamp) => Stamp::Rfc5424(stamp),
        _ => return None,
    };
    let (host, rest) = word(rest)?;
    let (tag, rest) = word(rest)?;
    let (pid, rest) = word(rest)?;
    let (id, rest) = word(rest)?;
    let length = structured_length(without_end(rest))?;
    let (structured, text) = rest.split_at(length);
    let text = match without_end(text) {
        b"" => b"",
        _ => text.strip_prefix(b" ")?,
    };
    let given = |field| if field == b"-" { &b""[..] } else { field };
    Some(Incoming {
        priority: None,
        form: Form::Rfc5424,
        stamp,
        host: given(host),
        tag: given(tag),
        pid: given(pid),
        id: given(id),
        structured: given(structured),
        text,
    })
}

/// `Feb  6 12:14:14 HOST [TAG[PID]: ]TEXT` (RFC 3164, 4.1).
fn rfc3164(line: &[u8]) -> Option<Incoming<'_>> {
    let (stamp, rest) = line.split_at_checked(15)?;
    let pattern = b"___ d0 00:00:00";
    let fits = stamp[3..]
        .iter()
        .zip(&pattern[3..])
        .all(|(byte, want)| match want {
            b'0' => byte.is_ascii_digit(),
            b'd' => byte.is_ascii_digit() || *byte == b' ',
            other => byte == other,
        });
    if !fits || !MONTHS.iter().any(|month| stamp.starts_with(month)) {
        return None;
    }
    let (host, rest) = word(rest.strip_prefix(b" ")?)?;
    let (tag, pid, text) = tagged(rest).unwrap_or((b"", b"", rest));
    Some(Incoming {
        form: Form::Rfc3164,
        stamp: Stamp::Rfc3164(stamp),
        host,
        tag,
        pid,
        text,
        ..Incoming::default()
    })
}

/// `TAG: ` or `TAG[PID]: `.
fn tagged(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (tag, text) = word(line)?;
    let tag = tag.strip_suffix(b":")?;
    let opened = tag.iter().position(|&byte| byte == b'[');
    let (tag, pid) = match (opened, tag.strip_suffix(b"]")) {
        (Some(open), Some(inside)) => (&tag[..open], &inside[open + 1..]),
        _ => (tag, &b""[..]),
    };
    (!tag.is_empty()).then_some((tag, pid, text))
}

/// A word that a space ends, and what follows.
fn word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b' ', line).filter(|end| *end > 0)?;
    Some((&line[..end], &line[end + 1..]))
}

/// Bytes of `-` or of elements in brackets; a quoted bracket ends none (RFC 5424, 6.3).
fn structured_length(line: &[u8]) -> Option<usize> {
    if line.first() == Some(&b'-') {
        return Some(1);
    }
    let mut length = 0;
    while line.get(length) == Some(&b'[') {
        let (mut quoted, mut escaped) = (false, false);
        let end = line[length..].iter().position(|&byte| {
            let ends = byte == b']' && !quoted;
            if byte == b'"' && !escaped {
                quoted = !quoted;
            }
            escaped = byte == b'\\' && !escaped;
            ends
        })?;
        length += end + 1;
    }
    (length > 0).then_some(length)
}

/// `2009-02-06T12:14:14[.655123](Z|+01:00)` (RFC 5424, 6.2.3).
fn is_rfc5424_stamp(stamp: &[u8]) -> bool {
    let fits = |bytes: &[u8], pattern: &[u8]| {
        bytes.len() == pattern.len()
            && bytes.iter().zip(pattern).all(|(byte, want)| match want {
                b'0' => byte.is_ascii_digit(),
                b'+' => matches!(byte, b'+' | b'-'),
                other => byte == other,
            })
    };
    let Some((date, rest)) = stamp.split_at_checked(19) else {
        return false;
    };
    let rest = match rest.strip_prefix(b".") {
        Some(rest) => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            &rest[digits..]
        }
        None => rest,
    };
    fits(date, b"0000-00-00T00:00:00") && (rest == b"Z" || fits(rest, b"+00:00"))
}

fn two_digits(bytes: &[u8]) -> u8 {
    (bytes[0] - b'0') * 10 + (bytes[1] - b'0')
}

/// Without the line's end.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_US: i64 = 1_233_922_454_655_123;

    fn forwarded(line: &str, framing: Option<Framing>, host: LogHost) -> String {
        let incoming = Incoming::parse(line.as_bytes()).expect("a line");
        let terms = Terms {
            framing: framing.unwrap_or(incoming.framing()),
            facility: 19,
            min_level: 0,
            host,
            source: b"1.2.3.4",
            now: Date::new(NOW_US, 0),
        };
        let mut out = Vec::new();
        incoming.write(&terms, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// What HAProxy 3.5 makes of the same lines.
    #[test]
    fn lines_keep_their_form() {
        let rows = [
            (
                "<134>Feb  6 12:14:14 h tag[42]: hello\n",
                "<134>Feb  6 12:14:14 h tag[42]: hello",
            ),
            (
                "<134>Feb 16 12:14:14 h tag[x]: hello",
                "<134>Feb 16 12:14:14 h tag[x]: hello",
            ),
            (
                "<134>Feb  6 12:14:14 tag: hello",
                "<134>Feb  6 12:14:14 tag: hello",
            ),
            (
                "<134>Feb  6 12:14:14 h tag:x y",
                "<134>Feb  6 12:14:14 h tag:x y",
            ),
            (
                "<134>Feb  6 12:14:14 hello",
                "<134>Feb  6 12:14:14 1.2.3.4 Feb  6 12:14:14 hello",
            ),
            (
                "<134>feb  6 12:14:14 h t: x",
                "<134>Feb  6 12:14:14 1.2.3.4 feb  6 12:14:14 h t: x",
            ),
            ("<134>just text", "<134>Feb  6 12:14:14 1.2.3.4 just text"),
            ("no priority", "<152>Feb  6 12:14:14 1.2.3.4 no priority"),
            ("<999>Feb  6 12:14:14 h t: x", "<999>Feb  6 12:14:14 h t: x"),
            ("<>Feb  6 12:14:14 h t: x", "<0>Feb  6 12:14:14 h t: x"),
            ("<134>1 - - - - - - text", "<134>1 - 1.2.3.4 - - - - text"),
            (
                "<134>1 2009-02-06T12:14:14.6+00:00 h a 42 ID47 [a@1 b=\"c ]\\\" d\"][e] text",
                "<134>1 2009-02-06T12:14:14.6+00:00 h a 42 ID47 [a@1 b=\"c ]\\\" d\"][e] text",
            ),
            (
                "<134>1 x h a 42 - - m",
                "<134>Feb  6 12:14:14 1.2.3.4 1 x h a 42 - - m",
            ),
        ];
        for (line, expected) in rows {
            assert_eq!(forwarded(line, None, LogHost::Fill), expected, "{line:?}");
        }
        assert_eq!(Incoming::parse(b"<134>"), None);
        assert_eq!(Incoming::parse(b""), None);
    }

    #[test]
    fn forms_into_each_other() {
        let old = "<134>Feb  6 12:14:14 h tag[42]: hello";
        let new = "<134>1 2003-10-11T22:14:15.003-07:00 h a p m - hello";
        let rows = [
            (
                Framing::Rfc5424,
                "<134>1 2009-02-06T12:14:14-00:00 h tag 42 - - hello",
            ),
            (Framing::Local, "<134>Feb  6 12:14:14 tag[42]: hello"),
            (Framing::Priority, "<134>hello"),
            (Framing::Short, "<6>hello"),
            (Framing::Timed, "<6>2009-02-06T12:14:14-00:00 hello"),
            (Framing::Iso, "2009-02-06T12:14:14-00:00 hello"),
            (Framing::Raw, "hello"),
        ];
        for (framing, expected) in rows {
            assert_eq!(forwarded(old, Some(framing), LogHost::Fill), expected);
        }
        let old_form = Some(Framing::Rfc3164);
        let line = "<134>Oct 11 22:14:15 h a[p]: hello";
        assert_eq!(forwarded(new, old_form, LogHost::Fill), line);
        // RFC 5424 lets the text be left out, and the zone be `Z`.
        let line = "<134>1 2009-02-06T12:14:14Z h a - - -";
        assert_eq!(
            forwarded(line, old_form, LogHost::Fill),
            "<134>Feb  6 12:14:14 h a: "
        );
    }

    /// Manual, 12.6 `option host`.
    #[test]
    fn hosts() {
        let rows = [
            (LogHost::Replace, "1.2.3.4", "1.2.3.4", "1.2.3.4"),
            (LogHost::Fill, "h", "1.2.3.4", "1.2.3.4"),
            (LogHost::Keep, "h", "localhost", "-"),
            (LogHost::Append, "h,1.2.3.4", "1.2.3.4", "1.2.3.4"),
        ];
        for (host, own, none_old, none_new) in rows {
            let line = forwarded("<1>Feb  6 12:14:14 h t: x", Some(Framing::Rfc3164), host);
            assert_eq!(line, format!("<1>Feb  6 12:14:14 {own} t: x"));
            let line = forwarded("<1>x", Some(Framing::Rfc3164), host);
            assert_eq!(line, format!("<1>Feb  6 12:14:14 {none_old} x"));
            let line = forwarded("<1>1 - - - - - - x", Some(Framing::Rfc5424), host);
            assert_eq!(line, format!("<1>1 - {none_new} - - - - x"));
        }
    }

    #[test]
    fn levels_are_capped_and_unread_lines_stay_whole() {
        let incoming = Incoming::unread(b"<134>x");
        let terms = Terms {
            framing: incoming.framing(),
            facility: 19,
            min_level: 3,
            host: LogHost::Fill,
            source: b"1.2.3.4",
            now: Date::new(NOW_US, 0),
        };
        let mut out = Vec::new();
        incoming.write(&terms, &mut out);
        assert_eq!(out, b"<134>x");
        out.clear();
        let framing = Framing::Priority;
        let emergency = Incoming::parse(b"<128>x").expect("a line");
        emergency.write(&Terms { framing, ..terms }, &mut out);
        assert_eq!(out, b"<131>x");
    }
}
