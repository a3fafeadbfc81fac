//! Where log lines go, and which line a proxy writes.

use std::sync::Arc;

pub use cfgparse::model::log::LogTarget;

use crate::log::Format;

/// What one proxy logs.
#[derive(Clone, Debug, Default)]
pub struct LogSink {
    /// Indices into `Plan::log_targets`, in the order of the configuration.
    pub targets: Box<[usize]>,
    /// The line at the end of a stream; `None` where no target is set.
    pub format: Option<Arc<Format>>,
    /// The line of a stream that failed before a request was understood.
    pub error_format: Option<Arc<Format>>,
    /// `log-format-sd`.
    pub structured_data: Option<Arc<Format>>,
    pub tag: Option<Arc<str>>,
    pub dontlognull: bool,
    pub dontlog_normal: bool,
    pub separate_errors: bool,
    pub asap: bool,
    /// A format shows the count of lines (`%lc`).
    pub counts: bool,
}

impl LogSink {
    /// Whether anything would be written at all.
    pub fn is_on(&self) -> bool {
        !self.targets.is_empty()
    }
}
