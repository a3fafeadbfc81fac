//! Log lines of others that are passed on (manual, 12.6).

use crate::harness::{CORES, Certificate, Client, LONG_TIMEOUTS, Port, Proxy, Syslog, get};
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;

/// A `log-forward` section behind a datagram and a stream socket on the same port.
fn forwarder(cores: usize, section: &str) -> (Port, Proxy) {
    let listen = Port::reserve();
    let config = format!(
        "
log-forward through
    dgram-bind 127.0.0.1:{listen}
    bind 127.0.0.1:{listen}
    {section}
"
    );
    let proxy = Proxy::start(cores, &config);
    (listen, proxy)
}

fn send(to: &Port, line: &str) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.send_to(line.as_bytes(), to.address()).expect("sent");
}

#[test]
fn datagrams_come_out_as_each_target_wants() {
    for cores in CORES {
        let targets = [Syslog::start(), Syslog::start(), Syslog::start()];
        let [own, new, raw] = targets.each_ref().map(Syslog::address);
        let (listen, proxy) = forwarder(
            cores,
            &format!(
                "log {own} local3\n    log {new} format rfc5424 local3\n    log {raw} format raw local3 err"
            ),
        );
        send(&listen, "<131>Feb  6 12:14:14 host tag[42]: hello\n");
        assert_eq!(
            targets[0].line(),
            "<131>Feb  6 12:14:14 host tag[42]: hello"
        );
        let line = targets[1].line();
        assert!(
            line.ends_with("-02-06T12:14:14-00:00 host tag 42 - - hello"),
            "{line}"
        );
        assert_eq!(targets[2].line(), "hello");
        // Info is not for the last target; a line without a host gets its sender's address.
        send(&listen, "<134>quiet");
        let line = targets[0].line();
        assert!(
            line.starts_with("<134>") && line.ends_with(" 127.0.0.1 quiet"),
            "{line}"
        );
        send(&listen, "<131>loud");
        assert_eq!(targets[2].line(), "loud");
        assert!(proxy.admin("show info").contains("CumRecvLogs: 3"));
    }
}

#[test]
fn both_framings_come_in_by_one_stream() {
    for cores in CORES {
        let target = Syslog::start();
        let section = format!("log {} format raw local0", target.address());
        let (listen, _proxy) = forwarder(cores, &section);
        let mut client = Client::connect(listen.address());
        client.send("9 <134>abcd<134>a line\n12 <134>ab\ncd\ne<1");
        assert_eq!(target.line(), "abcd");
        assert_eq!(target.line(), "a line");
        assert_eq!(target.line(), "ab\ncd\ne");
        client.send("34>rest\n");
        assert_eq!(target.line(), "rest");
        client.send("neither\n");
        client.ends();
    }
}

#[test]
fn options() {
    let target = Syslog::start();
    let address = target.address();
    let (listen, _proxy) = forwarder(
        1,
        &format!("option assume-rfc6587-ntf\n    option dont-parse-log\n    log {address} local0"),
    );
    Client::connect(listen.address()).send("9 <134>x\n\nplain\n");
    assert_eq!(target.line(), "9 <134>x");
    assert_eq!(target.line(), "plain");

    let section = format!("option host append\n    log {address} format rfc3164 local0");
    let (listen, _proxy) = forwarder(1, &section);
    send(&listen, "<134>Feb  6 12:14:14 host tag: x");
    assert_eq!(target.line(), "<134>Feb  6 12:14:14 host,127.0.0.1 tag: x");
}

/// No more clients at once than `maxconn`; the next is served when one has gone, also when it was
/// another core's.
#[test]
fn maxconn_and_timeout() {
    for cores in CORES {
        let target = Syslog::start();
        let section = format!("maxconn 1\n    log {} format raw local0", target.address());
        let (listen, _proxy) = forwarder(cores, &section);
        let mut first = Client::connect(listen.address());
        first.send("<1>first\n");
        assert_eq!(target.line(), "first");
        let mut second = Client::connect(listen.address());
        second.send("<1>second\n");
        first.send("<1>first again\n");
        assert_eq!(target.line(), "first again");
        drop(first);
        assert_eq!(target.line(), "second");
    }
    let target = Syslog::start();
    let section = format!("timeout client 50ms\n    log {} local0", target.address());
    let (listen, _proxy) = forwarder(1, &section);
    Client::connect(listen.address()).ends();
}

#[test]
fn unix_datagrams_have_no_source() {
    let target = Syslog::start();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("in");
    let config = format!(
        "
log-forward through
    dgram-bind {}
    log {} local0
",
        path.display(),
        target.address()
    );
    let _proxy = Proxy::start(2, &config);
    let socket = UnixDatagram::unbound().expect("a socket");
    socket.send_to(b"<134>x", &path).expect("sent");
    let line = target.line();
    assert!(line.ends_with(" localhost x"), "{line}");
}

/// Our own lines by UDP, through a ring, by TLS, into another section, and out by UDP.
#[test]
fn a_chain_of_sections() {
    let certificate = Certificate::of(&["localhost"]);
    let (front, datagrams, stream) = (Port::reserve(), Port::reserve(), Port::reserve());
    let target = Syslog::start();
    let config = format!(
        "
ring relay
    format rfc5424
    server next 127.0.0.1:{stream} ssl verify none log-proto octet-count
log-forward first
    dgram-bind 127.0.0.1:{datagrams}
    log ring@relay local0
log-forward second
    bind 127.0.0.1:{stream} ssl crt {}
    log {} format rfc3164 local0
defaults
    mode http{LONG_TIMEOUTS}
frontend front
    bind 127.0.0.1:{front}
    log 127.0.0.1:{datagrams} local0
    option httplog
    http-request return status 200
",
        certificate.path().display(),
        target.address()
    );
    let _proxy = Proxy::start(2, &config);
    get(front.address(), "/through");
    let line = target.line_with("/through");
    assert!(
        line.starts_with("<134>") && line.contains(" haproxy["),
        "{line}"
    );
}
