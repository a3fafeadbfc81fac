//! How the process ends.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, get, ok, wait_until};
use rustix::process::Signal;
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;

fn proxy(cores: usize, origin: &Origin) -> (Port, Proxy) {
    let listen = Port::reserve();
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{listen}
    server s1 {}
",
        origin.address
    );
    let proxy = Proxy::start(cores, &config);
    (listen, proxy)
}

#[test]
fn sigusr1_finishes_what_is_running() {
    for cores in CORES {
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        let origin = Origin::answering(move |_| {
            let _ = gate.lock().expect("one at a time").recv();
            ok("finished")
        });
        let (listen, mut proxy) = proxy(cores, &origin);
        let mut running = Client::connect(listen.address());
        running.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        origin.wait_for_requests(1);
        proxy.signal(Signal::USR1);
        wait_until("nobody listens any more", || {
            TcpStream::connect(listen.address()).is_err()
        });
        assert!(proxy.is_running(), "a request is still running");
        drop(release);
        let answer = running.response();
        assert_eq!(
            (answer.text().as_str(), answer.header("connection")),
            ("finished", Some("close"))
        );
        assert_eq!(proxy.wait_for_end().code(), Some(0), "{cores} cores");
    }
}

#[test]
fn sigusr1_closes_idle_connections() {
    for cores in CORES {
        let origin = Origin::named("a");
        let (listen, mut proxy) = proxy(cores, &origin);
        let mut idle = Client::connect(listen.address());
        assert_eq!(idle.get("/").status(), 200);
        proxy.signal(Signal::USR1);
        idle.ends();
        assert_eq!(proxy.wait_for_end().code(), Some(0));
    }
}

#[test]
fn sigterm_and_sigint_stop_at_once() {
    for cores in CORES {
        for signal in [Signal::TERM, Signal::INT] {
            let origin = Origin::raw(|peer| {
                while peer.request()?.is_some() {}
                Ok(())
            });
            let (listen, mut proxy) = proxy(cores, &origin);
            let mut running = Client::connect(listen.address());
            running.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
            origin.wait_for_requests(1);
            proxy.signal(signal);
            let status = proxy.wait_for_end();
            assert_eq!(status.signal(), Some(signal.as_raw()), "{status}");
            running.ends();
        }
    }
}

#[test]
fn sigpipe_and_sighup_do_not_stop_it() {
    let origin = Origin::named("a");
    let (listen, mut proxy) = proxy(1, &origin);
    proxy.signal(Signal::PIPE);
    proxy.signal(Signal::HUP);
    assert_eq!(get(listen.address(), "/").status(), 200);
    assert!(proxy.is_running());
}
