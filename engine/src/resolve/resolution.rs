//! One name and its answers: a state machine that is told of answers and of time.

use std::net::IpAddr;

use wire::dns::{Answer, Found, Kind};

use super::{Families, Terms};

/// What is resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Addresses of a host, of the preferred family if it has one of it.
    Host { name: String, prefer_ipv6: bool },
    /// A label such as `_http._tcp.example.com`.
    Services { name: String },
}

impl Subject {
    pub fn name(&self) -> &str {
        match self {
            Self::Host { name, .. } | Self::Services { name } => name,
        }
    }
}

/// What the last resolution came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Valid,
    NxDomain,
    Refused,
    Timeout,
    Other,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask all name servers.
    Ask(Kind),
    /// Nothing before [`Resolution::due_ms`].
    Wait,
    /// The resolution is over.
    Done(Outcome),
}

/// A resolution that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub status: Status,
    /// A failure that no earlier answer outweighs (manual, `hold`), or records that changed.
    pub counts: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    /// Name servers were asked; so many have not answered yet.
    Asking {
        open: usize,
    },
    /// All have answered in vain: the next round begins with the retry.
    Failed(Status),
}

#[derive(Clone, Debug)]
struct Kept {
    record: Found,
    seen_ms: u64,
}

/// A name while servers or streams want it.
#[derive(Debug)]
pub struct Resolution {
    subject: Subject,
    stage: Stage,
    asked: Kind,
    /// The other family has been asked for in this round.
    fell_back: bool,
    tries_left: u32,
    due_ms: u64,
    last_valid_ms: Option<u64>,
    status: Option<Status>,
    records: Vec<Kept>,
}

impl Resolution {
    /// A name that has not been asked for; due at once.
    pub fn new(subject: Subject, now_ms: u64) -> Self {
        Self {
            subject,
            stage: Stage::Idle,
            asked: Kind::A,
            fell_back: false,
            tries_left: 0,
            due_ms: now_ms,
            last_valid_ms: None,
            status: None,
            records: Vec::new(),
        }
    }

    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// When [`Self::on_time`] is to be called next.
    pub fn due_ms(&self) -> u64 {
        self.due_ms
    }

    /// What was asked for last.
    pub fn asked(&self) -> Kind {
        self.asked
    }

    /// What the last resolution came to; `None` before the first is over.
    pub fn status(&self) -> Option<Status> {
        self.status
    }

    pub fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// The last answer, if it is no older than `hold_ms`.
    pub fn is_fresh(&self, hold_ms: u64, now_ms: u64) -> bool {
        let last = self
            .last_valid_ms
            .filter(|_| self.status == Some(Status::Valid));
        last.is_some_and(|last| now_ms < last + hold_ms)
    }

    /// Records that count, in the order of the answers.
    pub fn records(&self) -> impl Iterator<Item = &Found> {
        self.records.iter().map(|kept| &kept.record)
    }

    /// Addresses among them.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.records().filter_map(|record| match record {
            Found::Address(ip) => Some(*ip),
            Found::Service { .. } => None,
        })
    }

    /// Begins a resolution now unless one is under way.
    pub fn begin(&mut self, families: Families, terms: &Terms, now_ms: u64) -> Step {
        if self.stage != Stage::Idle {
            return Step::Wait;
        }
        self.tries_left = terms.tries.max(1);
        self.round(families, terms, now_ms)
    }

    /// Nobody wants it at present: nothing is done before then.
    pub fn rest(&mut self, until_ms: u64) {
        self.due_ms = until_ms;
    }

    /// `due_ms` has come.
    pub fn on_time(&mut self, families: Families, terms: &Terms, now_ms: u64) -> Step {
        let failed = match self.stage {
            Stage::Idle => return self.begin(families, terms, now_ms),
            Stage::Asking { .. } => Status::Timeout,
            Stage::Failed(status) => status,
        };
        if self.tries_left > 0 {
            return self.round(families, terms, now_ms);
        }
        self.fail(failed, terms, now_ms)
    }

    /// So many name servers could be asked.
    pub fn was_asked(&mut self, servers: usize) {
        self.stage = Stage::Asking { open: servers };
    }

    /// A name server's answer to the last question.
    pub fn on_answer(
        &mut self,
        answer: Answer,
        families: Families,
        terms: &Terms,
        now_ms: u64,
    ) -> Step {
        let Stage::Asking { open } = self.stage else {
            return Step::Wait;
        };
        let status = match answer {
            Answer::Valid(found) => return self.succeed(found, terms, now_ms),
            Answer::NxDomain => Status::NxDomain,
            Answer::Refused => Status::Refused,
            Answer::Empty | Answer::BrokenChain | Answer::Truncated | Answer::Other => {
                Status::Other
            }
        };
        if open > 1 {
            self.stage = Stage::Asking { open: open - 1 };
            return Step::Wait;
        }
        if let Some(other) = self.other_family(families).filter(|_| !self.fell_back) {
            self.fell_back = true;
            return self.ask(other, terms, now_ms);
        }
        if self.tries_left == 0 {
            return self.fail(status, terms, now_ms);
        }
        self.stage = Stage::Failed(status);
        Step::Wait
    }

    fn round(&mut self, families: Families, terms: &Terms, now_ms: u64) -> Step {
        self.tries_left -= 1;
        self.fell_back = false;
        let kind = match self.subject {
            Subject::Services { .. } => Kind::Srv,
            Subject::Host { prefer_ipv6, .. } => match (prefer_ipv6, families) {
                (_, Families { ipv6: false, .. }) => Kind::A,
                (_, Families { ipv4: false, .. }) | (true, _) => Kind::Aaaa,
                (false, _) => Kind::A,
            },
        };
        self.ask(kind, terms, now_ms)
    }

    fn ask(&mut self, kind: Kind, terms: &Terms, now_ms: u64) -> Step {
        self.asked = kind;
        self.stage = Stage::Asking { open: 0 };
        self.due_ms = now_ms + terms.retry_ms;
        Step::Ask(kind)
    }

    fn other_family(&self, families: Families) -> Option<Kind> {
        match self.asked {
            Kind::A => families.ipv6.then_some(Kind::Aaaa),
            Kind::Aaaa => families.ipv4.then_some(Kind::A),
            Kind::Srv => None,
        }
    }

    fn succeed(&mut self, found: Vec<Found>, terms: &Terms, now_ms: u64) -> Step {
        for record in found {
            let known = self
                .records
                .iter_mut()
                .find(|kept| is_same(&kept.record, &record));
            match known {
                Some(kept) => {
                    *kept = Kept {
                        record,
                        seen_ms: now_ms,
                    }
                }
                None => self.records.push(Kept {
                    record,
                    seen_ms: now_ms,
                }),
            }
        }
        let obsolete_ms = terms.holds.obsolete_ms;
        self.records
            .retain(|kept| kept.seen_ms == now_ms || now_ms < kept.seen_ms + obsolete_ms);
        self.last_valid_ms = Some(now_ms);
        self.end(Status::Valid, true, terms, now_ms)
    }

    fn fail(&mut self, status: Status, terms: &Terms, now_ms: u64) -> Step {
        let hold_ms = terms.holds.of(status);
        let is_held = self
            .last_valid_ms
            .is_some_and(|last| now_ms < last + hold_ms);
        if !is_held {
            self.records.clear();
        }
        self.end(status, !is_held, terms, now_ms)
    }

    fn end(&mut self, status: Status, counts: bool, terms: &Terms, now_ms: u64) -> Step {
        self.stage = Stage::Idle;
        self.status = Some(status);
        self.due_ms = now_ms + terms.resolve_ms;
        Step::Done(Outcome { status, counts })
    }
}

/// A service is known by where it is; its weight may change.
fn is_same(one: &Found, other: &Found) -> bool {
    match (one, other) {
        (
            Found::Service { target, port, .. },
            Found::Service {
                target: other_target,
                port: other_port,
                ..
            },
        ) => target == other_target && port == other_port,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::Holds;

    const V4: Families = Families {
        ipv4: true,
        ipv6: false,
    };

    fn terms() -> Terms {
        Terms {
            tries: 2,
            resolve_ms: 1_000,
            retry_ms: 300,
            payload_max: 512,
            holds: Holds {
                nx_ms: 5_000,
                refused_ms: 5_000,
                timeout_ms: 5_000,
                other_ms: 5_000,
                valid_ms: 2_000,
                obsolete_ms: 1_500,
            },
        }
    }

    fn host(prefer_ipv6: bool) -> Resolution {
        let subject = Subject::Host {
            name: "a.test".to_owned(),
            prefer_ipv6,
        };
        Resolution::new(subject, 0)
    }

    fn valid(last: &[u8]) -> Answer {
        let found = last
            .iter()
            .map(|&last| Found::Address([127, 0, 0, last].into()));
        Answer::Valid(found.collect())
    }

    fn addresses(resolution: &Resolution) -> Vec<u8> {
        let last = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => ip.octets()[3],
            IpAddr::V6(_) => 0,
        };
        resolution.addresses().map(last).collect()
    }

    fn done(status: Status, counts: bool) -> Step {
        Step::Done(Outcome { status, counts })
    }

    #[test]
    fn families_fall_back_and_rounds_wait_for_the_retry() {
        let terms = terms();
        let mut name = host(true);
        let both = Families::BOTH;
        assert_eq!(name.begin(both, &terms, 0), Step::Ask(Kind::Aaaa));
        name.was_asked(2);
        assert_eq!(
            name.on_answer(Answer::NxDomain, both, &terms, 10),
            Step::Wait
        );
        let answer = Answer::Refused;
        assert_eq!(name.on_answer(answer, both, &terms, 20), Step::Ask(Kind::A));
        name.was_asked(1);
        assert_eq!(
            name.on_answer(Answer::NxDomain, both, &terms, 30),
            Step::Wait
        );
        assert_eq!(name.due_ms(), 320);
        assert_eq!(name.on_time(both, &terms, 320), Step::Ask(Kind::Aaaa));
        name.was_asked(1);
        assert_eq!(
            name.on_answer(Answer::Empty, both, &terms, 330),
            Step::Ask(Kind::A)
        );
        name.was_asked(1);
        let end = name.on_answer(Answer::NxDomain, both, &terms, 340);
        assert_eq!(end, done(Status::NxDomain, true));
        assert_eq!(name.due_ms(), 1_340);
    }

    #[test]
    fn silence_is_a_timeout_after_all_tries() {
        let terms = terms();
        let mut name = host(true);
        assert_eq!(name.begin(V4, &terms, 0), Step::Ask(Kind::A));
        name.was_asked(1);
        assert_eq!(name.on_time(V4, &terms, 300), Step::Ask(Kind::A));
        name.was_asked(1);
        assert_eq!(name.on_time(V4, &terms, 600), done(Status::Timeout, true));
    }

    #[test]
    fn a_good_answer_outweighs_failures_for_a_while() {
        let mut terms = terms();
        terms.tries = 1;
        let mut name = host(false);
        name.begin(V4, &terms, 0);
        name.was_asked(1);
        let end = name.on_answer(valid(&[1]), V4, &terms, 5);
        assert_eq!(end, done(Status::Valid, true));
        for (at_ms, counts, left) in [(1_005, false, 1), (5_004, false, 1), (6_100, true, 0)] {
            assert_eq!(name.on_time(V4, &terms, at_ms), Step::Ask(Kind::A));
            name.was_asked(1);
            let end = name.on_answer(Answer::NxDomain, V4, &terms, at_ms);
            assert_eq!(end, done(Status::NxDomain, counts), "{at_ms}");
            assert_eq!(addresses(&name).len(), left);
        }
    }

    #[test]
    fn obsolete_records_stay_for_a_while() {
        let terms = terms();
        let mut name = host(false);
        for (at_ms, answer, expected) in [
            (0, &[1, 2][..], &[1, 2][..]),
            (1_000, &[2, 3], &[1, 2, 3]),
            (2_000, &[3], &[2, 3]),
        ] {
            name.begin(V4, &terms, at_ms);
            name.was_asked(1);
            name.on_answer(valid(answer), V4, &terms, at_ms);
            assert_eq!(addresses(&name), expected, "{at_ms}");
        }
        assert!(name.is_fresh(2_000, 3_999) && !name.is_fresh(2_000, 4_000));
    }

    #[test]
    fn answers_that_nobody_waits_for_change_nothing() {
        let terms = terms();
        let mut name = host(false);
        assert_eq!(name.on_answer(valid(&[9]), V4, &terms, 1), Step::Wait);
        assert_eq!(addresses(&name), [0_u8; 0]);
    }
}
