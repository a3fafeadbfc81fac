//! Socket set-up beyond what the standard library offers: listening, inheriting, datagrams.

mod bind;
mod dgram;
mod inherit;
mod options;
mod outgoing;

pub use bind::{ListenOptions, UnixOptions, bind_udp, bind_unix_datagram, listen_tcp, listen_unix};
pub use dgram::{Batch as DatagramBatch, Datagrams};
pub use inherit::{Inherited, adopt_listener, close_on_exec, duplicate};
pub use options::{
    TcpInfo, forget_on_close, original_destination, reduce_segments, set_defer_accept,
    set_fastopen_connect, set_keepalive, set_mark, set_transparent, set_type_of_service,
    set_user_timeout, tcp_info,
};
pub use outgoing::{ConnectOptions, stream_socket, stream_socket_from};
