//! What an expression may see: a struct of references, built anew for each evaluation.

use std::cell::{Cell, OnceCell};
use std::net::SocketAddr;

use wire::Head;

use crate::cache::{CacheId, Life, Variant, Wanted};
use crate::log::Termination;
use crate::plan::{ListenerId, ProxyId, ServerId};
use crate::rules::Overrides;
use crate::table::{Tracked, Tracking};

use super::value::Value;
use super::vars::{Effects, Scope, StreamVars, VarRef, VarStore};
use super::world::World;

/// Everything that fetches, converters and log aliases read. Cheap to build and to copy.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    pub session: &'a SessionFacts,
    pub stream: &'a StreamFacts,
    /// The request head, once it is there.
    pub request: Option<&'a Head>,
    /// The response head, once it is there.
    pub response: Option<&'a Head>,
    /// HTTP: the buffered start of the request body. TCP: the bytes received from the client.
    pub request_data: Data<'a>,
    /// HTTP: the buffered start of the response body. TCP: the bytes received from the server.
    pub response_data: Data<'a>,
    pub captures: &'a Captures,
    pub session_vars: &'a VarStore,
    pub vars: &'a StreamVars,
    /// What rules changed about how the stream is handled.
    pub overrides: &'a Overrides,
    pub effects: &'a Effects,
    pub world: &'a dyn World,
    pub clock: Clock,
    /// State of the random numbers; any value but 0.
    pub random: &'a Cell<u64>,
}

impl<'a> Cx<'a> {
    /// The value of a variable as this expression sees it.
    pub fn var(&self, var: VarRef) -> Option<Value<'a>> {
        if !self.effects.is_empty()
            && let Some(written) = self.effects.latest(var)
        {
            return written;
        }
        let store: &'a VarStore = match var.scope {
            Scope::Proc => return self.world.proc_var(var.slot),
            Scope::Sess => self.session_vars,
            Scope::Txn => &self.vars.txn,
            Scope::Req => &self.vars.req,
            Scope::Res => &self.vars.res,
            Scope::Check => &self.vars.check,
            Scope::Parent => return None,
        };
        store.value(var.slot).map(Value::borrowed)
    }

    /// What a capture slot holds as this expression sees it.
    pub fn capture(&self, response: bool, slot: usize) -> Option<Value<'a>> {
        if !self.effects.is_empty()
            && let Some(written) = self.effects.latest_capture(response, slot)
        {
            return Some(Value::text(written));
        }
        let store = if response {
            &self.captures.response
        } else {
            &self.captures.request
        };
        store.value(slot).map(Value::str)
    }

    /// The client's address: what `set-src` put there, else the session's.
    pub fn src(&self) -> Option<SocketAddr> {
        self.stream.src.or(self.session.src)
    }

    /// The address the client connected to: what `set-dst` put there, else the session's.
    pub fn dst(&self) -> Option<SocketAddr> {
        self.stream.dst.or(self.session.dst)
    }

    /// What counter `number` tracks: the stream's, or else the session's.
    pub fn tracked(&self, number: usize) -> Option<&'a Tracked> {
        let of_stream = self.stream.tracked.counter(number);
        of_stream.or_else(|| self.session.tracked.counter(number))
    }

    /// Our address on the server's side.
    pub fn server_side_src(&self) -> Option<SocketAddr> {
        let known = self.stream.server_side_src;
        known.or_else(|| self.world.server_side_source())
    }

    /// The stream's id (manual, `unique-id-format`), made when it is first asked for.
    pub fn unique_id(&self) -> &'a [u8] {
        let id: &'a UniqueId = &self.stream.unique_id;
        if let Some(text) = id.text.get() {
            return text;
        }
        // A format that names the id itself sees none.
        if id.is_under_way.replace(true) {
            return b"";
        }
        let text = self.world.make_unique_id(self);
        id.is_under_way.set(false);
        id.text.get_or_init(|| text)
    }

    /// Whether the request is one to a proxy, for frontends that heed the difference (manual,
    /// `option http-use-proxy-header`).
    pub fn is_proxied(&self) -> bool {
        self.request
            .is_some_and(|head| !head.target().starts_with(b"/") && head.target() != b"*")
            && self.world.heeds_proxy_fields(self.session.frontend)
    }

    /// The next random number (xorshift64*).
    pub fn next_random(&self) -> u64 {
        let mut x = self.random.get().max(1);
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.random.set(x);
        x.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

/// Buffered bytes of one direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Data<'a> {
    pub bytes: &'a [u8],
    /// Nothing will follow: the side closed, the body is complete, or the buffer is full.
    pub complete: bool,
    /// The inspection delay is over: a fetch that would wait fails instead (`WAIT_END`).
    pub last_chance: bool,
    /// A content rule looks at it in `mode http`, where the message is there from the beginning:
    /// `WAIT_END` waits all the same.
    pub is_inspected: bool,
}

/// The wall clock as the loop turn read it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// Microseconds since 1970-01-01 UTC.
    pub unix_us: u64,
    /// What local time is ahead of UTC, in seconds.
    pub utc_offset_s: i32,
}

/// Facts about a client connection that do not change while it lives.
#[derive(Clone, Debug)]
pub struct SessionFacts {
    pub frontend: ProxyId,
    pub listener: ListenerId,
    /// The client as accepted or as the PROXY protocol said; `None` for a unix socket.
    pub src: Option<SocketAddr>,
    /// Where the client connected to, or as the PROXY protocol said.
    pub dst: Option<SocketAddr>,
    /// The connection's own addresses, whatever the PROXY protocol said.
    pub connection_src: Option<SocketAddr>,
    pub connection_dst: Option<SocketAddr>,
    /// A PROXY protocol header was received.
    pub received_proxy: bool,
    /// Its records, by kind, in order.
    pub proxy_tlvs: Box<[(u8, Box<[u8]>)]>,
    /// When the connection was accepted, microseconds since 1970.
    pub accepted_us: u64,
    /// Handshakes (TLS, PROXY protocol), in milliseconds.
    pub handshake_ms: i32,
    pub tls: Option<Box<TlsFacts>>,
    /// 1 for HTTP/1, 2 for HTTP/2.
    pub http_major: u8,
    /// Why the connection failed, as a code of `fc_err`; 0 if it did not.
    pub error: u16,
    /// Keys that rules on the connection or session track.
    pub tracked: Tracking,
}

impl SessionFacts {
    /// A record of the PROXY header.
    pub fn proxy_tlv(&self, kind: u8) -> Option<&[u8]> {
        let mut records = self.proxy_tlvs.iter();
        records.find_map(|(known, value)| (*known == kind).then_some(&**value))
    }

    /// A session of `frontend` on `listener` about which nothing else is known.
    pub fn new(frontend: ProxyId, listener: ListenerId) -> SessionFacts {
        SessionFacts {
            frontend,
            listener,
            src: None,
            dst: None,
            connection_src: None,
            connection_dst: None,
            received_proxy: false,
            proxy_tlvs: Box::default(),
            accepted_us: 0,
            handshake_ms: 0,
            tls: None,
            http_major: 1,
            error: 0,
            tracked: Tracking::default(),
        }
    }
}

/// Facts about a TLS connection after its handshake; empty text where the peer sent none.
#[derive(Clone, Debug, Default)]
pub struct TlsFacts {
    /// OpenSSL's name: `TLSv1.3`.
    pub protocol: Box<str>,
    /// OpenSSL's name: `TLS_AES_256_GCM_SHA384`.
    pub cipher: Box<str>,
    pub cipher_bits: u16,
    pub sni: Box<[u8]>,
    pub alpn: Box<[u8]>,
    pub resumed: bool,
    pub session_id: Box<[u8]>,
    pub curve: Box<str>,
    /// The peer's certificate.
    pub peer_certificate: Option<Box<[u8]>>,
    /// The certificate we showed.
    pub own_certificate: Option<Box<[u8]>>,
    /// Verification result of the peer's certificate (X509_V_ERR_*), 0 if it is good.
    pub verify_error: u32,
    pub ca_error: u32,
    pub ca_error_depth: u32,
}

/// Facts about one stream, kept up to date by the stream as it goes; [`StreamFacts::reset`] keeps memory.
#[derive(Clone, Debug)]
pub struct StreamFacts {
    /// Counts the process's streams; `%rt`.
    pub id: u64,
    pub backend: Option<ProxyId>,
    pub server: Option<ServerId>,
    /// Replaces the session's address (`set-src`).
    pub src: Option<SocketAddr>,
    /// Replaces the session's address (`set-dst`).
    pub dst: Option<SocketAddr>,
    /// Our address on the server's side (`%bi`, `bc_src`).
    pub server_side_src: Option<SocketAddr>,
    /// The server's address (`%si`, `bc_dst`).
    pub server_side_dst: Option<SocketAddr>,
    /// What a `do-resolve` that waits has been told.
    pub resolved: Option<Option<std::net::IpAddr>>,
    pub server_tls: Option<Box<TlsFacts>>,
    /// Why the server connection failed, as a code of `bc_err`; 0 if it did not.
    pub server_error: u16,
    /// The server connection had served requests before (`bc_reused`).
    pub server_is_reused: bool,
    /// The request line as received, at most `tune.http.logurilen` bytes; empty before it came.
    pub request_line: Vec<u8>,
    /// The first request of its connection.
    pub first_request: bool,
    /// When the request's first byte came, microseconds since 1970.
    pub request_us: u64,
    pub timers: Timers,
    /// What the client got; 0 or less before.
    pub status: i32,
    /// What the server said; 0 or less before.
    pub server_status: i32,
    /// Bytes from client to server (`%U`, `req.bytes_in`).
    pub bytes_in: u64,
    /// Bytes from server to client (`%B`, `res.bytes_in`).
    pub bytes_out: u64,
    /// Connection attempts after the first.
    pub retries: u32,
    /// How many there may be, where `set-retries` said so.
    pub retries_max: Option<u32>,
    pub redispatched: bool,
    /// Requests before this one in the server's queue.
    pub server_queue: u32,
    /// Requests before this one in the backend's queue.
    pub backend_queue: u32,
    /// Concurrent connections as they were when the stream ended.
    pub connections: ConnectionCounts,
    pub termination: Termination,
    /// The `capture cookie` of the request.
    pub request_cookie: Vec<u8>,
    /// The `capture cookie` of the response.
    pub response_cookie: Vec<u8>,
    pub unique_id: UniqueId,
    /// The frontend's count of log lines (`%lc`).
    pub log_counter: u64,
    /// Where the last terminal rule stands: file name and line (`last_rule_file`, `last_rule_line`).
    pub last_rule: Option<(std::sync::Arc<str>, u32)>,
    /// What caches have to do with it.
    pub cache: CacheFacts,
    /// Answered by a built-in service: its name in angle brackets stands for the server's.
    pub answered_by: Option<&'static str>,
    /// `option logasap`: counts are not final and get a `+`.
    pub log_is_early: bool,
    pub log_origin: LogOrigin,
    /// Keys that rules on the contents or the request track.
    pub tracked: Tracking,
}

impl Default for StreamFacts {
    fn default() -> Self {
        StreamFacts {
            id: 0,
            backend: None,
            server: None,
            src: None,
            dst: None,
            server_side_src: None,
            server_side_dst: None,
            resolved: None,
            server_tls: None,
            server_error: 0,
            server_is_reused: false,
            request_line: Vec::new(),
            first_request: true,
            request_us: 0,
            timers: Timers::default(),
            status: -1,
            server_status: -1,
            bytes_in: 0,
            bytes_out: 0,
            retries: 0,
            retries_max: None,
            redispatched: false,
            server_queue: 0,
            backend_queue: 0,
            connections: ConnectionCounts::default(),
            termination: Termination::default(),
            request_cookie: Vec::new(),
            response_cookie: Vec::new(),
            unique_id: UniqueId::default(),
            log_counter: 0,
            last_rule: None,
            cache: CacheFacts::default(),
            answered_by: None,
            log_is_early: false,
            log_origin: LogOrigin::default(),
            tracked: Tracking::default(),
        }
    }
}

impl StreamFacts {
    /// Ready for the next stream; buffers keep their memory.
    pub fn reset(&mut self) {
        let mut fresh = StreamFacts::default();
        for (new, old) in [
            (&mut fresh.request_line, &mut self.request_line),
            (&mut fresh.request_cookie, &mut self.request_cookie),
            (&mut fresh.response_cookie, &mut self.response_cookie),
        ] {
            old.clear();
            *new = std::mem::take(old);
        }
        self.tracked.clear();
        fresh.tracked = std::mem::take(&mut self.tracked);
        *self = fresh;
    }
}

/// What caches have to do with a stream.
#[derive(Clone, Debug, Default)]
pub struct CacheFacts {
    /// It was answered by this one.
    pub hit: Option<CacheId>,
    /// What was asked for in vain.
    pub wanted: Option<Box<(CacheId, Wanted)>>,
    /// The response is to be kept.
    pub storing: Option<Box<Storing>>,
}

/// A response that is to be kept, without its body, which is still to come.
#[derive(Clone, Debug)]
pub struct Storing {
    pub cache: CacheId,
    pub key: Box<[u8]>,
    pub head: Head,
    pub variant: Variant,
    pub life: Life,
}

/// `unique-id-format`'s result, once evaluated.
#[derive(Clone, Debug, Default)]
pub struct UniqueId {
    text: OnceCell<Vec<u8>>,
    is_under_way: Cell<bool>,
}

/// Concurrent connections, this one included, for a log line.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectionCounts {
    /// Process (`%ac`).
    pub process: u32,
    /// Frontend (`%fc`).
    pub frontend: u32,
    /// Backend (`%bc`).
    pub backend: u32,
    /// Server (`%sc`).
    pub server: u32,
}

/// The phases of a stream in milliseconds; -1 where a phase was not reached (manual, 8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// From the handshake's end, or the previous response's, to the request's first byte (`%Ti`).
    pub idle_ms: i32,
    /// From the request's first byte to the end of its head (`%TR`).
    pub request_ms: i32,
    /// In queues (`%Tw`).
    pub queue_ms: i32,
    /// To establish the server connection (`%Tc`).
    pub connect_ms: i32,
    /// From the connection to the end of the response's head (`%Tr`).
    pub response_ms: i32,
    /// From accept, or the previous response's end, to the last byte (`%Tt`).
    pub total_ms: i32,
}

impl Default for Timers {
    fn default() -> Self {
        Timers {
            idle_ms: -1,
            request_ms: -1,
            queue_ms: -1,
            connect_ms: -1,
            response_ms: -1,
            total_ms: -1,
        }
    }
}

impl Timers {
    /// `%Tq`: handshake, idle time and request head.
    pub fn until_request_ms(&self, handshake_ms: i32) -> i32 {
        if self.request_ms < 0 {
            return -1;
        }
        self.request_ms + handshake_ms.max(0) + self.idle_ms.max(0)
    }

    /// `%Ta`: from the request's first byte to the end.
    pub fn active_ms(&self, handshake_ms: i32) -> i32 {
        if self.total_ms < 0 {
            return -1;
        }
        (self.total_ms - handshake_ms.max(0) - self.idle_ms.max(0)).max(0)
    }

    /// `%Td`: transfer of the response's body.
    pub fn data_ms(&self, handshake_ms: i32) -> i32 {
        if self.response_ms < 0 || self.total_ms < 0 {
            return -1;
        }
        let before = self.until_request_ms(handshake_ms).max(0)
            + self.queue_ms.max(0)
            + self.connect_ms.max(0)
            + self.response_ms;
        (self.total_ms - before).max(0)
    }

    /// `%Tu`: as the user saw it, without the idle time.
    pub fn user_ms(&self) -> i32 {
        if self.total_ms < 0 {
            return -1;
        }
        (self.total_ms - self.idle_ms.max(0)).max(0)
    }
}

/// When a log line was made (`%OG`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogOrigin {
    #[default]
    Unspecified,
    SessionError,
    SessionKilled,
    Accept,
    Request,
    Connect,
    Response,
    Close,
    /// `do-log` in a ruleset.
    TcpRequestConnection,
    TcpRequestSession,
    TcpRequestContent,
    TcpResponseContent,
    HttpRequest,
    HttpResponse,
    HttpAfterResponse,
}

/// Captured header values of one stream (manual, `capture request header`, `http-request capture`).
#[derive(Clone, Debug, Default)]
pub struct Captures {
    /// How many slots the frontend declares.
    pub declared: CaptureCounts,
    pub request: CaptureStore,
    pub response: CaptureStore,
}

/// Number of capture slots of a frontend, in each direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct CaptureCounts {
    pub request: usize,
    pub response: usize,
}

impl Captures {
    pub fn clear(&mut self) {
        self.request.clear();
        self.response.clear();
    }
}

/// The captures of one direction, by slot; memory is kept between streams.
#[derive(Clone, Debug, Default)]
pub struct CaptureStore {
    text: Vec<u8>,
    slots: Vec<Option<(u32, u32)>>,
}

impl CaptureStore {
    /// What slot `id` holds.
    pub fn value(&self, id: usize) -> Option<&[u8]> {
        let (start, len) = (*self.slots.get(id)?)?;
        self.text.get(start as usize..(start + len) as usize)
    }

    /// Whether nothing was captured.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Stores `value` in slot `id`; the caller has cut it to the slot's length.
    pub fn set(&mut self, id: usize, value: &[u8]) {
        if self.slots.len() <= id {
            self.slots.resize(id + 1, None);
        }
        self.slots[id] = Some((self.text.len() as u32, value.len() as u32));
        self.text.extend_from_slice(value);
    }

    pub fn clear(&mut self) {
        self.text.clear();
        self.slots.clear();
    }
}
