//! Answers from a cache, and responses that one keeps (manual, 6).

use std::sync::Arc;

use reactor::Seg;

use super::judge::Sees;
use super::{Next, Stream, coding, reply};
use crate::cache::{self, Object};
use crate::log::{Cause, Phase};
use crate::plan::ProxyId;
use crate::rules::{Answer, Verdict};
use crate::sample::Storing;

/// A body that is kept on its way.
pub struct Keeping {
    storing: Box<Storing>,
    body: Vec<u8>,
    max_bytes: usize,
    /// It is too big.
    is_over: bool,
}

impl Keeping {
    /// A piece of the body passes by.
    pub fn see(&mut self, piece: &[u8]) {
        if self.is_over || self.body.len() + piece.len() > self.max_bytes {
            self.is_over = true;
            self.body = Vec::new();
        } else {
            self.body.extend_from_slice(piece);
        }
    }
}

/// Whether the response that is about to go out is to be kept.
pub fn keeping(stream: &mut Stream<'_>) -> Option<Box<Keeping>> {
    if stream.exchange.facts.cache.wanted.is_some() {
        let backend = stream.backend();
        stream.generation.stats.back(backend).cache_lookups.inc();
    }
    let storing = stream.exchange.facts.cache.storing.take()?;
    let cache = stream
        .generation
        .runtime
        .caches
        .get(storing.cache.index())?;
    Some(Box::new(Keeping {
        max_bytes: cache.settings.max_object_bytes as usize,
        storing,
        body: Vec::new(),
        is_over: false,
    }))
}

/// The response has come whole.
pub fn keep(stream: &Stream<'_>, kept: Option<Box<Keeping>>) {
    let Some(kept) = kept.filter(|kept| !kept.is_over) else {
        return;
    };
    let Storing {
        cache,
        key,
        head,
        variant,
        life,
    } = *kept.storing;
    let now_ms = stream.local.core.now_ms();
    if let Some(cache) = stream.generation.runtime.caches.get(cache.index()) {
        let object = Object::new(head, kept.body, variant, life, now_ms);
        if object.bytes(&key) <= cache.settings.max_object_bytes {
            cache.insert(&key, object, now_ms);
        }
    }
}

/// Answers with an object, as if a server had.
pub fn answer(stream: &mut Stream<'_>, proxy: ProxyId, object: &Arc<Object>) -> Next {
    let stats = &stream.generation.stats;
    if proxy == stream.client.frontend {
        stats.front(proxy).cache_lookups.inc();
        stats.front(proxy).cache_hits.inc();
    } else {
        stats.back(proxy).cache_lookups.inc();
        stats.back(proxy).cache_hits.inc();
    }
    let (now_us, now_ms) = (stream.local.core.now_us(), stream.local.core.now_ms());
    let exchange = &mut *stream.exchange;
    exchange.facts.answered_by = Some("<CACHE>");
    let marks = &mut exchange.marks;
    (marks.permit_us, marks.connected_us, marks.response_us) = (now_us, now_us, now_us);
    marks.request_is_fit = true;
    exchange.facts.termination.end(Cause::Local, Phase::Request);
    exchange.response.clone_from(&object.head);
    let age_s = object.age_s + now_ms.saturating_sub(object.stored_ms) / 1_000;
    exchange.response.append_with(b"age", |out| {
        out.extend_from_slice(age_s.to_string().as_bytes());
    });
    let is_known = cache::is_not_modified(&exchange.request, &object.head);
    if is_known {
        exchange.response.set_status(304, Some(b"Not Modified"));
    }
    exchange.vars.req.clear();
    if let Some(answer) = response_rules(stream) {
        return reply::send(stream, &answer);
    }
    let is_head = stream.exchange.request.method() == b"HEAD";
    let compresses = stream.generation.plan().process.compresses && !is_known && !is_head;
    let body = if is_known {
        Seg::constant(b"")
    } else if let Some(coded) = compresses
        .then(|| coding::whole(stream, &object.body))
        .flatten()
    {
        Seg::heap(coded)
    } else {
        Seg::shared(Arc::clone(&object.body))
    };
    reply::whole_response(stream, body)
}

/// `http-response` of both proxies; an answer of theirs replaces the object.
fn response_rules(stream: &mut Stream<'_>) -> Option<Box<Answer>> {
    let (backend, frontend) = (stream.backend(), stream.client.frontend);
    let proxies = [
        Some(backend),
        Some(frontend).filter(|&front| front != backend),
    ];
    let generation = stream.generation;
    for proxy in proxies.into_iter().flatten() {
        let rules = &generation.plan().proxy(proxy).rules.http_response;
        match stream.evaluate(rules, 0, Sees::Response) {
            Verdict::Deny(answer) | Verdict::Return(answer) | Verdict::Redirect(answer) => {
                return Some(answer);
            }
            // What would wait for a body has it.
            _ => {}
        }
    }
    None
}
