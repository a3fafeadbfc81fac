//! The statistics page (manual, `stats uri`): a pure function of a snapshot.
//!
//! A stage asks [`matches`] and [`Access::allows`], then sends what [`answer`] or [`changed`]
//! gives. The columns of the page are those of `show stat`.

mod access;
mod form;
mod html;
mod query;
mod response;
mod table;

pub use access::{Access, same_origin};
pub use form::{Action, Backend, Form, Outcome};
pub use query::{Output, Query, matches};
pub use response::{PageResponse, challenge, changed};

use crate::stats::{self, Format, Selection, Snapshot};

/// What the `stats` lines of a proxy say about its page.
#[derive(Clone, Debug, Default)]
pub struct PageSettings {
    /// `stats uri`.
    pub uri: String,
    /// `stats refresh`, in seconds.
    pub refresh_s: Option<u32>,
    /// `stats hide-version`.
    pub hide_version: bool,
    /// `stats show-legends`: addresses, cookies and algorithms.
    pub show_legends: bool,
    /// `stats show-node`: the name to show.
    pub node: Option<String>,
    /// `stats show-desc`: the text to show.
    pub description: Option<String>,
    /// `stats scope`, `.` resolved; empty for all proxies.
    pub scope: Vec<String>,
    /// Whether this client may change states (`stats admin`).
    pub admin: bool,
}

/// The page in the format that was asked for.
pub fn answer(snapshot: &Snapshot, settings: &PageSettings, query: &Query) -> PageResponse {
    let selection = Selection {
        up_only: query.up_only,
        no_maint: query.no_maint,
        scope: &settings.scope,
        ..Selection::ALL
    };
    let (content_type, body) = match query.output {
        Output::Html => (
            "text/html",
            html::page(snapshot, settings, *query, &selection),
        ),
        Output::Csv => (
            "text/plain",
            stats::stat(snapshot, &selection, Format::Plain, false),
        ),
        Output::Typed => (
            "text/plain",
            stats::stat(snapshot, &selection, Format::Typed, false),
        ),
        Output::Json => (
            "application/json",
            stats::stat(snapshot, &selection, Format::Json, false),
        ),
    };
    let refresh = settings
        .refresh_s
        .filter(|seconds| *seconds > 0 && !query.no_refresh);
    PageResponse::ok(content_type, refresh, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::sample;

    fn settings() -> PageSettings {
        PageSettings {
            uri: "/stats".to_owned(),
            refresh_s: Some(5),
            ..PageSettings::default()
        }
    }

    fn page(settings: &PageSettings, path: &str) -> PageResponse {
        answer(
            &sample::snapshot(),
            settings,
            &Query::parse(&settings.uri, path),
        )
    }

    fn html(settings: &PageSettings, path: &str) -> String {
        page(settings, path).body
    }

    #[test]
    fn the_page_shows_every_row() {
        let body = html(&settings(), "/stats");
        for text in [
            "s1", "s2", "s3", "t1", "Frontend", "Backend", "sock-1", "MAINT", "L7OK",
        ] {
            assert!(body.contains(text), "{text} is missing");
        }
        insta::assert_snapshot!(body);
    }

    #[test]
    fn formats_and_their_heads() {
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
        for (path, kind, start) in rows {
            let response = page(&settings(), path);
            assert!(response.body.starts_with(start), "{path}");
            let mut out = Vec::new();
            response.write(&mut out, crate::service::Persistence::Silent, false);
            let head = String::from_utf8(out).expect("text");
            let length = response.body.len();
            assert_eq!(
                head,
                format!(
                    "HTTP/1.1 200 OK\r\ncache-control: no-cache\r\ncontent-type: {kind}\r\n\
                     refresh: 5\r\ncontent-length: {length}\r\n\r\n"
                ),
            );
        }
    }

    #[test]
    fn refresh_can_be_turned_off() {
        assert!(html(&settings(), "/stats").contains(";norefresh\""));
        let response = page(&settings(), "/stats;norefresh");
        let mut out = Vec::new();
        response.write(&mut out, crate::service::Persistence::Silent, false);
        assert!(!String::from_utf8(out).expect("text").contains("refresh:"));
    }

    #[test]
    fn version_node_and_description_show_as_configured() {
        let shown = PageSettings {
            node: Some("edge1".to_owned()),
            description: Some("our <box>".to_owned()),
            ..settings()
        };
        let body = html(&shown, "/stats");
        assert!(body.contains("3.5.0") && body.contains("edge1"));
        assert!(body.contains("our &lt;box&gt;"), "escaped");
        let hidden = PageSettings {
            hide_version: true,
            ..shown
        };
        assert!(!html(&hidden, "/stats").contains("3.5.0"));
        assert!(!html(&settings(), "/stats").contains("edge1"));
    }

    #[test]
    fn scope_hides_other_proxies() {
        let scoped = PageSettings {
            scope: vec!["tcp".to_owned()],
            ..settings()
        };
        let body = html(&scoped, "/stats");
        assert!(body.contains("t1") && !body.contains("sock-1"));
        assert!(!page(&scoped, "/stats;csv").body.contains("web,"));
    }

    #[test]
    fn forms_appear_only_for_admins() {
        assert!(!html(&settings(), "/stats").contains("<form"));
        let admin = PageSettings {
            admin: true,
            ..settings()
        };
        let body = html(&admin, "/stats");
        assert!(body.contains("<form") && body.contains("name=\"s\" value=\"s1\""));
        assert!(body.contains("name=\"b\" value=\"#2\""));
    }

    #[test]
    fn an_outcome_is_told() {
        assert!(html(&settings(), "/stats;st=DONE").contains("Action processed successfully."));
    }

    #[test]
    fn down_servers_can_be_hidden() {
        let body = html(&settings(), "/stats;up");
        assert!(!body.contains("id=\"web/s2\"") && body.contains("id=\"web/s1\""));
    }
}
