//! Log lines on their way through: from rings to servers, and from others to our targets.

mod drain;
mod frames;

pub use drain::start as drain_rings;
pub use frames::{Next, next as next_line};
