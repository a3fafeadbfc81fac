//! How long a message's body is, what its connection becomes.

/// Where a body ends (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none.
    None,
    /// Exactly so many bytes, at least one.
    Length(u64),
    /// Chunked transfer coding: [`crate::h1::ChunkDecoder`] finds the end.
    Chunked,
    /// All that comes until the connection closes; responses only.
    UntilClose,
    /// No longer HTTP: both directions are relayed as they are (101, CONNECT with 2xx).
    Tunnel,
}

/// The framing of one message, as decided from its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// Where the body ends.
    pub body: BodyLength,
    /// Whether the peer lets the connection live after this message.
    pub keep_alive: bool,
    /// The message asks for (request) or grants (response) the change to another protocol.
    pub upgrade: bool,
    /// The client waits for `100 Continue` before it sends its body (RFC 9110 section 10.1.1).
    pub expect_continue: bool,
}
