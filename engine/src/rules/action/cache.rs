//! `cache-use`, `cache-store`.

use cfgparse::model::rule::Action;

use crate::cache::{self, CacheId, Object, Purpose, Variant, Wanted};
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::rules::verdict::{Found, Verdict};
use crate::sample::{Compiler, Storing};

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct CacheUse(CacheId);

impl Act for CacheUse {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let wanted = txn.request.as_deref().and_then(Wanted::of);
        let (Some(wanted), Some(cache)) = (wanted, txn.world.cache(self.0)) else {
            return Flow::Next;
        };
        let found = (wanted.purpose == Purpose::Use)
            .then(|| cache.find(&wanted, txn.world.now_ms()))
            .flatten();
        if let Some(object) = found {
            txn.stream.cache.hit = Some(self.0);
            return Flow::Stop(Verdict::FromCache(Found(object)));
        }
        txn.stream.cache.wanted = Some(Box::new((self.0, wanted)));
        Flow::Next
    }
}

#[derive(Debug)]
struct CacheStore(CacheId);

impl Act for CacheStore {
    /// Keeps the head as it is now; the body follows when it comes.
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let (Some(response), Some(cache)) = (txn.response.as_deref(), txn.world.cache(self.0))
        else {
            return Flow::Next;
        };
        let Some((id, wanted)) = txn.stream.cache.wanted.as_deref() else {
            return Flow::Next;
        };
        if *id != self.0 {
            return Flow::Next;
        }
        if wanted.purpose == Purpose::Forget {
            // A request that failed has changed nothing (RFC 9111, section 4.4).
            if (200..400).contains(&response.status()) {
                cache.remove(&wanted.key);
            }
            return Flow::Next;
        }
        let settings = &cache.settings;
        let now_s = (txn.clock.unix_us / 1_000_000) as i64;
        let life = cache::life(response, settings.max_age_s, now_s).filter(|_| !wanted.is_head);
        let variant = Variant::of(response, wanted, settings.processes_vary);
        if let (Some(life), Some(variant)) = (life, variant)
            && is_small_enough(response, settings.max_object_bytes)
        {
            txn.stream.cache.storing = Some(Box::new(Storing {
                cache: self.0,
                key: wanted.key.clone(),
                head: response.clone(),
                variant,
                life,
            }));
        }
        Flow::Next
    }
}

/// As far as the head tells.
fn is_small_enough(response: &wire::Head, max_bytes: u64) -> bool {
    let length = response
        .first(b"content-length")
        .and_then(|text| std::str::from_utf8(text).ok()?.trim().parse::<u64>().ok());
    length.unwrap_or(0) + size_of::<Object>() as u64 <= max_bytes
}

pub fn compile(action: &Action, compiler: &mut Compiler<'_>) -> Compiled {
    let (Action::CacheUse(name) | Action::CacheStore(name)) = action else {
        return Err(compiler.error("not an action of caches", "report this"));
    };
    let Some(id) = compiler.names.cache(name) else {
        let text = format!("unable to find the cache '{name}'");
        return Err(compiler.error(text, "add the section"));
    };
    Ok(match action {
        Action::CacheUse(_) => Box::new(CacheUse(id)),
        _ => Box::new(CacheStore(id)),
    })
}
