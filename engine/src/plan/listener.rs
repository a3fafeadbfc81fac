//! One address of a `bind` line.

use std::sync::Arc;

use cfgparse::model::{Bind, BindAddr};

use super::{ListenerId, ProxyId};

/// One address that connections are accepted from.
#[derive(Clone, Debug)]
pub struct Listener {
    pub id: ListenerId,
    pub frontend: ProxyId,
    pub address: BindAddr,
    /// The line it stands on: backlog, owner, mode, TCP options.
    pub bind: Arc<Bind>,
    /// `id`, or else the position of the line within its frontend, counted from 1 (`so_id`).
    pub number: u32,
}
