//! One `resolvers` section: asks for what is due, and takes answers.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use reactor::{Core, Event};
use wire::dns::{self, Answer, Unfit};

use super::families::Accepted;
use super::inquiry::{Inquiry, Name, Wake};
use super::name_server::NameServer;
use crate::control::process::{News, Process};
use crate::plan::{ResolversId, ServerId};
use crate::resolve::{self, Outcome, Status, Step, Subject};
use crate::rt;
use crate::state::Runtime;
use crate::stream::Question;

/// A section at work.
pub struct Section {
    core: Core,
    runtime: Arc<Runtime>,
    id: ResolversId,
    accepted: Rc<Accepted>,
    pub name_servers: Box<[NameServer]>,
    inquiry: RefCell<Inquiry>,
    /// Something became due.
    work: Event,
    /// Numbers of questions are drawn from this: a hash with a key that nobody else knows.
    random: RandomState,
    drawn: Cell<u64>,
}

impl Section {
    pub(super) fn new(
        core: &Core,
        runtime: Arc<Runtime>,
        id: ResolversId,
        accepted: Rc<Accepted>,
    ) -> Rc<Self> {
        let specs = &runtime.plan.resolvers[id.index()].name_servers;
        let name_servers = specs
            .iter()
            .map(|spec| NameServer::new(core, spec))
            .collect();
        Rc::new(Self {
            core: core.clone(),
            id,
            accepted,
            name_servers,
            inquiry: RefCell::default(),
            work: core.event(),
            random: RandomState::new(),
            drawn: Cell::new(0),
            runtime,
        })
    }

    pub fn name(&self) -> &str {
        &self.spec().name
    }

    fn spec(&self) -> &resolve::Section {
        &self.runtime.plan.resolvers[self.id.index()]
    }

    pub(super) fn start(self: &Rc<Self>, core: &Core, process: &Rc<RefCell<Process>>) {
        for index in 0..self.name_servers.len() {
            let (section, process, core) = (Rc::clone(self), Rc::clone(process), core.clone());
            let payload_max = self.spec().terms.payload_max;
            rt::spawn(async move {
                let take = |bytes: &[u8]| section.take(index, bytes, &process);
                section.name_servers[index]
                    .run(&core, payload_max, take)
                    .await;
            });
        }
        let (section, process) = (Rc::clone(self), Rc::clone(process));
        rt::spawn(async move { section.keep_time(&process).await });
    }

    pub(super) fn follow(&self, server: ServerId, name: &str, is_service: bool, prefer_ipv6: bool) {
        let name = name.to_ascii_lowercase();
        let subject = if is_service {
            Subject::Services { name }
        } else {
            Subject::Host { name, prefer_ipv6 }
        };
        let now_ms = self.core.now_ms();
        let place = self.inquiry.borrow_mut().join(server, subject, now_ms);
        if let Some(place) = place {
            self.advance(place);
        }
        self.work.notify();
    }

    pub(super) fn forget_host(&self, server: ServerId) {
        self.inquiry.borrow_mut().leave_host(server);
    }

    pub(super) fn hasten(&self, server: ServerId) {
        let places: Vec<usize> = self.inquiry.borrow().of_server(server).collect();
        for place in places {
            self.advance(place);
        }
        self.work.notify();
    }

    /// Answers from what is known, or asks.
    pub(super) fn look_up(&self, question: Question, wake: Wake) {
        let subject = Subject::Host {
            name: question.lookup.name.clone(),
            prefer_ipv6: question.lookup.prefer_ipv6,
        };
        let now_ms = self.core.now_ms();
        let hold_ms = self.spec().terms.holds.valid_ms;
        let mut inquiry = self.inquiry.borrow_mut();
        let place = inquiry.place(subject, now_ms);
        let Some((place, name)) = place.and_then(|place| Some((place, inquiry.name(place)?)))
        else {
            drop(inquiry);
            return tell(&question, &wake, None);
        };
        name.used_ms = now_ms;
        if name.resolution.is_fresh(hold_ms, now_ms) {
            let found = name.resolution.addresses().next();
            drop(inquiry);
            return tell(&question, &wake, found);
        }
        name.streams.push((question, wake));
        drop(inquiry);
        self.advance(place);
        self.work.notify();
    }

    /// Begins a resolution unless one is under way.
    fn advance(&self, place: usize) {
        let (now_ms, terms) = (self.core.now_ms(), &self.spec().terms);
        let families = self.accepted.now(now_ms);
        let step = match self.inquiry.borrow_mut().name(place) {
            Some(name) => name.resolution.begin(families, terms, now_ms),
            None => return,
        };
        if let Step::Ask(kind) = step {
            self.ask(place, kind);
        }
        self.inquiry.borrow_mut().reschedule(place);
    }

    /// Asks all name servers.
    fn ask(&self, place: usize, kind: dns::Kind) {
        let mut inquiry = self.inquiry.borrow_mut();
        let id = inquiry.number(place, || self.draw());
        let Some(name) = inquiry.name(place) else {
            return;
        };
        let question = dns::Question {
            id,
            name: name.resolution.subject().name(),
            kind,
            payload_max: self.spec().terms.payload_max,
        };
        let message = question.encode().unwrap_or_default();
        let is_sent = |server: &&NameServer| !message.is_empty() && server.send(&message);
        let sent = self.name_servers.iter().filter(is_sent).count();
        name.resolution.was_asked(sent);
    }

    fn draw(&self) -> u16 {
        self.drawn.set(self.drawn.get().wrapping_add(1));
        self.random.hash_one(self.drawn.get()) as u16
    }

    async fn keep_time(&self, process: &Rc<RefCell<Process>>) {
        let timer = self.core.timer();
        loop {
            while let Some(place) = self.next_due() {
                self.on_time(place, process);
            }
            match self.inquiry.borrow().next_ms() {
                Some(at_ms) => timer.set(at_ms),
                None => timer.clear(),
            }
            let mut called = pin!(self.work.wait());
            poll_fn(|context| {
                if called.as_mut().poll(context).is_ready() {
                    return Poll::Ready(());
                }
                timer.poll_expired(context)
            })
            .await;
        }
    }

    fn next_due(&self) -> Option<usize> {
        self.inquiry.borrow().take_due(self.core.now_ms())
    }

    fn on_time(&self, place: usize, process: &Rc<RefCell<Process>>) {
        let (now_ms, terms) = (self.core.now_ms(), &self.spec().terms);
        let families = self.accepted.now(now_ms);
        let mut inquiry = self.inquiry.borrow_mut();
        let Some(name) = inquiry.name(place) else {
            return;
        };
        let is_idle = name.resolution.is_idle() && name.streams.is_empty();
        if is_idle && name.servers.is_empty() {
            // A stream may come back for it as long as its answer holds.
            let keep_ms = name.used_ms + terms.holds.valid_ms.max(terms.resolve_ms);
            if now_ms >= keep_ms {
                inquiry.remove(place);
            } else {
                name.resolution.rest(keep_ms);
                inquiry.reschedule(place);
            }
            return;
        }
        let waited_for_answers = name.id.is_some() && !name.resolution.is_idle();
        let step = name.resolution.on_time(families, terms, now_ms);
        drop(inquiry);
        if waited_for_answers {
            self.name_servers
                .iter()
                .for_each(|server| server.count(|counters| counters.timeout += 1));
        }
        self.go_on(place, step, None, process);
    }

    /// A message has come from a name server.
    fn take(&self, from: usize, bytes: &[u8], process: &Rc<RefCell<Process>>) {
        let server = &self.name_servers[from];
        let (now_ms, terms) = (self.core.now_ms(), &self.spec().terms);
        let families = self.accepted.now(now_ms);
        let mut inquiry = self.inquiry.borrow_mut();
        let Some(id) = dns::id(bytes) else {
            return server.count(|counters| counters.invalid += 1);
        };
        let Some(place) = inquiry.asked_as(id) else {
            return server.count(|counters| counters.outdated += 1);
        };
        let Some(name) = inquiry.name(place) else {
            return;
        };
        let question = dns::Question {
            id,
            name: name.resolution.subject().name(),
            kind: name.resolution.asked(),
            payload_max: terms.payload_max,
        };
        let answer = match dns::decode(bytes, &question) {
            Ok(answer) => answer,
            Err(Unfit::Malformed | Unfit::Unrelated) => {
                return server.count(|counters| counters.invalid += 1);
            }
        };
        count(server, &answer);
        let step = name.resolution.on_answer(answer, families, terms, now_ms);
        drop(inquiry);
        self.go_on(place, step, Some(from), process);
        self.work.notify();
    }

    fn go_on(&self, place: usize, step: Step, from: Option<usize>, process: &Rc<RefCell<Process>>) {
        match step {
            Step::Ask(kind) => self.ask(place, kind),
            Step::Wait => {}
            Step::Done(outcome) => self.tell_all(place, outcome, from, process),
        }
        self.inquiry.borrow_mut().reschedule(place);
    }

    /// A resolution is over: those who want the name are told.
    fn tell_all(
        &self,
        place: usize,
        outcome: Outcome,
        from: Option<usize>,
        process: &Rc<RefCell<Process>>,
    ) {
        let mut inquiry = self.inquiry.borrow_mut();
        inquiry.close(place);
        let Some(name) = inquiry.name(place) else {
            return;
        };
        let streams = std::mem::take(&mut name.streams);
        let found = (outcome.status == Status::Valid)
            .then(|| name.resolution.addresses().next())
            .flatten();
        let news =
            (outcome.counts && !name.servers.is_empty()).then(|| self.news(name, outcome, from));
        // What follows may change whom a server follows: nothing is borrowed then.
        drop(inquiry);
        for (question, wake) in streams {
            tell(&question, &wake, found);
        }
        if let Some(news) = news
            && process.borrow_mut().resolved(&news)
            && let Some(from) = from
        {
            self.name_servers[from].count(|counters| counters.update += 1);
        }
    }

    fn news(&self, name: &Name, outcome: Outcome, from: Option<usize>) -> News {
        let records = name.resolution.records().cloned().collect();
        News {
            is_service: matches!(name.resolution.subject(), Subject::Services { .. }),
            servers: name.servers.clone(),
            status: outcome.status,
            records,
            source: from.map(|from| format!("{}/{}", self.name(), self.name_servers[from].name)),
        }
    }
}

fn tell(question: &Question, wake: &Wake, found: Option<std::net::IpAddr>) {
    // Set once: a question is answered once.
    let _ = question.answer.set(found);
    wake(question);
}

fn count(server: &NameServer, answer: &Answer) {
    server.count(|counters| {
        *match answer {
            Answer::Valid(_) => &mut counters.valid,
            Answer::NxDomain => &mut counters.nx,
            Answer::Refused => &mut counters.refused,
            Answer::Empty => &mut counters.any_err,
            Answer::BrokenChain => &mut counters.cname_error,
            Answer::Truncated => &mut counters.truncated,
            Answer::Other => &mut counters.other,
        } += 1;
    });
}
