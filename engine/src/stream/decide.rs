//! The configured rules, in the order in which HAProxy runs them, and what follows from each.

use cfgparse::model::proxy::RestrictNames;
use reactor::Readable;
use wire::Head;

use super::buffer::{self, Wanted};
use super::connect::ServerSide;
use super::judge::Sees;
use super::relay::Flow;
use super::wait::{Interrupted, Patience, wait};
use super::{Fault, Next, Stream, reply};
use crate::log::{Cause, Phase};
use crate::plan::{ProxyId, Rulesets, StatsPage};
use crate::rules::{Answer, Ruleset, Verdict};

/// The frontend's word on a request: `Some` if it was answered here.
///
/// Order: `monitor-uri`, `http-request`, the stats page, `redirect` (manual, 4.2 and 4.3).
pub async fn frontend(stream: &mut Stream<'_>) -> Result<Option<Next>, Fault> {
    if let Some(next) = monitor(stream) {
        return Ok(Some(next));
    }
    super::track::request(stream);
    let frontend = stream.client.frontend;
    buffer::if_configured(stream, frontend).await?;
    request_rules(stream, frontend).await
}

/// The backend's word on a request; a `listen` section has spoken already.
pub async fn backend(stream: &mut Stream<'_>) -> Result<Option<Next>, Fault> {
    let backend = stream.backend();
    if backend == stream.client.frontend {
        return Ok(None);
    }
    buffer::if_configured(stream, backend).await?;
    request_rules(stream, backend).await
}

/// Rules that are passed, which is what happens to most, enter no future of their own: that would
/// cost more than they do.
async fn request_rules(stream: &mut Stream<'_>, proxy: ProxyId) -> Result<Option<Next>, Fault> {
    let generation = stream.generation;
    let plan = generation.plan().proxy(proxy);
    if !plan.rules.request_content.is_empty() {
        let answered = Box::pin(request_content(stream, proxy, &plan.rules)).await?;
        if answered.is_some() {
            return Ok(answered);
        }
    }
    let verdict = stream.evaluate(&plan.rules.http_request, 0, Sees::Request);
    if !verdict.passes() {
        let verdict = on_request(stream, &plan.rules.http_request, verdict).await?;
        if let Some(next) = act(stream, proxy, verdict, Phase::Request).await? {
            return Ok(Some(next));
        }
    }
    let verdict = restrict_names(&mut stream.exchange.request, plan.options.restrict_names);
    if !verdict.passes() {
        return act(stream, proxy, verdict, Phase::Request).await;
    }
    if let Some(page) = &plan.stats_page
        && super::stats_page::is_asked_for(page, &stream.exchange.request)
    {
        return stats_page(stream, proxy, page).await.map(Some);
    }
    let verdict = stream.evaluate(&plan.rules.redirects, 0, Sees::Request);
    if verdict.passes() {
        return Ok(None);
    }
    act(stream, proxy, verdict, Phase::Request).await
}

/// `tcp-request content`, which decides as bytes arrive, or once `tcp-request inspect-delay` is over.
async fn request_content(
    stream: &mut Stream<'_>,
    proxy: ProxyId,
    rules: &Rulesets,
) -> Result<Option<Next>, Fault> {
    let delay_ms = rules.request_inspect_delay_ms.unwrap_or(0);
    let patience = Patience {
        until_ms: Some(stream.local.core.now_ms() + delay_ms),
        watches_client: false,
    };
    let (mut from, mut is_over) = (0, delay_ms == 0);
    loop {
        let sees = Sees::Inspected { is_over };
        match stream.evaluate(&rules.request_content, from, sees) {
            Verdict::Wait { rule } if !is_over => from = rule,
            verdict => {
                let refused = matches!(verdict, Verdict::Reject | Verdict::SilentDrop);
                if refused && proxy == stream.client.frontend {
                    // HAProxy has not read the request yet: the log knows of none.
                    stream.exchange.facts.request_line.clear();
                }
                return act(stream, proxy, verdict, Phase::Request).await;
            }
        }
        let (client, seen) = (&*stream.client, stream.client.link.queued());
        let waited = wait(stream.local, client, patience, |cx| {
            client.link.poll_more(seen, cx)
        });
        match waited.await {
            Ok(Readable::Data) => {
                buffer::look_at_request(stream);
            }
            Ok(Readable::Eof | Readable::Failed(_)) | Err(Interrupted::TimedOut) => is_over = true,
            Err(other) => return Err(other.fault(Cause::ClientTimeout, Phase::Request)),
        }
    }
}

/// The stats page, for whom its own rules let in.
async fn stats_page(
    stream: &mut Stream<'_>,
    proxy: ProxyId,
    page: &StatsPage,
) -> Result<Next, Fault> {
    let verdict = stream.evaluate(&page.rules, 0, Sees::Request);
    let verdict = on_request(stream, &page.rules, verdict).await?;
    let is_let_in = verdict == Verdict::Accept;
    match act(stream, proxy, verdict, Phase::Request).await? {
        Some(next) => Ok(next),
        None => super::stats_page::answer(stream, proxy, page, is_let_in).await,
    }
}

/// Field names outside of `[a-zA-Z0-9-]` (manual, `option http-restrict-req-hdr-names`); the
/// section's own `http-request` rules see them still.
fn restrict_names(request: &mut Head, policy: RestrictNames) -> Verdict {
    let is_plain = |name: &[u8]| {
        let mut bytes = name.iter();
        bytes.all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    };
    match policy {
        RestrictNames::Reject if !request.fields().all(|(name, _)| is_plain(name)) => {
            return Verdict::Deny(Box::new(Answer::error(403)));
        }
        RestrictNames::Delete => request.retain(|name, _| is_plain(name)),
        RestrictNames::Preserve | RestrictNames::Reject => {}
    }
    Verdict::Continue
}

/// What rules on a request decide in the end, after a first `verdict`; a rule that waits for its
/// body goes on when that is there.
async fn on_request(
    stream: &mut Stream<'_>,
    rules: &Ruleset,
    mut verdict: Verdict,
) -> Result<Verdict, Fault> {
    loop {
        let next = if let Verdict::Resolve { rule, lookup } = verdict {
            super::resolve::look_up(stream, *lookup, Phase::Request).await?;
            rule
        } else if let Some(rule) = interlude(stream, &verdict, Phase::Request).await? {
            rule + 1
        } else if let Some((rule, wanted)) = wanted(stream, &verdict) {
            buffer::request(stream, wanted).await?;
            rule + 1
        } else {
            return Ok(verdict);
        };
        verdict = stream.evaluate(rules, next, Sees::Request);
    }
}

/// The same for a response.
async fn on_response(
    stream: &mut Stream<'_>,
    rules: &Ruleset,
    mut verdict: Verdict,
    side: &ServerSide,
    upload: &mut Flow,
) -> Result<Verdict, Fault> {
    loop {
        let rule = if let Some(rule) = interlude(stream, &verdict, Phase::Headers).await? {
            rule
        } else if let Some((rule, wanted)) = wanted(stream, &verdict) {
            buffer::response(stream, side, upload, wanted).await?;
            rule
        } else {
            return Ok(verdict);
        };
        verdict = stream.evaluate(rules, rule + 1, Sees::Response);
    }
}

/// Does what a rule asks for before the next one: which rule that was.
async fn interlude(
    stream: &mut Stream<'_>,
    verdict: &Verdict,
    phase: Phase,
) -> Result<Option<usize>, Fault> {
    match *verdict {
        Verdict::Pause { rule, ms } => {
            let patience = Patience {
                until_ms: Some(stream.local.core.now_ms() + u64::from(ms)),
                watches_client: stream.aborts_on_close(),
            };
            let never = |_: &mut std::task::Context<'_>| std::task::Poll::<()>::Pending;
            match wait(stream.local, stream.client, patience, never).await {
                Ok(()) | Err(Interrupted::TimedOut) => Ok(Some(rule)),
                Err(other) => Err(other.fault(Cause::Proxy, phase)),
            }
        }
        Verdict::EarlyHint { rule } => {
            reply::early_hint(stream);
            Ok(Some(rule))
        }
        _ => Ok(None),
    }
}

/// Which rule waits for a body, and for how much of it.
fn wanted(stream: &Stream<'_>, verdict: &Verdict) -> Option<(usize, Wanted)> {
    let Verdict::WaitForBody {
        rule,
        time_ms,
        at_least_bytes,
    } = *verdict
    else {
        return None;
    };
    let wanted = Wanted {
        until_ms: Some(stream.local.core.now_ms() + u64::from(time_ms)),
        at_least_bytes,
    };
    Some((rule, wanted))
}

/// The rules on a response, the backend's first: `Some` if it was replaced.
pub async fn response(
    stream: &mut Stream<'_>,
    side: &ServerSide,
    upload: &mut Flow,
) -> Result<Option<Next>, Fault> {
    super::response::capture_fields(stream);
    // What was kept for the request has been of use (manual, 2.8).
    stream.exchange.vars.req.clear();
    let (backend, frontend) = (stream.backend(), stream.client.frontend);
    let proxies = [
        Some(backend),
        Some(frontend).filter(|&front| front != backend),
    ];
    let generation = stream.generation;
    if generation.plan().process.reads_bodies {
        buffer::look_at_response(stream, side);
    }
    for proxy in proxies.into_iter().flatten() {
        let rules = &generation.plan().proxy(proxy).rules;
        let rulesets = [
            // For HAProxy what comes is data until the rules on content have let it pass.
            (&rules.response_content, Phase::Data),
            (&rules.http_response, Phase::Headers),
        ];
        for (rules, phase) in rulesets {
            let verdict = stream.evaluate(rules, 0, Sees::Response);
            if verdict.passes() {
                continue;
            }
            let verdict = on_response(stream, rules, verdict, side, upload).await?;
            if let Some(next) = act(stream, proxy, verdict, phase).await? {
                return Ok(Some(next));
            }
        }
    }
    super::persist::write_cookie(stream);
    after_response(stream);
    Ok(None)
}

/// `http-after-response`, which runs on every response, those made here included.
pub fn after_response(stream: &mut Stream<'_>) {
    let (backend, frontend) = (stream.backend(), stream.client.frontend);
    let proxies = [
        Some(backend),
        Some(frontend).filter(|&front| front != backend),
    ];
    let generation = stream.generation;
    for proxy in proxies.into_iter().flatten() {
        let rules = &generation.plan().proxy(proxy).rules.http_after_response;
        stream.evaluate(rules, 0, Sees::Response);
    }
}

/// Does what a verdict says; `Some` if the exchange is over with it.
async fn act(
    stream: &mut Stream<'_>,
    proxy: ProxyId,
    verdict: Verdict,
    phase: Phase,
) -> Result<Option<Next>, Fault> {
    let answered = |cause: Cause| (cause, phase);
    let (answer, (cause, phase)) = match verdict {
        Verdict::Continue | Verdict::Accept => return Ok(None),
        Verdict::Deny(answer) => {
            count_denied(stream, proxy, phase);
            if phase == Phase::Request {
                super::track::denied(stream);
                super::persist::bind(stream);
            }
            (answer, answered(Cause::Proxy))
        }
        Verdict::Tarpit(answer) => {
            count_denied(stream, proxy, phase);
            super::track::denied(stream);
            tarpit(stream, proxy).await?;
            (answer, (Cause::Proxy, Phase::Tarpit))
        }
        Verdict::Return(answer) | Verdict::Redirect(answer) => {
            count_intercepted(stream, proxy);
            (answer, answered(Cause::Local))
        }
        Verdict::Auth(answer) => {
            super::track::denied(stream);
            (answer, answered(Cause::Local))
        }
        Verdict::SilentDrop => {
            count_denied(stream, proxy, phase);
            stream.client.forget();
            return Err(Fault::new(Cause::Proxy, phase).with_status(0));
        }
        Verdict::Reject => {
            count_denied(stream, proxy, phase);
            if phase == Phase::Data {
                stream.exchange.marks.response_us = 0;
            }
            return Err(Fault::new(Cause::Proxy, phase).with_status(0));
        }
        Verdict::FromCache(object) => {
            return Ok(Some(super::cached::answer(stream, proxy, &object.0)));
        }
        // The only service that there is: the metrics.
        Verdict::UseService(_) => {
            count_intercepted(stream, proxy);
            return Ok(Some(super::stats_page::metrics(stream)));
        }
        Verdict::Wait { .. }
        | Verdict::WaitForBody { .. }
        | Verdict::Pause { .. }
        | Verdict::Resolve { .. }
        | Verdict::EarlyHint { .. } => {
            return Ok(None);
        }
        Verdict::InternalError => {
            return Err(Fault::new(Cause::Proxy, phase).with_status(500));
        }
    };
    stream.exchange.marks.request_is_fit |= phase == Phase::Request;
    stream.exchange.facts.termination.end(cause, phase);
    Ok(Some(reply::send(stream, &answer)))
}

fn count_denied(stream: &Stream<'_>, proxy: ProxyId, phase: Phase) {
    let stats = &stream.generation.stats;
    let is_front = proxy == stream.client.frontend;
    match (phase, is_front) {
        (Phase::Headers | Phase::Data, true) => stats.front(proxy).denied_responses.inc(),
        (Phase::Headers | Phase::Data, false) => stats.back(proxy).service.denied_responses.inc(),
        (_, true) => {
            stats.front(proxy).denied_requests.inc();
            stream.count_on_listener(|listener| listener.denied_requests.inc());
        }
        // The client was denied, whoever says so.
        (_, false) => {
            stats.back(proxy).denied_requests.inc();
            stats.front(stream.client.frontend).denied_requests.inc();
            stream.count_on_listener(|listener| listener.denied_requests.inc());
        }
    }
}

fn count_intercepted(stream: &Stream<'_>, proxy: ProxyId) {
    if proxy == stream.client.frontend {
        stream.generation.stats.front(proxy).intercepted.inc();
    } else {
        stream.generation.stats.back(proxy).intercepted.inc();
    }
}

/// Holds the client back (manual, `timeout tarpit`).
async fn tarpit(stream: &mut Stream<'_>, proxy: ProxyId) -> Result<(), Fault> {
    let configured_ms = stream.generation.plan().proxy(proxy).timeouts.tarpit_ms;
    let tarpit_ms = stream
        .exchange
        .overrides
        .tarpit_timeout_ms
        .map(u64::from)
        .or(configured_ms)
        .unwrap_or(0);
    let patience = Patience {
        until_ms: Some(stream.local.core.now_ms() + tarpit_ms),
        watches_client: true,
    };
    let held = wait(stream.local, stream.client, patience, |_| {
        std::task::Poll::<()>::Pending
    });
    match held.await {
        // Whoever leaves was held as well (manual, 8.5: `PT`, `Tw` is the time).
        Ok(()) | Err(Interrupted::TimedOut | Interrupted::ClientGone) => {
            stream.exchange.marks.permit_us = stream.local.core.now_us();
            Ok(())
        }
        Err(other) => Err(other.fault(Cause::Proxy, Phase::Tarpit)),
    }
}

/// `monitor-uri`: answered before any rule, counted nowhere, logged nowhere.
fn monitor(stream: &mut Stream<'_>) -> Option<Next> {
    let generation = stream.generation;
    let frontend = generation
        .plan()
        .proxy(stream.client.frontend)
        .frontend
        .as_ref()?;
    let uri = frontend.monitor_uri.as_deref()?;
    if stream.exchange.request.path_and_query() != uri && stream.exchange.request.target() != uri {
        return None;
    }
    let fails = frontend
        .monitor_fail
        .iter()
        .any(|condition| stream.holds(Some(condition)));
    stream.exchange.log_is_muted = true;
    stream
        .exchange
        .facts
        .termination
        .end(Cause::Local, Phase::Request);
    Some(reply::send(
        stream,
        &Answer::error(if fails { 503 } else { 200 }),
    ))
}
