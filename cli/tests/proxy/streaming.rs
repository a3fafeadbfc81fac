//! Bodies of any size in bounded memory, with back-pressure to the sender.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Peer, Port, Proxy, wait_until};
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Size of the streamed bodies: far above anything that sockets and proxy may hold together.
const BODY_BYTES: usize = 200_000_000;
/// What the kernel's buffers of both connections and the proxy may hold.
const HELD_MAX: usize = 60_000_000;
/// How much the proxy may grow while a body is stuck in it.
const GROWTH_MAX: usize = 20_000_000;

static PIECE: [u8; 50_000] = [b'p'; 50_000];

fn proxy(cores: usize, mode: &str, origin: &Origin) -> (Port, Proxy) {
    let listen = Port::reserve();
    let config = format!(
        "
listen big
    mode {mode}{LONG_TIMEOUTS}
    bind *:{listen}
    server s1 {}
",
        origin.address
    );
    let proxy = Proxy::start(cores, &config);
    (listen, proxy)
}

/// Sends the body and counts what has left.
fn pour(peer: &mut Peer, sent: &AtomicUsize) -> io::Result<()> {
    for _ in 0..BODY_BYTES / PIECE.len() {
        peer.send(PIECE)?;
        sent.fetch_add(PIECE.len(), Ordering::SeqCst);
    }
    Ok(())
}

/// Waits until `count` stands still for a while, and says where.
fn standstill(count: &AtomicUsize) -> usize {
    let mut last = (0, 0);
    wait_until("nothing moves any more", || {
        let now = count.load(Ordering::SeqCst);
        last = if now > 0 && now == last.0 {
            (now, last.1 + 1)
        } else {
            (now, 0)
        };
        last.1 >= 60
    });
    last.0
}

fn download(cores: usize, mode: &str, framing: &'static str) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let origin = Origin::raw(move |peer| {
        peer.request_head()?;
        peer.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n"))?;
        pour(peer, &counter)
    });
    let (listen, proxy) = proxy(cores, mode, &origin);
    let before = proxy.resident_bytes();
    let mut client = Client::connect(listen.address());
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.response_head().status(), 200);
    let held = standstill(&sent);
    assert!(
        held < HELD_MAX,
        "{held} bytes left the server although nobody reads them"
    );
    let grown = proxy.resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH_MAX, "the proxy holds {grown} bytes");

    let received = read_pattern(&mut client.reader);
    assert_eq!(received, BODY_BYTES);
    let grown = proxy.resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH_MAX, "the proxy has grown by {grown} bytes");
}

fn read_pattern(from: &mut impl Read) -> usize {
    let mut buffer = vec![0; 256 * 1024];
    let mut total = 0;
    while total < BODY_BYTES {
        let n = from.read(&mut buffer).expect("more of the body");
        assert!(n > 0, "the body ended after {total} bytes");
        assert!(
            buffer[..n].iter().all(|byte| *byte == b'p'),
            "a foreign byte near {total}"
        );
        total += n;
    }
    total
}

#[test]
fn a_slow_reader_stops_the_server_with_a_length() {
    for cores in CORES {
        download(cores, "http", "content-length: 200000000");
    }
}

#[test]
fn a_slow_reader_stops_the_server_until_close() {
    download(1, "http", "connection: close");
}

#[test]
fn a_slow_reader_stops_the_server_in_a_tcp_relay() {
    for cores in CORES {
        download(cores, "tcp", "content-length: 200000000");
    }
}

#[test]
fn a_slow_server_stops_the_uploading_client() {
    for cores in CORES {
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        let origin = Origin::raw(move |peer| {
            peer.request_head()?;
            gate.lock()
                .expect("one at a time")
                .recv()
                .map_err(io::Error::other)?;
            let received = read_pattern(&mut peer.reader).to_string();
            peer.send(crate::harness::ok(&received))
        });
        let (listen, proxy) = proxy(cores, "http", &origin);
        let before = proxy.resident_bytes();
        let mut client = Client::connect(listen.address());
        client.send(format!(
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {BODY_BYTES}\r\n\r\n"
        ));
        let sent = Arc::new(AtomicUsize::new(0));
        let (counter, mut writer) = (
            Arc::clone(&sent),
            client.stream().try_clone().expect("a handle"),
        );
        let uploading = std::thread::spawn(move || {
            for _ in 0..BODY_BYTES / PIECE.len() {
                writer.write_all(&PIECE).expect("sent");
                counter.fetch_add(PIECE.len(), Ordering::SeqCst);
            }
        });
        let held = standstill(&sent);
        assert!(
            held < HELD_MAX,
            "{held} bytes left the client although nobody reads them"
        );
        let grown = proxy.resident_bytes().saturating_sub(before);
        assert!(grown < GROWTH_MAX, "the proxy holds {grown} bytes");
        release.send(()).expect("a waiting server");
        uploading.join().expect("the whole upload");
        assert_eq!(client.response().text(), BODY_BYTES.to_string());
    }
}

#[test]
fn a_chunked_stream_arrives_piece_by_piece() {
    let (next, pieces) = std::sync::mpsc::channel::<&'static str>();
    let pieces = std::sync::Mutex::new(pieces);
    let origin = Origin::raw(move |peer| {
        peer.request()?;
        peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
        for piece in pieces.lock().expect("one at a time").iter() {
            peer.send(format!("{:x}\r\n{piece}\r\n", piece.len()))?;
        }
        peer.send("0\r\n\r\n")
    });
    let (listen, _proxy) = proxy(1, "http", &origin);
    let mut client = Client::connect(listen.address());
    client
        .send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .response_head();
    for piece in ["data: 1\n\n", "data: 2\n\n"] {
        // Sent only after the piece before has arrived: nothing waits for more.
        next.send(piece).expect("a listening server");
        let expected = format!("{:x}\r\n{piece}\r\n", piece.len());
        assert_eq!(client.bytes(expected.len()), expected.as_bytes());
    }
    drop(next);
    assert_eq!(client.bytes(5), b"0\r\n\r\n");
}

/// Sizes on both sides of where the kernel takes over, and back.
const CHUNKS: [usize; 9] = [
    1, 70_000, 131_071, 131_072, 131_073, 1_000_000, 3, 3_000_000, 200_000,
];

/// The byte at this place of a body: no two neighbourhoods are alike.
fn byte_at(position: usize) -> u8 {
    (position ^ (position >> 8) ^ (position >> 16)) as u8
}

fn chunked_body() -> (Vec<u8>, Vec<u8>) {
    let (mut data, mut coded) = (Vec::new(), Vec::new());
    for size in CHUNKS {
        let start = data.len();
        data.extend((start..start + size).map(byte_at));
        coded.extend_from_slice(format!("{size:x};x=y\r\n").as_bytes());
        coded.extend_from_slice(&data[start..]);
        coded.extend_from_slice(b"\r\n");
    }
    coded.extend_from_slice(b"0\r\nx-sum: 1\r\n\r\n");
    (data, coded)
}

#[test]
fn big_chunks_arrive_whole_in_both_directions() {
    let (data, coded) = chunked_body();
    let answer = coded.clone();
    let origin = Origin::raw(move |peer| {
        while let Some(request) = peer.request()? {
            if !request.start.starts_with("GET") {
                assert_eq!(request.header("transfer-encoding"), Some("chunked"));
            }
            peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
            peer.send(&answer)?;
        }
        Ok(())
    });
    for cores in CORES {
        let (listen, proxy) = proxy(cores, "http", &origin);
        let mut client = Client::connect(listen.address());
        for _ in 0..3 {
            let mut writer = client.stream().try_clone().expect("a handle");
            let upload = coded.clone();
            let uploading = std::thread::spawn(move || {
                let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
                writer.write_all(head.as_bytes()).expect("sent");
                writer.write_all(&upload).expect("sent");
            });
            let response = client.response();
            uploading.join().expect("the upload");
            assert!(response.body == data, "another body came back");
            assert!(origin.last_request().body == data, "another body went out");
        }
        let spliced = proxy.stat("big", "FRONTEND", "h1_spliced_bytes_in");
        assert_ne!(spliced, "0");
    }
}

#[test]
fn a_server_that_dies_within_a_big_chunk_cuts_the_response() {
    let origin = Origin::raw(move |peer| {
        peer.request()?;
        peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n100000\r\n")?;
        peer.send(PIECE.repeat(12))
    });
    let (listen, _proxy) = proxy(1, "http", &origin);
    let mut client = Client::connect(listen.address());
    client
        .send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .response_head();
    let rest = client.rest();
    assert!(rest.len() <= PIECE.len() * 12 + 16 && !rest.ends_with(b"0\r\n\r\n"));
}
