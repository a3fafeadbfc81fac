//! Why a head is refused.

use thiserror::Error;

/// Why a request or response head is refused; the connection cannot go on after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeadError {
    /// The request or status line has not its three parts, or blanks around them.
    #[error("malformed start line")]
    StartLine,
    /// Not `HTTP/` digit `.` digit.
    #[error("malformed protocol version")]
    Version,
    /// A byte that may not stand in a method.
    #[error("invalid character in method")]
    Method,
    /// A byte or a form that may not stand as request target.
    #[error("invalid request target")]
    Target,
    /// Not a three-digit status code.
    #[error("invalid status code")]
    Status,
    /// A CR without LF, or NUL.
    #[error("forbidden control character")]
    Control,
    /// A field name that is empty, over 255 bytes, no token, or followed by a blank.
    #[error("invalid field name")]
    FieldName,
    /// A continuation line with nothing to continue.
    #[error("continuation line without a field")]
    Fold,
    /// More fields than the limit (`tune.http.maxhdr`).
    #[error("too many fields")]
    TooManyFields,
    /// The request line does not fit the buffer (`tune.bufsize`).
    #[error("request target too long")]
    TargetTooLong,
    /// The head does not fit the buffer less its reserve (`tune.bufsize`, `tune.maxrewrite`).
    #[error("head too large")]
    HeadTooLarge,
    /// A `Host` that is no host, differs from another one, or from the target's authority.
    #[error("invalid or contradicting host")]
    Host,
    /// A `Content-Length` that is no number, does not fit 64 bits, or contradicts another one.
    #[error("invalid or contradicting content-length")]
    ContentLength,
    /// A `Transfer-Encoding` whose last and only `chunked` is not where it must be.
    #[error("invalid transfer-encoding")]
    TransferEncoding,
    /// Transfer codings besides `chunked`, which are not decoded here.
    #[error("unsupported transfer coding")]
    TransferCoding,
    /// An HTTP/1.0 GET, HEAD or DELETE with a body.
    #[error("this method may not carry a body in HTTP/1.0")]
    BodyNotAllowed,
    /// CONNECT with a length: what follows it is the tunnel's.
    #[error("CONNECT may not carry a body")]
    ConnectBody,
    /// A WebSocket handshake without its key or its answer (RFC 6455 section 4).
    #[error("incomplete WebSocket handshake")]
    Websocket,
    /// A 101 that the request did not ask for, or that names no protocol.
    #[error("unexpected protocol switch")]
    Switch,
}

impl HeadError {
    /// The status that answers a refused request. A refused response is always a 502.
    pub fn request_status(self) -> u16 {
        match self {
            HeadError::BodyNotAllowed => 413,
            HeadError::TargetTooLong => 414,
            HeadError::TransferCoding => 422,
            HeadError::HeadTooLarge => 431,
            _ => 400,
        }
    }
}
