//! The administrative and operational state of a server, with HAProxy's numbers.

/// Why a server is kept out of service by decision, whatever its checks say.
///
/// A set of causes: the bits are those of `srv_admin_state` in `show servers state`
/// (management manual, 9.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Admin(u8);

impl Admin {
    /// No cause: the server is ready.
    pub const READY: Self = Self(0);
    /// Maintenance, forced from the admin socket.
    pub const FMAINT: Self = Self(0x01);
    /// Maintenance, inherited from the tracked server.
    pub const IMAINT: Self = Self(0x02);
    /// Maintenance, from `disabled` in the configuration.
    pub const CMAINT: Self = Self(0x04);
    /// Drain, forced from the admin socket or the agent.
    pub const FDRAIN: Self = Self(0x08);
    /// Drain, inherited from the tracked server.
    pub const IDRAIN: Self = Self(0x10);
    /// Maintenance, because the address could not be resolved.
    pub const RMAINT: Self = Self(0x20);
    /// The name was changed at run time; no maintenance, in spite of HAProxy's name for it.
    pub const HMAINT: Self = Self(0x40);

    const MAINT: u8 = 0x01 | 0x02 | 0x04 | 0x20;
    const DRAIN: u8 = 0x08 | 0x10;
    const KNOWN: u8 = Self::MAINT | Self::DRAIN | 0x40;

    /// The state of a server that has `disabled` on its line: 5 in `show servers state`.
    pub const DISABLED: Self = Self(0x05);

    /// The number shown in `show servers state`.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// From a state file or an atomic; unknown bits are dropped.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & Self::KNOWN)
    }

    /// Out of service for any cause.
    pub fn in_maint(self) -> bool {
        self.0 & Self::MAINT != 0
    }

    /// Only persistent requests are served, for any cause.
    pub fn in_drain(self) -> bool {
        self.0 & Self::DRAIN != 0
    }

    /// Whether all bits of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// With the bits of `other` added.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// With the bits of `other` removed.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// `set server X state ready`: lifts what an operator may lift.
    #[must_use]
    pub fn ready(self) -> Self {
        self.without(Self(0x01 | 0x04 | 0x08))
    }

    /// `set server X state drain`.
    #[must_use]
    pub fn drain(self) -> Self {
        self.without(Self(0x01 | 0x04)).with(Self::FDRAIN)
    }

    /// `set server X state maint`, `disable server`. A forced drain is remembered.
    #[must_use]
    pub fn maint(self) -> Self {
        self.with(Self::FMAINT)
    }

    /// What a server that tracks one in state `self` inherits.
    #[must_use]
    pub fn inherited(self) -> Self {
        let mut inherited = Self::READY;
        if self.in_maint() {
            inherited = inherited.with(Self::IMAINT);
        }
        if self.in_drain() {
            inherited = inherited.with(Self::IDRAIN);
        }
        inherited
    }
}

/// What the checks say; the numbers are those of `srv_op_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Operational {
    /// Down.
    Stopped = 0,
    /// Up, still in slow start.
    Starting = 1,
    /// Up.
    Running = 2,
    /// Up, takes persistent requests only (`http-check disable-on-404`): NOLB.
    Stopping = 3,
}

impl Operational {
    /// From an atomic or a state file; anything unknown is down.
    pub fn from_bits(bits: u8) -> Self {
        match bits {
            1 => Self::Starting,
            2 => Self::Running,
            3 => Self::Stopping,
            _ => Self::Stopped,
        }
    }

    /// Whether the server may be talked to at all.
    pub fn is_up(self) -> bool {
        self != Self::Stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disabled_server_is_shown_as_5() {
        assert_eq!(Admin::DISABLED.bits(), 5);
        assert!(Admin::DISABLED.in_maint());
        assert_eq!(Admin::DISABLED.ready(), Admin::READY);
    }

    #[test]
    fn an_operator_cannot_lift_what_is_inherited_or_unresolved() {
        let state = Admin::FMAINT.with(Admin::IMAINT).with(Admin::RMAINT);
        assert_eq!(state.ready(), Admin::IMAINT.with(Admin::RMAINT));
    }

    #[test]
    fn maint_remembers_drain() {
        let state = Admin::READY.drain().maint();
        assert!(state.in_maint() && state.in_drain());
        assert_eq!(state.without(Admin::FMAINT), Admin::FDRAIN);
        assert_eq!(state.inherited(), Admin::IMAINT.with(Admin::IDRAIN));
    }

    #[test]
    fn numbers_survive_a_round_trip() {
        for bits in 0..=3 {
            assert_eq!(Operational::from_bits(bits) as u8, bits);
        }
        assert_eq!(Admin::from_bits(0xff).bits(), 0x7f);
    }
}
