//! The state of everything for the logs: what SIGHUP asks for (management manual, 4).

use cfgparse::Severity;

use super::Process;
use crate::log::Level;
use crate::plan::Proxy;
use crate::state::snapshot;
use crate::stats::{ProxyFacts, ServerFacts};

impl Process {
    /// Writes the state of all proxies and their servers to their logs and to standard error.
    pub fn dump(&self) {
        self.surroundings.print(
            Severity::Warning,
            "SIGHUP received, dumping servers states.",
        );
        let snapshot = snapshot::take(&self.runtime, self.surroundings.now_ms());
        for facts in &snapshot.proxies {
            let mut proxies = self.runtime.plan.proxies.iter();
            let Some(proxy) = proxies.find(|proxy| proxy.number == facts.id) else {
                continue;
            };
            let title = format!(
                "SIGHUP received, dumping servers states for proxy {}.",
                facts.name
            );
            self.surroundings.log(proxy, Level::Notice, &title);
            for server in &facts.servers {
                self.tell_dump(proxy, &server_text(facts, server));
            }
            self.tell_dump(proxy, &proxy_text(facts));
        }
    }

    fn tell_dump(&self, proxy: &Proxy, text: &str) {
        self.surroundings.print(Severity::Warning, text);
        self.surroundings.log(proxy, Level::Notice, text);
    }

    /// A proxy accepts no more.
    pub(super) fn say_stopped(&self, proxy: &Proxy) {
        let total = self.runtime.stats.proxies[proxy.id.index()].total(self.surroundings.now_ms());
        let text = format!(
            "Proxy {} stopped (cumulated conns: FE: {}, BE: {}).",
            proxy.name, total.front.connections.total, total.back.service.sessions.total
        );
        self.say(proxy.id, Level::Warning, &text);
    }
}

fn server_text(proxy: &ProxyFacts, server: &ServerFacts) -> String {
    format!(
        "SIGHUP: Server {}/{} is {}. Conn: {} act, {} pend, {} tot.",
        proxy.name,
        server.name,
        if server.state.operational == 0 {
            "DOWN"
        } else {
            "UP"
        },
        server.total.open.now,
        server.queued,
        server.total.sessions.total,
    )
}

fn proxy_text(proxy: &ProxyFacts) -> String {
    let (front, back) = (proxy.front.as_ref(), proxy.back.as_ref());
    let servers = back.map_or((0, 0), |back| (back.active, back.backup));
    let standing = match servers {
        _ if proxy.servers.is_empty() => "has no servers.".to_owned(),
        (0, 0) => "has no server available !".to_owned(),
        (0, _) => "is running on backup servers !".to_owned(),
        (active, backup) => {
            format!("has {active} active servers and {backup} backup servers available.")
        }
    };
    let waiting = back.map_or(0, |back| back.queued);
    let waiting_for_servers: u32 = proxy.servers.iter().map(|server| server.queued).sum();
    format!(
        "SIGHUP: Proxy {} {standing} Conn: act(FE+BE): {}+{}, {} pend ({waiting} unass), \
         tot(FE+BE): {}+{}.",
        proxy.name,
        front.map_or(0, |front| front.total.open.now),
        back.map_or(0, |back| back.total.service.open.now),
        waiting + waiting_for_servers,
        front.map_or(0, |front| front.total.sessions.total),
        back.map_or(0, |back| back.total.service.sessions.total),
    )
}
