//! HTTP/1 heads and bodies (RFC 9112), with HAProxy's verdict on what is accepted.

mod chunk;
mod error;
mod framing;
mod host;
mod name_case;
mod parse;
mod write;

#[cfg(test)]
mod tests;

pub use chunk::{
    CHUNK_BYTES_MAX, CHUNK_END, Chunk, ChunkDecoder, ChunkError, write_chunk_size, write_last_chunk,
};
pub use error::HeadError;
pub use framing::{Asked, BodyLength, Framing, Switch};
pub use name_case::NameCase;
pub use parse::{HeadParser, Limits, Parse};
pub use write::{ConnectionOut, write_request, write_response, write_trailers};
