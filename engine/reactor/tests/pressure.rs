//! What happens when something runs out, and when things end at the wrong moment.

mod common;

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;
use std::thread;

use common::{Tasks, block_on, core, echo, pair, pattern, read_exact, settle, small, sock_pair};
use reactor::net::{ListenOptions, listen_tcp};
use reactor::{Core, CoreConfig, Readable, Seg};

fn address(listener: &reactor::Listener) -> std::net::SocketAddr {
    listener.local_addr().unwrap().as_socket().unwrap()
}

fn listener(core: &Core) -> reactor::Listener {
    let any = "127.0.0.1:0".parse().unwrap();
    core.listener(listen_tcp(any, &ListenOptions::default()).unwrap())
}

/// 64 connections, 4 buffers and not one to spare: everybody gets their own bytes back.
#[test]
fn four_buffers_serve_sixty_four_connections() {
    let config = CoreConfig {
        buffers: 4,
        buffer_bytes: 1024,
        spare_buffers_max: 0,
        ..small()
    };
    let core = Core::new(&config).unwrap();
    let tasks = Tasks::default();
    let ended = Rc::new(Cell::new(0));
    let all = core.event();
    let mut peers = Vec::new();
    for _ in 0..64 {
        let (sock, peer) = pair(&core);
        peers.push(peer);
        let (ended, all) = (ended.clone(), all.clone());
        tasks.spawn(async move {
            echo(sock).await;
            ended.set(ended.get() + 1);
            all.notify();
        });
    }
    let talkers: Vec<_> = peers
        .into_iter()
        .enumerate()
        .map(|(number, mut peer)| {
            thread::spawn(move || {
                for round in 0..20 {
                    let text = pattern(3000 + round, number as u8);
                    peer.write_all(&text).unwrap();
                    let mut answer = vec![0; text.len()];
                    peer.read_exact(&mut answer).unwrap();
                    assert!(answer == text, "connection {number}");
                }
                peer.shutdown(Shutdown::Write).unwrap();
            })
        })
        .collect();
    tasks.run(&core, async {
        while ended.get() < 64 {
            all.wait().await;
        }
    });
    for talker in talkers {
        talker.join().unwrap();
    }
    let counters = core.counters();
    assert!(
        counters.buffers_exhausted > 0,
        "the test did not reach its point"
    );
    assert_eq!(counters.buffers, 4);
    settle(&core, 0);
}

#[test]
fn a_full_submission_queue_loses_nothing() {
    let config = CoreConfig {
        sq_entries: 4,
        cq_entries: 8,
        ..small()
    };
    let core = Core::new(&config).unwrap();
    let socks: Vec<_> = (0..40).map(|_| sock_pair(&core)).collect();
    block_on(&core, async {
        for _ in 0..5 {
            for (number, (left, _)) in socks.iter().enumerate() {
                left.write(|text| text.extend_from_slice(&pattern(100, number as u8)));
                left.flush();
            }
            for (number, (_, right)) in socks.iter().enumerate() {
                assert_eq!(read_exact(right, 100).await, pattern(100, number as u8));
            }
        }
    });
    drop(socks);
    settle(&core, 0);
}

#[test]
fn a_paused_listener_leaves_connections_in_the_backlog() {
    let core = core();
    let listener = listener(&core);
    let to = address(&listener);
    block_on(&core, async {
        let _first = TcpStream::connect(to).unwrap();
        listener.accept().await.unwrap();
        listener.pause();
        common::pause(&core, 2).await;
        let _second = TcpStream::connect(to).unwrap();
        common::pause(&core, 5).await;
        assert_eq!(listener.queued(), 0);
        listener.resume();
        listener.accept().await.unwrap();
        listener.close();
    });
    settle(&core, 0);
    assert!(TcpStream::connect(to).is_err());
}

#[test]
fn two_cores_accept_from_one_descriptor() {
    let any = "127.0.0.1:0".parse().unwrap();
    let fd = listen_tcp(any, &ListenOptions::default()).unwrap();
    let to = socket2::SockRef::from(&fd)
        .local_addr()
        .unwrap()
        .as_socket()
        .unwrap();
    let twin = fd.try_clone().unwrap();
    let serve = move |fd: std::os::fd::OwnedFd| {
        let core = core();
        let listener = core.listener(fd);
        block_on(&core, async {
            loop {
                let accepted = listener.accept().await.unwrap();
                let sock = core.socket(accepted.fd);
                match sock.readable().await {
                    Readable::Data if *sock.peek().unwrap() == *b"stop" => return,
                    _ => {
                        sock.write(|text| text.extend_from_slice(b"ok"));
                        sock.shutdown_write();
                        sock.sent(0).await.unwrap();
                    }
                }
            }
        });
    };
    let other = serve;
    let servers = [
        thread::spawn(move || serve(fd)),
        thread::spawn(move || other(twin)),
    ];
    for _ in 0..50 {
        let mut client = TcpStream::connect(to).unwrap();
        client.write_all(b"hi").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "ok");
    }
    let mut stops = Vec::new();
    while !servers.iter().all(thread::JoinHandle::is_finished) {
        if let Ok(mut client) = TcpStream::connect(to) {
            let _ = client.write_all(b"stop");
            stops.push(client);
        }
        thread::yield_now();
    }
    for server in servers {
        server.join().unwrap();
    }
}

/// Sockets die with operations of every kind in flight; a slot serves many sockets in turn, and a
/// late completion of one never reaches the next.
#[test]
fn sockets_end_at_any_moment() {
    let core = core();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    for round in 0..400u32 {
        let (left, right) = sock_pair(&core);
        let marker = round.to_be_bytes();
        right.write(|text| text.extend_from_slice(&marker));
        right.flush();
        left.send(Seg::heap(vec![round as u8; next(600_000) as usize + 1]));
        left.flush();
        for _ in 0..next(4) {
            core.turn(reactor::Wait::Poll);
        }
        if left.queued() >= 4 {
            assert_eq!(left.peek().unwrap()[..4], marker, "bytes of another life");
        }
        let held = right.take(usize::MAX);
        match next(5) {
            0 => left.abort(),
            1 => right.abort(),
            2 => left.shutdown_write(),
            3 => left.pause_read(),
            _ => drop(block_on(&core, async { right.clone().into_fd().await })),
        }
        drop((left, right));
        if let Some(piece) = held {
            assert!(piece.iter().all(|&byte| byte == round as u8));
        }
    }
    settle(&core, 0);
}

#[test]
fn a_core_is_dropped_with_everything_in_flight() {
    let (sock, peer, piece);
    {
        let core = core();
        let _listener = listener(&core);
        (sock, peer) = pair(&core);
        let mut peer = &peer;
        peer.write_all(b"kept").unwrap();
        piece = block_on(&core, async {
            assert!(matches!(sock.readable().await, Readable::Data));
            sock.take(4).unwrap()
        });
        sock.send(Seg::heap(vec![1; 8 << 20]));
        sock.flush();
        core.turn(reactor::Wait::Poll);
    }
    // The socket's handle keeps the core alive; now both go, and the piece survives them.
    drop(sock);
    assert_eq!(*piece, *b"kept");
    let mut rest = Vec::new();
    let _ = (&peer).read_to_end(&mut rest);
    assert!(rest.iter().all(|&byte| byte == 1));
}
