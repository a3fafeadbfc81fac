//! The receive buffers of one core: a small ring that the kernel takes from, refilled at once.
//!
//! The ring has at most 256 slots so that what the kernel writes stays in the cache, but a slot
//! whose buffer was handed out gets another buffer immediately, from a last-in-first-out list.
//! Pieces held by slow receivers therefore never starve others, up to the limit of spare buffers.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::{Cell, RefCell};
use std::io;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

/// The one buffer group of a core.
pub(crate) const BUFFER_GROUP: u16 = 0;
/// Returned buffers kept for reuse beyond the ring's slots; more go back to the allocator.
const FREE_KEPT: usize = 64;

/// Room before the bytes of a buffer for its header; one cache line.
const HEADER_BYTES: usize = 64;

/// What precedes the bytes of a receive buffer, so that handing out a piece allocates nothing.
struct Header {
    refs: Cell<u32>,
    /// The pool to return to; set while the buffer is handed out.
    home: Cell<Option<Rc<Buffers>>>,
}

/// One receive buffer that is in the ring or free; the bytes are reached through raw pointers
/// only, because the kernel writes them while the buffer is in the ring.
pub(crate) struct Chunk {
    header: NonNull<Header>,
}

/// A counted reference to a buffer that was handed out; the last one gives it back.
pub(crate) struct Held {
    header: NonNull<Header>,
}

pub(crate) struct Buffers {
    ring: NonNull<BufRingEntry>,
    slots: u16,
    buffer_bytes: u32,
    chunks_max: usize,
    /// Buffers in existence: in the ring, handed out or free.
    chunks: Cell<usize>,
    tail: Cell<u16>,
    inner: RefCell<Inner>,
}

struct Inner {
    /// The buffer that the kernel owns under each buffer id.
    in_ring: Vec<Option<Chunk>>,
    free: Vec<Chunk>,
    /// Buffer ids without a buffer: the pool was exhausted when theirs was handed out.
    empty_ids: Vec<u16>,
}

impl Buffers {
    /// `slots` a power of two up to 256; `spare_max` buffers may exist beyond the slots.
    pub(crate) fn new(slots: u16, buffer_bytes: u32, spare_max: usize) -> io::Result<Rc<Self>> {
        let bytes = usize::from(slots) * size_of::<BufRingEntry>();
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice.
        let ring = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        let Some(ring) = NonNull::new(ring.cast()).filter(|_| ring != libc::MAP_FAILED) else {
            return Err(io::Error::last_os_error());
        };
        Ok(Rc::new(Self {
            ring,
            slots,
            buffer_bytes,
            chunks_max: usize::from(slots) + spare_max,
            chunks: Cell::new(0),
            tail: Cell::new(0),
            inner: RefCell::new(Inner {
                in_ring: (0..slots).map(|_| None).collect(),
                free: Vec::new(),
                empty_ids: Vec::new(),
            }),
        }))
    }

    /// Address of the ring, page aligned, for the registration.
    pub(crate) fn ring_address(&self) -> u64 {
        self.ring.as_ptr() as u64
    }

    pub(crate) fn slots(&self) -> u16 {
        self.slots
    }

    pub(crate) fn buffer_bytes(&self) -> usize {
        self.buffer_bytes as usize
    }

    /// Gives every slot a buffer; once, after the registration.
    pub(crate) fn fill(&self) {
        let mut inner = self.inner.borrow_mut();
        for id in 0..self.slots {
            self.provide(&mut inner, id);
        }
    }

    /// The kernel has used buffer `id`: takes it out and refills the slot.
    pub(crate) fn taken(self: &Rc<Self>, id: u16) -> Option<Held> {
        let mut inner = self.inner.borrow_mut();
        let chunk = inner.in_ring.get_mut(usize::from(id))?.take()?;
        self.provide(&mut inner, id);
        Some(Held::new(chunk, self.clone()))
    }

    fn give_back(&self, chunk: Chunk) {
        let mut inner = self.inner.borrow_mut();
        if let Some(id) = inner.empty_ids.pop() {
            self.offer(&mut inner, id, chunk);
        } else if inner.free.len() < FREE_KEPT {
            inner.free.push(chunk);
        } else {
            drop(inner);
            self.release(chunk);
        }
    }

    /// How many buffers the kernel has to receive into.
    pub(crate) fn available(&self) -> usize {
        usize::from(self.slots) - self.inner.borrow().empty_ids.len()
    }

    /// Buffers in existence, the unit of receive memory.
    pub(crate) fn chunks(&self) -> usize {
        self.chunks.get()
    }

    fn provide(&self, inner: &mut Inner, id: u16) {
        if let Some(chunk) = inner.free.pop() {
            self.offer(inner, id, chunk);
        } else if self.chunks.get() < self.chunks_max {
            let chunk = self.allocate();
            self.offer(inner, id, chunk);
        } else {
            inner.empty_ids.push(id);
        }
    }

    fn offer(&self, inner: &mut Inner, id: u16, chunk: Chunk) {
        let tail = self.tail.get();
        let index = usize::from(tail & (self.slots - 1));
        // SAFETY: `index` is below `slots`, which is what the mapping was made for; the kernel
        // reads an entry only after the tail published below has passed it.
        let entry = unsafe { self.ring.add(index).as_mut() };
        entry.set_addr(chunk.data().as_ptr() as u64);
        entry.set_len(self.buffer_bytes);
        entry.set_bid(id);
        inner.in_ring[usize::from(id)] = Some(chunk);
        let tail = tail.wrapping_add(1);
        self.tail.set(tail);
        // SAFETY: the tail lies in the first entry's reserved field, inside the mapping.
        let published = unsafe { BufRingEntry::tail(self.ring.as_ptr()) };
        // SAFETY: aligned, valid for the mapping's life, and shared with the kernel as an atomic.
        unsafe { AtomicU16::from_ptr(published.cast_mut()) }.store(tail, Ordering::Release);
    }

    fn layout(&self) -> Layout {
        let bytes = HEADER_BYTES + self.buffer_bytes as usize;
        // Cannot fail: a u32 and a cache line are far below isize::MAX.
        Layout::from_size_align(bytes, HEADER_BYTES).unwrap_or(Layout::new::<Header>())
    }

    fn allocate(&self) -> Chunk {
        let layout = self.layout();
        // SAFETY: the layout is never empty, it has at least the header.
        let memory = unsafe { alloc(layout) };
        #[expect(
            clippy::cast_ptr_alignment,
            reason = "the layout is aligned to a cache line"
        )]
        let Some(header) = NonNull::new(memory.cast::<Header>()) else {
            handle_alloc_error(layout)
        };
        let fresh = Header {
            refs: Cell::new(0),
            home: Cell::new(None),
        };
        // SAFETY: freshly allocated, aligned to a cache line, and large enough for a header.
        unsafe { header.write(fresh) };
        self.chunks.set(self.chunks.get() + 1);
        Chunk { header }
    }

    fn release(&self, Chunk { header }: Chunk) {
        self.chunks.set(self.chunks.get() - 1);
        // SAFETY: allocated by `allocate` with the same layout, and owned by nobody else.
        unsafe { dealloc(header.as_ptr().cast(), self.layout()) };
    }
}

const _: () = assert!(size_of::<Header>() <= HEADER_BYTES);

impl Chunk {
    fn data(&self) -> NonNull<u8> {
        // SAFETY: the allocation has `HEADER_BYTES` before the bytes.
        unsafe { self.header.cast::<u8>().add(HEADER_BYTES) }
    }
}

impl Held {
    fn new(Chunk { header }: Chunk, home: Rc<Buffers>) -> Self {
        let held = Self { header };
        held.header().refs.set(1);
        held.header().home.set(Some(home));
        held
    }

    fn header(&self) -> &Header {
        // SAFETY: the header was written at allocation, and lives as long as any reference.
        unsafe { self.header.as_ref() }
    }

    /// Start of the buffer's bytes.
    pub(crate) fn data(&self) -> NonNull<u8> {
        Chunk {
            header: self.header,
        }
        .data()
    }

    /// Whether this is the only reference, so that its bytes may be changed.
    pub(crate) fn unique(&self) -> bool {
        self.header().refs.get() == 1
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        let refs = &self.header().refs;
        refs.set(refs.get() + 1);
        Self {
            header: self.header,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let refs = self.header().refs.get() - 1;
        self.header().refs.set(refs);
        if refs == 0
            && let Some(home) = self.header().home.take()
        {
            home.give_back(Chunk {
                header: self.header,
            });
        }
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        let inner = self.inner.get_mut();
        let chunks: Vec<Chunk> = inner
            .in_ring
            .drain(..)
            .flatten()
            .chain(inner.free.drain(..))
            .collect();
        for chunk in chunks {
            self.release(chunk);
        }
        let bytes = usize::from(self.slots) * size_of::<BufRingEntry>();
        // SAFETY: mapped in `new` with this length; the ring that used it is closed before the
        // last reference goes (pieces and the core hold one each).
        unsafe { libc::munmap(self.ring.as_ptr().cast(), bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_slot_is_refilled_until_the_limit() {
        let buffers = Buffers::new(4, 1024, 2).unwrap();
        buffers.fill();
        assert_eq!(buffers.chunks(), 4);
        let first = buffers.taken(0).unwrap();
        let second = buffers.taken(1).unwrap();
        assert_eq!(buffers.chunks(), 6);
        let rest: Vec<Held> = [0, 1, 2, 3]
            .iter()
            .filter_map(|&id| buffers.taken(id))
            .collect();
        assert_eq!(rest.len(), 4);
        assert_eq!(buffers.available(), 0);
        assert!(buffers.taken(2).is_none(), "an empty slot cannot be taken");
        let again = first.clone();
        drop(first);
        assert_eq!(buffers.available(), 0, "still referenced");
        drop(again);
        assert_eq!(buffers.available(), 1);
        drop((second, rest));
        assert_eq!(buffers.chunks(), 6);
    }

    #[test]
    fn an_unknown_buffer_id_is_refused() {
        let buffers = Buffers::new(2, 1024, 0).unwrap();
        buffers.fill();
        assert!(buffers.taken(9).is_none());
    }
}
