//! The page around the tables: title, key figures, links, legend.

use super::form::{ACTIONS, Outcome};
use super::table::{View, age, bytes, escape, grouped};
use super::{Output, PageSettings, Query};
use crate::stats::{Condition, Mode, ProcessFacts, ProxyFacts, Selection, Snapshot};
use std::fmt::Write;

/// The whole page, without anything that has to be loaded from elsewhere.
pub(super) fn page(
    snapshot: &Snapshot,
    settings: &PageSettings,
    query: Query,
    selection: &Selection<'_>,
) -> String {
    let mut out = String::with_capacity(16 * 1024);
    let title = match &settings.node {
        Some(node) => format!("Statistics of {}", escape(node)),
        None => "Statistics".to_owned(),
    };
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8><title>{title}</title>\
         <meta name=viewport content=\"width=device-width,initial-scale=1\">\
         <meta name=color-scheme content=\"light dark\"><link rel=icon href=\"data:,\">\
         <style>{}</style></head><body>",
        include_str!("style.css")
    );
    head(&mut out, &title, &snapshot.process, settings, query);
    if let Some(outcome) = query.outcome {
        banner(&mut out, outcome, &query.address(&settings.uri));
    }
    figures(&mut out, snapshot, selection);
    let view = View::new(settings.show_legends, settings.admin);
    for proxy in &snapshot.proxies {
        if selection.scope.is_empty() || selection.scope.contains(&proxy.name) {
            section(&mut out, snapshot, proxy, &view, settings, selection);
        }
    }
    legend(&mut out);
    let _ = writeln!(
        out,
        "<script>{}</script></body></html>",
        include_str!("page.js")
    );
    out
}

fn head(
    out: &mut String,
    title: &str,
    process: &ProcessFacts,
    settings: &PageSettings,
    query: Query,
) {
    let _ = write!(out, "<header><h1>{title}</h1><p>");
    if let Some(text) = &settings.description {
        let _ = write!(out, "{} · ", escape(text));
    }
    if !settings.hide_version {
        let _ = write!(out, "version {} · ", escape(&process.version));
    }
    let (pid, cores) = (process.pid, process.cores);
    let up = age(process.uptime_ms / 1000);
    let word = if cores == 1 { "core" } else { "cores" };
    let _ = write!(out, "pid {pid} · {cores} {word} · up {up}");
    if process.stopping {
        out.push_str(" · <b class=\"pill down\">stopping</b>");
    }
    out.push_str("</p><nav><input id=find type=search placeholder=\"Filter\" aria-label=Filter>");
    links(out, settings, query);
    out.push_str("</nav></header>");
}

fn links(out: &mut String, settings: &PageSettings, query: Query) {
    let mut link = |query: Query, text: &str| {
        let address = escape(&query.address(&settings.uri));
        let _ = write!(out, "<a href=\"{address}\">{text}</a>");
    };
    let up = if query.up_only {
        "Show all servers"
    } else {
        "Hide down servers"
    };
    link(
        Query {
            up_only: !query.up_only,
            ..query
        },
        up,
    );
    if settings.refresh_s.is_some() {
        let text = if query.no_refresh {
            "Refresh on"
        } else {
            "Refresh off"
        };
        link(
            Query {
                no_refresh: !query.no_refresh,
                ..query
            },
            text,
        );
    }
    link(query, "Refresh now");
    link(
        Query {
            output: Output::Csv,
            no_refresh: true,
            ..query
        },
        "CSV",
    );
    link(
        Query {
            output: Output::Json,
            no_refresh: true,
            ..query
        },
        "JSON",
    );
}

fn banner(out: &mut String, outcome: Outcome, back: &str) {
    let class = match outcome {
        Outcome::Done => "up",
        Outcome::Nothing | Outcome::Partly => "falling",
        _ => "down",
    };
    let (_, text) = outcome.texts();
    let _ = write!(
        out,
        "<p class=\"banner {class}\">{text} <a href=\"{}\" title=\"Remove this message\">×</a></p>",
        escape(back)
    );
}

/// The row of cards under the title.
fn figures(out: &mut String, snapshot: &Snapshot, selection: &Selection<'_>) {
    let process = &snapshot.process;
    let total = &process.total;
    out.push_str("<div class=cards>");
    let used = total.open.now as f64 * 100.0 / process.max_connections.max(1) as f64;
    card(
        out,
        "Connections",
        &grouped(total.open.now),
        &format!(
            "of {} · max {}",
            grouped(process.max_connections),
            grouped(total.open.max)
        ),
        Some(used),
    );
    let rate = |rate: &crate::stats::RateTotal| {
        (
            grouped(rate.per_second),
            format!("max {} · total {}", grouped(rate.max), grouped(rate.total)),
        )
    };
    let (now, more) = rate(&total.connections);
    card(out, "New connections/s", &now, &more, None);
    let (now, more) = requests(snapshot);
    card(out, "Requests/s", &now, &more, None);
    if total.tls_connections.total > 0 {
        let (now, more) = rate(&total.tls_connections);
        card(out, "TLS handshakes/s", &now, &more, None);
    }
    let busy = 100u32.saturating_sub(process.idle_percent);
    let cores = format!("of {} cores", process.cores);
    card(
        out,
        "Load",
        &format!("{busy} %"),
        &cores,
        Some(f64::from(busy)),
    );
    if process.memory_bytes > 0 {
        card(
            out,
            "Memory",
            &bytes(process.memory_bytes),
            "resident",
            None,
        );
    }
    let (up, down, other) = conditions(snapshot, selection);
    let rest = match (down, other) {
        (0, 0) => "all up".to_owned(),
        (0, other) => format!("{other} in maintenance or drain"),
        (down, 0) => format!("<b class=bad>{down} down</b>"),
        (down, other) => format!("<b class=bad>{down} down</b> · {other} in maintenance or drain"),
    };
    card(
        out,
        "Servers up",
        &format!("{up}<small>/{}</small>", up + down + other),
        &rest,
        None,
    );
    out.push_str("</div>");
}

fn card(out: &mut String, title: &str, value: &str, more: &str, percent: Option<f64>) {
    let _ = write!(out, "<div><h3>{title}</h3><b>{value}</b><p>{more}</p>");
    if let Some(percent) = percent {
        let _ = write!(
            out,
            "<meter min=0 max=100 value={:.1}></meter>",
            percent.min(100.0)
        );
    }
    out.push_str("</div>");
}

fn requests(snapshot: &Snapshot) -> (String, String) {
    let fronts = snapshot
        .proxies
        .iter()
        .filter_map(|proxy| proxy.front.as_ref());
    let (now, total) = fronts.fold((0, 0), |(now, total), front| {
        (
            now + front.total.requests.per_second,
            total + front.total.requests.total,
        )
    });
    (grouped(now), format!("total {}", grouped(total)))
}

/// Servers that are up, down, and set aside.
fn conditions(snapshot: &Snapshot, selection: &Selection<'_>) -> (usize, usize, usize) {
    let rows = snapshot
        .rows()
        .filter(|row| selection.scope.is_empty() || selection.scope.contains(&row.proxy.name));
    let mut counts = (0, 0, 0);
    for server in rows.filter_map(|row| row.server()) {
        match server.condition {
            Condition::Up | Condition::GoingDown | Condition::NoCheck => counts.0 += 1,
            Condition::Down | Condition::GoingUp => counts.1 += 1,
            Condition::NoLb | Condition::Drain | Condition::Maint => counts.2 += 1,
        }
    }
    counts
}

fn section(
    out: &mut String,
    snapshot: &Snapshot,
    proxy: &ProxyFacts,
    view: &View,
    settings: &PageSettings,
    selection: &Selection<'_>,
) {
    let name = escape(&proxy.name);
    let kind = match (&proxy.front, &proxy.back) {
        (Some(_), Some(_)) => "listen",
        (Some(_), None) => "frontend",
        _ => "backend",
    };
    let mode = if proxy.mode == Mode::Http {
        "http"
    } else {
        "tcp"
    };
    let _ = write!(
        out,
        "<section id=\"{name}\"><h2><a href=\"#{name}\">{name}</a> \
         <span class=tag>{kind}</span><span class=tag>{mode}</span>"
    );
    if settings.show_legends {
        let _ = write!(out, "<span class=tag>id {}</span>", proxy.id);
    }
    if let Some(text) = &proxy.description {
        let _ = write!(out, " <small>{}</small>", escape(text));
    }
    out.push_str("</h2>");
    let form = settings.admin && !proxy.servers.is_empty();
    if form {
        out.push_str("<form method=post>");
    }
    let rows = snapshot.rows_of(proxy).filter(|row| selection.takes(row));
    view.table(out, proxy, rows);
    if form {
        actions(out, proxy.id);
    }
    out.push_str("</section>");
}

fn actions(out: &mut String, proxy: u32) {
    out.push_str("<p class=act><select name=action aria-label=Action><option value=\"\">With the chosen servers …</option>");
    for (_, word, text) in ACTIONS {
        let _ = write!(out, "<option value={word}>{text}</option>");
    }
    let _ = write!(
        out,
        "</select><input type=hidden name=\"b\" value=\"#{proxy}\"><button>Apply</button></p></form>"
    );
}

fn legend(out: &mut String) {
    let rows = [
        ("up", "up"),
        ("falling", "up, going down"),
        ("rising", "down, going up"),
        ("down", "down"),
        ("drain", "drain"),
        ("maint", "maintenance"),
        ("unchecked", "not checked"),
    ];
    out.push_str("<footer>");
    for (class, text) in rows {
        let _ = write!(
            out,
            "<span><b class=\"pill {class}\">&nbsp;</b> {text}</span>"
        );
    }
    out.push_str("<span><b class=dash></b> backup</span></footer>");
}
