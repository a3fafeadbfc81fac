//! TLS words of `bind` and `server` lines, each seen by what the two ends agree on.

use crate::harness::{Certificate, Client, LONG_TIMEOUTS, Port, Proxy};

/// Words of the `bind` line, words of the `server` line, and what the listener sees of a connection:
/// `None` where the two can't agree.
const AGREEMENTS: &[(&str, &str, Option<&str>)] = &[
    ("", "", Some("TLSv1.3")),
    ("", "force-tlsv12", Some("TLSv1.2")),
    ("", "ssl-max-ver TLSv1.2", Some("TLSv1.2")),
    ("", "no-tlsv13", Some("TLSv1.2")),
    ("", "no-tlsv12", Some("TLSv1.3")),
    ("ssl-max-ver TLSv1.2", "", Some("TLSv1.2")),
    ("ssl-min-ver TLSv1.3", "ssl-max-ver TLSv1.2", None),
    ("force-tlsv12", "force-tlsv13", None),
    (
        "no-tlsv13 ciphers ECDHE-ECDSA-AES128-GCM-SHA256",
        "",
        Some("TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256"),
    ),
    (
        "",
        "no-tlsv13 ciphers ECDHE-ECDSA-AES256-GCM-SHA384",
        Some("TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384"),
    ),
    (
        "no-tlsv13 ciphers ECDHE-ECDSA-AES128-GCM-SHA256",
        "ciphers ECDHE-ECDSA-AES256-GCM-SHA384",
        None,
    ),
    (
        "ciphersuites TLS_AES_128_GCM_SHA256",
        "",
        Some("TLSv1.3 TLS_AES_128_GCM_SHA256"),
    ),
    (
        "",
        "ciphersuites TLS_CHACHA20_POLY1305_SHA256",
        Some("TLSv1.3 TLS_CHACHA20_POLY1305_SHA256"),
    ),
    (
        "no-tlsv12 ciphersuites TLS_AES_128_GCM_SHA256",
        "ciphersuites TLS_AES_256_GCM_SHA384",
        None,
    ),
    ("curves P-384", "", Some("TLSv1.3")),
    ("curves P-384", "curves P-384", Some("TLSv1.3")),
    ("curves P-384", "curves X25519", None),
    ("ecdhe P-384", "curves P-384", Some("TLSv1.3")),
    ("ecdhe P-384", "curves X25519", None),
    // Whose order counts where both have both.
    (
        "no-tlsv13 ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
        "ciphers ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
        Some("TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256"),
    ),
    (
        "prefer-client-ciphers no-tlsv13 ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
        "ciphers ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
        Some("TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384"),
    ),
];

fn get(port: &Port) -> (u16, String) {
    let mut client = Client::connect(port.address());
    let answer = client
        .send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .response();
    (answer.status(), answer.text())
}

#[test]
fn both_ends_agree_on_what_their_words_allow() {
    let certificate = Certificate::of(&["localhost"]);
    let crt = certificate.path().display();
    let mut config = format!("defaults\n mode http{LONG_TIMEOUTS}\n retries 0\n");
    let ports: Vec<(Port, Port)> = AGREEMENTS
        .iter()
        .map(|_| (Port::reserve(), Port::reserve()))
        .collect();
    for (n, ((bind, server, _), (plain, secure))) in AGREEMENTS.iter().zip(&ports).enumerate() {
        config.push_str(&[
            format!("frontend secure{n}\n bind 127.0.0.1:{secure} ssl crt {crt} {bind}\n"),
            " http-request return status 200 content-type text/plain lf-string \"%[ssl_fc_protocol] %[ssl_fc_cipher]\"\n".to_owned(),
            format!("listen plain{n}\n bind 127.0.0.1:{plain}\n"),
            format!(" server s 127.0.0.1:{secure} ssl verify none {server}\n"),
        ].concat());
    }
    let _proxy = Proxy::start(1, &config);
    for ((bind, server, wanted), (plain, _)) in AGREEMENTS.iter().zip(&ports) {
        let (status, text) = get(plain);
        let case = format!("bind '{bind}', server '{server}': {status} {text}");
        match wanted {
            Some(wanted) => assert!(status == 200 && text.starts_with(wanted), "{case}"),
            None => assert_eq!(status, 503, "{case}"),
        }
    }
}

#[test]
fn a_server_has_the_name_that_verifyhost_says() {
    let certificate = Certificate::of(&["inside.test"]);
    let crt = certificate.path().display();
    let [secure, right, wrong] = [(); 3].map(|()| Port::reserve());
    let config = format!(
        "
defaults
    mode http{LONG_TIMEOUTS}
    retries 0
frontend secure
    bind 127.0.0.1:{secure} ssl crt {crt}
    http-request return status 200
# Without HTTP no name comes from the request.
listen right
    mode tcp
    bind 127.0.0.1:{right}
    server s 127.0.0.1:{secure} ssl verify required ca-file {crt} verifyhost inside.test
listen wrong
    mode tcp
    bind 127.0.0.1:{wrong}
    server s 127.0.0.1:{secure} ssl verify required ca-file {crt} verifyhost outside.test
"
    );
    let _proxy = Proxy::start(1, &config);
    assert_eq!(get(&right).0, 200);
    let mut client = Client::connect(wrong.address());
    let answer = client
        .send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .try_response();
    assert!(!matches!(answer, Ok(Some(_))), "{answer:?}");
}

#[test]
fn sessions_are_resumed_unless_a_line_forbids_it() {
    let certificate = Certificate::of(&["localhost"]);
    let crt = certificate.path().display();
    let [secure, again, never] = [(); 3].map(|()| Port::reserve());
    let config = format!(
        "
defaults
    mode http{LONG_TIMEOUTS}
    http-reuse never
    option httpclose
frontend secure
    bind 127.0.0.1:{secure} ssl crt {crt}
    http-request return status 200 content-type text/plain lf-string %[ssl_fc_is_resumed]
listen again
    bind 127.0.0.1:{again}
    server s 127.0.0.1:{secure} ssl verify none
listen never
    bind 127.0.0.1:{never}
    server s 127.0.0.1:{secure} ssl verify none no-ssl-reuse
"
    );
    let _proxy = Proxy::start(1, &config);
    assert_eq!(get(&again).1, "0", "the first connection");
    assert_eq!(get(&again).1, "1", "the next one");
    for _ in 0..2 {
        assert_eq!(get(&never).1, "0", "no-ssl-reuse");
    }
}

#[test]
fn names_without_a_certificate_get_the_default_one() {
    let [first, default] = [
        &["first.test", "strange.test"],
        &["default.test", "strange.test"],
    ]
    .map(|names| Certificate::of(names));
    let secure = Port::reserve();
    // Filters keep `strange.test` from being anybody's name.
    let folder = tempfile::tempdir().expect("a directory");
    let list = folder.path().join("list.txt");
    let text = format!("{} first.test\n", first.path().display());
    std::fs::write(&list, text).expect("written");
    let config = format!(
        "
frontend secure
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{secure} ssl default-crt {} crt-list {}
    http-request return status 200
",
        default.path().display(),
        list.display(),
    );
    let _proxy = Proxy::start(1, &config);
    for (certificate, name) in [(&first, "first.test"), (&default, "strange.test")] {
        let mut client = certificate.connect(secure.address(), name);
        assert_eq!(client.get("/").status(), 200, "{name}");
    }
}
