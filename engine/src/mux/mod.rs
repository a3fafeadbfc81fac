//! From a connection to streams and back, one file for each protocol.

pub mod h1;
mod link;

pub use link::Link;
