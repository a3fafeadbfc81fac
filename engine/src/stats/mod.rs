//! What is counted, per core, and the names under which operators read it.
//!
//! A core counts on its own [`CoreStats`] with plain stores; the control thread sums a
//! generation's [`Stats`] when somebody asks. Counters belong to names, so that a reload keeps
//! them: [`Registry`] hands every generation the counters of the names it knows already.
//!
//! A [`Snapshot`] joins sums with names, limits and states; [`stat`] and [`info`] print it from
//! the tables of [`columns`] and [`FIELDS`].

mod columns;
mod counter;
mod counters;
mod facts;
mod format;
mod info;
mod latency;
mod mean;
mod rate;
mod registry;
mod row;
#[cfg(test)]
pub(crate) mod sample;
mod value;

pub use columns::{Column, EXTRA_COLUMNS, STATIC_COLUMNS, columns};
pub use counter::{Counter, Gauge, GaugeTotal, Summed};
pub use counters::{
    BackCounters, BackTotal, Bytes, BytesTotal, FrontCounters, FrontTotal, H1Counters, H1Total,
    LastSession, ListenerCounters, ListenerTotal, ProcessCounters, ProcessTotal, ProxyCounters,
    ProxyTotal, Responses, ResponsesTotal, ServiceCounters, ServiceTotal, seconds_since,
};
pub use facts::{
    BackFacts, CheckFacts, Condition, FrontFacts, IdleFacts, ListenerFacts, Mode, ProcessFacts,
    ProxyFacts, ServerFacts, Snapshot, StateFacts,
};
pub use format::{
    Format, KIND_BACKEND, KIND_FRONTEND, KIND_LISTENER, KIND_SERVER, Selection, info, stat,
};
pub use info::{FIELDS, Field};
pub use latency::{Latency, LatencyTotal};
pub use mean::{MEAN_WINDOW, Mean, MeanTotal};
pub use rate::{Rate, RateTotal};
pub use registry::{CoreStats, Family, Names, Registry, Stats};
pub use row::{Object, Row};
pub use value::{Tags, Value};
