//! Certificates and TLS clients.

use super::Client;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub type TlsClient = Client<StreamOwned<ClientConnection, TcpStream>>;

/// A self-made certificate in a PEM file with its key.
pub struct Certificate {
    pub path: PathBuf,
    der: CertificateDer<'static>,
    _directory: tempfile::TempDir,
}

impl Certificate {
    pub fn of(names: &[&str]) -> Certificate {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("site.pem");
        let pem = format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem());
        std::fs::write(&path, pem).expect("written");
        Certificate {
            path,
            der: made.cert.der().clone(),
            _directory: directory,
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Connects with this server name; only this certificate is believed.
    #[track_caller]
    pub fn connect(&self, to: SocketAddr, name: &str) -> TlsClient {
        self.connect_with(to, name, rustls::ALL_VERSIONS)
    }

    #[track_caller]
    pub fn connect_with(
        &self,
        to: SocketAddr,
        name: &str,
        versions: &[&'static SupportedProtocolVersion],
    ) -> TlsClient {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).expect("a certificate");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let mut session = ClientConnection::new(Arc::new(config), name).expect("a session");
        let mut stream = Client::connect(to).reader.into_inner();
        while session.is_handshaking() {
            session.complete_io(&mut stream).expect("a handshake");
        }
        Client::over(StreamOwned::new(session, stream))
    }
}
