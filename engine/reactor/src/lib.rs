//! One core's kernel interface: ring, sockets, buffers, timers, mailbox.

mod buffers;
mod clock;
mod connect;
mod core;
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

pub use connect::Connect;
pub use core::{Core, CoreConfig, Counters, Turn, Wait};
pub use event::{Event, Wait as EventWait};
pub use listener::{Accepted, Listener};
pub use mailbox::{Mailbox, Post};
pub use seg::Seg;
pub use setup::SetupError;
pub use sock::{Detached, Readable, Sock, Splice, SpliceStep};
pub use socket2::SockAddr;
pub use timer::Timer;
