//! What is counted for each kind of object, and its sum over all cores.

use super::counter::{Counter, Gauge, Summed};
use super::latency::Latency;
use super::mean::Mean;
use super::rate::Rate;

/// A struct of counters that one core writes, and its totals, from one list of fields.
macro_rules! counters {
    (
        $(#[$doc:meta])*
        $name:ident => $total:ident {
            $($(#[$field_doc:meta])* $field:ident: $kind:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        #[repr(align(64))]
        pub struct $name { $($(#[$field_doc])* pub $field: $kind,)* }

        #[doc = concat!("[`", stringify!($name), "`] summed over all cores.")]
        #[derive(Clone, Debug, Default)]
        pub struct $total { $($(#[$field_doc])* pub $field: <$kind as Summed>::Total,)* }

        impl Summed for $name {
            type Total = $total;

            fn family(cores: usize) -> Vec<Self> {
                $(let mut $field = <$kind as Summed>::family(cores).into_iter();)*
                std::iter::from_fn(|| Some(Self { $($field: $field.next()?,)* })).collect()
            }

            fn add_to(&self, total: &mut $total, now_ms: u64) {
                $(self.$field.add_to(&mut total.$field, now_ms);)*
            }

            fn subtract(total: &mut $total, cleared: &$total) {
                $(<$kind as Summed>::subtract(&mut total.$field, &cleared.$field);)*
            }

            fn clear_max(&self) {
                $(self.$field.clear_max();)*
            }

            fn clear_mean(&self) {
                $(self.$field.clear_mean();)*
            }
        }
    };
}

counters! {
    /// Bytes of payload in the four places where HAProxy counts them.
    Bytes => BytesTotal {
        /// Request bytes received from clients (`bin`, `reqbin`).
        request_in: Counter,
        /// Request bytes sent to servers (`reqbout`).
        request_out: Counter,
        /// Response bytes received from servers or made here (`bout`, `resbin`).
        response_in: Counter,
        /// Response bytes sent to clients (`resbout`).
        response_out: Counter,
    }
}

counters! {
    /// Final and interim responses by class of their status.
    Responses => ResponsesTotal {
        /// 100 to 199.
        informational: Counter,
        /// 200 to 299.
        success: Counter,
        /// 300 to 399.
        redirection: Counter,
        /// 400 to 499.
        client_error: Counter,
        /// 500 to 599.
        server_error: Counter,
        /// Anything else, and streams that end without a response.
        other: Counter,
    }
}

counters! {
    /// Traffic of HTTP/1 connections on one side of a proxy, heads and framing included.
    H1Counters => H1Total {
        open_connections: Gauge,
        open_streams: Gauge,
        connections: Counter,
        streams: Counter,
        /// Bytes received and sent.
        bytes_in: Counter,
        bytes_out: Counter,
        /// Of these, bytes that went through a pipe.
        spliced_in: Counter,
        spliced_out: Counter,
    }
}

counters! {
    /// The client side of a proxy.
    FrontCounters => FrontTotal {
        /// Open sessions.
        open: Gauge,
        /// Connections accepted (`conn_tot`, `conn_rate`).
        connections: Rate,
        /// Sessions: connections that passed `tcp-request connection` (`stot`, `rate`).
        sessions: Rate,
        /// HTTP requests (`req_tot`, `req_rate`).
        requests: Rate,
        bytes: Bytes,
        responses: Responses,
        /// Requests denied by a rule (`dreq`).
        denied_requests: Counter,
        /// Responses denied by a rule (`dresp`).
        denied_responses: Counter,
        /// Requests that were bad, aborted or too slow (`ereq`).
        request_errors: Counter,
        /// Connections denied by `tcp-request connection` (`dcon`).
        denied_connections: Counter,
        /// Sessions denied by `tcp-request session` (`dses`).
        denied_sessions: Counter,
        /// Requests answered here: stats page, monitor, redirect (`intercepted`).
        intercepted: Counter,
        /// Header edits that did not fit (`wrew`).
        failed_rewrites: Counter,
        /// Errors of our own making (`eint`).
        internal_errors: Counter,
        /// Response bytes given to the compressor.
        compressor_in: Counter,
        /// Response bytes that came out of the compressor.
        compressor_out: Counter,
        /// Response bytes that went around the compressor.
        compressor_bypass: Counter,
        /// Responses that were compressed.
        compressed_responses: Counter,
        cache_lookups: Counter,
        cache_hits: Counter,
        /// HTTP/1 sessions and requests.
        h1_sessions: Counter,
        h1_requests: Counter,
        /// HTTP/2 sessions and requests.
        h2_sessions: Counter,
        h2_requests: Counter,
        /// HTTP/3 sessions and requests.
        h3_sessions: Counter,
        h3_requests: Counter,
        /// Sessions that are not HTTP, and requests, which they have none of.
        other_sessions: Counter,
        other_requests: Counter,
        h1: H1Counters,
        /// TLS handshakes that succeeded, by a full exchange or resumed.
        tls_sessions: Counter,
        tls_resumed_sessions: Counter,
        tls_failed_handshakes: Counter,
    }
}

counters! {
    /// One listening address; shown with `option socket-stats`.
    ListenerCounters => ListenerTotal {
        /// Open sessions.
        open: Gauge,
        /// Connections accepted (`conn_tot`).
        connections: Counter,
        /// Sessions (`stot`).
        sessions: Counter,
        bytes: Bytes,
        denied_requests: Counter,
        denied_responses: Counter,
        request_errors: Counter,
        denied_connections: Counter,
        denied_sessions: Counter,
        failed_rewrites: Counter,
        internal_errors: Counter,
        tls_sessions: Counter,
        tls_resumed_sessions: Counter,
        tls_failed_handshakes: Counter,
    }
}

counters! {
    /// What a backend and each of its servers count alike.
    ServiceCounters => ServiceTotal {
        /// Streams that are being served.
        open: Gauge,
        /// Streams (`stot`, `rate`).
        sessions: Rate,
        /// Times that balancing chose this server or backend (`lbtot`).
        chosen: Counter,
        /// HTTP requests (`req_tot`).
        requests: Counter,
        bytes: Bytes,
        responses: Responses,
        denied_responses: Counter,
        /// Requests that found no connection (`econ`).
        connect_errors: Counter,
        /// Responses that failed (`eresp`); those in `server_aborts` too.
        response_errors: Counter,
        /// Connection attempts repeated on the same server (`wretr`).
        retries: Counter,
        /// Requests moved away to another server (`wredis`).
        redispatches: Counter,
        /// Transfers that the client cut (`cli_abrt`).
        client_aborts: Counter,
        /// Transfers that the server cut (`srv_abrt`).
        server_aborts: Counter,
        failed_rewrites: Counter,
        internal_errors: Counter,
        /// Connections opened (`connect`).
        connects: Counter,
        /// Requests sent over an idle connection (`reuse`).
        reuses: Counter,
        /// Time in the queue.
        queue_time: Mean,
        /// Time until the connection stood.
        connect_time: Mean,
        /// Time from the request's end to the response's head; 0 for TCP.
        response_time: Mean,
        /// Time from the first byte to the last.
        total_time: Mean,
        /// The distribution of response times (of total times for TCP).
        latency: Latency,
        /// When the last stream began, process clock in seconds plus one; 0 before the first.
        last_session: LastSession,
        tls_sessions: Counter,
        tls_resumed_sessions: Counter,
        tls_failed_handshakes: Counter,
    }
}

counters! {
    /// The server side of a proxy, as far as its servers do not count it.
    BackCounters => BackTotal {
        service: ServiceCounters,
        h1: H1Counters,
        /// Requests denied by a rule of the backend.
        denied_requests: Counter,
        /// Requests answered here.
        intercepted: Counter,
        compressor_in: Counter,
        compressor_out: Counter,
        compressor_bypass: Counter,
        compressed_responses: Counter,
        cache_lookups: Counter,
        cache_hits: Counter,
    }
}

counters! {
    /// Both sides of a proxy.
    ProxyCounters => ProxyTotal {
        front: FrontCounters,
        back: BackCounters,
    }
}

counters! {
    /// The process.
    ProcessCounters => ProcessTotal {
        /// Client connections (`CurrConns`).
        open: Gauge,
        /// Client connections accepted (`CumConns`, `ConnRate`).
        connections: Rate,
        /// Sessions (`SessRate`).
        sessions: Rate,
        /// Requests of HTTP and sessions of TCP (`CumReq`).
        requests: Counter,
        /// Streams (`CurrStreams`, `CumStreams`).
        streams: Gauge,
        streams_total: Counter,
        /// TLS connections on both sides.
        tls_open: Gauge,
        tls_connections: Rate,
        /// Full key exchanges of frontends and backends.
        tls_front_keys: Rate,
        tls_back_keys: Rate,
        /// Frontend handshakes that were resumed.
        tls_front_resumed: Counter,
        /// Times that the last free connection slot was taken (`MaxconnReached`).
        maxconn_reached: Counter,
        /// Log lines that no target took (`DroppedLogs`).
        dropped_logs: Counter,
        received_logs: Counter,
        /// Bytes sent to anyone (`TotalBytesOut`).
        bytes_out: Counter,
        /// Of these, bytes that went through a pipe.
        bytes_spliced: Counter,
        /// Connections that the kernel refused to hand over (EMFILE and the like).
        accept_errors: Counter,
        /// Pipes now used and free.
        pipes_used: Counter,
        pipes_free: Counter,
        /// Loop turns, and microseconds of them spent waiting.
        turns: Counter,
        idle_us: Counter,
    }
}

impl Responses {
    /// Counts a response by its status.
    #[inline]
    pub fn count(&self, status: u16) {
        let class = match status / 100 {
            1 => &self.informational,
            2 => &self.success,
            3 => &self.redirection,
            4 => &self.client_error,
            5 => &self.server_error,
            _ => &self.other,
        };
        class.inc();
    }
}

/// The moment of the last event, of which a reader wants the latest over all cores.
#[derive(Debug, Default)]
pub struct LastSession(Counter);

impl LastSession {
    /// A stream begins. Only the owning core may call it.
    #[inline]
    pub fn mark(&self, now_ms: u64) {
        self.0.set(now_ms / 1000 + 1);
    }
}

impl Summed for LastSession {
    type Total = u64;

    fn family(cores: usize) -> Vec<Self> {
        (0..cores).map(|_| Self::default()).collect()
    }

    fn add_to(&self, total: &mut u64, _now_ms: u64) {
        *total = (*total).max(self.0.value());
    }

    fn subtract(_total: &mut u64, _cleared: &u64) {}
}

/// How many seconds ago the last session began; `None` before the first.
pub fn seconds_since(last_session: u64, now_ms: u64) -> Option<u64> {
    last_session
        .checked_sub(1)
        .map(|second| (now_ms / 1000).saturating_sub(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_list_gives_one_block_a_core() {
        let family = ProxyCounters::family(3);
        assert_eq!(family.len(), 3);
        for core in &family {
            core.front.bytes.request_in.add(100);
            core.front.responses.count(204);
            core.front.responses.count(999);
            core.back.service.open.enter(5_000);
        }
        let mut total = ProxyTotal::default();
        for core in &family {
            core.add_to(&mut total, 5_000);
        }
        assert_eq!(total.front.bytes.request_in, 300);
        assert_eq!(
            (total.front.responses.success, total.front.responses.other),
            (3, 3)
        );
        assert_eq!(total.back.service.open.max, 3);
    }

    #[test]
    fn the_last_session_is_the_latest_of_any_core() {
        let family = LastSession::family(2);
        let read = || {
            let mut total = 0;
            for core in &family {
                core.add_to(&mut total, 0);
            }
            seconds_since(total, 20_000)
        };
        assert_eq!(read(), None);
        family[0].mark(17_000);
        family[1].mark(3_000);
        assert_eq!(read(), Some(3));
    }
}
