//! The proxy engine: one request's life, stage by stage, on one core.
#![forbid(unsafe_code)]

pub mod limits;
pub mod slots;

// Pure decisions: no socket, clock, randomness or thread.
pub mod balance;
pub mod cache;
pub mod compress;
pub mod gate;
pub mod log;
pub mod persist;
pub mod plan;
pub mod probe;
pub mod resolve;
pub mod ring;
pub mod rules;
pub mod sample;
pub mod server;
pub mod stats;
pub mod table;

// Effects.
pub mod check;
pub mod forward;
pub mod logger;
pub mod mux;
pub mod pool;
pub mod rt;
pub mod state;
pub mod tls;

// The data path, in the order in which a request meets it.
pub mod listen;
pub mod service;
pub mod session;
pub mod stream;

// Ownership and control.
pub mod boot;
pub mod control;
pub mod mesh;
pub mod shard;
