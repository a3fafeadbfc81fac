//! Log lines of one core on their way to their targets.
//!
//! A line is formatted into memory and sent with all others of the same loop turn. Nothing here
//! ever waits for a target: what one does not take is dropped and counted.

mod sink;

use std::cell::{Cell, RefCell};

use cfgparse::model::log::{LogFraming, LogLevel, LogTarget};
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
    /// Opens all targets of a plan.
    pub fn new(core: &Core, targets: &[LogTarget]) -> Result<Self, OpenError> {
        let targets = targets.iter().map(Target::open).collect::<Result<_, _>>()?;
        Ok(Self {
            core: core.clone(),
            targets: RefCell::new(targets),
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
            queued |= target.queue(line, self.pid, text);
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
        })
    }

    fn queue(&mut self, line: &Line<'_>, pid: u32, text: &[u8]) -> bool {
        if line.level as u8 > self.level as u8 {
            return false;
        }
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
        true
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
