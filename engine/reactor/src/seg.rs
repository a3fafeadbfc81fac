//! A piece of bytes that is passed on without copying: part of a receive buffer, heap or constant.

use std::fmt;
use std::ops::{Bound, Deref, RangeBounds};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

use crate::buffers::Held;

/// A refcounted view of bytes (at most 4 GiB); cloning and slicing never copy.
///
/// Dropping the last view of a receive buffer gives the buffer back to its core.
#[derive(Clone)]
pub struct Seg {
    owner: Owner,
    data: NonNull<u8>,
    len: u32,
}

#[derive(Clone)]
enum Owner {
    Ring(Held),
    Heap(Rc<Vec<u8>>),
    Shared(#[expect(dead_code, reason = "keeps the bytes alive")] Arc<Vec<u8>>),
    Static,
}

impl Seg {
    /// Takes over the bytes of a vector.
    pub fn heap(bytes: Vec<u8>) -> Self {
        let len = piece_len(bytes.len());
        let owner = Rc::new(bytes);
        Self {
            data: start_of(&owner),
            len,
            owner: Owner::Heap(owner),
        }
    }

    /// Bytes that all cores share, such as an error file.
    pub fn shared(bytes: Arc<Vec<u8>>) -> Self {
        let len = piece_len(bytes.len());
        Self {
            data: start_of(&bytes),
            len,
            owner: Owner::Shared(bytes),
        }
    }

    /// Constant bytes.
    pub fn constant(bytes: &'static [u8]) -> Self {
        Self {
            data: start_of(bytes),
            len: piece_len(bytes.len()),
            owner: Owner::Static,
        }
    }

    /// The first `len` bytes of a buffer that the kernel has just written.
    pub(crate) fn received(held: Held, len: u32) -> Self {
        Self {
            data: held.data(),
            len,
            owner: Owner::Ring(held),
        }
    }

    /// A view of a part; the range is clipped to what is there.
    #[must_use]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        let len = self.len as usize;
        let end = match range.end_bound() {
            Bound::Included(&end) => end.saturating_add(1).min(len),
            Bound::Excluded(&end) => end.min(len),
            Bound::Unbounded => len,
        };
        let start = match range.start_bound() {
            Bound::Included(&start) => start.min(end),
            Bound::Excluded(&start) => start.saturating_add(1).min(end),
            Bound::Unbounded => 0,
        };
        let mut part = self.clone();
        part.advance(start);
        part.len = (end - start) as u32;
        part
    }

    /// Takes the first `at` bytes off and returns them (all of them when there are fewer).
    #[must_use]
    pub fn split_to(&mut self, at: usize) -> Self {
        let head = self.slice(..at);
        self.advance(head.len());
        head
    }

    /// Drops the first `bytes` bytes.
    pub fn advance(&mut self, bytes: usize) {
        let bytes = bytes.min(self.len as usize);
        // SAFETY: stays inside the view (or one past its end), which lies in one allocation.
        self.data = unsafe { self.data.add(bytes) };
        self.len -= bytes as u32;
    }

    /// Keeps only the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(piece_len(len));
    }

    /// The bytes as a vector of their own; without a copy when nobody else sees them.
    pub fn into_vec(self) -> Vec<u8> {
        let len = self.len as usize;
        match self.owner {
            Owner::Heap(bytes) if bytes.len() == len => {
                Rc::try_unwrap(bytes).unwrap_or_else(|shared| shared.to_vec())
            }
            _ => self.to_vec(),
        }
    }

    /// Whether this view pins a receive buffer.
    pub fn pins_buffer(&self) -> bool {
        matches!(self.owner, Owner::Ring(_))
    }

    /// Appends a copy of `bytes` behind this view if its own storage has room and no other view
    /// exists. `buffer_bytes` is the size of a receive buffer.
    pub(crate) fn append(&mut self, bytes: &[u8], buffer_bytes: usize) -> bool {
        let used = match &mut self.owner {
            Owner::Ring(held) if held.unique() => {
                // SAFETY: the view's start lies in the buffer that starts at `data`.
                let start = unsafe { self.data.offset_from(held.data()) } as usize;
                start + self.len as usize
            }
            Owner::Heap(owner) => return append_heap(owner, &mut self.data, &mut self.len, bytes),
            _ => return false,
        };
        if used + bytes.len() > buffer_bytes {
            return false;
        }
        // SAFETY: `used` is inside the buffer, checked above.
        let end = unsafe { self.data.add(self.len as usize) };
        // SAFETY: the room behind the view was checked, no other view exists, and `bytes` is in
        // another allocation (the buffer's only view is borrowed mutably here).
        unsafe { end.copy_from_nonoverlapping(start_of(bytes), bytes.len()) };
        self.len += bytes.len() as u32;
        true
    }
}

fn append_heap(
    owner: &mut Rc<Vec<u8>>,
    data: &mut NonNull<u8>,
    len: &mut u32,
    bytes: &[u8],
) -> bool {
    let Some(vector) = Rc::get_mut(owner) else {
        return false;
    };
    // SAFETY: the view lies in the vector's bytes.
    let start = unsafe { data.offset_from(start_of(vector)) } as usize;
    let end = start + *len as usize;
    if end != vector.len() || vector.capacity() - end < bytes.len() {
        return false;
    }
    vector.extend_from_slice(bytes);
    *len += bytes.len() as u32;
    // SAFETY: `start` is inside the vector's bytes; the pointer is taken again after the change.
    *data = unsafe { start_of(vector).add(start) };
    true
}

fn start_of(bytes: &[u8]) -> NonNull<u8> {
    NonNull::from(bytes).cast()
}

/// A piece longer than 4 GiB does not occur; it would be cut rather than wrapped.
fn piece_len(len: usize) -> u32 {
    debug_assert!(u32::try_from(len).is_ok());
    u32::try_from(len).unwrap_or(u32::MAX)
}

impl Deref for Seg {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `data` and `len` describe initialised bytes that the owner keeps alive, and
        // that nobody changes while a shared view of them exists (`append` needs the only one).
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len as usize) }
    }
}

impl AsRef<[u8]> for Seg {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Vec<u8>> for Seg {
    fn from(bytes: Vec<u8>) -> Self {
        Self::heap(bytes)
    }
}

impl fmt::Debug for Seg {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Seg({} bytes{})",
            self.len,
            if self.pins_buffer() { ", buffer" } else { "" }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffers::Buffers;

    fn received(buffers: &Rc<Buffers>, text: &[u8]) -> Seg {
        let held = buffers.taken(0).unwrap();
        // SAFETY: the buffer is ours alone and larger than the text.
        unsafe {
            held.data()
                .copy_from_nonoverlapping(start_of(text), text.len());
        };
        Seg::received(held, text.len() as u32)
    }

    #[test]
    fn views_share_one_storage() {
        let mut all = Seg::heap(b"hello world".to_vec());
        let head = all.split_to(5);
        assert_eq!((&*head, &*all), (&b"hello"[..], &b" world"[..]));
        assert_eq!(&*all.slice(1..3), b"wo");
        assert_eq!(&*all.slice(..=0), b" ");
        assert_eq!(&*all.slice(99..), b"");
        all.advance(99);
        assert!(all.is_empty());
    }

    #[test]
    fn every_kind_of_storage_reads_the_same() {
        assert_eq!(&*Seg::constant(b"abc"), b"abc");
        assert_eq!(&*Seg::shared(Arc::new(b"abc".to_vec())), b"abc");
        assert_eq!(Seg::heap(b"abc".to_vec()).into_vec(), b"abc");
        assert_eq!(Seg::heap(b"abc".to_vec()).slice(1..).into_vec(), b"bc");
        assert!(Seg::heap(Vec::new()).is_empty());
    }

    #[test]
    fn small_pieces_fill_one_buffer() {
        let buffers = Buffers::new(2, 16, 4).unwrap();
        buffers.fill();
        let mut piece = received(&buffers, b"xyhello");
        piece.advance(2);
        assert!(piece.append(b" wor", 16));
        assert_eq!(&*piece, b"hello wor");
        let view = piece.clone();
        assert!(!piece.append(b"ld", 16), "someone else looks at it");
        drop(view);
        assert!(!piece.append(b"0123456789", 16), "no room");
        assert!(piece.append(b"ld", 16));
        assert_eq!(&*piece, b"hello world");
        assert!(piece.pins_buffer());
    }

    #[test]
    fn heap_pieces_grow_within_their_capacity() {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(b"ab");
        let mut piece = Seg::heap(bytes);
        assert!(piece.append(b"cd", 0));
        piece.advance(1);
        assert!(piece.append(b"ef", 0));
        assert_eq!(&*piece, b"bcdef");
        assert!(!piece.append(&[0; 64], 0));
        let _view = piece.slice(..1);
        assert!(!piece.append(b"g", 0));
    }
}
