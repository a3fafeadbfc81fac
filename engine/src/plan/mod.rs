//! The immutable runtime form of a configuration: dense, addressed by id, shared by all cores.

mod ids;

pub use ids::{ListenerId, ProxyId, ServerId};
