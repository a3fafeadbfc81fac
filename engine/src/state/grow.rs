//! Servers come and go while the process runs (management.txt 9.3, `add server`).
//!
//! Every list that is addressed by [`ServerId`] grows by one entry, and only then does the backend
//! name the new server: whoever finds an id there finds all that belongs to it. A deleted server
//! leaves its entries to the next one of its backend.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Runtime, Watch, initial};
use crate::plan::{ProxyId, Server, ServerId};
use crate::server::{Admin, Operational, Registry};
use crate::slots::{Current, Full};
use crate::tls::ServerContext;

/// A server that is to be added.
pub struct Added {
    /// Its id is [`Runtime::next_server`], or one that a deleted server has left.
    pub server: Server,
    pub tls: Option<ServerContext>,
    pub tracks: Option<ServerId>,
}

impl Runtime {
    /// The id of a server that is added next.
    pub fn next_server(&self) -> ServerId {
        ServerId(self.servers.len() as u32)
    }

    /// Adds a server, in maintenance and unchecked until an operator says otherwise.
    pub fn add_server(
        &self,
        registry: &mut Registry,
        added: Added,
        now_ms: u64,
    ) -> Result<(), Full> {
        let Added {
            server,
            tls,
            tracks,
        } = added;
        let (id, backend) = (server.id, server.backend);
        let settings = initial::settings(&server, self.free_number(backend));
        let proxy = self.plan.proxy(backend);
        let (state, _) = registry.server(&proxy.name, &server.name, &settings);
        initial::begin(&server, &state, now_ms);
        state.set_admin(Admin::FMAINT);
        state.set_operational(Operational::Stopped);
        let mut watch = Watch::new(&server.line);
        watch.tracks = tracks;
        watch.check_enabled.store(false, Ordering::Relaxed);
        watch.agent_enabled.store(false, Ordering::Relaxed);
        let tls = tls.map(|tls| self.tls.push_server(tls)).transpose()?;
        let endpoint = server.endpoint.clone();
        if id == self.next_server() {
            self.endpoints.push(RwLock::new(endpoint))?;
            self.tls_of_server.push(Current::new(tls))?;
            self.watches.push(Current::new(watch))?;
            self.stats.add_server()?;
            self.plan.servers.push(Current::new(server))?;
            self.servers.push(Current::new(state))?;
        } else {
            let index = id.index();
            *self.endpoints[index]
                .write()
                .unwrap_or_else(PoisonError::into_inner) = endpoint;
            self.tls_of_server[index].replace(tls)?;
            self.watches[index].replace(watch)?;
            self.stats.servers[index].clear_all(now_ms);
            self.plan.servers[index].replace(server)?;
            self.servers[index].replace(state)?;
        }
        if let Some(tracked) = tracks {
            self.watches[tracked.index()].track_by(id);
        }
        self.set_servers(backend, |servers| servers.push(id))
    }

    /// Takes a server out that nothing uses.
    pub fn remove_server(&self, registry: &mut Registry, id: ServerId) -> Result<(), Full> {
        let server = self.plan.server(id);
        self.set_servers(server.backend, |servers| {
            servers.retain(|&known| known != id);
        })?;
        if let Some(tracked) = self.watches[id.index()].tracks {
            self.watches[tracked.index()].leave(id);
        }
        registry.forget(&self.plan.proxy(server.backend).name, &server.name);
        Ok(())
    }

    /// Changes what the plan says of a server.
    pub fn edit_server(&self, id: ServerId, edit: impl FnOnce(&mut Server)) -> Result<(), Full> {
        let place = &self.plan.servers[id.index()];
        let mut server = Server::clone(place);
        edit(&mut server);
        place.replace(server)
    }

    fn set_servers(
        &self,
        backend: ProxyId,
        edit: impl FnOnce(&mut Vec<ServerId>),
    ) -> Result<(), Full> {
        let Some(backend) = &self.plan.proxy(backend).backend else {
            return Ok(());
        };
        let mut servers = Vec::clone(&backend.servers);
        edit(&mut servers);
        backend.servers.replace(servers)
    }

    /// The lowest number that no server of a backend has (manual 5.2, `id`).
    fn free_number(&self, backend: ProxyId) -> u32 {
        let own = self.plan.proxy(backend).backend.iter();
        let taken: Vec<u32> = own
            .flat_map(|backend| backend.servers.iter())
            .map(|id| Arc::clone(&self.servers[id.index()]).id())
            .collect();
        let mut free = 1;
        while taken.contains(&free) {
            free += 1;
        }
        free
    }
}
