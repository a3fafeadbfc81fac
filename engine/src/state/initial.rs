//! The state in which servers begin their life.

use cfgparse::model::server::InitState;

use super::Watch;
use crate::plan::{Endpoint, Server};
use crate::server::{Admin, CheckStatus, Health, Operational, ServerSettings, ServerState};

/// What the line of the server number `position` of its backend, counted from 1, says about its
/// capacity.
pub fn settings(server: &Server, position: u32) -> ServerSettings {
    let line = &server.line;
    ServerSettings {
        id: line.id.unwrap_or(position),
        weight: line.weight,
        maxconn: line.maxconn,
        minconn: line.minconn,
        maxqueue: line.maxqueue,
        slowstart_ms: u64::from(line.slowstart_ms.unwrap_or(0)),
        backup: line.backup,
    }
}

/// Sets a server that is new to the process to its first state (manual 5.2: `check`, `disabled`,
/// `init-state`; `init-addr`).
pub fn begin(server: &Server, state: &ServerState, now_ms: u64) {
    let line = &server.line;
    state.check_report().last_change_ms = now_ms;
    if line.check.enabled {
        let health = first_health(server);
        state.set_health(Some(health));
        state.check_report().status = CheckStatus::Initializing;
        if !health.is_up() {
            state.set_operational(Operational::Stopped);
        }
    }
    if line.disabled {
        state.set_admin(state.admin().with(Admin::DISABLED));
        state.set_operational(Operational::Stopped);
    }
    if server.endpoint == Endpoint::Unresolved {
        state.set_admin(state.admin().with(Admin::RMAINT));
        state.set_operational(Operational::Stopped);
        state.check_report().went_down += 1;
    }
}

fn first_health(server: &Server) -> Health {
    let check = &server.line.check;
    let mut health = Health::barely_up(check.rise.unwrap_or(2), check.fall.unwrap_or(3));
    match server.line.init_state.unwrap_or(InitState::Up) {
        InitState::FullyUp => health.fill(),
        InitState::Up => {}
        InitState::Down => health.counter = health.rise - 1,
        InitState::FullyDown => health.counter = 0,
    }
    health
}

/// Lets servers that track another one begin in its state. Chains are followed to their end.
pub fn follow(servers: &[std::sync::Arc<ServerState>], watches: &[Watch]) {
    // A chain is no longer than the list: each round settles at least one more link.
    for _ in 0..servers.len() {
        let mut changed = false;
        for (server, watch) in servers.iter().zip(watches) {
            let Some(tracked) = watch.tracks.map(|id| &servers[id.index()]) else {
                continue;
            };
            let inherited = tracked.admin().inherited();
            let admin = server
                .admin()
                .without(Admin::IMAINT.with(Admin::IDRAIN))
                .with(inherited);
            let operational = if admin.in_maint() {
                Operational::Stopped
            } else {
                tracked.operational()
            };
            changed |= admin != server.admin() || operational != server.operational();
            server.set_admin(admin);
            server.set_operational(operational);
        }
        if !changed {
            return;
        }
    }
}
