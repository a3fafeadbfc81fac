//! Certificates, keys and authorities from PEM files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{PemObject, SectionKind};
use rustls_pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, PrivatePkcs1KeyDer,
    PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::error::SetupError;

/// A certificate with its key, and the names it is for in lower case.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub key: Arc<CertifiedKey>,
    /// Subject alternative names of DNS kind, and the common name, as HAProxy does.
    pub names: Vec<String>,
    /// Names that one of `names` would match and that it is not for (`crt-list`).
    pub excluded: Vec<String>,
}

/// Where the authorities of the machine are kept, Debian's and Red Hat's places.
const SYSTEM_CA_FILES: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

/// Endings of files that stand beside a certificate and are none (manual, `crt`).
const RESERVED_ENDINGS: [&str; 4] = ["key", "issuer", "ocsp", "sctl"];

/// Endings of a bundle: one certificate for each kind of key (manual, `ssl-load-extra-files`).
const BUNDLE_ENDINGS: [&str; 3] = ["ecdsa", "rsa", "dsa"];

/// Loads what `crt PATH` names: a PEM file, a bundle `PATH.rsa` and so on, or a folder of files in
/// alphabetic order.
pub(super) fn load(path: &Path, provider: &CryptoProvider) -> Result<Vec<Identity>, SetupError> {
    if path.is_dir() {
        let files = pem_files(path, |ending| !RESERVED_ENDINGS.contains(&ending))?;
        return files
            .iter()
            .map(|file| load_file(file, None, provider))
            .collect();
    }
    if !path.exists() {
        let bundle: Vec<PathBuf> = BUNDLE_ENDINGS
            .iter()
            .map(|ending| with_ending(path, ending))
            .filter(|file| file.exists())
            .collect();
        if !bundle.is_empty() {
            return bundle
                .iter()
                .map(|file| load_file(file, None, provider))
                .collect();
        }
    }
    Ok(vec![load_file(path, None, provider)?])
}

/// Loads one certificate; its key is in `key`, or else in the same file, or else in `file.key`.
pub(super) fn load_file(
    file: &Path,
    key: Option<&Path>,
    provider: &CryptoProvider,
) -> Result<Identity, SetupError> {
    let sections = sections(file)?;
    let chain: Vec<CertificateDer<'static>> = sections
        .iter()
        .filter(|(kind, _)| *kind == SectionKind::Certificate)
        .map(|(_, der)| CertificateDer::from(der.clone()))
        .collect();
    let Some(leaf) = chain.first() else {
        return Err(SetupError::file(
            file,
            "no certificate in this file",
            "it must contain '-----BEGIN CERTIFICATE-----'",
        ));
    };
    let names = names(leaf).map_err(|cause| {
        SetupError::file(
            file,
            cause,
            "check it with 'openssl x509 -in FILE -noout -text'",
        )
    })?;
    let key = private_key(file, key, sections)?;
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|error| {
            SetupError::file(
                file,
                error.to_string(),
                "use an RSA, ECDSA (P-256, P-384, P-521) or Ed25519 key",
            )
        })?;
    let mut certified = CertifiedKey::new(chain, key);
    if let Err(rustls::Error::InconsistentKeys(_)) = certified.keys_match() {
        return Err(SetupError::file(
            file,
            "the private key does not belong to the certificate",
            "put the certificate of this key first in the file",
        ));
    }
    // An empty file is allowed: it only reserves the name (manual, `crt`).
    certified.ocsp = fs::read(with_ending(file, "ocsp"))
        .ok()
        .filter(|answer| !answer.is_empty());
    Ok(Identity {
        key: Arc::new(certified),
        names,
        excluded: Vec::new(),
    })
}

/// Authorities of a file, of a folder's `.pem`, `.crt`, `.cer` and `.crl` files, or `@system-ca`.
pub(super) fn authorities(path: &str) -> Result<RootCertStore, SetupError> {
    let mut roots = RootCertStore::empty();
    for file in authority_files(path)? {
        for certificate in CertificateDer::pem_slice_iter(&read(&file)?) {
            let certificate = certificate.map_err(|error| not_pem(&file, &error))?;
            // One unreadable authority among many must not take down the others.
            let _ = roots.add(certificate);
        }
    }
    if roots.is_empty() {
        return Err(SetupError::file(
            Path::new(path),
            "no authority's certificate found",
            "name a PEM file or folder with CA certificates, or @system-ca",
        ));
    }
    Ok(roots)
}

/// Revocation lists of a file.
pub(super) fn revocations(
    file: &Path,
) -> Result<Vec<CertificateRevocationListDer<'static>>, SetupError> {
    let lists: Result<Vec<_>, _> =
        CertificateRevocationListDer::pem_slice_iter(&read(file)?).collect();
    match lists {
        Ok(lists) if !lists.is_empty() => Ok(lists),
        Ok(_) => Err(SetupError::file(
            file,
            "no revocation list in this file",
            "it must contain '-----BEGIN X509 CRL-----'",
        )),
        Err(error) => Err(not_pem(file, &error)),
    }
}

fn authority_files(path: &str) -> Result<Vec<PathBuf>, SetupError> {
    if path == "@system-ca" {
        if let Some(folder) = std::env::var_os("SSL_CERT_DIR") {
            return pem_files(Path::new(&folder), |_| true);
        }
        let known = SYSTEM_CA_FILES
            .iter()
            .map(PathBuf::from)
            .find(|file| file.exists());
        return known.map(|file| vec![file]).ok_or_else(|| {
            SetupError::file(
                Path::new(SYSTEM_CA_FILES[0]),
                "this machine has no list of authorities",
                "install the package ca-certificates, or name a ca-file",
            )
        });
    }
    let path = Path::new(path);
    if path.is_dir() {
        return pem_files(path, |ending| {
            matches!(ending, "pem" | "crt" | "cer" | "crl")
        });
    }
    Ok(vec![path.to_owned()])
}

/// The files of a folder by name, hidden ones and those with unwanted endings left out.
fn pem_files(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, SetupError> {
    let unreadable = |error: std::io::Error| {
        SetupError::file(folder, error.to_string(), "make the folder readable")
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or("");
        if !hidden && wanted(ending) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn private_key(
    file: &Path,
    key_file: Option<&Path>,
    sections: Vec<(SectionKind, Vec<u8>)>,
) -> Result<PrivateKeyDer<'static>, SetupError> {
    if let Some(key_file) = key_file {
        return find_key(self::sections(key_file)?).ok_or_else(|| missing_key(key_file));
    }
    if let Some(key) = find_key(sections) {
        return Ok(key);
    }
    let beside = with_ending(file, "key");
    if beside.exists() {
        return find_key(self::sections(&beside)?).ok_or_else(|| missing_key(&beside));
    }
    Err(missing_key(file))
}

fn find_key(sections: Vec<(SectionKind, Vec<u8>)>) -> Option<PrivateKeyDer<'static>> {
    sections.into_iter().find_map(|(kind, der)| match kind {
        SectionKind::RsaPrivateKey => Some(PrivatePkcs1KeyDer::from(der).into()),
        SectionKind::EcPrivateKey => Some(PrivateSec1KeyDer::from(der).into()),
        SectionKind::PrivateKey => Some(PrivatePkcs8KeyDer::from(der).into()),
        _ => None,
    })
}

fn missing_key(file: &Path) -> SetupError {
    let encrypted =
        fs::read(file).is_ok_and(|text| memchr::memmem::find(&text, b"ENCRYPTED").is_some());
    if encrypted {
        let remedy = "remove the pass phrase: 'openssl pkey -in KEY -out PLAIN'";
        return SetupError::file(file, "the private key is encrypted", remedy);
    }
    SetupError::file(
        file,
        "no private key found",
        "append the key to the certificate's file, or put it beside with the ending .key",
    )
}

fn sections(file: &Path) -> Result<Vec<(SectionKind, Vec<u8>)>, SetupError> {
    <(SectionKind, Vec<u8>)>::pem_slice_iter(&read(file)?)
        .collect::<Result<_, _>>()
        .map_err(|error| not_pem(file, &error))
}

fn read(file: &Path) -> Result<Vec<u8>, SetupError> {
    fs::read(file).map_err(|error| {
        SetupError::file(
            file,
            error.to_string(),
            "check the path, and that the file may be read",
        )
    })
}

fn not_pem(file: &Path, error: &rustls_pki_types::pem::Error) -> SetupError {
    SetupError::file(
        file,
        error.to_string(),
        "this is no PEM text: convert it with 'openssl x509 -inform der'",
    )
}

/// `file.ending`, whatever ending it has already.
fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn names(leaf: &CertificateDer<'_>) -> Result<Vec<String>, String> {
    let (_, certificate) = X509Certificate::from_der(leaf).map_err(|error| error.to_string())?;
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        let name = name.to_ascii_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    };
    if let Ok(Some(alternatives)) = certificate.subject_alternative_name() {
        for name in &alternatives.value.general_names {
            if let GeneralName::DNSName(name) = name {
                add(name);
            }
        }
    }
    for name in certificate.subject().iter_common_name() {
        if let Ok(name) = name.as_str() {
            add(name);
        }
    }
    Ok(names)
}
