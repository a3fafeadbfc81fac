//! Servers that an operator adds, renames and deletes (management.txt 9.3).

use std::rc::Rc;
use std::sync::Arc;

use cfgparse::source::Disk;

use super::Process;
use crate::control::ops::{Later, NotFound, Ops};
use crate::mesh::{ToControl, ToShard};
use crate::plan::{ProxyId, Server, ServerId};
use crate::server::ServerState;
use crate::slots::Full;
use crate::state::{Added, load_added};

const REFERENCED: &str =
    "This server cannot be removed at runtime due to other configuration elements pointing to it.";
const NOT_IN_MAINTENANCE: &str = "Only servers in maintenance mode can be deleted.";
const IN_USE: &str = "Server still has connections attached to it, cannot remove it.";

/// How often it is looked whether a server has become free.
const LOOK_MS: u64 = 20;

fn full(_: Full) -> String {
    "Too many servers were added since the process started.".to_owned()
}

impl Process {
    pub(super) fn find_backend(&self, name: &str) -> Option<ProxyId> {
        self.find_proxy(name, |proxy| proxy.backend.is_some())
    }

    /// `add server`; `words` are the address and the parameters.
    pub(super) fn add(
        &mut self,
        backend: &str,
        name: &str,
        words: &[String],
    ) -> Result<String, String> {
        let backend = self.find_backend(backend).ok_or("No such backend.")?;
        let runtime = Arc::clone(&self.runtime);
        let proxy = runtime.plan.proxy(backend);
        let side = proxy.backend.as_ref().ok_or("No such backend.")?;
        if !side.balance.is_dynamic() {
            return Err(format!(
                "Backend does not support dynamic servers : backend '{}' uses a non dynamic load balancing method.",
                proxy.name
            ));
        }
        if proxy.section.mode == cfgparse::model::Mode::Log {
            return Err("Backend does not support dynamic servers : log backends have those of the configuration.".to_owned());
        }
        if self.named(backend, name).is_some() {
            return Err("Already exists a server with the same name in backend.".to_owned());
        }
        let all: Vec<String> = std::iter::once(name.to_owned())
            .chain(words.iter().cloned())
            .collect();
        let line = cfgparse::added_server(&proxy.section, &self.global, &all, &Disk)?;
        if line.agent.enabled && line.agent.port.is_none() {
            return Err(format!(
                "server {name} does not have agent port. Agent check has been disabled."
            ));
        }
        self.refuse_taken_id(backend, &line)?;
        let tracks = match &line.track {
            Some((of, tracked)) => Some(self.tracked(backend, of, tracked)?),
            None => None,
        };
        let free = self
            .free_servers
            .iter()
            .position(|id| runtime.plan.server(*id).backend == backend);
        let id = free.map_or_else(|| runtime.next_server(), |at| self.free_servers[at]);
        let server = Server::added(&line, &runtime.plan, backend, id)?;
        let added = Added {
            tls: load_added(&server, proxy.mode, &self.global)?,
            server,
            tracks,
        };
        let now_ms = self.surroundings.now_ms();
        runtime
            .add_server(&mut self.registry, added, now_ms)
            .map_err(full)?;
        if let Some(at) = free {
            self.free_servers.swap_remove(at);
        }
        self.checks.resize(runtime.servers.len(), None);
        self.agents.resize(runtime.servers.len(), None);
        (self.checks[id.index()], self.agents[id.index()]) = (None, None);
        self.mesh.tell_control(ToControl::Watch(id));
        self.refresh(backend);
        Ok("New server registered.".to_owned())
    }

    pub(super) fn default_servers(
        &self,
        backend: &str,
    ) -> Result<Vec<(String, Vec<String>)>, String> {
        let plan = &self.runtime.plan;
        let one = match backend {
            "" => None,
            name => Some(self.find_backend(name).ok_or("Can't find backend.")?),
        };
        let wanted = plan
            .proxies
            .iter()
            .filter(|proxy| one.is_none_or(|id| id == proxy.id));
        let names = wanted.map(|proxy| {
            let own = proxy.section.default_servers.iter();
            let names: Vec<String> = own.map(|(name, _)| name.clone()).collect();
            (proxy.name.to_string(), names)
        });
        Ok(names.filter(|(_, names)| !names.is_empty()).collect())
    }

    fn named(&self, backend: ProxyId, name: &str) -> Option<ServerId> {
        let plan = &self.runtime.plan;
        let own = plan.proxy(backend).backend.iter();
        let mut own = own.flat_map(|backend| backend.servers.iter().copied());
        own.find(|&id| *plan.server(id).name == *name)
    }

    fn refuse_taken_id(
        &self,
        backend: ProxyId,
        line: &cfgparse::model::Server,
    ) -> Result<(), String> {
        let plan = &self.runtime.plan;
        let own = plan.proxy(backend).backend.iter();
        let mut own = own.flat_map(|backend| backend.servers.iter().copied());
        let wanted = line.id;
        match own.find(|&id| Some(self.server(id).id()) == wanted) {
            Some(taken) => Err(format!(
                "'id' : custom id {} already used ('server {}').",
                line.id.unwrap_or(0),
                plan.server(taken).name
            )),
            None => Ok(()),
        }
    }

    fn tracked(&self, own: ProxyId, backend: &str, name: &str) -> Result<ServerId, String> {
        let plan = &self.runtime.plan;
        let unknown = || format!("unable to find required server '{name}' for tracking.");
        let backend = match backend {
            "" => own,
            backend => self.find_backend(backend).ok_or_else(unknown)?,
        };
        let id = self.named(backend, name).ok_or_else(unknown)?;
        let line = &plan.server(id).line;
        if !line.check.enabled && !line.agent.enabled && line.track.is_none() {
            return Err(format!(
                "unable to use {}/{name} for tracking as it does not have any check nor agent enabled.",
                plan.proxy(backend).name
            ));
        }
        Ok(id)
    }

    /// Why a server cannot be deleted now, if so; the flag says that waiting may help.
    fn hindrance(runtime: &crate::state::Runtime, id: ServerId) -> Option<(&'static str, bool)> {
        let state = &runtime.servers[id.index()];
        let has_trackers = !runtime.watches[id.index()].trackers().is_empty();
        if runtime.plan.server(id).is_referenced || has_trackers {
            return Some((REFERENCED, false));
        }
        if !state.admin().in_maint() {
            return Some((NOT_IN_MAINTENANCE, false));
        }
        (state.in_use() > 0 || state.queued() > 0).then_some((IN_USE, true))
    }

    /// `del server`. Idle connections are closed: nobody will use them again.
    pub(super) fn delete(&mut self, id: ServerId) -> Result<(), String> {
        let runtime = Arc::clone(&self.runtime);
        if let Some((text, _)) = Self::hindrance(&runtime, id) {
            return Err(text.to_owned());
        }
        runtime
            .remove_server(&mut self.registry, id)
            .map_err(full)?;
        if let Some(watched) = self.checks[id.index()].take() {
            watched.stop();
        }
        if let Some(agent) = self.agents[id.index()].take() {
            agent.is_stopped.set(true);
        }
        self.refresh(runtime.plan.server(id).backend);
        let state: Arc<ServerState> = Arc::clone(&runtime.servers[id.index()]);
        self.tell(|| ToShard::Forget(Arc::clone(&state)));
        self.free_servers.push(id);
        Ok(())
    }

    /// `set server X name`.
    pub(super) fn rename(&mut self, id: ServerId, name: &str) -> Result<String, String> {
        let runtime = Arc::clone(&self.runtime);
        let server = runtime.plan.server(id);
        if !self.server(id).admin().in_maint() {
            return Err("Server must be in maintenance mode to be renamed (set server <b>/<s> state maint).".to_owned());
        }
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_:.-".contains(letter);
        if !name.chars().all(is_plain) {
            return Err("Server name contains invalid characters.".to_owned());
        }
        match self.named(server.backend, name) {
            Some(known) if known == id => return Ok("Server name updated.".to_owned()),
            Some(_) => {
                return Err(
                    "A server with the same name already exists in this backend.".to_owned(),
                );
            }
            None => {}
        }
        let has_trackers = !runtime.watches[id.index()].trackers().is_empty();
        if server.is_referenced || has_trackers {
            return Err("Cannot rename: server's name is statically referenced (use-server, track, or sample argument).".to_owned());
        }
        let proxy = &runtime.plan.proxy(server.backend).name;
        self.registry.rename(proxy, &server.name, name);
        self.server(id).rename(name).map_err(full)?;
        runtime
            .edit_server(id, |server| server.name = name.into())
            .map_err(full)?;
        self.settlements.note();
        Ok("Server name updated.".to_owned())
    }

    /// `set server X ssl`.
    pub(super) fn switch_tls(&mut self, id: ServerId, on: bool) -> Result<String, String> {
        let runtime = Arc::clone(&self.runtime);
        let line = &runtime.plan.server(id).line;
        let tls = line.tls.as_ref();
        if tls.is_none_or(|tls| !tls.enabled && !tls.was_enabled) {
            return Err(
                "'set server <srv> ssl' cannot be set.  default-server should define ssl settings"
                    .to_owned(),
            );
        }
        let mut changed = cfgparse::model::Server::clone(line);
        if let Some(tls) = &mut changed.tls {
            // What the line said first no longer counts.
            tls.was_enabled = true;
            tls.is_off = false;
        }
        runtime
            .edit_server(id, |server| {
                server.is_tls = on;
                server.line = Arc::new(changed);
            })
            .map_err(full)?;
        self.settlements.note();
        Ok("server ssl setting updated.".to_owned())
    }

    /// `wait ... srv-removable`: the answer's text once the server can be deleted, or cannot.
    pub(super) fn removable(
        &self,
        backend: &str,
        server: &str,
        patience_ms: u64,
    ) -> Later<Result<String, String>> {
        let id = match Ops::server(self, backend, server) {
            Ok(id) => id,
            Err(what) => {
                let text = match what {
                    NotFound::Backend => "Failed. No such backend.",
                    NotFound::Server => "Failed. No such server.",
                };
                return Box::pin(std::future::ready(Err(text.to_owned())));
            }
        };
        let (runtime, surroundings) = (Arc::clone(&self.runtime), Rc::clone(&self.surroundings));
        let until_ms = surroundings.now_ms().saturating_add(patience_ms);
        Box::pin(async move {
            loop {
                match Self::hindrance(&runtime, id) {
                    None => return Ok("Done.".to_owned()),
                    Some((text, false)) => return Err(format!("Failed. {text}")),
                    Some((text, true)) if surroundings.now_ms() >= until_ms => {
                        return Err(format!("Wait delay expired. {text}"));
                    }
                    Some((_, true)) => surroundings.sleep(LOOK_MS).await,
                }
            }
        })
    }
}
