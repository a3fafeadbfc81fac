//! Bytes to messages and back, sans-I/O.
#![forbid(unsafe_code)]

mod head;
mod name;
pub mod status;
mod target;
mod text;

pub mod dns;
pub mod h1;
pub mod hello;
pub mod pp;
pub mod socks4;

pub use head::{Head, Kind, Version};
pub use name::Known;
pub use target::{Target, TargetForm};
