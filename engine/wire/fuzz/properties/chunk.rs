//! Chunked bodies: any split gives the same data, end and verdict.

use wire::Head;
use wire::h1::{Chunk, ChunkDecoder, ChunkError, Limits};

pub fn hold(cut: usize, raw: &[u8]) {
    let cut = cut % (raw.len() + 1);
    // Which of several faults is seen first may depend on the split.
    assert_eq!(decode(raw, raw.len()).ok(), decode(raw, cut).ok());
}

/// Data and length of a complete body that comes in two pieces.
fn decode(raw: &[u8], cut: usize) -> Result<Option<(Vec<u8>, usize)>, ChunkError> {
    let limits = Limits::default();
    let (mut decoder, mut trailers) = (ChunkDecoder::new(), Head::new());
    let (mut data, mut done) = (Vec::new(), 0);
    for end in [cut, raw.len()] {
        loop {
            match decoder.next(&raw[done..end], &limits, &mut trailers)? {
                Chunk::Partial => break,
                Chunk::Framing(length) => done += length,
                Chunk::Data(length) => {
                    data.extend_from_slice(&raw[done..done + length]);
                    done += length;
                }
                Chunk::End(length) => return Ok(Some((data, done + length))),
            }
        }
    }
    Ok(None)
}
