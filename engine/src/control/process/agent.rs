//! What agents say, carried out (manual 5.2, `agent-check`).

use std::rc::Rc;

use super::Process;
use super::change::Why;
use crate::check;
use crate::check::agent::{Admin, Agent, Said};
use crate::control::ops::{AdminState, ForcedHealth, NewWeight, Ops};
use crate::log::Level;
use crate::plan::ServerId;
use crate::probe::Finding;
use crate::server::{CheckStatus, Health, UserWeight};

/// Manual 5.2, `agent-check`: one word is enough, either way.
const RISE: u32 = 1;
const FALL: u32 = 1;

impl Process {
    /// An agent of a server is asked from now on.
    pub fn asked_of(&mut self, server: ServerId, agent: Rc<Agent>) {
        let state = self.server(server);
        state.set_agent(Some(Health::barely_up(RISE, FALL)));
        state.agent_report().status = CheckStatus::Initializing;
        self.agents[server.index()] = Some(agent);
    }

    /// An agent has spoken. A failure to speak changes nothing.
    pub fn heard(&mut self, id: ServerId, heard: Result<Said, Finding>, duration_ms: u64) {
        let (said, finding) = match heard {
            Ok(said) => (said.clone(), finding(said)),
            Err(finding) => (Said::default(), finding),
        };
        let server = self.server(id).clone();
        let status_before = {
            let mut report = server.agent_report();
            (report.code, report.duration_ms) = (finding.code, duration_ms);
            report.info.clone_from(&finding.info);
            std::mem::replace(&mut report.status, finding.status)
        };
        if let Some(weight) = said.weight {
            let weight = match weight {
                UserWeight::Absolute(weight) => NewWeight::Absolute(weight),
                UserWeight::Percent(percent) => NewWeight::Percent(percent),
            };
            // A static algorithm refuses most weights; the agent is not told.
            let _ = self.set_weight(id, weight);
        }
        if let Some(maxconn) = said.maxconn {
            let _ = self.set_server_maxconn(id, maxconn);
        }
        if let Some(admin) = said.admin {
            self.administer(id, admin);
        }
        let agent_before = server.agent();
        if let Some(is_up) = said.is_up {
            server.set_agent(Some(health(is_up)));
        }
        let plan = &self.runtime.plan;
        let section = &plan.proxy(plan.server(id).backend).section;
        let logs = section.check.log_health_checks || section.options.log_health_checks;
        let says_little = finding.status == CheckStatus::Checked;
        let is_news = finding.status != status_before || server.agent() != agent_before;
        let is_told = logs && is_news && !says_little;
        if is_told {
            let backend = self.runtime.plan.server(id).backend;
            let report = server.agent_report().clone();
            let agent = server.agent().unwrap_or_else(|| health(true));
            let text = check::agent_text(&server, &report, agent);
            self.say(backend, Level::Notice, &text);
        }
        if let Some(is_up) = said.is_up {
            self.follow_agent(id, is_up, is_told);
        }
    }

    fn administer(&mut self, id: ServerId, admin: Admin) {
        let before = self.server(id).admin();
        let (state, is_so) = match admin {
            Admin::Ready => (AdminState::Ready, before == before.ready()),
            Admin::Drain => (AdminState::Drain, before == before.drain()),
            Admin::Maint => (AdminState::Maint, before == before.maint()),
        };
        if !is_so {
            let _ = self.set_admin_state(id, state);
        }
    }

    /// Brings a server down, or up if its checks agree.
    fn follow_agent(&mut self, id: ServerId, is_up: bool, is_told: bool) {
        let server = self.server(id).clone();
        if server.admin().in_maint() {
            return;
        }
        let now_ms = self.surroundings.now_ms();
        let change = match (is_up, server.health()) {
            (false, _) => server.go_down(now_ms),
            (true, Some(health)) if !health.is_up() => None,
            (true, _) => server.go_up(now_ms),
        };
        if let Some(change) = change {
            let report = server.agent_report().clone();
            let why = if is_told {
                Why::LoggedCheck
            } else {
                Why::Check(&report)
            };
            self.went(id, change, why);
        }
    }

    /// `set server X agent up|down`.
    pub(super) fn force(&mut self, id: ServerId, forced: ForcedHealth) -> Result<(), String> {
        if self.agents[id.index()].is_none() {
            return Err("agent checks are not enabled on this server.".to_owned());
        }
        let is_up = forced != ForcedHealth::Down;
        self.server(id).set_agent(Some(health(is_up)));
        self.follow_agent(id, is_up, true);
        Ok(())
    }
}

fn health(is_up: bool) -> Health {
    let mut health = Health::barely_up(RISE, FALL);
    if !is_up {
        health.counter = 0;
    }
    health
}

fn finding(said: Said) -> Finding {
    let status = match said.is_up {
        Some(true) => CheckStatus::L7Ok,
        Some(false) => CheckStatus::L7Status,
        None => CheckStatus::Checked,
    };
    Finding {
        status,
        code: 0,
        info: said.info,
    }
}
