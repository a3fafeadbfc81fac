//! The health counter of a server, and what its last check found.

use super::Operational;

/// How many good or bad checks in a row decide (manual 5.2, `rise` and `fall`).
///
/// The counter runs from 0 to `rise + fall - 1`; the server is up from `rise` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    pub rise: u32,
    pub fall: u32,
    pub counter: u32,
}

impl Health {
    /// At the lowest value that is still up: one failure marks it down. HAProxy starts like this.
    pub fn barely_up(rise: u32, fall: u32) -> Self {
        let rise = rise.max(1);
        Self {
            rise,
            fall: fall.max(1),
            counter: rise,
        }
    }

    /// The highest value of the counter.
    pub fn max(self) -> u32 {
        self.rise + self.fall - 1
    }

    pub fn is_up(self) -> bool {
        self.counter >= self.rise
    }

    /// Fully up or fully down, not on the way.
    pub fn is_settled(self) -> bool {
        self.counter == 0 || self.counter == self.max()
    }

    /// Sets the counter to its highest value.
    pub fn fill(&mut self) {
        self.counter = self.max();
    }

    /// One more good check; true if it brought the server up. A server that comes up is fully up.
    pub fn good(&mut self) -> bool {
        if self.counter + 1 < self.rise {
            self.counter += 1;
            return false;
        }
        let was_up = self.is_up();
        self.fill();
        !was_up
    }

    /// One more bad check; true if it brought the server down. A server that goes down is fully
    /// down.
    pub fn bad(&mut self) -> bool {
        if self.counter > self.rise {
            self.counter -= 1;
            return false;
        }
        let was_up = self.is_up();
        self.counter = 0;
        was_up
    }
}

/// What a check found: the words of `check_status` in `show stat` (management manual, 9.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CheckStatus {
    #[default]
    Unknown,
    Initializing,
    SocketError,
    L4Ok,
    L4Timeout,
    L4Connection,
    L6Ok,
    L6Timeout,
    L6Response,
    L7Ok,
    L7OkConditional,
    L7Timeout,
    L7Response,
    L7Status,
    /// An agent that said nothing about health.
    Checked,
    /// `observe` counted too many errors in live traffic.
    Observed,
    ProcessTimeout,
    ProcessError,
    ProcessOk,
}

impl CheckStatus {
    /// The short word in the statistics.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "UNK",
            Self::Initializing => "INI",
            Self::SocketError => "SOCKERR",
            Self::L4Ok => "L4OK",
            Self::L4Timeout => "L4TOUT",
            Self::L4Connection => "L4CON",
            Self::L6Ok => "L6OK",
            Self::L6Timeout => "L6TOUT",
            Self::L6Response => "L6RSP",
            Self::L7Ok => "L7OK",
            Self::L7OkConditional => "L7OKC",
            Self::L7Timeout => "L7TOUT",
            Self::L7Response => "L7RSP",
            Self::L7Status => "L7STS",
            Self::Checked => "CHECKED",
            Self::Observed => "HANA",
            Self::ProcessTimeout => "PROCTOUT",
            Self::ProcessError => "PROCERR",
            Self::ProcessOk => "PROCOK",
        }
    }

    /// The text in messages and in the `check_desc` column.
    pub fn description(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Initializing => "Initializing",
            Self::SocketError => "Socket error",
            Self::L4Ok => "Layer4 check passed",
            Self::L4Timeout => "Layer4 timeout",
            Self::L4Connection => "Layer4 connection problem",
            Self::L6Ok => "Layer6 check passed",
            Self::L6Timeout => "Layer6 timeout",
            Self::L6Response => "Layer6 invalid response",
            Self::L7Ok => "Layer7 check passed",
            Self::L7OkConditional => "Layer7 check conditionally passed",
            Self::L7Timeout => "Layer7 timeout",
            Self::L7Response => "Layer7 invalid response",
            Self::L7Status => "Layer7 wrong status",
            Self::Checked => "No status change",
            Self::Observed => "Health analyze",
            Self::ProcessTimeout => "External check timeout",
            Self::ProcessError => "External check error",
            Self::ProcessOk => "External check passed",
        }
    }

    /// HAProxy's number of it in `show servers state`, as a live HAProxy 3.5 prints it.
    pub fn number(self) -> u8 {
        match self {
            Self::Unknown | Self::Initializing => 1,
            Self::Checked => 3,
            Self::Observed => 4,
            Self::SocketError => 5,
            Self::L4Ok => 6,
            Self::L4Timeout => 7,
            Self::L4Connection => 8,
            Self::L6Ok => 9,
            Self::L6Timeout => 10,
            Self::L6Response => 11,
            Self::L7Timeout => 12,
            Self::L7Response => 13,
            Self::L7Ok => 15,
            Self::L7OkConditional => 16,
            Self::L7Status => 17,
            Self::ProcessError => 18,
            Self::ProcessTimeout => 19,
            Self::ProcessOk => 20,
        }
    }

    /// The status with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        [
            Self::Initializing,
            Self::Checked,
            Self::Observed,
            Self::SocketError,
            Self::L4Ok,
            Self::L4Timeout,
            Self::L4Connection,
            Self::L6Ok,
            Self::L6Timeout,
            Self::L6Response,
            Self::L7Timeout,
            Self::L7Response,
            Self::L7Ok,
            Self::L7OkConditional,
            Self::L7Status,
            Self::ProcessError,
            Self::ProcessTimeout,
            Self::ProcessOk,
        ]
        .into_iter()
        .find(|status| status.number() == number)
    }

    pub fn is_passed(self) -> bool {
        matches!(
            self,
            Self::L4Ok | Self::L6Ok | Self::L7Ok | Self::L7OkConditional | Self::ProcessOk
        )
    }

    /// Whether a code (HTTP status, for instance) is shown with it.
    pub fn has_code(self) -> bool {
        matches!(
            self,
            Self::L7Ok
                | Self::L7OkConditional
                | Self::L7Status
                | Self::ProcessError
                | Self::ProcessTimeout
                | Self::ProcessOk
        )
    }

    /// From the word of `ok-status`, `error-status` and `tout-status` (manual 4.2).
    pub fn from_code(word: &str) -> Option<Self> {
        [
            Self::L4Ok,
            Self::L4Timeout,
            Self::L4Connection,
            Self::L6Ok,
            Self::L6Timeout,
            Self::L6Response,
            Self::L7Ok,
            Self::L7OkConditional,
            Self::L7Timeout,
            Self::L7Response,
            Self::L7Status,
        ]
        .into_iter()
        .find(|status| status.code() == word)
    }
}

/// The last check of a server, as the statistics show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    pub status: CheckStatus,
    /// HTTP or SMTP status, or the protocol's own; 0 if none. Shown where `has_code`.
    pub code: u32,
    pub duration_ms: u64,
    /// What was found, in words: `Connection refused`, `HTTP status check returned code <500>`.
    pub info: String,
    /// Failed checks while the server was up (`chkfail`).
    pub failed: u64,
    /// Transitions from up to down (`chkdown`).
    pub went_down: u64,
    /// When the server last went up or down.
    pub last_change_ms: u64,
    /// Time spent down before `last_change_ms`.
    pub downtime_ms: u64,
    /// A check is running at this moment: its status is shown with a `* ` in front.
    pub in_progress: bool,
}

impl CheckReport {
    /// All time spent down until now.
    pub fn downtime_ms(&self, operational: Operational, now_ms: u64) -> u64 {
        let current = if operational.is_up() {
            0
        } else {
            now_ms.saturating_sub(self.last_change_ms)
        };
        self.downtime_ms + current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_server_dies_of_one_failure_and_rises_after_rise_successes() {
        let mut health = Health::barely_up(2, 3);
        assert!(health.is_up() && !health.is_settled());
        assert!(health.bad());
        assert_eq!(health.counter, 0);
        assert!(!health.good());
        assert!(!health.is_up() && !health.is_settled());
        assert!(health.good());
        assert_eq!(health.counter, health.max());
    }

    #[test]
    fn a_healthy_server_needs_fall_failures() {
        let mut health = Health::barely_up(2, 3);
        assert!(!health.good());
        assert!(health.is_settled());
        assert!(!health.bad());
        assert!(!health.bad());
        assert!(health.bad());
        assert!(health.is_settled());
    }

    #[test]
    fn rise_and_fall_of_one_flip_at_once() {
        let mut health = Health::barely_up(1, 1);
        assert!(health.bad());
        assert!(health.good());
        assert!(health.is_up());
    }
}
