//! Log lines of one core on their way to their targets.
//!
//! A line is formatted into memory and sent with all others of the same loop turn. Nothing here
//! ever waits for a target: what one does not take is dropped and counted.

mod backend;
mod outlets;
mod sink;

use std::cell::{Cell, RefCell};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cfgparse::model::log::{LogFraming, LogLevel, LogSample};
use cfgparse::model::section::LogHost;
use reactor::{Core, Event};

use crate::limits::LOG_LINE_BYTES;
use crate::log::date::Date;
use crate::log::{DEFAULT_RFC5424_SD, Facility, Frame, Framing, Incoming, Level, Terms};
use crate::plan::{Destination, LogTarget};
use crate::sample::Clock;

use backend::Backend;
pub use backend::Servers;
pub use outlets::Outlets;
pub use sink::OpenError;
use sink::Sink;

/// The log targets of one core.
pub struct Logger {
    core: Core,
    targets: RefCell<Vec<Target>>,
    outlets: Arc<Outlets>,
    pending: Event,
    pid: u32,
    dropped: Cell<u64>,
}

enum Way {
    Sink(Sink),
    Backend(Backend),
}

struct Target {
    way: Way,
    framing: Framing,
    /// As configured; `None` leaves another's line its own form.
    written: Option<LogFraming>,
    facility: Facility,
    level: LogLevel,
    min_level: LogLevel,
    bytes_max: usize,
    sample: Option<LogSample>,
}

/// What a line says beside its text.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    pub level: Level,
    pub clock: Clock,
    /// `log-tag`.
    pub tag: &'a str,
    /// `log-send-hostname`.
    pub host: Option<&'a str>,
    /// `log-format-sd`, RFC 5424 only.
    pub structured: Option<&'a [u8]>,
}

/// Where another's line comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The sender's address; empty where it has none.
    pub source: &'a [u8],
    /// `option host`.
    pub host: LogHost,
    pub clock: Clock,
}

impl Logger {
    /// Opens all targets of a plan.
    pub fn new(core: &Core, outlets: &Arc<Outlets>) -> Result<Self, OpenError> {
        let targets = outlets.plan.log_targets.iter();
        let targets = targets
            .map(|target| Target::open(target, outlets))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            core: core.clone(),
            targets: RefCell::new(targets),
            outlets: Arc::clone(outlets),
            pending: core.event(),
            pid: std::process::id(),
            dropped: Cell::new(0),
        })
    }

    /// Queues a line for the targets with these indices that want its level.
    pub fn write(&self, to: &[usize], line: &Line<'_>, text: &[u8]) {
        let mut targets = self.targets.borrow_mut();
        let mut queued = false;
        for &index in to {
            let Some(target) = targets.get_mut(index) else {
                continue;
            };
            if target.wants(line.level, self.outlets.offered.get(index)) {
                if !target.queue(&self.outlets, line, self.pid, text) {
                    self.dropped.set(self.dropped.get() + 1);
                }
                queued = true;
            }
        }
        if queued {
            self.pending.notify();
        }
    }

    /// Queues another's line for the targets with these indices that want its level.
    pub fn forward(&self, to: &[usize], line: &Incoming<'_>, origin: &Origin<'_>) {
        let mut targets = self.targets.borrow_mut();
        for &index in to {
            let Some(target) = targets.get_mut(index) else {
                continue;
            };
            if target.wants(line.level(), self.outlets.offered.get(index))
                && !target.pass_on(&self.outlets, line, origin)
            {
                self.dropped.set(self.dropped.get() + 1);
            }
        }
        self.pending.notify();
    }

    /// Sends what is queued, turn by turn; never ends.
    pub async fn run(&self) {
        loop {
            self.pending.wait().await;
            self.flush();
        }
    }

    /// Sends what is queued now.
    pub fn flush(&self) {
        let now_ms = self.core.now_ms();
        for target in self.targets.borrow_mut().iter_mut() {
            let dropped = match &mut target.way {
                Way::Sink(sink) => sink.flush(now_ms),
                Way::Backend(backend) => backend.flush(now_ms),
            };
            self.dropped.set(self.dropped.get() + dropped as u64);
        }
    }

    /// Lines that no target took, since start.
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }
}

impl Target {
    fn open(target: &LogTarget, outlets: &Outlets) -> Result<Self, OpenError> {
        let line = &target.line;
        let (way, of_ring) = match &target.to {
            Destination::Socket(address) => (Way::Sink(Sink::open(address)?), None),
            Destination::Ring(ring) => (
                Way::Sink(Sink::ring(&outlets.rings[*ring])),
                outlets.plan.rings[*ring].framing,
            ),
            Destination::Backend(id) => (Way::Backend(Backend::open(*id, outlets)), None),
            Destination::Nowhere => (Way::Sink(Sink::Nowhere), None),
        };
        // A ring has one form for all its lines (manual, 12.5 `format`).
        let written = of_ring.unwrap_or(line.framing);
        Ok(Self {
            way,
            framing: framing(written),
            written: Some(written).filter(|written| *written != LogFraming::Default),
            facility: Facility::from_number(line.facility).unwrap_or_default(),
            level: line.level,
            min_level: line.min_level,
            bytes_max: line.len.map_or(LOG_LINE_BYTES, |len| len as usize),
            sample: line.sample.clone(),
        })
    }

    /// Whether the level is important enough, and the line one of the sample.
    fn wants(&self, level: Level, offered: Option<&AtomicU64>) -> bool {
        if level as u8 > self.level as u8 {
            return false;
        }
        let (Some(sample), Some(offered)) = (&self.sample, offered) else {
            return true;
        };
        // Manual, `log ... sample`: ranges count from 1.
        let number = offered.fetch_add(1, Ordering::Relaxed) % u64::from(sample.size.max(1)) + 1;
        let mut ranges = sample.ranges.iter();
        ranges.any(|&(low, high)| (u64::from(low)..=u64::from(high)).contains(&number))
    }

    /// False if nobody takes it.
    fn queue(&mut self, outlets: &Outlets, line: &Line<'_>, pid: u32, text: &[u8]) -> bool {
        let number = (line.level as u8).max(self.min_level as u8);
        let frame = Frame {
            framing: self.framing,
            facility: self.facility,
            level: Level::from_number(number).unwrap_or(line.level),
            date: Date::new(line.clock.unix_us as i64, line.clock.utc_offset_s),
            host: line.host,
            tag: line.tag,
            pid,
            structured: line.structured.unwrap_or(DEFAULT_RFC5424_SD),
        };
        let fill = |out: &mut Vec<u8>| {
            frame.write(out);
            out.extend_from_slice(text);
        };
        self.emit(outlets, text, fill)
    }

    fn pass_on(&mut self, outlets: &Outlets, line: &Incoming<'_>, origin: &Origin<'_>) -> bool {
        let clock = origin.clock;
        let terms = Terms {
            framing: self.written.map_or_else(|| line.framing(), framing),
            facility: self.facility.number(),
            min_level: self.min_level as u8,
            host: origin.host,
            source: origin.source,
            now: Date::new(clock.unix_us as i64, clock.utc_offset_s),
        };
        self.emit(outlets, line.text, |out| line.write(&terms, out))
    }

    fn emit(&mut self, outlets: &Outlets, text: &[u8], fill: impl FnOnce(&mut Vec<u8>)) -> bool {
        match &mut self.way {
            Way::Sink(sink) => {
                sink.queue(self.bytes_max, fill);
                true
            }
            Way::Backend(backend) => backend.queue(outlets, text, self.bytes_max, fill),
        }
    }
}

/// Manual, `log ... format`: rfc3164 unless said otherwise.
fn framing(framing: LogFraming) -> Framing {
    match framing {
        LogFraming::Default | LogFraming::Rfc3164 => Framing::Rfc3164,
        LogFraming::Local => Framing::Local,
        LogFraming::Rfc5424 => Framing::Rfc5424,
        LogFraming::Priority => Framing::Priority,
        LogFraming::Short => Framing::Short,
        LogFraming::Timed => Framing::Timed,
        LogFraming::Iso => Framing::Iso,
        LogFraming::Raw => Framing::Raw,
    }
}
