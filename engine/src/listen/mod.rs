//! How connections come in.

mod accept;
pub mod forward;

pub use accept::{Switch, Wanted, run, serve};
