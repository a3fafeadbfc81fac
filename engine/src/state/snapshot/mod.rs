//! Everything that reports show, taken at one instant.

mod server;
mod words;

use std::sync::atomic::Ordering::Relaxed;

pub use self::server::facts as server;
use super::{FrontendStatus, Runtime};
use crate::plan::{self, Backend, Frontend, ListenerId, Proxy};
use crate::stats::{
    BackFacts, BackTotal, Condition, FrontFacts, FrontTotal, ListenerFacts, Mode, ProcessFacts,
    ProxyFacts, Snapshot,
};

/// What the program calls itself where tools expect to find HAProxy: they choose what they ask
/// for by the number in front.
pub const VERSION: &str = concat!("3.5.0-engine-", env!("CARGO_PKG_VERSION"));

/// The day of the version that [`VERSION`] names.
pub const RELEASE_DATE: &str = "2026/11/21";

/// Takes a snapshot of a generation; `now_ms` on the cores' clock.
pub fn take(runtime: &Runtime, now_ms: u64) -> Snapshot {
    // A section that is `disabled` is not there (manual 4.2, `disabled`).
    let proxies = runtime
        .plan
        .proxies
        .iter()
        .filter(|proxy| !proxy.section.disabled);
    Snapshot {
        process: process(runtime, now_ms),
        proxies: proxies
            .map(|proxy| proxy_facts(runtime, proxy, now_ms))
            .collect(),
    }
}

fn process(runtime: &Runtime, now_ms: u64) -> ProcessFacts {
    let (process, plan) = (&runtime.process, &runtime.plan.process);
    let open = |listener: &&plan::Listener| {
        let standing = &runtime.standings[listener.frontend.index()];
        standing.frontend() != FrontendStatus::Stopped
    };
    let listeners = runtime.plan.listeners.iter().filter(open).count() as u64;
    let total = runtime.stats.process.total(now_ms);
    ProcessFacts {
        name: "HAProxy",
        version: VERSION.to_owned(),
        release_date: RELEASE_DATE.to_owned(),
        node: plan.node.clone(),
        description: plan.description.clone(),
        pid: process.pid,
        cores: process.cores as u32,
        uptime_ms: now_ms.saturating_sub(process.started_ms),
        start_time_s: process.started_unix_s,
        boot_time_ms: process.boot_time_ms.load(Relaxed),
        ulimit_n: plan.descriptors,
        max_sockets: plan.descriptors,
        max_connections: u64::from(runtime.process_gate.limit()),
        hard_max_connections: u64::from(plan.maxconn),
        memory_bytes: process.memory_bytes.load(Relaxed),
        tasks: total.streams.now,
        idle_percent: process.idle_percent.load(Relaxed),
        stopping: process.stopping.load(Relaxed),
        listeners: listeners + u64::from(process.admin_sockets.load(Relaxed)),
        bytes_out_rate: process.bytes_out_rate.load(Relaxed),
        warnings: process.warnings.load(Relaxed),
        now_ms,
        total,
        ..ProcessFacts::default()
    }
}

fn proxy_facts(runtime: &Runtime, proxy: &Proxy, now_ms: u64) -> ProxyFacts {
    let total = runtime.stats.proxies[proxy.id.index()].total(now_ms);
    let front = proxy
        .frontend
        .as_ref()
        .map(|_| front(runtime, proxy, total.front));
    let shown = proxy
        .frontend
        .iter()
        .filter(|_| proxy.section.options.socket_stats);
    let listeners = shown.flat_map(|frontend: &Frontend| &frontend.listeners);
    let servers = proxy
        .backend
        .iter()
        .flat_map(|backend| backend.servers.iter());
    let back = |backend: &Backend| back(runtime, proxy, backend, total.back, now_ms);
    ProxyFacts {
        name: proxy.name.to_string(),
        id: proxy.number,
        forced_id: proxy.section.id.is_some(),
        mode: if proxy.mode == cfgparse::model::Mode::Http {
            Mode::Http
        } else {
            Mode::Tcp
        },
        description: proxy.section.description.clone(),
        front,
        listeners: listeners.map(|&id| listener(runtime, id, now_ms)).collect(),
        servers: servers.map(|&id| server(runtime, id, now_ms)).collect(),
        back: proxy.backend.as_ref().map(back),
    }
}

fn front(runtime: &Runtime, proxy: &Proxy, total: FrontTotal) -> FrontFacts {
    let gate = runtime.frontend_gates[proxy.id.index()].as_ref();
    FrontFacts {
        status: runtime.standings[proxy.id.index()].frontend().word(),
        limit: gate.map_or(0, |gate| gate.limit()),
        rate_limit: proxy.section.rate_limit_sessions.unwrap_or(0),
        total,
    }
}

fn listener(runtime: &Runtime, id: ListenerId, now_ms: u64) -> ListenerFacts {
    let listener = runtime.plan.listener(id);
    let gate = runtime.listener_gates[id.index()].as_ref();
    let is_full = gate.is_some_and(|gate| gate.used() >= gate.limit());
    let status = match runtime.standings[listener.frontend.index()].frontend() {
        FrontendStatus::Open if is_full => "FULL",
        FrontendStatus::Open => "OPEN",
        FrontendStatus::Paused => "PAUSED",
        FrontendStatus::Stopped => "STOP",
    };
    let (address, protocol) = words::listening(&listener.address);
    ListenerFacts {
        name: match &listener.bind.name {
            Some(name) => name.clone(),
            None => format!("sock-{}", listener.number),
        },
        id: listener.bind.id.unwrap_or(listener.number),
        status,
        limit: gate.map_or(0, |gate| gate.limit()),
        address,
        protocol,
        total: runtime.stats.listeners[id.index()].total(now_ms),
    }
}

fn back(
    runtime: &Runtime,
    proxy: &Proxy,
    backend: &Backend,
    total: BackTotal,
    now_ms: u64,
) -> BackFacts {
    let standing = runtime.standings[proxy.id.index()].backend().clone();
    let state = runtime.backends[proxy.id.index()].as_ref();
    let usable = state.map(|state| state.usable()).unwrap_or_default();
    let is_up = standing.is_up();
    let weight = standing.view.as_ref().map_or(0, |view| view.total_weight());
    BackFacts {
        status: if is_up { "UP" } else { "DOWN" },
        condition: if is_up {
            Condition::Up
        } else {
            Condition::Down
        },
        weight: weight.div_ceil(u64::from(crate::server::WEIGHT_SCALE)) as u32,
        user_weight: user_weight(runtime, backend, usable.active > 0),
        active: usable.active,
        backup: usable.backup,
        queued: state.map_or(0, |state| state.queued()),
        queued_max: state.map_or(0, |state| state.queued_peak()),
        limit: backend.fullconn,
        downs: standing.downs,
        last_change_s: seconds(now_ms.saturating_sub(standing.last_change_ms)),
        downtime_s: seconds(standing.downtime_ms(now_ms)),
        has_servers: !backend.servers.is_empty(),
        algorithm: words::algorithm(proxy.section.balance.algorithm.as_ref()).to_owned(),
        cookie: proxy
            .section
            .cookie
            .as_ref()
            .map(|cookie| cookie.name.clone()),
        total,
    }
}

/// The weights that users gave to the servers in use.
fn user_weight(runtime: &Runtime, backend: &Backend, on_active: bool) -> u32 {
    let states = backend
        .servers
        .iter()
        .map(|id| &runtime.servers[id.index()]);
    let mut used = states.filter(|state| state.takes_new() && state.is_backup() != on_active);
    if on_active || backend.balance.all_backups {
        used.map(|state| state.user_weight()).sum()
    } else {
        used.next().map_or(0, |state| state.user_weight())
    }
}

fn seconds(ms: u64) -> u32 {
    u32::try_from(ms / 1000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
