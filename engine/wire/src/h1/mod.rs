//! HTTP/1 heads and bodies (RFC 9112), with HAProxy's verdict on what is accepted.

mod framing;

pub use framing::{BodyLength, Framing};
