//! One side finished, the other not.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, wait_until};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn proxy(cores: usize, mode: &str, origin: &Origin) -> (Port, Proxy) {
    let listen = Port::reserve();
    let config = format!(
        "
listen relay
    mode {mode}{LONG_TIMEOUTS}
    bind *:{listen}
    server s1 {}
",
        origin.address
    );
    let proxy = Proxy::start(cores, &config);
    (listen, proxy)
}

#[test]
fn a_client_that_has_finished_still_gets_the_answer() {
    for cores in CORES {
        let origin = Origin::raw(|peer| {
            let mut question = String::new();
            peer.reader.read_to_string(&mut question)?;
            for _ in 0..1000 {
                peer.send(&question)?;
            }
            Ok(())
        });
        let (listen, _proxy) = proxy(cores, "tcp", &origin);
        let mut client = Client::connect(listen.address());
        client.send("question");
        client.shut_write();
        assert_eq!(client.rest(), "question".repeat(1000).as_bytes());
    }
}

#[test]
fn a_server_that_has_finished_still_gets_the_rest() {
    for cores in CORES {
        let (told, rest) = std::sync::mpsc::channel();
        let told = std::sync::Mutex::new(told);
        let origin = Origin::raw(move |peer| {
            peer.send("all I have to say")?;
            peer.shut_write()?;
            let mut rest = String::new();
            peer.reader.read_to_string(&mut rest)?;
            told.lock().expect("one at a time").send(rest).ok();
            Ok(())
        });
        let (listen, _proxy) = proxy(cores, "tcp", &origin);
        let mut client = Client::connect(listen.address());
        assert_eq!(client.rest(), b"all I have to say");
        client.send("some more from me");
        client.shut_write();
        let rest = rest
            .recv_timeout(crate::harness::PATIENCE)
            .expect("the rest");
        assert_eq!(rest, "some more from me");
    }
}

#[test]
fn an_http_client_may_close_its_side_after_the_request() {
    let origin = Origin::named("answer");
    let (listen, _proxy) = proxy(1, "http\n    no option abortonclose", &origin);
    let mut client = Client::connect(listen.address());
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    client.shut_write();
    assert_eq!(client.response().text(), "answer");
}

/// Manual, `timeout client-fin` and `timeout server-fin`: what is left of a half-closed connection
/// has a time of its own.
#[test]
fn a_half_closed_connection_is_not_waited_for_long() {
    for (timeout, server_ends) in [("server-fin", false), ("client-fin", true)] {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let origin = Origin::raw(move |peer| {
            if server_ends {
                peer.shut_write()?;
            }
            std::io::copy(&mut peer.reader, &mut std::io::sink())?;
            seen.store(true, Ordering::SeqCst);
            // Longer than any scenario: the proxy has to end it.
            std::thread::sleep(crate::harness::PATIENCE);
            Ok(())
        });
        let listen = Port::reserve();
        let _proxy = Proxy::start(
            1,
            &format!(
                "
listen half
    mode tcp{LONG_TIMEOUTS}
    timeout {timeout} 200ms
    bind *:{listen}
    server s {}",
                origin.address
            ),
        );
        let mut client = Client::connect(listen.address());
        client.send("x");
        if !server_ends {
            client.shut_write();
        }
        client.ends();
        // The client never ends its direction where the server ended first.
        wait_until("the server's connection has ended", || {
            ended.load(Ordering::SeqCst)
        });
    }
}
