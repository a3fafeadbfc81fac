//! Certificates, keys and authorities from files.

use std::fs;
use std::path::Path;

use cfgparse::model::global::TlsDefaults;
use cfgparse::model::tls::{BindTls, ServerTls, TlsVerify};

use super::{Files, acceptor};
use crate::tls::*;

/// The message with which a `bind` line with this certificate is refused.
fn refusal(files: &Files, crt: &str) -> String {
    let tls = BindTls {
        crt: vec![files.text(crt)],
        ..BindTls::default()
    };
    BindContext::load(&tls, &TlsDefaults::default(), None, &[], &mut Vec::new())
        .expect_err("refused")
        .to_string()
}

#[test]
fn keys_and_certificates_are_found_where_the_manual_says() {
    let files = Files::new();
    let (certificate, key) = files.signed(&["a.test"]);
    let write = |name: &str, text: &str| fs::write(files.path(name), text).expect("written");
    let loads = |crt: &str| {
        let tls = BindTls {
            crt: vec![files.text(crt)],
            ..BindTls::default()
        };
        acceptor(&tls, &[]);
    };
    write("apart.pem", &certificate);
    write("apart.pem.key", &key);
    loads("apart.pem");
    write("bundle.pem.ecdsa", &format!("{key}{certificate}"));
    loads("bundle.pem");
    fs::create_dir(files.path("folder")).expect("a folder");
    let refused = refusal(&files, "folder");
    assert!(refused.contains("no certificate"), "{refused}");
    write("folder/b.pem", &format!("{certificate}{key}"));
    write("folder/.hidden", "not PEM at all");
    write("folder/b.pem.ocsp", "");
    loads("folder");
    let strict = BindTls {
        strict_sni: Some(true),
        ..BindTls::default()
    };
    acceptor(&strict, &[]);
}

#[test]
fn unusable_files_are_told_with_cause_and_remedy() {
    let files = Files::new();
    let (certificate, _) = files.signed(&["a.test"]);
    let (_, other_key) = files.signed(&["a.test"]);
    let write = |name: &str, text: &str| fs::write(files.path(name), text).expect("written");
    write("lonely.pem", &certificate);
    write("mixed.pem", &(certificate.clone() + &other_key));
    write("key.pem", &other_key);
    write("text.pem", "hello");
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    write("locked.pem", &(certificate + encrypted));
    for (file, words) in [
        ("missing.pem", ["No such file", "check the path"]),
        ("lonely.pem", ["no private key", "ending .key"]),
        (
            "mixed.pem",
            ["does not belong", "certificate of this key first"],
        ),
        (
            "key.pem",
            ["no certificate in this file", "BEGIN CERTIFICATE"],
        ),
        (
            "text.pem",
            ["no certificate in this file", "BEGIN CERTIFICATE"],
        ),
        ("locked.pem", ["encrypted", "openssl pkey"]),
    ] {
        let message = refusal(&files, file);
        for word in [&[file][..], &words].concat() {
            assert!(message.contains(word), "{message:?} lacks {word:?}");
        }
    }
    let unverified = ServerTls::default();
    let refused = ServerContext::load(
        &unverified,
        &TlsDefaults::default(),
        TlsVerify::Required,
        &[],
        &mut Vec::new(),
    );
    assert!(refused.is_err_and(|error| error.to_string().contains("ca-file")));
    assert!(cert::authorities(&files.text("key.pem")).is_err());
    assert!(cert::revocations(Path::new(&files.text("ca.pem"))).is_err());
}
