//! How many client connections may be open at once, exactly, whatever core takes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use crate::server::Padded;

/// A `maxconn` shared by all cores: of the process, of a frontend or of a listener.
///
/// Taking and giving back are one atomic operation each; only a core that found the gate full is
/// ever woken, and it is woken once.
#[derive(Debug)]
pub struct Gate {
    /// Connections allowed at once; 0 means no limit.
    limit: AtomicU32,
    used: AtomicU32,
    /// How many of `waiting` are set: lets `leave` skip the scan.
    waiters: AtomicUsize,
    waiting: Box<[AtomicBool]>,
}

impl Gate {
    /// A gate for `cores` cores; `limit` 0 means no limit.
    pub fn new(limit: u32, cores: usize) -> Self {
        Self {
            limit: AtomicU32::new(limit),
            used: AtomicU32::new(0),
            waiters: AtomicUsize::new(0),
            waiting: (0..cores).map(|_| AtomicBool::new(false)).collect(),
        }
    }

    /// Connections inside now.
    pub fn used(&self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }

    /// Connections allowed at once; 0 means no limit.
    pub fn limit(&self) -> u32 {
        self.limit.load(Ordering::Relaxed)
    }

    /// Changes the limit; who is inside stays inside.
    pub fn set_limit(&self, limit: u32) {
        self.limit.store(limit, Ordering::SeqCst);
    }

    /// Goes in, unless the gate is full.
    pub fn try_enter(&self) -> bool {
        self.used
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| {
                let limit = self.limit.load(Ordering::SeqCst);
                (limit == 0 || used < limit).then(|| used + 1)
            })
            .is_ok()
    }

    /// Goes in, or leaves word that `core` wants to be woken when there is room.
    pub fn enter_or_wait(&self, core: usize) -> bool {
        if self.try_enter() {
            return true;
        }
        if !self.waiting[core].swap(true, Ordering::SeqCst) {
            self.waiters.fetch_add(1, Ordering::SeqCst);
        }
        // Somebody may have left between the two steps, before our word could be read.
        let entered = self.try_enter();
        if entered {
            self.forget(core);
        }
        entered
    }

    /// Goes out; returns a core that wants to be woken, if there is one.
    pub fn leave(&self) -> Option<usize> {
        let before = self.used.fetch_sub(1, Ordering::SeqCst);
        debug_assert!(before > 0, "left a gate that nobody had entered");
        self.wanting()
    }

    /// A core that waits, taken off the list.
    pub fn wanting(&self) -> Option<usize> {
        if self.waiters.load(Ordering::SeqCst) == 0 {
            return None;
        }
        (0..self.waiting.len()).find(|&core| self.forget(core))
    }

    fn forget(&self, core: usize) -> bool {
        let was = self.waiting[core].swap(false, Ordering::SeqCst);
        if was {
            self.waiters.fetch_sub(1, Ordering::SeqCst);
        }
        was
    }
}

/// Wakes a core whose listeners wait for room.
pub trait WakeCore: Send + Sync {
    fn wake(&self, core: usize);
}

/// Open connections of each core. The kernel deals new ones out blindly: a core that has more
/// than its share hands them on.
#[derive(Debug)]
pub struct Loads {
    open: Box<[Padded<AtomicU32>]>,
}

impl Loads {
    pub fn new(cores: usize) -> Self {
        Self {
            open: (0..cores).map(|_| Padded::default()).collect(),
        }
    }

    /// The core that a new connection of `core` should rather go to. One other core is looked at,
    /// chosen by `random`: over many connections that evens all of them out.
    pub fn less_loaded(&self, core: usize, random: u64) -> Option<usize> {
        let cores = self.open.len();
        if cores < 2 {
            return None;
        }
        let other = (core + 1 + (random % (cores as u64 - 1)) as usize) % cores;
        let (mine, theirs) = (self.of(core), self.of(other));
        // A difference that is worth a message: two and an eighth.
        (mine > theirs + 2 + theirs / 8).then_some(other)
    }

    /// Connections that are open on `core`.
    pub fn of(&self, core: usize) -> u32 {
        self.open[core].load(Ordering::Relaxed)
    }
}

/// The right of one connection to be open: inside every gate on its way, on one core.
pub struct Pass {
    gates: [Option<Arc<Gate>>; 3],
    wake: Arc<dyn WakeCore>,
    loads: Arc<Loads>,
    core: usize,
}

impl Pass {
    /// Enters all gates, or none and leaves word at the one that is full.
    pub fn enter(
        gates: [Option<&Arc<Gate>>; 3],
        core: usize,
        wake: &Arc<dyn WakeCore>,
        loads: &Arc<Loads>,
    ) -> Option<Self> {
        loads.open[core].fetch_add(1, Ordering::Relaxed);
        let mut pass = Self {
            gates: [None, None, None],
            wake: Arc::clone(wake),
            loads: Arc::clone(loads),
            core,
        };
        for (slot, gate) in pass.gates.iter_mut().zip(gates) {
            let Some(gate) = gate else { continue };
            if !gate.enter_or_wait(core) {
                return None; // dropping the half-filled pass leaves the gates entered so far
            }
            *slot = Some(Arc::clone(gate));
        }
        Some(pass)
    }

    /// The connection goes to another core.
    pub fn move_to(&mut self, core: usize) {
        self.loads.open[self.core].fetch_sub(1, Ordering::Relaxed);
        self.loads.open[core].fetch_add(1, Ordering::Relaxed);
        self.core = core;
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.loads.open[self.core].fetch_sub(1, Ordering::Relaxed);
        for gate in self.gates.iter().flatten() {
            if let Some(core) = gate.leave() {
                self.wake.wake(core);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl WakeCore for Nobody {
        fn wake(&self, _core: usize) {}
    }

    #[test]
    fn connections_go_to_the_core_that_has_fewer() {
        let (loads, wake) = (
            Arc::new(Loads::new(2)),
            Arc::new(Nobody) as Arc<dyn WakeCore>,
        );
        let mut passes = Vec::new();
        for _ in 0..100 {
            let mut pass = Pass::enter([None; 3], 0, &wake, &loads).expect("no gate is in the way");
            if let Some(other) = loads.less_loaded(0, 7) {
                pass.move_to(other);
            }
            passes.push(pass);
        }
        assert_eq!(loads.of(0) + loads.of(1), 100);
        assert!(loads.of(0) - loads.of(1) <= 2 + 100 / 8, "{loads:?}");
        assert_eq!(loads.less_loaded(1, 7), None, "the other one has more");
        drop(passes);
        assert_eq!((loads.of(0), loads.of(1)), (0, 0));
        assert_eq!(Loads::new(1).less_loaded(0, 7), None);
    }

    #[test]
    fn never_more_than_the_limit_inside() {
        let gate = Arc::new(Gate::new(3, 4));
        let peak = Arc::new(AtomicU32::new(0));
        let threads: Vec<_> = (0..4)
            .map(|core| {
                let (gate, peak) = (Arc::clone(&gate), Arc::clone(&peak));
                std::thread::spawn(move || {
                    let mut entered = 0;
                    while entered < 2000 {
                        if gate.enter_or_wait(core) {
                            peak.fetch_max(gate.used(), Ordering::SeqCst);
                            entered += 1;
                            gate.leave();
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("a worker ended well");
        }
        assert!(peak.load(Ordering::SeqCst) <= 3);
        assert_eq!(gate.used(), 0);
    }

    #[test]
    fn who_waits_is_woken_once() {
        let gate = Gate::new(1, 2);
        assert!(gate.enter_or_wait(0));
        assert!(!gate.enter_or_wait(1));
        assert!(!gate.enter_or_wait(1));
        assert_eq!(gate.leave(), Some(1));
        assert!(gate.try_enter());
        assert_eq!(gate.leave(), None);
    }

    #[test]
    fn zero_is_no_limit() {
        let gate = Gate::new(0, 1);
        assert!((0..100).all(|_| gate.try_enter()));
    }
}
