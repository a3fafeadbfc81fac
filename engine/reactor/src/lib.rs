//! One core's kernel interface: ring, sockets, buffers, timers, mailbox.
