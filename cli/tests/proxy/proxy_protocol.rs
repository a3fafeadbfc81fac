//! The PROXY protocol on both sides: what is believed, what is refused, what is told.

use std::io::Read;

use crate::harness::{Certificate, Client, LONG_TIMEOUTS, Origin, Port, Proxy, Syslog};

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/// What a frontend answers to tell what it knows of a connection.
const TELL: &str = "http-request return status 200 content-type text/plain lf-string \
    \"%[src]:%[src_port] %[dst]:%[dst_port] %[fc_src] %[fc_pp_authority] %[fc_pp_unique_id] %[fc_pp_tlv(0xE0)] %[fc_pp_tlv(ALPN)]\"";

/// A version 2 header.
fn header(command: u8, family: u8, payload: &[&[u8]]) -> Vec<u8> {
    let payload = payload.concat();
    let length = (payload.len() as u16).to_be_bytes();
    let start = [0x20 | command, family, length[0], length[1]];
    [b"\r\n\r\n\0\r\nQUIT\n", &start[..], &payload].concat()
}

fn record(kind: u8, value: &[u8]) -> Vec<u8> {
    let length = (value.len() as u16).to_be_bytes();
    [&[kind, length[0], length[1]], value].concat()
}

const INET: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8, 0x04, 0x57, 0, 80];
const INET6: &[u8] = &[
    0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 1, 0x04, 0x57, 0, 80,
];

fn receiver(listen: &Port, syslog: &Syslog) -> String {
    format!(
        "
frontend web
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{listen} accept-proxy
    log {} local0
    option httplog
    {TELL}
",
        syslog.address()
    )
}

#[test]
fn addresses_and_records_are_believed() {
    let (listen, syslog) = (Port::reserve(), Syslog::start());
    let _proxy = Proxy::start(1, &receiver(&listen, &syslog));
    let records = [
        record(0x02, b"ex.org"),
        record(0x05, b"id-7"),
        record(0xe0, b"one"),
        record(0xe0, b"two"),
        record(0x01, b"h2"),
    ]
    .concat();
    let cases: &[(&[u8], &str)] = &[
        (
            b"PROXY TCP4 1.2.3.4 5.6.7.8 1111 80\r\n",
            "1.2.3.4:1111 5.6.7.8:80 127.0.0.1    ",
        ),
        (
            b"PROXY TCP6 2001:db8::1 ::1 1111 80\r\n",
            "2001:db8::1:1111 ::1:80 127.0.0.1    ",
        ),
        (
            &header(1, 0x11, &[INET]),
            "1.2.3.4:1111 5.6.7.8:80 127.0.0.1    ",
        ),
        (
            &header(1, 0x21, &[INET6]),
            "2001:db8::1:1111 ::1:80 127.0.0.1    ",
        ),
        (
            &header(1, 0x11, &[INET, &records]),
            "1.2.3.4:1111 5.6.7.8:80 127.0.0.1 ex.org id-7 one h2",
        ),
        (
            &header(1, 0x11, &[INET, &record(4, &[0; 1024])]),
            "1.2.3.4:1111 5.6.7.8:80 127.0.0.1    ",
        ),
    ];
    for (header, told) in cases {
        let mut client = Client::connect(listen.address());
        client.send(header).send(REQUEST);
        assert_eq!(client.response().text(), *told, "{header:?}");
    }
    assert!(syslog.line_with("1.2.3.4:1111").contains("web web/<NOSRV>"));
}

#[test]
fn who_speaks_for_itself_keeps_its_address() {
    let (listen, syslog) = (Port::reserve(), Syslog::start());
    let _proxy = Proxy::start(1, &receiver(&listen, &syslog));
    for header in [b"PROXY UNKNOWN\r\n".to_vec(), header(0, 0, &[])] {
        let mut client = Client::connect(listen.address());
        let address = client.stream().local_addr().unwrap();
        client.send(&header).send(REQUEST);
        let told = client.response().text();
        assert!(told.starts_with(&format!("{address} ")), "{told}");
    }
}

/// Manual, 8.2.5 and `fc_err_str`.
#[test]
fn without_a_header_nothing_is_answered() {
    let (listen, syslog) = (Port::reserve(), Syslog::start());
    let _proxy = Proxy::start(1, &receiver(&listen, &syslog));
    let wrong_sum = record(3, &[1, 2, 3, 4]);
    let invalid = "Received an invalid PROXY protocol header";
    let cases: &[(&[u8], &str)] = &[
        (
            REQUEST.as_bytes(),
            "Received something which does not look like a PROXY protocol header",
        ),
        (
            b"",
            "Connection closed while waiting for PROXY protocol header",
        ),
        (
            b"PROXY TCP4 1.2",
            "Truncated PROXY protocol header received",
        ),
        (
            b"PROXY TCP9 1.2.3.4 5.6.7.8 1111 80\r\n",
            "Received an unhandled protocol in the PROXY protocol header",
        ),
        (b"PROXY TCP4 1.2.3.4  5.6.7.8 1111 80\r\n", invalid),
        (b"PROXY TCP6 1.2.3.4 5.6.7.8 1111 80\r\n", invalid),
        (&header(2, 0x11, &[INET]), invalid),
        (&header(1, 0x12, &[INET]), invalid),
        (&header(1, 0x31, &[&[0; 216]]), invalid),
        (&header(1, 0x11, &[&INET[..4]]), invalid),
        (&header(1, 0x11, &[INET, &[2, 0xff, 0xff, b'x']]), invalid),
        (&header(1, 0x11, &[INET, &record(5, &[b'x'; 129])]), invalid),
        (&header(1, 0x11, &[INET, &record(2, &[b'x'; 256])]), invalid),
        (&header(1, 0x11, &[INET, &wrong_sum]), invalid),
    ];
    for (bytes, logged) in cases {
        let mut client = Client::connect(listen.address());
        client.send(bytes);
        let _ = client.stream().shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        // What was sent and not read makes some systems answer with a reset.
        let _ = client.reader.read_to_end(&mut answer);
        assert_eq!(answer, b"", "{bytes:?}");
        let line = syslog.line_with("web/1: ");
        assert!(
            line.ends_with(&format!(" web/1: {logged}")),
            "{bytes:?}: {line}"
        );
    }
}

#[test]
fn a_rule_may_ask_for_the_header() {
    let listen = Port::reserve();
    let config = format!(
        "
frontend web
    mode http{LONG_TIMEOUTS}
    bind :::{listen} v4v6
    tcp-request connection expect-proxy layer4 if {{ src -m ip 127.0.0.0/8 }}
    {TELL}
"
    );
    let _proxy = Proxy::start(1, &config);
    let mut client = Client::connect(listen.address());
    client
        .send("PROXY TCP4 1.2.3.4 5.6.7.8 1111 80\r\n")
        .send(REQUEST);
    assert!(client.response().text().starts_with("1.2.3.4:1111 "));
    let mut client = Client::connect(format!("[::1]:{listen}").parse().unwrap());
    client.send(REQUEST);
    assert!(client.response().text().starts_with("::1:"));
}

/// A proxy that tells the server, which is the proxy again, and that answers what it was told.
fn chain(front: &Port, tls: &str, back: &Port, words: &str) -> String {
    format!(
        "
frontend front
    mode http{LONG_TIMEOUTS}
    unique-id-format ID-%[path]
    bind 127.0.0.1:{front} {tls}
    default_backend told
backend told
    mode http{LONG_TIMEOUTS}
    server s1 127.0.0.1:{back} {words}
frontend receives
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{back} accept-proxy
    {TELL}
"
    )
}

#[test]
fn servers_are_told_the_client() {
    let cases = [
        ("send-proxy", "127.0.0.1    "),
        ("send-proxy-v2", "127.0.0.1    "),
        ("send-proxy-v2 send-proxy", "127.0.0.1    "),
        (
            "send-proxy-v2 proxy-v2-options crc32c,unique-id,ssl",
            "127.0.0.1  ID-/  ",
        ),
        (
            "send-proxy-v2 set-proxy-v2-tlv-fmt(0xE0) %[src]x set-proxy-v2-tlv-fmt(2) abc",
            "127.0.0.1 abc  127.0.0.1x ",
        ),
    ];
    for (words, told) in cases {
        let (front, back) = (Port::reserve(), Port::reserve());
        let _proxy = Proxy::start(1, &chain(&front, "", &back, words));
        let mut client = Client::connect(front.address());
        let address = client.stream().local_addr().unwrap();
        client.send(REQUEST);
        let want = format!("{address} {} {told}", front.address());
        assert_eq!(client.response().text(), want, "{words}");
    }
}

#[test]
fn servers_are_told_what_tls_knew() {
    let certificate = Certificate::of(&["site.example"]);
    let (front, back) = (Port::reserve(), Port::reserve());
    let tls = format!("ssl crt {} alpn http/1.1", certificate.path().display());
    let words = "send-proxy-v2-ssl-cn proxy-v2-options authority,ssl-cipher,crc32c";
    let _proxy = Proxy::start(1, &chain(&front, &tls, &back, words));
    let mut client = certificate.connect(front.address(), "site.example");
    client.send(REQUEST);
    let told = client.response().text();
    assert!(told.contains("127.0.0.1 site.example   "), "{told}");
}

/// proxy-protocol.txt, 2.2.6: what the certificate of the listener is made of.
#[test]
fn servers_are_told_the_listener_s_certificate() {
    let certificate = Certificate::of(&["site.example"]);
    let (heads, seen) = std::sync::mpsc::channel();
    let origin = Origin::raw(move |peer| {
        use std::io::Read;
        let mut head = vec![0; 16];
        peer.reader.read_exact(&mut head)?;
        let mut rest = vec![0; usize::from(u16::from_be_bytes([head[14], head[15]]))];
        peer.reader.read_exact(&mut rest)?;
        let _ = heads.send(rest);
        peer.request()?;
        peer.send(crate::harness::ok("a"))
    });
    let listen = Port::reserve();
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{listen} ssl crt {} alpn http/1.1
    server s1 {} send-proxy-v2 proxy-v2-options cert-sig,cert-key,ssl-cipher
",
        certificate.path().display(),
        origin.address
    );
    let _proxy = Proxy::start(1, &config);
    let mut client = certificate.connect(listen.address(), "site.example");
    assert_eq!(client.send(REQUEST).response().status(), 200);
    let header = seen.recv().expect("a header");
    // One after the other, the key's first.
    let told = [record(0x25, b"EC256"), record(0x24, b"ecdsa-with-SHA256")].concat();
    let found = header.windows(told.len()).any(|bytes| bytes == told);
    assert!(found, "{}", header.escape_ascii());
}

/// The header belongs to the connection: another client's request never goes over it.
#[test]
fn connections_are_shared_under_the_same_header_only() {
    let (front, back) = (Port::reserve(), Port::reserve());
    let mut config = chain(&front, "accept-proxy", &back, "send-proxy");
    config = config.replace(
        "\nbackend told\n",
        "\nbackend told\n    http-reuse always\n",
    );
    let proxy = Proxy::start(1, &config);
    for (port, connections) in [(1000, "1"), (1000, "1"), (2000, "2"), (1000, "2")] {
        let mut client = Client::connect(front.address());
        client.send(format!("PROXY TCP4 9.9.9.9 8.8.8.8 {port} 80\r\n"));
        client.send(REQUEST);
        let told = client.response().text();
        assert!(
            told.starts_with(&format!("9.9.9.9:{port} 8.8.8.8:80 ")),
            "{told}"
        );
        assert_eq!(proxy.stat("receives", "FRONTEND", "conn_tot"), connections);
    }
}

/// `proxy-v2-options` says what a header tells, not that one is sent.
#[test]
fn options_alone_send_nothing() {
    let origin = Origin::named("a");
    let listen = Port::reserve();
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{listen}
    server s1 {} proxy-v2-options crc32c,unique-id
",
        origin.address
    );
    let _proxy = Proxy::start(1, &config);
    let mut client = Client::connect(listen.address());
    assert_eq!(client.send(REQUEST).response().status(), 200);
}

/// Manual 5.2, `check-send-proxy`: a check speaks for itself, with the header that the line asks for.
#[test]
fn checks_send_a_header_where_they_are_told_to() {
    for (words, first) in [
        ("send-proxy check", &b"PROXY TCP4 127.0.0.1 127.0.0.1 "[..]),
        ("check port PORT", b"OPTIONS / HTTP/1.0\r\n\r\n"),
        ("send-proxy check port PORT", b"OPTIONS / HTTP/1.0\r\n\r\n"),
        (
            "check port PORT check-send-proxy send-proxy",
            b"PROXY TCP4 127.0.0.1 127.0.0.1 ",
        ),
        (
            "check check-send-proxy send-proxy-v2",
            b"\r\n\r\n\0\r\nQUIT\n\x20",
        ),
    ] {
        let (heads, seen) = std::sync::mpsc::channel();
        let origin = Origin::raw(move |peer| {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"1.0\r\n\r\n") && peer.reader.read(&mut byte)? > 0 {
                head.push(byte[0]);
            }
            let _ = heads.send(head);
            peer.send(crate::harness::ok("a"))
        });
        let port = origin.address.port().to_string();
        let words = words.replace("PORT", &port);
        let config = format!(
            "
listen web
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{}
    option httpchk
    server s1 {} {words} inter 100ms
",
            Port::reserve(),
            origin.address
        );
        let _proxy = Proxy::start(1, &config);
        let head = seen.recv().expect("a check");
        assert!(head.starts_with(first), "{words}: {}", head.escape_ascii());
    }
}
