//! Sockets over real connections: echo, back-pressure, half-close, abort, hand-over.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;

use common::{Tasks, block_on, core, echo, pair, pattern, read_exact, read_to_end, settle};
use reactor::{Readable, Seg};

#[test]
fn bytes_come_back() {
    let core = core();
    let (sock, mut peer) = pair(&core);
    let talker = thread::spawn(move || {
        let mut answer = vec![0; 70_000];
        for round in 0..50u8 {
            let text = pattern(1 + usize::from(round) * 1400, round);
            peer.write_all(&text).unwrap();
            peer.read_exact(&mut answer[..text.len()]).unwrap();
            assert_eq!(answer[..text.len()], text);
        }
        peer.shutdown(Shutdown::Write).unwrap();
        assert_eq!(peer.read(&mut answer).unwrap(), 0);
    });
    block_on(&core, echo(sock));
    talker.join().unwrap();
    settle(&core, 0);
}

#[test]
fn unix_sockets_too() {
    let core = core();
    let (ours, mut peer) = UnixStream::pair().unwrap();
    let sock = core.socket(ours.into());
    peer.write_all(b"ping").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    block_on(&core, echo(sock));
    let mut answer = String::new();
    settle(&core, 0);
    peer.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "ping");
}

#[test]
fn texts_and_pieces_keep_their_order() {
    let core = core();
    let (sock, mut peer) = pair(&core);
    let body = pattern(100_000, 3);
    let sent = body.clone();
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        peer.read_to_end(&mut all).unwrap();
        all
    });
    block_on(&core, async move {
        sock.write(|text| text.extend_from_slice(b"head|"));
        let mut body = Seg::heap(sent);
        while !body.is_empty() {
            sock.send(body.split_to(7000));
            sock.flush();
        }
        sock.write(|text| text.extend_from_slice(b"|tail"));
        assert_eq!(sock.unsent(), 100_010);
        sock.shutdown_write();
        sock.write(|text| text.extend_from_slice(b"too late"));
        sock.sent(0).await.unwrap();
        assert_eq!(sock.bytes_out(), 100_010);
    });
    let all = reader.join().unwrap();
    assert_eq!(all, [&b"head|"[..], &body, b"|tail"].concat());
}

#[test]
fn the_end_goes_with_the_last_bytes() {
    let core = core();
    let (sock, mut peer) = pair(&core);
    sock.write(|text| text.extend_from_slice(b"all of it"));
    assert!(sock.end_at_once());
    assert!(!sock.end_at_once(), "it is closed");
    drop(sock);
    settle(&core, 0);
    let mut all = String::new();
    peer.read_to_string(&mut all).unwrap();
    assert_eq!(all, "all of it");

    let (sock, _peer) = pair(&core);
    sock.send(Seg::heap(pattern(100_000, 1)));
    assert!(!sock.end_at_once(), "the kernel might take only a part");
    assert_eq!(sock.unsent(), 100_000);
}

#[test]
fn more_pieces_than_one_gather_list_holds() {
    let core = core();
    let (sock, mut peer) = pair(&core);
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        peer.read_to_end(&mut all).unwrap();
        all
    });
    let body = pattern(2000 * 1100, 9);
    let mut rest = Seg::heap(body.clone());
    block_on(&core, async move {
        while !rest.is_empty() {
            sock.send(rest.split_to(1100));
        }
        sock.shutdown_write();
        sock.sent(0).await.unwrap();
    });
    assert!(reader.join().unwrap() == body);
}

#[test]
fn a_slow_reader_stops_the_sender_and_memory_stays_bounded() {
    const TOTAL: usize = 8 << 20;
    let core = core();
    let (from, mut sender) = pair(&core);
    let (to, mut receiver) = pair(&core);
    let feeder = thread::spawn(move || {
        sender.write_all(&pattern(TOTAL, 1)).unwrap();
    });
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        let mut part = [0; 3000];
        loop {
            thread::yield_now();
            match receiver.read(&mut part).unwrap() {
                0 => return all,
                bytes => all.extend_from_slice(&part[..bytes]),
            }
        }
    });
    let buffers = block_on(&core, async {
        let mut buffers = 0;
        while let Readable::Data = from.readable().await {
            // What was received beyond the mark is what the kernel had completed already.
            assert!(
                from.queued() <= 64 * 1024 + 16 * 16 * 1024,
                "{}",
                from.queued()
            );
            to.send(from.take(usize::MAX).unwrap());
            to.flush();
            to.sent(64 * 1024).await.unwrap();
            buffers = buffers.max(core.counters().buffers);
        }
        to.shutdown_write();
        to.sent(0).await.unwrap();
        buffers
    });
    feeder.join().unwrap();
    assert!(reader.join().unwrap() == pattern(TOTAL, 1));
    assert!(buffers <= 64, "{buffers} buffers of 16 KiB");
    assert_eq!(
        (from.bytes_in(), to.bytes_out()),
        (TOTAL as u64, TOTAL as u64)
    );
}

#[test]
fn a_reader_who_stops_stops_the_peer() {
    let core = core();
    let (sock, mut peer) = pair(&core);
    peer.set_nonblocking(true).unwrap();
    sock.set_high_water(20_000);
    block_on(&core, async {
        let (mut written, mut idle) = (0, 0);
        while idle < 50 {
            match peer.write(&[5; 10_000]) {
                Ok(bytes) => (written, idle) = (written + bytes, 0),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    idle += 1;
                    common::pause(&core, 1).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!(sock.read_paused());
        let queued = sock.queued();
        assert!((20_000..400_000).contains(&queued), "{queued}");
        // Everything is still there once reading goes on.
        peer.set_nonblocking(false).unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_end(&sock).await.len(), written);
    });
}

#[test]
fn a_paused_reader_sees_nothing_until_it_resumes() {
    let core = core();
    let (sock, mut peer) = pair(&core);
    block_on(&core, async {
        peer.write_all(b"one").unwrap();
        assert_eq!(read_exact(&sock, 3).await, b"one");
        sock.pause_read();
        common::pause(&core, 2).await;
        peer.write_all(b"two").unwrap();
        common::pause(&core, 5).await;
        assert_eq!((sock.queued(), sock.read_paused()), (0, true));
        sock.resume_read();
        assert_eq!(read_exact(&sock, 3).await, b"two");
    });
}

#[test]
fn half_close_in_both_directions() {
    let core = core();
    let (sock, mut peer) = pair(&core);
    block_on(&core, async {
        // The peer ends first: we may still answer.
        peer.write_all(b"question").unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_end(&sock).await, b"question");
        assert!(matches!(sock.readable().await, Readable::Eof));
        sock.write(|text| text.extend_from_slice(b"answer"));
        sock.shutdown_write();
        sock.sent(0).await.unwrap();
    });
    let mut answer = String::new();
    peer.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "answer");
    // We end first: the peer may still speak.
    let (sock, mut peer) = pair(&core);
    block_on(&core, async {
        sock.shutdown_write();
        assert_eq!(peer.read(&mut [0; 8]).unwrap(), 0);
        peer.write_all(b"still here").unwrap();
        drop(peer);
        assert_eq!(read_to_end(&sock).await, b"still here");
    });
}

#[test]
fn abort_is_a_reset() {
    let core = core();
    let (sock, mut peer) = pair(&core);
    block_on(&core, async {
        sock.write(|text| text.extend_from_slice(b"never sent"));
        sock.abort();
        assert!(matches!(sock.readable().await, Readable::Failed(_)));
        assert!(sock.sent(0).await.is_err());
        assert_eq!(sock.fd(), -1);
        sock.write(|text| text.push(b'x'));
        sock.flush();
        assert_eq!(sock.unsent(), 0);
    });
    settle(&core, 0);
    assert_eq!(
        peer.read(&mut [0; 8]).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
}

#[test]
fn abort_wakes_who_waits_on_another_handle() {
    let core = core();
    let (sock, _peer) = pair(&core);
    let tasks = Tasks::default();
    let waiting = sock.clone();
    let told = core.event();
    let telling = told.clone();
    tasks.spawn(async move {
        assert!(matches!(waiting.readable().await, Readable::Failed(_)));
        telling.notify();
    });
    tasks.run(&core, async {
        common::pause(&core, 1).await;
        sock.abort();
        told.wait().await;
    });
}

#[test]
fn a_reset_by_the_peer_fails_both_sides() {
    let core = core();
    let (sock, peer) = pair(&core);
    socket2::SockRef::from(&peer)
        .set_linger(Some(std::time::Duration::ZERO))
        .unwrap();
    drop(peer);
    block_on(&core, async {
        assert!(matches!(sock.readable().await, Readable::Failed(_)));
        sock.write(|text| text.push(b'x'));
        sock.flush();
        let error = sock.sent(0).await.unwrap_err();
        assert!(matches!(
            error.kind(),
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
        ));
    });
}

#[test]
fn what_was_flushed_goes_out_after_the_drop() {
    let core = core();
    let (sock, mut peer) = pair(&core);
    sock.write(|text| text.extend_from_slice(b"goodbye"));
    sock.flush();
    drop(sock);
    settle(&core, 0);
    let mut rest = String::new();
    peer.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "goodbye");
}

#[test]
fn a_dropped_socket_does_not_wait_for_ever() {
    let config = reactor::CoreConfig {
        linger_ms: 20,
        ..common::small()
    };
    let core = reactor::Core::new(&config).unwrap();
    let (sock, peer) = pair(&core);
    sock.send(Seg::heap(vec![0; 32 << 20]));
    sock.flush();
    block_on(&core, common::pause(&core, 1));
    drop(sock);
    settle(&core, 0);
    drop(peer);
}

#[test]
fn peeking_across_pieces() {
    let core = core();
    let (sock, mut peer) = pair(&core);
    let text = pattern(30_000, 7);
    block_on(&core, async {
        let mut seen = 0;
        for part in text.chunks(6000) {
            peer.write_all(part).unwrap();
            while sock.queued() < seen + part.len() {
                assert!(matches!(sock.more(sock.queued()).await, Readable::Data));
            }
            seen += part.len();
        }
        assert!(sock.peek_at_least(30_001).is_none());
        assert_eq!(*sock.peek_at_least(25_000).unwrap(), text);
        assert_eq!(*sock.peek().unwrap(), text, "joined once, and kept");
        sock.consume(29_999);
        assert_eq!(*sock.linearize().unwrap(), text[29_999..]);
        sock.consume(usize::MAX);
        assert!(sock.linearize().is_none());
    });
}

#[test]
fn a_byte_by_byte_sender_pins_one_buffer_or_none() {
    let core = core();
    let (sock, mut peer) = pair(&core);
    block_on(&core, async {
        let before = core.counters().buffers;
        for seen in 0..300 {
            peer.write_all(b"a").unwrap();
            assert!(matches!(sock.more(seen).await, Readable::Data));
        }
        assert!(core.counters().buffers <= before + 2);
        assert_eq!(sock.peek().unwrap().len(), 300);
        assert!(sock.peek().unwrap().pins_buffer());
        sock.park();
        assert!(!sock.peek().unwrap().pins_buffer());
        assert_eq!(*sock.peek().unwrap(), [b'a'; 300]);
    });
}

#[test]
fn a_connection_moves_to_another_core() {
    let first = core();
    let (sock, mut peer) = pair(&first);
    peer.write_all(b"early ").unwrap();
    let moved = block_on(&first, async {
        assert!(matches!(sock.readable().await, Readable::Data));
        sock.write(|text| text.extend_from_slice(b"hello "));
        sock.flush();
        sock.into_fd().await.unwrap()
    });
    assert_eq!(first.counters().slots, 0);
    assert_eq!(moved.received, b"early ");
    peer.write_all(b"late").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let second = thread::spawn(move || {
        let core = core();
        let sock = core.socket_with(moved.fd, moved.received);
        block_on(&core, async {
            assert_eq!(read_to_end(&sock).await, b"early late");
            sock.write(|text| text.extend_from_slice(b"world"));
            sock.shutdown_write();
            sock.sent(0).await.unwrap();
        });
    });
    second.join().unwrap();
    let mut all = String::new();
    peer.read_to_string(&mut all).unwrap();
    assert_eq!(all, "hello world");
}

#[test]
fn non_blocking_descriptors_work_too() {
    let core = core();
    let (ours, mut peer) = common::tcp_pair();
    ours.set_nonblocking(true).unwrap();
    let sock = core.socket(ours.into());
    let body = pattern(4 << 20, 2);
    let sent = body.clone();
    let talker = thread::spawn(move || {
        let mut writer = peer.try_clone().unwrap();
        let feeder = thread::spawn(move || {
            writer.write_all(&sent).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let mut all = Vec::new();
        peer.read_to_end(&mut all).unwrap();
        feeder.join().unwrap();
        all
    });
    block_on(&core, echo(sock));
    assert!(talker.join().unwrap() == body);
}
