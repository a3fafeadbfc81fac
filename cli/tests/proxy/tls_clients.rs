//! Who asks clients for certificates, which authorities are named, and what a revocation list takes back.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SerialNumber, date_time_ymd,
};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, RootCertStore, SignatureScheme};
use tempfile::TempDir;

use crate::harness::{Certificate, Client, LONG_TIMEOUTS, Port, Proxy};

/// An authority with its file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), issuer.as_ref().pem()).expect("written");
        Authority { issuer, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A client's certificate with its key.
    fn client(&self, serial: u64) -> PathBuf {
        let mut params = CertificateParams::new(vec!["client".to_owned()]).expect("parameters");
        params.serial_number = Some(SerialNumber::from(serial));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let path = self.folder.path().join(format!("client{serial}.pem"));
        let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
        std::fs::write(&path, pem).expect("written");
        path
    }

    /// A list that takes one certificate back.
    fn revoking(&self, serial: u64) -> PathBuf {
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(2120, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: date_time_ymd(2020, 1, 1),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).expect("signed");
        let path = self.folder.path().join("crl.pem");
        std::fs::write(&path, list.pem().expect("PEM")).expect("written");
        path
    }
}

fn status(port: &Port) -> Option<u16> {
    let mut client = Client::connect(port.address());
    let answer = client.send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    answer.try_response().ok().flatten().map(|m| m.status())
}

#[test]
fn certificates_that_were_taken_back_are_refused() {
    let authority = Authority::new("clients");
    let server = Certificate::of(&["localhost"]);
    let [secure, good, revoked] = [(); 3].map(|()| Port::reserve());
    let config = format!(
        "
defaults
    mode http{LONG_TIMEOUTS}
    retries 0
frontend secure
    bind 127.0.0.1:{secure} ssl crt {} verify required ca-file {} crl-file {}
    http-request return status 200
listen good
    bind 127.0.0.1:{good}
    server s 127.0.0.1:{secure} ssl verify none crt {}
listen revoked
    bind 127.0.0.1:{revoked}
    server s 127.0.0.1:{secure} ssl verify none crt {}
",
        server.path().display(),
        authority.file().display(),
        authority.revoking(2).display(),
        authority.client(1).display(),
        authority.client(2).display(),
    );
    let _proxy = Proxy::start(1, &config);
    assert_eq!(status(&good), Some(200));
    assert_ne!(status(&revoked), Some(200));
}

/// How many authorities a listener named when it asked for a certificate.
#[derive(Debug, Default)]
struct Asked(Mutex<Option<usize>>);

impl ResolvesClientCert for Asked {
    fn resolve(&self, names: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        *self.0.lock().expect("no panic") = Some(names.len());
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn authorities_named(port: &Port, server: &Certificate) -> Option<usize> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(server.path()).expect("a certificate");
    roots.add(certificate).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let asked = Arc::new(Asked::default());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .expect("versions")
        .with_root_certificates(roots)
        .with_client_cert_resolver(asked.clone());
    let name = ServerName::try_from("localhost").expect("a name");
    let mut session = ClientConnection::new(Arc::new(config), name).expect("a session");
    let mut stream = std::net::TcpStream::connect(port.address()).expect("connected");
    while session.is_handshaking() {
        session.complete_io(&mut stream).expect("a handshake");
    }
    let named = asked.0.lock().expect("no panic");
    *named
}

#[test]
fn a_listener_names_the_authorities_that_it_believes_unless_told_not_to() {
    let [authority, other] = ["clients", "others"].map(Authority::new);
    let server = Certificate::of(&["localhost"]);
    let [names, silent, unasked, more, known] = [(); 5].map(|()| Port::reserve());
    let (crt, ca, verify) = (server.path().display(), authority.file(), other.file());
    let (ca, verify) = (ca.display(), verify.display());
    let config = format!(
        "
frontend secure
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{names} ssl crt {crt} verify optional ca-file {ca}
    bind 127.0.0.1:{silent} ssl crt {crt} verify optional ca-file {ca} no-ca-names
    bind 127.0.0.1:{unasked} ssl crt {crt}
    bind 127.0.0.1:{more} ssl crt {crt} verify required ca-file {ca} ca-verify-file {verify}
    http-request return status 200
listen known
    mode http{LONG_TIMEOUTS}
    bind 127.0.0.1:{known}
    server s 127.0.0.1:{more} ssl verify none crt {}
",
        other.client(1).display()
    );
    let _proxy = Proxy::start(1, &config);
    assert_eq!(authorities_named(&names, &server), Some(1));
    assert_eq!(authorities_named(&silent, &server), Some(0));
    assert_eq!(authorities_named(&unasked, &server), None);
    // Authorities of 'ca-verify-file' are believed and not named.
    assert_eq!(authorities_named(&more, &server), Some(1));
    assert_eq!(status(&known), Some(200));
}
