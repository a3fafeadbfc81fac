//! Big bodies through a pipe.

mod common;

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

use common::{Tasks, block_on, core, echo, pair, pattern, read_exact, settle};
use reactor::{Readable, SpliceStep};

fn feed(mut socket: TcpStream, parts: usize, part: Vec<u8>) -> thread::JoinHandle<u64> {
    thread::spawn(move || {
        let mut hasher = DefaultHasher::new();
        for _ in 0..parts {
            socket.write_all(&part).unwrap();
            hasher.write(&part);
        }
        socket.shutdown(Shutdown::Write).unwrap();
        hasher.finish()
    })
}

fn drain(mut socket: TcpStream, part: usize) -> thread::JoinHandle<(u64, u64)> {
    thread::spawn(move || {
        let (mut hasher, mut total) = (DefaultHasher::new(), 0);
        let mut buffer = vec![0; part];
        loop {
            // Whole parts, so that the hash does not depend on how the bytes arrived.
            let mut filled = 0;
            while filled < part {
                match socket.read(&mut buffer[filled..]).unwrap() {
                    0 => break,
                    bytes => filled += bytes,
                }
            }
            hasher.write(&buffer[..filled]);
            total += filled as u64;
            if filled < part {
                return (hasher.finish(), total);
            }
        }
    })
}

#[test]
fn fifty_megabytes_arrive_unchanged() {
    const PART: usize = 1_000_000;
    let core = core();
    let (from, sender) = pair(&core);
    let (to, receiver) = pair(&core);
    let fed = feed(sender, 50, pattern(PART, 5));
    let drained = drain(receiver, PART);
    let mut moved = 0;
    block_on(&core, async {
        // Some bytes are received before the splice begins: they go first.
        assert!(matches!(from.readable().await, Readable::Data));
        let mut splice = from.splice_to(&to, None).unwrap();
        loop {
            match splice.step().await.unwrap() {
                SpliceStep::Moved(bytes) => moved += bytes,
                SpliceStep::Eof => break,
                SpliceStep::Done => panic!("no limit was given"),
            }
        }
        drop(splice);
        to.shutdown_write();
        to.sent(0).await.unwrap();
        assert!(matches!(from.readable().await, Readable::Eof));
    });
    let hash = {
        let mut hasher = DefaultHasher::new();
        (0..50).for_each(|_| hasher.write(&pattern(PART, 5)));
        hasher.write(&[]);
        hasher.finish()
    };
    fed.join().unwrap();
    assert_eq!(drained.join().unwrap(), (hash, 50_000_000));
    assert_eq!(moved, 50_000_000);
    assert_eq!((from.bytes_in(), to.bytes_out()), (moved, moved));
}

#[test]
fn a_limited_splice_leaves_the_rest_to_the_reader() {
    let core = core();
    let (from, mut sender) = pair(&core);
    let (to, receiver) = pair(&core);
    let body = pattern(700_000, 8);
    let text = [&body[..], b"next request"].concat();
    let feeder = thread::spawn(move || {
        sender.write_all(&text).unwrap();
        sender
    });
    let drained = drain(receiver, 700_000);
    block_on(&core, async {
        let moved = from
            .splice_to(&to, Some(700_000))
            .unwrap()
            .run()
            .await
            .unwrap();
        assert_eq!(moved, 700_000);
        assert_eq!(read_exact(&from, 12).await, b"next request");
        to.shutdown_write();
        to.sent(0).await.unwrap();
    });
    drop(feeder.join().unwrap());
    assert_eq!(drained.join().unwrap().1, 700_000);
    settle(&core, 2);
}

/// Both directions of a tunnel at once, on the same two sockets.
#[test]
fn both_directions_at_once() {
    const PART: usize = 100_000;
    let core = core();
    let tasks = Tasks::default();
    let (client, near) = pair(&core);
    let (server, far) = pair(&core);
    let done = core.event();
    let mut ends = Vec::new();
    for (from, to) in [(client.clone(), server.clone()), (server, client)] {
        let done = done.clone();
        tasks.spawn(async move {
            assert_eq!(
                from.splice_to(&to, None).unwrap().run().await.unwrap(),
                5_000_000
            );
            to.shutdown_write();
            to.sent(0).await.unwrap();
            done.notify();
        });
    }
    for (number, socket) in [near, far].into_iter().enumerate() {
        let reader = socket.try_clone().unwrap();
        ends.push((
            feed(socket, 50, pattern(PART, number as u8)),
            drain(reader, PART),
        ));
    }
    tasks.run(&core, async {
        while !ends
            .iter()
            .all(|(fed, drained)| fed.is_finished() && drained.is_finished())
        {
            common::pause(&core, 5).await;
        }
    });
    for (fed, drained) in ends {
        fed.join().unwrap();
        assert_eq!(drained.join().unwrap().1, 5_000_000);
    }
}

#[test]
fn a_receiver_that_goes_away_is_an_error_and_the_pipe_is_not_reused() {
    let core = core();
    let (from, sender) = pair(&core);
    let (to, receiver) = pair(&core);
    drop(receiver);
    let feeder = thread::spawn(move || {
        let mut sender = sender;
        let _ = sender.write_all(&pattern(20_000_000, 1));
    });
    block_on(&core, async {
        assert!(from.splice_to(&to, None).unwrap().run().await.is_err());
        from.abort();
        to.abort();
    });
    settle(&core, 0);
    feeder.join().unwrap();
    // A later transfer begins with an empty pipe.
    let (from, mut sender) = pair(&core);
    let (to, mut receiver) = pair(&core);
    sender.write_all(b"clean").unwrap();
    sender.shutdown(Shutdown::Write).unwrap();
    block_on(&core, async {
        from.splice_to(&to, None).unwrap().run().await.unwrap();
        to.shutdown_write();
        to.sent(0).await.unwrap();
    });
    let mut all = String::new();
    receiver.read_to_string(&mut all).unwrap();
    assert_eq!(all, "clean");
}

#[test]
fn a_splice_dropped_while_it_waits_gives_the_socket_back() {
    let core = core();
    let (from, mut sender) = pair(&core);
    let (to, _receiver) = pair(&core);
    let tasks = Tasks::default();
    block_on(&core, async {
        let mut splice = from.splice_to(&to, None).unwrap();
        let mut step = Box::pin(splice.step());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(step.as_mut().poll(&mut context).is_pending());
        common::pause(&core, 2).await;
        assert!(step.as_mut().poll(&mut context).is_pending());
        drop(step);
        drop(splice);
        sender.write_all(b"to the reader").unwrap();
        assert_eq!(read_exact(&from, 13).await, b"to the reader");
    });
    let answer = from.clone();
    tasks.spawn(echo(answer));
    sender.shutdown(Shutdown::Write).unwrap();
    sender.set_nonblocking(true).unwrap();
    drop(from);
    tasks.run(&core, async {
        while sender.peek(&mut [0; 1]).is_err() {
            common::pause(&core, 1).await;
        }
    });
}
