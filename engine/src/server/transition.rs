//! How a server changes its state, with what follows for its counters and its slow start.

use super::{Admin, Health, Operational, ServerState};

/// A transition of the operational state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    Up,
    Down,
    /// To NOLB: up, but only for persistent requests.
    Stopping,
}

impl ServerState {
    /// Marks it down. `None` if it was down already.
    pub fn go_down(&self, now_ms: u64) -> Option<Change> {
        if !self.operational().is_up() {
            return None;
        }
        self.set_operational(Operational::Stopped);
        let mut report = self.check_report();
        report.went_down += 1;
        report.last_change_ms = now_ms;
        Some(Change::Down)
    }

    /// Marks it up: from down with a slow start if one is configured, from NOLB at once. `None` if
    /// it was up already, or an agent holds it down.
    pub fn go_up(&self, now_ms: u64) -> Option<Change> {
        let before = self.operational();
        let held_down = self.agent().is_some_and(|agent| !agent.is_up());
        match before {
            Operational::Running | Operational::Starting => None,
            Operational::Stopped if held_down => None,
            Operational::Stopping => {
                self.set_operational(Operational::Running);
                Some(Change::Up)
            }
            Operational::Stopped => {
                let mut report = self.check_report();
                report.downtime_ms += now_ms.saturating_sub(report.last_change_ms);
                report.last_change_ms = now_ms;
                drop(report);
                self.begin_slowstart();
                Some(Change::Up)
            }
        }
    }

    /// Marks it NOLB. Only a server that is up can be stopping.
    pub fn go_stopping(&self) -> Option<Change> {
        match self.operational() {
            Operational::Running | Operational::Starting => {
                self.set_operational(Operational::Stopping);
                Some(Change::Stopping)
            }
            Operational::Stopped | Operational::Stopping => None,
        }
    }

    fn begin_slowstart(&self) {
        if self.slowstart_ms() == 0 {
            self.set_operational(Operational::Running);
        } else {
            self.set_operational(Operational::Starting);
            self.store_throttle(1);
        }
    }

    /// Moves the slow start on. True if the weight changed, so that a new view is due; the caller
    /// then serves the queue too, for the limit grew.
    pub fn advance_slowstart(&self, now_ms: u64) -> bool {
        if self.operational() != Operational::Starting {
            return false;
        }
        let since_ms = self.check_report().last_change_ms;
        let percent = super::throttle_percent(since_ms, self.slowstart_ms(), now_ms);
        let changed = percent != self.throttle_percent();
        self.store_throttle(percent);
        if percent == 100 {
            self.set_operational(Operational::Running);
        }
        changed
    }

    /// Changes the administrative state. Entering maintenance is a way down, leaving it a way up:
    /// the server is then up at the lowest health, as after a start.
    pub fn change_admin(&self, admin: Admin, now_ms: u64) -> Option<Change> {
        let before = self.admin();
        self.set_admin(admin);
        match (before.in_maint(), admin.in_maint()) {
            (false, true) => {
                self.store_throttle(100);
                self.go_down(now_ms)
            }
            (true, false) => {
                if let Some(health) = self.health() {
                    self.set_health(Some(Health::barely_up(health.rise, health.fall)));
                }
                self.go_up(now_ms)
            }
            _ => None,
        }
    }

    /// Takes over the state of the server that this one tracks (manual 5.2, `track`).
    pub fn follow(&self, tracked: &ServerState, now_ms: u64) -> Option<Change> {
        let own = self.admin().without(Admin::IMAINT.with(Admin::IDRAIN));
        let by_admin = self.change_admin(own.with(tracked.admin().inherited()), now_ms);
        if self.admin().in_maint() {
            return by_admin;
        }
        let by_health = match tracked.operational() {
            Operational::Stopped => self.go_down(now_ms),
            Operational::Starting | Operational::Running => self.go_up(now_ms),
            Operational::Stopping => {
                if !self.operational().is_up() {
                    self.go_up(now_ms);
                }
                self.go_stopping()
            }
        };
        by_health.or(by_admin)
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

    fn server(slowstart_ms: u64) -> Arc<ServerState> {
        let settings = ServerSettings {
            weight: 100,
            slowstart_ms,
            ..ServerSettings::default()
        };
        Registry::new(1, Arc::new(NoWake))
            .server("be", "s1", &settings)
            .0
    }

    #[test]
    fn downtime_adds_up() {
        let server = server(0);
        assert_eq!(server.go_down(1_000), Some(Change::Down));
        assert_eq!(server.go_down(2_000), None);
        assert_eq!(
            server
                .check_report()
                .downtime_ms(server.operational(), 3_000),
            2_000
        );
        assert_eq!(server.go_up(5_000), Some(Change::Up));
        assert_eq!(
            server
                .check_report()
                .downtime_ms(server.operational(), 9_000),
            4_000
        );
        assert_eq!(server.check_report().went_down, 1);
    }

    #[test]
    fn slow_start_follows_a_failure_only() {
        let server = server(10_000);
        assert_eq!(
            (server.operational(), server.throttle_percent()),
            (Operational::Running, 100)
        );
        server.go_down(0);
        server.go_up(1_000);
        assert_eq!(server.operational(), Operational::Starting);
        assert_eq!(server.effective_weight(), 16);
        assert!(server.advance_slowstart(6_000));
        assert_eq!(server.effective_weight(), 800);
        assert!(server.advance_slowstart(11_000));
        assert_eq!(
            (server.operational(), server.effective_weight()),
            (Operational::Running, 1600)
        );
        assert!(!server.advance_slowstart(12_000));
    }

    #[test]
    fn maintenance_is_a_way_down_and_back() {
        let server = server(0);
        server.set_health(Some(Health {
            rise: 2,
            fall: 3,
            counter: 4,
        }));
        assert_eq!(server.change_admin(Admin::FMAINT, 10), Some(Change::Down));
        assert!(!server.is_usable());
        assert_eq!(server.change_admin(Admin::READY, 20), Some(Change::Up));
        assert_eq!(server.health().map(|health| health.counter), Some(2));
        assert_eq!(server.change_admin(Admin::FDRAIN, 30), None);
        assert!(server.is_usable() && !server.takes_new());
    }

    #[test]
    fn an_agent_that_says_down_holds_the_server_down() {
        let server = server(0);
        server.set_agent(Some(Health {
            rise: 1,
            fall: 1,
            counter: 0,
        }));
        server.go_down(1);
        assert_eq!(server.go_up(2), None);
        server.set_agent(Some(Health {
            rise: 1,
            fall: 1,
            counter: 1,
        }));
        assert_eq!(server.go_up(3), Some(Change::Up));
    }

    #[test]
    fn only_a_server_that_is_up_can_be_stopping() {
        let server = server(0);
        assert_eq!(server.go_stopping(), Some(Change::Stopping));
        assert_eq!(server.go_stopping(), None);
        assert!(server.is_usable() && !server.takes_new());
        assert_eq!(server.go_up(5), Some(Change::Up));
        server.go_down(6);
        assert_eq!(server.go_stopping(), None);
    }

    #[test]
    fn a_tracking_server_follows_every_change() {
        let (tracked, follower) = (server(0), server(0));
        tracked.go_down(1);
        assert_eq!(follower.follow(&tracked, 1), Some(Change::Down));
        tracked.go_up(2);
        assert_eq!(follower.follow(&tracked, 2), Some(Change::Up));
        tracked.go_stopping();
        assert_eq!(follower.follow(&tracked, 3), Some(Change::Stopping));
        assert_eq!(follower.follow(&tracked, 3), None);
        tracked.change_admin(Admin::FMAINT, 4);
        assert_eq!(follower.follow(&tracked, 4), Some(Change::Down));
        assert_eq!(follower.admin(), Admin::IMAINT);
        tracked.change_admin(Admin::READY, 5);
        assert_eq!(follower.follow(&tracked, 5), Some(Change::Up));
        tracked.set_admin(Admin::FDRAIN);
        assert_eq!(follower.follow(&tracked, 6), None);
        assert_eq!(follower.admin(), Admin::IDRAIN);
    }
}
