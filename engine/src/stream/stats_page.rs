//! The statistics page, answered by whichever core was asked.

use reactor::Seg;
use wire::Head;

use super::{Next, Stream, reply};
use crate::log::{Cause, Phase};
use crate::plan::{ProxyId, StatsPage};
use crate::rules::{Answer, AnswerBody};
use crate::service::page;
use crate::state::snapshot;

/// Whether a request is for the page: its path begins with `stats uri`.
pub fn is_asked_for(page: &StatsPage, request: &Head) -> bool {
    request.path_and_query().starts_with(&page.uri)
}

/// Answers with the page, its CSV or JSON form, or a request for credentials.
pub async fn answer(stream: &mut Stream<'_>, proxy: ProxyId, page: &StatsPage) -> Next {
    stream.exchange.facts.answered_by = Some("STATS");
    stream.exchange.facts.termination.end(Cause::Local, Phase::Request);
    stream.generation.stats.front(stream.client.frontend).intercepted.inc();
    if !is_known(page, &stream.exchange.request) {
        return ask_for_credentials(stream, page).await;
    }
    let now_ms = stream.local.core.now_ms();
    let snapshot = snapshot::take(&stream.generation.runtime, now_ms);
    let plan = stream.generation.plan();
    let made = page::render(&snapshot, &page.settings, &plan.proxy(proxy).name, &stream.exchange.request, false);
    let response = &mut stream.exchange.response;
    *response = Head::response(made.status, wire::status::reason(made.status).as_bytes());
    response.append(b"cache-control", b"no-cache");
    response.append(b"content-type", made.content_type.as_bytes());
    for (name, value) in &made.fields {
        response.append(name.as_bytes(), value.as_bytes());
    }
    response.append_with(b"content-length", |out| {
        out.extend_from_slice(itoa::Buffer::new().format(made.body.len()).as_bytes());
    });
    reply::deliver(stream, Seg::heap(made.body))
}

/// Manual, `stats auth`: any of the listed users, or everybody where none is listed.
fn is_known(page: &StatsPage, request: &Head) -> bool {
    if page.credentials.is_empty() {
        return true;
    }
    let Some(given) = request.first(b"authorization") else { return false };
    let Some((scheme, token)) = given.split_at_checked(6) else { return false };
    scheme.eq_ignore_ascii_case(b"basic ")
        && page.credentials.iter().any(|known| known.as_bytes() == token.trim_ascii())
}

async fn ask_for_credentials(stream: &mut Stream<'_>, page: &StatsPage) -> Next {
    let challenge = format!("Basic realm=\"{}\"", page.realm);
    let answer = Answer {
        status: 401,
        fields: vec![(b"www-authenticate".as_slice().into(), challenge.into_bytes().into())],
        body: AnswerBody::ErrorFile,
    };
    reply::send(stream, &answer).await
}
