//! Why TLS cannot be set up, or a session cannot go on.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// A TLS parameter of the configuration that cannot be used: where, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SetupError {
    /// A file that is missing, unreadable or of the wrong content.
    #[error("'{}': {cause}; {remedy}", file.display())]
    File {
        /// The file or folder.
        file: PathBuf,
        /// What is wrong with it.
        cause: String,
        /// What helps.
        remedy: &'static str,
    },
    /// A parameter whose value asks for what cannot be done.
    #[error("'{keyword} {value}': {cause}; {remedy}")]
    Parameter {
        /// The keyword as written in the configuration.
        keyword: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        cause: String,
        /// What helps.
        remedy: &'static str,
    },
}

impl SetupError {
    pub(super) fn file(file: &Path, cause: impl Into<String>, remedy: &'static str) -> SetupError {
        SetupError::File {
            file: file.to_owned(),
            cause: cause.into(),
            remedy,
        }
    }

    pub(super) fn parameter(
        keyword: &'static str,
        value: &str,
        cause: impl Into<String>,
        remedy: &'static str,
    ) -> SetupError {
        let value = value.to_owned();
        SetupError::Parameter {
            keyword,
            value,
            cause: cause.into(),
            remedy,
        }
    }
}

/// Why a session ended against the rules.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TlsError {
    /// The peer refused with an alert.
    #[error("the peer sent the alert {0}")]
    Alert(String),
    /// The peer's certificate is not accepted.
    #[error("certificate refused: {0}")]
    Certificate(String),
    /// No certificate of ours fits, or nothing both sides offer.
    #[error("no agreement: {0}")]
    NoAgreement(String),
    /// The peer broke the protocol, or does not speak it.
    #[error("handshake or record failure: {0}")]
    Protocol(String),
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> TlsError {
        match &error {
            rustls::Error::AlertReceived(alert) => TlsError::Alert(format!("{alert:?}")),
            rustls::Error::InvalidCertificate(_)
            | rustls::Error::NoCertificatesPresented
            | rustls::Error::InvalidCertRevocationList(_) => {
                TlsError::Certificate(error.to_string())
            }
            rustls::Error::PeerIncompatible(_) | rustls::Error::NoApplicationProtocol => {
                TlsError::NoAgreement(error.to_string())
            }
            _ => TlsError::Protocol(error.to_string()),
        }
    }
}
