//! The names of one section: who wants each, and when it is due.

use std::collections::{BTreeSet, HashMap};

use slab::Slab;

use crate::limits::DNS_NAMES_MAX;
use crate::plan::ServerId;
use crate::resolve::{Resolution, Subject};
use crate::stream::Question;

/// Tells a stream that its answer is there.
pub type Wake = Box<dyn Fn(&Question)>;

/// One name and those who want it.
pub struct Name {
    pub resolution: Resolution,
    pub servers: Vec<ServerId>,
    pub streams: Vec<(Question, Wake)>,
    /// The number of the question under way.
    pub id: Option<u16>,
    /// When it was last of use to a stream.
    pub used_ms: u64,
    /// Its place in `due`.
    due_ms: u64,
}

/// All names of a section.
#[derive(Default)]
pub struct Inquiry {
    names: Slab<Name>,
    by_subject: HashMap<Subject, usize>,
    due: BTreeSet<(u64, usize)>,
    open: HashMap<u16, usize>,
    /// Which host, and which SRV label, each server wants.
    hosts: HashMap<ServerId, usize>,
    labels: HashMap<ServerId, usize>,
}

impl Inquiry {
    /// The name's place; `None` where there are too many names already.
    pub fn place(&mut self, subject: Subject, now_ms: u64) -> Option<usize> {
        if let Some(&place) = self.by_subject.get(&subject) {
            return Some(place);
        }
        if self.names.len() >= DNS_NAMES_MAX {
            return None;
        }
        let resolution = Resolution::new(subject.clone(), now_ms);
        let place = self.names.insert(Name {
            resolution,
            servers: Vec::new(),
            streams: Vec::new(),
            id: None,
            used_ms: now_ms,
            due_ms: now_ms,
        });
        self.by_subject.insert(subject, place);
        self.due.insert((now_ms, place));
        Some(place)
    }

    pub fn name(&mut self, place: usize) -> Option<&mut Name> {
        self.names.get_mut(place)
    }

    /// A server wants a name from now on. It has one host and one label at most; names that nobody
    /// wants any more are dropped when they are due.
    pub fn join(&mut self, server: ServerId, subject: Subject, now_ms: u64) -> Option<usize> {
        let is_service = matches!(subject, Subject::Services { .. });
        if !is_service {
            self.leave_host(server);
        }
        let place = self.place(subject, now_ms)?;
        self.names.get_mut(place)?.servers.push(server);
        let wanted = if is_service {
            &mut self.labels
        } else {
            &mut self.hosts
        };
        wanted.insert(server, place);
        Some(place)
    }

    /// A server's host is of no interest any more.
    pub fn leave_host(&mut self, server: ServerId) {
        let place = self.hosts.remove(&server);
        if let Some(name) = place.and_then(|place| self.names.get_mut(place)) {
            name.servers.retain(|known| *known != server);
        }
    }

    /// Places of the names that a server wants.
    pub fn of_server(&self, server: ServerId) -> impl Iterator<Item = usize> {
        let (label, host) = (self.labels.get(&server), self.hosts.get(&server));
        label.copied().into_iter().chain(host.copied())
    }

    /// When something is due next.
    pub fn next_ms(&self) -> Option<u64> {
        self.due.first().map(|(due_ms, _)| *due_ms)
    }

    /// A name that is due now.
    pub fn take_due(&self, now_ms: u64) -> Option<usize> {
        self.due
            .first()
            .filter(|(due_ms, _)| *due_ms <= now_ms)
            .map(|(_, place)| *place)
    }

    /// Brings a name's place among those that are due up to date.
    pub fn reschedule(&mut self, place: usize) {
        let Some(name) = self.names.get_mut(place) else {
            return;
        };
        let due_ms = name.resolution.due_ms();
        let before = std::mem::replace(&mut name.due_ms, due_ms);
        self.due.remove(&(before, place));
        self.due.insert((due_ms, place));
    }

    /// Gives a question a number that no open one has; `random` is drawn from until one fits.
    pub fn number(&mut self, place: usize, mut random: impl FnMut() -> u16) -> u16 {
        self.close(place);
        // Far fewer names than numbers: a few draws at most.
        let id = loop {
            let id = random();
            if !self.open.contains_key(&id) {
                break id;
            }
        };
        self.open.insert(id, place);
        if let Some(name) = self.names.get_mut(place) {
            name.id = Some(id);
        }
        id
    }

    /// The name that an answer of this number is about.
    pub fn asked_as(&self, id: u16) -> Option<usize> {
        self.open.get(&id).copied()
    }

    /// No answer to a name's question counts any more.
    pub fn close(&mut self, place: usize) {
        if let Some(id) = self.names.get_mut(place).and_then(|name| name.id.take()) {
            self.open.remove(&id);
        }
    }

    /// Forgets a name.
    pub fn remove(&mut self, place: usize) {
        self.close(place);
        if let Some(name) = self.names.try_remove(place) {
            self.by_subject.remove(name.resolution.subject());
            self.due.remove(&(name.due_ms, place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> Subject {
        Subject::Host {
            name: name.to_owned(),
            prefer_ipv6: false,
        }
    }

    #[test]
    fn numbers_are_unique_among_open_questions() {
        let mut inquiry = Inquiry::default();
        let a = inquiry.place(host("a"), 0).expect("room");
        let b = inquiry.place(host("b"), 0).expect("room");
        assert_eq!(inquiry.place(host("a"), 5), Some(a));
        assert_eq!(inquiry.number(a, || 7), 7);
        let mut draws = [7, 7, 9].into_iter();
        assert_eq!(inquiry.number(b, || draws.next().expect("a draw")), 9);
        assert_eq!(
            (inquiry.asked_as(7), inquiry.asked_as(9)),
            (Some(a), Some(b))
        );
        assert_eq!(inquiry.number(a, || 8), 8);
        assert_eq!((inquiry.asked_as(7), inquiry.asked_as(8)), (None, Some(a)));
        inquiry.remove(a);
        assert_eq!((inquiry.asked_as(8), inquiry.next_ms()), (None, Some(0)));
    }

    #[test]
    fn names_are_bounded() {
        let mut inquiry = Inquiry::default();
        for number in 0..DNS_NAMES_MAX {
            assert!(inquiry.place(host(&number.to_string()), 0).is_some());
        }
        assert_eq!(inquiry.place(host("one more"), 0), None);
    }
}
