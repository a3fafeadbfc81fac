//! Every bound in the program, with its unit and the reason for it.

/// Cores that one process uses. HAProxy's own bound is 64 threads a group; one word of CPU mask
/// is enough for the boxes this is made for.
pub const CORES_MAX: usize = 256;

/// Bytes of a message head: `tune.bufsize` less `tune.maxrewrite` (manual, 3.2), by default.
pub const BUFFER_BYTES: usize = 16_384;

/// Bytes of the buffer kept free for rewriting, by default (manual, `tune.maxrewrite`).
pub const REWRITE_RESERVE_BYTES: usize = 1_024;

/// Header fields of one message, by default (manual, `tune.http.maxhdr`).
pub const HEADERS_MAX: usize = 101;

/// Bytes that may wait in front of a slow receiver before its sender is no longer read. Two
/// receive buffers: one on the way out, one filling.
pub const RELAY_HIGH_BYTES: usize = 64 * 1024;

/// Below this many waiting bytes the sender is read again.
pub const RELAY_LOW_BYTES: usize = 16 * 1024;

/// Bodies from this size on go through a pipe in the kernel where both sides are plain sockets:
/// below it the detour costs more than the copy (measured: a loss at 64 KB, a gain at 1 MB).
pub const SPLICE_BYTES: u64 = 512 * 1024;

/// The same for one chunk of a chunked body, whose beginning tells its size.
pub const SPLICE_CHUNK_BYTES: u64 = 128 * 1024;

/// Idle server connections that one core keeps, all servers together, where `pool-max-conn` sets
/// none: bounds memory, not behaviour.
pub const POOL_PER_CORE_MAX: usize = 4_096;

/// Milliseconds between two sweeps that close idle server connections (manual,
/// `pool-purge-delay`: 5 s, half of the idle ones each time).
pub const POOL_PURGE_DELAY_MS: u64 = 5_000;

/// Milliseconds that a request waits for an idle connection of another core before it opens one of
/// its own: a busy core takes a turn or two, and a connection takes a round trip to the server.
pub const LEND_PATIENCE_MS: u64 = 5;

/// Milliseconds between two attempts on the same server after a connection failure (manual,
/// `retries`).
pub const RETRY_PAUSE_MS: u64 = 1_000;

/// Attempts to connect after the first, by default (manual, `retries`).
pub const RETRIES: u32 = 3;

/// Bytes of log lines that wait on one core for a target that does not take them; what goes
/// beyond is dropped, counted, never waited for.
pub const LOG_BACKLOG_BYTES: usize = 256 * 1024;

/// Exchange buffers that a core keeps for reuse.
pub const EXCHANGES_KEPT: usize = 512;

/// Interim (1xx) responses accepted before the final one: more is a server gone wrong.
pub const INTERIM_RESPONSES_MAX: u32 = 32;

/// Descriptors per connection that are planned for: client, server, and a share of pipes.
pub const DESCRIPTORS_PER_CONNECTION: u64 = 2;

/// Descriptors that are not connections: rings, listeners, logs, checks, admin sockets.
pub const DESCRIPTORS_RESERVED: u64 = 100;

/// Slots in a precomputed order of turns. 4096 servers with unlike weights of about 16 fit; beyond
/// it, weights are scaled down. A slot is 4 bytes.
pub const BALANCE_SLOTS_MAX: usize = 65_536;

/// Draws of `balance random`: more would cost more than `leastconn`, which does the same better.
pub const BALANCE_DRAWS_MAX: u32 = 64;

/// How often a core chooses again when another core took the permit it had chosen.
pub const ASSIGN_ATTEMPTS_MAX: u32 = 8;

/// Bytes of one line on the admin socket, payload aside (management.txt 9.3: `tune.bufsize`).
pub const COMMAND_LINE_BYTES: usize = BUFFER_BYTES;

/// Bytes of a payload on the admin socket (manual, `tune.cli.max-payload-size`).
pub const COMMAND_PAYLOAD_BYTES: usize = 128 * 1024;

/// Bytes of the word behind `<<` that ends a payload (management.txt 9.3).
pub const PAYLOAD_PATTERN_BYTES: usize = 64;

/// Words of one command on the admin socket.
pub const COMMAND_WORDS_MAX: usize = 64;

/// Milliseconds that an admin client may stay silent, by default (manual, `stats timeout`).
pub const ADMIN_TIMEOUT_MS: u64 = 10_000;

/// Bytes of an agent's line: a few words and a description.
pub const AGENT_ANSWER_BYTES_MAX: usize = 1_024;

/// Bytes of a server's answer that a health check looks at: HAProxy's `tune.bufsize`.
pub const CHECK_RESPONSE_BYTES_MAX: usize = 16_384;

/// Milliseconds that an admin connection stays open after its last answer for the client to
/// close first: closing with unread input would cut the answer on TCP.
pub const ADMIN_LINGER_MS: u64 = 1_000;

/// Milliseconds for which a connection that is closed before its client said all it wanted is
/// still read: long enough for a response to be read, short enough not to be worth an attack.
pub const LINGER_MS: u64 = 1_000;

/// Changes of pattern sets that are kept for cores to follow: one that is further behind copies the
/// sets. A busy core looks many times a second, an idle one pays for a copy once.
pub const PATTERN_CHANGES_KEPT: usize = 4_096;

/// Parts of a stick table, each with a lock of its own: so many that two cores seldom want the
/// same one at once, so few that an empty table stays small.
pub const TABLE_STRIPES: usize = 32;

/// Keys that one request, or one response, stores in stick tables (manual, `stick store-request`).
pub const STICK_STORES_MAX: usize = 8;

/// Bytes of a log line where its target says nothing (manual, 4.2 `log ... len`).
pub const LOG_LINE_BYTES: usize = 1024;

/// Milliseconds to connect to, and without progress of, a server of logs whose line has no place
/// for timeouts.
pub const IMPLICIT_RING_TIMEOUT_MS: u64 = 5_000;

/// Bytes of log lines that are given to a server's connection at once.
pub const RING_BATCH_BYTES: usize = 16_384;

/// Milliseconds before a server of logs is connected again: the first time, and at most.
pub const RING_RECONNECT_MS: u64 = 1_000;
pub const RING_RECONNECT_MAX_MS: u64 = 8_000;

/// Things that an operator may add to one list, or values that he may put in one place, until the
/// process ends: old ones stay in memory for whoever still reads them.
pub const SLOTS_ADDED_MAX: usize = 1_000_000;

/// Names that one `resolvers` section follows at once: those of servers, and those that streams ask
/// for, which clients may choose (`do-resolve`).
pub const DNS_NAMES_MAX: usize = 16_384;

/// Questions that wait for the connection to a name server that is asked over TCP.
pub const DNS_QUEUE_MAX: usize = 1_024;

/// Bytes of a datagram that brings a log line: the largest that UDP carries.
pub const DATAGRAM_BYTES: usize = 65_535;

/// Milliseconds of silence after which a log client is closed where its section has no
/// `timeout client`: it never is in HAProxy, but a peer that is gone is noticed some day.
pub const LOG_FORWARD_LINGER_MS: u64 = 24 * 3_600_000;

/// Connections of a `log-forward` section where it says nothing (manual, 12.6 `maxconn`).
pub const LOG_FORWARD_MAXCONN: u32 = 10;
