//! The chunked transfer coding (RFC 9112 section 7.1), read incrementally.

use thiserror::Error;

use super::error::HeadError;
use super::parse::{HeadParser, Limits};
use crate::head::Head;

/// Largest chunk in bytes: HAProxy's bound, far from where a sum of sizes could wrap.
pub const CHUNK_BYTES_MAX: u64 = (1 << 52) - 1;

/// Longest line with a chunk's size, leading zeros and extensions included: one HAProxy buffer.
const SIZE_LINE_BYTES_MAX: u32 = 16_384;

/// What stands at the front of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// So many bytes, at least one, are framing: consume them and ask again.
    Framing(usize),
    /// So many bytes, at least one, are body: take them all, then ask again.
    Data(usize),
    /// Nothing can be told before more bytes arrive.
    Partial,
    /// The body ended; so many bytes belonged to its end. The trailers are in their head.
    End(usize),
}

/// Why a chunked body is refused; the connection cannot go on after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChunkError {
    /// No hexadecimal size, or one beyond [`CHUNK_BYTES_MAX`].
    #[error("invalid chunk size")]
    Size,
    /// A control character or an open quote in an extension, or a line that is too long.
    #[error("invalid chunk extension")]
    Extension,
    /// A line or a chunk that does not end in CR LF.
    #[error("missing line end of a chunk")]
    LineEnd,
    /// The trailer section is refused.
    #[error("invalid trailers: {0}")]
    Trailers(HeadError),
}

/// Finds data, framing and end of one chunked body, wherever its bytes are split.
#[derive(Clone, Debug, Default)]
pub struct ChunkDecoder {
    state: State,
    /// Size of the chunk whose line is in work, then what is left of its data.
    left: u64,
    /// Bytes of the size line seen so far.
    line_bytes: u32,
    trailers: HeadParser,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    FirstDigit,
    Digits,
    Blanks,
    Extension,
    Quoted,
    Escaped,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailers,
    Done,
}

impl ChunkDecoder {
    /// A decoder at the beginning of a body.
    pub fn new() -> ChunkDecoder {
        ChunkDecoder::default()
    }

    /// Bytes of the current chunk that are still to come.
    pub fn chunk_left(&self) -> u64 {
        if self.state == State::Data {
            self.left
        } else {
            0
        }
    }

    /// Goes past bytes of the current chunk that were taken without a look at them: at most
    /// [`Self::chunk_left`].
    pub fn skip(&mut self, bytes: u64) {
        debug_assert!(bytes <= self.chunk_left(), "beyond the chunk");
        self.left = self.left.saturating_sub(bytes);
        if self.left == 0 && self.state == State::Data {
            self.state = State::DataCr;
        }
    }

    /// Tells what stands at the front of `input`, which must be what the previous answer left.
    ///
    /// The fields behind the last chunk go to `trailers`.
    pub fn next(
        &mut self,
        input: &[u8],
        limits: &Limits,
        trailers: &mut Head,
    ) -> Result<Chunk, ChunkError> {
        if input.is_empty() && self.state != State::Done {
            return Ok(Chunk::Partial);
        }
        match self.state {
            State::Data => {
                let length = self.left.min(input.len() as u64);
                self.left -= length;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
                Ok(Chunk::Data(length as usize))
            }
            State::Trailers => self.trailers(input, limits, trailers),
            State::Done => Ok(Chunk::End(0)),
            _ => self.framing(input, limits, trailers),
        }
    }

    fn framing(
        &mut self,
        input: &[u8],
        limits: &Limits,
        trailers: &mut Head,
    ) -> Result<Chunk, ChunkError> {
        for (index, &byte) in input.iter().enumerate() {
            self.step(byte)?;
            match self.state {
                State::Data => return Ok(Chunk::Framing(index + 1)),
                State::Trailers if index + 1 < input.len() => {
                    // The common end, `0` and an empty line, is told in one answer.
                    let rest = self.trailers(&input[index + 1..], limits, trailers)?;
                    return Ok(match rest {
                        Chunk::End(length) => Chunk::End(index + 1 + length),
                        _ => Chunk::Framing(index + 1),
                    });
                }
                _ => {}
            }
        }
        Ok(Chunk::Framing(input.len()))
    }

    fn step(&mut self, byte: u8) -> Result<(), ChunkError> {
        self.state = match (self.state, byte) {
            (State::FirstDigit | State::Digits, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                self.digit(byte)?
            }
            (State::Digits | State::Blanks, b' ' | b'\t') => State::Blanks,
            (State::Extension, b'"') => State::Quoted,
            (State::Digits | State::Blanks, b';')
            | (State::Quoted, b'"')
            | (State::Extension, b'\t' | b' '..=b'[' | b']'..=b'~' | 0x80..) => State::Extension,
            (State::Quoted, b'\\') => State::Escaped,
            (State::Quoted | State::Escaped, b'\t' | b' '..=b'~' | 0x80..) => State::Quoted,
            (State::Digits | State::Blanks | State::Extension, b'\r') => State::SizeLf,
            (State::SizeLf, b'\n') if self.left == 0 => State::Trailers,
            (State::SizeLf, b'\n') => State::Data,
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => {
                self.line_bytes = 0;
                State::FirstDigit
            }
            (State::FirstDigit | State::Digits | State::Blanks, _) => return Err(ChunkError::Size),
            (State::Extension | State::Quoted | State::Escaped, _) => {
                return Err(ChunkError::Extension);
            }
            (State::SizeLf | State::DataCr | State::DataLf, _) => return Err(ChunkError::LineEnd),
            (state @ (State::Data | State::Trailers | State::Done), _) => state,
        };
        self.line_bytes += 1;
        if self.line_bytes > SIZE_LINE_BYTES_MAX {
            Err(ChunkError::Extension)
        } else {
            Ok(())
        }
    }

    fn digit(&mut self, byte: u8) -> Result<State, ChunkError> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => byte - b'A' + 10,
        };
        self.left = (self.left << 4) | u64::from(digit);
        if self.left > CHUNK_BYTES_MAX {
            Err(ChunkError::Size)
        } else {
            Ok(State::Digits)
        }
    }

    fn trailers(
        &mut self,
        input: &[u8],
        limits: &Limits,
        head: &mut Head,
    ) -> Result<Chunk, ChunkError> {
        match self
            .trailers
            .trailers(input, limits, head)
            .map_err(ChunkError::Trailers)?
        {
            None => Ok(Chunk::Partial),
            Some(length) => {
                self.state = State::Done;
                Ok(Chunk::End(length))
            }
        }
    }
}

/// Appends the line in front of a chunk of `length` bytes; [`CHUNK_END`] follows the data.
pub fn write_chunk_size(length: u64, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    debug_assert!(length > 0, "an empty chunk would end the body");
    let digits = (64 - length.leading_zeros()).div_ceil(4).max(1);
    for position in (0..digits).rev() {
        out.push(DIGITS[(length >> (position * 4)) as usize & 15]);
    }
    out.extend_from_slice(b"\r\n");
}

/// What follows the data of a chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

/// Appends the last chunk, after which [`crate::h1::write_trailers`] or an empty line ends the body.
pub fn write_last_chunk(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::h1::write_trailers;
    use proptest::prelude::*;

    /// Data, trailers as written, bytes left over; `None` for an unfinished body.
    type Decoded = Option<(Vec<u8>, Vec<u8>, usize)>;

    /// Feeds `body` in pieces cut at `cuts`.
    fn decode(body: &[u8], cuts: &[usize]) -> Result<Decoded, ChunkError> {
        let limits = Limits::default();
        let (mut decoder, mut trailers) = (ChunkDecoder::new(), Head::new());
        let (mut data, mut done) = (Vec::new(), 0);
        let ends = cuts.iter().copied().filter(|cut| *cut <= body.len());
        for end in ends.chain([body.len()]) {
            while done <= end {
                match decoder.next(&body[done..end.max(done)], &limits, &mut trailers)? {
                    Chunk::Partial => break,
                    Chunk::Framing(length) => done += length,
                    Chunk::Data(length) => {
                        data.extend_from_slice(&body[done..done + length]);
                        done += length;
                    }
                    Chunk::End(length) => {
                        let mut text = Vec::new();
                        write_trailers(&trailers, &mut text);
                        return Ok(Some((data, text, body.len() - done - length)));
                    }
                }
            }
        }
        Ok(None)
    }

    fn data(body: &[u8]) -> Vec<u8> {
        decode(body, &[]).expect("accepted").expect("complete").0
    }

    #[test]
    fn sizes_and_extensions_as_haproxy_takes_them() {
        for line in [
            &b"3"[..],
            b"03",
            b"0000000000000000000000000000000003",
            b"3 ",
            b"3\t",
            b"3;",
            b"3;a=b",
            b"3 ; a",
            b"3;a=\"b;c\"",
            b"3;a=\"\\\"\"",
            b"3;a=\"\xff\"",
            b"3;a=\xff",
            b"3;a=\"b\"c",
        ] {
            let body = [line, b"\r\nabc\r\n0\r\n\r\n"].concat();
            assert_eq!(data(&body), b"abc", "{}", line.escape_ascii());
        }
        assert_eq!(
            data(b"a\r\n0123456789\r\nA;x\r\n0123456789\r\n000\r\n\r\n").len(),
            20
        );
    }

    #[test]
    fn malformed_bodies_are_refused() {
        for (body, error) in [
            (&b"\r\n"[..], ChunkError::Size),
            (b" 3\r\n", ChunkError::Size),
            (b"0x3\r\n", ChunkError::Size),
            (b"+3\r\n", ChunkError::Size),
            (b"-3\r\n", ChunkError::Size),
            (b";a\r\n", ChunkError::Size),
            (b"3 3\r\n", ChunkError::Size),
            (b"3\n", ChunkError::Size),
            (b"10000000000000\r\n", ChunkError::Size),
            (b"fffffffffffffffff\r\n", ChunkError::Size),
            (b"3;a\n", ChunkError::Extension),
            (b"3;a\0\r\n", ChunkError::Extension),
            (b"3;a\x7f\r\n", ChunkError::Extension),
            (b"3;a=\"b\r\n", ChunkError::Extension),
            (b"3;a=\\\"\r\n", ChunkError::Extension),
            (b"3\r\r", ChunkError::LineEnd),
            (b"3\ra", ChunkError::LineEnd),
            (b"3\r\nabcd", ChunkError::LineEnd),
            (b"3\r\nabc\n", ChunkError::LineEnd),
            (b"3\r\nabc\rX", ChunkError::LineEnd),
            (
                b"0\r\nX : y\r\n\r\n",
                ChunkError::Trailers(HeadError::FieldName),
            ),
            (
                b"0\r\nX: \0\r\n\r\n",
                ChunkError::Trailers(HeadError::Control),
            ),
        ] {
            assert_eq!(decode(body, &[]), Err(error), "{}", body.escape_ascii());
        }
        let long = [&b"3;"[..], &vec![b'x'; 20_000]].concat();
        assert_eq!(decode(&long, &[]), Err(ChunkError::Extension));
        let many: Vec<u8> = (0..101)
            .flat_map(|n| format!("h{n}: x\r\n").into_bytes())
            .collect();
        let many = [b"0\r\n", &many[..], b"\r\n"].concat();
        assert_eq!(
            decode(&many, &[]),
            Err(ChunkError::Trailers(HeadError::TooManyFields))
        );
    }

    #[test]
    fn trailers_pass_and_framing_ones_are_checked() {
        let body = |fields: &str| format!("0\r\n{fields}\r\n\r\nGET").into_bytes();
        for (fields, sent) in [
            ("X-Sum: 1", "x-sum: 1"),
            (
                "Connection: close\r\nTe: gzip",
                "connection: close\r\nte: gzip",
            ),
            ("Content-Length: 05, 5", "content-length: 5"),
            (
                "Transfer-Encoding: gzip, chunked",
                "transfer-encoding: gzip, chunked",
            ),
            ("Host: b\r\nHost: b", "host: b"),
            ("Host:", "host: "),
        ] {
            let (_, trailers, left) = decode(&body(fields), &[]).unwrap().unwrap();
            let trailers = String::from_utf8(trailers).unwrap();
            assert_eq!(trailers, format!("{sent}\r\n\r\n"));
            assert_eq!(left, 3, "the next request stays where it is");
        }
        for (fields, error) in [
            (
                "Content-Length: 5\r\nContent-Length: 6",
                HeadError::ContentLength,
            ),
            ("Content-Length:", HeadError::ContentLength),
            (
                "Transfer-Encoding: chunked, chunked",
                HeadError::TransferEncoding,
            ),
            ("Transfer-Encoding: gzip", HeadError::TransferEncoding),
            ("Host: a\r\nHost: b", HeadError::Host),
            ("Host: a@b", HeadError::Host),
        ] {
            let refused = Err(ChunkError::Trailers(error));
            assert_eq!(decode(&body(fields), &[]), refused, "{fields}");
        }
    }

    #[test]
    fn a_chunk_s_data_may_go_by_unseen() {
        let (limits, mut trailers) = (Limits::default(), Head::new());
        let mut decoder = ChunkDecoder::new();
        let mut next = |decoder: &mut ChunkDecoder, input: &[u8]| {
            decoder.next(input, &limits, &mut trailers).unwrap()
        };
        assert_eq!(next(&mut decoder, b"a\r\n0123"), Chunk::Framing(3));
        assert_eq!(decoder.chunk_left(), 10);
        decoder.skip(4);
        assert_eq!(next(&mut decoder, b"45"), Chunk::Data(2));
        decoder.skip(4);
        assert_eq!(decoder.chunk_left(), 0);
        assert_eq!(next(&mut decoder, b"\r\n0\r\n\r\n"), Chunk::End(7));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_at_any_split(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6),
            mut cuts in proptest::collection::vec(0usize..300, 0..8),
        ) {
            let mut body = Vec::new();
            for chunk in &chunks {
                write_chunk_size(chunk.len() as u64, &mut body);
                body.extend_from_slice(chunk);
                body.extend_from_slice(CHUNK_END);
            }
            write_last_chunk(&mut body);
            body.extend_from_slice(b"x-a: 1\r\nx-b: 2\r\n\r\nrest");
            cuts.sort_unstable();
            let (data, trailers, left) = decode(&body, &cuts).unwrap().unwrap();
            prop_assert_eq!(data, chunks.concat());
            prop_assert_eq!(trailers, b"x-a: 1\r\nx-b: 2\r\n\r\n");
            prop_assert_eq!(left, 4);
        }

        #[test]
        fn any_bytes_give_the_same_verdict_at_any_split(
            body in "[0-3a;\"\\\\ \r\nx:]{0,40}",
            mut cuts in proptest::collection::vec(0usize..40, 0..8),
        ) {
            cuts.sort_unstable();
            let whole = decode(body.as_bytes(), &[]);
            // Which of several faults is seen first may depend on the split.
            prop_assert_eq!(decode(body.as_bytes(), &cuts).ok(), whole.ok());
        }
    }
}
