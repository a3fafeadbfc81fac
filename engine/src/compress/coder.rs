//! The coding itself: bytes in, coded bytes out, in bounded memory.

use std::cell::RefCell;

use flate2::{Compress, Compression as Level, Crc, FlushCompress, Status};

use super::Algorithm;

/// Room that is made for coded bytes at a time.
const ROOM_BYTES: usize = 4_096;
/// Coders that a core keeps for the next messages; each has some 270 KB.
const KEPT_MAX: usize = 16;

/// One body on its way through.
pub struct Coder {
    algorithm: Algorithm,
    state: Compress,
    sum: Crc,
    /// Something was taken since the last flush.
    is_dirty: bool,
    has_begun: bool,
}

/// Coders at rest, of one core.
#[derive(Default)]
pub struct Coders {
    /// With and without zlib's wrapper.
    wrapped: RefCell<Vec<Compress>>,
    raw: RefCell<Vec<Compress>>,
}

impl Coders {
    /// A coder for one body; `level` from 1 to 9.
    pub fn take(&self, algorithm: Algorithm, level: u32) -> Coder {
        let kept = self.of(algorithm).borrow_mut().pop();
        let has_wrapper = algorithm == Algorithm::Deflate;
        Coder {
            algorithm,
            state: kept
                .unwrap_or_else(|| Compress::new(Level::new(level.clamp(1, 9)), has_wrapper)),
            sum: Crc::new(),
            is_dirty: false,
            has_begun: false,
        }
    }

    /// Keeps a coder's memory. All coders of a process have the same level.
    pub fn give_back(&self, coder: Coder) {
        let mut kept = self.of(coder.algorithm).borrow_mut();
        if kept.len() < KEPT_MAX {
            let mut state = coder.state;
            state.reset();
            kept.push(state);
        }
    }

    fn of(&self, algorithm: Algorithm) -> &RefCell<Vec<Compress>> {
        match algorithm {
            Algorithm::Deflate => &self.wrapped,
            Algorithm::Gzip | Algorithm::RawDeflate => &self.raw,
        }
    }
}

impl Coder {
    /// Takes bytes of the body; appends what comes out.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.begin(out);
        if self.algorithm == Algorithm::Gzip {
            self.sum.update(bytes);
        }
        self.is_dirty |= !bytes.is_empty();
        self.run(bytes, FlushCompress::None, out);
    }

    /// The sender pauses: what was taken so far can be read by the receiver from now on.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.is_dirty) {
            self.run(&[], FlushCompress::Sync, out);
        }
    }

    /// The body is over.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.begin(out);
        self.run(&[], FlushCompress::Finish, out);
        if self.algorithm == Algorithm::Gzip {
            // RFC 1952, section 2.3.1.
            out.extend_from_slice(&self.sum.sum().to_le_bytes());
            out.extend_from_slice(&self.sum.amount().to_le_bytes());
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.has_begun, true) && self.algorithm == Algorithm::Gzip {
            // No name, no time, made on Unix (RFC 1952, section 2.3.1).
            out.extend_from_slice(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\x03");
        }
    }

    fn run(&mut self, mut bytes: &[u8], flush: FlushCompress, out: &mut Vec<u8>) {
        loop {
            out.reserve(ROOM_BYTES);
            let room = out.capacity() - out.len();
            let (taken, made) = (self.state.total_in(), self.state.total_out());
            let status = self.state.compress_vec(bytes, out, flush);
            let taken = (self.state.total_in() - taken) as usize;
            let made = (self.state.total_out() - made) as usize;
            bytes = &bytes[taken.min(bytes.len())..];
            let is_over = match status {
                Ok(Status::StreamEnd) => true,
                // Done when there was room left: nothing waits inside for more of it.
                Ok(Status::Ok) => bytes.is_empty() && made < room && flush != FlushCompress::Finish,
                Ok(Status::BufError) => made < room,
                Err(_) => {
                    debug_assert!(false, "deflate takes any bytes");
                    true
                }
            };
            if is_over {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};
    use proptest::prelude::*;
    use std::io::Read;

    fn decoded(algorithm: Algorithm, coded: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match algorithm {
            Algorithm::Gzip => GzDecoder::new(coded).read_to_end(&mut out),
            Algorithm::Deflate => ZlibDecoder::new(coded).read_to_end(&mut out),
            Algorithm::RawDeflate => DeflateDecoder::new(coded).read_to_end(&mut out),
        }
        .expect("well-formed");
        out
    }

    proptest! {
        /// Whatever the pieces and pauses, and with a coder used before, what went in comes out.
        #[test]
        fn round_trip(
            pieces in proptest::collection::vec(
                (proptest::collection::vec(0_u8..20, 0..5_000), any::<bool>()), 0..8),
        ) {
            let coders = Coders::default();
            for algorithm in [Algorithm::Gzip, Algorithm::Deflate, Algorithm::RawDeflate] {
                let mut coder = coders.take(algorithm, 1);
                let (mut coded, mut whole) = (Vec::new(), Vec::new());
                for (piece, pauses) in &pieces {
                    coder.feed(piece, &mut coded);
                    if *pauses {
                        coder.flush(&mut coded);
                    }
                    whole.extend_from_slice(piece);
                }
                coder.finish(&mut coded);
                prop_assert_eq!(decoded(algorithm, &coded), whole);
                coders.give_back(coder);
            }
        }
    }

    #[test]
    fn what_was_flushed_can_be_read() {
        let mut coder = Coders::default().take(Algorithm::RawDeflate, 1);
        let mut coded = Vec::new();
        coder.feed(b"first", &mut coded);
        coder.flush(&mut coded);
        let mut read = [0; 5];
        DeflateDecoder::new(&coded[..])
            .read_exact(&mut read)
            .expect("five bytes");
        assert_eq!(&read, b"first");
        let before = coded.len();
        coder.flush(&mut coded);
        assert_eq!(coded.len(), before, "nothing new, nothing said");
    }
}
