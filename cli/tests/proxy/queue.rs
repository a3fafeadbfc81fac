//! A server's maxconn and the queue before it, exact for the whole process.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, ok, wait_until};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn proxy(cores: usize, server: &str) -> (Port, Proxy) {
    let listen = Port::reserve();
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    timeout queue 30s
    bind *:{listen}
    server s1 {server}
"
    );
    let proxy = Proxy::start(cores, &config);
    (listen, proxy)
}

#[test]
fn a_server_never_sees_more_than_its_maxconn() {
    for cores in CORES {
        let now = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let (counter, peak) = (Arc::clone(&now), Arc::clone(&most));
        let origin = Origin::answering(move |_| {
            peak.fetch_max(counter.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(2));
            counter.fetch_sub(1, Ordering::SeqCst);
            ok("done")
        });
        let (listen, _proxy) = proxy(cores, &format!("{} maxconn 3", origin.address));
        let to = listen.address();
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(move || {
                    let mut client = Client::connect(to);
                    for _ in 0..10 {
                        assert_eq!(client.get("/").text(), "done");
                    }
                });
            }
        });
        assert_eq!(origin.requests().len(), 160);
        let most = most.load(Ordering::SeqCst);
        assert!(most <= 3, "{most} at once on {cores} cores");
    }
}

#[test]
fn the_queue_is_served_in_order_and_is_visible() {
    for cores in CORES {
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        let origin = Origin::answering(move |request| {
            if request.path() == "/first" {
                let _ = gate.lock().expect("one at a time").recv();
            }
            ok("done")
        });
        let (listen, proxy) = proxy(cores, &format!("{} maxconn 1", origin.address));
        let paths = ["/first", "/2", "/3", "/4", "/5"];
        let order = order_of(&paths, &listen, &proxy, &origin, release);
        assert_eq!(order, paths, "{cores} cores");
        assert_eq!(proxy.stat("web", "BACKEND", "qcur"), "0");
    }
}

/// Lets `paths` queue up behind the first of them, then `release`s that: the order in which they
/// were served.
fn order_of(
    paths: &[&str],
    listen: &Port,
    proxy: &Proxy,
    origin: &Origin,
    release: std::sync::mpsc::Sender<()>,
) -> Vec<String> {
    let mut clients = Vec::new();
    for (n, path) in paths.iter().enumerate() {
        let mut client = Client::connect(listen.address());
        client.send(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"));
        clients.push(client);
        wait_until("the request is queued", || {
            origin.requests().len() == 1 && proxy.stat("web", "BACKEND", "qcur") == n.to_string()
        });
    }
    drop(release);
    for client in &mut clients {
        assert_eq!(client.response().text(), "done");
    }
    let requests = origin.requests();
    requests.iter().map(|r| r.path().to_owned()).collect()
}

/// Manual, 4.4: the class goes before the time, which the offset shifts; both are clamped.
#[test]
fn priorities_change_the_order() {
    for cores in CORES {
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        let origin = Origin::answering(move |request| {
            if request.path().starts_with("/first") {
                let _ = gate.lock().expect("one at a time").recv();
            }
            ok("done")
        });
        let rules = format!(
            "{} maxconn 1
    http-request set-priority-class url_param(class)
    http-request set-priority-offset url_param(offset)
    http-response set-header x-prio \"%[prio_class] %[prio_offset]\"",
            origin.address
        );
        let (listen, proxy) = proxy(cores, &rules);
        let paths = [
            "/first?class=-9999&offset=999999",
            "/low?class=1&offset=-400000",
            "/plain",
            "/later?offset=300000",
            "/sooner?offset=-300000",
            "/high?class=-1",
        ];
        let order = order_of(&paths, &listen, &proxy, &origin, release);
        let expected = [0, 5, 4, 2, 3, 1].map(|at| paths[at]);
        assert_eq!(order, expected, "{cores} cores");
        let clamped = Client::connect(listen.address()).get("/?class=-9999&offset=999999");
        assert_eq!(clamped.header("x-prio"), Some("-2047 524287"));
    }
}

#[test]
fn a_client_that_leaves_the_queue_is_not_served() {
    for cores in CORES {
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        let origin = Origin::answering(move |request| {
            if request.path() == "/first" {
                let _ = gate.lock().expect("one at a time").recv();
            }
            ok("done")
        });
        let settings = format!("{} maxconn 1\n    option abortonclose", origin.address);
        let (listen, proxy) = proxy(cores, &settings);
        let mut first = Client::connect(listen.address());
        first.send("GET /first HTTP/1.1\r\nhost: a\r\n\r\n");
        origin.wait_for_requests(1);
        let mut leaving = Client::connect(listen.address());
        leaving.send("GET /leaving HTTP/1.1\r\nhost: a\r\n\r\n");
        let queued = |count: &str| proxy.stat("web", "BACKEND", "qcur") == count;
        wait_until("the request is queued", || queued("1"));
        drop(leaving);
        wait_until("the queue is empty", || queued("0"));
        drop(release);
        assert_eq!(first.response().status(), 200);
        assert_eq!(first.get("/last").status(), 200);
        assert!(
            origin
                .requests()
                .iter()
                .all(|request| request.path() != "/leaving")
        );
    }
}
