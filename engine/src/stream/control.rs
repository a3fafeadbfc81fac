//! What a stream asks of the control thread.

use std::net::IpAddr;
use std::sync::atomic::AtomicU8;
use std::sync::{Arc, OnceLock};

use crate::plan::ServerId;
use crate::rules::Lookup;
use crate::server::Token;
use crate::service::page::Action;

/// The way to the control thread.
pub trait Control: Send + Sync {
    fn ask(&self, asked: Asked);
}

/// A request that only the control thread can grant.
#[derive(Debug)]
pub enum Asked {
    /// The statistics page's form.
    Change(Order),
    /// `do-resolve`.
    Resolve(Question),
    /// Traffic has seen `error-limit` errors of this server in a row (manual 5.2, `observe`).
    Observed(ServerId),
}

/// A name to be looked up.
#[derive(Clone, Debug)]
pub struct Question {
    pub lookup: Lookup,
    /// Set once: an address, or that there is none.
    pub answer: Arc<OnceLock<Option<IpAddr>>>,
    /// Whom to wake then.
    pub token: Token,
}

/// Servers to be changed.
#[derive(Clone, Debug)]
pub struct Order {
    pub servers: Vec<ServerId>,
    pub action: Action,
    /// How many servers could be changed, plus one; 0 as long as nothing is decided.
    pub changed: Arc<AtomicU8>,
    /// Whom to wake when it is in effect on all cores.
    pub token: Token,
}
