//! The statistics page (manual, `stats uri`): a pure function of a snapshot and a request.
//!
//! The columns of the page are those of `show stat`.

mod form;
mod html;
mod query;
mod table;

pub use form::{Action, Backend, Form, Outcome, same_origin};
pub use query::{Output, Query};

use crate::stats::{self, Format, Selection, Snapshot};
use cfgparse::model::Stats;
use wire::Head;

/// Where the page is unless `stats uri` says otherwise.
pub const DEFAULT_URI: &str = "/haproxy?stats";

/// A page that was rendered; the caller adds `cache-control: no-cache` and the length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub status: u16,
    pub content_type: &'static str,
    /// Further fields, in lower case.
    pub fields: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// What the `stats` lines of a proxy say about its page.
#[derive(Clone, Debug, Default)]
struct Settings {
    uri: String,
    refresh_s: Option<u32>,
    hide_version: bool,
    show_legends: bool,
    node: Option<String>,
    description: Option<String>,
    /// Names of proxies; empty for all.
    scope: Vec<String>,
    /// Whether this client may change states.
    admin: bool,
}

impl Settings {
    fn new(stats: &Stats, proxy: &str, snapshot: &Snapshot, admin: bool) -> Self {
        let process = &snapshot.process;
        let named = |scope: &String| {
            if scope == "." {
                proxy.to_owned()
            } else {
                scope.clone()
            }
        };
        let node = stats.show_node.as_ref();
        let description = stats.show_desc.as_ref();
        Self {
            uri: stats.uri.clone().unwrap_or_else(|| DEFAULT_URI.to_owned()),
            refresh_s: stats.refresh_s.filter(|seconds| *seconds > 0),
            hide_version: stats.hide_version,
            show_legends: stats.show_legends,
            node: node.map(|name| name.clone().unwrap_or_else(|| process.node.clone())),
            description: description
                .and_then(|text| text.clone().or_else(|| process.description.clone())),
            scope: stats.scope.iter().map(named).collect(),
            admin,
        }
    }
}

/// Renders what `request` asks for of the page of `proxy`; `admin` says whether this client
/// passes `stats admin`.
pub fn render(
    snapshot: &Snapshot,
    stats: &Stats,
    proxy: &str,
    request: &Head,
    admin: bool,
) -> Page {
    let target = String::from_utf8_lossy(request.path_and_query());
    answer(
        snapshot,
        &Settings::new(stats, proxy, snapshot, admin),
        &target,
    )
}

/// Leads back to the page after a form, and tells what became of it.
pub fn changed(stats: &Stats, request: &Head, outcome: Outcome) -> Page {
    let target = String::from_utf8_lossy(request.path_and_query());
    see_other(
        stats.uri.as_deref().unwrap_or(DEFAULT_URI),
        &target,
        outcome,
    )
}

fn see_other(uri: &str, target: &str, outcome: Outcome) -> Page {
    let (word, _) = outcome.texts();
    let options = Query::parse(uri, target).address("");
    let location = format!("{uri};st={word}{options}");
    let fields = vec![("location", location)];
    Page {
        status: 303,
        content_type: "text/plain",
        fields,
        body: Vec::new(),
    }
}

fn answer(snapshot: &Snapshot, settings: &Settings, target: &str) -> Page {
    let query = Query::parse(&settings.uri, target);
    let selection = Selection {
        up_only: query.up_only,
        no_maint: query.no_maint,
        scope: &settings.scope,
        ..Selection::ALL
    };
    let report = |format| stats::stat(snapshot, &selection, format, false);
    let (content_type, body) = match query.output {
        Output::Html => (
            "text/html",
            html::page(snapshot, settings, &query, &selection),
        ),
        Output::Csv => ("text/plain", report(Format::Plain)),
        Output::Typed => ("text/plain", report(Format::Typed)),
        Output::Json => ("application/json", report(Format::Json)),
    };
    let refresh = settings.refresh_s.filter(|_| !query.no_refresh);
    let fields = refresh
        .map(|seconds| ("refresh", seconds.to_string()))
        .into_iter()
        .collect();
    Page {
        status: 200,
        content_type,
        fields,
        body: body.into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::sample;

    fn settings() -> Settings {
        Settings {
            uri: "/stats".to_owned(),
            refresh_s: Some(5),
            ..Settings::default()
        }
    }

    fn body(settings: &Settings, target: &str) -> String {
        String::from_utf8(answer(&sample::snapshot(), settings, target).body).expect("text")
    }

    #[test]
    fn the_page_shows_every_row() {
        let body = body(&settings(), "/stats");
        for text in [
            "s1", "s2", "s3", "t1", "Frontend", "Backend", "sock-1", "MAINT", "L7OK",
        ] {
            assert!(body.contains(text), "{text} is missing");
        }
        insta::assert_snapshot!(body);
    }

    #[test]
    fn formats() {
        let rows = [
            ("/stats", "text/html", "<!doctype html>"),
            ("/stats;csv", "text/plain", "# pxname,svname"),
            ("/stats;json", "application/json", "[[{"),
            (
                "/stats;typed",
                "text/plain",
                "F.2.0.0.pxname.1:KNSV:str:web\n",
            ),
        ];
        for (target, kind, start) in rows {
            let page = answer(&sample::snapshot(), &settings(), target);
            assert!(page.body.starts_with(start.as_bytes()), "{target}");
            assert_eq!((page.status, page.content_type), (200, kind));
            assert_eq!(page.fields, [("refresh", "5".to_owned())]);
        }
    }

    #[test]
    fn refresh_can_be_turned_off() {
        assert!(body(&settings(), "/stats").contains(";norefresh\""));
        let page = answer(&sample::snapshot(), &settings(), "/stats;norefresh");
        assert!(page.fields.is_empty());
    }

    #[test]
    fn the_stats_lines_become_settings() {
        let stats = Stats {
            show_node: Some(None),
            show_desc: Some(Some("our <box>".to_owned())),
            scope: vec![".".to_owned(), "tcp".to_owned()],
            refresh_s: Some(0),
            ..Stats::default()
        };
        let settings = Settings::new(&stats, "web", &sample::snapshot(), false);
        assert_eq!(settings.uri, DEFAULT_URI);
        assert_eq!(settings.node.as_deref(), Some("edge1"));
        assert_eq!(settings.scope, ["web", "tcp"]);
        assert_eq!(settings.refresh_s, None);
        let body = body(&settings, DEFAULT_URI);
        assert!(body.contains("our &lt;box&gt;") && body.contains("3.5.0"));
        let hidden = Settings {
            hide_version: true,
            ..settings
        };
        assert!(!self::body(&hidden, DEFAULT_URI).contains("3.5.0"));
        assert!(!self::body(&self::settings(), "/stats").contains("edge1"));
    }

    #[test]
    fn scope_hides_other_proxies() {
        let scoped = Settings {
            scope: vec!["tcp".to_owned()],
            ..settings()
        };
        let html = body(&scoped, "/stats");
        assert!(html.contains("t1") && !html.contains("sock-1"));
        assert!(!body(&scoped, "/stats;csv").contains("web,"));
    }

    #[test]
    fn forms_appear_only_for_admins() {
        assert!(!body(&settings(), "/stats").contains("<form"));
        let admin = Settings {
            admin: true,
            ..settings()
        };
        let body = body(&admin, "/stats");
        assert!(body.contains("<form") && body.contains("name=\"s\" value=\"s1\""));
        assert!(body.contains("name=\"b\" value=\"#2\""));
    }

    #[test]
    fn an_outcome_leads_back_and_is_told() {
        let page = see_other("/", "/;norefresh;up", Outcome::Done);
        assert_eq!(
            page.fields,
            [("location", "/;st=DONE;up;norefresh".to_owned())]
        );
        assert!(body(&settings(), "/stats;st=DONE").contains("Action processed successfully."));
    }

    #[test]
    fn down_servers_can_be_hidden() {
        let body = body(&settings(), "/stats;up");
        assert!(!body.contains("id=\"web/s2\"") && body.contains("id=\"web/s1\""));
    }
}
