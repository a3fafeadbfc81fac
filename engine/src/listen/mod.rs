//! How connections come in.

mod accept;

pub use accept::{Switch, Wanted, run, serve};
