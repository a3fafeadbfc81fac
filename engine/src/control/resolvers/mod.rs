//! `resolvers` sections at work: name servers are asked, servers and streams are told (manual, 5.3).
//!
//! Everything here lives on the control thread. A section's task owns its clock; its name servers'
//! tasks bring answers. What answers mean is decided in `resolve`, what follows for servers in
//! `process`.

mod families;
mod inquiry;
mod name_server;
mod report;
mod section;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use reactor::Core;

use self::families::Accepted;
use self::section::Section;
use super::process::Process;
use crate::plan::{ResolversId, ServerId};
use crate::state::Runtime;
use crate::stream::Question;

/// All sections.
pub struct Resolvers {
    runtime: Arc<Runtime>,
    sections: Box<[Rc<Section>]>,
}

impl Resolvers {
    /// Sections that ask nothing yet.
    pub fn new(core: &Core, runtime: &Arc<Runtime>) -> Rc<Self> {
        let accepted = Rc::new(Accepted::new(runtime.plan.process.dns_families));
        let sections = (0..runtime.plan.resolvers.len())
            .map(|index| {
                let id = ResolversId(index as u32);
                Section::new(core, Arc::clone(runtime), id, Rc::clone(&accepted))
            })
            .collect();
        Rc::new(Self {
            runtime: Arc::clone(runtime),
            sections,
        })
    }

    /// Opens the ways to the name servers and begins with the names of all servers.
    pub fn start(&self, core: &Core, process: &Rc<RefCell<Process>>) {
        for section in &self.sections {
            section.start(core, process);
        }
        let plan = Arc::clone(&self.runtime.plan);
        for server in plan
            .servers
            .iter()
            .filter(|server| server.resolving.is_some())
        {
            let named = self.runtime.watches[server.id.index()].named();
            if let Some(name) = named.service.as_deref().or(named.host.as_deref()) {
                self.follow(server.id, name, named.service.is_some());
            }
        }
    }

    /// A server goes by this name from now on; `is_service` for an SRV label.
    pub fn follow(&self, server: ServerId, name: &str, is_service: bool) {
        let Some(resolving) = &self.runtime.plan.server(server).resolving else {
            return;
        };
        let section = &self.sections[resolving.by.index()];
        section.follow(server, name, is_service, resolving.prefer_ipv6);
    }

    /// A server's host is of no interest any more; its SRV label, if it has one, is.
    pub fn forget_host(&self, server: ServerId) {
        if let Some(resolving) = &self.runtime.plan.server(server).resolving {
            self.sections[resolving.by.index()].forget_host(server);
        }
    }

    /// Resolves a server's name now: it may have moved (manual, 5.3.1).
    pub fn hasten(&self, server: ServerId) {
        if let Some(resolving) = &self.runtime.plan.server(server).resolving {
            self.sections[resolving.by.index()].hasten(server);
        }
    }

    /// Answers a stream.
    pub fn look_up(&self, question: Question, wake: impl Fn(&Question) + 'static) {
        self.sections[question.lookup.by.index()].look_up(question, Box::new(wake));
    }

    /// `show resolvers`; `None` where no section is of that name.
    pub fn report(&self, name: Option<&str>) -> Option<String> {
        report::text(&self.sections, name)
    }

    /// `show stat domain resolvers`.
    pub fn table(&self) -> String {
        report::table(&self.sections)
    }
}
