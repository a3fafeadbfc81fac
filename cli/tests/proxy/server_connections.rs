//! Which requests share a connection to a server (manual, `http-reuse` and `pool-max-conn`).

use crate::harness::{Client, LONG_TIMEOUTS, Origin, Port, Proxy, get};

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
