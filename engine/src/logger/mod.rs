//! Log lines of one core on their way to their targets.
//!
//! A line is formatted into memory and sent with all others of the same loop turn. Nothing here
//! ever waits for a target: what one does not take is dropped and counted.

mod sink;

use std::cell::{Cell, RefCell};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cfgparse::model::log::{LogFraming, LogLevel, LogSample, LogTarget};
use reactor::{Core, Event};

use crate::log::date::Date;
use crate::log::{DEFAULT_RFC5424_SD, Facility, Frame, Framing, Level};
use crate::sample::Clock;

pub use sink::OpenError;
use sink::Sink;

/// The log targets of one core.
pub struct Logger {
    core: Core,
    targets: RefCell<Vec<Target>>,
    /// Lines that each target was offered, by all cores.
    offered: Arc<[AtomicU64]>,
    pending: Event,
    pid: u32,
    dropped: Cell<u64>,
}

struct Target {
    sink: Sink,
    framing: Framing,
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

impl Logger {
    /// Opens all targets of a plan; `offered` counts for all cores what each is offered.
    pub fn new(
        core: &Core,
        targets: &[LogTarget],
        offered: &Arc<[AtomicU64]>,
    ) -> Result<Self, OpenError> {
        let targets = targets.iter().map(Target::open).collect::<Result<_, _>>()?;
        Ok(Self {
            core: core.clone(),
            targets: RefCell::new(targets),
            offered: Arc::clone(offered),
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
            if target.wants(line.level, self.offered.get(index)) {
                target.queue(line, self.pid, text);
                queued = true;
            }
        }
        if queued {
            self.pending.notify();
        }
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
            let dropped = target.sink.flush(now_ms) as u64;
            self.dropped.set(self.dropped.get() + dropped);
        }
    }

    /// Lines that no target took, since start.
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }
}

impl Target {
    fn open(target: &LogTarget) -> Result<Self, OpenError> {
        Ok(Self {
            sink: Sink::open(&target.address)?,
            framing: framing(target.framing),
            facility: Facility::from_number(target.facility).unwrap_or_default(),
            level: target.level,
            min_level: target.min_level,
            bytes_max: target.len.unwrap_or(1024) as usize,
            sample: target.sample.clone(),
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

    fn queue(&mut self, line: &Line<'_>, pid: u32, text: &[u8]) {
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
        self.sink.queue(self.bytes_max, |out| {
            frame.write(out);
            out.extend_from_slice(text);
        });
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
