//! What the `compression` lines of a proxy say.

/// How bodies are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Gzip,
    /// With zlib's wrapper.
    Deflate,
    /// The same name to the peer, without the wrapper.
    RawDeflate,
}

impl Algorithm {
    /// Of a word of the configuration; `None` for `identity`, which changes nothing.
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "raw-deflate" => Some(Self::RawDeflate),
            _ => None,
        }
    }

    /// As `Accept-Encoding` and `Content-Encoding` call it.
    pub fn token(self) -> &'static [u8] {
        match self {
            Self::Gzip => b"gzip",
            Self::Deflate | Self::RawDeflate => b"deflate",
        }
    }
}

/// One proxy's compression.
#[derive(Clone, Debug, Default)]
pub struct Compression {
    pub requests: Option<Direction>,
    pub responses: Option<Direction>,
    /// `compression offload`.
    pub offload: bool,
}

/// What is compressed in one direction.
#[derive(Clone, Debug)]
pub struct Direction {
    /// In the order of the configuration; one for requests.
    pub algorithms: Box<[Algorithm]>,
    /// Media types in lower case; empty: all.
    pub types: Box<[Box<[u8]>]>,
    /// Bytes of the smallest body.
    pub min_bytes: u64,
}
