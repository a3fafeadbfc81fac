//! Reports as text: CSV, typed lines and JSON, from the tables of columns and fields.

use super::columns::{Column, EXTRA_COLUMNS, STATIC_COLUMNS, columns};
use super::facts::{Condition, ProcessFacts, Snapshot};
use super::info::FIELDS;
use super::row::{Object, Row};
use super::value::{Tags, Value};
use std::fmt::Write;

/// Which lines of `show stat` to print.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// The proxy's id; `None` for all.
    pub proxy: Option<u32>,
    /// Bits: 1 frontends, 2 backends, 4 servers, 8 listeners.
    pub kinds: u32,
    /// The server's or listener's id; `None` for all.
    pub object: Option<u32>,
    /// Only servers that are up or not checked.
    pub up_only: bool,
    /// No server in maintenance.
    pub no_maint: bool,
    /// `stats scope`: only these proxies; empty for all.
    pub scope: &'a [String],
}

/// Frontends.
pub const KIND_FRONTEND: u32 = 1;
/// Backends.
pub const KIND_BACKEND: u32 = 2;
/// Servers.
pub const KIND_SERVER: u32 = 4;
/// Listeners.
pub const KIND_LISTENER: u32 = 8;

impl Selection<'_> {
    /// Everything.
    pub const ALL: Selection<'static> = Selection {
        proxy: None,
        kinds: u32::MAX,
        object: None,
        up_only: false,
        no_maint: false,
        scope: &[],
    };

    /// Whether the line is wanted.
    pub fn takes(&self, row: &Row<'_>) -> bool {
        let kind = match row.object {
            Object::Frontend(_) => KIND_FRONTEND,
            Object::Backend(_) => KIND_BACKEND,
            Object::Server(_) => KIND_SERVER,
            Object::Listener(_) => KIND_LISTENER,
        };
        let inner = matches!(row.object, Object::Server(_) | Object::Listener(_));
        self.kinds & kind != 0
            && self.proxy.is_none_or(|id| id == row.proxy.id)
            && self.object.is_none_or(|id| !inner || id == row.id())
            && (self.scope.is_empty() || self.scope.contains(&row.proxy.name))
            && row
                .server()
                .is_none_or(|server| self.takes_condition(server.condition))
    }

    fn takes_condition(&self, condition: Condition) -> bool {
        use Condition::{Down, GoingUp, Maint};
        !(self.up_only && matches!(condition, Down | GoingUp | Maint)
            || self.no_maint && condition == Maint)
    }
}

/// How to print a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// CSV for `show stat`, `name: value` for `show info`.
    #[default]
    Plain,
    /// One value a line, with type and tags.
    Typed,
    Json,
}

/// `show stat`: the lines of `selection`, without the empty line that ends an answer.
pub fn stat(snapshot: &Snapshot, selection: &Selection<'_>, format: Format, desc: bool) -> String {
    let rows = snapshot.rows().filter(|row| selection.takes(row));
    let mut out = String::new();
    match format {
        Format::Plain => {
            csv_header(&mut out);
            rows.for_each(|row| csv_row(&mut out, &row));
        }
        Format::Typed => rows.for_each(|row| typed_row(&mut out, &row, desc)),
        Format::Json => {
            out.push('[');
            for (index, row) in rows.enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                json_row(&mut out, &row);
            }
            out.push_str("]\n");
        }
    }
    out
}

/// `show info`, without the empty line that ends an answer.
pub fn info(process: &ProcessFacts, format: Format, desc: bool, float: bool) -> String {
    let mut out = String::new();
    let values = FIELDS.iter().map(|field| (field, (field.read)(process)));
    let mut comma = "";
    for (field, value) in values.filter(|(_, value)| value.is_some()) {
        let number = match value {
            Value::Float(number) if float => format!("{number:.6}"),
            ref other => other.to_string(),
        };
        let _ = match format {
            Format::Plain => write!(out, "{}: {number}", field.name),
            Format::Typed => {
                let (position, name, tags) = (field.position, field.name, field.tags.0);
                let kind = if float && matches!(value, Value::Float(_)) {
                    "flt"
                } else {
                    value.type_name()
                };
                write!(out, "{position}.{name}.1:{tags}:{kind}:{number}")
            }
            Format::Json => {
                out.push_str(if comma.is_empty() { "[{" } else { ",{" });
                comma = ",";
                json_value(&mut out, field.position, field.name, field.tags, &value);
                write!(out, "}}")
            }
        };
        if format != Format::Json {
            end_line(&mut out, field.doc, desc);
        }
    }
    if format == Format::Json {
        out.push_str("]\n");
    }
    out
}

fn end_line(out: &mut String, doc: &str, desc: bool) {
    let _ = if desc {
        writeln!(out, ":\"{doc}\"")
    } else {
        writeln!(out)
    };
}

fn csv_header(out: &mut String) {
    out.push_str("# ");
    for column in STATIC_COLUMNS {
        let _ = write!(out, "{},", column.name);
    }
    out.push_str("-,");
    for column in EXTRA_COLUMNS {
        let _ = write!(out, "{},", column.name);
    }
    out.push('\n');
}

fn csv_row(out: &mut String, row: &Row<'_>) {
    for column in STATIC_COLUMNS {
        csv_cell(out, column, row);
    }
    out.push_str("-,");
    for column in EXTRA_COLUMNS {
        csv_cell(out, column, row);
    }
    out.push('\n');
}

fn csv_cell(out: &mut String, column: &Column, row: &Row<'_>) {
    match (column.read)(row) {
        Value::Text(text) if text.contains(['"', ',', '\n', '\r']) => {
            let _ = write!(out, "\"{}\",", text.replace('"', "\"\""));
        }
        value => {
            let _ = write!(out, "{value},");
        }
    }
}

fn typed_row(out: &mut String, row: &Row<'_>, desc: bool) {
    let letter = match row.object {
        Object::Frontend(_) => 'F',
        Object::Listener(_) => 'L',
        Object::Server(_) => 'S',
        Object::Backend(_) => 'B',
    };
    for (position, column) in columns().enumerate() {
        let value = (column.read)(row);
        if value.is_some() {
            let (proxy, id, name) = (row.proxy.id, row.id(), column.name);
            let (tags, kind) = (column.tags(row).0, value.type_name());
            let _ = write!(
                out,
                "{letter}.{proxy}.{id}.{position}.{name}.1:{tags}:{kind}:{value}"
            );
            end_line(out, column.doc, desc);
        }
    }
}

fn json_row(out: &mut String, row: &Row<'_>) {
    let kind = match row.object {
        Object::Frontend(_) => "Frontend",
        Object::Listener(_) => "Listener",
        Object::Server(_) => "Server",
        Object::Backend(_) => "Backend",
    };
    let mut open = "[{";
    for (position, column) in columns().enumerate() {
        let value = (column.read)(row);
        if value.is_some() {
            let (proxy, id) = (row.proxy.id, row.id());
            let _ = write!(
                out,
                "{open}\"objType\":\"{kind}\",\"proxyId\":{proxy},\"id\":{id},"
            );
            json_value(out, position as u16, column.name, column.tags(row), &value);
            out.push('}');
            open = ",{";
        }
    }
    out.push(']');
}

fn json_value(out: &mut String, position: u16, name: &str, tags: Tags, value: &Value<'_>) {
    let [origin, nature, scope] = tags.words();
    let _ = write!(
        out,
        "\"field\":{{\"pos\":{position},\"name\":\"{name}\"}},\"processNum\":1,\
         \"tags\":{{\"origin\":\"{origin}\",\"nature\":\"{nature}\",\"scope\":\"{scope}\"}},\
         \"value\":{{\"type\":\"{}\",\"value\":",
        value.type_name()
    );
    match value {
        Value::Text(text) => json_text(out, text),
        number => {
            let _ = write!(out, "{number}");
        }
    }
    out.push('}');
}

/// A JSON string (RFC 8259 section 7).
pub(crate) fn json_text(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        let _ = match letter {
            '"' | '\\' => write!(out, "\\{letter}"),
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            control if control < ' ' => write!(out, "\\u{:04x}", control as u32),
            other => write!(out, "{other}"),
        };
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::super::sample::snapshot;
    use super::*;
    use serde_json::Value as Json;

    #[test]
    fn the_header_is_haproxys() {
        let mut header = String::new();
        csv_header(&mut header);
        insta::assert_snapshot!(header);
        assert_eq!(STATIC_COLUMNS.len(), 119);
    }

    #[test]
    fn csv_has_a_cell_for_every_column() {
        let snapshot = snapshot();
        let text = stat(&snapshot, &Selection::ALL, Format::Plain, false);
        let cells = columns().count() + 2;
        for line in text.lines().filter(|line| !line.contains('"')) {
            assert_eq!(line.split(',').count(), cells, "{line}");
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn typed_lines() {
        insta::assert_snapshot!(stat(&snapshot(), &Selection::ALL, Format::Typed, false));
    }

    #[test]
    fn info_lines() {
        let process = snapshot().process;
        let plain = info(&process, Format::Plain, false, false);
        let typed = info(&process, Format::Typed, false, true);
        insta::assert_snapshot!(format!("{plain}\n{typed}"));
        let desc = info(&process, Format::Plain, true, false);
        assert!(
            desc.starts_with("Name: HAProxy:\"Product name\"\n"),
            "{desc}"
        );
    }

    #[test]
    fn json_parses_and_says_the_same_as_typed() {
        let snapshot = snapshot();
        let text = stat(&snapshot, &Selection::ALL, Format::Json, false);
        let rows: Json = serde_json::from_str(&text).expect("JSON");
        let values: usize = rows
            .as_array()
            .into_iter()
            .flatten()
            .map(|row| row.as_array().map_or(0, Vec::len))
            .sum();
        let typed = stat(&snapshot, &Selection::ALL, Format::Typed, false);
        assert_eq!(values, typed.lines().count());
        assert_eq!(rows[0][0]["tags"]["nature"], "Name");
        let info: Json = serde_json::from_str(&info(&snapshot.process, Format::Json, false, false))
            .expect("JSON");
        assert_eq!(info[0]["value"]["value"], "HAProxy");
    }

    #[test]
    fn selections() {
        let snapshot = snapshot();
        let names = |selection: Selection<'_>| {
            let rows = snapshot.rows().filter(|row| selection.takes(row));
            rows.map(|row| row.name()).collect::<Vec<_>>().join(" ")
        };
        let all = Selection::ALL;
        let rows = [
            (all, "FRONTEND sock-1 s1 s2 s3 BACKEND FRONTEND t1 BACKEND"),
            (
                Selection {
                    kinds: KIND_SERVER,
                    ..all
                },
                "s1 s2 s3 t1",
            ),
            (
                Selection {
                    proxy: Some(2),
                    kinds: 3,
                    ..all
                },
                "FRONTEND BACKEND",
            ),
            (
                Selection {
                    proxy: Some(2),
                    object: Some(2),
                    kinds: 4,
                    ..all
                },
                "s2",
            ),
            (
                Selection {
                    up_only: true,
                    kinds: 4,
                    ..all
                },
                "s1 t1",
            ),
            (
                Selection {
                    no_maint: true,
                    kinds: 4,
                    ..all
                },
                "s1 s2 t1",
            ),
            (
                Selection {
                    scope: &["tcp".to_owned()],
                    ..all
                },
                "FRONTEND t1 BACKEND",
            ),
        ];
        for (selection, expected) in rows {
            assert_eq!(names(selection), expected, "{selection:?}");
        }
    }

    #[test]
    fn ambiguous_texts_are_quoted() {
        let mut snapshot = snapshot();
        let check = snapshot.proxies[0].servers[0]
            .check
            .as_mut()
            .expect("s1 is checked");
        check.last = "a, \"b\"".to_owned();
        let text = stat(&snapshot, &Selection::ALL, Format::Plain, false);
        assert!(text.contains(",\"a, \"\"b\"\"\","), "{text}");
    }
}
