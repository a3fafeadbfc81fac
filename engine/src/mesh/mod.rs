//! Typed messages between cores and control.
//!
//! Invariant: a message changes what a core does between two requests, never within one; and
//! nobody ever waits for an answer while holding something that the other side may need.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use reactor::Post;

use crate::balance::View;
use crate::gate::{Loads, WakeCore};
use crate::log::Cause;
use crate::plan::{ListenerId, ProxyId, ServerId};
use crate::pool::{Answer, Wish};
use crate::server::{ServerState, Token, Wake};
use crate::stream::{Asked, Control, Neighbours, NewClient};

/// What a core is told.
pub enum ToShard {
    /// A stream of this core got a permit, or must choose another server.
    Granted { ticket: u64 },
    /// There may be room again for connections that this core's listeners hold back.
    Room,
    /// The servers that new requests of a backend may go to.
    Adopt { backend: ProxyId, view: Arc<View> },
    /// Ends the streams of a server, or only those on backup servers of its backend.
    Shutdown { streams: Streams, cause: Cause },
    /// Stops or resumes accepting on some listeners.
    Accept {
        listeners: Vec<ListenerId>,
        on: bool,
    },
    /// Closes listeners for good.
    Close { listeners: Vec<ListenerId> },
    /// Adds this core's streams to the list.
    List(Arc<Mutex<Vec<Listed>>>),
    /// Ends one stream, as an administrator asks, and tells whether it was here.
    ShutdownOne { id: u64, found: Arc<AtomicBool> },
    /// Serve a client that another core accepted.
    Serve(Box<NewClient>),
    /// Another core asks for an idle server connection.
    Lend(Wish),
    /// The answer to what this core asked.
    Lent(Answer),
    /// Close the idle connections of a server that is gone.
    Forget(Arc<ServerState>),
    /// Answer when everything sent before has been applied.
    Settle(Settle),
    /// Stop accepting; end when the last connection has ended.
    SoftStop,
    /// End now.
    Stop,
}

/// Which streams are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    OfServer(ServerId),
    OnBackupsOf(ProxyId),
    OfFrontend(ProxyId),
}

/// A stream as a core tells it to whoever asks.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// Unique in the process: the core in the upper half.
    pub id: u64,
    pub core: u32,
    pub source: Option<SocketAddr>,
    pub age_ms: u64,
    pub frontend: ProxyId,
    pub backend: Option<ProxyId>,
    pub server: Option<ServerId>,
}

/// What control is told.
#[derive(Debug)]
pub enum ToControl {
    /// All cores have applied what was sent before the settlement of this number.
    Settled(u64),
    /// A core has ended its last connection after a soft stop.
    Drained {
        core: usize,
    },
    /// A signal asked for this.
    SoftStop,
    Stop,
    /// Write the state of everything to the log (SIGHUP).
    Dump,
    /// A stream asks for something.
    Asked(Asked),
    /// A server was added: see how it is.
    Watch(ServerId),
}

/// A question to all cores that the last one answers.
#[derive(Clone)]
pub struct Settle {
    number: u64,
    left: Arc<AtomicUsize>,
}

/// The ways to every core and to control; one for the process.
pub struct Mesh {
    shards: Box<[OnceLock<Post<ToShard>>]>,
    control: OnceLock<Post<ToControl>>,
    /// Open connections of each core.
    pub loads: Arc<Loads>,
}

impl Mesh {
    /// A mesh whose ends have not come up yet.
    pub fn new(cores: usize) -> Self {
        Self {
            shards: (0..cores).map(|_| OnceLock::new()).collect(),
            control: OnceLock::new(),
            loads: Arc::new(Loads::new(cores)),
        }
    }

    /// How many cores there are.
    pub fn cores(&self) -> usize {
        self.shards.len()
    }

    /// A core has come up and takes messages here.
    pub fn join(&self, core: usize, post: Post<ToShard>) {
        let joined = self.shards[core].set(post);
        debug_assert!(joined.is_ok(), "a core joined twice");
    }

    /// Control has come up.
    pub fn join_control(&self, post: Post<ToControl>) {
        let joined = self.control.set(post);
        debug_assert!(joined.is_ok(), "control joined twice");
    }

    /// Tells one core; false if it is not there: one that has ended needs to know nothing any
    /// more, one that comes up begins with what is known then.
    pub fn tell(&self, core: usize, message: ToShard) -> bool {
        let post = self.shards.get(core).and_then(OnceLock::get);
        post.is_some_and(|post| post.send(message).is_ok())
    }

    /// Tells every core.
    pub fn broadcast(&self, message: impl Fn() -> ToShard) {
        for core in 0..self.shards.len() {
            self.tell(core, message());
        }
    }

    /// Tells control.
    pub fn tell_control(&self, message: ToControl) {
        if let Some(post) = self.control.get() {
            let _ = post.send(message);
        }
    }

    /// Asks all cores to say when they have applied everything sent so far; the answer is
    /// [`ToControl::Settled`] with this number.
    pub fn settle(&self, number: u64) {
        // One more than the cores, so that no answer is the last before all have been asked.
        let left = Arc::new(AtomicUsize::new(self.shards.len() + 1));
        let settle = Settle { number, left };
        for core in 0..self.shards.len() {
            if !self.tell(core, ToShard::Settle(settle.clone())) {
                self.settled(&settle);
            }
        }
        self.settled(&settle);
    }

    /// A core's answer to a settlement.
    pub fn settled(&self, settle: &Settle) {
        if settle.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.tell_control(ToControl::Settled(settle.number));
        }
    }
}

impl Wake for Mesh {
    fn wake(&self, token: Token) {
        self.tell(
            token.core as usize,
            ToShard::Granted {
                ticket: token.ticket,
            },
        );
    }
}

impl Control for Mesh {
    fn ask(&self, asked: Asked) {
        self.tell_control(ToControl::Asked(asked));
    }
}

impl Neighbours for Mesh {
    fn hand_over(&self, core: usize, client: NewClient) -> Option<NewClient> {
        let Some(post) = self.shards.get(core).and_then(OnceLock::get) else {
            return Some(client);
        };
        match post.send(ToShard::Serve(Box::new(client))) {
            Err(ToShard::Serve(client)) => Some(*client),
            _ => None,
        }
    }

    fn ask(&self, core: usize, wish: Wish) -> bool {
        self.tell(core, ToShard::Lend(wish))
    }

    fn answer(&self, core: usize, answer: Answer) {
        self.tell(core, ToShard::Lent(answer));
    }
}

impl WakeCore for Mesh {
    fn wake(&self, core: usize) {
        self.tell(core, ToShard::Room);
    }
}
