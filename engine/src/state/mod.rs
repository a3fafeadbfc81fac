//! One plan as it runs: the plan, the state that outlives it, and what each core keeps for it.

mod generation;
pub mod snapshot;
mod tls;

pub use generation::{Generation, Runtime};
