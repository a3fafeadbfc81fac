//! Scripted servers behind the proxy.

use super::message::{Expect, Message};
use super::port::{self, Port};
use super::{PATIENCE, wait_until};
use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

/// A server on a port of its own; each connection runs the script on a thread.
pub struct Origin {
    pub address: SocketAddr,
    port: Port,
    script: Arc<Script>,
    shared: Arc<Shared>,
    running: Option<(TcpListener, JoinHandle<()>)>,
}

type Script = dyn Fn(&mut Peer) -> io::Result<()> + Send + Sync;

#[derive(Default)]
struct Shared {
    connections: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
    requests: Mutex<Vec<Message>>,
}

/// The server's end of one connection.
pub struct Peer {
    pub reader: BufReader<TcpStream>,
    shared: Arc<Shared>,
}

impl Origin {
    /// Runs a script on every connection; the connection closes when it returns.
    pub fn raw(script: impl Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static) -> Origin {
        Origin::raw_on(Port::reserve(), script)
    }

    /// The same on a port that was chosen before.
    pub fn raw_on(
        port: Port,
        script: impl Fn(&mut Peer) -> io::Result<()> + Send + Sync + 'static,
    ) -> Origin {
        let mut origin = Origin {
            address: port.address(),
            port,
            script: Arc::new(script),
            shared: Arc::default(),
            running: None,
        };
        origin.start();
        origin
    }

    /// Answers every request, for as long as the client keeps the connection.
    pub fn answering(answer: impl Fn(&Message) -> String + Send + Sync + 'static) -> Origin {
        Origin::raw(move |peer| {
            while let Some(request) = peer.request()? {
                peer.send(answer(&request))?;
            }
            Ok(())
        })
    }

    /// Answers every request with its name as the body.
    pub fn named(name: &str) -> Origin {
        let name = name.to_owned();
        Origin::answering(move |request| {
            if request.start.starts_with("HEAD ") {
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", name.len())
            } else {
                ok(&name)
            }
        })
    }

    /// Closes the port and every connection, as a killed process does.
    pub fn stop(&mut self) {
        if let Some((listener, thread)) = self.running.take() {
            port::close(&listener);
            thread.join().expect("the server's thread");
        }
        for stream in lock(&self.shared.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Listens again on the same port.
    pub fn start(&mut self) {
        let listener = self.port.listen(1024);
        let accepting = listener.try_clone().expect("a second handle");
        let (script, shared) = (Arc::clone(&self.script), Arc::clone(&self.shared));
        let thread = std::thread::spawn(move || accept(&accepting, &script, &shared));
        self.running = Some((listener, thread));
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Message> {
        lock(&self.shared.requests).clone()
    }

    pub fn last_request(&self) -> Message {
        self.requests().pop().expect("at least one request")
    }

    /// Connections so far, health checks included.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    #[track_caller]
    pub fn wait_for_requests(&self, count: usize) {
        wait_until("the server has the requests", || {
            self.requests().len() >= count
        });
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Peer {
    /// The next request, with its body; `None` when the client has closed.
    pub fn request(&mut self) -> io::Result<Option<Message>> {
        let request = Message::read(&mut self.reader, Expect::Request)?;
        if let Some(request) = &request {
            lock(&self.shared.requests).push(request.clone());
        }
        Ok(request)
    }

    /// Only the head of the next request.
    pub fn request_head(&mut self) -> io::Result<Option<Message>> {
        let request = Message::read_head(&mut self.reader)?;
        if let Some(request) = &request {
            lock(&self.shared.requests).push(request.clone());
        }
        Ok(request)
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes.as_ref())
    }

    pub fn shut_write(&self) -> io::Result<()> {
        self.reader.get_ref().shutdown(Shutdown::Write)
    }
}

/// A 200 response with a length.
pub fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn accept(listener: &TcpListener, script: &Arc<Script>, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept() {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let (script, shared) = (Arc::clone(script), Arc::clone(shared));
        // Ends with its connection, at the latest when the server stops.
        std::thread::spawn(move || converse(stream, &*script, shared));
    }
}

fn converse(stream: TcpStream, script: &Script, shared: Arc<Shared>) {
    let setup = || {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE * 2))?;
        stream.try_clone()
    };
    let Ok(second) = setup() else { return };
    lock(&shared.open).push(second);
    let mut peer = Peer {
        reader: BufReader::new(stream),
        shared,
    };
    // What the script's end looks like is for the scenario to judge, on the client's side.
    let _ = script(&mut peer);
    let _ = peer.reader.get_ref().shutdown(Shutdown::Both);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
