//! One backend while it runs: its queues, and what the balancing of all cores shares.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::line::Key;
use super::queue::Queues;
use super::{Admission, Order, Outcome, Padded, Permit, ServerState, Token, Waiting, Wake};

/// What the configuration says about a backend as a whole.
#[derive(Clone, Copy, Debug, Default)]
pub struct BackendSettings {
    /// `fullconn`: sessions from which servers with `minconn` take all of `maxconn`; 0 is none.
    pub fullconn: u32,
}

/// How many servers take new requests at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usable {
    /// Not backups (`act`).
    pub active: u32,
    /// Backups (`bck`).
    pub backup: u32,
}

/// The runtime state of one backend; shared by all cores and generations.
pub struct BackendState {
    name: Box<str>,
    wake: Arc<dyn Wake>,
    fullconn: AtomicU32,
    usable_active: AtomicU32,
    usable_backup: AtomicU32,
    sessions: Padded<AtomicU32>,
    /// Turns of the round robin, and the clock that orders equals.
    cursor: Padded<AtomicU64>,
    /// Length of the backend's own queue.
    queued: Padded<AtomicU32>,
    queued_peak: AtomicU32,
    queues: Mutex<Queues>,
}

impl fmt::Debug for BackendState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendState")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl BackendState {
    pub fn new(name: &str, wake: Arc<dyn Wake>, settings: BackendSettings) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            wake,
            fullconn: AtomicU32::new(settings.fullconn),
            usable_active: AtomicU32::new(0),
            usable_backup: AtomicU32::new(0),
            sessions: Padded::default(),
            cursor: Padded::default(),
            queued: Padded::default(),
            queued_peak: AtomicU32::new(0),
            queues: Mutex::default(),
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes over the settings of a new generation.
    pub fn adopt(&self, settings: BackendSettings) {
        self.fullconn.store(settings.fullconn, Ordering::SeqCst);
    }

    /// Servers that take new requests, as of the last view.
    pub fn usable(&self) -> Usable {
        Usable {
            active: self.usable_active.load(Ordering::Relaxed),
            backup: self.usable_backup.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn set_usable(&self, usable: Usable) {
        self.usable_active.store(usable.active, Ordering::Relaxed);
        self.usable_backup.store(usable.backup, Ordering::Relaxed);
    }

    /// The next turn of the balancing shared by all cores.
    pub(crate) fn next_turn(&self) -> u64 {
        self.cursor.fetch_add(1, Ordering::Relaxed)
    }

    /// A session enters the backend. Needed for the dynamic limit of `minconn` and `fullconn`.
    pub fn session_begins(&self) {
        self.sessions.fetch_add(1, Ordering::SeqCst);
    }

    /// A session leaves the backend.
    pub fn session_ends(&self) {
        let before = self.sessions.fetch_sub(1, Ordering::SeqCst);
        debug_assert!(before > 0, "a session left that never entered");
    }

    /// Sessions between `session_begins` and `session_ends`.
    pub fn sessions(&self) -> u32 {
        self.sessions.load(Ordering::SeqCst)
    }

    /// The part of `maxconn` that the backend's load gives to a server with `minconn`.
    pub(super) fn ramp(&self, maxconn: u32) -> u32 {
        let fullconn = self.fullconn.load(Ordering::Relaxed);
        let sessions = self.sessions();
        if fullconn == 0 || sessions >= fullconn {
            return maxconn;
        }
        (u64::from(sessions) * u64::from(maxconn) / u64::from(fullconn)) as u32
    }
}

/// The queues.
impl BackendState {
    /// Requests waiting for any server (`qcur` of the backend).
    pub fn queued(&self) -> u32 {
        self.queued.load(Ordering::SeqCst)
    }

    /// The longest that queue ever was (`qmax`).
    pub fn queued_peak(&self) -> u32 {
        self.queued_peak.load(Ordering::Relaxed)
    }

    /// `clear counters`.
    pub fn clear_peaks(&self) {
        self.queued_peak.store(self.queued(), Ordering::Relaxed);
    }

    /// Whether newcomers must line up behind others of this backend.
    pub fn has_queue(&self) -> bool {
        self.queued() > 0
    }

    /// Asks for a permit of one server: at once, or in that server's queue.
    pub fn admit_to_server(
        self: &Arc<Self>,
        server: &Arc<ServerState>,
        order: &Order,
        token: Token,
    ) -> Admission {
        if let Some(permit) = server.try_permit() {
            return Admission::Granted(permit);
        }
        let mut queues = self.lock();
        let maxqueue = server.maxqueue();
        if maxqueue != 0 && queues.server(server.slot()).len() >= maxqueue {
            return Admission::QueueFull;
        }
        let key = queues.key(order);
        let line = queues.server(server.slot());
        line.push(key, token, order.pinned);
        let length = line.len();
        server.load.queued.store(length, Ordering::SeqCst);
        server.load.queued_peak.fetch_max(length, Ordering::Relaxed);
        drop(queues);
        self.serve(server);
        self.settled_or_waiting(Some(Arc::clone(server)), key)
    }

    /// Waits for whichever of `servers` has a permit first.
    pub fn admit_to_backend(
        self: &Arc<Self>,
        servers: impl Iterator<Item = Arc<ServerState>>,
        order: &Order,
        token: Token,
    ) -> Admission {
        let mut queues = self.lock();
        let key = queues.key(order);
        queues.backend.push(key, token, order.pinned);
        let length = queues.backend.len();
        self.queued.store(length, Ordering::SeqCst);
        self.queued_peak.fetch_max(length, Ordering::Relaxed);
        drop(queues);
        for server in servers {
            if !self.has_queue() {
                break;
            }
            self.serve(&server);
        }
        self.settled_or_waiting(None, key)
    }

    fn settled_or_waiting(
        self: &Arc<Self>,
        server: Option<Arc<ServerState>>,
        key: Key,
    ) -> Admission {
        let mut waiting = Waiting {
            backend: Arc::clone(self),
            server,
            key,
            settled: false,
        };
        match waiting.outcome() {
            Outcome::Granted { permit, .. } => Admission::Granted(permit),
            Outcome::Redispatch => Admission::QueueFull,
            Outcome::Pending => Admission::Queued(waiting),
        }
    }

    /// Gives the free permits of `server` to those who wait, in order. To be called whenever its
    /// limit grew, it came up, or it began to serve the backend's queue.
    pub fn serve(&self, server: &Arc<ServerState>) {
        let mut woken = Vec::new();
        let mut queues = self.lock();
        while let Some(place) = queues.next_for(server) {
            if !server.count_one() {
                break;
            }
            let Some((key, token, ahead)) = queues.at(place).pop() else {
                debug_assert!(false, "a line with a head has an entry");
                break;
            };
            let permit = Permit::counted(Arc::clone(server));
            queues.settle(key.arrival, Outcome::Granted { permit, ahead });
            woken.push(token);
        }
        self.publish(&mut queues, server);
        drop(queues);
        self.wake_all(&woken);
    }

    /// Sends those who wait for `server` back to choose another one; returns how many. Requests
    /// bound to it stay.
    pub fn redispatch(&self, server: &ServerState) -> u32 {
        let mut queues = self.lock();
        let freed = queues.server(server.slot()).take_unpinned();
        for (key, _) in &freed {
            queues.settle(key.arrival, Outcome::Redispatch);
        }
        self.publish(&mut queues, server);
        drop(queues);
        let tokens: Vec<Token> = freed.into_iter().map(|(_, token)| token).collect();
        self.wake_all(&tokens);
        tokens.len() as u32
    }

    pub(super) fn settle(&self, arrival: u64) -> Option<Outcome> {
        self.lock().take_settled(arrival)
    }

    /// A waiter gives up. A permit that it was given meanwhile goes to the next one: it is
    /// dropped after the lock.
    pub(super) fn leave(&self, server: Option<&ServerState>, key: Key) {
        let mut queues = self.lock();
        let was_waiting = match server {
            Some(server) => queues.server(server.slot()).remove(key),
            None => queues.backend.remove(key),
        };
        let unclaimed = if was_waiting {
            None
        } else {
            queues.take_settled(key.arrival)
        };
        match server {
            Some(server) => self.publish(&mut queues, server),
            None => self.queued.store(queues.backend.len(), Ordering::SeqCst),
        }
        drop(queues);
        drop(unclaimed);
    }

    fn publish(&self, queues: &mut Queues, server: &ServerState) {
        self.queued.store(queues.backend.len(), Ordering::SeqCst);
        server
            .load
            .queued
            .store(queues.server(server.slot()).len(), Ordering::SeqCst);
    }

    fn wake_all(&self, tokens: &[Token]) {
        for token in tokens {
            self.wake.wake(*token);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
