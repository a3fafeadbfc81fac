//! Plain TCP relaying.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy};
use std::hash::{DefaultHasher, Hasher};
use std::io::{Read, Write};

fn proxy(cores: usize, origin: &Origin) -> (Port, Proxy) {
    let listen = Port::reserve();
    let config = format!(
        "
listen relay
    mode tcp{LONG_TIMEOUTS}
    bind *:{listen}
    server s1 {}
",
        origin.address
    );
    let proxy = Proxy::start(cores, &config);
    (listen, proxy)
}

fn echo() -> Origin {
    Origin::raw(|peer| {
        let mut buffer = vec![0; 100_000];
        loop {
            let n = peer.reader.read(&mut buffer)?;
            if n == 0 {
                return Ok(());
            }
            peer.send(&buffer[..n])?;
        }
    })
}

#[test]
fn bytes_pass_unchanged_both_ways() {
    for cores in CORES {
        let origin = echo();
        let (listen, _proxy) = proxy(cores, &origin);
        let mut clients: Vec<Client> = (0..20).map(|_| Client::connect(listen.address())).collect();
        for round in 0..5 {
            for (n, client) in clients.iter_mut().enumerate() {
                client.send(format!("client {n} round {round}\0\u{1}"));
            }
            for (n, client) in clients.iter_mut().enumerate() {
                let expected = format!("client {n} round {round}\0\u{1}");
                assert_eq!(client.bytes(expected.len()), expected.as_bytes());
            }
        }
    }
}

#[test]
fn the_server_may_speak_first() {
    for cores in CORES {
        let origin = Origin::raw(|peer| {
            peer.send("220 ready\r\n")?;
            let mut answer = [0; 6];
            peer.reader.read_exact(&mut answer)?;
            peer.send("221 bye\r\n")
        });
        let (listen, _proxy) = proxy(cores, &origin);
        let mut client = Client::connect(listen.address());
        assert_eq!(client.bytes(11), b"220 ready\r\n");
        client.send("QUIT\r\n");
        assert_eq!(client.rest(), b"221 bye\r\n");
    }
}

#[test]
fn a_big_transfer_arrives_whole() {
    const TOTAL: usize = 64_000_000;
    for cores in CORES {
        let origin = Origin::raw(|peer| {
            // Hashes what comes until the half-close, then sends the hash.
            let mut hasher = DefaultHasher::new();
            let mut buffer = vec![0; 200_000];
            loop {
                let n = peer.reader.read(&mut buffer)?;
                if n == 0 {
                    return peer.send(hasher.finish().to_be_bytes());
                }
                hasher.write(&buffer[..n]);
            }
        });
        let (listen, _proxy) = proxy(cores, &origin);
        let mut client = Client::connect(listen.address());
        let mut hasher = DefaultHasher::new();
        let mut random = 1_u64;
        for _ in 0..TOTAL / 80_000 {
            let piece: Vec<u8> = (0..10_000_u64)
                .flat_map(|_| {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    random.to_be_bytes()
                })
                .collect();
            hasher.write(&piece);
            client.reader.get_mut().write_all(&piece).expect("sent");
        }
        client.shut_write();
        assert_eq!(
            client.rest(),
            hasher.finish().to_be_bytes(),
            "{cores} cores"
        );
    }
}

#[test]
fn a_dead_server_ends_the_connection() {
    let mut origin = echo();
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    client.send("x");
    assert_eq!(client.bytes(1), b"x");
    origin.stop();
    client.ends();
}

#[test]
fn a_client_that_leaves_ends_the_server_connection() {
    let (told, gone) = std::sync::mpsc::channel();
    let told = std::sync::Mutex::new(told);
    let origin = Origin::raw(move |peer| {
        let read = std::io::copy(&mut peer.reader, &mut std::io::sink());
        told.lock()
            .expect("one at a time")
            .send(read.is_ok() || read.is_err())
            .ok();
        Ok(())
    });
    let (listen, _proxy) = proxy(1, &origin);
    let mut client = Client::connect(listen.address());
    client.send("x");
    drop(client);
    assert_eq!(gone.recv_timeout(crate::harness::PATIENCE), Ok(true));
}
