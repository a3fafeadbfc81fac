//! maxconn of a frontend and of a listener: beyond it, connections wait in the kernel.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy};

fn limited(cores: usize, frontend: &str, bind: &str) {
    let listen = Port::reserve();
    let origin = Origin::named("a");
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
    let mut held: Vec<Client> = (0..4).map(|_| Client::connect(listen.address())).collect();
    for client in &mut held {
        assert_eq!(client.get("/held").status(), 200);
    }
    let mut waiting: Vec<Client> = (0..6).map(|_| Client::connect(listen.address())).collect();
    for client in &mut waiting {
        client.send("GET /waiting HTTP/1.1\r\nhost: a\r\n\r\n");
    }
    assert_eq!(proxy.stat("web", "FRONTEND", "scur"), "4");
    assert!(
        origin
            .requests()
            .iter()
            .all(|request| request.path() == "/held")
    );
    drop(held);
    // Each that is served makes room for the next.
    let mut left = waiting.len();
    while left > 0 {
        waiting.retain_mut(|client| {
            let timeout = std::time::Duration::from_millis(20);
            client
                .stream()
                .set_read_timeout(Some(timeout))
                .expect("a timeout");
            let mut byte = [0];
            client.stream().peek(&mut byte).is_err()
        });
        left = waiting.len();
    }
    assert_eq!(origin.requests().len(), 10);
}

#[test]
fn of_a_frontend() {
    for cores in CORES {
        limited(cores, "maxconn 4", "");
    }
}

#[test]
fn of_a_listener() {
    limited(1, "", "maxconn 4");
}
