//! The connections of one core, for those who list them or end them.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Waker;

use slab::Slab;

use crate::log::Cause;
use crate::plan::{ProxyId, ServerId};

/// What others may know of a connection, and how they end it.
pub struct Entry {
    pub frontend: ProxyId,
    /// The client's address; none on a unix socket.
    pub source: Option<SocketAddr>,
    /// When its exchange began, on the core's clock.
    pub begun_ms: Cell<u64>,
    pub backend: Cell<Option<ProxyId>>,
    pub server: Cell<Option<ServerId>>,
    /// On a backup server.
    pub on_backup: Cell<bool>,
    /// Between two exchanges: may be closed without harm.
    pub is_idle: Cell<bool>,
    ended_by: Cell<Option<Cause>>,
    waker: RefCell<Option<Waker>>,
}

impl Entry {
    pub fn new(frontend: ProxyId, source: Option<SocketAddr>, now_ms: u64) -> Rc<Self> {
        Rc::new(Self {
            frontend,
            source,
            begun_ms: Cell::new(now_ms),
            backend: Cell::new(None),
            server: Cell::new(None),
            on_backup: Cell::new(false),
            is_idle: Cell::new(true),
            ended_by: Cell::new(None),
            waker: RefCell::default(),
        })
    }

    /// Asks the connection's task to end it.
    pub fn end(&self, cause: Cause) {
        self.ended_by.set(Some(cause));
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Whether somebody asked for the end.
    pub fn ended_by(&self) -> Option<Cause> {
        self.ended_by.get()
    }

    /// Whom to wake when somebody asks for the end.
    pub fn watch(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    /// Forgets what belonged to the exchange that is over.
    pub fn between_exchanges(&self) {
        self.backend.set(None);
        self.server.set(None);
        self.on_backup.set(false);
        self.is_idle.set(true);
    }
}

/// All connections of a core.
#[derive(Default)]
pub struct Registry {
    entries: RefCell<Slab<Rc<Entry>>>,
}

/// A connection's place in the registry, given up when dropped.
pub struct Registered<'a> {
    registry: &'a Registry,
    key: usize,
}

impl Registry {
    pub fn add(&self, entry: Rc<Entry>) -> Registered<'_> {
        Registered {
            registry: self,
            key: self.entries.borrow_mut().insert(entry),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// Looks at every one, with the key that [`Self::end_one`] takes.
    pub fn for_each(&self, mut look: impl FnMut(u32, &Entry)) {
        for (key, entry) in self.entries.borrow().iter() {
            look(key as u32, entry);
        }
    }

    /// Ends one; false if there is none of this key. The core must be marked runnable by the
    /// caller.
    pub fn end_one(&self, key: u32, cause: Cause) -> bool {
        let entries = self.entries.borrow();
        let entry = entries.get(key as usize);
        entry.inspect(|entry| entry.end(cause)).is_some()
    }

    /// Ends those for which `which` holds; the core must be marked runnable by the caller.
    pub fn end(&self, cause: Cause, which: impl Fn(&Entry) -> bool) {
        for (_, entry) in self.entries.borrow().iter() {
            if which(entry) {
                entry.end(cause);
            }
        }
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.registry.entries.borrow_mut().remove(self.key);
    }
}
