//! Limits and parts of servers that change at run time.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::Process;
use super::words::Told;
use crate::check::agent::Agent;
use crate::control::ops::ServerChange;
use crate::gate::Gate;
use crate::mesh::ToShard;
use crate::plan::{Endpoint, ServerId};
use crate::server::Admin;

impl Process {
    /// Sets the limit of a gate and lets in who waits, as far as there is room now.
    pub(super) fn set_gate(&self, gate: &Gate, limit: u32) {
        gate.set_limit(limit);
        while let Some(core) = gate.wanting() {
            self.mesh.tell(core, ToShard::Room);
        }
    }

    /// `set server X ...` beside state and weight, with HAProxy's answers.
    pub(super) fn change(
        &mut self,
        id: ServerId,
        change: &ServerChange,
    ) -> Result<Option<String>, String> {
        let checked = self.runtime.watches[id.index()].checked;
        let watch = &self.runtime.watches[id.index()];
        match change {
            &ServerChange::Address { address, port } => {
                self.move_server(id, address, port).map(Some)
            }
            ServerChange::CheckAddress { .. } | ServerChange::CheckPort(_) if !checked => {
                Err("health checks are not enabled on this server".to_owned())
            }
            &ServerChange::CheckAddress { address, port } => {
                watch.set_check_address(address);
                if let Some(port) = port {
                    watch.check_port.store(port, Ordering::Relaxed);
                }
                Ok(None)
            }
            &ServerChange::CheckPort(port) => {
                watch.check_port.store(port, Ordering::Relaxed);
                Ok(None)
            }
            ServerChange::AgentAddress { .. }
            | ServerChange::AgentPort(_)
            | ServerChange::AgentSend(_)
                if let_agent(self.agents[id.index()].as_ref(), change) =>
            {
                Ok(None)
            }
            ServerChange::AgentAddress { .. } | ServerChange::AgentPort(_) => {
                Err("agent checks are not enabled on this server".to_owned())
            }
            ServerChange::AgentSend(_) => {
                Err("agent checks are not enabled on this server.".to_owned())
            }
            ServerChange::Fqdn(name) => {
                self.change_host(id, name, "stats socket command").map(Some)
            }
            &ServerChange::Tls(on) => self.switch_tls(id, on).map(Some),
            ServerChange::Name(name) => self.rename(id, name).map(Some),
        }
    }

    fn move_server(
        &mut self,
        id: ServerId,
        ip: IpAddr,
        port: Option<u16>,
    ) -> Result<String, String> {
        let endpoint = self.runtime.endpoints[id.index()]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let (old_ip, old_port) = match &endpoint {
            Endpoint::Tcp(address) => (Some(address.ip()), address.port()),
            Endpoint::TcpOffset(ip, _) => (Some(*ip), 0),
            Endpoint::Unresolved => (None, self.configured_port(id)),
            Endpoint::Unix(_) | Endpoint::Abstract(_) => {
                return Err("changing address of unix socket servers is not supported".to_owned());
            }
        };
        let new_port = port.unwrap_or(old_port);
        let mut parts = Vec::new();
        if old_ip != Some(ip) {
            let old = old_ip.map_or_else(|| "(none)".to_owned(), |ip| ip.to_string());
            parts.push(format!("IP changed from '{old}' to '{ip}'"));
        }
        if old_port != new_port {
            parts.push(format!("port changed from '{old_port}' to '{new_port}'"));
        }
        if parts.is_empty() {
            return Ok("nothing changed".to_owned());
        }
        let moved = match (endpoint, port) {
            (Endpoint::TcpOffset(_, offset), None) => Endpoint::TcpOffset(ip, offset),
            _ => Endpoint::Tcp(SocketAddr::new(ip, new_port)),
        };
        self.set_endpoint(id, moved);
        let admin = self.server(id).admin();
        if admin.contains(Admin::RMAINT) {
            self.change_admin(id, admin.without(Admin::RMAINT), Told::default());
        }
        Ok(format!("{} by 'stats socket command'", parts.join(", ")))
    }

    fn configured_port(&self, id: ServerId) -> u16 {
        let named = self.runtime.watches[id.index()].named();
        match (named.port, self.runtime.plan.server(id).line.port) {
            (Some(port), _) | (None, cfgparse::model::Port::Fixed(port)) => port,
            _ => 0,
        }
    }
}

/// Tells an agent's watch of a change; false where there is none.
fn let_agent(agent: Option<&Rc<Agent>>, change: &ServerChange) -> bool {
    let Some(agent) = agent else { return false };
    match change {
        &ServerChange::AgentAddress { address, port } => {
            agent.ip.set(Some(address));
            if let Some(port) = port {
                agent.port.set(port);
            }
        }
        &ServerChange::AgentPort(port) => agent.port.set(port),
        ServerChange::AgentSend(text) => text.clone_into(&mut agent.request.borrow_mut()),
        _ => {}
    }
    true
}
