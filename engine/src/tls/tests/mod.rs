//! Sessions between our own two sides, and files good and bad.

mod files;
mod session;
mod stream;

use std::fs;
use std::path::PathBuf;

use cfgparse::model::global::TlsDefaults;
use cfgparse::model::tls::{BindTls, ServerTls, TlsVerify};
use rcgen::{CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use super::*;

/// A folder with an authority and what it signed.
struct Files {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Files {
    fn new() -> Files {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Test Authority");
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let files = Files {
            folder: TempDir::new().expect("a folder"),
            issuer,
        };
        fs::write(files.path("ca.pem"), files.issuer.pem()).expect("written");
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    /// Certificate and key for `names`, as PEM.
    fn signed(&self, names: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).expect("names");
        params
            .distinguished_name
            .push(DnType::CommonName, names[0].as_str());
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        (certificate.pem(), key.serialize_pem())
    }

    /// Writes both into one file; tells its path.
    fn pem(&self, file: &str, names: &[&str]) -> String {
        let (certificate, key) = self.signed(names);
        fs::write(self.path(file), certificate + &key).expect("written");
        self.text(file)
    }

    /// A client that verifies with this folder's authority.
    fn server(&self, tls: ServerTls) -> ServerContext {
        let tls = ServerTls {
            ca_file: Some(self.text("ca.pem")),
            ..tls
        };
        connector(&tls, TlsVerify::Required, &["http/1.1"])
    }
}

fn connector(tls: &ServerTls, verify: TlsVerify, alpn: &[&str]) -> ServerContext {
    let alpn: Vec<String> = alpn.iter().map(|name| (*name).to_owned()).collect();
    ServerContext::load(tls, &TlsDefaults::default(), verify, &alpn, &mut Vec::new())
        .expect("loads")
}

fn acceptor(tls: &BindTls, alpn: &[&str]) -> BindContext {
    let alpn: Vec<String> = alpn.iter().map(|name| (*name).to_owned()).collect();
    BindContext::load(tls, &TlsDefaults::default(), None, &alpn, &mut Vec::new()).expect("loads")
}
