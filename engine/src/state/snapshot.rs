//! Everything that reports show, taken at one instant.

use std::path::Path;

use cfgparse::model::proxy::{Mode as ProxyMode, Proxy as Section};
use cfgparse::model::{BindAddr, balance};

use super::process::{Vitals, vitals};
use super::{Runtime, server_facts};
use crate::plan::{Listener, Proxy};
use crate::server::Usable;
use crate::stats::{
    BackFacts, Condition, FrontFacts, ListenerFacts, Mode, ProcessFacts, ProxyFacts, ServerFacts,
    Snapshot,
};

/// What `show info` calls the product: tools look for it.
const PRODUCT: &str = "HAProxy";
/// Our version, in `show version` and on the statistics page.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Takes a snapshot of a generation; `now_ms` is the cores' clock.
pub fn take(runtime: &Runtime, now_ms: u64) -> Snapshot {
    let vitals = vitals();
    let moment = Moment {
        runtime,
        now_ms,
        started_ms: vitals.started_ms,
    };
    let shown = runtime
        .plan
        .proxies
        .iter()
        .filter(|proxy| !proxy.section.disabled);
    Snapshot {
        process: process(runtime, &vitals, now_ms),
        proxies: shown.map(|proxy| moment.proxy(proxy)).collect(),
    }
}

/// A generation at one instant.
pub(super) struct Moment<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) now_ms: u64,
    /// When the process started, on the same clock.
    pub(super) started_ms: u64,
}

impl Moment<'_> {
    /// Seconds since an instant; one that never was is the start of the process.
    pub(super) fn seconds_since(&self, at_ms: u64) -> u32 {
        let at_ms = if at_ms == 0 { self.started_ms } else { at_ms };
        (self.now_ms.saturating_sub(at_ms) / 1000) as u32
    }

    fn proxy(&self, proxy: &Proxy) -> ProxyFacts {
        let servers: Vec<_> = proxy
            .backend
            .iter()
            .flat_map(|backend| &backend.servers)
            .map(|id| server_facts::server(self, *id))
            .collect();
        ProxyFacts {
            name: proxy.name.to_string(),
            id: proxy.number,
            forced_id: proxy.section.id.is_some(),
            mode: if proxy.mode == ProxyMode::Http {
                Mode::Http
            } else {
                Mode::Tcp
            },
            description: proxy.section.description.clone(),
            front: proxy.frontend.as_ref().map(|_| self.front(proxy)),
            listeners: self.listeners(proxy),
            back: proxy.backend.as_ref().map(|_| self.back(proxy, &servers)),
            servers,
        }
    }

    fn front(&self, proxy: &Proxy) -> FrontFacts {
        let gate = self.runtime.frontend_gates[proxy.id.index()].as_ref();
        let limit = gate.map_or(0, |gate| gate.limit());
        let process_limit = self.runtime.process_gate.limit();
        FrontFacts {
            status: "OPEN",
            limit: if limit == 0 { process_limit } else { limit },
            rate_limit: proxy.section.rate_limit_sessions.unwrap_or(0),
            total: self.runtime.stats.proxies[proxy.id.index()]
                .total(self.now_ms)
                .front,
        }
    }

    /// The listening addresses, which only `option socket-stats` shows.
    fn listeners(&self, proxy: &Proxy) -> Vec<ListenerFacts> {
        let Some(front) = proxy
            .frontend
            .as_ref()
            .filter(|_| proxy.section.options.socket_stats)
        else {
            return Vec::new();
        };
        let listeners = front.listeners.iter().enumerate();
        listeners
            .map(|(index, id)| self.listener(index as u32 + 1, self.runtime.plan.listener(*id)))
            .collect()
    }

    fn listener(&self, position: u32, listener: &Listener) -> ListenerFacts {
        let (address, protocol) = address(&listener.address);
        let gate = self.runtime.listener_gates[listener.id.index()].as_ref();
        let name = listener.bind.name.clone();
        ListenerFacts {
            name: name.unwrap_or_else(|| format!("sock-{position}")),
            id: listener.bind.id.unwrap_or(position),
            status: if gate.is_some_and(|gate| gate.limit() > 0 && gate.used() >= gate.limit()) {
                "FULL"
            } else {
                "OPEN"
            },
            limit: gate.map_or(0, |gate| gate.limit()),
            address,
            protocol,
            total: self.runtime.stats.listeners[listener.id.index()].total(self.now_ms),
        }
    }

    fn back(&self, proxy: &Proxy, servers: &[ServerFacts]) -> BackFacts {
        let state = self.runtime.backends[proxy.id.index()].as_ref();
        let usable = state.map_or_else(Usable::default, |state| state.usable());
        let is_up = servers.is_empty() || usable.active + usable.backup > 0;
        let counted = |server: &&ServerFacts| {
            server.condition.takes_requests() && server.backup == (usable.active == 0)
        };
        let weight = |of: fn(&ServerFacts) -> u32| servers.iter().filter(counted).map(of).sum();
        // Down since its last server went down, up since the start.
        let down_s = servers
            .iter()
            .map(|server| server.last_change_s)
            .min()
            .unwrap_or(0);
        BackFacts {
            status: if is_up { "UP" } else { "DOWN" },
            condition: if is_up {
                Condition::Up
            } else {
                Condition::Down
            },
            weight: weight(|server| server.weight),
            user_weight: weight(|server| server.user_weight),
            active: usable.active,
            backup: usable.backup,
            queued: state.map_or(0, |state| state.queued()),
            queued_max: state.map_or(0, |state| state.queued_peak()),
            limit: proxy.backend.as_ref().map_or(0, |backend| backend.fullconn),
            downs: u64::from(!is_up),
            last_change_s: if is_up { self.seconds_since(0) } else { down_s },
            downtime_s: if is_up { 0 } else { down_s },
            has_servers: !servers.is_empty(),
            algorithm: algorithm(&proxy.section).to_owned(),
            cookie: proxy
                .section
                .cookie
                .as_ref()
                .map(|cookie| cookie.name.clone()),
            total: self.runtime.stats.proxies[proxy.id.index()]
                .total(self.now_ms)
                .back,
        }
    }
}

/// The word of the `balance` line.
fn algorithm(section: &Section) -> &'static str {
    use balance::Algorithm;
    match &section.balance.algorithm {
        Some(Algorithm::Roundrobin) => "roundrobin",
        Some(Algorithm::StaticRr) => "static-rr",
        Some(Algorithm::Leastconn) => "leastconn",
        Some(Algorithm::First) => "first",
        Some(Algorithm::Source) => "source",
        Some(Algorithm::Uri { .. }) => "uri",
        Some(Algorithm::UrlParam { .. }) => "url_param",
        Some(Algorithm::Hdr { .. }) => "hdr",
        Some(Algorithm::RdpCookie { .. }) => "rdp-cookie",
        Some(Algorithm::Hash(_)) => "hash",
        Some(Algorithm::LogHash(_)) => "log-hash",
        Some(Algorithm::Sticky) => "sticky",
        Some(Algorithm::Random { .. }) | None => "random",
    }
}

/// Address and protocol as the statistics write them.
fn address(address: &BindAddr) -> (String, &'static str) {
    match address {
        BindAddr::Tcp(ip, port) => {
            let protocol = if ip.is_ipv4() { "tcpv4" } else { "tcpv6" };
            (std::net::SocketAddr::new(*ip, *port).to_string(), protocol)
        }
        BindAddr::Udp(ip, port) => {
            let protocol = if ip.is_ipv4() { "udp4" } else { "udp6" };
            (std::net::SocketAddr::new(*ip, *port).to_string(), protocol)
        }
        BindAddr::Unix(_) | BindAddr::Abns(_) => ("unix".to_owned(), "unix_stream"),
        BindAddr::Fd(number) | BindAddr::Sockpair(number) => (format!("fd@{number}"), "fd"),
        BindAddr::ReverseHttp(_) => ("reverse_http".to_owned(), "rev"),
    }
}

fn process(runtime: &Runtime, vitals: &Vitals, now_ms: u64) -> ProcessFacts {
    let settings = &runtime.plan.process;
    let total = runtime.stats.process.total(now_ms);
    let limit = u64::from(runtime.process_gate.limit());
    ProcessFacts {
        name: PRODUCT,
        version: VERSION.to_owned(),
        release_date: release_date(),
        node: settings.node.clone(),
        description: settings.description.clone(),
        pid: std::process::id(),
        cores: runtime.stats.cores() as u32,
        uptime_ms: now_ms.saturating_sub(vitals.started_ms),
        start_time_s: vitals.started_at_s,
        ulimit_n: vitals.descriptors,
        max_sockets: vitals.descriptors,
        max_connections: limit,
        hard_max_connections: u64::from(settings.maxconn),
        memory_bytes: vitals.memory_bytes,
        idle_percent: runtime.stats.idle_percent(&total, now_ms),
        bytes_out_rate: runtime.stats.bytes_out_rate(&total, now_ms),
        listeners: runtime.plan.listeners.len() as u64,
        now_ms,
        total,
        ..ProcessFacts::default()
    }
}

/// The day of the program's file, as HAProxy's is that of its sources; `YYYY/MM/DD`.
fn release_date() -> String {
    let changed = Path::new("/proc/self/exe")
        .metadata()
        .and_then(|file| file.modified());
    let since_1970 = changed
        .ok()
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let (year, month, day) = civil(since_1970.map_or(0, |since| since.as_secs() / 86_400));
    format!("{year}/{month:02}/{day:02}")
}

/// Year, month and day of a count of days since 1970, by the proleptic Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years that begin in March put the leap day at their end.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        let rows = [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (19_782, (2024, 2, 29)),
        ];
        for (days, date) in rows {
            assert_eq!(civil(days), date);
        }
        assert_eq!(civil(20_778), (2026, 11, 21));
    }

    #[test]
    fn addresses_as_the_statistics_write_them() {
        let tcp = |ip: &str| BindAddr::Tcp(ip.parse().expect("an address"), 80);
        assert_eq!(
            address(&tcp("127.0.0.1")),
            ("127.0.0.1:80".to_owned(), "tcpv4")
        );
        assert_eq!(address(&tcp("::")), ("[::]:80".to_owned(), "tcpv6"));
        assert_eq!(
            address(&BindAddr::Unix("/x".to_owned())),
            ("unix".to_owned(), "unix_stream")
        );
    }
}
