//! Ciphers and curves by the names that OpenSSL, and so the manual, gives them.

use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{CipherSuite, NamedGroup, SupportedCipherSuite};

use super::error::SetupError;

/// One suite: OpenSSL's name, and the words of a cipher string that mean it among others.
struct Row {
    name: &'static str,
    suite: SupportedCipherSuite,
    words: &'static [&'static str],
}

const ECDSA: &str = "ECDSA";
const RSA: &str = "RSA";

/// All suites on offer, most wanted first.
static ROWS: [Row; 9] = [
    row(
        "TLS_AES_256_GCM_SHA384",
        cipher_suite::TLS13_AES_256_GCM_SHA384,
        &[],
    ),
    row(
        "TLS_AES_128_GCM_SHA256",
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        &[],
    ),
    row(
        "TLS_CHACHA20_POLY1305_SHA256",
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        &[],
    ),
    row(
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        &[ECDSA, "AES", "AES256", "AESGCM", "SHA384"],
    ),
    row(
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        &[ECDSA, "AES", "AES128", "AESGCM", "SHA256"],
    ),
    row(
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        &[ECDSA, "CHACHA20"],
    ),
    row(
        "ECDHE-RSA-AES256-GCM-SHA384",
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        &[RSA, "AES", "AES256", "AESGCM", "SHA384"],
    ),
    row(
        "ECDHE-RSA-AES128-GCM-SHA256",
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        &[RSA, "AES", "AES128", "AESGCM", "SHA256"],
    ),
    row(
        "ECDHE-RSA-CHACHA20-POLY1305",
        cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        &[RSA, "CHACHA20"],
    ),
];

const fn row(
    name: &'static str,
    suite: SupportedCipherSuite,
    words: &'static [&'static str],
) -> Row {
    Row { name, suite, words }
}

impl Row {
    fn is_tls13(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether `word` of a cipher string means this suite, `ECDHE+AESGCM` included.
    fn is_meant(&self, word: &str) -> bool {
        word.split('+').all(|part| {
            let bare = part.trim_start_matches(['a', 'k']);
            part == self.name
                || self.words.contains(&bare)
                || matches!(part, "ALL" | "DEFAULT" | "HIGH" | "SECURE128" | "TLSv1.2")
                || matches!(bare, "ECDHE" | "EECDH" | "ECDH" | "AEAD" | "FIPS")
        })
    }
}

/// OpenSSL's name of a negotiated suite.
pub(super) fn openssl_name(suite: CipherSuite) -> &'static str {
    ROWS.iter()
        .find(|row| row.suite.suite() == suite)
        .map_or("", |row| row.name)
}

/// Strength of a suite's cipher in bits.
pub(super) fn strength_bits(suite: CipherSuite) -> u16 {
    if openssl_name(suite).contains("128") {
        128
    } else {
        256
    }
}

/// OpenSSL's name of a group.
pub(super) fn openssl_curve(group: NamedGroup) -> &'static str {
    match group {
        NamedGroup::X25519 => "X25519",
        NamedGroup::secp256r1 => "prime256v1",
        NamedGroup::secp384r1 => "secp384r1",
        NamedGroup::X25519MLKEM768 => "X25519MLKEM768",
        _ => "",
    }
}

/// What a `bind` or `server` line says about ciphers and curves; `None` leaves the default.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choice<'a> {
    /// `ciphers`: a cipher string for TLS 1.2.
    pub ciphers: Option<&'a str>,
    /// `ciphersuites`: names for TLS 1.3.
    pub ciphersuites: Option<&'a str>,
    /// `curves` or `ecdhe`.
    pub curves: Option<&'a str>,
}

/// The cryptography with the chosen ciphers and curves; names that are not on offer are told in
/// `warnings` and skipped, as OpenSSL skips them.
pub(super) fn provider(
    choice: Choice<'_>,
    warnings: &mut Vec<String>,
) -> Result<CryptoProvider, SetupError> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    let suites = |tls13: bool| ROWS.iter().filter(move |row| row.is_tls13() == tls13);
    let tls13 = match choice.ciphersuites {
        None => suites(true).collect(),
        Some(list) => by_name(list, warnings)?,
    };
    let tls12 = match choice.ciphers {
        None => suites(false).collect(),
        Some(list) => by_string(list, warnings)?,
    };
    provider.cipher_suites = tls13
        .into_iter()
        .chain(tls12)
        .map(|row| row.suite)
        .collect();
    if let Some(curves) = choice.curves {
        provider.kx_groups = groups(curves, warnings)?;
    }
    Ok(provider)
}

fn by_name(list: &str, warnings: &mut Vec<String>) -> Result<Vec<&'static Row>, SetupError> {
    let mut rows = Vec::new();
    for name in list.split(':').filter(|name| !name.is_empty()) {
        match ROWS.iter().find(|row| row.is_tls13() && row.name == name) {
            Some(row) => rows.push(row),
            None => warnings.push(format!("ciphersuites: '{name}' is not on offer, ignored")),
        }
    }
    if rows.is_empty() {
        let cause = "none of these is on offer";
        return Err(SetupError::parameter(
            "ciphersuites",
            list,
            cause,
            "remove the parameter",
        ));
    }
    Ok(rows)
}

/// OpenSSL's cipher strings: words in order of preference, `!` and `-` take out, `+` moves to the end.
fn by_string(list: &str, warnings: &mut Vec<String>) -> Result<Vec<&'static Row>, SetupError> {
    let mut chosen: Vec<&'static Row> = Vec::new();
    let mut banned: Vec<&str> = Vec::new();
    for word in list.split([':', ',', ' ']).filter(|word| !word.is_empty()) {
        let meant = |row: &&'static Row, word: &str| !row.is_tls13() && row.is_meant(word);
        let (sign, word) = match word.as_bytes()[0] {
            sign @ (b'@' | b'!' | b'-' | b'+') => (sign, &word[1..]),
            _ => (b' ', word),
        };
        match sign {
            // Sorting and security levels change nothing among these few strong suites.
            b'@' => {}
            b'!' | b'-' => {
                chosen.retain(|row| !meant(row, word));
                if sign == b'!' {
                    banned.push(word);
                }
            }
            b'+' => {
                let (moved, mut kept): (Vec<_>, Vec<_>) =
                    chosen.into_iter().partition(|row| meant(row, word));
                kept.extend(moved);
                chosen = kept;
            }
            _ => {
                let found: Vec<_> = ROWS.iter().filter(|row| meant(row, word)).collect();
                if found.is_empty() {
                    warnings.push(format!("ciphers: '{word}' is not on offer, ignored"));
                }
                for row in found {
                    let known = chosen.iter().any(|other| other.name == row.name);
                    if !known && !banned.iter().any(|word| row.is_meant(word)) {
                        chosen.push(row);
                    }
                }
            }
        }
    }
    if chosen.is_empty() {
        let remedy = "name an ECDHE cipher with AES-GCM or CHACHA20-POLY1305";
        let cause = "none of these is on offer for TLS 1.2";
        return Err(SetupError::parameter("ciphers", list, cause, remedy));
    }
    Ok(chosen)
}

fn groups(
    list: &str,
    warnings: &mut Vec<String>,
) -> Result<Vec<&'static dyn SupportedKxGroup>, SetupError> {
    let mut groups: Vec<&'static dyn SupportedKxGroup> = Vec::new();
    for name in list.split([':', ',']).filter(|name| !name.is_empty()) {
        let group: &'static dyn SupportedKxGroup = match name.to_ascii_lowercase().as_str() {
            "x25519" => kx_group::X25519,
            "p-256" | "prime256v1" | "secp256r1" => kx_group::SECP256R1,
            "p-384" | "secp384r1" => kx_group::SECP384R1,
            "x25519mlkem768" => kx_group::X25519MLKEM768,
            _ => {
                warnings.push(format!("curves: '{name}' is not on offer, ignored"));
                continue;
            }
        };
        groups.push(group);
    }
    if groups.is_empty() {
        let remedy = "name X25519, P-256, P-384 or X25519MLKEM768";
        return Err(SetupError::parameter(
            "curves",
            list,
            "none of these is on offer",
            remedy,
        ));
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(choice: Choice<'_>) -> (Vec<&'static str>, usize) {
        let mut warnings = Vec::new();
        let provider = provider(choice, &mut warnings).expect("something is left");
        let names = provider
            .cipher_suites
            .iter()
            .map(|suite| openssl_name(suite.suite()));
        (names.collect(), warnings.len())
    }

    fn tls12(list: &str) -> (Vec<&'static str>, usize) {
        let choice = Choice {
            ciphers: Some(list),
            ciphersuites: Some("TLS_AES_128_GCM_SHA256"),
            curves: None,
        };
        let (names, warnings) = names(choice);
        (names[1..].to_vec(), warnings)
    }

    #[test]
    fn every_suite_has_its_name() {
        assert_eq!(names(Choice::default()).0.len(), ROWS.len());
    }

    #[test]
    fn cipher_strings_as_openssl_reads_them() {
        let (rsa128, ecdsa128) = (
            "ECDHE-RSA-AES128-GCM-SHA256",
            "ECDHE-ECDSA-AES128-GCM-SHA256",
        );
        assert_eq!(
            tls12(&format!("{rsa128}:{ecdsa128}")),
            (vec![rsa128, ecdsa128], 0)
        );
        assert_eq!(
            tls12(&format!("{rsa128}:DHE-RSA-AES256-SHA:{rsa128}")),
            (vec![rsa128], 1)
        );
        assert_eq!(tls12("ECDHE+AESGCM:!aECDSA:!AES256"), (vec![rsa128], 0));
        assert_eq!(tls12("!AES:HIGH:@STRENGTH").0.len(), 2);
        let moved = tls12("kECDHE+AES128:+ECDSA").0;
        assert_eq!(moved, [rsa128, ecdsa128]);
        assert!(by_string("RC4-MD5", &mut Vec::new()).is_err());
    }

    #[test]
    fn unknown_names_are_told_and_skipped() {
        let choice = Choice {
            ciphers: None,
            ciphersuites: Some("TLS_AES_128_CCM_SHA256:TLS_AES_128_GCM_SHA256"),
            curves: Some("P-521:X25519"),
        };
        let mut warnings = Vec::new();
        let provider = provider(choice, &mut warnings).expect("something is left");
        assert_eq!(provider.cipher_suites.len(), 1 + 6);
        assert_eq!(provider.kx_groups.len(), 1);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(groups("P-521", &mut warnings).is_err());
    }
}
