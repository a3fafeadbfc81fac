//! How a stream ended: the flags of `%ts` and `%tsc` (manual, 8.5).

macro_rules! flags {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $letter:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name {
            #[default]
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// The letter in a log line.
            pub fn letter(self) -> u8 {
                match self {
                    $($name::$variant => $letter,)*
                }
            }
        }
    };
}

flags! {
    /// The first event that ended the stream.
    Cause {
        /// Both sides ended it normally.
        Normal = b'-',
        /// The client aborted.
        ClientAbort = b'C',
        /// The server aborted or refused.
        ServerAbort = b'S',
        /// The proxy: a rule, a protocol error, a limit.
        Proxy = b'P',
        /// The proxy answered by itself: redirect, return, statistics.
        Local = b'L',
        /// A resource ran out.
        Resource = b'R',
        /// An internal error.
        Internal = b'I',
        /// The server went down and its sessions were shut.
        Down = b'D',
        /// A preferred server came back.
        Up = b'U',
        /// An administrator.
        Killed = b'K',
        /// The client's timeout.
        ClientTimeout = b'c',
        /// The server's timeout.
        ServerTimeout = b's',
    }
}

flags! {
    /// The state of the stream at that moment.
    Phase {
        /// After the end of the transfer.
        Done = b'-',
        /// Waiting for a valid request.
        Request = b'R',
        /// In a queue.
        Queue = b'Q',
        /// Connecting to the server.
        Connect = b'C',
        /// Waiting for the response's head.
        Headers = b'H',
        /// Transferring data.
        Data = b'D',
        /// Sending the last data to the client.
        Last = b'L',
        /// In a tarpit.
        Tarpit = b'T',
    }
}

flags! {
    /// What the client's persistence cookie was.
    CookieIn {
        /// No cookie is configured.
        Unused = b'-',
        /// The client sent none.
        None = b'N',
        /// It named an unknown server.
        Invalid = b'I',
        /// It named a server that is down.
        Down = b'D',
        /// It was valid.
        Valid = b'V',
        /// Valid, but too old.
        Expired = b'E',
        /// Valid, first seen too long ago.
        Old = b'O',
        /// Ignored because of `use-server` or the like.
        Unneeded = b'U',
    }
}

flags! {
    /// What became of the cookie in the response.
    CookieOut {
        /// No cookie is configured.
        Unused = b'-',
        /// None was there and none was added.
        None = b'N',
        /// Inserted.
        Inserted = b'I',
        /// The server's own was left alone.
        Passive = b'P',
        /// Updated.
        Updated = b'U',
        /// Rewritten.
        Rewritten = b'R',
        /// Deleted.
        Deleted = b'D',
    }
}

/// The termination state of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Termination {
    pub cause: Cause,
    pub phase: Phase,
    pub cookie_in: CookieIn,
    pub cookie_out: CookieOut,
}

impl Termination {
    /// Notes why and when the stream ends; the first event counts.
    pub fn end(&mut self, cause: Cause, phase: Phase) {
        if self.cause == Cause::Normal {
            self.cause = cause;
            self.phase = phase;
        }
    }

    /// `%ts`: two letters.
    pub fn two(self) -> [u8; 2] {
        [self.cause.letter(), self.phase.letter()]
    }

    /// `%tsc`: four letters.
    pub fn four(self) -> [u8; 4] {
        let [cause, phase] = self.two();
        [
            cause,
            phase,
            self.cookie_in.letter(),
            self.cookie_out.letter(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_event_counts() {
        let mut state = Termination::default();
        assert_eq!(&state.four(), b"----");
        state.end(Cause::ServerTimeout, Phase::Headers);
        state.end(Cause::ClientAbort, Phase::Data);
        state.cookie_in = CookieIn::Valid;
        state.cookie_out = CookieOut::None;
        assert_eq!(&state.four(), b"sHVN");
        assert_eq!(&state.two(), b"sH");
    }
}
