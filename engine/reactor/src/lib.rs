//! One core's kernel interface: ring, sockets, buffers, timers, mailbox.
//!
//! A [`Core`] belongs to one thread. Its [`Core::turn`] is the only place where that thread sleeps
//! and, in the steady state, its only system call. Whoever drives it (any executor: only standard
//! wakers are used) alternates between turns and the tasks that they woke.
//!
//! # Invariants
//!
//! - **Memory given to the kernel is owned by the core until the completion is back.** A dropped
//!   [`Sock`], [`Connect`] or [`Listener`] only asks for cancellation; its slot, with descriptor,
//!   send batches and addresses, goes with the last completion. The last handle of a core cancels
//!   everything and waits for it.
//! - **A completion cannot reach the wrong object.** User data carries the slot and a generation.
//! - **Descriptors are in blocking mode.** The ring waits in their place; on a non-blocking one the
//!   kernel returns `EAGAIN`, which costs a poll and a retry (a splice does that for its while).
//! - **A receive buffer that is handed out is replaced at once**, so that who holds pieces slows
//!   nobody down; only when `spare_buffers_max` is reached do receivers wait for buffers.
//! - **Small pieces are joined, and small sends copied:** a peer that sends byte by byte cannot pin
//!   one buffer a byte.
//! - **Wakers are called and dropped outside of every borrow,** because a waker may own a task that
//!   owns a socket.
//! - **Timers leave nothing behind.** An entry of the wheel knows its place and is removed with its
//!   timer, whatever its deadline was.
//!
//! # Deliberately absent
//!
//! SQPOLL, registered descriptors, receive bundles, a minimum wait and zero-copy send: measured
//! without gain or at a loss. `IORING_OP_SPLICE` and `IORING_OP_SHUTDOWN`: the kernel runs them on
//! worker threads. TLS, protocols and policy: other layers. Nothing here knows an executor, so that
//! another kernel interface (epoll) could take the ring's place behind the same types.

mod buffers;
mod clock;
mod config;
mod connect;
mod core;
mod counters;
mod datagram;
mod delay;
mod event;
mod listener;
mod mailbox;
pub mod net;
pub mod process;
mod ring;
mod seg;
mod setup;
mod slots;
mod sock;
mod timer;
mod wheel;

pub use config::CoreConfig;
pub use connect::Connect;
pub use core::{Core, Turn, Wait};
pub use counters::Counters;
pub use datagram::Datagram;
pub use event::{Event, Wait as EventWait};
pub use listener::{Accepted, Listener};
pub use mailbox::{Mailbox, Post};
pub use seg::Seg;
pub use setup::SetupError;
pub use sock::{Detached, Readable, Sock, Splice, SpliceStep};
pub use socket2::SockAddr;
pub use timer::Timer;
