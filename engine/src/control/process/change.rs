//! What follows when a server changes.

use cfgparse::model::server::{MarkedDown, MarkedUp};

use super::Process;
use super::words::{self, Told};
use crate::check::{self, Cause, Left, Settings};
use crate::log::{Cause as EndedBy, Level};
use crate::mesh::{Streams, ToShard};
use crate::plan::ServerId;
use crate::probe::Finding;
use crate::server::{Admin, Change, CheckReport, CheckStatus, Operational};

/// Why a server changed its operational state.
#[derive(Clone, Copy, Debug)]
pub enum Why<'a> {
    /// Its check, with what that found.
    Check(&'a CheckReport),
    /// Its check, and the result has been told already.
    LoggedCheck,
    /// `set server X health`.
    Cli,
    /// The server that it tracks: `backend/server`.
    Via(&'a str),
}

impl Process {
    /// A check of a server is over.
    pub fn found(&mut self, id: ServerId, settings: &Settings, finding: &Finding, took_ms: u64) {
        let server = self.server(id).clone();
        let now_ms = self.surroundings.now_ms();
        if finding.status == CheckStatus::L4Timeout {
            // It may have moved (manual, 5.3.1).
            self.resolvers
                .iter()
                .for_each(|resolvers| resolvers.hasten(id));
        }
        let judged = check::judge(&server, settings, finding, took_ms, now_ms);
        let report = server.check_report().clone();
        let is_told = settings.log_checks && judged.is_news;
        if let Some(health) = server.health().filter(|_| is_told) {
            let backend = self.runtime.plan.server(id).backend;
            self.say(
                backend,
                Level::Notice,
                &check::check_text(&server, &report, health),
            );
        }
        if let Some(change) = judged.change {
            self.went(
                id,
                change,
                if is_told {
                    Why::LoggedCheck
                } else {
                    Why::Check(&report)
                },
            );
        }
    }

    /// A server has changed its operational state.
    pub(super) fn went(&mut self, id: ServerId, change: Change, why: Why<'_>) {
        let server = self.server(id).clone();
        let backend = self.runtime.plan.server(id).backend;
        let (lost, left) = self.apply(id, Some(change));
        let cause = match why {
            Why::Check(report) => Cause::Check(report),
            Why::LoggedCheck => Cause::LoggedCheck,
            Why::Cli => Cause::Cli,
            Why::Via(name) => Cause::Via(name),
        };
        let level = if change == Change::Down {
            Level::Alert
        } else {
            Level::Notice
        };
        self.say(
            backend,
            level,
            &check::change_text(&server, change, cause, &left),
        );
        if lost {
            self.say_no_server(backend);
        }
        self.lead(id);
    }

    /// Gives a server another administrative state.
    pub(super) fn change_admin(&mut self, id: ServerId, admin: Admin, told: Told<'_>) {
        let server = self.server(id).clone();
        let before = server.admin();
        let backend = self.runtime.plan.server(id).backend;
        let took_new = server.takes_new();
        let mut change = server.change_admin(admin, self.surroundings.now_ms());
        if change == Some(Change::Up) && self.is_held_down(id) {
            server.set_operational(Operational::Stopped);
            change = None;
        }
        if before == admin {
            // Asked for again: only what it remains in is told.
            let tracked = self.tracked_name(id);
            let told = Told {
                via: tracked.as_deref(),
                ..Told::default()
            };
            self.say_admin(id, before, told, &Left::default(), false);
            return;
        }
        let (lost, left) = self.apply(id, change);
        let tracked = self.tracked_name(id);
        let told = Told {
            via: told.via.or(tracked.as_deref()),
            was_down: change.is_none(),
            ..told
        };
        self.say_admin(id, before, told, &left, took_new);
        if lost {
            self.say_no_server(backend);
        }
        self.lead(id);
    }

    fn say_admin(&self, id: ServerId, before: Admin, told: Told<'_>, left: &Left, alarm: bool) {
        let server = self.server(id);
        let host = self.runtime.watches[id.index()].named().host;
        let told = Told {
            host: host.as_deref().unwrap_or(""),
            ..told
        };
        let into_maintenance = !before.in_maint() && server.admin().in_maint();
        let level = if alarm && into_maintenance {
            Level::Alert
        } else {
            Level::Notice
        };
        for text in words::admin_changed(server, before, told, left) {
            self.say(self.runtime.plan.server(id).backend, level, &text);
        }
    }

    /// Tells the cores, moves waiting requests and ends streams. True if no server is left.
    pub(super) fn apply(&mut self, id: ServerId, change: Option<Change>) -> (bool, Left) {
        let server = self.server(id).clone();
        let queues = server.backend().clone();
        let plan = self.runtime.plan.server(id);
        let (backend, line) = (plan.backend, plan.line.clone());
        let waiting_before = queues.queued();
        let lost = self.refresh(backend);
        let requeued = if server.takes_new() {
            waiting_before.saturating_sub(queues.queued())
        } else {
            queues.redispatch(&server)
        };
        let left = Left {
            usable: queues.usable(),
            sessions: server.in_use(),
            requeued,
            queued: queues.queued(),
        };
        if change == Some(Change::Down) && line.on_marked_down == Some(MarkedDown::ShutdownSessions)
        {
            let streams = Streams::OfServer(id);
            self.tell(|| ToShard::Shutdown {
                streams,
                cause: EndedBy::Down,
            });
        }
        if change == Some(Change::Up)
            && line.on_marked_up == Some(MarkedUp::ShutdownBackupSessions)
            && !server.is_backup()
        {
            let streams = Streams::OnBackupsOf(backend);
            self.tell(|| ToShard::Shutdown {
                streams,
                cause: EndedBy::Up,
            });
        }
        (lost, left)
    }

    /// Those who track a server follow it.
    fn lead(&mut self, id: ServerId) {
        let runtime = self.runtime.clone();
        let trackers = runtime.watches[id.index()].trackers();
        if trackers.is_empty() {
            return;
        }
        let (leader, name) = (self.server(id).clone(), self.name(id));
        let inherited = leader.admin().inherited();
        for tracker in trackers {
            let server = self.server(tracker).clone();
            let own = server.admin().without(Admin::IMAINT.with(Admin::IDRAIN));
            if server.admin() != own.with(inherited) {
                let told = Told {
                    via: Some(&name),
                    ..Told::default()
                };
                self.change_admin(tracker, own.with(inherited), told);
            }
            if server.admin().in_maint() {
                continue;
            }
            let now_ms = self.surroundings.now_ms();
            let change = match leader.operational() {
                Operational::Stopped => server.go_down(now_ms),
                Operational::Stopping => {
                    // Only what is up can be stopping.
                    let _ = server.go_up(now_ms);
                    server.go_stopping()
                }
                Operational::Starting | Operational::Running => server.go_up(now_ms),
            };
            if let Some(change) = change {
                self.went(tracker, change, Why::Via(&name));
            }
        }
    }

    /// Whether the server that this one tracks is down.
    fn is_held_down(&self, id: ServerId) -> bool {
        let tracked = self.runtime.watches[id.index()].tracks;
        tracked.is_some_and(|tracked| !self.server(tracked).operational().is_up())
    }

    fn tracked_name(&self, id: ServerId) -> Option<String> {
        self.runtime.watches[id.index()]
            .tracks
            .map(|tracked| self.name(tracked))
    }
}
