//! The load generator: closed loop (so many connections) and open loop (so many a second).

mod connection;
mod options;
mod report;
mod response;
mod run;
mod transport;

pub use options::{Exchange, Options, Pace, Reuse};
pub use report::{Failure, Report};
pub use response::{Arrival, Response};
pub use run::{LoadError, Window, run};
pub use transport::trust;
