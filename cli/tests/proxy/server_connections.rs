//! Which requests share a connection to a server (manual, `http-reuse` and `pool-max-conn`).

use std::sync::{Arc, Barrier};

use crate::harness::{Client, LONG_TIMEOUTS, Origin, Port, Proxy, get, ok, wait_until};

fn start(cores: usize, backend: &str, server: &str) -> (Proxy, Port, Origin) {
    let (listen, origin) = (Port::reserve(), Origin::named("a"));
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind :{listen}
    {backend}
    server s1 {} {server}
",
        origin.address
    );
    (Proxy::start(cores, &config), listen, origin)
}

/// Requests over one client connection, and how many connections the server saw.
fn connections_of_four_requests(server: &str) -> usize {
    let (_proxy, listen, origin) = start(1, "http-reuse safe", server);
    let mut client = Client::connect(listen.address());
    (0..4).for_each(|_| assert_eq!(client.get("/").text(), "a"));
    origin.connections()
}

#[test]
fn requests_of_one_client_share_a_connection() {
    assert_eq!(connections_of_four_requests(""), 1);
}

/// The manual lets lower layers not respect it; HAProxy's does not for HTTP/1.
#[test]
fn max_reuse_ends_a_connection() {
    if std::env::var_os("ENGINE_UNDER_TEST").is_some() {
        return;
    }
    assert_eq!(connections_of_four_requests("max-reuse 1"), 2);
    assert_eq!(connections_of_four_requests("max-reuse 0"), 4);
    assert_eq!(connections_of_four_requests("max-reuse -1"), 1);
}

#[test]
fn none_is_kept_where_none_may_be() {
    assert_eq!(connections_of_four_requests("pool-max-conn 0"), 4);
    assert_eq!(connections_of_four_requests("pool-purge-delay 0"), 4);
}

/// Each client has one request, and only the order of arrival decides about its core.
#[test]
fn cores_share_their_idle_connections() {
    let (_proxy, listen, origin) = start(2, "http-reuse always", "");
    (0..40).for_each(|_| assert_eq!(get(listen.address(), "/").text(), "a"));
    // Two cores without each other would need two; a core that is slow to answer costs one more.
    assert!(origin.connections() <= 4, "{}", origin.connections());
}

#[test]
fn the_first_request_of_a_client_has_a_connection_of_its_own() {
    let (_proxy, listen, origin) = start(2, "http-reuse safe", "");
    (0..6).for_each(|_| assert_eq!(get(listen.address(), "/").text(), "a"));
    assert_eq!(origin.connections(), 6);
}

/// Both requests of a pair are under way before either is answered, so that each has a connection.
fn paired_origin() -> Origin {
    let meet = Arc::new(Barrier::new(2));
    Origin::raw(move |peer| {
        while peer.request()?.is_some() {
            meet.wait();
            peer.send(ok("a"))?;
        }
        Ok(())
    })
}

/// Two idle connections, made by two clients at the same time.
fn two_idle(server: &str) -> (Proxy, Port, Origin) {
    let (listen, origin) = (Port::reserve(), paired_origin());
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind :{listen}
    http-reuse always
    server s1 {} {server}
",
        origin.address
    );
    let proxy = Proxy::start(1, &config);
    pair(&listen);
    (proxy, listen, origin)
}

/// Two requests at the same time.
fn pair(listen: &Port) {
    let mut clients = [(); 2].map(|()| Client::connect(listen.address()));
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    }
    for client in &mut clients {
        assert_eq!(client.response().text(), "a");
    }
}

fn idle(proxy: &Proxy) -> u32 {
    let of = |field| -> u32 { proxy.stat("web", "s1", field).parse().expect("a number") };
    of("idle_conn_cur") + of("safe_conn_cur")
}

#[test]
fn idle_connections_serve_others_up_to_pool_max_conn() {
    let (proxy, listen, origin) = two_idle("");
    wait_until("both are idle", || idle(&proxy) == 2);
    pair(&listen);
    assert_eq!(origin.connections(), 2);

    let (proxy, listen, origin) = two_idle("pool-max-conn 1");
    wait_until("one is idle", || idle(&proxy) == 1);
    pair(&listen);
    assert_eq!(origin.connections(), 3);
}

#[test]
fn idle_connections_go_after_pool_purge_delay() {
    let (proxy, ..) = two_idle("pool-purge-delay 300ms");
    wait_until("none is idle", || idle(&proxy) == 0);
}

/// Manual 5.2, `pool-low-conn`: with fewer idle connections, each core makes its own.
#[test]
fn few_idle_connections_stay_on_their_cores() {
    let (_proxy, listen, origin) = start(2, "http-reuse always", "pool-low-conn 100");
    (0..40).for_each(|_| assert_eq!(get(listen.address(), "/").text(), "a"));
    assert_eq!(origin.connections(), 2);
}

/// A core that has lost its clients gets the new ones.
#[test]
fn clients_go_to_the_core_that_has_fewer() {
    let (_proxy, listen, _origin) =
        start(2, "http-after-response set-header x-thread %[thread]", "");
    let connect = || {
        let mut client = Client::connect(listen.address());
        let answer = client.get("/");
        let thread = answer.header("x-thread").expect("a thread").to_owned();
        (thread, client)
    };
    let mut clients: Vec<_> = (0..80).map(|_| connect()).collect();
    let emptied = clients[0].0.clone();
    clients.retain(|(thread, _)| *thread != emptied);
    std::thread::sleep(std::time::Duration::from_millis(200));
    let stayed = clients.len();
    for _ in 0..stayed {
        clients.push(connect());
    }
    let moved = clients
        .iter()
        .filter(|(thread, _)| *thread == emptied)
        .count();
    // By chance it would be a half.
    assert!(moved * 4 >= stayed * 3, "{moved} of {stayed}");
}

/// A connection that the server has closed is in nobody's way.
#[test]
fn a_closed_connection_takes_no_place_among_the_idle_ones() {
    let origin = Origin::raw(|peer| {
        while let Some(request) = peer.request()? {
            peer.send(ok("a"))?;
            if request.path() == "/last" {
                std::thread::sleep(std::time::Duration::from_millis(100));
                return Ok(());
            }
        }
        Ok(())
    });
    let listen = Port::reserve();
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind :{listen}
    server s1 {}
",
        origin.address
    );
    let _proxy = Proxy::start(1, &config);
    assert_eq!(get(listen.address(), "/last").text(), "a");
    std::thread::sleep(std::time::Duration::from_millis(300));
    // Its first request has a connection of its own, which the others share.
    let mut client = Client::connect(listen.address());
    (0..3).for_each(|_| assert_eq!(client.get("/").text(), "a"));
    assert_eq!(origin.connections(), 2);
}
