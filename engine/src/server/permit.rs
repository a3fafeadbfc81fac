//! The right to one more connection (in HTTP: request) on a server.

use std::sync::Arc;

use super::ServerState;

/// Counts against the server's `maxconn` until it is dropped; dropping it serves the queue.
#[derive(Debug)]
pub struct Permit {
    server: Arc<ServerState>,
}

impl Permit {
    /// Wraps a slot already counted in the server's load.
    pub(super) fn counted(server: Arc<ServerState>) -> Self {
        Self { server }
    }

    /// The server this permit is for.
    pub fn server(&self) -> &Arc<ServerState> {
        &self.server
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.server.give_back();
    }
}
