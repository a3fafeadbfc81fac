//! Log lines on their way through: from rings to servers, and from others to our targets.

mod drain;

pub use drain::start as drain_rings;
