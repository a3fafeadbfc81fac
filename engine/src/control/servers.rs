//! `show servers state`, which is also the format of the state file, and `show servers conn`.

use crate::stats::{ProxyFacts, ServerFacts, Snapshot};
use std::fmt::Write;

/// The version of the state format that we print and read.
pub const STATE_VERSION: u32 = 1;

const STATE_HEADER: &str = "# be_id be_name srv_id srv_name srv_addr srv_op_state \
srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status \
srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id \
srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr \
srv_agent_addr srv_agent_port";

/// `show servers state` (management.txt 9.3).
pub fn state(_snapshot: &Snapshot, proxies: &[&ProxyFacts]) -> String {
    let mut out = format!("{STATE_VERSION}\n{STATE_HEADER}\n");
    for (proxy, server) in pairs(proxies) {
        let state = &server.state;
        let health = server
            .check
            .as_ref()
            .map_or(state.unchecked_health, |check| check.health);
        let _ = writeln!(
            out,
            "{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} - - {}",
            proxy.id,
            proxy.name,
            server.id,
            server.name,
            address(server),
            state.operational,
            state.administrative,
            server.user_weight,
            server.initial_weight,
            server.last_change_s,
            state.check_status,
            state.check_result,
            health,
            state.check_state,
            state.agent_state,
            u8::from(proxy.forced_id),
            u8::from(state.forced_id),
            server.host.as_deref().unwrap_or("-"),
            state.port,
            server.service.as_deref().unwrap_or("-"),
            state.use_tls,
            state.check_port,
            state.agent_port,
        );
    }
    out
}

/// `show servers conn` (management.txt 9.3).
pub fn connections(snapshot: &Snapshot, proxies: &[&ProxyFacts]) -> String {
    let cores = snapshot.process.cores;
    let mut out = format!(
        "# bkname/svname bkid/svid addr port - purge_delay served used_cur used_max need_est \
         idle_sess unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[{cores}]\n"
    );
    for (proxy, server) in pairs(proxies) {
        let idle = &server.idle;
        let limit = idle.limit.map_or(-1, i64::from);
        let _ = write!(
            out,
            "{}/{} {}/{} {} {} - {} {} {} {} {} {} {} {} {limit} {}",
            proxy.name,
            server.name,
            proxy.id,
            server.id,
            address(server),
            server.state.port,
            idle.purge_delay_ms,
            server.total.open.now,
            idle.used,
            idle.used_max,
            idle.estimated_need,
            idle.private_idle,
            idle.unsafe_idle,
            idle.safe_idle,
            idle.idle,
        );
        for core in 0..cores as usize {
            let _ = write!(out, " {}", idle.per_core.get(core).unwrap_or(&0));
        }
        out.push('\n');
    }
    out
}

fn pairs<'a>(
    proxies: &'a [&'a ProxyFacts],
) -> impl Iterator<Item = (&'a ProxyFacts, &'a ServerFacts)> {
    proxies
        .iter()
        .flat_map(|proxy| proxy.servers.iter().map(move |server| (*proxy, server)))
}

/// The address without port and brackets; `-` where there is none.
fn address(server: &ServerFacts) -> &str {
    match server.address.rsplit_once(':') {
        Some((address, _)) => address.trim_start_matches('[').trim_end_matches(']'),
        None => "-",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::sample::snapshot;

    #[test]
    fn state_lines_have_25_columns() {
        let snapshot = snapshot();
        let text = state(&snapshot, &snapshot.proxies.iter().collect::<Vec<_>>());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "1");
        assert_eq!(lines[1].split(' ').count(), 26, "a sharp and 25 names");
        assert!(
            lines[2..].iter().all(|line| line.split(' ').count() == 25),
            "{text}"
        );
        assert_eq!(
            lines[4],
            "2 web 3 s3 127.0.0.1 0 5 3 3 17 0 0 0 0 0 0 0 - 9003 - 0 0 - - 0"
        );
    }

    #[test]
    fn connection_lines_name_every_core() {
        let snapshot = snapshot();
        let text = connections(&snapshot, &[&snapshot.proxies[1]]);
        assert_eq!(
            text.lines().nth(1),
            Some("tcp/t1 3/1 127.0.0.1 9001 - 0 0 0 0 0 0 0 0 -1 0 0 0")
        );
        assert!(text.contains("idle_per_thr[2]"), "{text}");
    }

    #[test]
    fn addresses_of_every_family() {
        for (written, expected) in [
            ("1.2.3.4:80", "1.2.3.4"),
            ("[::1]:80", "::1"),
            ("unix", "-"),
            ("", "-"),
        ] {
            let server = ServerFacts {
                address: written.to_owned(),
                ..ServerFacts::default()
            };
            assert_eq!(address(&server), expected);
        }
    }
}
