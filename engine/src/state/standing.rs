//! How proxies stand and what watches servers: written by the control thread, read by reports.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cfgparse::model::Addr;

use crate::balance::View;
use crate::plan::ServerId;

/// Whether a frontend accepts connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrontendStatus {
    Open = 0,
    /// `disable frontend`: its sockets stay bound.
    Paused = 1,
    /// `shutdown frontend`, or the end of the process: for good.
    Stopped = 2,
}

impl FrontendStatus {
    /// The word in the statistics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOP",
        }
    }
}

/// Both sides of one proxy.
#[derive(Debug, Default)]
pub struct Standing {
    frontend: AtomicU8,
    backend: Mutex<BackendStanding>,
}

/// The server side of a proxy: the picture that all cores choose by, and its history.
#[derive(Clone, Debug, Default)]
pub struct BackendStanding {
    /// `None` for a proxy without a server side.
    pub view: Option<Arc<View>>,
    /// Times that no server was left.
    pub downs: u64,
    pub last_change_ms: u64,
    /// Time without a server before `last_change_ms`.
    pub downtime_ms: u64,
}

impl BackendStanding {
    /// Whether some server takes requests; a backend without any server counts as up.
    pub fn is_up(&self) -> bool {
        self.view
            .as_ref()
            .is_none_or(|view| view.members().is_empty() || view.total_weight() > 0)
    }

    /// All time without a server until now.
    pub fn downtime_ms(&self, now_ms: u64) -> u64 {
        let current = if self.is_up() {
            0
        } else {
            now_ms.saturating_sub(self.last_change_ms)
        };
        self.downtime_ms + current
    }
}

impl Standing {
    pub fn new(view: Option<Arc<View>>, now_ms: u64) -> Self {
        let backend = BackendStanding {
            view,
            last_change_ms: now_ms,
            ..Default::default()
        };
        Self {
            frontend: AtomicU8::new(0),
            backend: Mutex::new(backend),
        }
    }

    pub fn frontend(&self) -> FrontendStatus {
        match self.frontend.load(Ordering::Relaxed) {
            0 => FrontendStatus::Open,
            1 => FrontendStatus::Paused,
            _ => FrontendStatus::Stopped,
        }
    }

    pub fn set_frontend(&self, status: FrontendStatus) {
        self.frontend.store(status as u8, Ordering::Relaxed);
    }

    /// Never taken on the way of a request.
    pub fn backend(&self) -> MutexGuard<'_, BackendStanding> {
        self.backend.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a new picture of the backend into account; true if it has just lost its last server.
    pub fn replace(&self, view: Arc<View>, now_ms: u64) -> bool {
        let mut backend = self.backend();
        let was_up = backend.is_up();
        backend.view = Some(view);
        let is_up = backend.is_up();
        if was_up != is_up {
            if is_up {
                backend.downtime_ms += now_ms.saturating_sub(backend.last_change_ms);
            } else {
                backend.downs += 1;
            }
            backend.last_change_ms = now_ms;
        }
        was_up && !is_up
    }
}

/// What watches one server, beside its own state.
#[derive(Debug, Default)]
pub struct Watch {
    /// The server whose state this one follows (manual 5.2, `track`).
    pub tracks: Option<ServerId>,
    /// Those that follow this one, directly.
    trackers: Mutex<Vec<ServerId>>,
    /// Health checks are configured.
    pub checked: bool,
    /// `enable health`, `disable health`.
    pub check_enabled: AtomicBool,
    /// `enable agent`, `disable agent`.
    pub agent_enabled: AtomicBool,
    /// `set server X check-port`; 0 leaves the configured one.
    pub check_port: AtomicU16,
    /// Errors in a row that `observe` saw in traffic.
    pub errors_in_row: AtomicU32,
    /// Times that they were too many.
    pub observed_failures: AtomicU64,
    /// `set server X check-addr`.
    check_address: Mutex<Option<IpAddr>>,
    named: Mutex<Named>,
}

/// The names that a server goes by while the process runs (manual, 5.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The host whose address it has.
    pub host: Option<String>,
    /// The SRV label that names its host and port.
    pub service: Option<String>,
    /// The port that the label gave it.
    pub port: Option<u16>,
}

impl Named {
    /// As its line says.
    pub fn of(line: &cfgparse::model::Server) -> Self {
        match &line.address {
            Addr::Name { host, .. } if line.resolvers.is_some() && host.starts_with('_') => Self {
                service: Some(host.clone()),
                ..Self::default()
            },
            Addr::Name { host, .. } => Self {
                host: Some(host.clone()),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }
}

impl Watch {
    /// As a server's line says.
    pub fn new(line: &cfgparse::model::Server) -> Self {
        let checked = line.check.enabled;
        Self {
            checked,
            check_enabled: AtomicBool::new(checked),
            agent_enabled: AtomicBool::new(true),
            named: Mutex::new(Named::of(line)),
            ..Self::default()
        }
    }

    /// Those that follow this server, directly.
    pub fn trackers(&self) -> Vec<ServerId> {
        self.lock_trackers().clone()
    }

    /// One more follows it.
    pub fn track_by(&self, tracker: ServerId) {
        self.lock_trackers().push(tracker);
    }

    /// One follows it no longer.
    pub fn leave(&self, tracker: ServerId) {
        self.lock_trackers().retain(|&known| known != tracker);
    }

    fn lock_trackers(&self) -> MutexGuard<'_, Vec<ServerId>> {
        self.trackers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names that it goes by now.
    pub fn named(&self) -> Named {
        self.named_mut().clone()
    }

    /// The same, to be changed by the control thread.
    pub fn named_mut(&self) -> MutexGuard<'_, Named> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where checks go since an operator said so.
    pub fn check_address(&self) -> Option<IpAddr> {
        *self
            .check_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// From the next check on they go here.
    pub fn set_check_address(&self, address: IpAddr) {
        *self
            .check_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(address);
    }
}
