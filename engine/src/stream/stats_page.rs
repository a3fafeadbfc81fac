//! The statistics page, answered by whichever core was asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Poll;

use wire::Head;
use wire::h1::BodyLength;

use super::buffer::{self, Wanted};
use super::wait::{Patience, wait};
use super::{Asked, Fault, Next, Order, Stream, reply};
use crate::log::{Cause, Phase};
use crate::mux::h1::Extent;
use crate::plan::{ProxyId, ServerId, StatsPage};
use crate::service::metrics::{self as exporter, TableFacts};
use crate::service::page::{
    self as service, Access, Action, Form, Outcome, PageResponse, PageSettings, Query,
};
use crate::service::{Message, Persistence};
use crate::state::snapshot;

/// Whether a request is for the page: its path begins with `stats uri`.
pub fn is_asked_for(page: &StatsPage, request: &Head) -> bool {
    service::matches(page.uri.as_bytes(), request.path_and_query())
}

/// Answers with the page in the form asked for, or with a request for credentials. A rule may have
/// let the client in already.
pub async fn answer(
    stream: &mut Stream<'_>,
    proxy: ProxyId,
    page: &StatsPage,
    is_let_in: bool,
) -> Result<Next, Fault> {
    stream.exchange.facts.answered_by = Some("<STATS>");
    answered_here(stream);
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
    let authorization = stream.exchange.request.first(b"authorization");
    if !is_let_in && !Access::new(users).allows(authorization) {
        return Ok(send(stream, &service::challenge(&page.realm)));
    }
    let target = String::from_utf8_lossy(stream.exchange.request.path_and_query()).into_owned();
    let query = Query::parse(&page.uri, &target);
    let is_admin = page.admin.iter().any(|rule| stream.holds(Some(rule)));
    if stream.exchange.request.method() == b"POST" {
        let outcome = change(stream, is_admin).await?;
        return Ok(send(stream, &service::changed(&page.uri, &query, outcome)));
    }
    let snapshot = snapshot::take(&stream.generation.runtime, stream.local.core.now_ms());
    let settings = PageSettings {
        admin: is_admin,
        ..settings(stream, proxy, page)
    };
    let made = service::answer(&snapshot, &settings, &query);
    Ok(send(stream, &made))
}

/// Notes that no server is asked.
fn answered_here(stream: &mut Stream<'_>) {
    let now_us = stream.local.core.now_us();
    let marks = &mut stream.exchange.marks;
    (marks.permit_us, marks.connected_us, marks.response_us) = (now_us, now_us, now_us);
    marks.request_is_fit = true;
    stream
        .exchange
        .facts
        .termination
        .end(Cause::Local, Phase::Request);
}

/// `http-request use-service prometheus-exporter`: the metrics that the query asks for.
pub fn metrics(stream: &mut Stream<'_>) -> Next {
    stream.exchange.facts.answered_by = Some("<PROMEX>");
    answered_here(stream);
    let target = String::from_utf8_lossy(stream.exchange.request.path_and_query()).into_owned();
    let now_ms = stream.local.core.now_ms();
    let runtime = &stream.generation.runtime;
    let snapshot = snapshot::take(runtime, now_ms);
    let tables: Vec<_> = runtime
        .tables
        .iter()
        .map(|table| TableFacts {
            name: &table.spec().name,
            kind: table.spec().key.word(),
            size: table.spec().size,
            used: table.used(now_ms),
        })
        .collect();
    match exporter::answer(&snapshot, &tables, &target) {
        Some(made) => send(stream, &made),
        None => reply::message(stream, Message::of_error(400).raw.as_bytes()),
    }
}

/// Does what the page's form says (manual, `stats admin`).
async fn change(stream: &mut Stream<'_>, is_admin: bool) -> Result<Outcome, Fault> {
    let request = &stream.exchange.request;
    let is_own = service::same_origin(
        request.first(b"host"),
        request.first(b"origin"),
        request.first(b"referer"),
    );
    if !is_admin || !is_own {
        return Ok(Outcome::Denied);
    }
    let wanted = Wanted {
        until_ms: patience(stream).until_ms,
        at_least_bytes: None,
    };
    buffer::request(stream, wanted).await?;
    let body = &stream.exchange.request_body;
    let has_body = stream.exchange.request_framing.body != BodyLength::None;
    if has_body && body.extent() != Extent::Whole {
        return Ok(Outcome::TooLong);
    }
    let form = match Form::parse(body.bytes()) {
        Ok(form) => form,
        Err(outcome) => return Ok(outcome),
    };
    let servers = servers(stream, &form);
    if servers.is_empty() {
        return Ok(Outcome::BadParameters);
    }
    let wanted = servers.len();
    let is_partial = wanted < form.servers.len();
    let changed = carry_out(stream, servers, form.action).await?;
    Ok(match changed {
        0 => Outcome::Nothing,
        changed if changed < wanted || is_partial => Outcome::Partly,
        _ => Outcome::Done,
    })
}

/// Has control change the servers, and waits until all cores know; how many were changed.
async fn carry_out(
    stream: &mut Stream<'_>,
    servers: Vec<ServerId>,
    action: Action,
) -> Result<usize, Fault> {
    let ticket = stream.local.tickets.take();
    let changed = Arc::new(AtomicU8::new(0));
    let order = Order {
        servers,
        action,
        changed: Arc::clone(&changed),
        token: ticket.token(stream.local.index),
    };
    stream.local.control.ask(Asked::Change(order));
    let mut is_first_look = true;
    wait(stream.local, stream.client, patience(stream), |cx| {
        ticket.set_waker(cx.waker());
        // Woken when the change is in effect on every core, not when it is decided.
        if std::mem::take(&mut is_first_look) || changed.load(Ordering::Acquire) == 0 {
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await
    .map_err(|cut| cut.fault(Cause::ClientTimeout, Phase::Request))?;
    Ok(usize::from(changed.load(Ordering::Acquire)) - 1)
}

fn patience(stream: &Stream<'_>) -> Patience {
    let plan = stream.generation.plan();
    let timeout_ms = plan.proxy(stream.client.frontend).timeouts.client_ms;
    Patience {
        until_ms: timeout_ms.map(|ms| stream.local.core.now_ms() + ms),
        watches_client: false,
    }
}

/// The servers that a form names, as far as they exist.
fn servers(stream: &Stream<'_>, form: &Form) -> Vec<ServerId> {
    let plan = stream.generation.plan();
    let is_named = |proxy: &&crate::plan::Proxy| match &form.backend {
        service::Backend::Id(number) => proxy.number == *number,
        service::Backend::Name(name) => *proxy.name == **name,
    };
    let backend = plan.proxies.iter().find(is_named);
    let own = backend.and_then(|proxy| proxy.backend.as_ref());
    let Some(own) = own else { return Vec::new() };
    let named = |id: &&ServerId| {
        let name = &plan.server(**id).name;
        form.servers.iter().any(|server| **server == **name)
    };
    own.servers.iter().filter(named).copied().collect()
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
