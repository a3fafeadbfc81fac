//! From a connection to streams and back, one file for each protocol.

pub mod h1;
mod link;
mod our_end;

pub use link::Link;
pub use our_end::our_end;
