//! TLS parameters of `bind` and `server` lines: lists of certificates, versions, who is believed.

use crate::harness::{Certificate, Client, LONG_TIMEOUTS, Origin, Port, Proxy, run};
use rustls::version::{TLS12, TLS13};

/// An answer of `/`, asked for under the host name `localhost`.
fn ask(port: &Port) -> u16 {
    let mut client = Client::connect(port.address());
    client
        .send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .response()
        .status()
}

#[test]
fn a_list_says_which_names_a_certificate_is_for() {
    let https = Port::reserve();
    let origin = Origin::named("web");
    // The names in the certificates are those that the clients believe; the list's filters replace them.
    let [first, second, third] = [
        &["first.test", "www.wild.test", "unknown.test"][..],
        &["second.test", "a.wild.test", "renamed.test"],
        &["third.test"],
    ]
    .map(Certificate::of);
    let folder = tempfile::tempdir().expect("a directory");
    let list = folder.path().join("list.txt");
    let text = format!(
        "# which for whom\n{} [] first.test\n\n{} *.wild.test !www.wild.test renamed.test\n{}\n",
        first.path().display(),
        second.path().display(),
        third.path().display()
    );
    std::fs::write(&list, text).expect("written");
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{https} ssl crt-list {}
    server s1 {}
",
        list.display(),
        origin.address
    );
    let _proxy = Proxy::start(1, &config);
    for (certificate, name) in [
        (&first, "first.test"),
        (&second, "a.wild.test"),
        (&second, "renamed.test"),
        (&third, "third.test"),
        // Names that no line is for, or that one is not for, get the first certificate.
        (&first, "www.wild.test"),
        (&first, "unknown.test"),
    ] {
        let mut client = certificate.connect(https.address(), name);
        assert_eq!(client.get("/").status(), 200, "{name}");
    }
}

#[test]
fn a_line_allows_the_versions_that_it_says() {
    let (old, new) = (Port::reserve(), Port::reserve());
    let origin = Origin::named("web");
    let certificate = Certificate::of(&["localhost"]);
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{old} ssl crt {crt} no-tlsv13 ciphers ECDHE-ECDSA-AES128-GCM-SHA256 no-tls-tickets
    bind *:{new} ssl crt {crt} force-tlsv13 curves X25519
    http-request return status 200 content-type text/plain lf-string %[ssl_fc_protocol]
    server s1 {}
",
        origin.address,
        crt = certificate.path().display(),
    );
    let _proxy = Proxy::start(1, &config);
    for (port, name) in [(&old, "TLSv1.2"), (&new, "TLSv1.3")] {
        let mut client = certificate.connect_with(port.address(), "localhost", &[&TLS12, &TLS13]);
        let answer = client.get("/");
        assert_eq!((answer.status(), answer.text().as_str()), (200, name));
    }
}

#[test]
fn servers_are_believed_by_their_authority_only() {
    let (known, strange, anyone, plain) = (
        Port::reserve(),
        Port::reserve(),
        Port::reserve(),
        Port::reserve(),
    );
    let origin = Origin::named("web");
    let [certificate, other] = [&["localhost"], &["localhost"]].map(|names| Certificate::of(names));
    let config = format!(
        "
defaults
    mode http{LONG_TIMEOUTS}
    retries 0
listen behind
    bind 127.0.0.1:{plain} ssl crt {crt}
    server s1 {origin}
listen known
    bind *:{known}
    server s1 127.0.0.1:{plain} ssl verify required ca-file {crt}
listen strange
    bind *:{strange}
    server s1 127.0.0.1:{plain} ssl verify required ca-file {other}
listen anyone
    bind *:{anyone}
    server s1 127.0.0.1:{plain} ssl verify none
",
        origin = origin.address,
        crt = certificate.path().display(),
        other = other.path().display(),
    );
    let _proxy = Proxy::start(2, &config);
    assert_eq!(ask(&known), 200);
    assert_eq!(ask(&strange), 503);
    assert_eq!(ask(&anyone), 200);
}

#[test]
fn clients_show_the_certificate_that_a_line_requires() {
    let (with, without, secure) = (Port::reserve(), Port::reserve(), Port::reserve());
    let origin = Origin::named("web");
    let [server, client] = [&["localhost"], &["client"]].map(|names| Certificate::of(names));
    let config = format!(
        "
defaults
    mode http{LONG_TIMEOUTS}
    retries 0
listen behind
    bind 127.0.0.1:{secure} ssl crt {server} verify required ca-file {client}
    server s1 {origin}
listen with
    bind *:{with}
    server s1 127.0.0.1:{secure} ssl verify none crt {client}
listen without
    bind *:{without}
    server s1 127.0.0.1:{secure} ssl verify none
",
        origin = origin.address,
        server = server.path().display(),
        client = client.path().display(),
    );
    let _proxy = Proxy::start(1, &config);
    assert_eq!(ask(&with), 200);
    assert_ne!(ask(&without), 200);
}

#[test]
fn what_a_line_can_not_do_is_said() {
    let certificate = Certificate::of(&["localhost"]);
    let folder = tempfile::tempdir().expect("a directory");
    let check = |list: &str, bind: &str| {
        let written = folder.path().join("list.txt");
        std::fs::write(&written, list).expect("written");
        let bind = bind.replace("LIST", &written.display().to_string());
        let config = folder.path().join("a.cfg");
        let text = format!(
            "frontend f\n mode http\n timeout client 1s\n bind 127.0.0.1:1 ssl {bind}\n http-request deny\n"
        );
        std::fs::write(&config, text).expect("written");
        let (status, output) = run(&["-c", "-f", &config.display().to_string()]);
        (status.success(), output)
    };
    let crt = certificate.path().display().to_string();
    let (valid, said) = check("", &format!("crt {crt} alpn h2,http/1.1"));
    assert!(
        valid && said.contains("[WARNING]") && said.contains("HTTP/2"),
        "{said}"
    );
    let (valid, said) = check(
        &format!("{crt} [verify required] a.test\n"),
        "crt-list LIST",
    );
    assert!(
        !valid && said.contains("line 1") && said.contains("'verify'"),
        "{said}"
    );
    let (valid, said) = check("/nonexistent/x.pem\n", "crt-list LIST");
    assert!(!valid && said.contains("/nonexistent/x.pem"), "{said}");
    for refused in [
        "allow-0rtt",
        "generate-certificates",
        "tls-ticket-keys /dev/null",
        "sigalgs RSA+SHA256",
        "client-sigalgs RSA+SHA256",
        "crt-ignore-err all",
        "ca-ignore-err all",
    ] {
        let (valid, said) = check("", &format!("crt {crt} {refused}"));
        assert!(
            !valid && said.contains("not supported yet"),
            "{refused}: {said}"
        );
    }
}

#[test]
fn unknown_names_are_turned_away_where_a_line_is_strict() {
    let https = Port::reserve();
    let origin = Origin::named("web");
    let certificate = Certificate::of(&["known.test", "localhost"]);
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{https} ssl crt {} strict-sni
    server s1 {}
",
        certificate.path().display(),
        origin.address
    );
    let _proxy = Proxy::start(1, &config);
    let mut client = certificate.connect(https.address(), "known.test");
    assert_eq!(client.get("/").status(), 200);
    let other = Certificate::of(&["other.test"]);
    let stranger = std::panic::catch_unwind(|| other.connect(https.address(), "other.test"));
    assert!(stranger.is_err());
}
