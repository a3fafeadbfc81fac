//! Sessions in memory.

use cfgparse::model::tls::{BindTls, ServerTls, TlsVerify, TlsVersion, TlsVersions};

use super::{Files, acceptor, connector};
use crate::tls::*;

/// Both ends of a connection whose wire is two buffers.
struct Pair {
    client: TlsSession,
    server: TlsSession,
    to_client: Vec<u8>,
    to_server: Vec<u8>,
    client_got: Vec<u8>,
    server_got: Vec<u8>,
}

impl Pair {
    fn new(client: &ServerContext, server: &BindContext, sni: Option<&str>) -> Pair {
        Pair {
            client: client.session(sni).expect("a session"),
            server: server.session().expect("a session"),
            to_client: Vec::new(),
            to_server: Vec::new(),
            client_got: Vec::new(),
            server_got: Vec::new(),
        }
    }

    /// Carries bytes until neither side has any; tells how each stands.
    fn settle(&mut self) -> Result<(Progress, Progress), TlsError> {
        let mut scratch = Scratch::default();
        loop {
            let mut out = Vec::new();
            let incoming = std::mem::take(&mut self.to_client);
            let client = self
                .client
                .feed(&incoming, &mut scratch, &mut out, &mut self.client_got);
            self.to_server.append(&mut out);
            let client = client?;
            let incoming = std::mem::take(&mut self.to_server);
            let server = self
                .server
                .feed(&incoming, &mut scratch, &mut out, &mut self.server_got);
            let quiet = out.is_empty();
            self.to_client.append(&mut out);
            let server = server?;
            if quiet {
                return Ok((client, server));
            }
        }
    }
}

fn agreed(pair: &mut Pair) -> (TlsInfo, TlsInfo) {
    let (client, server) = pair.settle().expect("a handshake");
    assert!(client.handshake_done && server.handshake_done);
    (
        pair.client.info().expect("done"),
        pair.server.info().expect("done"),
    )
}

fn only(version: TlsVersion) -> TlsVersions {
    TlsVersions {
        min: Some(version),
        max: Some(version),
        excluded: 0,
    }
}

#[test]
fn both_versions_carry_data_both_ways() {
    let files = Files::new();
    let crt = vec![files.pem("a.pem", &["a.test"])];
    let server = acceptor(
        &BindTls {
            crt,
            ..BindTls::default()
        },
        &["h2", "http/1.1"],
    );
    for (version, name) in [
        (TlsVersion::Tls12, "TLSv1.2"),
        (TlsVersion::Tls13, "TLSv1.3"),
    ] {
        let client = files.server(ServerTls {
            versions: only(version),
            ..ServerTls::default()
        });
        let mut pair = Pair::new(&client, &server, Some("a.test"));
        assert!(pair.client.info().is_none());
        let (client_info, server_info) = agreed(&mut pair);
        assert_eq!((client_info.version, server_info.version), (name, name));
        assert_eq!(client_info.cipher, server_info.cipher);
        assert_eq!(server_info.cipher_bits, 256);
        assert_eq!(server_info.curve, "X25519");
        assert!(
            ["TLS_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"]
                .contains(&client_info.cipher)
        );
        assert_eq!(server_info.alpn.as_deref(), Some(&b"http/1.1"[..]));
        assert_eq!(server_info.sni.as_deref(), Some("a.test"));
        assert!(client_info.peer_certificate.is_some() && server_info.peer_certificate.is_none());

        let large: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        pair.client
            .encrypt(b"hello", &mut pair.to_server)
            .expect("sent");
        pair.server
            .encrypt(&large, &mut pair.to_client)
            .expect("sent");
        pair.settle().expect("no error");
        assert_eq!(pair.server_got, b"hello");
        assert!(pair.client_got == large);

        pair.client.close_notify(&mut pair.to_server);
        let (_, server_side) = pair.settle().expect("no error");
        assert!(server_side.peer_closed);
        pair.server
            .encrypt(b"late", &mut pair.to_client)
            .expect("our direction is still open");
        pair.settle().expect("no error");
        assert!(pair.client_got.ends_with(b"late"));
    }
}

#[test]
fn single_bytes_are_as_good_as_records() {
    let files = Files::new();
    let crt = vec![files.pem("a.pem", &["a.test"])];
    let server = acceptor(
        &BindTls {
            crt,
            ..BindTls::default()
        },
        &[],
    );
    let client = connector(&ServerTls::default(), TlsVerify::None, &[]);
    let mut pair = Pair::new(&client, &server, Some("a.test"));
    pair.client
        .encrypt(b"early", &mut Vec::new())
        .expect_err("nothing before the handshake");
    let mut scratch = Scratch::default();
    let (mut up, mut down) = (Vec::new(), Vec::new());
    let mut done = (false, false);
    for _ in 0..4 {
        for byte in std::mem::take(&mut down) {
            let side = &mut pair.client;
            let got = &mut pair.client_got;
            done.0 |= side
                .feed(&[byte], &mut scratch, &mut up, got)
                .expect("ok")
                .handshake_done;
        }
        pair.client
            .feed(&[], &mut scratch, &mut up, &mut pair.client_got)
            .expect("ok");
        if done.0 {
            // Between two halves of a record of the peer's, our own records may go out.
            pair.client.encrypt(b"x", &mut up).expect("sent");
        }
        for byte in std::mem::take(&mut up) {
            let side = &mut pair.server;
            let got = &mut pair.server_got;
            done.1 |= side
                .feed(&[byte], &mut scratch, &mut down, got)
                .expect("ok")
                .handshake_done;
            if done.1 {
                side.encrypt(b"y", &mut down).expect("sent");
            }
        }
    }
    assert_eq!(done, (true, true));
    assert_eq!(
        pair.server.info().and_then(|info| info.sni).as_deref(),
        Some("a.test")
    );
    assert!(!pair.server_got.is_empty() && pair.server_got.iter().all(|byte| *byte == b'x'));
    assert!(!pair.client_got.is_empty() && pair.client_got.iter().all(|byte| *byte == b'y'));
}

/// The first name of the certificate that the server shows to a client that asks for `sni`.
fn shown(files: &Files, server: &BindContext, sni: Option<&str>) -> Result<String, TlsError> {
    let client = connector(&ServerTls::default(), TlsVerify::None, &[]);
    let mut pair = Pair::new(&client, server, sni);
    pair.settle()?;
    let der = pair
        .client
        .info()
        .and_then(|info| info.peer_certificate)
        .expect("a certificate");
    for file in ["a.pem", "b.pem", "w.pem"] {
        let identity = cert::load_file(
            &files.path(file),
            None,
            &rustls::crypto::aws_lc_rs::default_provider(),
        )
        .expect("loads");
        if identity.key.end_entity_cert().expect("a leaf").as_ref() == der {
            return Ok(identity.names[0].clone());
        }
    }
    panic!("an unknown certificate")
}

#[test]
fn certificates_by_name_exact_then_wildcard_then_default() {
    let files = Files::new();
    let crt = vec![
        files.pem("a.pem", &["a.test"]),
        files.pem("w.pem", &["*.example.test"]),
        files.pem("b.pem", &["b.example.test", "b.test"]),
    ];
    let server = acceptor(
        &BindTls {
            crt: crt.clone(),
            ..BindTls::default()
        },
        &[],
    );
    for (sni, name) in [
        (Some("a.test"), "a.test"),
        (Some("B.Test"), "b.example.test"),
        (Some("b.example.test"), "b.example.test"),
        (Some("c.example.test"), "*.example.test"),
        (Some("d.c.example.test"), "a.test"),
        (Some("unknown.test"), "a.test"),
        (Some("192.0.2.1"), "a.test"),
        (None, "a.test"),
    ] {
        assert_eq!(shown(&files, &server, sni).as_deref(), Ok(name), "{sni:?}");
    }
    let strict = acceptor(
        &BindTls {
            crt: crt.clone(),
            strict_sni: Some(true),
            ..BindTls::default()
        },
        &[],
    );
    assert!(shown(&files, &strict, Some("unknown.test")).is_err());
    assert_eq!(
        shown(&files, &strict, Some("b.test")).as_deref(),
        Ok("b.example.test")
    );
    let default = BindTls {
        default_crt: vec![crt[2].clone()],
        crt,
        ..BindTls::default()
    };
    let default = acceptor(&default, &[]);
    assert_eq!(
        shown(&files, &default, None).as_deref(),
        Ok("b.example.test")
    );
}

#[test]
fn servers_are_verified_as_the_manual_says() {
    let files = Files::new();
    let crt = vec![files.pem("a.pem", &["a.test"])];
    let server = acceptor(
        &BindTls {
            crt,
            ..BindTls::default()
        },
        &[],
    );
    let verdict =
        |client: &ServerContext, sni| Pair::new(client, &server, sni).settle().map(|_| ());
    let plain = files.server(ServerTls::default());
    assert_eq!(verdict(&plain, Some("a.test")), Ok(()));
    assert_eq!(
        verdict(&plain, None),
        Ok(()),
        "without SNI and verifyhost any name will do"
    );
    assert!(matches!(
        verdict(&plain, Some("b.test")),
        Err(TlsError::Certificate(_))
    ));
    let host = |name: &str| {
        files.server(ServerTls {
            verifyhost: Some(name.to_owned()),
            ..ServerTls::default()
        })
    };
    assert_eq!(verdict(&host("a.test"), None), Ok(()));
    assert!(verdict(&host("b.test"), None).is_err());
    assert_eq!(
        verdict(&host("b.test"), Some("a.test")),
        Ok(()),
        "SNI comes first"
    );

    let others = Files::new();
    assert!(verdict(&others.server(ServerTls::default()), Some("a.test")).is_err());
    let anyone = connector(&ServerTls::default(), TlsVerify::None, &[]);
    assert_eq!(verdict(&anyone, Some("b.test")), Ok(()));
}

#[test]
fn clients_are_verified_when_asked_for() {
    let files = Files::new();
    let crt = vec![files.pem("a.pem", &["a.test"])];
    let bind = |verify| {
        let ca_file = Some(files.text("ca.pem"));
        acceptor(
            &BindTls {
                crt: crt.clone(),
                verify: Some(verify),
                ca_file,
                ..BindTls::default()
            },
            &[],
        )
    };
    let with = files.server(ServerTls {
        crt: Some(files.pem("client.pem", &["me"])),
        ..ServerTls::default()
    });
    let without = files.server(ServerTls::default());
    let own = Files::new();
    let foreign = files.server(ServerTls {
        crt: Some(own.pem("client.pem", &["me"])),
        ..ServerTls::default()
    });
    let certified = |client: &ServerContext, verify| {
        let mut pair = Pair::new(client, &bind(verify), Some("a.test"));
        pair.settle()?;
        Ok(pair
            .server
            .info()
            .and_then(|info| info.peer_certificate)
            .is_some())
    };
    assert_eq!(certified(&with, TlsVerify::Required), Ok(true));
    assert!(certified(&without, TlsVerify::Required).is_err_and(is_certificate));
    assert!(certified(&foreign, TlsVerify::Required).is_err_and(is_certificate));
    assert_eq!(certified(&with, TlsVerify::Optional), Ok(true));
    assert_eq!(certified(&without, TlsVerify::Optional), Ok(false));
    assert_eq!(certified(&with, TlsVerify::None), Ok(false));
}

#[expect(clippy::needless_pass_by_value, reason = "for is_err_and")]
fn is_certificate(error: TlsError) -> bool {
    matches!(error, TlsError::Certificate(_))
}

#[test]
fn sessions_are_resumed_by_ticket() {
    let files = Files::new();
    let crt = vec![files.pem("a.pem", &["a.test"])];
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let resumed = |no_tls_tickets, no_ssl_reuse| {
            let tls = BindTls {
                crt: crt.clone(),
                no_tls_tickets,
                ..BindTls::default()
            };
            let server = acceptor(&tls, &[]);
            let versions = only(version);
            let client = files.server(ServerTls {
                versions,
                no_ssl_reuse,
                ..ServerTls::default()
            });
            let first = agreed(&mut Pair::new(&client, &server, Some("a.test")))
                .1
                .resumed;
            let info = agreed(&mut Pair::new(&client, &server, Some("a.test"))).1;
            assert_eq!(info.sni.as_deref(), Some("a.test"));
            (first, info.resumed)
        };
        assert_eq!(resumed(false, false), (false, true), "{version:?}");
        assert_eq!(resumed(true, false), (false, false), "{version:?}");
        assert_eq!(resumed(false, true), (false, false), "{version:?}");
    }
}

/// rustls itself resumes such a session, and believes the certificate that the ticket remembers.
#[test]
fn a_ticket_is_worth_nothing_where_clients_are_verified_otherwise() {
    let files = Files::new();
    let crt = vec![files.pem("a.pem", &["a.test"])];
    let open = acceptor(
        &BindTls {
            crt: crt.clone(),
            ..BindTls::default()
        },
        &[],
    );
    let ca_file = Some(files.text("ca.pem"));
    let verify = Some(TlsVerify::Required);
    let closed = acceptor(
        &BindTls {
            crt,
            verify,
            ca_file,
            ..BindTls::default()
        },
        &[],
    );
    let stranger = files.server(ServerTls::default());
    agreed(&mut Pair::new(&stranger, &open, Some("a.test")));
    assert!(
        agreed(&mut Pair::new(&stranger, &open, Some("a.test")))
            .1
            .resumed
    );
    let verdict = Pair::new(&stranger, &closed, Some("a.test")).settle();
    assert!(verdict.is_err_and(is_certificate));
}

#[test]
fn what_is_no_tls_is_answered_with_an_alert() {
    let files = Files::new();
    let crt = vec![files.pem("a.pem", &["a.test"])];
    let server = acceptor(
        &BindTls {
            crt,
            ..BindTls::default()
        },
        &[],
    );
    let mut session = server.session().expect("a session");
    let mut cipher = Vec::new();
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let verdict = session.feed(
        request,
        &mut Scratch::default(),
        &mut cipher,
        &mut Vec::new(),
    );
    assert!(matches!(verdict, Err(TlsError::Protocol(_))), "{verdict:?}");
    assert_eq!(cipher.first(), Some(&21), "an alert record");

    let tls12 = BindTls {
        crt: vec![files.text("a.pem")],
        versions: only(TlsVersion::Tls12),
        ..BindTls::default()
    };
    let old = acceptor(&tls12, &[]);
    let new = files.server(ServerTls {
        versions: only(TlsVersion::Tls13),
        ..ServerTls::default()
    });
    let mut pair = Pair::new(&new, &old, None);
    assert!(matches!(pair.settle(), Err(TlsError::NoAgreement(_))));
    assert!(
        matches!(pair.settle(), Err(TlsError::Alert(_))),
        "the other side is told why"
    );
}
