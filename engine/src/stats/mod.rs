//! What is counted, per core, and the names under which operators read it.
//!
//! A core counts on its own [`CoreStats`] with plain stores; the control thread sums a
//! generation's [`Stats`] when somebody asks. Counters belong to names, so that a reload keeps
//! them: [`Registry`] hands every generation the counters of the names it knows already.

mod counter;
mod counters;
mod latency;
mod mean;
mod rate;
mod registry;

pub use counter::{Counter, Gauge, GaugeTotal, Summed};
pub use counters::{
    BackCounters, BackTotal, Bytes, BytesTotal, FrontCounters, FrontTotal, LastSession,
    ListenerCounters, ListenerTotal, ProcessCounters, ProcessTotal, ProxyCounters, ProxyTotal,
    Responses, ResponsesTotal, ServiceCounters, ServiceTotal, seconds_since,
};
pub use latency::{Latency, LatencyTotal};
pub use mean::{MEAN_WINDOW, Mean, MeanTotal};
pub use rate::{Rate, RateTotal};
pub use registry::{CoreStats, Family, Names, Registry, Stats};
