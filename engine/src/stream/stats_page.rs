//! The statistics page, answered by whichever core was asked.

use wire::Head;

use super::{Next, Stream, reply};
use crate::log::{Cause, Phase};
use crate::plan::{ProxyId, StatsPage};
use crate::service::Persistence;
use crate::service::page::{self as service, Access, PageResponse, PageSettings, Query};
use crate::state::snapshot;

/// Whether a request is for the page: its path begins with `stats uri`.
pub fn is_asked_for(page: &StatsPage, request: &Head) -> bool {
    service::matches(page.uri.as_bytes(), request.path_and_query())
}

/// Answers with the page in the form asked for, or with a request for credentials.
pub fn answer(stream: &mut Stream<'_>, proxy: ProxyId, page: &StatsPage) -> Next {
    stream.exchange.facts.answered_by = Some("STATS");
    stream
        .exchange
        .facts
        .termination
        .end(Cause::Local, Phase::Request);
    stream
        .generation
        .stats
        .front(stream.client.frontend)
        .intercepted
        .inc();
    let users = page
        .settings
        .auth
        .iter()
        .map(|user| (&*user.user, &*user.password));
    if !Access::new(users).allows(stream.exchange.request.first(b"authorization")) {
        return send(stream, &service::challenge(&page.realm));
    }
    let snapshot = snapshot::take(&stream.generation.runtime, stream.local.core.now_ms());
    let target = String::from_utf8_lossy(stream.exchange.request.path_and_query()).into_owned();
    let query = Query::parse(&page.uri, &target);
    let made = service::answer(&snapshot, &settings(stream, proxy, page), &query);
    send(stream, &made)
}

fn settings(stream: &Stream<'_>, proxy: ProxyId, page: &StatsPage) -> PageSettings {
    let plan = stream.generation.plan();
    let written = &page.settings;
    let own_name = || plan.proxy(proxy).name.to_string();
    let scope = |name: &String| {
        if name == "." {
            own_name()
        } else {
            name.clone()
        }
    };
    PageSettings {
        uri: page.uri.clone(),
        refresh_s: written.refresh_s,
        hide_version: written.hide_version,
        show_legends: written.show_legends,
        node: written
            .show_node
            .as_ref()
            .map(|name| name.clone().unwrap_or_else(|| plan.process.node.clone())),
        description: written
            .show_desc
            .as_ref()
            .and_then(|text| text.clone().or_else(|| plan.process.description.clone())),
        scope: written.scope.iter().map(scope).collect(),
        admin: false,
    }
}

fn send(stream: &mut Stream<'_>, made: &PageResponse) -> Next {
    let mut message = Vec::new();
    made.write(&mut message, Persistence::Silent, true);
    reply::message(stream, &message)
}
