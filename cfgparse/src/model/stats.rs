//! `stats ...` lines of a proxy (manual, 4.2).

use super::Place;
use super::expr::Condition;
use super::rule::Rule;

/// The statistics page of a proxy.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Stats {
    /// Any `stats` line but `stats hide-version` and its like enables the page.
    pub enabled: bool,
    /// `/haproxy?stats` where nothing is written.
    pub uri: Option<String>,
    /// `HAProxy Statistics` where nothing is written.
    pub realm: Option<String>,
    pub auth: Vec<StatsUser>,
    /// Seconds between reloads of the page.
    pub refresh_s: Option<u32>,
    pub hide_version: bool,
    pub show_legends: bool,
    pub show_modules: bool,
    /// `Some(None)`: the machine's own name.
    pub show_node: Option<Option<String>>,
    pub show_desc: Option<Option<String>>,
    /// Proxies shown; empty: all; `.` is the proxy itself.
    pub scope: Vec<String>,
    /// `stats admin if|unless COND`, any of which allows changes.
    pub admin: Vec<Condition>,
    /// `stats http-request` rules.
    pub http_request: Vec<Rule>,
    pub at: Place,
}

/// `stats auth USER:PASSWORD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatsUser {
    pub user: String,
    pub password: String,
}
