//! What a stream uses of its core.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use reactor::{Core, Event};

use super::{Control, Exchange, Neighbours, Registry, Tickets};
use crate::compress::Coders;
use crate::gate::{Loads, WakeCore};
use crate::limits::EXCHANGES_KEPT;
use crate::logger::Logger;
use crate::pool::Pool;
use crate::sample::pattern::CorePatterns;
use crate::sample::{Clock, CoreProcVars};
use crate::state::Generation;

/// One core's belongings, as the data path sees them.
pub struct Local {
    pub core: Core,
    /// Which core this is, counted from 0.
    pub index: usize,
    generation: RefCell<Rc<Generation>>,
    pub pool: Pool,
    pub tickets: Tickets,
    /// Notified when there may be room for connections that the listeners hold back.
    pub room: Event,
    pub wake: Arc<dyn WakeCore>,
    pub control: Arc<dyn Control>,
    pub neighbours: Arc<dyn Neighbours>,
    /// Open connections of each core.
    pub loads: Arc<Loads>,
    pub logger: Logger,
    pub streams: Registry,
    /// State of this core's random numbers; never 0.
    pub random: Cell<u64>,
    /// Seconds that local time is ahead of UTC.
    pub utc_offset_s: Cell<i32>,
    /// A soft stop is under way: connections end after their exchange.
    pub is_stopping: Cell<bool>,
    #[expect(
        clippy::vec_box,
        reason = "an exchange moves between here and its stream"
    )]
    exchanges: RefCell<Vec<Box<Exchange>>>,
    /// What this core has seen of the process's pattern sets and variables.
    pub patterns: CorePatterns,
    pub proc_vars: CoreProcVars,
    /// Coders of bodies that are compressed.
    pub coders: Coders,
    /// Where rules render texts.
    scratch: Cell<Vec<u8>>,
    next_stream: Cell<u64>,
}

/// The ways from one core to the others and to control.
pub struct Ways {
    pub wake: Arc<dyn WakeCore>,
    pub control: Arc<dyn Control>,
    pub neighbours: Arc<dyn Neighbours>,
    pub loads: Arc<Loads>,
}

impl Local {
    pub fn new(
        core: Core,
        index: usize,
        generation: Generation,
        ways: Ways,
        logger: Logger,
        seed: u64,
    ) -> Rc<Self> {
        let room = core.event();
        Rc::new(Self {
            core,
            index,
            generation: RefCell::new(Rc::new(generation)),
            pool: Pool::new(index),
            tickets: Tickets::default(),
            room,
            wake: ways.wake,
            control: ways.control,
            neighbours: ways.neighbours,
            loads: ways.loads,
            logger,
            streams: Registry::default(),
            random: Cell::new(seed.max(1)),
            utc_offset_s: Cell::new(0),
            is_stopping: Cell::new(false),
            exchanges: RefCell::default(),
            patterns: CorePatterns::default(),
            proc_vars: CoreProcVars::default(),
            coders: Coders::default(),
            scratch: Cell::default(),
            next_stream: Cell::new(0),
        })
    }

    /// The generation that new sessions run under.
    pub fn generation(&self) -> Rc<Generation> {
        Rc::clone(&self.generation.borrow())
    }

    /// The wall clock as the loop turn read it.
    pub fn clock(&self) -> Clock {
        Clock {
            unix_us: self.core.wall().as_micros() as u64,
            utc_offset_s: self.utc_offset_s.get(),
        }
    }

    /// A number that no other stream of the process has: this core's index is in its low byte.
    pub fn next_stream_id(&self) -> u64 {
        let count = self.next_stream.get();
        self.next_stream.set(count + 1);
        count << 8 | self.index as u64
    }

    /// A random number (xorshift64*).
    pub fn next_random(&self) -> u64 {
        let mut x = self.random.get();
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.random.set(x);
        x.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Memory for an exchange, used before if possible.
    pub fn take_exchange(&self) -> Box<Exchange> {
        self.exchanges.borrow_mut().pop().unwrap_or_default()
    }

    /// Gives it back.
    pub fn keep_exchange(&self, mut exchange: Box<Exchange>) {
        let mut kept = self.exchanges.borrow_mut();
        if kept.len() < EXCHANGES_KEPT {
            exchange.reset();
            kept.push(exchange);
        }
    }

    /// A buffer for texts that do not live long.
    pub fn take_scratch(&self) -> Vec<u8> {
        self.scratch.take()
    }

    /// Gives it back.
    pub fn keep_scratch(&self, scratch: Vec<u8>) {
        self.scratch.set(scratch);
    }
}
