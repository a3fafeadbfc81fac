//! What the loggers of all cores share.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::backend::{Servers, Sticky};
use crate::plan::Plan;
use crate::ring::Ring;

/// Where lines can go, and what must be exact over all cores.
pub struct Outlets {
    pub plan: Arc<Plan>,
    /// By the plan's index.
    pub rings: Box<[Arc<Ring>]>,
    /// By log target: lines that it was offered (manual, `log ... sample`).
    pub offered: Box<[AtomicU64]>,
    /// By `ProxyId`: who is next in `balance sticky`.
    pub sticky: Box<[Sticky]>,
    pub servers: Arc<dyn Servers>,
}

impl Outlets {
    pub fn new(plan: &Arc<Plan>, rings: &[Arc<Ring>], servers: Arc<dyn Servers>) -> Self {
        Self {
            plan: Arc::clone(plan),
            rings: rings.into(),
            offered: plan.log_targets.iter().map(|_| AtomicU64::new(0)).collect(),
            sticky: plan.proxies.iter().map(|_| Sticky::default()).collect(),
            servers,
        }
    }
}
