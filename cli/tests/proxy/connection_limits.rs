//! maxconn of a frontend and of a listener: beyond it, connections wait in the kernel.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, ok};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Ten clients send at once where four connections are allowed.
fn limited(cores: usize, frontend: &str, bind: &str) {
    let listen = Port::reserve();
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let peak = Arc::clone(&most);
    let origin = Origin::answering(move |_| {
        peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(50));
        now.fetch_sub(1, Ordering::SeqCst);
        ok("done")
    });
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    {frontend}
    bind *:{listen} {bind}
    server s1 {}
",
        origin.address
    );
    let proxy = Proxy::start(cores, &config);
    let send = |_| {
        let mut client = Client::connect(listen.address());
        client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        client
    };
    for mut client in (0..10).map(send).collect::<Vec<_>>() {
        assert_eq!(client.response().text(), "done");
    }
    assert_eq!(origin.requests().len(), 10);
    assert!(most.load(Ordering::SeqCst) <= 4, "{cores} cores");
    assert_eq!(proxy.stat("web", "FRONTEND", "smax"), "4");
}

#[test]
fn of_a_frontend() {
    for cores in CORES {
        limited(cores, "maxconn 4", "");
    }
}

#[test]
fn of_a_listener() {
    for cores in CORES {
        limited(cores, "", "maxconn 4");
    }
}
