//! The `%` aliases: one row each (manual, 8.2.6, table of aliases).

use crate::sample::{CaptureStore, Cx, LogOrigin, TlsFacts};

use super::date::Date;
use super::escape::Escape;
use super::write::Item;

/// One alias.
#[derive(Debug)]
pub struct Alias {
    /// Without the percent sign.
    pub name: &'static str,
    /// Text, which `%{+Q}` quotes; numbers, dates and flags are left alone.
    pub(super) is_text: bool,
    pub(super) write: fn(&Cx<'_>, &mut Item<'_>),
}

/// The row of `name`.
pub fn find(name: &str) -> Option<&'static Alias> {
    ALIASES.iter().find(|alias| alias.name == name)
}

/// All names, in the order of the manual's table.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALIASES.iter().map(|alias| alias.name)
}

const fn row(name: &'static str, write: fn(&Cx<'_>, &mut Item<'_>)) -> Alias {
    Alias {
        name,
        is_text: false,
        write,
    }
}

const fn text(name: &'static str, write: fn(&Cx<'_>, &mut Item<'_>)) -> Alias {
    Alias {
        name,
        is_text: true,
        write,
    }
}

static ALIASES: &[Alias] = &[
    row("o", |_, item| item.nothing()),
    // Dates.
    row("T", |cx, item| {
        date(item, cx.session.accepted_us, 0, Date::write_zoned);
    }),
    row("Tl", |cx, item| {
        date(
            item,
            cx.session.accepted_us,
            cx.clock.utc_offset_s,
            Date::write_zoned,
        );
    }),
    row("Ts", |cx, item| {
        let seconds = cx.session.accepted_us / 1_000_000;
        if item.wants_hex() {
            item.number_or_hex(seconds);
        } else {
            item.number(seconds);
        }
    }),
    row("t", |cx, item| {
        date(
            item,
            cx.session.accepted_us,
            cx.clock.utc_offset_s,
            Date::write_log,
        );
    }),
    row("ms", |cx, item| {
        let ms = cx.session.accepted_us / 1000 % 1000;
        if item.wants_hex() {
            item.plain(format!("{ms:02X}").as_bytes());
        } else {
            item.plain(format!("{ms:03}").as_bytes());
        }
    }),
    row("tr", |cx, item| {
        date(item, request_us(cx), cx.clock.utc_offset_s, Date::write_log);
    }),
    row("trg", |cx, item| {
        date(item, request_us(cx), 0, Date::write_zoned);
    }),
    row("trl", |cx, item| {
        date(
            item,
            request_us(cx),
            cx.clock.utc_offset_s,
            Date::write_zoned,
        );
    }),
    // Timers.
    row("Ta", |cx, item| {
        early(cx, item);
        item.number(cx.stream.timers.active_ms(cx.session.handshake_ms));
    }),
    row("Tc", |cx, item| {
        item.number(cx.stream.timers.connect_ms);
    }),
    row("Td", |cx, item| {
        item.number(cx.stream.timers.data_ms(cx.session.handshake_ms));
    }),
    row("Th", |cx, item| {
        item.number(cx.session.handshake_ms);
    }),
    row("Ti", |cx, item| {
        item.number(cx.stream.timers.idle_ms);
    }),
    row("Tq", |cx, item| {
        item.number(cx.stream.timers.until_request_ms(cx.session.handshake_ms));
    }),
    row("TR", |cx, item| {
        item.number(cx.stream.timers.request_ms);
    }),
    row("Tr", |cx, item| {
        item.number(cx.stream.timers.response_ms);
    }),
    row("Tt", |cx, item| {
        early(cx, item);
        item.number(cx.stream.timers.total_ms);
    }),
    row("Tu", |cx, item| {
        early(cx, item);
        item.number(cx.stream.timers.user_ms());
    }),
    row("Tw", |cx, item| {
        item.number(cx.stream.timers.queue_ms);
    }),
    // The exchange.
    row("B", |cx, item| {
        early(cx, item);
        item.number(cx.stream.bytes_out);
    }),
    text("CC", |cx, item| {
        captured(item, &cx.stream.request_cookie);
    }),
    text("CS", |cx, item| {
        captured(item, &cx.stream.response_cookie);
    }),
    text("H", |cx, item| {
        item.text(cx.world.host_name().as_bytes());
    }),
    text("HM", |cx, item| {
        item.escaped(
            request_line(cx).map_or(b"<BADREQ>", |l| l.method),
            Escape::Uri,
        );
    }),
    text("HP", |cx, item| {
        item.escaped(
            request_line(cx).map_or(b"<BADREQ>", |l| before_query(l.target)),
            Escape::Uri,
        );
    }),
    text("HPO", |cx, item| {
        item.may_be_empty();
        item.escaped(
            request_line(cx).map_or(b"<BADREQ>", |l| path_only(&l)),
            Escape::Uri,
        );
    }),
    text("HQ", |cx, item| match request_line(cx) {
        Some(line) => {
            item.may_be_empty();
            item.escaped(&line.target[before_query(line.target).len()..], Escape::Uri);
        }
        None => item.plain(b"<BADREQ>"),
    }),
    text("HU", |cx, item| {
        item.escaped(
            request_line(cx).map_or(b"<BADREQ>", |l| l.target),
            Escape::Uri,
        );
    }),
    text("HV", |cx, item| {
        item.escaped(
            request_line(cx).map_or(b"<BADREQ>", |l| l.version),
            Escape::Uri,
        );
    }),
    text("ID", |cx, item| {
        item.text(cx.unique_id());
    }),
    row("ST", |cx, item| {
        item.number(cx.stream.status.max(-1));
    }),
    row("U", |cx, item| {
        item.number(cx.stream.bytes_in);
    }),
    // Names, addresses, counts.
    row("ac", |cx, item| {
        item.number(cx.stream.connections.process);
    }),
    text("b", |cx, item| {
        let backend = cx.stream.backend.unwrap_or(cx.session.frontend);
        item.text(cx.world.proxy_name(backend).as_bytes());
    }),
    row("bc", |cx, item| {
        item.number(cx.stream.connections.backend);
    }),
    text("bi", |cx, item| {
        let source = cx.server_side_src();
        if source.is_some() {
            item.address(source);
        }
    }),
    row("bp", |cx, item| {
        if let Some(address) = cx.server_side_src() {
            item.number_or_hex(u64::from(address.port()));
        }
    }),
    row("bq", |cx, item| {
        item.number(cx.stream.backend_queue);
    }),
    text("ci", |cx, item| item.address(cx.src())),
    row("cp", |cx, item| match cx.src() {
        Some(address) => item.number_or_hex(u64::from(address.port())),
        None => item.number(cx.world.listener_number(cx.session.listener)),
    }),
    text("f", |cx, item| {
        item.text(cx.world.proxy_name(cx.session.frontend).as_bytes());
    }),
    row("fc", |cx, item| {
        item.number(cx.stream.connections.frontend);
    }),
    text("fi", |cx, item| item.address(cx.dst())),
    row("fp", |cx, item| match cx.dst() {
        Some(address) => item.number_or_hex(u64::from(address.port())),
        None => item.number(cx.world.listener_number(cx.session.listener)),
    }),
    text("ft", |cx, item| {
        item.text(cx.world.proxy_name(cx.session.frontend).as_bytes());
        if cx.session.tls.is_some() {
            item.plain(b"~");
        }
    }),
    row("lc", |cx, item| {
        item.number(cx.stream.log_counter);
    }),
    text("hr", |cx, item| {
        bar_list(cx, item, cx.captures.declared.request, &cx.captures.request);
    }),
    row("hrl", |cx, item| {
        spaced_list(cx, item, cx.captures.declared.request, &cx.captures.request);
    }),
    text("hs", |cx, item| {
        bar_list(
            cx,
            item,
            cx.captures.declared.response,
            &cx.captures.response,
        );
    }),
    row("hsl", |cx, item| {
        spaced_list(
            cx,
            item,
            cx.captures.declared.response,
            &cx.captures.response,
        );
    }),
    text("OG", |cx, item| {
        item.plain(origin(cx.stream.log_origin));
    }),
    row("pid", |cx, item| {
        let pid = u64::from(cx.world.process_id());
        if item.wants_hex() {
            item.number_or_hex(pid);
        } else {
            item.number(pid);
        }
    }),
    text("r", |cx, item| {
        let line = &cx.stream.request_line[..];
        item.escaped(
            if line.is_empty() { b"<BADREQ>" } else { line },
            Escape::Uri,
        );
    }),
    row("rc", |cx, item| {
        if cx.stream.redispatched {
            item.plain(b"+");
        }
        item.number(cx.stream.retries);
    }),
    row("rt", |cx, item| {
        if item.wants_hex() {
            item.number_or_hex(cx.stream.id);
        } else {
            item.number(cx.stream.id);
        }
    }),
    text("s", |cx, item| {
        match (cx.stream.answered_by, cx.stream.server) {
            (Some(service), _) => item.plain(service.as_bytes()),
            (None, Some(server)) => item.text(cx.world.server_name(server).as_bytes()),
            (None, None) => item.plain(b"<NOSRV>"),
        }
    }),
    row("sc", |cx, item| {
        item.number(cx.stream.connections.server);
    }),
    text("si", |cx, item| {
        if cx.stream.server_side_dst.is_some() {
            item.address(cx.stream.server_side_dst);
        }
    }),
    row("sp", |cx, item| {
        if let Some(address) = cx.stream.server_side_dst {
            item.number_or_hex(u64::from(address.port()));
        }
    }),
    row("sq", |cx, item| {
        item.number(cx.stream.server_queue);
    }),
    text("sslc", |cx, item| {
        tls_name(cx, item, |tls| &tls.cipher);
    }),
    text("sslv", |cx, item| {
        tls_name(cx, item, |tls| &tls.protocol);
    }),
    row("ts", |cx, item| {
        item.plain(&cx.stream.termination.two());
    }),
    row("tsc", |cx, item| {
        item.plain(&cx.stream.termination.four());
    }),
];

fn date(item: &mut Item<'_>, us: u64, offset_s: i32, write: fn(&Date, &mut Vec<u8>)) {
    item.with(|out| write(&Date::new(us as i64, offset_s), out));
}

/// The request's first byte, or the accept date before it came.
fn request_us(cx: &Cx<'_>) -> u64 {
    match cx.stream.request_us {
        0 => cx.session.accepted_us,
        us => us,
    }
}

/// `option logasap`: figures that still grow carry a `+`.
fn early(cx: &Cx<'_>, item: &mut Item<'_>) {
    if cx.stream.log_is_early {
        item.plain(b"+");
    }
}

fn captured(item: &mut Item<'_>, cookie: &[u8]) {
    if !cookie.is_empty() {
        item.escaped(cookie, Escape::Log);
    }
}

/// The declared slots, or none where neither a request nor a capture exists.
fn slots(cx: &Cx<'_>, declared: usize, store: &CaptureStore) -> usize {
    if cx.stream.request_line.is_empty() && store.is_empty() {
        0
    } else {
        declared
    }
}

/// `{a|b}`; nothing where no header is captured.
fn bar_list(cx: &Cx<'_>, item: &mut Item<'_>, declared: usize, store: &CaptureStore) {
    let slots = slots(cx, declared, store);
    if slots == 0 {
        item.nothing();
        return;
    }
    item.plain(b"{");
    for slot in 0..slots {
        if slot > 0 {
            item.plain(b"|");
        }
        item.escaped(store.value(slot).unwrap_or_default(), Escape::Header);
    }
    item.plain(b"}");
}

/// `"a" "b"` where quotes are asked for; `-` for a missing value where they are not.
fn spaced_list(cx: &Cx<'_>, item: &mut Item<'_>, declared: usize, store: &CaptureStore) {
    let slots = slots(cx, declared, store);
    if slots == 0 {
        item.nothing();
    }
    if slots > 0 && item.encodes_list() {
        for slot in 0..slots {
            item.escaped(store.value(slot).unwrap_or(b"-"), Escape::Header);
            item.plain(b"\0");
        }
        return;
    }
    let quote: &[u8] = if item.wants_quotes() { b"\"" } else { b"" };
    for slot in 0..slots {
        if slot > 0 {
            item.plain(b" ");
        }
        item.plain(quote);
        match store.value(slot) {
            Some(value) => item.escaped(value, Escape::Header),
            None if quote.is_empty() => item.plain(b"-"),
            None => {}
        }
        item.plain(quote);
    }
}

fn tls_name(cx: &Cx<'_>, item: &mut Item<'_>, name: fn(&TlsFacts) -> &str) {
    if let Some(tls) = &cx.session.tls {
        item.text(name(tls).as_bytes());
    }
}

fn origin(origin: LogOrigin) -> &'static [u8] {
    match origin {
        LogOrigin::Unspecified => b"unspec",
        LogOrigin::SessionError => b"sess_error",
        LogOrigin::SessionKilled => b"sess_killed",
        LogOrigin::Accept => b"txn_accept",
        LogOrigin::Request => b"txn_request",
        LogOrigin::Connect => b"txn_connect",
        LogOrigin::Response => b"txn_response",
        LogOrigin::Close => b"txn_close",
        LogOrigin::TcpRequestConnection => b"tcp-req-conn",
        LogOrigin::TcpRequestSession => b"tcp-req-sess",
        LogOrigin::TcpRequestContent => b"tcp-req-cont",
        LogOrigin::TcpResponseContent => b"tcp-res-cont",
        LogOrigin::HttpRequest => b"http-req",
        LogOrigin::HttpResponse => b"http-res",
        LogOrigin::HttpAfterResponse => b"http-after-res",
    }
}

struct RequestLine<'a> {
    method: &'a [u8],
    target: &'a [u8],
    version: &'a [u8],
}

/// The captured request line in parts; `None` before one was received.
fn request_line<'a>(cx: &Cx<'a>) -> Option<RequestLine<'a>> {
    let line = &cx.stream.request_line[..];
    if line.is_empty() {
        return None;
    }
    let mut words = line.splitn(3, |&b| b == b' ');
    Some(RequestLine {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        version: words.next().unwrap_or_default(),
    })
}

fn before_query(target: &[u8]) -> &[u8] {
    match memchr::memchr(b'?', target) {
        Some(mark) => &target[..mark],
        None => target,
    }
}

fn path_only<'a>(line: &RequestLine<'a>) -> &'a [u8] {
    let path = wire::Target::split(line.target, line.method == b"CONNECT").path();
    // `*` is no path.
    if path.starts_with(b"/") { path } else { b"" }
}
