//! Where a message body ends.

/// What of a body is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Length(u64),
    Chunked(Chunk),
    /// Until the peer closes.
    Eof,
}

/// Position inside a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// In the size line: value so far, and whether an extension began.
    Size {
        value: u64,
        extension: bool,
    },
    Data {
        left: u64,
    },
    /// The line end after a chunk's data.
    DataEnd,
    /// In the trailer section: bytes of the current line.
    Trailer {
        line: u32,
    },
    Done,
}

/// A body that breaks the chunked coding.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a chunked body")]
pub struct NotChunked;

impl Body {
    pub const fn none() -> Self {
        Body::Length(0)
    }

    pub const fn chunked() -> Self {
        Body::Chunked(Chunk::Size {
            value: 0,
            extension: false,
        })
    }

    pub fn is_done(self) -> bool {
        matches!(self, Body::Length(0) | Body::Chunked(Chunk::Done))
    }

    /// Takes what belongs to the body from the front of `input`; returns how many bytes that
    /// were. Payload is passed to `data` in order.
    pub fn take(&mut self, input: &[u8], mut data: impl FnMut(&[u8])) -> Result<usize, NotChunked> {
        match self {
            Body::Eof => {
                data(input);
                Ok(input.len())
            }
            Body::Length(left) => {
                let n = (input.len() as u64).min(*left) as usize;
                data(&input[..n]);
                *left -= n as u64;
                Ok(n)
            }
            Body::Chunked(chunk) => {
                let mut at = 0;
                while at < input.len() && *chunk != Chunk::Done {
                    at += chunk.step(&input[at..], &mut data)?;
                }
                Ok(at)
            }
        }
    }
}

impl Chunk {
    /// Takes at least one byte of a non-empty `input`.
    fn step(&mut self, input: &[u8], data: &mut impl FnMut(&[u8])) -> Result<usize, NotChunked> {
        let byte = input[0];
        *self = match *self {
            Chunk::Data { left } => {
                let n = (input.len() as u64).min(left) as usize;
                data(&input[..n]);
                let left = left - n as u64;
                *self = if left == 0 {
                    Chunk::DataEnd
                } else {
                    Chunk::Data { left }
                };
                return Ok(n);
            }
            Chunk::Size { value, .. } if byte == b'\n' => match value {
                0 => Chunk::Trailer { line: 0 },
                left => Chunk::Data { left },
            },
            Chunk::Size { value, extension } if extension || byte == b';' || byte == b'\r' => {
                Chunk::Size {
                    value,
                    extension: extension || byte == b';',
                }
            }
            Chunk::Size { value, .. } => {
                let digit = (byte as char).to_digit(16).ok_or(NotChunked)?;
                let value = value.checked_mul(16).ok_or(NotChunked)? + u64::from(digit);
                Chunk::Size {
                    value,
                    extension: false,
                }
            }
            Chunk::DataEnd => match byte {
                b'\r' => Chunk::DataEnd,
                b'\n' => Chunk::Size {
                    value: 0,
                    extension: false,
                },
                _ => return Err(NotChunked),
            },
            Chunk::Trailer { line } => match byte {
                b'\r' => Chunk::Trailer { line },
                b'\n' if line == 0 => Chunk::Done,
                b'\n' => Chunk::Trailer { line: 0 },
                _ => Chunk::Trailer { line: line + 1 },
            },
            Chunk::Done => return Ok(0),
        };
        Ok(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(
        mut body: Body,
        input: &[u8],
        step: usize,
    ) -> Result<(Vec<u8>, usize, bool), NotChunked> {
        let (mut out, mut used) = (Vec::new(), 0);
        for piece in input.chunks(step) {
            used += body.take(piece, |data| out.extend_from_slice(data))?;
        }
        Ok((out, used, body.is_done()))
    }

    #[test]
    fn chunks_decode_at_every_split() {
        let input = b"5;x=y\r\nhello\r\n00a\r\n, world!!!\r\n0\r\nA: b\r\n\r\nNEXT";
        for step in 1..input.len() {
            let (out, used, done) = decode(Body::chunked(), input, step).unwrap();
            assert_eq!(out, b"hello, world!!!");
            assert_eq!((used, done), (input.len() - 4, true), "step {step}");
        }
    }

    #[test]
    fn a_length_ends_where_it_says() {
        assert_eq!(
            decode(Body::Length(3), b"abcd", 2),
            Ok((b"abc".to_vec(), 3, true))
        );
        assert_eq!(
            decode(Body::Length(5), b"abcd", 2),
            Ok((b"abcd".to_vec(), 4, false))
        );
        assert_eq!(
            decode(Body::Eof, b"abcd", 3),
            Ok((b"abcd".to_vec(), 4, false))
        );
    }

    #[test]
    fn junk_is_refused() {
        assert_eq!(decode(Body::chunked(), b"xyz\r\n", 5), Err(NotChunked));
        assert_eq!(decode(Body::chunked(), b"1\r\naZ", 5), Err(NotChunked));
        assert_eq!(
            decode(Body::chunked(), b"fffffffffffffffff\r\n", 50),
            Err(NotChunked)
        );
    }
}
