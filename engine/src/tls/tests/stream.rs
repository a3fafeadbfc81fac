//! Streams over real sockets on one core.

use std::future::Future;
use std::net::{TcpListener, TcpStream};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use cfgparse::model::tls::{BindTls, ServerTls, TlsVerify};
use reactor::{Core, CoreConfig, Readable, Seg, Wait};

use super::{Files, acceptor, connector};
use crate::tls::*;

/// Turns after which a test is stuck rather than slow.
const TURNS_MAX: u32 = 1_000_000;

/// Polls both after every turn of the core until both have ended.
fn run_both<A, B>(
    core: &Core,
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut a, mut b) = (None, None);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..TURNS_MAX {
        if a.is_none()
            && let Poll::Ready(output) = first.as_mut().poll(&mut cx)
        {
            a = Some(output);
        }
        if b.is_none()
            && let Poll::Ready(output) = second.as_mut().poll(&mut cx)
        {
            b = Some(output);
        }
        if a.is_some() && b.is_some() {
            break;
        }
        core.turn(Wait::Poll);
    }
    (a.expect("stuck"), b.expect("stuck"))
}

struct Ends {
    core: Core,
    client: Stream,
    server: Stream,
    _files: Files,
}

fn ends() -> Ends {
    let files = Files::new();
    let crt = vec![files.pem("a.pem", &["a.test"])];
    let server = acceptor(
        &BindTls {
            crt,
            ..BindTls::default()
        },
        &[],
    );
    let client = connector(&ServerTls::default(), TlsVerify::None, &[]);
    let config = CoreConfig {
        sq_entries: 64,
        cq_entries: 256,
        buffers: 16,
        ..CoreConfig::default()
    };
    let core = Core::new(&config).expect("a ring");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let out = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
    let (accepted, _) = listener.accept().expect("accepted");
    let session = client.session(Some("a.test")).expect("a session");
    let client = Stream::new(core.socket(out.into()), session);
    let session = server.session().expect("a session");
    let server = Stream::new(core.socket(accepted.into()), session);
    Ends {
        core,
        client,
        server,
        _files: files,
    }
}

async fn more(stream: &Stream) -> Readable {
    std::future::poll_fn(|cx| stream.poll_more(0, cx)).await
}

async fn sent(stream: &Stream, at_most: usize) {
    std::future::poll_fn(|cx| stream.poll_sent(at_most, cx))
        .await
        .expect("sent");
}

async fn read_to_end(stream: &Stream) -> Vec<u8> {
    let mut read = Vec::new();
    loop {
        match more(stream).await {
            Readable::Data => {
                while let Some(piece) = stream.take(1000) {
                    read.extend_from_slice(&piece);
                }
            }
            Readable::Eof => return read,
            Readable::Failed(error) => panic!("{error} after {} bytes", read.len()),
        }
    }
}

fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes as u32)
        .map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect()
}

#[test]
fn plain_text_goes_both_ways_and_ends_in_order() {
    let Ends {
        core,
        client,
        server,
        _files,
    } = ends();
    let large = pattern(3_000_000);
    let (answer, request) = run_both(
        &core,
        async {
            client.handshake().await.expect("agreed");
            client.write(|text| text.extend_from_slice(b"hello "));
            client.write(|text| text.extend_from_slice(b"there"));
            client.shutdown_write();
            read_to_end(&client).await
        },
        async {
            server.handshake().await.expect("agreed");
            let request = read_to_end(&server).await;
            server.write(|text| text.extend_from_slice(b"head:"));
            for part in large.chunks(50_000) {
                server.send(Seg::heap(part.to_vec()));
                server.flush();
                sent(&server, 100_000).await;
            }
            server.shutdown_write();
            sent(&server, 0).await;
            request
        },
    );
    assert_eq!(request, b"hello there");
    assert!(answer.starts_with(b"head:") && answer[5..] == large);
    assert_eq!(client.passed(), (3_000_005, 11));
    assert_eq!(server.passed(), (11, 3_000_005));
    assert_eq!(
        server.info().and_then(|info| info.sni).as_deref(),
        Some("a.test")
    );
}

#[test]
fn pieces_are_joined_consumed_and_parked_like_a_sockets() {
    let Ends {
        core,
        client,
        server,
        _files,
    } = ends();
    let writer = async {
        client.handshake().await.expect("agreed");
        for word in ["GET / HTTP/1.1\r\n", "host: a\r\n", "\r\n", "body"] {
            client.write(|text| text.extend_from_slice(word.as_bytes()));
            client.flush();
        }
        sent(&client, 0).await;
    };
    let reader = async {
        server.handshake().await.expect("agreed");
        let mut seen = 0;
        while seen < 31 {
            let ready = std::future::poll_fn(|cx| server.poll_more(seen, cx)).await;
            assert!(matches!(ready, Readable::Data));
            assert!(server.queued() > seen);
            seen = server.queued();
            server.park();
        }
    };
    run_both(&core, writer, reader);
    let all = server.linearize().expect("queued");
    assert_eq!(&all[..], b"GET / HTTP/1.1\r\nhost: a\r\n\r\nbody");
    assert_eq!(server.peek().expect("queued").len(), 31);
    server.consume(27);
    assert_eq!(&server.take(10).expect("the rest")[..], b"body");
    assert_eq!((server.queued(), server.take(1).is_none()), (0, true));
}

/// A reader that stops makes the writer wait: neither side piles up what the other sends.
#[test]
fn a_slow_reader_holds_the_writer_up() {
    let Ends {
        core,
        client,
        server,
        _files,
    } = ends();
    let writer = async {
        server.handshake().await.expect("agreed");
        let mut written = 0;
        loop {
            server.send(Seg::heap(vec![7; 60_000]));
            server.flush();
            written += 60_000;
            let mut turns = 0;
            let ready = std::future::poll_fn(|cx| {
                turns += 1;
                match server.poll_sent(0, cx) {
                    Poll::Pending if turns < 2000 => Poll::Pending,
                    other => Poll::Ready(other.is_ready()),
                }
            });
            if !ready.await {
                return written;
            }
            assert!(written < 60_000_000, "the writer was never held up");
        }
    };
    let reader = async {
        client.handshake().await.expect("agreed");
        more(&client).await;
    };
    let (written, ()) = run_both(&core, writer, reader);
    let held = client.queued() + client.sock().queued();
    assert!(
        held <= 400_000,
        "{held} of {written} bytes are held by the reader"
    );
}

#[test]
fn faults_of_the_handshake_are_told_apart() {
    let Ends {
        core,
        client,
        server,
        _files,
    } = ends();
    let (fault, ()) = run_both(&core, async { server.handshake().await }, async {
        client
            .sock()
            .write(|text| text.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n"));
        client.sock().flush();
    });
    assert!(
        matches!(fault, Err(HandshakeFault::Refused(TlsError::Protocol(_)))),
        "{fault:?}"
    );

    let Ends {
        core,
        client,
        server,
        _files,
    } = ends();
    drop(client);
    let (fault, ()) = run_both(&core, async { server.handshake().await }, async {});
    assert!(
        matches!(
            fault,
            Err(HandshakeFault::Closed | HandshakeFault::Connection(_))
        ),
        "{fault:?}"
    );
}

#[test]
fn a_broken_record_fails_the_reader_after_what_came_before() {
    let Ends {
        core,
        client,
        server,
        _files,
    } = ends();
    let writer = async {
        client.handshake().await.expect("agreed");
        client.write(|text| text.extend_from_slice(b"good"));
        client.flush();
        client
            .sock()
            .write(|text| text.extend_from_slice(&[23, 3, 3, 0, 20]));
        client.sock().write(|text| text.extend_from_slice(&[0; 20]));
        client.sock().flush();
        sent(&client, 0).await;
    };
    let reader = async {
        server.handshake().await.expect("agreed");
        assert!(matches!(more(&server).await, Readable::Data));
        assert_eq!(&server.take(10).expect("data")[..], b"good");
        more(&server).await
    };
    let ((), end) = run_both(&core, writer, reader);
    assert!(matches!(end, Readable::Failed(_)), "{end:?}");
}
