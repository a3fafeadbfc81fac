//! A fast origin server on one thread: any size, chunked, delayed, echoed, tagged.

mod connection;
mod request;

use crate::ready::{Interest, Readiness, ReadySocket};
use connection::{Connection, Progress};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How an origin answers.
#[derive(Clone, Debug)]
pub enum Answers {
    /// By the request's path; see [`request`].
    ByPath,
    /// The same number of bytes to whatever arrives, unparsed: one receive and one send.
    Fixed { bytes: u64 },
}

/// Longest time between two looks at the stop flag.
const STOP_PERIOD: Duration = Duration::from_millis(100);
const LISTENER: u64 = 0;
const READ_BYTES: usize = 256 * 1024;

/// An origin on a thread of its own; dropping it ends the thread.
pub struct Origin {
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Origin {
    /// Starts on a free loopback port; `cpu` pins the thread.
    pub fn start(cpu: Option<usize>) -> io::Result<Origin> {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("origin".into())
            .spawn(move || {
                if let Some(cpu) = cpu {
                    crate::machine::pin(cpu)?;
                }
                serve(&listener, &Answers::ByPath, &flag)
            })?;
        Ok(Origin {
            address,
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The thread's error, if any, showed itself in the load's report.
            let _ = thread.join();
        }
    }
}

/// A listening socket with a long backlog, ready for quick restarts on the same port.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}

/// Serves until `stop` is set.
pub fn serve(listener: &TcpListener, answers: &Answers, stop: &AtomicBool) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut loop_ = Loop {
        readiness: Readiness::new()?,
        connections: HashMap::new(),
        delayed: BinaryHeap::new(),
        next_token: LISTENER + 1,
        scratch: vec![0; READ_BYTES],
    };
    loop_.readiness.add(listener, LISTENER, Interest::Read)?;
    let mut ready = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let timeout = loop_.until_next_delay().min(STOP_PERIOD);
        loop_.readiness.wait(timeout, &mut ready)?;
        for &socket in &ready {
            match socket.token {
                LISTENER => loop_.accept(listener, answers)?,
                _ => loop_.run(socket),
            }
        }
        loop_.answer_delayed();
    }
    Ok(())
}

struct Loop {
    readiness: Readiness,
    connections: HashMap<u64, Connection>,
    delayed: BinaryHeap<Reverse<(Instant, u64)>>,
    next_token: u64,
    scratch: Vec<u8>,
}

impl Loop {
    fn accept(&mut self, listener: &TcpListener, answers: &Answers) -> io::Result<()> {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    self.readiness
                        .add(&stream, self.next_token, Interest::Read)?;
                    self.connections
                        .insert(self.next_token, Connection::new(stream, answers));
                    self.next_token += 1;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn run(&mut self, socket: ReadySocket) {
        let Some(connection) = self.connections.get_mut(&socket.token) else {
            return;
        };
        let progress = match connection.receive(socket.readable, &mut self.scratch) {
            Ok(()) => connection.answer(),
            Err(error) => Err(error),
        };
        self.settle(socket.token, &progress);
    }

    fn settle(&mut self, token: u64, progress: &io::Result<Progress>) {
        let Some(connection) = self.connections.get_mut(&token) else {
            return;
        };
        let kept = match progress {
            Ok(Progress::Waiting(interest)) => {
                connection.watch(&self.readiness, token, *interest).is_ok()
            }
            Ok(Progress::Delayed(until)) => {
                self.delayed.push(Reverse((*until, token)));
                connection
                    .watch(&self.readiness, token, Interest::Read)
                    .is_ok()
            }
            Ok(Progress::Closed) | Err(_) => false,
        };
        if !kept {
            self.connections.remove(&token);
        }
    }

    fn until_next_delay(&self) -> Duration {
        let next = self.delayed.peek().map(|Reverse((at, _))| *at);
        next.map_or(STOP_PERIOD, |at| {
            at.saturating_duration_since(Instant::now())
        })
    }

    fn answer_delayed(&mut self) {
        while let Some(&Reverse((at, token))) = self.delayed.peek() {
            if at > Instant::now() {
                return;
            }
            self.delayed.pop();
            if let Some(connection) = self.connections.get_mut(&token) {
                let progress = connection.answer();
                self.settle(token, &progress);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    fn exchange(request: &str) -> String {
        let origin = Origin::start(None).unwrap();
        let mut client = TcpStream::connect(origin.address).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn sizes_tags_and_pipelining() {
        let answer = exchange(
            "GET /3 HTTP/1.1\r\nx-tag: 00000000000000fb\r\n\r\n\
             POST /0 HTTP/1.1\r\ncontent-length: 2\r\n\r\n\0\u{1}\
             GET /1 HTTP/1.1\r\nconnection: close\r\n\r\n",
        );
        let heads: Vec<&str> = answer.split("HTTP/1.1 200 OK\r\n").skip(1).collect();
        assert_eq!(heads.len(), 3, "{answer:?}");
        assert_eq!(
            heads[0],
            "content-length: 3\r\nx-tag: 00000000000000fb\r\n\r\n\0\u{1}\u{2}"
        );
        assert_eq!(heads[1], "content-length: 0\r\n\r\n");
        assert!(heads[2].ends_with("\r\n\r\n\0"));
    }

    #[test]
    fn chunked_and_close_delimited() {
        let answer = exchange("GET /chunked/5000 HTTP/1.1\r\nconnection: close\r\n\r\n");
        assert!(answer.contains("transfer-encoding: chunked\r\n"));
        assert!(answer.contains("\r\n\r\n1000\r\n") && answer.ends_with("\r\n0\r\n\r\n"));
        let answer = exchange("GET /eof/10 HTTP/1.1\r\n\r\n");
        assert!(!answer.contains("content-length"));
        assert_eq!(answer.split_once("\r\n\r\n").unwrap().1.len(), 10);
    }

    #[test]
    fn echo_delay_status_and_a_wrong_upload() {
        let request = "GET /echo HTTP/1.1\r\nconnection: close\r\nx-a: b\r\n\r\n";
        assert!(exchange(request).ends_with(request));
        let begin = Instant::now();
        let answer = exchange("GET /delay/50/1 HTTP/1.1\r\nconnection: close\r\n\r\n");
        assert!(answer.ends_with("\r\n\r\n\0") && begin.elapsed() >= Duration::from_millis(50));
        let answer = exchange("GET /status/404 HTTP/1.1\r\nconnection: close\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 404 "));
        let upload = "POST /1 HTTP/1.1\r\nconnection: close\r\ncontent-length: 2\r\n\r\nZZ";
        assert!(exchange(upload).starts_with("HTTP/1.1 422 "));
    }
}
