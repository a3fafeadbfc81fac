//! How an exchange can go wrong, and what each way means to the client, the log and the retries.

/// Who is at fault (manual, 8.5: the first character of the termination state).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// `C`: the client ended the connection.
    ClientAbort,
    /// `c`: the client kept us waiting.
    ClientTimeout,
    /// `S`: the server refused, ended or reset the connection.
    ServerAbort,
    /// `s`: the server kept us waiting.
    ServerTimeout,
    /// `P`: we refused: a rule, or a message that breaks the protocol.
    Proxy,
    /// `R`: we lack a resource.
    Resource,
    /// `I`: one of our own invariants did not hold.
    Internal,
    /// `L`: answered here.
    Local,
    /// `D`: the server went down and its sessions were ended.
    Down,
    /// `U`: a preferred server came back and sessions on backup servers were ended.
    Up,
    /// `K`: ended from the admin socket.
    Killed,
}

impl Cause {
    /// The character of the log line.
    pub fn letter(self) -> u8 {
        match self {
            Self::ClientAbort => b'C',
            Self::ClientTimeout => b'c',
            Self::ServerAbort => b'S',
            Self::ServerTimeout => b's',
            Self::Proxy => b'P',
            Self::Resource => b'R',
            Self::Internal => b'I',
            Self::Local => b'L',
            Self::Down => b'D',
            Self::Up => b'U',
            Self::Killed => b'K',
        }
    }

    /// Whether the client is at fault.
    pub fn is_client(self) -> bool {
        matches!(self, Self::ClientAbort | Self::ClientTimeout)
    }
}

/// How far the exchange had come (manual, 8.5: the second character).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// `R`: the request was not complete.
    Request,
    /// `Q`: waiting for a connection slot.
    Queue,
    /// `C`: connecting to the server.
    Connect,
    /// `H`: waiting for the response's head.
    Headers,
    /// `D`: bodies were passing.
    Data,
    /// `L`: the last bytes were on their way to the client.
    Last,
    /// `T`: held back by a tarpit.
    Tarpit,
}

impl Phase {
    /// The character of the log line.
    pub fn letter(self) -> u8 {
        match self {
            Self::Request => b'R',
            Self::Queue => b'Q',
            Self::Connect => b'C',
            Self::Headers => b'H',
            Self::Data => b'D',
            Self::Last => b'L',
            Self::Tarpit => b'T',
        }
    }
}

/// One way in which an exchange ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub cause: Cause,
    pub phase: Phase,
    /// The status that the client is told, as long as nothing of a response has been sent;
    /// 0 closes without a word.
    pub status: u16,
}

impl Fault {
    /// A fault with the status that HAProxy answers for it (manual, 8.5 and `errorfile`).
    pub fn new(cause: Cause, phase: Phase) -> Self {
        let status = match (cause, phase) {
            (Cause::ClientTimeout, _) => 408,
            (Cause::ClientAbort, _) => 400,
            (_, Phase::Queue | Phase::Connect) => 503,
            (Cause::ServerTimeout, _) => 504,
            (Cause::ServerAbort, _) => 502,
            (Cause::Proxy, Phase::Request) => 400,
            (Cause::Proxy, _) => 502,
            (Cause::Down | Cause::Up | Cause::Killed, _) => 503,
            (Cause::Resource | Cause::Internal | Cause::Local, _) => 500,
        };
        Self { cause, phase, status }
    }

    /// The same fault with another status.
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, Fault, Phase};

    /// Manual 8.5, the states that operators know by heart, with the status of each.
    #[test]
    fn states_and_statuses_of_the_manual() {
        for (cause, phase, letters, status) in [
            (Cause::ClientTimeout, Phase::Request, "cR", 408),
            (Cause::ClientAbort, Phase::Request, "CR", 400),
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
            assert_eq!((seen.as_slice(), fault.status), (letters.as_bytes(), status));
        }
    }
}
