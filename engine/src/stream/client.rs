//! The client's connection, as its streams see it.

use std::rc::Rc;
use std::sync::Arc;

use reactor::Timer;

use super::Entry;
use crate::mux::Link;
use crate::mux::h1::Incoming;
use crate::plan::ProxyId;
use crate::pool::Idle;
use crate::sample::{SessionFacts, VarStore};
use crate::server::ServerState;

/// One client connection.
pub struct Client {
    pub link: Link,
    pub frontend: ProxyId,
    pub facts: SessionFacts,
    pub vars: VarStore,
    /// The one timer of the connection's task.
    pub timer: Timer,
    pub entry: Rc<Entry>,
    /// Exchanges begun on this connection.
    pub exchanges: u32,
    /// Where the exchange before ended, or the handshakes did: microseconds of the core's clock.
    pub ready_us: u64,
    /// All that the client sent has been taken: closing answers nothing with a reset.
    pub is_drained: bool,
    /// A PROXY protocol header comes first (manual, `accept-proxy`, `expect-proxy`).
    pub expects_proxy: bool,
    /// `mode tcp`: its bytes are no requests.
    pub is_raw: bool,
    /// The rest of a request that was answered before it was whole.
    pub unread: Option<Box<Incoming>>,
    /// The server authenticated the connection and not the request (NTLM): nobody else may use it.
    pub is_private: bool,
    /// The server connection that belongs to this client alone (`http-reuse never`).
    pub own: Option<Box<(Arc<ServerState>, Idle)>>,
}

impl Client {
    /// Lets the kernel forget the connection without a packet to the client (manual,
    /// `silent-drop`). Without the right to that a reset is what the client sees.
    pub fn forget(&self) {
        use std::os::fd::AsFd;
        let socket = self.link.sock();
        let _ = socket.options(|socket| reactor::net::forget_on_close(socket.as_fd()));
        self.link.abort();
    }

    /// Whether the exchange at hand is the connection's first.
    pub fn is_first_exchange(&self) -> bool {
        self.exchanges <= 1
    }
}
