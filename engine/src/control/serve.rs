//! The admin socket itself: accepts clients and carries bytes between them and their session.

use super::level::Level;
use super::ops::Ops;
use super::reply::Events;
use super::session::{Session, Step};
use crate::limits::{ADMIN_LINGER_MS, COMMAND_LINE_BYTES, RELAY_HIGH_BYTES};
use crate::rt;
use reactor::{Core, Listener, Mailbox, Readable, Seg, Sock, Timer};
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

/// What all clients of one `stats socket` have in common.
#[derive(Clone)]
pub struct Terms {
    pub level: Level,
    /// `stats timeout`: silence after which a client is closed.
    pub timeout_ms: u64,
    /// The process that they talk about.
    pub ops: Rc<RefCell<dyn Ops>>,
}

/// Accepts clients until the listener fails; each is served by a task of its own.
pub async fn serve(core: Core, listener: Listener, terms: Terms) -> io::Error {
    loop {
        match listener.accept().await {
            Ok(accepted) => {
                let sock = core.socket(accepted.fd);
                rt::spawn(serve_client(core.clone(), sock, terms.clone()));
            }
            Err(error) => return error,
        }
    }
}

/// Serves one client to its end. A client that closed its sending half gets all its answers.
pub async fn serve_client(core: Core, sock: Sock, terms: Terms) {
    let mut session = Session::new(terms.level, terms.timeout_ms);
    let connection = Connection {
        timer: core.timer(),
        sock,
    };
    let mut reply = None;
    loop {
        connection.take_input(&mut session);
        let step = match reply.take() {
            Some(reply) => session.answered(reply),
            None => session.step(&mut *terms.ops.borrow_mut()),
        };
        let going_on = match step {
            Step::Read => connection.read(&mut session).await,
            Step::Send(text) => connection.send(text, session.timeout_ms()).await,
            Step::Follow(events) => connection.follow(events, session.timeout_ms()).await,
            Step::Wait(later) => {
                reply = Some(later.await);
                true
            }
            Step::Close => return connection.finish(session.timeout_ms()).await,
        };
        if !going_on {
            return;
        }
    }
}

struct Connection {
    sock: Sock,
    timer: Timer,
}

impl Connection {
    fn take_input(&self, session: &mut Session) {
        while session.wants_input() {
            let Some(piece) = self.sock.take(COMMAND_LINE_BYTES) else {
                return;
            };
            session.receive(&piece);
        }
    }

    /// Waits for input; `false` when the client is gone or silent for too long.
    async fn read(&self, session: &mut Session) -> bool {
        let timeout_ms = session.timeout_ms();
        match self
            .within(timeout_ms, |context| self.sock.poll_readable(context))
            .await
        {
            Some(Readable::Data) => true,
            Some(Readable::Eof) => {
                session.end_of_input();
                true
            }
            Some(Readable::Failed(_)) | None => false,
        }
    }

    /// Sends a text; `false` when the client does not take it.
    async fn send(&self, text: String, timeout_ms: u64) -> bool {
        self.sock.send(Seg::heap(text.into_bytes()));
        self.sock.flush();
        let taken = |context: &mut Context<'_>| self.sock.poll_sent(RELAY_HIGH_BYTES, context);
        matches!(self.within(timeout_ms, taken).await, Some(Ok(())))
    }

    /// Sends lines of a ring until there are no more, or until the client says anything; what it
    /// said is forgotten. False when the client is gone.
    async fn follow(&self, events: Events, timeout_ms: u64) -> bool {
        let (mailbox, post) = self.sock.core().mailbox::<()>();
        let wake = Box::new(move || {
            let _ = post.send(());
        });
        let reader = events.ring.reader(events.start, wake);
        loop {
            let mut text = String::new();
            let any = reader.read(|line| {
                text.push_str(&String::from_utf8_lossy(line));
                text.push(events.delimiter);
                text.len() < RELAY_HIGH_BYTES
            });
            if any {
                if !self.send(text, timeout_ms).await {
                    return false;
                }
            } else if !events.waits || !self.next_line(&mailbox).await {
                return self.send("\n".to_owned(), timeout_ms).await;
            }
        }
    }

    /// Waits for lines of a ring; false if the client said something or has ended.
    async fn next_line(&self, mailbox: &Mailbox<()>) -> bool {
        poll_fn(|context| {
            if self.sock.poll_readable(context).is_ready() {
                self.sock.consume(self.sock.queued());
                return Poll::Ready(false);
            }
            mailbox.poll_recv(context).map(|_| true)
        })
        .await
    }

    /// Sends what is left, then waits a moment for the client's end, so that closing does not
    /// take the last answer away from it.
    async fn finish(&self, timeout_ms: u64) {
        let empty = |context: &mut Context<'_>| self.sock.poll_sent(0, context);
        let Some(Ok(())) = self.within(timeout_ms, empty).await else {
            return;
        };
        self.sock.shutdown_write();
        let discard = |context: &mut Context<'_>| {
            while let Poll::Ready(state) = self.sock.poll_readable(context) {
                match state {
                    Readable::Data => self.sock.consume(self.sock.queued()),
                    Readable::Eof | Readable::Failed(_) => return Poll::Ready(()),
                }
            }
            Poll::Pending
        };
        self.within(ADMIN_LINGER_MS, discard).await;
    }

    /// What `poll` gives, or `None` when that takes too long.
    async fn within<T>(
        &self,
        timeout_ms: u64,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Option<T> {
        self.timer.set_after(timeout_ms);
        let result = poll_fn(|context| match poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => self.timer.poll_expired(context).map(|()| None),
        });
        let result = result.await;
        self.timer.clear();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeOps;
    use super::*;
    use reactor::{CoreConfig, Wait};
    use std::io::{Read, Write};
    use std::net::Shutdown;
    use std::os::unix::net::UnixStream;
    use std::task::Waker;
    use std::thread;

    /// Runs the client's end on a thread and the server's end here, until both are done.
    fn with_client<T: Send + 'static>(
        timeout_ms: u64,
        client: impl FnOnce(UnixStream) -> T + Send + 'static,
    ) -> T {
        let core = Core::new(&CoreConfig::default()).expect("a ring");
        let (ours, theirs) = UnixStream::pair().expect("a socket pair");
        let ops = Rc::new(RefCell::new(FakeOps::new()));
        let terms = Terms {
            level: Level::Admin,
            timeout_ms,
            ops,
        };
        let mut server = Box::pin(serve_client(core.clone(), core.socket(ours.into()), terms));
        let client = thread::spawn(move || client(theirs));
        let mut context = Context::from_waker(Waker::noop());
        while server.as_mut().poll(&mut context).is_pending() {
            core.turn(if core.take_runnable() {
                Wait::Poll
            } else {
                Wait::Block
            });
        }
        drop(server);
        while !client.is_finished() {
            core.turn(Wait::Poll);
        }
        client.join().expect("the client")
    }

    fn all(mut stream: &UnixStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("text");
        text
    }

    #[test]
    fn a_half_closed_client_gets_its_answer() {
        let text = with_client(5_000, |mut stream| {
            stream
                .write_all(b"show version;get weight web/s1\n")
                .expect("sent");
            stream.shutdown(Shutdown::Write).expect("half closed");
            all(&stream)
        });
        assert_eq!(text, "3.5.0\n\n1 (initial 3)\n\n");
    }

    #[test]
    fn a_single_command_is_closed_by_us() {
        let text = with_client(5_000, |mut stream| {
            stream.write_all(b"show cli level\n").expect("sent");
            all(&stream)
        });
        assert_eq!(text, "admin\n\n");
    }

    #[test]
    fn a_prompt_goes_on_until_quit() {
        let text = with_client(5_000, |mut stream| {
            let mut text = String::new();
            for line in ["prompt\n", "show version\n", "wait 1\n"] {
                stream.write_all(line.as_bytes()).expect("sent");
                let mut bytes = [0; 1024];
                while !text.ends_with("> ") {
                    let count = stream.read(&mut bytes).expect("an answer");
                    text.push_str(std::str::from_utf8(&bytes[..count]).expect("text"));
                }
                text.push('|');
            }
            stream.write_all(b"quit\n").expect("sent");
            text + &all(&stream)
        });
        assert_eq!(text, "\n> |3.5.0\n\n> |\n> |");
    }

    #[test]
    fn a_long_answer_arrives_whole_at_a_slow_reader() {
        let text = with_client(5_000, |mut stream| {
            let line = format!("{}\n", "show stat typed;".repeat(40));
            stream.write_all(line.as_bytes()).expect("sent");
            all(&stream)
        });
        assert_eq!(text.matches("F.2.0.0.pxname").count(), 40);
        assert!(text.len() > 500_000, "{}", text.len());
    }

    #[test]
    fn a_silent_client_is_closed() {
        assert_eq!(with_client(20, |stream| all(&stream)), "");
    }
}
