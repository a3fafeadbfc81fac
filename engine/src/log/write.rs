//! One item of a log line: its quoting, escaping and its form when empty.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

use cfgparse::model::expr::FormatFlags;

use crate::sample::{Value, until_nul};

use super::encode::Kind;
use super::escape::{Escape, write_hex};
use super::format::Purpose;

/// Writes one item into the line.
pub struct Item<'o> {
    out: &'o mut Vec<u8>,
    purpose: Purpose,
    flags: FormatFlags,
    /// `%{+Q}` on an item that it applies to.
    quoted: bool,
    /// Where the item begins, its opening quote included.
    start: usize,
    /// What an item without text looks like.
    empty: Empty,
    /// The item is encoded, not printed.
    is_encoded: bool,
    is_list: bool,
}

/// What an item without text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Empty {
    /// `-` in a log line, `""` where it is quoted.
    Dash,
    /// Nothing, or `""` where it is quoted.
    Text,
    /// Not even quotes, and the space before it stands for the one behind it too.
    Absent,
}

impl<'o> Item<'o> {
    /// Opens an item at the end of `out`.
    ///
    /// `is_text` tells that `%{+Q}` applies to it.
    pub fn begin(
        out: &'o mut Vec<u8>,
        purpose: Purpose,
        flags: FormatFlags,
        is_text: bool,
    ) -> Item<'o> {
        let quoted = flags.quote && is_text;
        let start = out.len();
        if quoted {
            out.push(b'"');
        }
        Item {
            out,
            purpose,
            flags,
            quoted,
            start,
            empty: Empty::Dash,
            is_encoded: false,
            is_list: false,
        }
    }

    /// An item whose text goes into `out` as it is, to be encoded.
    pub fn encoded(out: &'o mut Vec<u8>, purpose: Purpose) -> Item<'o> {
        Item {
            is_encoded: true,
            ..Item::begin(out, purpose, FormatFlags::default(), false)
        }
    }

    /// What the item turned out to be.
    pub fn kind(&self, kind: Kind) -> Kind {
        match self.empty {
            Empty::Absent => Kind::Missing,
            _ if self.is_list => Kind::List,
            _ => kind,
        }
    }

    /// Whether the members of a list are encoded: the item is one from now on, and a NUL goes behind
    /// each member.
    pub fn encodes_list(&mut self) -> bool {
        self.is_list = self.is_encoded;
        self.is_list
    }

    /// Closes the item; tells whether it is there at all.
    pub fn end(self) -> bool {
        let is_empty = self.out.len() == self.start + usize::from(self.quoted);
        if is_empty && self.empty == Empty::Absent {
            self.out.truncate(self.start);
            return false;
        }
        if self.quoted {
            self.out.push(b'"');
        } else if is_empty && self.purpose == Purpose::Log && self.empty == Empty::Dash {
            self.out.push(b'-');
        }
        true
    }

    /// The item does not exist here, not even as `-`.
    pub fn nothing(&mut self) {
        self.empty = Empty::Absent;
    }

    /// An empty text is no missing one.
    pub fn may_be_empty(&mut self) {
        self.empty = Empty::Text;
    }

    /// Whether `%{+Q}` was given, for lists whose members are quoted one by one.
    pub fn wants_quotes(&self) -> bool {
        self.flags.quote
    }

    /// Whether `%{+X}` asks for hexadecimal.
    pub fn wants_hex(&self) -> bool {
        self.flags.hex
    }

    /// Text that is safe already.
    pub fn plain(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    /// Whatever `write` appends.
    pub fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(self.out);
    }

    /// Text that the peer or the configuration chose.
    pub fn text(&mut self, text: &[u8]) {
        self.escaped(text, self.purpose.escape());
    }

    /// Text with its own rule of what is unsafe; outside of log lines the line's rule holds, but
    /// members of a list stay apart everywhere.
    pub fn escaped(&mut self, text: &[u8], escape: Escape) {
        let escape = match self.purpose {
            Purpose::Log => escape,
            Purpose::Http | Purpose::Raw if escape == Escape::Header => escape,
            Purpose::Http | Purpose::Raw => self.purpose.escape(),
        };
        if self.flags.escape {
            escape.write_with_backslashes(text, self.out);
        } else {
            escape.write(text, self.out);
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
            drop(write!(self.out, "{number:04X}"));
        } else {
            self.number(number);
        }
    }

    /// An address; a unix socket has none.
    pub fn address(&mut self, address: Option<SocketAddr>) {
        match address.map(|a| a.ip()) {
            None => self.plain(b"unix"),
            Some(ip) if self.flags.hex => match ip {
                IpAddr::V4(v4) => v4.octets().iter().for_each(|b| write_hex(*b, self.out)),
                IpAddr::V6(v6) => v6.octets().iter().for_each(|b| write_hex(*b, self.out)),
            },
            Some(IpAddr::V4(v4)) => self.value(&Value::Ipv4(v4)),
            Some(IpAddr::V6(v6)) => self.value(&Value::Ipv6(v6)),
        }
    }

    /// A sample.
    pub fn value(&mut self, value: &Value<'_>) {
        match value {
            Value::Bin(data) => self.text(until_nul(data)),
            Value::Str(text) | Value::Meth(text) => self.text(text),
            _ => value.write_text(self.out),
        }
    }
}
