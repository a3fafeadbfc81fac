//! Metrics in the text format of Prometheus (`http-request use-service prometheus-exporter`): a
//! pure function of a snapshot.
//!
//! The figures are those of `show info` and `show stat`; [`rows`] names them as HAProxy's exporter
//! does, so that its dashboards and alarms go on.

mod query;
mod rows;

use std::fmt::Write;

use super::page::PageResponse;
use crate::stats::{self, Column, Condition, Object, Row, Snapshot, Value};
use query::Query;

/// A kind of metric.
#[derive(Clone, Copy)]
pub enum Kind {
    Counter,
    Gauge,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// How a column becomes samples.
#[derive(Clone, Copy)]
pub enum Shape {
    Number,
    /// A number; NaN where the column is empty.
    OrNan,
    /// Milliseconds shown in seconds.
    Seconds,
    /// 1, and the text as a label of this name.
    Text(&'static str),
    /// One of the samples that share a name, by this class of responses.
    Code(&'static str),
    /// One sample for each state.
    TwoStates,
    ListenerState,
    ServerState,
    CheckState,
    CheckCode,
    /// A counter of a module: the first word of its name.
    OfModule,
    /// How many servers of a backend are in each state.
    Sum(&'static Shape),
}

/// All samples of one name, or those with one label.
pub struct Family {
    /// The field of `show info`, or the column of `show stat`.
    column: &'static str,
    /// Behind `haproxy_` and the kind of object.
    name: &'static str,
    kind: Kind,
    shape: Shape,
}

/// A stick table as the exporter shows it.
pub struct TableFacts<'a> {
    pub name: &'a str,
    pub kind: &'a str,
    pub size: u64,
    pub used: u64,
}

const LISTENER_STATES: &[&str] = &["FULL", "WAITING", "OPEN", "PAUSED", "STOP"];
const SERVER_STATES: &[&str] = &["DOWN", "UP", "MAINT", "DRAIN", "NOLB"];
const CHECK_STATES: &[&str] = &[
    "HANA", "SOCKERR", "L4OK", "L4TOUT", "L4CON", "L6OK", "L6TOUT", "L6RSP", "L7TOUT", "L7RSP",
    "L7OK", "L7OKC", "L7STS", "PROCERR", "PROCTOUT", "PROCOK",
];

/// The metrics that the target's query asks for; `None` for a query that asks for nonsense.
pub fn answer(
    snapshot: &Snapshot,
    tables: &[TableFacts<'_>],
    target: &str,
) -> Option<PageResponse> {
    let query = Query::parse(target)?;
    let mut out = Out {
        text: String::new(),
        query: &query,
        head_of: String::new(),
    };
    if query.global {
        process(&mut out, snapshot);
    }
    let scopes = [
        (query.frontend, "frontend", rows::FRONTEND),
        (query.listener, "listener", rows::LISTENER),
        (query.backend, "backend", rows::BACKEND),
        (query.server, "server", rows::SERVER),
    ];
    for (_, kind, families) in scopes.into_iter().filter(|(wanted, _, _)| *wanted) {
        objects(&mut out, snapshot, kind, families);
    }
    if query.stick_tables {
        stick_tables(&mut out, tables);
    }
    Some(PageResponse::ok(
        "text/plain; version=0.0.4",
        None,
        out.text,
    ))
}

/// The text so far.
struct Out<'q> {
    text: String,
    query: &'q Query<'q>,
    /// The last name that was introduced.
    head_of: String,
}

impl Out<'_> {
    /// Introduces a name, once; false where the client does not want it.
    fn begin(&mut self, name: &str, kind: Kind, doc: &str) -> bool {
        if !self.query.wants(name) {
            return false;
        }
        if self.head_of != name {
            name.clone_into(&mut self.head_of);
            let word = kind.word();
            let _ = writeln!(self.text, "# HELP {name} {doc}\n# TYPE {name} {word}");
        }
        true
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        self.text.push_str(name);
        for (number, (label, text)) in labels.iter().enumerate() {
            let mark = if number == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{mark}{label}=\"");
            for letter in text.chars() {
                match letter {
                    '\\' | '"' => self.text.extend(['\\', letter]),
                    '\n' => self.text.push_str("\\n"),
                    other => self.text.push(other),
                }
            }
            self.text.push('"');
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{close} {value}");
    }
}

fn process(out: &mut Out<'_>, snapshot: &Snapshot) {
    for family in rows::PROCESS {
        let Some(field) = stats::FIELDS
            .iter()
            .find(|field| field.name == family.column)
        else {
            continue;
        };
        let value = (field.read)(&snapshot.process);
        let name = format!("haproxy_process_{}", family.name);
        if matches!(value, Value::Empty) || !out.begin(&name, family.kind, field.doc) {
            continue;
        }
        match family.shape {
            Shape::Text(label) => out.sample(&name, &[(label, &value.to_string())], "1"),
            _ => out.sample(&name, &[], &value.to_string()),
        }
    }
}

/// All samples of one name stand together, as the format wants it.
fn objects(out: &mut Out<'_>, snapshot: &Snapshot, kind: &str, families: &[Family]) {
    let no_maint = out.query.no_maint;
    let wanted = |row: &Row<'_>| match row.object {
        Object::Frontend(_) => kind == "frontend",
        Object::Listener(_) => kind == "listener",
        Object::Backend(_) => kind == "backend",
        Object::Server(server) => {
            kind == "server" && !(no_maint && server.condition == Condition::Maint)
        }
    };
    let rows: Vec<Row<'_>> = snapshot.rows().filter(wanted).collect();
    for family in families {
        let name = format!("haproxy_{kind}_{}", family.name);
        if let Some(column) = stats::columns().find(|column| column.name == family.column) {
            for row in &rows {
                one(out, &name, family, column, row);
            }
        }
    }
    for column in stats::EXTRA_COLUMNS {
        if !out.query.extra_counters || column.name == "-" {
            continue;
        }
        let name = format!("haproxy_{kind}_{}", column.name);
        let family = Family {
            column: column.name,
            name: column.name,
            kind: Kind::Gauge,
            shape: Shape::OfModule,
        };
        for row in &rows {
            one(out, &name, &family, column, row);
        }
    }
}

fn one(out: &mut Out<'_>, name: &str, family: &Family, column: &Column, row: &Row<'_>) {
    let value = (column.read)(row);
    let is_empty = matches!(value, Value::Empty);
    if is_empty && !matches!(family.shape, Shape::OrNan | Shape::CheckCode) {
        return;
    }
    let mut labels = vec![("proxy", row.proxy.name.as_str())];
    match row.object {
        Object::Server(server) => labels.push(("server", &server.name)),
        Object::Listener(listener) => labels.push(("listener", &listener.name)),
        _ => {}
    }
    if matches!(family.shape, Shape::CheckCode | Shape::CheckState) && row.check().is_none() {
        return;
    }
    if !out.begin(name, family.kind, column.doc) {
        return;
    }
    let text = value.to_string();
    match family.shape {
        Shape::OrNan if is_empty => out.sample(name, &labels, "NaN"),
        Shape::CheckCode if is_empty => out.sample(name, &labels, "0"),
        Shape::Number | Shape::OrNan | Shape::CheckCode => out.sample(name, &labels, &text),
        Shape::Seconds => out.sample(name, &labels, &seconds(&text)),
        Shape::OfModule => {
            labels.push(("mod", family.name.split('_').next().unwrap_or("")));
            out.sample(name, &labels, &text);
        }
        Shape::Text(label) => {
            labels.push((label, &text));
            out.sample(name, &labels, "1");
        }
        Shape::Code(code) => {
            labels.push(("code", code));
            out.sample(name, &labels, &text);
        }
        states => {
            for (state, count) in counts(states, &text, row) {
                labels.push(("state", state));
                out.sample(name, &labels, &count.to_string());
                labels.pop();
            }
        }
    }
}

/// Each state with how often it is met.
fn counts(shape: Shape, text: &str, row: &Row<'_>) -> Vec<(&'static str, usize)> {
    let servers = &row.proxy.servers;
    let count = |states: &[&'static str], of: &dyn Fn(&str) -> usize| {
        states.iter().map(|&state| (state, of(state))).collect()
    };
    let check = |status: &str, state: &str| status.trim_start_matches("* ") == state;
    match shape {
        Shape::TwoStates => {
            let is_up = text.starts_with("UP") || text == "OPEN";
            count(&["DOWN", "UP"], &|state| {
                usize::from((state == "UP") == is_up)
            })
        }
        Shape::ListenerState => count(LISTENER_STATES, &|state| usize::from(text == state)),
        Shape::ServerState => count(SERVER_STATES, &|state| {
            usize::from(server_state(text) == state)
        }),
        Shape::CheckState => count(CHECK_STATES, &|state| usize::from(check(text, state))),
        Shape::Sum(_) if servers.is_empty() => Vec::new(),
        Shape::Sum(Shape::CheckState) => count(CHECK_STATES, &|state| {
            let checks = servers.iter().filter_map(|server| server.check.as_ref());
            checks.filter(|own| check(&own.status, state)).count()
        }),
        Shape::Sum(_) => count(SERVER_STATES, &|state| {
            let same = |status: &str| server_state(status) == state;
            servers.iter().filter(|server| same(&server.status)).count()
        }),
        _ => Vec::new(),
    }
}

/// The state of a server without its details.
fn server_state(status: &str) -> &'static str {
    match status.split([' ', '(']).next() {
        Some("UP" | "no") => "UP",
        Some("MAINT") => "MAINT",
        Some("DRAIN") => "DRAIN",
        Some("NOLB") => "NOLB",
        _ => "DOWN",
    }
}

/// Milliseconds in seconds, as HAProxy prints them.
fn seconds(ms: &str) -> String {
    let ms: f64 = ms.parse().unwrap_or(0.0);
    format!("{:.6}", ms / 1000.0)
}

fn stick_tables(out: &mut Out<'_>, tables: &[TableFacts<'_>]) {
    let rows = [
        ("haproxy_sticktable_size", "Entries that fit."),
        ("haproxy_sticktable_used", "Entries in use."),
    ];
    for (name, doc) in rows {
        for table in tables {
            let figure = match name {
                "haproxy_sticktable_size" => table.size,
                _ => table.used,
            };
            if out.begin(name, Kind::Gauge, doc) {
                let labels = [("name", table.name), ("type", table.kind)];
                out.sample(name, &labels, &figure.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::sample;

    fn metrics(target: &str) -> String {
        let tables = [TableFacts {
            name: "st",
            kind: "ip",
            size: 1024,
            used: 3,
        }];
        answer(&sample::snapshot(), &tables, target)
            .map(|response| response.body)
            .unwrap_or_default()
    }

    #[test]
    fn every_metric_of_the_sample() {
        insta::assert_snapshot!(metrics("/metrics"));
    }

    #[test]
    fn every_family_shows_a_known_column() {
        for family in rows::PROCESS {
            let known = stats::FIELDS.iter().any(|f| f.name == family.column);
            assert!(known, "{}", family.column);
        }
        let objects = [rows::FRONTEND, rows::LISTENER, rows::BACKEND, rows::SERVER];
        for family in objects.into_iter().flatten() {
            let known = stats::columns().any(|column| column.name == family.column);
            assert!(known, "{}", family.column);
        }
    }

    #[test]
    fn each_name_is_introduced_once() {
        let text = metrics("/metrics");
        let mut heads: Vec<&str> = text.lines().filter(|l| l.starts_with("# TYPE")).collect();
        let count = heads.len();
        heads.sort_unstable();
        heads.dedup();
        assert_eq!(heads.len(), count);
    }

    #[test]
    fn a_query_chooses() {
        let begins = |target: &str, start: &str| {
            let text = metrics(target);
            assert!(!text.is_empty(), "{target}");
            let mut samples = text.lines().filter(|line| !line.starts_with('#'));
            assert!(samples.all(|line| line.starts_with(start)), "{target}");
        };
        begins("/m?scope=frontend", "haproxy_frontend_");
        begins("/m?scope=server&no-maint", "haproxy_server_");
        begins("/m?scope=sticktable", "haproxy_sticktable_");
        begins("/m?metrics=haproxy_server_status", "haproxy_server_status{");
        assert!(metrics("/m?scope=server").contains("server=\"s3\""));
        assert!(!metrics("/m?scope=server&no-maint").contains("server=\"s3\""));
        assert!(metrics("/m?extra-counters").contains("haproxy_frontend_h1_bytes_in"));
        assert!(!metrics("/m?metrics=-haproxy_server_status").contains("haproxy_server_status{"));
        assert_eq!(metrics("/m?scope="), "");
        assert!(answer(&sample::snapshot(), &[], "/m?scope=foo").is_none());
    }
}
