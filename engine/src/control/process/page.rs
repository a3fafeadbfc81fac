//! What streams ask for: changes from the statistics page, and errors that traffic saw.

use std::sync::atomic::Ordering;

use super::Process;
use crate::check;
use crate::control::ops::{AdminState, CheckKind, ForcedHealth, Later, Ops};
use crate::plan::ServerId;
use crate::server::CheckReport;
use crate::service::page::Action;
use crate::stream::Order;

impl Process {
    /// Changes the servers of an order; completes when all cores know.
    pub fn carry_out(&mut self, order: &Order) -> Later<()> {
        let mut changed = 0u8;
        for &server in &order.servers {
            changed = changed.saturating_add(u8::from(self.act(server, order.action).is_ok()));
        }
        order
            .changed
            .store(changed.saturating_add(1), Ordering::Release);
        self.settlements.ask(&self.mesh)
    }

    fn act(&mut self, server: ServerId, action: Action) -> Result<(), String> {
        match action {
            Action::Ready => self.set_admin_state(server, AdminState::Ready),
            Action::Drain => self.set_admin_state(server, AdminState::Drain),
            Action::Maint => self.set_admin_state(server, AdminState::Maint),
            Action::DisableHealth => self.set_checks(server, CheckKind::Health, false),
            Action::EnableHealth => self.set_checks(server, CheckKind::Health, true),
            Action::HealthUp => self.force_health(server, ForcedHealth::Up),
            Action::HealthNolb => self.force_health(server, ForcedHealth::Stopping),
            Action::HealthDown => self.force_health(server, ForcedHealth::Down),
            Action::DisableAgent => self.set_checks(server, CheckKind::Agent, false),
            Action::EnableAgent => self.set_checks(server, CheckKind::Agent, true),
            Action::AgentUp => self.force_agent(server, ForcedHealth::Up),
            Action::AgentDown => self.force_agent(server, ForcedHealth::Down),
            Action::Shutdown => {
                self.shutdown_server_streams(server);
                Ok(())
            }
        }
    }

    /// Traffic has seen `error-limit` errors in a row (manual 5.2, `on-error`).
    pub fn observed(&mut self, id: ServerId) {
        let Some(watched) = self.checks[id.index()].clone() else {
            return;
        };
        let server = self.server(id).clone();
        let now_ms = self.surroundings.now_ms();
        let judged = check::observe(&server, &watched.settings, now_ms);
        watched.hasten();
        let report: CheckReport = server.check_report().clone();
        if let Some(change) = judged.change {
            self.went(id, change, super::change::Why::Check(&report));
        }
    }
}
