//! One item of a log line: its quoting, escaping and its form when empty.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

use cfgparse::model::expr::FormatFlags;

use crate::sample::Value;

use super::escape::{Escape, write_hex};
use super::format::Purpose;

/// Writes one item into the line.
pub struct Item<'o> {
    out: &'o mut Vec<u8>,
    purpose: Purpose,
    flags: FormatFlags,
    /// Where the item begins, its opening quote left out.
    start: usize,
    /// Something was written, if only an empty string.
    present: bool,
}

impl<'o> Item<'o> {
    /// Opens an item at the end of `out`.
    pub fn begin(out: &'o mut Vec<u8>, purpose: Purpose, flags: FormatFlags) -> Item<'o> {
        if flags.quote {
            out.push(b'"');
        }
        let start = out.len();
        Item {
            out,
            purpose,
            flags,
            start,
            present: false,
        }
    }

    /// Closes the item: an empty one becomes `-` in a log line, unless it is quoted.
    pub fn end(self) {
        if self.out.len() == self.start && self.purpose == Purpose::Log && !self.flags.quote {
            self.out.push(b'-');
        }
        if self.flags.quote {
            self.out.push(b'"');
        }
    }

    /// Whether `%{+X}` asks for hexadecimal.
    pub fn wants_hex(&self) -> bool {
        self.flags.hex
    }

    /// Text that is safe already.
    pub fn plain(&mut self, text: &[u8]) {
        self.present = true;
        self.out.extend_from_slice(text);
    }

    /// Whatever `write` appends.
    pub fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.present = true;
        write(self.out);
    }

    /// Text that the peer or the configuration chose.
    pub fn text(&mut self, text: &[u8]) {
        self.escaped(text, self.purpose.escape());
    }

    /// Text with its own rule of what is unsafe; outside of log lines the line's rule holds.
    pub fn escaped(&mut self, text: &[u8], escape: Escape) {
        self.present = true;
        let escape = match self.purpose {
            Purpose::Log => escape,
            Purpose::Http | Purpose::Raw => self.purpose.escape(),
        };
        if !self.flags.escape || !text.iter().any(|b| matches!(b, b'"' | b'\\' | b']')) {
            escape.write(text, self.out);
            return;
        }
        for piece in text.split_inclusive(|b| matches!(b, b'"' | b'\\' | b']')) {
            match piece {
                [start @ .., last @ (b'"' | b'\\' | b']')] => {
                    escape.write(start, self.out);
                    self.out.extend_from_slice(&[b'\\', *last]);
                }
                _ => escape.write(piece, self.out),
            }
        }
    }

    /// A whole number.
    pub fn number(&mut self, number: impl itoa::Integer) {
        let mut digits = itoa::Buffer::new();
        self.plain(digits.format(number).as_bytes());
    }

    /// A number that `%{+X}` turns hexadecimal, with at least four digits.
    pub fn number_or_hex(&mut self, number: u64) {
        if self.flags.hex {
            self.present = true;
            drop(write!(self.out, "{number:04X}"));
        } else {
            self.number(number);
        }
    }

    /// An address; a unix socket has none.
    pub fn address(&mut self, address: Option<SocketAddr>) {
        match address.map(|a| a.ip()) {
            None => self.plain(b"unix"),
            Some(ip) if self.flags.hex => {
                self.present = true;
                match ip {
                    IpAddr::V4(v4) => v4.octets().iter().for_each(|b| write_hex(*b, self.out)),
                    IpAddr::V6(v6) => v6.octets().iter().for_each(|b| write_hex(*b, self.out)),
                }
            }
            Some(IpAddr::V4(v4)) => self.value(&Value::Ipv4(v4)),
            Some(IpAddr::V6(v6)) => self.value(&Value::Ipv6(v6)),
        }
    }

    /// A sample.
    pub fn value(&mut self, value: &Value<'_>) {
        match value.bytes() {
            Some(bytes) => self.text(bytes),
            None => {
                self.present = true;
                value.write_text(self.out);
            }
        }
    }

    /// Whether anything was written so far, if only an empty string.
    pub fn is_present(&self) -> bool {
        self.present
    }
}
