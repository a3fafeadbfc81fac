//! The tables of the page: which columns of `show stat` they show, and how.

use crate::stats::{Column, Condition, Object, ProxyFacts, ResponsesTotal, Row, Value, columns};
use std::fmt::Write;

/// How a column's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Show {
    Number,
    Bytes,
    /// Microseconds, written as milliseconds.
    Micros,
}

/// A group of columns under one title.
struct Group {
    title: &'static str,
    /// Label, name in `show stat`, how it is shown.
    columns: &'static [(&'static str, &'static str, Show)],
}

/// The numeric columns, from left to right.
const GROUPS: &[Group] = &[
    Group {
        title: "Sessions",
        columns: &[
            ("Now", "scur", Show::Number),
            ("Max", "smax", Show::Number),
            ("Limit", "slim", Show::Number),
            ("Total", "stot", Show::Number),
        ],
    },
    Group {
        title: "Requests",
        columns: &[("Total", "req_tot", Show::Number)],
    },
    Group {
        title: "Per second",
        columns: &[
            ("Now", "rate", Show::Number),
            ("Max", "rate_max", Show::Number),
        ],
    },
    Group {
        title: "Queue",
        columns: &[("Now", "qcur", Show::Number), ("Max", "qmax", Show::Number)],
    },
    Group {
        title: "Traffic",
        columns: &[("In", "bin", Show::Bytes), ("Out", "bout", Show::Bytes)],
    },
    Group {
        title: "Latency ms",
        columns: &[
            ("p50", "latency_p50_us", Show::Micros),
            ("p99", "latency_p99_us", Show::Micros),
        ],
    },
    Group {
        title: "Denied",
        columns: &[
            ("Req", "dreq", Show::Number),
            ("Resp", "dresp", Show::Number),
        ],
    },
    Group {
        title: "Errors",
        columns: &[
            ("Req", "ereq", Show::Number),
            ("Conn", "econ", Show::Number),
            ("Resp", "eresp", Show::Number),
        ],
    },
    Group {
        title: "Retries",
        columns: &[
            ("Same", "wretr", Show::Number),
            ("Moved", "wredis", Show::Number),
        ],
    },
    Group {
        title: "Servers",
        columns: &[
            ("Weight", "weight", Show::Number),
            ("Active", "act", Show::Number),
            ("Backup", "bck", Show::Number),
        ],
    },
];

/// The columns of a page, looked up once.
pub(super) struct View {
    groups: Vec<(&'static str, Vec<Cell>)>,
    legends: bool,
    admin: bool,
}

struct Cell {
    label: &'static str,
    column: &'static Column,
    show: Show,
}

impl View {
    /// With addresses and cookies if `legends`, with forms if `admin`.
    pub(super) fn new(legends: bool, admin: bool) -> Self {
        let cell = |&(label, name, show): &(&'static str, &str, Show)| {
            let column = columns().find(|column| column.name == name)?;
            Some(Cell {
                label,
                column,
                show,
            })
        };
        let group = |group: &Group| {
            (
                group.title,
                group.columns.iter().filter_map(cell).collect::<Vec<_>>(),
            )
        };
        Self {
            groups: GROUPS.iter().map(group).collect(),
            legends,
            admin,
        }
    }

    /// The table of one proxy.
    pub(super) fn table<'a>(
        &self,
        out: &mut String,
        proxy: &ProxyFacts,
        rows: impl Iterator<Item = Row<'a>>,
    ) {
        out.push_str("<div class=scroll><table>");
        self.header(out);
        out.push_str("<tbody>");
        rows.for_each(|row| self.row(out, proxy, &row));
        out.push_str("</tbody></table></div>");
    }

    fn header(&self, out: &mut String) {
        out.push_str("<thead><tr><th rowspan=2 class=name>");
        if self.admin {
            out.push_str("<input type=checkbox class=all aria-label=\"all servers\">");
        }
        out.push_str("</th><th rowspan=2>State</th><th rowspan=2>Check</th>");
        for (title, cells) in &self.groups {
            let _ = write!(out, "<th colspan={} class=g>{title}</th>", cells.len());
        }
        out.push_str("<th rowspan=2 class=g>Responses</th></tr><tr>");
        for (_, cells) in &self.groups {
            for (index, cell) in cells.iter().enumerate() {
                let class = if index == 0 { " class=g" } else { "" };
                let doc = escape(cell.column.doc);
                let _ = write!(out, "<th{class} title=\"{doc}\">{}</th>", cell.label);
            }
        }
        out.push_str("</tr></thead>");
    }

    fn row(&self, out: &mut String, proxy: &ProxyFacts, row: &Row<'_>) {
        let (proxy_name, name) = (escape(&proxy.name), escape(row.name()));
        let _ = write!(
            out,
            "<tr id=\"{proxy_name}/{name}\" class=\"{}\"><th scope=row class=name>",
            row_class(row)
        );
        if let (true, Some(_)) = (self.admin, row.server()) {
            let _ = write!(out, "<input type=checkbox name=\"s\" value=\"{name}\"> ");
        }
        let shown = match row.object {
            Object::Frontend(_) => "Frontend",
            Object::Backend(_) => "Backend",
            _ => &name,
        };
        let _ = write!(
            out,
            "<span title=\"{}\">{shown}</span>",
            escape(&self.legend(row))
        );
        out.push_str("</th>");
        state(out, row);
        check(out, row);
        for (_, cells) in &self.groups {
            for (index, cell) in cells.iter().enumerate() {
                number(out, &(cell.column.read)(row), cell.show, index == 0);
            }
        }
        responses(out, row.responses());
        out.push_str("</tr>");
    }

    /// What a name tells when the pointer rests on it.
    fn legend(&self, row: &Row<'_>) -> String {
        if !self.legends {
            return String::new();
        }
        match row.object {
            Object::Frontend(_) => String::new(),
            Object::Listener(listener) => format!("{}, id: {}", listener.address, listener.id),
            Object::Server(server) => {
                let cookie = server.cookie.as_deref();
                let cookie = cookie.map(|cookie| format!(", cookie: '{cookie}'"));
                format!(
                    "{}, id: {}{}",
                    server.address,
                    server.id,
                    cookie.unwrap_or_default()
                )
            }
            Object::Backend(back) => {
                let cookie = back.cookie.as_deref();
                let cookie = cookie.map(|cookie| format!(", cookie: '{cookie}'"));
                format!(
                    "balancing: {}{}",
                    back.algorithm,
                    cookie.unwrap_or_default()
                )
            }
        }
    }
}

fn row_class(row: &Row<'_>) -> String {
    match row.object {
        Object::Frontend(_) => "front".to_owned(),
        Object::Listener(_) => "listener".to_owned(),
        Object::Server(server) if server.backup => {
            format!("server backup {}", condition_class(server.condition))
        }
        Object::Server(server) => format!("server {}", condition_class(server.condition)),
        Object::Backend(_) => "back".to_owned(),
    }
}

/// The colour of a condition.
pub(super) fn condition_class(condition: Condition) -> &'static str {
    match condition {
        Condition::Up => "up",
        Condition::GoingDown => "falling",
        Condition::GoingUp => "rising",
        Condition::Down => "down",
        Condition::NoLb | Condition::Drain => "drain",
        Condition::Maint => "maint",
        Condition::NoCheck => "unchecked",
    }
}

fn state(out: &mut String, row: &Row<'_>) {
    let (text, class, since) = match row.object {
        Object::Frontend(front) => (front.status, plain_class(front.status), None),
        Object::Listener(listener) => (listener.status, plain_class(listener.status), None),
        Object::Server(server) => (
            server.status.as_str(),
            condition_class(server.condition),
            Some(server.last_change_s),
        ),
        Object::Backend(back) => (
            back.status,
            condition_class(back.condition),
            Some(back.last_change_s),
        ),
    };
    let _ = write!(
        out,
        "<td class=state><b class=\"pill {class}\">{}</b>",
        escape(text)
    );
    if let Some(seconds) = since {
        let _ = write!(out, " <i>{}</i>", age(seconds.into()));
    }
    out.push_str("</td>");
}

fn plain_class(status: &str) -> &'static str {
    match status {
        "OPEN" => "up",
        "STOP" => "down",
        _ => "falling",
    }
}

fn number(out: &mut String, value: &Value<'_>, show: Show, first: bool) {
    let group = if first { "g" } else { "" };
    let amount = match value {
        Value::U32(number) => u64::from(*number),
        Value::U64(number) => *number,
        _ => {
            let _ = write!(out, "<td class={group}>");
            out.push_str("</td>");
            return;
        }
    };
    let zero = if amount == 0 { " z" } else { "" };
    let text = match show {
        Show::Number => grouped(amount),
        Show::Bytes => bytes(amount),
        Show::Micros => format!("{:.1}", amount as f64 / 1000.0),
    };
    let exact = match show {
        Show::Bytes => format!(" title=\"{} bytes\"", grouped(amount)),
        _ => String::new(),
    };
    let _ = write!(out, "<td class=\"{group}{zero}\"{exact}>{text}</td>");
}

/// A bar of the classes of responses, drawn by their share.
fn responses(out: &mut String, responses: Option<&ResponsesTotal>) {
    out.push_str("<td class=g>");
    if let Some(responses) = responses {
        let classes = [
            ("1xx", responses.informational),
            ("2xx", responses.success),
            ("3xx", responses.redirection),
            ("4xx", responses.client_error),
            ("5xx", responses.server_error),
            ("other", responses.other),
        ];
        let all: u64 = classes.iter().map(|(_, count)| count).sum();
        let told: Vec<_> = classes
            .iter()
            .map(|(name, count)| format!("{name}: {}", grouped(*count)))
            .collect();
        let _ = write!(out, "<div class=bar title=\"{}\">", told.join("\n"));
        for (name, count) in classes.iter().filter(|(_, count)| *count > 0) {
            let share = *count as f64 * 100.0 / all as f64;
            let _ = write!(out, "<s class=c{name} style=\"width:{share:.2}%\"></s>");
        }
        out.push_str("</div>");
    }
    out.push_str("</td>");
}

fn check(out: &mut String, row: &Row<'_>) {
    out.push_str("<td class=check");
    if let Some(check) = row.check() {
        let told = if check.last.is_empty() {
            check.description.clone()
        } else {
            format!("{}: {}", check.description, check.last)
        };
        let code = check
            .code
            .map(|code| format!("/{code}"))
            .unwrap_or_default();
        let duration = check
            .duration_ms
            .map(|ms| format!(" in {ms} ms"))
            .unwrap_or_default();
        let status = escape(&check.status);
        let _ = write!(out, " title=\"{}\">{status}{code}{duration}", escape(&told));
    } else {
        out.push('>');
    }
    out.push_str("</td>");
}

/// 1 234 567, with narrow spaces.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// 1.5 MB: powers of 1024, three digits.
pub(super) fn bytes(amount: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if amount < 1024 {
        return amount.to_string();
    }
    let mut value = amount as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let decimals = usize::from(value < 10.0);
    format!("{value:.decimals$}\u{202f}{}", UNITS[unit])
}

/// 3d4h, 2h5m, 4m10s, 7s.
pub(super) fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// Text that is safe in HTML, between tags and inside quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shown_column_exists() {
        let shown: usize = GROUPS.iter().map(|group| group.columns.len()).sum();
        let found: usize = View::new(true, true)
            .groups
            .iter()
            .map(|(_, cells)| cells.len())
            .sum();
        assert_eq!(shown, found);
    }

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(grouped(123), "123");
        for (amount, expected) in [
            (0, "0"),
            (1023, "1023"),
            (1536, "1.5 kB"),
            (1 << 40, "1.0 TB"),
        ] {
            assert_eq!(bytes(amount).replace('\u{202f}', " "), expected);
        }
        assert_eq!(bytes(u64::MAX).replace('\u{202f}', " "), "16 EB");
        for (seconds, expected) in [
            (7, "7s"),
            (250, "4m10s"),
            (7_500, "2h5m"),
            (273_600, "3d4h"),
        ] {
            assert_eq!(age(seconds), expected);
        }
    }

    #[test]
    fn names_cannot_break_out() {
        assert_eq!(
            escape("<a href=\"x\">'&"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;"
        );
    }
}
