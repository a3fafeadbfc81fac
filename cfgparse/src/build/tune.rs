//! `tune.*` lines (manual, 3.2).

use super::global::lines::needs_zlib;
use super::keyword::{Row, lax_end, lax_number, row};
use super::syntax::by_syntax;
use crate::args::Args;
use crate::context::Context;
use crate::model::global::Global;
use crate::registry::prelude::*;

/// Keeps the line as written.
fn note(global: &mut Global, args: &Args) {
    let words = &args.line().words;
    let rest = words[1..].iter().map(|word| word.text.clone()).collect();
    global.tune.written.push((words[0].text.clone(), rest));
}

fn number(cx: &mut Context, global: &mut Global, args: &mut Args) {
    note(global, args);
    args.number::<u32>(cx);
}

fn integer(cx: &mut Context, global: &mut Global, args: &mut Args) {
    note(global, args);
    args.number::<i32>(cx);
}

fn size(cx: &mut Context, global: &mut Global, args: &mut Args) {
    note(global, args);
    args.size::<u64>(cx);
}

fn on_off(cx: &mut Context, global: &mut Global, args: &mut Args) {
    note(global, args);
    args.on_off(cx);
}

fn stick_counters(cx: &mut Context, global: &mut Global, args: &mut Args) {
    note(global, args);
    if let Some(count) = args.number_in(cx, 1, 100) {
        global.tune.stick_counters = Some(count as u32);
        cx.stick_counters = count as u32;
    }
}

#[rustfmt::skip]
pub const ROWS: &[Row<Global>] = &[
    row("tune.applet.zero-copy-forwarding", "on|off", Harmless, "switch of the engine room", on_off),
    lax_number(row("tune.buffers.limit", "<number>", Harmless, "size of the engine room", number)),
    lax_number(row("tune.buffers.reserve", "<number>", Harmless, "size of the engine room", number)),
    row("tune.bufsize", "<size>", Full, "bytes of a buffer: the longest request head", |cx, g, a| { note(g, a); g.tune.bufsize = a.size(cx); }),
    row("tune.bufsize.large", "<size>", Harmless, "size of the engine room", size),
    row("tune.bufsize.small", "<size>", Harmless, "size of the engine room", size),
    row("tune.chksize", "<size>", Harmless, "size of the engine room", size),
    row("tune.cli.max-payload-size", "<size>", Harmless, "size of the engine room", size),
    row("tune.comp.maxlevel", "<number>", Full, "effort of compression", |cx, g, a| { note(g, a); g.tune.comp_maxlevel = a.number(cx); }),
    row("tune.defaults.purge", "[<element>]", Harmless, "setting of the engine room", by_syntax),
    row("tune.disable-fast-forward", "", Harmless, "setting of the engine room", by_syntax),
    row("tune.disable-zero-copy-forwarding", "", Harmless, "setting of the engine room", by_syntax),
    row("tune.epoll.mask-events", "<event>", Harmless, "setting of the engine room", by_syntax),
    lax_number(row("tune.events.max-events-at-once", "<number>", Harmless, "size of the engine room", number)),
    lax_number(row("tune.fail-alloc", "<number>", Harmless, "size of the engine room", number)),
    row("tune.fd.edge-triggered", "on|off", Harmless, "switch of the engine room", on_off),
    row("tune.fd.tables", "shared|per-thread-group", Harmless, "setting of the engine room", by_syntax),
    lax_number(row("tune.glitches.kill.cpu-usage", "<number>", Harmless, "size of the engine room", number)),
    lax_number(row("tune.h1.be.glitches-threshold", "<number>", Harmless, "size of the engine room", number)),
    lax_number(row("tune.h1.fe.glitches-threshold", "<number>", Harmless, "size of the engine room", number)),
    row("tune.h1.zero-copy-fwd-recv", "on|off", Harmless, "switch of the engine room", on_off),
    row("tune.h1.zero-copy-fwd-send", "on|off", Harmless, "switch of the engine room", on_off),
    lax_number(row("tune.h2.be.glitches-threshold", "<number>", Harmless, "size of the engine room", number)),
    lax_number(row("tune.h2.be.initial-window-size", "<number>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.h2_be_initial_window_size = a.number(cx); })),
    lax_number(row("tune.h2.be.max-concurrent-streams", "<number>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.h2_be_max_concurrent_streams = a.number(cx); })),
    lax_number(row("tune.h2.be.max-frames-at-once", "<number>", Harmless, "size of the engine room", number)),
    row("tune.h2.be.rxbuf", "<size>", Harmless, "size of the engine room", size),
    lax_number(row("tune.h2.fe.glitches-threshold", "<number>", Harmless, "size of the engine room", number)),
    lax_number(row("tune.h2.fe.initial-window-size", "<number>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.h2_fe_initial_window_size = a.number(cx); })),
    lax_number(row("tune.h2.fe.max-concurrent-streams", "<number>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.h2_fe_max_concurrent_streams = a.number(cx); })),
    lax_number(row("tune.h2.fe.max-frames-at-once", "<number>", Harmless, "size of the engine room", number)),
    lax_number(row("tune.h2.fe.max-rst-at-once", "<number>", Harmless, "size of the engine room", number)),
    lax_number(row("tune.h2.fe.max-total-streams", "<number>", Harmless, "size of the engine room", number)),
    row("tune.h2.fe.rxbuf", "<size>", Harmless, "size of the engine room", size),
    row("tune.h2.header-table-size", "<number>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.h2_header_table_size = a.number(cx); }),
    lax_number(row("tune.h2.initial-window-size", "<number>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.h2_initial_window_size = a.number(cx); })),
    row("tune.h2.log-errors", "none|connection|stream", Harmless, "setting of the engine room", by_syntax),
    lax_number(row("tune.h2.max-concurrent-streams", "<number>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.h2_max_concurrent_streams = a.number(cx); })),
    row("tune.h2.max-frame-size", "<number>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.h2_max_frame_size = a.number(cx); }),
    row("tune.h2.zero-copy-fwd-send", "on|off", Harmless, "switch of the engine room", on_off),
    lax_number(row("tune.http.cookielen", "<number>", Harmless, "bytes kept of a captured cookie", |cx, g, a| { note(g, a); g.tune.http_cookielen = a.number(cx); })),
    lax_number(row("tune.http.logurilen", "<number>", Harmless, "bytes of the URI in logs", |cx, g, a| { note(g, a); g.tune.http_logurilen = a.number(cx); })),
    lax_number(row("tune.http.maxhdr", "<number>", Full, "header fields of a message", |cx, g, a| { note(g, a); g.tune.http_maxhdr = a.number(cx); })),
    row("tune.idle-pool.shared", "on|off", Ignored("each core keeps its own idle connections"), "whether threads share idle connections", |cx, g, a| { note(g, a); g.tune.idle_pool_shared = match a.peek_str() { "auto" | "full" => { a.next(); Some(true) } _ => a.on_off(cx) }; }),
    row("tune.idletimer", "<time>", Harmless, "time of the engine room", |cx, g, a| { note(g, a); g.tune.idletimer_ms = a.time(cx); }),
    row("tune.listener.default-shards", "by-process|by-thread|by-group", Harmless, "setting of the engine room", by_syntax),
    row("tune.listener.multi-queue", "on|fair|off", Harmless, "setting of the engine room", by_syntax),
    row("tune.lua.bool-sample-conversion", "normal|pre-3.1-bug", Ignored("Lua is not supported"), "setting of the engine room", by_syntax),
    row("tune.lua.burst-timeout", "<time>", Ignored("Lua is not supported"), "setting of the engine room", by_syntax),
    row("tune.lua.forced-yield", "<number>", Ignored("Lua is not supported"), "setting of the engine room", by_syntax),
    row("tune.lua.log.loggers", "on|off", Ignored("Lua is not supported"), "setting of the engine room", by_syntax),
    row("tune.lua.log.stderr", "on|auto|off", Ignored("Lua is not supported"), "setting of the engine room", by_syntax),
    row("tune.lua.maxmem", "<number>", Ignored("Lua is not supported"), "setting of the engine room", by_syntax),
    row("tune.lua.openlibs", "<libraries>", Ignored("Lua is not supported"), "setting of the engine room", by_syntax),
    row("tune.lua.service-timeout", "<time>", Ignored("Lua is not supported"), "setting of the engine room", by_syntax),
    row("tune.lua.session-timeout", "<time>", Ignored("Lua is not supported"), "setting of the engine room", by_syntax),
    row("tune.lua.task-timeout", "<time>", Ignored("Lua is not supported"), "setting of the engine room", by_syntax),
    lax_number(row("tune.max-checks-per-thread", "<number>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.max_checks_per_thread = a.number(cx); })),
    lax_number(row("tune.max-rules-at-once", "<number>", Harmless, "size of the engine room", number)),
    lax_number(row("tune.maxaccept", "<number>", Harmless, "connections taken at once", |cx, g, a| { note(g, a); g.tune.maxaccept = a.number(cx); })),
    lax_number(row("tune.maxpollevents", "<number>", Harmless, "size of the engine room", number)),
    row("tune.maxrewrite", "<size>", Full, "bytes kept free for header edits", |cx, g, a| { note(g, a); g.tune.maxrewrite = a.size(cx); }),
    row("tune.memory.hot-size", "<size>", Harmless, "size of the engine room", size),
    row("tune.notsent-lowat.client", "<size>", Harmless, "size of the engine room", size),
    row("tune.notsent-lowat.server", "<size>", Harmless, "size of the engine room", size),
    lax_number(row("tune.pattern.cache-size", "<number>", Harmless, "size of the engine room", number)),
    lax_number(row("tune.peers.max-updates-at-once", "<number>", Harmless, "size of the engine room", number)),
    row("tune.pipesize", "<size>", Harmless, "size of the engine room", size),
    lax_number(row("tune.pool-high-fd-ratio", "<number>", Harmless, "size of the engine room", number)),
    lax_number(row("tune.pool-low-fd-ratio", "<number>", Harmless, "size of the engine room", number)),
    row("tune.pt.zero-copy-forwarding", "on|off", Harmless, "switch of the engine room", on_off),
    row("tune.rcvbuf.backend", "<size>", Harmless, "size of the engine room", size),
    row("tune.rcvbuf.client", "<size>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.rcvbuf_client = a.size(cx); }),
    row("tune.rcvbuf.frontend", "<size>", Harmless, "size of the engine room", size),
    row("tune.rcvbuf.server", "<size>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.rcvbuf_server = a.size(cx); }),
    row("tune.recv_enough", "<size>", Harmless, "size of the engine room", size),
    row("tune.renice.runtime", "<number>", Harmless, "setting of the engine room", integer),
    row("tune.renice.startup", "<number>", Harmless, "setting of the engine room", integer),
    lax_number(row("tune.ring.queues", "<number>", Harmless, "size of the engine room", number)),
    lax_number(row("tune.runqueue-depth", "<number>", Harmless, "size of the engine room", number)),
    row("tune.sched.low-latency", "on|off", Harmless, "switch of the engine room", on_off),
    row("tune.sndbuf.backend", "<size>", Harmless, "size of the engine room", size),
    row("tune.sndbuf.client", "<size>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.sndbuf_client = a.size(cx); }),
    row("tune.sndbuf.frontend", "<size>", Harmless, "size of the engine room", size),
    row("tune.sndbuf.server", "<size>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.sndbuf_server = a.size(cx); }),
    lax_number(row("tune.ssl.cachesize", "<number>", Harmless, "TLS sessions remembered", |cx, g, a| { note(g, a); g.tune.ssl_cachesize = a.number(cx); })),
    lax_number(row("tune.ssl.capture-buffer-size", "<number>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.ssl_capture_buffer_size = a.number(cx); })),
    lax_number(row("tune.ssl.capture-cipherlist-size", "<number>", Harmless, "size of the engine room", number)),
    row("tune.ssl.certificate-compression", "auto|off", Harmless, "setting of the engine room", by_syntax),
    row("tune.ssl.default-dh-param", "<number>", Harmless, "bits of finite-field key exchange", |cx, g, a| { note(g, a); g.tune.ssl_default_dh_param = a.number(cx); }),
    row("tune.ssl.force-private-cache", "", Harmless, "setting of the engine room", by_syntax),
    lax_number(row("tune.ssl.hard-maxrecord", "<number>", Harmless, "size of the engine room", number)),
    row("tune.ssl.keylog", "on|off", Harmless, "setting", |cx, g, a| { note(g, a); g.tune.ssl_keylog = a.on_off(cx).unwrap_or(false); }),
    row("tune.ssl.keyupdate-rate-limit", "<0-2147483647>", Harmless, "setting of the engine room", by_syntax),
    row("tune.ssl.lifetime", "<time>", Harmless, "how long TLS sessions are remembered", |cx, g, a| { note(g, a); g.tune.ssl_lifetime_s = a.seconds(cx); }),
    lax_number(row("tune.ssl.maxrecord", "<number>", Harmless, "size of the engine room", number)),
    row("tune.ssl.ocsp-update.maxdelay", "<number>", Harmless, "size of the engine room", number),
    lax_end(lax_number(row("tune.ssl.ocsp-update.mindelay", "<number>", Harmless, "size of the engine room", number))),
    lax_number(row("tune.ssl.ssl-ctx-cache-size", "<number>", Harmless, "size of the engine room", number)),
    lax_end(row("tune.stick-counters", "<number>", Full, "counters that a stream can track", stick_counters)),
    row("tune.streams-elasticity", "<number>", Harmless, "setting of the engine room", by_syntax),
    row("tune.takeover-other-tg-connections", "none|restricted|full", Harmless, "setting of the engine room", by_syntax),
    lax_end(row("tune.vars.check-max-size", "<size>", Harmless, "size of the engine room", size)),
    lax_end(row("tune.vars.global-max-size", "<size>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.vars_global_max_size = a.size(cx); })),
    lax_end(row("tune.vars.proc-max-size", "<size>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.vars_proc_max_size = a.size(cx); })),
    lax_end(row("tune.vars.reqres-max-size", "<size>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.vars_reqres_max_size = a.size(cx); })),
    lax_end(row("tune.vars.sess-max-size", "<size>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.vars_sess_max_size = a.size(cx); })),
    lax_end(row("tune.vars.txn-max-size", "<size>", Harmless, "size of the engine room", |cx, g, a| { note(g, a); g.tune.vars_txn_max_size = a.size(cx); })),
    row("tune.zlib.memlevel", "<number>", Harmless, "memory of compression", needs_zlib),
    row("tune.zlib.windowsize", "<number>", Harmless, "memory of compression", needs_zlib),
    row("tune.quic.be.cc.cubic-min-losses", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.be.cc.hystart", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.be.cc.max-frame-loss", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.be.cc.max-win-size", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.be.cc.reorder-ratio", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.be.max-idle-timeout", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.be.sec.glitches-threshold", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.be.stream.data-ratio", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.be.stream.max-concurrent", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.be.stream.rxbuf", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.be.tx.pacing", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.be.tx.udp-gso", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.cc.cubic-min-losses", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.cc.hystart", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.cc.max-frame-loss", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.cc.max-win-size", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.cc.reorder-ratio", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.max-idle-timeout", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.sec.glitches-threshold", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.sec.retry-threshold", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.sock-per-conn", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.stream.data-ratio", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.stream.max-concurrent", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.stream.max-total", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.stream.rxbuf", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.tx.pacing", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.fe.tx.udp-gso", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.listen", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.mem.tx-max", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
    row("tune.quic.zero-copy-fwd-send", "<value>", Ignored("QUIC is not used"), "setting of QUIC", by_syntax),
];
