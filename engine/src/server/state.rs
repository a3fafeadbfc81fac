//! One server while it runs: load written by all cores, decisions written by the control thread.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::slots::{Current, Full};

use super::{
    Admin, BackendState, CheckReport, Health, Operational, Padded, Permit, effective_weight,
};

/// What the configuration says about a server's capacity.
#[derive(Clone, Copy, Debug)]
pub struct ServerSettings {
    /// The `id` of the server line, or its position counted from 1.
    pub id: u32,
    /// Configured `weight`, 0 to 256.
    pub weight: u32,
    /// `maxconn`; 0 is unlimited.
    pub maxconn: u32,
    /// `minconn`; 0 makes the limit static.
    pub minconn: u32,
    /// `maxqueue`; 0 is unlimited.
    pub maxqueue: u32,
    /// `slowstart`; 0 is none.
    pub slowstart_ms: u64,
    pub backup: bool,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            id: 1,
            weight: 1,
            maxconn: 0,
            minconn: 0,
            maxqueue: 0,
            slowstart_ms: 0,
            backup: false,
        }
    }
}

/// Written by every core, on lines of its own.
#[derive(Debug, Default)]
pub(super) struct Load {
    pub in_use: AtomicU32,
    pub queued: AtomicU32,
    pub in_use_peak: AtomicU32,
    pub queued_peak: AtomicU32,
    /// The turn in which the balancer last chose this server: orders equals.
    pub last_pick: AtomicU64,
}

/// Read by every core, written by the control thread.
#[derive(Debug)]
struct Decided {
    id: AtomicU32,
    admin: AtomicU8,
    operational: AtomicU8,
    initial_weight: AtomicU32,
    user_weight: AtomicU32,
    throttle_percent: AtomicU32,
    maxconn: AtomicU32,
    minconn: AtomicU32,
    maxqueue: AtomicU32,
    slowstart_ms: AtomicU64,
    backup: AtomicBool,
    serves_backend_queue: AtomicBool,
    /// How often it has moved to another address.
    moves: AtomicU32,
}

/// The runtime state of one server; shared by all cores and generations.
#[derive(Debug)]
pub struct ServerState {
    pub(super) load: Padded<Load>,
    decided: Decided,
    /// Idle connections held by each core.
    idle: Box<[Padded<AtomicU32>]>,
    name: Current<Box<str>>,
    slot: u32,
    backend: Arc<BackendState>,
    health: Mutex<Option<Health>>,
    agent: Mutex<Option<Health>>,
    check_report: Mutex<CheckReport>,
    agent_report: Mutex<CheckReport>,
}

impl ServerState {
    pub(super) fn new(
        backend: &Arc<BackendState>,
        name: &str,
        slot: u32,
        cores: usize,
        settings: &ServerSettings,
    ) -> Self {
        Self {
            load: Padded::default(),
            decided: Decided {
                id: AtomicU32::new(settings.id),
                admin: AtomicU8::new(0),
                operational: AtomicU8::new(Operational::Running as u8),
                initial_weight: AtomicU32::new(settings.weight),
                user_weight: AtomicU32::new(settings.weight),
                throttle_percent: AtomicU32::new(100),
                maxconn: AtomicU32::new(settings.maxconn),
                minconn: AtomicU32::new(settings.minconn),
                maxqueue: AtomicU32::new(settings.maxqueue),
                slowstart_ms: AtomicU64::new(settings.slowstart_ms),
                backup: AtomicBool::new(settings.backup),
                serves_backend_queue: AtomicBool::new(false),
                moves: AtomicU32::new(0),
            },
            idle: (0..cores.max(1)).map(|_| Padded::default()).collect(),
            name: Current::new(name.into()),
            slot,
            backend: Arc::clone(backend),
            health: Mutex::new(None),
            agent: Mutex::new(None),
            check_report: Mutex::default(),
            agent_report: Mutex::default(),
        }
    }

    /// Takes over the settings of a new generation. A weight changed at run time is kept only if
    /// the configured weight did not change.
    pub fn adopt(&self, settings: &ServerSettings) {
        let decided = &self.decided;
        decided.id.store(settings.id, Ordering::Relaxed);
        if decided
            .initial_weight
            .swap(settings.weight, Ordering::Relaxed)
            != settings.weight
        {
            decided
                .user_weight
                .store(settings.weight, Ordering::Relaxed);
        }
        decided.minconn.store(settings.minconn, Ordering::Relaxed);
        decided.maxqueue.store(settings.maxqueue, Ordering::Relaxed);
        decided
            .slowstart_ms
            .store(settings.slowstart_ms, Ordering::Relaxed);
        decided.backup.store(settings.backup, Ordering::Relaxed);
        self.set_maxconn(settings.maxconn);
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// `set server X name`.
    pub fn rename(&self, name: &str) -> Result<(), Full> {
        self.name.replace(name.into())
    }

    /// The server's stable index within its backend's runtime state.
    pub fn slot(&self) -> u32 {
        self.slot
    }

    pub fn backend(&self) -> &Arc<BackendState> {
        &self.backend
    }

    pub fn id(&self) -> u32 {
        self.decided.id.load(Ordering::Relaxed)
    }

    pub fn is_backup(&self) -> bool {
        self.decided.backup.load(Ordering::Relaxed)
    }

    pub fn slowstart_ms(&self) -> u64 {
        self.decided.slowstart_ms.load(Ordering::Relaxed)
    }
}

/// Decisions of the control thread.
impl ServerState {
    pub fn admin(&self) -> Admin {
        Admin::from_bits(self.decided.admin.load(Ordering::Relaxed))
    }

    pub fn set_admin(&self, admin: Admin) {
        self.decided.admin.store(admin.bits(), Ordering::Relaxed);
    }

    pub fn operational(&self) -> Operational {
        Operational::from_bits(self.decided.operational.load(Ordering::Relaxed))
    }

    pub fn set_operational(&self, operational: Operational) {
        self.decided
            .operational
            .store(operational as u8, Ordering::Relaxed);
    }

    /// The weight of the configuration.
    pub fn initial_weight(&self) -> u32 {
        self.decided.initial_weight.load(Ordering::Relaxed)
    }

    /// The weight set by the configuration, the admin socket or the agent, 0 to 256.
    pub fn user_weight(&self) -> u32 {
        self.decided.user_weight.load(Ordering::Relaxed)
    }

    pub fn set_user_weight(&self, weight: u32) {
        self.decided.user_weight.store(weight, Ordering::Relaxed);
    }

    /// The weight in sixteenths after slow start; 0 for a draining or stopping server, which gets
    /// no share of new requests.
    pub fn effective_weight(&self) -> u32 {
        if self.admin().in_drain() || self.operational() == Operational::Stopping {
            return 0;
        }
        effective_weight(self.user_weight(), self.throttle_percent())
    }

    /// 1 to 100: how much of its capacity a server in slow start gets.
    pub fn throttle_percent(&self) -> u32 {
        self.decided.throttle_percent.load(Ordering::Relaxed)
    }

    pub(super) fn store_throttle(&self, percent: u32) {
        let percent = percent.clamp(1, 100);
        self.decided
            .throttle_percent
            .store(percent, Ordering::SeqCst);
    }

    /// Whether requests may be sent to it at all, persistent ones included.
    pub fn is_usable(&self) -> bool {
        self.operational().is_up() && !self.admin().in_maint()
    }

    /// Whether the balancer may choose it: usable with a weight.
    pub fn takes_new(&self) -> bool {
        self.is_usable() && self.effective_weight() > 0
    }

    /// Whether a free permit of this server is for the backend's queue too: true for the servers
    /// in the balancer's current view.
    pub fn serves_backend_queue(&self) -> bool {
        self.decided.serves_backend_queue.load(Ordering::SeqCst)
    }

    pub(crate) fn set_serves_backend_queue(&self, yes: bool) {
        self.decided
            .serves_backend_queue
            .store(yes, Ordering::SeqCst);
    }

    /// Tells connections to its present address from those to a former one.
    pub fn moves(&self) -> u32 {
        self.decided.moves.load(Ordering::Relaxed)
    }

    /// It has another address from now on.
    pub fn has_moved(&self) {
        self.decided.moves.fetch_add(1, Ordering::Relaxed);
    }

    pub fn maxconn(&self) -> u32 {
        self.decided.maxconn.load(Ordering::Relaxed)
    }

    /// Changes `maxconn` at run time (`set maxconn server`, agent). The caller serves the queue.
    pub fn set_maxconn(&self, maxconn: u32) {
        self.decided.maxconn.store(maxconn, Ordering::SeqCst);
    }

    pub fn minconn(&self) -> u32 {
        self.decided.minconn.load(Ordering::Relaxed)
    }

    pub fn maxqueue(&self) -> u32 {
        self.decided.maxqueue.load(Ordering::Relaxed)
    }

    /// The health counter of the checks; `None` if the server is not checked.
    pub fn health(&self) -> Option<Health> {
        *lock(&self.health)
    }

    pub fn set_health(&self, health: Option<Health>) {
        *lock(&self.health) = health;
    }

    /// The health counter of the agent; `None` if there is no agent.
    pub fn agent(&self) -> Option<Health> {
        *lock(&self.agent)
    }

    pub fn set_agent(&self, agent: Option<Health>) {
        *lock(&self.agent) = agent;
    }

    /// What the last health check found. Never taken by a data core.
    pub fn check_report(&self) -> MutexGuard<'_, CheckReport> {
        lock(&self.check_report)
    }

    /// What the last agent check found. Never taken by a data core.
    pub fn agent_report(&self) -> MutexGuard<'_, CheckReport> {
        lock(&self.agent_report)
    }
}

/// Load, seen and changed by every core.
impl ServerState {
    /// Permits in use at this moment: the server's current sessions (`scur`).
    pub fn in_use(&self) -> u32 {
        self.load.in_use.load(Ordering::SeqCst)
    }

    /// The most permits ever in use at once (`smax`).
    pub fn in_use_peak(&self) -> u32 {
        self.load.in_use_peak.load(Ordering::Relaxed)
    }

    /// Requests waiting for this server alone (`qcur`).
    pub fn queued(&self) -> u32 {
        self.load.queued.load(Ordering::SeqCst)
    }

    /// The longest its queue ever was (`qmax`).
    pub fn queued_peak(&self) -> u32 {
        self.load.queued_peak.load(Ordering::Relaxed)
    }

    /// `clear counters`: peaks start again from the present values.
    pub fn clear_peaks(&self) {
        self.load
            .in_use_peak
            .store(self.in_use(), Ordering::Relaxed);
        self.load
            .queued_peak
            .store(self.queued(), Ordering::Relaxed);
    }

    /// The turn in which the balancer last chose it.
    pub(crate) fn last_pick(&self) -> u64 {
        self.load.last_pick.load(Ordering::Relaxed)
    }

    pub(crate) fn set_last_pick(&self, turn: u64) {
        self.load.last_pick.store(turn, Ordering::Relaxed);
    }

    /// The present limit of permits, `None` if unlimited (manual 5.2: `maxconn`, `minconn`,
    /// `slowstart`; 4.2: `fullconn`).
    pub fn limit(&self) -> Option<u32> {
        let decided = &self.decided;
        let minconn = decided.minconn.load(Ordering::Relaxed);
        let maxconn = match decided.maxconn.load(Ordering::SeqCst) {
            0 => minconn,
            maxconn => maxconn,
        };
        if maxconn == 0 {
            return None;
        }
        let mut limit = maxconn;
        if minconn != 0 && minconn < maxconn {
            limit = minconn.max(self.backend.ramp(maxconn));
        }
        let throttle = self.throttle_percent();
        if throttle < 100 {
            limit = ((u64::from(limit) * u64::from(throttle) / 100) as u32).max(1);
        }
        Some(limit)
    }

    /// Whether a request that came now would have to wait: at its limit, or others wait already.
    pub fn is_full(&self) -> bool {
        self.limit()
            .is_some_and(|limit| self.queued() > 0 || self.in_use() >= limit)
    }

    /// Takes a permit unless the server is at its limit or requests are waiting for it.
    pub fn try_permit(self: &Arc<Self>) -> Option<Permit> {
        if self.queued() > 0 {
            return None;
        }
        self.count_one().then(|| Permit::counted(Arc::clone(self)))
    }

    /// Like `try_permit`, but only if exactly `seen` permits are in use: for algorithms that
    /// chose this server because of that number.
    pub fn try_permit_if(self: &Arc<Self>, seen: u32) -> Option<Permit> {
        if self.queued() > 0 || self.limit().is_some_and(|limit| seen >= limit) {
            return None;
        }
        self.load
            .in_use
            .compare_exchange(seen, seen + 1, Ordering::SeqCst, Ordering::SeqCst)
            .ok()?;
        self.note_peak(seen + 1);
        Some(Permit::counted(Arc::clone(self)))
    }

    /// Counts one more permit if the limit allows.
    pub(super) fn count_one(&self) -> bool {
        let in_use = &self.load.in_use;
        let Some(limit) = self.limit() else {
            let before = in_use.fetch_add(1, Ordering::SeqCst);
            self.note_peak(before + 1);
            return true;
        };
        let taken = in_use.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| {
            (now < limit).then_some(now + 1)
        });
        match taken {
            Ok(before) => {
                self.note_peak(before + 1);
                true
            }
            Err(_) => false,
        }
    }

    fn note_peak(&self, now: u32) {
        if now > self.load.in_use_peak.load(Ordering::Relaxed) {
            self.load.in_use_peak.fetch_max(now, Ordering::Relaxed);
        }
    }

    /// One permit comes back. The decrement precedes the look at the queues, while a waiter
    /// enters the queue before it looks at the permits: so one of the two sees the other.
    pub(super) fn give_back(self: &Arc<Self>) {
        let before = self.load.in_use.fetch_sub(1, Ordering::SeqCst);
        debug_assert!(before > 0, "a permit came back that nobody took");
        if self.queued() > 0 || self.backend.has_queue() {
            self.backend.serve(self);
        }
    }
}

/// Idle connections, held by cores, counted here so that cores can ask each other.
impl ServerState {
    /// The count of one core; the caller is that core.
    pub fn add_idle(&self, core: usize) {
        self.idle[core % self.idle.len()].fetch_add(1, Ordering::Relaxed);
    }

    pub fn remove_idle(&self, core: usize) {
        let before = self.idle[core % self.idle.len()].fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0, "an idle connection left that was never counted");
    }

    /// Idle connections of all cores together.
    pub fn idle_total(&self) -> u32 {
        self.idle
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum()
    }

    /// Idle connections of each core.
    pub fn idle_per_core(&self) -> impl Iterator<Item = u32> + '_ {
        self.idle.iter().map(|count| count.load(Ordering::Relaxed))
    }

    /// A core other than `core` that has idle connections, the next one first.
    pub fn idle_elsewhere(&self, core: usize) -> Option<usize> {
        let cores = self.idle.len();
        (1..cores)
            .map(|step| (core + step) % cores)
            .find(|&other| self.idle[other].load(Ordering::Relaxed) > 0)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
