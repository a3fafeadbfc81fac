//! Rows of keywords with the function that parses each, and how they are looked up.

use std::collections::HashMap;

use crate::args::{Args, Lenience};
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity, closest};
use crate::registry::{Info, Sections, Status};

/// What parses a keyword's arguments into `T`.
pub type Parse<T> = fn(&mut Context, &mut T, &mut Args);

/// One keyword of a section or of a `bind` or `server` line.
pub struct Row<T: 'static> {
    pub info: Info,
    pub sections: Sections,
    /// A proxy without the needed side refuses the keyword; otherwise it warns and ignores it.
    pub strict: bool,
    pub lenience: Lenience,
    pub parse: Parse<T>,
}

/// HAProxy ignores words behind the last argument of this keyword.
pub const fn lax_end<T>(mut row: Row<T>) -> Row<T> {
    row.lenience.end = true;
    row
}

/// HAProxy reads as much of this keyword's number as is one.
pub const fn lax_number<T>(mut row: Row<T>) -> Row<T> {
    row.lenience.number = true;
    row
}

/// A row of a table whose keywords stand in one kind of section only.
pub const fn row<T>(
    name: &'static str,
    syntax: &'static str,
    status: Status,
    doc: &'static str,
    parse: Parse<T>,
) -> Row<T> {
    let info = Info {
        name,
        syntax,
        status,
        doc,
    };
    Row {
        info,
        sections: Sections(u8::MAX),
        strict: false,
        lenience: Lenience::NONE,
        parse,
    }
}

/// A row of a proxy's keyword. `sections` holds letters: Defaults, Frontend, Listen, Backend, and
/// `!` for one that is refused, not ignored, on the wrong side.
pub const fn proxy_row<T>(
    name: &'static str,
    syntax: &'static str,
    sections: &str,
    status: Status,
    doc: &'static str,
    parse: Parse<T>,
) -> Row<T> {
    let letters = sections.as_bytes();
    let mut bits = 0;
    let mut strict = false;
    let mut at = 0;
    while at < letters.len() {
        match letters[at] {
            b'D' => bits |= Sections::DEFAULTS,
            b'F' => bits |= Sections::FRONTEND,
            b'L' => bits |= Sections::LISTEN,
            b'B' => bits |= Sections::BACKEND,
            _ => strict = true,
        }
        at += 1;
    }
    let info = Info {
        name,
        syntax,
        status,
        doc,
    };
    Row {
        info,
        sections: Sections(bits),
        strict,
        lenience: Lenience::NONE,
        parse,
    }
}

/// Rows by name.
pub struct Table<T: 'static> {
    rows: HashMap<&'static str, &'static Row<T>>,
    /// First words of names that have several.
    groups: HashMap<&'static str, Vec<&'static str>>,
}

impl<T> Table<T> {
    pub fn new(tables: &[&'static [Row<T>]]) -> Self {
        let mut rows = HashMap::new();
        let mut groups: HashMap<_, Vec<_>> = HashMap::new();
        for row in tables.iter().flat_map(|table| table.iter()) {
            rows.insert(row.info.name, row);
            if let Some((group, member)) = row.info.name.split_once(' ') {
                groups.entry(group).or_default().push(member);
            }
        }
        Self { rows, groups }
    }

    /// The row that the next words of `args` name; those words are read. The longest name wins.
    pub fn find(&self, args: &mut Args) -> Option<&'static Row<T>> {
        let first = args.peek()?;
        if self.groups.contains_key(first.as_str()) {
            let line = args.upcoming();
            for length in (2..=3).rev() {
                let Some(words) = line.get(..length) else {
                    continue;
                };
                let name = words
                    .iter()
                    .map(|w| w.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" ");
                if let Some(row) = self.rows.get(name.as_str()) {
                    for _ in 0..length {
                        args.next();
                    }
                    args.begin_row(row.info.syntax, row.lenience);
                    return Some(row);
                }
            }
        }
        let row = self.rows.get(first.as_str())?;
        args.next();
        args.begin_row(row.info.syntax, row.lenience);
        Some(row)
    }

    /// Says that the next words of `args` name no row.
    pub fn unknown(&self, cx: &mut Context, args: &Args, place: &str) {
        let Some(word) = args.peek() else { return };
        let name = word.as_str();
        let (span, message, near) = if let Some(members) = self.groups.get(name) {
            let (span, second) = args
                .upcoming()
                .get(1)
                .map_or((word.span(), ""), |second| (second.span(), second.as_str()));
            let message = match name {
                "option" => format!("unknown option '{second}'"),
                _ => format!("'{name}' does not know '{second}' (in {place})"),
            };
            (span, message, closest(second, members.iter().copied()))
        } else {
            let names = self
                .rows
                .keys()
                .map(|name| name.split(' ').next().unwrap_or(name));
            let near = closest(name, names);
            (
                word.span(),
                format!("unknown keyword '{name}' in {place}"),
                near,
            )
        };
        let mut diagnostic = match near {
            Some(near) => Diagnostic::new(
                Severity::Alert,
                "unknown-keyword",
                Some(span),
                format!("{message}; did you mean '{near}' maybe ?"),
            )
            .remedy(format!("did you mean '{near}' maybe ?")),
            None => Diagnostic::new(Severity::Alert, "unknown-keyword", Some(span), message),
        };
        if diagnostic.remedy.is_none() && name == "option" {
            diagnostic.remedy = Some("see the manual's list of options".to_owned());
        }
        cx.report(diagnostic);
    }
}
