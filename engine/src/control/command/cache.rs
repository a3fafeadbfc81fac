//! What caches hold: `show cache`.

use std::fmt::Write;
use std::sync::Arc;

use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::reply::{Answer, Reply};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("show cache", "show cache", "show cache status", Level::User, show),
];

/// HAProxy counts in blocks of this size (manual, 6).
const BLOCK_BYTES: u64 = 1_024;

fn show(call: &mut Call<'_>) -> Answer {
    let now_ms = call.ops.table_clock_ms();
    let mut out = String::new();
    for cache in call.ops.caches() {
        let free = cache.settings.max_bytes.saturating_sub(cache.bytes()) / BLOCK_BYTES;
        let at = Arc::as_ptr(cache);
        let name = &cache.settings.name;
        let _ = writeln!(
            out,
            "{at:p}: {name} (shctx:{at:p}, available blocks:{free})"
        );
        let mut objects = cache.objects();
        objects.sort_by_key(|(_, object)| object.number);
        for (key, object) in objects {
            let bytes = object.bytes(&key);
            let left_s = (object.expires_ms as i64 - now_ms as i64) / 1_000;
            let _ = writeln!(
                out,
                "{:p} hash:{} vary:0x{:040x} type:full size:{bytes} ({} blocks), refcount:{}, \
                 expire:{left_s}",
                Arc::as_ptr(&object),
                cache.hash(&key) as u32,
                0,
                bytes.div_ceil(BLOCK_BYTES),
                // Neither the cache's nor ours.
                Arc::strong_count(&object).saturating_sub(2),
            );
        }
    }
    Ok(Reply::Report(out))
}
