//! One plan as it runs: the plan, the state that outlives it, and what each core keeps for it.

mod generation;
mod process;
mod server_facts;
pub mod snapshot;
mod tls;

pub use generation::{Generation, Runtime};
