//! What one send operation carries: texts and pieces, gathered, in memory the core owns.

use std::cell::RefCell;
use std::ptr;

use crate::config::CoreConfig;
use crate::seg::Seg;
use crate::sock::pipe::Pipe;

/// Pieces up to this size are copied into the text before them: cheaper than another element of
/// the gather list, and a small piece must not pin a whole receive buffer at a slow receiver.
const COPY_BYTES: usize = 1024;
/// Elements of one gather list (IOV_MAX is 1024).
const GATHER_MAX: usize = 256;
/// Idle batches and texts kept a core, and the largest text kept.
const KEPT: usize = 128;
const TEXT_KEPT_BYTES: usize = 32 * 1024;
const PIECES_KEPT: usize = 64;

enum Piece {
    Text(Vec<u8>),
    Seg(Seg),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text,
            Self::Seg(piece) => piece,
        }
    }
}

/// Bytes in order, as few pieces as possible. Once handed to the kernel it must not change until
/// the operation has come back: the kernel reads `message` and `vectors` during that time.
pub(super) struct Batch {
    pieces: Vec<Piece>,
    bytes: usize,
    /// Bytes of `pieces` that are sent already.
    sent: usize,
    vectors: Vec<libc::iovec>,
    message: libc::msghdr,
}

/// What a send operation is made of.
pub(super) enum Gather {
    One { data: *const u8, len: u32 },
    Many(*const libc::msghdr),
}

impl Batch {
    fn new() -> Self {
        // SAFETY: all zeroes is a valid msghdr: null pointers and zero lengths.
        let message = unsafe { std::mem::zeroed() };
        Self {
            pieces: Vec::new(),
            bytes: 0,
            sent: 0,
            vectors: Vec::new(),
            message,
        }
    }

    /// Bytes that are still to be sent.
    pub(super) fn left(&self) -> usize {
        self.bytes - self.sent
    }

    pub(super) fn write(&mut self, pools: &Pools, fill: impl FnOnce(&mut Vec<u8>)) {
        if !matches!(self.pieces.last(), Some(Piece::Text(_))) {
            self.pieces.push(Piece::Text(pools.text()));
        }
        if let Some(Piece::Text(text)) = self.pieces.last_mut() {
            let before = text.len();
            fill(text);
            // A closure that shortens what others wrote would corrupt the count.
            debug_assert!(text.len() >= before, "write only appends");
            self.bytes = self.bytes + text.len() - before;
        }
    }

    pub(super) fn push(&mut self, pools: &Pools, piece: Seg) {
        if piece.len() <= COPY_BYTES {
            self.write(pools, |text| text.extend_from_slice(&piece));
        } else {
            self.bytes += piece.len();
            self.pieces.push(Piece::Seg(piece));
        }
    }

    /// Moves what does not fit into one gather list to a batch of its own.
    pub(super) fn split_excess(&mut self, pools: &Pools) -> Option<Box<Self>> {
        if self.pieces.len() <= GATHER_MAX {
            return None;
        }
        let mut rest = pools.batch();
        rest.pieces.extend(self.pieces.drain(GATHER_MAX..));
        rest.bytes = rest.pieces.iter().map(|piece| piece.bytes().len()).sum();
        self.bytes -= rest.bytes;
        Some(rest)
    }

    /// Puts the pieces of `rest` behind this batch's.
    pub(super) fn append(&mut self, rest: &mut Self) {
        debug_assert_eq!(rest.sent, 0, "only a batch that was never sent is appended");
        self.pieces.append(&mut rest.pieces);
        self.bytes += rest.bytes;
        rest.bytes = 0;
    }

    /// Notes what the kernel has taken.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.sent = (self.sent + bytes).min(self.bytes);
    }

    /// Describes what is left to the kernel. The pointers hold until this batch changes.
    pub(super) fn gather(&mut self) -> Gather {
        let mut skip = self.sent;
        self.vectors.clear();
        for piece in &self.pieces {
            let bytes = piece.bytes();
            if skip >= bytes.len() {
                skip -= bytes.len();
                continue;
            }
            let rest = &bytes[skip..];
            skip = 0;
            let base = rest.as_ptr().cast_mut().cast();
            self.vectors.push(libc::iovec {
                iov_base: base,
                iov_len: rest.len(),
            });
        }
        if let [one] = self.vectors[..] {
            // Cut rather than wrapped: the remainder is sent next, like after a short send.
            let len = u32::try_from(one.iov_len).unwrap_or(u32::MAX);
            return Gather::One {
                data: one.iov_base.cast(),
                len,
            };
        }
        self.message.msg_iov = self.vectors.as_mut_ptr();
        self.message.msg_iovlen = self.vectors.len() as _;
        Gather::Many(ptr::from_ref(&self.message))
    }
}

/// Batches are boxed once and stay boxed: the kernel has their address.
type BatchBox = Box<Batch>;

/// Memory that sockets share, so that an idle socket owns none.
pub(crate) struct Pools {
    batches: RefCell<Vec<BatchBox>>,
    texts: RefCell<Vec<Vec<u8>>>,
    pub(super) pipes: RefCell<Vec<Pipe>>,
    pub(super) pipes_kept: usize,
    pub(super) pipe_bytes: u32,
}

impl Pools {
    pub(crate) fn new(config: &CoreConfig) -> Self {
        Self {
            batches: RefCell::default(),
            texts: RefCell::default(),
            pipes: RefCell::default(),
            pipes_kept: config.pipes_kept,
            pipe_bytes: config.pipe_bytes,
        }
    }

    #[expect(clippy::unnecessary_box_returns, reason = "the kernel has its address")]
    pub(super) fn batch(&self) -> BatchBox {
        self.batches
            .borrow_mut()
            .pop()
            .unwrap_or_else(|| Box::new(Batch::new()))
    }

    fn text(&self) -> Vec<u8> {
        self.texts.borrow_mut().pop().unwrap_or_default()
    }

    /// Empties a batch that the kernel has returned and keeps its memory.
    pub(super) fn recycle(&self, mut batch: Box<Batch>) {
        let mut texts = self.texts.borrow_mut();
        for piece in batch.pieces.drain(..) {
            if let Piece::Text(mut text) = piece
                && texts.len() < KEPT
                && text.capacity() <= TEXT_KEPT_BYTES
            {
                text.clear();
                texts.push(text);
            }
        }
        drop(texts);
        batch.bytes = 0;
        batch.sent = 0;
        let mut batches = self.batches.borrow_mut();
        if batches.len() < KEPT && batch.pieces.capacity() <= PIECES_KEPT {
            batches.push(batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pools() -> Pools {
        Pools::new(&CoreConfig::default())
    }

    fn gathered(batch: &mut Batch) -> Vec<Vec<u8>> {
        let read = |data: *const u8, len: usize| {
            // SAFETY: the batch is alive and unchanged since `gather`.
            unsafe { std::slice::from_raw_parts(data, len) }.to_vec()
        };
        match batch.gather() {
            Gather::One { data, len } => vec![read(data, len as usize)],
            Gather::Many(_) => batch
                .vectors
                .iter()
                .map(|vector| read(vector.iov_base.cast(), vector.iov_len))
                .collect(),
        }
    }

    #[test]
    fn texts_and_small_pieces_become_one() {
        let pools = pools();
        let mut batch = pools.batch();
        batch.write(&pools, |text| text.extend_from_slice(b"head "));
        batch.push(&pools, Seg::constant(b"small "));
        batch.write(&pools, |text| text.extend_from_slice(b"tail"));
        assert_eq!(gathered(&mut batch), [b"head small tail".to_vec()]);
        assert_eq!(batch.left(), 15);
    }

    #[test]
    fn what_is_sent_is_skipped_across_pieces() {
        let pools = pools();
        let mut batch = pools.batch();
        batch.write(&pools, |text| text.extend_from_slice(b"abc"));
        batch.push(&pools, Seg::heap(vec![b'x'; 2000]));
        batch.write(&pools, |text| text.extend_from_slice(b"end"));
        batch.advance(1);
        assert_eq!(
            gathered(&mut batch),
            [b"bc".to_vec(), vec![b'x'; 2000], b"end".to_vec()]
        );
        batch.advance(1002);
        assert_eq!(gathered(&mut batch), [vec![b'x'; 1000], b"end".to_vec()]);
        batch.advance(1001);
        assert_eq!(gathered(&mut batch), [b"nd".to_vec()]);
        assert_eq!(batch.left(), 2);
    }

    #[test]
    fn a_long_gather_list_is_split() {
        let pools = pools();
        let mut batch = pools.batch();
        for _ in 0..GATHER_MAX + 10 {
            batch.push(&pools, Seg::heap(vec![0; COPY_BYTES + 1]));
        }
        let rest = batch.split_excess(&pools).unwrap();
        assert_eq!(rest.left(), 10 * (COPY_BYTES + 1));
        assert_eq!(batch.left(), GATHER_MAX * (COPY_BYTES + 1));
        assert!(batch.split_excess(&pools).is_none());
    }

    #[test]
    fn a_recycled_batch_is_empty() {
        let pools = pools();
        let mut batch = pools.batch();
        batch.write(&pools, |text| text.extend_from_slice(b"old"));
        batch.advance(2);
        pools.recycle(batch);
        let mut batch = pools.batch();
        assert_eq!(batch.left(), 0);
        batch.write(&pools, |text| {
            assert!(text.is_empty() && text.capacity() > 0);
            text.push(b'n');
        });
        assert_eq!(gathered(&mut batch), [b"n".to_vec()]);
    }
}
