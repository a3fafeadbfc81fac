//! Which object a completion belongs to: slots with generations, packed into 64 bits of user data.

use std::rc::Rc;

use slab::Slab;

use crate::connect::ConnectState;
use crate::datagram::DatagramState;
use crate::listener::ListenerState;
use crate::sock::SockState;

/// Generations are 24 bits wide and wrap.
const GENERATION_MASK: u32 = (1 << 24) - 1;

/// What kind of operation completed; the top byte of the user data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Op {
    /// Nobody waits for it: cancellations, closes.
    Ignored,
    /// The eventfd by which other threads wake this core.
    Wake,
    Accept,
    Connect,
    Recv,
    Send,
    PollIn,
    PollOut,
}

/// A slot number with the generation of its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    pub(crate) const fn new(index: u32, generation: u32) -> Self {
        Self {
            index,
            generation: generation & GENERATION_MASK,
        }
    }

    pub(crate) fn user_data(self, op: Op) -> u64 {
        (op as u64) << 56 | u64::from(self.generation) << 32 | u64::from(self.index)
    }
}

/// Takes user data apart; `None` for what this crate never submitted.
pub(crate) fn parse(user_data: u64) -> Option<(Op, Key)> {
    let op = match (user_data >> 56) as u8 {
        0 => Op::Ignored,
        1 => Op::Wake,
        2 => Op::Accept,
        3 => Op::Connect,
        4 => Op::Recv,
        5 => Op::Send,
        6 => Op::PollIn,
        7 => Op::PollOut,
        _ => return None,
    };
    Some((op, Key::new(user_data as u32, (user_data >> 32) as u32)))
}

/// Something with operations in flight.
#[derive(Clone)]
pub(crate) enum Tenant {
    Sock(Rc<SockState>),
    Listener(Rc<ListenerState>),
    Connect(Rc<ConnectState>),
    Datagram(Rc<DatagramState>),
}

#[derive(Default)]
pub(crate) struct Slots {
    slots: Slab<(u32, Tenant)>,
    generation: u32,
}

impl Slots {
    /// Gives `tenant` a slot that no earlier operation can address.
    pub(crate) fn insert(&mut self, tenant: impl FnOnce(Key) -> Tenant) -> Key {
        self.generation = self.generation.wrapping_add(1) & GENERATION_MASK;
        let vacant = self.slots.vacant_entry();
        let key = Key::new(vacant.key() as u32, self.generation);
        vacant.insert((key.generation, tenant(key)));
        key
    }

    pub(crate) fn find(&self, key: Key) -> Option<Tenant> {
        let (generation, tenant) = self.slots.get(key.index as usize)?;
        (*generation == key.generation).then(|| tenant.clone())
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<Tenant> {
        let (generation, _) = self.slots.get(key.index as usize)?;
        (*generation == key.generation).then(|| self.slots.remove(key.index as usize).1)
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Every tenant, for the tear-down.
    pub(crate) fn all(&self) -> Vec<Tenant> {
        self.slots
            .iter()
            .map(|(_, (_, tenant))| tenant.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_data_survives_the_round_trip() {
        for op in [
            Op::Ignored,
            Op::Wake,
            Op::Accept,
            Op::Connect,
            Op::Recv,
            Op::Send,
            Op::PollIn,
        ] {
            let key = Key::new(u32::MAX - 1, 0x00ab_cdef);
            assert_eq!(parse(key.user_data(op)), Some((op, key)));
        }
        assert_eq!(parse(u64::MAX), None);
    }
}
