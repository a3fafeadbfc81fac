//! How connections come in.

mod gate;

pub use gate::{Gate, Pass, WakeCore};
