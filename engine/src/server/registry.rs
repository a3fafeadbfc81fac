//! Finds the runtime state of backends and servers by name, across generations.

use std::collections::HashMap;
use std::sync::Arc;

use super::{BackendSettings, BackendState, ServerSettings, ServerState, Wake};

struct Backend {
    state: Arc<BackendState>,
    servers: HashMap<Box<str>, Arc<ServerState>>,
    next_slot: u32,
    /// Slots of forgotten servers.
    free_slots: Vec<u32>,
}

/// All runtime state of the process; owned by the control thread.
///
/// A name that a new generation mentions again keeps its state: load, queue, administrative state,
/// health. A name it does not mention is forgotten here and lives on as long as streams hold it.
pub struct Registry {
    cores: usize,
    wake: Arc<dyn Wake>,
    backends: HashMap<Box<str>, Backend>,
}

impl Registry {
    /// `cores` is how many cores may hold idle connections; `wake` is called when a waiting
    /// request gets its permit.
    pub fn new(cores: usize, wake: Arc<dyn Wake>) -> Self {
        Self {
            cores,
            wake,
            backends: HashMap::new(),
        }
    }

    /// The state of a backend that the new generation mentions.
    pub fn backend(&mut self, proxy: &str, settings: BackendSettings) -> Arc<BackendState> {
        let entry = self
            .backends
            .entry(proxy.into())
            .or_insert_with(|| Backend {
                state: BackendState::new(proxy, Arc::clone(&self.wake), settings),
                servers: HashMap::new(),
                next_slot: 0,
                free_slots: Vec::new(),
            });
        entry.state.adopt(settings);
        Arc::clone(&entry.state)
    }

    /// The state of a server that the new generation mentions, with whether it is new: a new one
    /// starts from its configuration, a known one goes on as it is.
    pub fn server(
        &mut self,
        proxy: &str,
        server: &str,
        settings: &ServerSettings,
    ) -> (Arc<ServerState>, bool) {
        let cores = self.cores;
        let wake = &self.wake;
        let backend = self
            .backends
            .entry(proxy.into())
            .or_insert_with(|| Backend {
                state: BackendState::new(proxy, Arc::clone(wake), BackendSettings::default()),
                servers: HashMap::new(),
                next_slot: 0,
                free_slots: Vec::new(),
            });
        if let Some(state) = backend.servers.get(server) {
            state.adopt(settings);
            return (Arc::clone(state), false);
        }
        let slot = backend.free_slots.pop().unwrap_or_else(|| {
            backend.next_slot += 1;
            backend.next_slot - 1
        });
        let state = Arc::new(ServerState::new(
            &backend.state,
            server,
            slot,
            cores,
            settings,
        ));
        backend.servers.insert(server.into(), Arc::clone(&state));
        (state, true)
    }

    /// A server goes away for good: nothing waits for it and no permit of it is in use.
    pub fn forget(&mut self, proxy: &str, server: &str) {
        if let Some(backend) = self.backends.get_mut(proxy)
            && let Some(state) = backend.servers.remove(server)
        {
            backend.free_slots.push(state.slot());
        }
    }

    /// A server is known under another name from now on.
    pub fn rename(&mut self, proxy: &str, server: &str, name: &str) {
        if let Some(backend) = self.backends.get_mut(proxy)
            && let Some(state) = backend.servers.remove(server)
        {
            backend.servers.insert(name.into(), state);
        }
    }

    /// Looks a server up by name.
    pub fn find(&self, proxy: &str, server: &str) -> Option<&Arc<ServerState>> {
        self.backends.get(proxy)?.servers.get(server)
    }

    /// Looks a backend up by name.
    pub fn find_backend(&self, proxy: &str) -> Option<&Arc<BackendState>> {
        self.backends.get(proxy).map(|backend| &backend.state)
    }

    /// Forgets the servers, and the backends, for which `keep` says no: (proxy, server), with no
    /// server for the backend itself.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, Option<&str>) -> bool) {
        self.backends.retain(|proxy, backend| {
            backend.servers.retain(|server, state| {
                let kept = keep(proxy, Some(server));
                if !kept {
                    // Its last permits must not draw waiting requests to it.
                    state.set_serves_backend_queue(false);
                }
                kept
            });
            keep(proxy, None)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::Token;
    use super::*;

    struct NoWake;

    impl Wake for NoWake {
        fn wake(&self, _: Token) {}
    }

    #[test]
    fn identity_is_by_name_and_run_time_weight_survives_a_reload() {
        let mut registry = Registry::new(2, Arc::new(NoWake));
        let settings = ServerSettings {
            weight: 10,
            ..ServerSettings::default()
        };
        let (first, new) = registry.server("be", "s1", &settings);
        assert!(new);
        first.set_user_weight(3);
        let permit = first.try_permit();
        let (again, new) = registry.server("be", "s1", &settings);
        assert!(!new && Arc::ptr_eq(&first, &again));
        assert_eq!((again.user_weight(), again.in_use()), (3, 1));
        let changed = ServerSettings {
            weight: 20,
            ..settings
        };
        assert_eq!(registry.server("be", "s1", &changed).0.user_weight(), 20);
        drop(permit);
        assert_eq!(again.in_use(), 0);
    }

    #[test]
    fn forgotten_names_start_anew_with_a_slot_of_their_own() {
        let mut registry = Registry::new(1, Arc::new(NoWake));
        let settings = ServerSettings::default();
        let (old, _) = registry.server("be", "s1", &settings);
        registry.server("be", "s2", &settings);
        old.set_serves_backend_queue(true);
        registry.retain(|_, server| server != Some("s1"));
        assert!(!old.serves_backend_queue());
        assert!(registry.find("be", "s1").is_none());
        let (new, is_new) = registry.server("be", "s1", &settings);
        assert!(is_new && new.slot() != old.slot());
    }
}
