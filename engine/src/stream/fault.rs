//! One way in which an exchange ends early, and the status that the client is told for it.

use crate::log::{Cause, Phase};

/// Why an exchange cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whose doing it was: the first character of the termination state (manual, 8.5).
    pub cause: Cause,
    /// How far the exchange had come: the second character.
    pub phase: Phase,
    /// Told to the client as long as nothing of a response has been sent; 0 closes without a word.
    pub status: u16,
    /// The status is only for the log: the client has gone.
    pub is_untold: bool,
}

impl Fault {
    /// A fault with the status that HAProxy answers for it (manual, 8.5 and `errorfile`).
    pub fn new(cause: Cause, phase: Phase) -> Self {
        let status = match (cause, phase) {
            (Cause::ClientTimeout, Phase::Headers) => 400,
            (Cause::ClientTimeout, _) => 408,
            // Gone while it waited for a server: nobody is there to be told.
            (Cause::ClientAbort, Phase::Queue | Phase::Connect | Phase::Tarpit) => 0,
            (Cause::ClientAbort, _) => 400,
            // Ended by order, without a word.
            (Cause::Down | Cause::Up | Cause::Killed, _) => 500,
            (_, Phase::Queue | Phase::Connect) => 503,
            (Cause::ServerTimeout, _) => 504,
            (Cause::ServerAbort, _) => 502,
            (Cause::Proxy, Phase::Request) => 400,
            (Cause::Proxy, _) => 502,
            _ => 500,
        };
        Self {
            cause,
            phase,
            status,
            is_untold: matches!(cause, Cause::Down | Cause::Up | Cause::Killed),
        }
    }

    /// The same fault with another status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same fault, told to nobody but the log.
    #[must_use]
    pub fn untold(self) -> Self {
        Self {
            is_untold: true,
            ..self
        }
    }

    /// Whether an administrator or a change of a server's state brought it about.
    pub fn is_order(&self) -> bool {
        matches!(self.cause, Cause::Down | Cause::Up | Cause::Killed)
    }

    /// Whether the client brought it about.
    pub fn is_clients(&self) -> bool {
        matches!(self.cause, Cause::ClientAbort | Cause::ClientTimeout)
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;
    use crate::log::{Cause, Phase};

    /// Manual 8.5, the states that operators know by heart, with the status of each.
    #[test]
    fn states_and_statuses_of_the_manual() {
        for (cause, phase, letters, status) in [
            (Cause::ClientTimeout, Phase::Request, "cR", 408),
            (Cause::ClientAbort, Phase::Request, "CR", 400),
            (Cause::ClientAbort, Phase::Queue, "CQ", 0),
            (Cause::ClientAbort, Phase::Connect, "CC", 0),
            (Cause::ClientAbort, Phase::Headers, "CH", 400),
            (Cause::ClientTimeout, Phase::Headers, "cH", 400),
            (Cause::Proxy, Phase::Request, "PR", 400),
            (Cause::ServerTimeout, Phase::Queue, "sQ", 503),
            (Cause::ServerAbort, Phase::Connect, "SC", 503),
            (Cause::ServerTimeout, Phase::Connect, "sC", 503),
            (Cause::ServerTimeout, Phase::Headers, "sH", 504),
            (Cause::ServerAbort, Phase::Headers, "SH", 502),
            (Cause::Proxy, Phase::Headers, "PH", 502),
        ] {
            let fault = Fault::new(cause, phase);
            let seen = [fault.cause.letter(), fault.phase.letter()];
            assert_eq!(
                (seen.as_slice(), fault.status),
                (letters.as_bytes(), status)
            );
        }
    }
}
