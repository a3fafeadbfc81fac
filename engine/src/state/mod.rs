//! One plan as it runs: the plan, the state that outlives it, and what each core keeps for it.

mod build;
mod contexts;
mod generation;
mod grow;
mod initial;
mod process;
mod resolve;
mod restore;
pub mod snapshot;
mod standing;
mod startup;
#[cfg(test)]
pub(crate) mod testing;
mod tls;
mod world;

pub use build::{Built, build};
pub use contexts::load_added;
pub use generation::{Generation, Runtime};
pub use grow::Added;
pub use process::ProcessState;
pub use resolve::at;
pub use standing::{FrontendStatus, Named, Standing, Watch};
pub use world::ProcessWorld;
