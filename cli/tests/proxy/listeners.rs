//! Every way to write where to listen.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, get};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

fn config(binds: &str, server: &str) -> String {
    format!(
        "
frontend web
    mode http{LONG_TIMEOUTS}
    {binds}
    default_backend origin
backend origin
    mode http{LONG_TIMEOUTS}
    server s1 {server}
"
    )
}

#[test]
fn addresses_port_ranges_and_comma_lists() {
    for cores in CORES {
        let origin = Origin::named("a");
        let range = Port::range(3);
        let single = [(); 5].map(|()| Port::reserve());
        let [p0, p1, p2, p3, p4] = &single;
        let (first, last) = (range[0].number, range[2].number);
        let binds = format!(
            "bind 127.0.0.1:{p0},:{p1}\n    bind *:{p2}\n    bind [::1]:{p3}\n    bind 0.0.0.0:{p4}\n    \
             bind 127.0.0.1:{first}-{last}"
        );
        let _proxy = Proxy::start(cores, &config(&binds, &origin.address.to_string()));
        let v4 = single
            .iter()
            .filter(|port| port.number != p3.number)
            .chain(&range);
        for port in v4 {
            assert_eq!(get(port.address(), "/").text(), "a");
        }
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, p3.number));
        assert_eq!(get(v6, "/").text(), "a");
    }
}

#[test]
fn a_unix_socket_on_either_side() {
    for cores in CORES {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("web.sock");
        let inner = directory.path().join("inner.sock");
        let origin = Origin::named("a");
        let config = format!(
            "
frontend outer
    mode http{LONG_TIMEOUTS}
    bind unix@{} mode 600
    default_backend chain
backend chain
    mode http{LONG_TIMEOUTS}
    server inner unix@{}
{}",
            path.display(),
            inner.display(),
            config(
                &format!("bind {}", inner.display()),
                &origin.address.to_string()
            ),
        );
        let _proxy = Proxy::start(cores, &config);
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path)
            .expect("a socket")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut client = Client::connect_unix(&path);
        for _ in 0..3 {
            assert_eq!(client.get("/").text(), "a");
        }
    }
}

#[test]
fn an_inherited_socket_serves_on_every_core() {
    for cores in CORES {
        let origin = Origin::named("a");
        let port = Port::reserve();
        let listener = port.listen(100);
        // Waits in the backlog for the proxy to start.
        let mut early = Client::connect(port.address());
        early.send("GET /early HTTP/1.1\r\nhost: a\r\n\r\n");
        let text = config("bind \"fd@${WEB}\"", &origin.address.to_string());
        let _proxy = Proxy::start_with(cores, &text, &[("WEB", &listener)], &[]);
        assert_eq!(early.response().text(), "a");
        for _ in 0..20 {
            assert_eq!(get(port.address(), "/").text(), "a");
        }
    }
}

#[test]
fn a_host_name_as_server_address_is_resolved_at_start() {
    let origin = Origin::named("a");
    let listen = Port::reserve();
    let server = format!("localhost:{}", origin.address.port());
    let _proxy = Proxy::start(1, &config(&format!("bind :{listen}"), &server));
    assert_eq!(get(listen.address(), "/").text(), "a");
}

#[test]
fn the_server_sees_an_address_of_this_machine_and_forwardfor_tells_the_client() {
    let origin = Origin::named("a");
    let listen = Port::reserve();
    let binds = format!("bind 127.0.0.1:{listen}\n    option forwardfor");
    let _proxy = Proxy::start(1, &config(&binds, &origin.address.to_string()));
    get(listen.address(), "/");
    let client = Ipv4Addr::LOCALHOST.to_string();
    assert_eq!(
        origin.last_request().header("x-forwarded-for"),
        Some(client.as_str())
    );
}
