//! One core: its ring, clock, timers and mailboxes, and the turn that drives them all.

use std::cell::{Cell, RefCell};
use std::os::fd::{IntoRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use io_uring::{cqueue, opcode, squeue, types};

use crate::buffers::Buffers;
use crate::clock::Clock;
use crate::config::CoreConfig;
use crate::connect::Connect;
use crate::counters::{Counters, Tally, bump};
use crate::datagram::Datagram;
use crate::delay::Delay;
use crate::event::Event;
use crate::listener::Listener;
use crate::mailbox::Mailroom;
use crate::ring::{Completion, Ring, Sleep};
use crate::seg::Seg;
use crate::setup::SetupError;
use crate::slots::{Key, Op, Slots, Tenant, parse};
use crate::sock::{Pools, Sock};
use crate::timer::{Timer, Timers};

/// How long an accept that ran out of descriptors or memory waits before it is tried again.
const ACCEPT_BACKOFF_MS: u64 = 100;
/// Tear-down: rounds of `DRAIN_ROUND_US` in which cancelled operations must come back.
const DRAIN_ROUNDS: u32 = 100;
const DRAIN_ROUND_US: u64 = 10_000;

/// Whether a turn may sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Until something completes, a timer is due, mail comes or a signal arrives.
    Block,
    /// Not at all.
    Poll,
}

/// What one turn did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Completions handled.
    pub completions: u32,
    /// Timers that expired.
    pub timers: u32,
    /// Microseconds spent asleep (and in the kernel's work of this enter); 0 when it polled.
    pub idle_us: u64,
}

/// Handle of one core; cheap to clone, bound to its thread.
#[derive(Clone)]
pub struct Core {
    inner: Rc<Inner>,
}

pub(crate) struct Inner {
    /// Before `buffers`: the kernel lets go of the buffers when the ring is closed.
    ring: Ring,
    pub(crate) buffers: Rc<Buffers>,
    pub(crate) clock: Clock,
    pub(crate) timers: Timers,
    pub(crate) mailroom: Mailroom,
    pub(crate) pools: Pools,
    pub(crate) lingering: Delay,
    pub(crate) accept_backoff: Delay,
    slots: RefCell<Slots>,
    starving: RefCell<Vec<Key>>,
    runnable: Cell<bool>,
    in_flight: Cell<u32>,
    pub(crate) counters: Tally,
    scratch: RefCell<Scratch>,
}

/// Vectors that every turn uses again.
#[derive(Default)]
struct Scratch {
    completions: Vec<Completion>,
    wakers: Vec<Waker>,
}

impl Core {
    /// Sets up the calling thread's core.
    pub fn new(config: &CoreConfig) -> Result<Self, SetupError> {
        config.check()?;
        let ring = Ring::new(config.sq_entries, config.cq_entries)?;
        let buffers = Buffers::new(
            config.buffers,
            config.buffer_bytes,
            config.spare_buffers_max,
        )
        .map_err(|error| SetupError::from_io("buffer ring", error))?;
        ring.register(&buffers)?;
        let clock = Clock::new();
        let inner = Inner {
            ring,
            buffers,
            timers: Timers::new(clock.now_ms()),
            clock,
            mailroom: Mailroom::new()?,
            pools: Pools::new(config),
            lingering: Delay::new(config.linger_ms),
            accept_backoff: Delay::new(ACCEPT_BACKOFF_MS),
            slots: RefCell::default(),
            starving: RefCell::default(),
            runnable: Cell::new(false),
            in_flight: Cell::new(0),
            counters: Tally::default(),
            scratch: RefCell::default(),
        };
        inner.arm_alarm();
        Ok(Self {
            inner: Rc::new(inner),
        })
    }

    /// One turn: submits, sleeps if it may, reaps, advances the clock, fires timers, wakes tasks.
    ///
    /// Exactly one system call. It does not sleep while `mark_runnable` is in force or mail waits.
    pub fn turn(&self, wait: Wait) -> Turn {
        self.inner.turn(wait)
    }

    /// The monotonic clock as of this turn, in milliseconds; comparable between cores.
    pub fn now_ms(&self) -> u64 {
        self.inner.clock.now_ms()
    }

    /// The monotonic clock as of this turn, in microseconds.
    pub fn now_us(&self) -> u64 {
        self.inner.clock.now_us()
    }

    /// The wall clock as of this turn, since the Unix epoch.
    pub fn wall(&self) -> Duration {
        self.inner.clock.wall()
    }

    /// Something local was woken: the driver must not sleep before the tasks ran.
    pub fn mark_runnable(&self) {
        self.inner.runnable.set(true);
    }

    /// Takes the mark: whether something was woken since the last time.
    pub fn take_runnable(&self) -> bool {
        self.inner.runnable.take()
    }

    /// Accepts from a listening socket (in blocking mode: the ring waits, nobody else).
    pub fn listener(&self, fd: OwnedFd) -> Listener {
        Listener::new(self.clone(), fd)
    }

    /// Adopts a connected stream socket (in blocking mode) and starts to receive.
    pub fn socket(&self, fd: OwnedFd) -> Sock {
        Sock::adopt(self.clone(), fd, Vec::new())
    }

    /// As [`Core::socket`], with bytes that another core had received already.
    pub fn socket_with(&self, fd: OwnedFd, received: Vec<u8>) -> Sock {
        Sock::adopt(self.clone(), fd, received)
    }

    /// Connects an unconnected stream socket (in blocking mode). Dropping the future cancels.
    pub fn connect(&self, socket: OwnedFd, to: &socket2::SockAddr) -> Connect {
        Connect::new(self.clone(), socket, to)
    }

    /// Sends and receives datagrams on a socket.
    pub fn datagram(&self, socket: OwnedFd) -> std::io::Result<Datagram> {
        Datagram::new(self.clone(), socket)
    }

    /// A timer that is not set.
    pub fn timer(&self) -> Timer {
        Timer::new(self.clone())
    }

    /// A local notification.
    pub fn event(&self) -> Event {
        Event::new(self.clone())
    }

    /// What has gone on so far.
    pub fn counters(&self) -> Counters {
        let inner = &self.inner;
        Counters {
            turns: inner.counters.turns.get(),
            completions: inner.counters.completions.get(),
            accept_backoffs: inner.counters.accept_backoffs.get(),
            buffers_exhausted: inner.counters.buffers_exhausted.get(),
            enter_errors: inner.counters.enter_errors.get(),
            completions_lost: u64::from(inner.ring.overflowed()),
            idle_us: inner.counters.idle_us.get(),
            in_flight: u64::from(inner.in_flight.get()),
            slots: inner.slots.borrow().len() as u64,
            buffers: inner.buffers.chunks() as u64,
        }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}

impl Inner {
    fn turn(&self, wait: Wait) -> Turn {
        self.feed_starving();
        let mut scratch = self.scratch.take();
        let sleep = self.sleep(wait);
        let before_us = self.clock.now_us();
        if self.ring.enter(sleep, &mut scratch.completions).is_err() {
            bump(&self.counters.enter_errors, 1);
        }
        let now_us = self.clock.advance();
        let mut turn = Turn {
            completions: scratch.completions.len() as u32,
            ..Turn::default()
        };
        if sleep != Sleep::No {
            turn.idle_us = now_us.saturating_sub(before_us);
        }
        for completion in scratch.completions.drain(..) {
            self.dispatch(completion);
        }
        self.expire_delays();
        turn.timers = self.timers.fire(self.clock.now_ms(), &mut scratch.wakers);
        self.mailroom.awake(&mut scratch.wakers);
        for waker in scratch.wakers.drain(..) {
            waker.wake();
        }
        self.scratch.replace(scratch);
        bump(&self.counters.turns, 1);
        bump(&self.counters.idle_us, turn.idle_us);
        bump(&self.counters.completions, u64::from(turn.completions));
        turn
    }

    /// How long this turn may sleep. Reads the clock if it may, so that neither the timeout nor
    /// the idle time counts what the tasks took.
    fn sleep(&self, wait: Wait) -> Sleep {
        if wait == Wait::Poll || self.runnable.get() || !self.mailroom.may_sleep() {
            return Sleep::No;
        }
        let now_us = self.clock.advance();
        let soonest = [
            self.timers.next_ms(),
            self.lingering.next_ms(),
            self.accept_backoff.next_ms(),
        ];
        match soonest.into_iter().flatten().min() {
            None => Sleep::Forever,
            Some(at_ms) if at_ms * 1000 <= now_us => Sleep::No,
            Some(at_ms) => Sleep::Until {
                timeout_us: at_ms * 1000 - now_us,
            },
        }
    }

    fn dispatch(&self, completion: Completion) {
        let Some((op, key)) = parse(completion.user_data) else {
            return;
        };
        let more = cqueue::more(completion.flags);
        // A buffer must be taken in any case, or its slot would stay empty.
        let piece = cqueue::buffer_select(completion.flags)
            .and_then(|id| self.buffers.taken(id))
            .map(|held| Seg::received(held, completion.result.max(0) as u32));
        match op {
            Op::Ignored => return,
            Op::Wake => {
                if !more {
                    self.in_flight.set(self.in_flight.get().saturating_sub(1));
                    self.arm_alarm();
                }
                return;
            }
            _ => {}
        }
        if !more {
            self.in_flight.set(self.in_flight.get().saturating_sub(1));
        }
        let tenant = self.slots.borrow().find(key);
        match tenant {
            Some(Tenant::Sock(sock)) => sock.complete(self, op, completion.result, piece, more),
            Some(Tenant::Listener(listener)) => listener.complete(self, completion.result, more),
            Some(Tenant::Connect(connect)) => connect.complete(self, completion.result),
            Some(Tenant::Datagram(datagram)) => datagram.complete(self),
            None => debug_assert!(false, "a slot outlives its operations"),
        }
    }

    fn expire_delays(&self) {
        let now_ms = self.clock.now_ms();
        while let Some(key) = self.lingering.pop(now_ms) {
            if let Some(Tenant::Sock(sock)) = self.find(key) {
                sock.stop_lingering(self);
            }
        }
        while let Some(key) = self.accept_backoff.pop(now_ms) {
            if let Some(Tenant::Listener(listener)) = self.find(key) {
                listener.try_again(self);
            }
        }
    }

    /// Sockets whose receive found no buffer start again, as many as there are buffers.
    fn feed_starving(&self) {
        if self.starving.borrow().is_empty() {
            return;
        }
        let mut fed = self.starving.take();
        let later = fed.split_off(self.buffers.available().min(fed.len()));
        self.starving.replace(later);
        for key in fed {
            if let Some(Tenant::Sock(sock)) = self.find(key) {
                sock.fed(self);
            }
        }
    }

    /// Tasks were woken outside the turn.
    pub(crate) fn woken(&self) {
        self.runnable.set(true);
    }

    pub(crate) fn starve(&self, key: Key) {
        bump(&self.counters.buffers_exhausted, 1);
        self.starving.borrow_mut().push(key);
    }

    pub(crate) fn settle(&self, tenant: impl FnOnce(Key) -> Tenant) -> Key {
        self.slots.borrow_mut().insert(tenant)
    }

    pub(crate) fn find(&self, key: Key) -> Option<Tenant> {
        self.slots.borrow().find(key)
    }

    /// Frees the slot of a tenant that has no operation in flight any more.
    pub(crate) fn leave(&self, key: Key) {
        let tenant = self.slots.borrow_mut().remove(key);
        debug_assert!(tenant.is_some());
    }

    /// Queues an operation whose completion is dispatched to the tenant of `key`.
    ///
    /// # Safety
    ///
    /// All memory that `entry` names must stay valid until that completion.
    pub(crate) unsafe fn submit(&self, key: Key, op: Op, entry: squeue::Entry) {
        self.in_flight.set(self.in_flight.get() + 1);
        // SAFETY: the caller vouches for the memory.
        unsafe { self.ring.push(entry.user_data(key.user_data(op))) };
    }

    /// Asks the kernel to end an operation; its completion comes in any case.
    pub(crate) fn cancel(&self, key: Key, op: Op) {
        let entry = opcode::AsyncCancel::new(key.user_data(op)).build();
        self.push_ignored(entry);
    }

    /// Closes a descriptor with the next enter instead of a system call of its own.
    pub(crate) fn close(&self, fd: OwnedFd) {
        let fd = fd.into_raw_fd();
        self.push_ignored(opcode::Close::new(types::Fd(fd)).build());
    }

    /// Watches a descriptor for `events` once.
    pub(crate) fn submit_poll(&self, key: Key, op: Op, fd: RawFd, events: i16) {
        let entry = opcode::PollAdd::new(types::Fd(fd), events as u16 as u32).build();
        // SAFETY: a poll names no memory.
        unsafe { self.submit(key, op, entry) };
    }

    fn push_ignored(&self, entry: squeue::Entry) {
        let entry = entry
            .user_data(Key::new(0, 0).user_data(Op::Ignored))
            .flags(squeue::Flags::SKIP_SUCCESS);
        // SAFETY: neither a cancellation nor a close names memory.
        unsafe { self.ring.push(entry) };
    }

    /// Watches the eventfd. Its counter is never read: every write is a new edge for a multishot
    /// poll.
    fn arm_alarm(&self) {
        let fd = types::Fd(self.mailroom.eventfd());
        let entry = opcode::PollAdd::new(fd, libc::POLLIN as u32)
            .multi(true)
            .build();
        // SAFETY: a poll names no memory.
        unsafe { self.submit(Key::new(0, 0), Op::Wake, entry) };
    }
}

impl Drop for Inner {
    /// Nothing the kernel may still write to is freed before its operation has come back.
    fn drop(&mut self) {
        let tenants = self.slots.borrow().all();
        for tenant in tenants {
            match tenant {
                Tenant::Sock(sock) => sock.stop_lingering(self),
                Tenant::Listener(_) | Tenant::Connect(_) | Tenant::Datagram(_) => {}
            }
        }
        self.cancel(Key::new(0, 0), Op::Wake);
        let mut completions = Vec::new();
        for _ in 0..DRAIN_ROUNDS {
            // The alarm is armed again by `dispatch`; it owns no memory.
            let _ = self.ring.enter(Sleep::No, &mut completions);
            for completion in completions.drain(..) {
                if !matches!(parse(completion.user_data), Some((Op::Wake, _))) {
                    self.dispatch(completion);
                }
            }
            if self.slots.borrow().len() == 0 {
                break;
            }
            let _ = self.ring.enter(
                Sleep::Until {
                    timeout_us: DRAIN_ROUND_US,
                },
                &mut completions,
            );
        }
        // Closes that the last completions queued.
        let _ = self.ring.enter(Sleep::No, &mut completions);
        // A tenant that is still here has memory in the kernel's hands: leaking it is the only
        // safe way out.
        std::mem::forget(self.slots.borrow().all());
    }
}
