//! A TLS session over a socket, with the calls of a socket.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll};

use reactor::{Readable, Seg, Sock};

use super::error::TlsError;
use super::session::{Scratch, TlsInfo, TlsSession};

/// Pieces up to this size share a record with what was written before them; a record of its own
/// costs a larger piece less than copying it.
const COPY_BYTES: usize = 4096;

/// Pending text that is kept for the next write of this core.
const TEXT_KEPT_BYTES: usize = 32 * 1024;

/// A queue of pieces that grew beyond this many places is not kept when it is empty.
const QUEUE_KEPT: usize = 8;

thread_local! {
    /// Working memory of this core's sessions: an idle one keeps none.
    static MEMORY: RefCell<Memory> = RefCell::default();
}

#[derive(Default)]
struct Memory {
    scratch: Scratch,
    cipher: Vec<u8>,
    text: Vec<u8>,
}

/// A connection under TLS. What is read and written is plain text; the socket carries records.
///
/// Records are decrypted when somebody looks for plain text, so a reader that stops makes the
/// socket stop too, at its own mark.
pub struct Stream {
    sock: Sock,
    state: RefCell<State>,
}

struct State {
    session: TlsSession,
    /// Plain text that came and was not consumed.
    queue: VecDeque<Seg>,
    queued: usize,
    /// Plain text written and not yet put into records.
    pending: Vec<u8>,
    end: Option<End>,
    farewell: bool,
    passed: (u64, u64),
}

/// Why no more plain text will come.
#[derive(Clone)]
enum End {
    /// `close_notify`, or the end of the connection without it.
    Closed,
    Failed(TlsError),
}

/// Why a handshake did not come to its end.
#[derive(Debug)]
pub enum HandshakeFault {
    /// The peer closed the connection.
    Closed,
    /// The connection failed.
    Connection(io::Error),
    /// The sides did not agree; the peer has been told.
    Refused(TlsError),
}

impl Stream {
    /// A session over a connected socket. [`Stream::handshake`] comes first.
    pub fn new(sock: Sock, session: TlsSession) -> Stream {
        let state = State {
            session,
            queue: VecDeque::new(),
            queued: 0,
            pending: Vec::new(),
            end: None,
            farewell: false,
            passed: (0, 0),
        };
        Stream {
            sock,
            state: RefCell::new(state),
        }
    }

    /// The socket that carries the records.
    pub fn sock(&self) -> &Sock {
        &self.sock
    }

    /// What the handshake agreed on; `None` before its end.
    pub fn info(&self) -> Option<TlsInfo> {
        self.state.borrow().session.info()
    }

    /// Waits for the end of the handshake.
    pub async fn handshake(&self) -> Result<(), HandshakeFault> {
        std::future::poll_fn(|cx| self.poll_handshake(cx)).await
    }

    /// As [`Stream::handshake`].
    pub fn poll_handshake(&self, cx: &mut Context<'_>) -> Poll<Result<(), HandshakeFault>> {
        // Nothing has come yet, but a client's side has something to say.
        self.feed(&[]);
        loop {
            self.decrypt(0);
            let state = self.state.borrow();
            if let Some(End::Failed(error)) = &state.end {
                return Poll::Ready(Err(HandshakeFault::Refused(error.clone())));
            }
            if state.session.handshake_done() {
                return Poll::Ready(Ok(()));
            }
            if state.end.is_some() {
                return Poll::Ready(Err(HandshakeFault::Closed));
            }
            drop(state);
            match self.sock.poll_readable(cx) {
                Poll::Ready(Readable::Data) => {}
                Poll::Ready(Readable::Eof) => {
                    return Poll::Ready(Err(HandshakeFault::Closed));
                }
                Poll::Ready(Readable::Failed(error)) => {
                    return Poll::Ready(Err(HandshakeFault::Connection(error)));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Ready when more than `seen` bytes of plain text are queued, or nothing more will come.
    pub fn poll_more(&self, seen: usize, cx: &mut Context<'_>) -> Poll<Readable> {
        loop {
            self.decrypt(seen);
            let mut state = self.state.borrow_mut();
            if state.queued > seen {
                return Poll::Ready(Readable::Data);
            }
            match &state.end {
                Some(End::Closed) => return Poll::Ready(Readable::Eof),
                Some(End::Failed(error)) => {
                    let error = io::Error::new(io::ErrorKind::InvalidData, error.clone());
                    return Poll::Ready(Readable::Failed(error));
                }
                None => {}
            }
            match self.sock.poll_readable(cx) {
                Poll::Ready(Readable::Data) => {}
                Poll::Ready(Readable::Eof) => state.end = Some(End::Closed),
                other => return other,
            }
        }
    }

    /// The first queued piece of plain text.
    pub fn peek(&self) -> Option<Seg> {
        self.state.borrow().queue.front().cloned()
    }

    /// All queued plain text as one piece; it stays queued.
    pub fn linearize(&self) -> Option<Seg> {
        let mut state = self.state.borrow_mut();
        if state.queue.len() > 1 {
            let mut bytes = Vec::with_capacity(state.queued);
            for piece in state.queue.drain(..) {
                bytes.extend_from_slice(&piece);
            }
            state.queue.push_back(Seg::heap(bytes));
        }
        state.queue.front().cloned()
    }

    /// Bytes of plain text that are decrypted and not consumed.
    pub fn queued(&self) -> usize {
        self.state.borrow().queued
    }

    /// Drops the first `bytes` queued bytes.
    pub fn consume(&self, bytes: usize) {
        let mut left = bytes;
        while left > 0
            && let Some(piece) = self.take(left)
        {
            left -= piece.len();
        }
    }

    /// Takes the first piece, or its first `max` bytes if it is longer.
    pub fn take(&self, max: usize) -> Option<Seg> {
        if max == 0 {
            return None;
        }
        let mut state = self.state.borrow_mut();
        let front = state.queue.front_mut()?;
        let piece = if front.len() <= max {
            state.queue.pop_front()?
        } else {
            front.split_to(max)
        };
        state.queued -= piece.len();
        if state.queue.is_empty() && state.queue.capacity() > QUEUE_KEPT {
            state.queue = VecDeque::new();
        }
        Some(piece)
    }

    /// Lets go of scarce receive memory: plain text is on the heap anyway.
    pub fn park(&self) {
        self.sock.park();
    }

    /// Appends text to what will be sent. The closure only appends.
    pub fn write(&self, fill: impl FnOnce(&mut Vec<u8>)) {
        let mut text = self.take_pending();
        fill(&mut text);
        // The closure may have written to this stream too.
        let nested = std::mem::replace(&mut self.state.borrow_mut().pending, text);
        self.state.borrow_mut().pending.extend_from_slice(&nested);
    }

    /// Appends a piece to what will be sent.
    #[expect(clippy::needless_pass_by_value, reason = "the call that a socket has")]
    pub fn send(&self, piece: Seg) {
        if piece.len() <= COPY_BYTES {
            self.write(|text| text.extend_from_slice(&piece));
            return;
        }
        self.seal();
        let mut cipher = Vec::with_capacity(piece.len() + COPY_BYTES / 8);
        let mut state = self.state.borrow_mut();
        state.encrypt(&piece, &mut cipher);
        drop(state);
        self.sock.send(Seg::heap(cipher));
    }

    /// Starts to send what was appended.
    pub fn flush(&self) {
        self.seal();
        self.sock.flush();
    }

    /// Bytes that the kernel has not taken yet: records, and text that is in none yet.
    pub fn unsent(&self) -> usize {
        self.state.borrow().pending.len() + self.sock.unsent()
    }

    /// Ready when at most `at_most` bytes are unsent; only flushed bytes move.
    pub fn poll_sent(&self, at_most: usize, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let pending = self.state.borrow().pending.len();
        self.sock.poll_sent(at_most.saturating_sub(pending), cx)
    }

    /// Ends our direction after what was appended: `close_notify`, then FIN.
    pub fn shutdown_write(&self) {
        self.seal();
        let mut state = self.state.borrow_mut();
        if !std::mem::replace(&mut state.farewell, true) && state.end_is_clean() {
            self.sock.write(|cipher| state.session.close_notify(cipher));
        }
        drop(state);
        self.sock.shutdown_write();
    }

    /// Ends the connection with a reset.
    pub fn abort(&self) {
        self.sock.abort();
    }

    /// Bytes of plain text that passed: received and sent.
    pub fn passed(&self) -> (u64, u64) {
        self.state.borrow().passed
    }

    /// Decrypts what the socket holds until more than `seen` bytes of plain text are queued.
    fn decrypt(&self, seen: usize) {
        loop {
            let state = self.state.borrow();
            if state.queued > seen || state.end.is_some() {
                return;
            }
            drop(state);
            match self.sock.take(usize::MAX) {
                Some(piece) => self.feed(&piece),
                None => return,
            }
        }
    }

    fn feed(&self, incoming: &[u8]) {
        MEMORY.with_borrow_mut(|memory| {
            let mut state = self.state.borrow_mut();
            let mut plain = Vec::new();
            memory.cipher.clear();
            let fed = state.session.feed(
                incoming,
                &mut memory.scratch,
                &mut memory.cipher,
                &mut plain,
            );
            if !plain.is_empty() {
                state.queued += plain.len();
                state.passed.0 += plain.len() as u64;
                state.queue.push_back(Seg::heap(plain));
            }
            match fed {
                Ok(progress) if progress.peer_closed => state.end = Some(End::Closed),
                Ok(_) => {}
                Err(error) => state.end = Some(End::Failed(error)),
            }
            if !memory.cipher.is_empty() {
                self.sock.write(|out| out.extend_from_slice(&memory.cipher));
                self.sock.flush();
            }
        });
    }

    fn take_pending(&self) -> Vec<u8> {
        let text = std::mem::take(&mut self.state.borrow_mut().pending);
        if text.capacity() > 0 {
            return text;
        }
        MEMORY.with_borrow_mut(|memory| std::mem::take(&mut memory.text))
    }

    /// Puts pending text into records.
    fn seal(&self) {
        let mut state = self.state.borrow_mut();
        let mut text = std::mem::take(&mut state.pending);
        if !text.is_empty() {
            self.sock.write(|cipher| state.encrypt(&text, cipher));
        }
        text.clear();
        if text.capacity() <= TEXT_KEPT_BYTES {
            MEMORY.with_borrow_mut(|memory| {
                if memory.text.capacity() < text.capacity() {
                    memory.text = text;
                }
            });
        }
    }
}

impl State {
    /// A session that cannot send any more has failed: its reader is told.
    fn encrypt(&mut self, plain: &[u8], cipher: &mut Vec<u8>) {
        match self.session.encrypt(plain, cipher) {
            Ok(()) => self.passed.1 += plain.len() as u64,
            Err(error) => {
                self.end.get_or_insert(End::Failed(error));
            }
        }
    }

    fn end_is_clean(&self) -> bool {
        !matches!(self.end, Some(End::Failed(_)))
    }
}
