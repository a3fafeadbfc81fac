//! A mini executor over one core, and sockets to play with.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::cell::RefCell;
use std::future::Future;
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use reactor::{Core, CoreConfig, Readable, Sock, Wait};

/// Turns after which a test is stuck rather than slow.
const TURNS_MAX: u64 = 5_000_000;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    flag: Arc<Flag>,
}

/// Tasks of one core, polled when they were woken.
#[derive(Clone, Default)]
pub struct Tasks {
    new: Rc<RefCell<Vec<Task>>>,
}

impl Tasks {
    pub fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        self.new.borrow_mut().push(Task {
            future: Box::pin(future),
            flag,
        });
    }

    /// Runs until `main` ends; the other tasks are dropped then.
    pub fn run<T>(&self, core: &Core, main: impl Future<Output = T>) -> T {
        let mut main = Box::pin(main);
        let main_flag = Arc::new(Flag(AtomicBool::new(true)));
        let mut tasks: Vec<Task> = Vec::new();
        for _ in 0..TURNS_MAX {
            let mut ran = false;
            if main_flag.0.swap(false, Ordering::SeqCst) {
                ran = true;
                let waker = Waker::from(main_flag.clone());
                if let Poll::Ready(output) = main.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return output;
                }
            }
            tasks.append(&mut self.new.borrow_mut());
            tasks.retain_mut(|task| {
                if !task.flag.0.swap(false, Ordering::SeqCst) {
                    return true;
                }
                ran = true;
                let waker = Waker::from(task.flag.clone());
                task.future
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
            });
            core.take_runnable();
            let wait = if ran || !self.new.borrow().is_empty() {
                Wait::Poll
            } else {
                Wait::Block
            };
            core.turn(wait);
        }
        panic!("stuck");
    }
}

pub fn block_on<T>(core: &Core, main: impl Future<Output = T>) -> T {
    Tasks::default().run(core, main)
}

pub fn small() -> CoreConfig {
    CoreConfig {
        sq_entries: 128,
        cq_entries: 512,
        buffers: 16,
        ..CoreConfig::default()
    }
}

pub fn core() -> Core {
    Core::new(&small()).expect("a ring")
}

/// A connected pair: ours on the core, the peer's an ordinary blocking socket.
pub fn pair(core: &Core) -> (Sock, TcpStream) {
    let (ours, peer) = tcp_pair();
    (core.socket(ours.into()), peer)
}

pub fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (ours, _) = listener.accept().unwrap();
    for socket in [&ours, &peer] {
        socket.set_nodelay(true).unwrap();
    }
    (ours, peer)
}

/// Both ends on the core.
pub fn sock_pair(core: &Core) -> (Sock, Sock) {
    let (first, second) = tcp_pair();
    (core.socket(first.into()), core.socket(second.into()))
}

/// Reads exactly so many bytes.
pub async fn read_exact(sock: &Sock, bytes: usize) -> Vec<u8> {
    let mut read = Vec::with_capacity(bytes);
    while read.len() < bytes {
        match sock.readable().await {
            Readable::Data => read.extend_from_slice(&sock.take(bytes - read.len()).unwrap()),
            other => panic!("{other:?} after {} bytes", read.len()),
        }
    }
    read
}

/// Reads to the end, or panics on failure.
pub async fn read_to_end(sock: &Sock) -> Vec<u8> {
    let mut read = Vec::new();
    loop {
        match sock.readable().await {
            Readable::Data => read.extend_from_slice(&sock.take(usize::MAX).unwrap()),
            Readable::Eof => return read,
            Readable::Failed(error) => panic!("{error} after {} bytes", read.len()),
        }
    }
}

/// Sends back whatever comes until the end.
pub async fn echo(sock: Sock) {
    while let Readable::Data = sock.readable().await {
        while let Some(piece) = sock.take(usize::MAX) {
            sock.send(piece);
        }
        sock.flush();
        if sock.sent(32 * 1024).await.is_err() {
            return;
        }
    }
    sock.shutdown_write();
    let _ = sock.sent(0).await;
}

/// Waits on the core's timer.
pub async fn pause(core: &Core, ms: u64) {
    let timer = core.timer();
    timer.set_after(ms);
    timer.expired().await;
}

/// Turns the core until nothing but listeners is left in the kernel's hands, or panics.
pub fn settle(core: &Core, slots: u64) {
    block_on(core, async {
        for _ in 0..2000 {
            if core.counters().slots <= slots {
                return;
            }
            pause(core, 1).await;
        }
        panic!("{} slots are left", core.counters().slots);
    });
}

/// Bytes that tell where they are.
pub fn pattern(bytes: usize, seed: u8) -> Vec<u8> {
    (0..bytes)
        .map(|at| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0] ^ seed)
        .collect()
}
