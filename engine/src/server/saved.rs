//! The state of a server as `show servers state` wrote it (management manual, 9.3), and how it is
//! taken up again.

use std::net::IpAddr;

use super::{Admin, CheckStatus, Health, Operational, ServerState};

/// The version of the format, alone in the first line.
const VERSION: &str = "1";
/// Columns that every line has; later versions of HAProxy added some behind them.
const COLUMNS_MIN: usize = 19;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    pub backend: String,
    pub server: String,
    /// Where it was; `None` for one without an IP address.
    pub address: Option<IpAddr>,
    pub port: Option<u16>,
    operational: Operational,
    admin: Admin,
    user_weight: u32,
    initial_weight: u32,
    since_s: u64,
    check_status: u8,
    /// Bits of the check's state.
    check_state: u8,
    agent_state: u8,
}

/// A check that may run.
const ENABLED: u8 = 4;
const CONFIGURED: u8 = 2;

impl Saved {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The number of the line that is none, counted from 1.
    pub fn parse(text: &str) -> Result<Vec<Self>, usize> {
        let mut lines = (1..).zip(text.lines());
        if lines.next().is_none_or(|(_, line)| line.trim() != VERSION) {
            return Err(1);
        }
        let is_data = |line: &str| !line.trim().is_empty() && !line.starts_with('#');
        lines
            .filter(|(_, line)| is_data(line))
            .map(|(number, line)| Self::of_line(line).ok_or(number))
            .collect()
    }

    fn of_line(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        if words.len() < COLUMNS_MIN {
            return None;
        }
        let operational: u8 = words[5].parse().ok().filter(|&state| state <= 3)?;
        Some(Self {
            backend: words[1].to_owned(),
            server: words[3].to_owned(),
            address: words[4].parse().ok(),
            operational: Operational::from_bits(operational),
            admin: Admin::from_bits(words[6].parse().ok()?),
            user_weight: words[7].parse().ok().filter(|&weight| weight <= 256)?,
            initial_weight: words[8].parse().ok()?,
            since_s: words[9].parse().ok()?,
            check_status: words[10].parse().ok()?,
            check_state: words[13].parse().ok()?,
            agent_state: words[14].parse().ok()?,
            port: words[18].parse().ok().filter(|&port| port != 0),
        })
    }

    /// Whether the check was disabled by an operator.
    pub fn check_is_off(&self) -> bool {
        self.check_state & CONFIGURED != 0 && self.check_state & ENABLED == 0
    }

    /// Whether the agent was disabled by an operator.
    pub fn agent_is_off(&self) -> bool {
        self.agent_state & CONFIGURED != 0 && self.agent_state & ENABLED == 0
    }

    /// Gives a server that is new to this process its former state. Maintenance by configuration
    /// is the configuration's affair, and so is a weight that it has changed since (manual 4.2,
    /// `load-server-state-from-file`).
    pub fn apply(&self, server: &ServerState, now_ms: u64) {
        if self.initial_weight == server.initial_weight() {
            server.set_user_weight(self.user_weight);
        }
        let forced = [Admin::FMAINT, Admin::FDRAIN];
        for cause in forced.into_iter().filter(|&bit| self.admin.contains(bit)) {
            // `disabled` sets both bits of maintenance: only an operator's one stands alone.
            let by_line = self.admin.contains(Admin::DISABLED) && cause == Admin::FMAINT;
            if !by_line {
                server.set_admin(server.admin().with(cause));
            }
        }
        let operational = if server.admin().in_maint() {
            Operational::Stopped
        } else {
            self.operational
        };
        server.set_operational(match operational {
            // A slow start is not begun anew.
            Operational::Starting => Operational::Running,
            known => known,
        });
        if let Some(mut health) = server.health() {
            match self.operational {
                Operational::Stopped => health.counter = 0,
                Operational::Running => health.fill(),
                Operational::Starting | Operational::Stopping => {
                    health = Health::barely_up(health.rise, health.fall);
                }
            }
            server.set_health(Some(health));
        }
        let is_checked = server.health().is_some();
        let mut report = server.check_report();
        report.last_change_ms = now_ms.saturating_sub(self.since_s * 1000);
        if !operational.is_up() && !server.admin().contains(Admin::CMAINT) {
            report.went_down += 1;
        }
        if let Some(status) = CheckStatus::from_number(self.check_status).filter(|_| is_checked) {
            report.status = status;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Registry, ServerSettings, Token, Wake};
    use super::*;

    struct NoWake;

    impl Wake for NoWake {
        fn wake(&self, _: Token) {}
    }

    fn server(weight: u32) -> Arc<ServerState> {
        let settings = ServerSettings {
            weight,
            ..ServerSettings::default()
        };
        let server = Registry::new(1, Arc::new(NoWake))
            .server("be", "s1", &settings)
            .0;
        server.set_health(Some(Health::barely_up(2, 3)));
        server
    }

    fn saved(operational: u8, admin: u8, weights: &str) -> Saved {
        let line = format!(
            "3 be 1 s1 10.0.0.1 {operational} {admin} {weights} 7 8 2 0 6 0 0 0 - 80 - 0 0 - - 0"
        );
        let mut all = Saved::parse(&format!("1\n# be_id ...\n{line}\n")).expect("a good file");
        all.remove(0)
    }

    #[test]
    fn a_server_goes_on_where_it_was() {
        let down = server(10);
        saved(0, 0, "5 10").apply(&down, 60_000);
        assert_eq!(down.operational(), Operational::Stopped);
        assert_eq!(down.user_weight(), 5);
        assert_eq!(down.check_report().last_change_ms, 53_000);
        assert_eq!(down.check_report().status, CheckStatus::L4Connection);
        assert_eq!(down.health().map(|health| health.counter), Some(0));

        let up = server(10);
        saved(2, 0, "5 11").apply(&up, 60_000);
        assert_eq!(up.user_weight(), 10, "the configuration has a new weight");
        assert_eq!(up.health().map(|health| health.counter), Some(4));

        let drained = server(10);
        saved(2, 8, "10 10").apply(&drained, 60_000);
        assert_eq!(drained.admin(), Admin::FDRAIN);
        let forced = server(10);
        saved(0, 1, "10 10").apply(&forced, 60_000);
        assert_eq!(forced.admin(), Admin::FMAINT);
        let by_line = server(10);
        saved(0, 5, "10 10").apply(&by_line, 60_000);
        assert_eq!(by_line.admin(), Admin::READY, "the line no longer says so");
    }

    #[test]
    fn a_file_that_is_none_is_named_by_its_line() {
        assert_eq!(Saved::parse(""), Err(1));
        assert_eq!(Saved::parse("2\n"), Err(1));
        assert_eq!(Saved::parse("1\n# x\n3 be 1 s1\n"), Err(3));
        assert_eq!(Saved::parse("1\n# x\n\n"), Ok(Vec::new()));
    }
}
