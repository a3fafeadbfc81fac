//! Level-triggered readiness of many sockets.

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// What a socket waits for. Hang-ups and errors are always reported, as readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    Read,
    ReadWrite,
}

impl Interest {
    fn flags(self) -> EventFlags {
        match self {
            Interest::Read => EventFlags::IN | EventFlags::RDHUP,
            Interest::ReadWrite => EventFlags::IN | EventFlags::RDHUP | EventFlags::OUT,
        }
    }
}

/// One ready socket.
#[derive(Clone, Copy, Debug)]
pub struct ReadySocket {
    pub token: u64,
    pub readable: bool,
    pub writable: bool,
}

/// An epoll instance and its event buffer.
pub struct Readiness {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
}

/// Events taken from the kernel at once.
const EVENTS_MAX: usize = 512;

impl Readiness {
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Readiness {
            epoll,
            events: Vec::with_capacity(EVENTS_MAX),
        })
    }

    pub fn add(&self, socket: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(
            &self.epoll,
            socket,
            EventData::new_u64(token),
            interest.flags(),
        )?)
    }

    pub fn change(&self, socket: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(epoll::modify(
            &self.epoll,
            socket,
            EventData::new_u64(token),
            interest.flags(),
        )?)
    }

    /// Waits until a socket is ready or `timeout` is over; an interrupted wait is an empty one.
    pub fn wait(&mut self, timeout: Duration, ready: &mut Vec<ReadySocket>) -> io::Result<()> {
        ready.clear();
        self.events.clear();
        let timeout = Timespec {
            tv_sec: timeout.as_secs() as i64,
            tv_nsec: timeout.subsec_nanos().into(),
        };
        let buffer = rustix::buffer::spare_capacity(&mut self.events);
        match epoll::wait(&self.epoll, buffer, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let read = EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
        let write = EventFlags::OUT | EventFlags::HUP | EventFlags::ERR;
        ready.extend(self.events.iter().map(|event| {
            let flags = event.flags;
            ReadySocket {
                token: event.data.u64(),
                readable: flags.intersects(read),
                writable: flags.intersects(write),
            }
        }));
        Ok(())
    }
}
