//! Opening connections: made, refused, timed out, cancelled.

mod common;

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::task::Poll;

use common::{block_on, core, read_exact, settle};
use reactor::net::stream_socket;
use reactor::{Core, Sock, SockAddr};

fn connect(core: &Core, to: SocketAddr) -> reactor::Connect {
    let to = SockAddr::from(to);
    core.connect(stream_socket(&to).unwrap(), &to)
}

/// A listener whose backlog is full: further connections get no answer.
fn silent() -> (TcpListener, Vec<std::net::TcpStream>) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let listener: TcpListener = socket.into();
    let to = listener.local_addr().unwrap();
    let mut filling = Vec::new();
    while let Ok(stream) =
        std::net::TcpStream::connect_timeout(&to, std::time::Duration::from_millis(200))
    {
        filling.push(stream);
    }
    (listener, filling)
}

async fn within(core: &Core, ms: u64, connect: reactor::Connect) -> Option<std::io::Result<Sock>> {
    let timer = core.timer();
    timer.set_after(ms);
    let mut connect = pin!(connect);
    poll_fn(|context| {
        if let Poll::Ready(result) = connect.as_mut().poll(context) {
            return Poll::Ready(Some(result));
        }
        timer.poll_expired(context).map(|()| None)
    })
    .await
}

#[test]
fn made() {
    let core = core();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    block_on(&core, async {
        let sock = connect(&core, listener.local_addr().unwrap())
            .await
            .unwrap();
        let (peer, from) = listener.accept().unwrap();
        assert_eq!(sock.local_addr().unwrap().as_socket(), Some(from));
        let peer = core.socket(peer.into());
        sock.write(|text| text.extend_from_slice(b"hello"));
        sock.flush();
        assert_eq!(read_exact(&peer, 5).await, b"hello");
    });
    settle(&core, 0);
}

#[test]
fn refused() {
    let core = core();
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = block_on(&core, connect(&core, nobody)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    settle(&core, 0);
}

#[test]
fn timed_out_by_our_timer_and_cancelled() {
    let core = core();
    let (listener, _filling) = silent();
    let result = block_on(
        &core,
        within(&core, 30, connect(&core, listener.local_addr().unwrap())),
    );
    assert!(result.is_none());
    settle(&core, 0);
}

#[test]
fn dropped_before_and_after_the_kernel_saw_it() {
    let core = core();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap();
    drop(connect(&core, to));
    let seen = connect(&core, to);
    core.turn(reactor::Wait::Poll);
    drop(seen);
    settle(&core, 0);
}
