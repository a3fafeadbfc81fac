//! Which TLS context belongs to which line.

use super::Runtime;
use crate::plan::{ListenerId, LogInput, ServerId};
use crate::tls::{BindContext, ServerContext};

impl Runtime {
    /// The context of a listener whose line says `ssl`.
    pub fn tls_of_listener(&self, listener: ListenerId) -> Option<&BindContext> {
        self.tls.bind(self.tls_of_listener[listener.index()]?)
    }

    /// The context of a server whose line says `ssl`.
    pub fn tls_of_server(&self, server: ServerId) -> Option<&ServerContext> {
        self.tls.server((*self.tls_of_server[server.index()])?)
    }

    /// The context of a `bind` line of a `log-forward` section that says `ssl`.
    pub fn tls_of_log_input(&self, input: LogInput) -> Option<&BindContext> {
        self.tls
            .bind(self.tls_of_log_forwards[input.forward][input.bind]?)
    }

    /// The context of a ring's server whose line says `ssl`.
    pub fn tls_of_ring(&self, ring: usize, server: usize) -> Option<&ServerContext> {
        self.tls.server(self.tls_of_rings[ring][server]?)
    }
}
