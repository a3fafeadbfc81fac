//! TLS parameters of `bind` and `server` lines (manual, 5.1 and 5.2).

/// `bind ... ssl`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct BindTls {
    /// `crt` files and folders in order, `crt-base` already applied.
    pub crt: Vec<String>,
    pub default_crt: Vec<String>,
    pub crt_list: Vec<String>,
    pub key: Option<String>,
    pub ca_file: Option<String>,
    pub ca_verify_file: Option<String>,
    pub crl_file: Option<String>,
    pub verify: Option<TlsVerify>,
    pub ca_ignore_err: Option<String>,
    pub crt_ignore_err: Option<String>,
    pub ciphers: Option<String>,
    pub ciphersuites: Option<String>,
    pub curves: Option<String>,
    pub ecdhe: Option<String>,
    pub sigalgs: Option<String>,
    pub client_sigalgs: Option<String>,
    pub versions: TlsVersions,
    pub strict_sni: Option<bool>,
    pub no_tls_tickets: bool,
    pub tls_ticket_keys: Option<String>,
    pub prefer_client_ciphers: bool,
    pub allow_0rtt: bool,
    pub generate_certificates: bool,
    pub no_ca_names: bool,
    pub ocsp_update: Option<String>,
}

/// `server ... ssl`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ServerTls {
    /// `ssl` was written (and not taken back by `no-ssl`): traffic is encrypted. Without it the
    /// other fields serve `check-ssl` only.
    pub enabled: bool,
    /// `no-ssl` took back an `ssl`: an operator may switch it on (`set server X ssl on`).
    pub was_enabled: bool,
    /// `no-ssl` was written last.
    pub is_off: bool,
    /// Client certificate with key.
    pub crt: Option<String>,
    pub ca_file: Option<String>,
    pub crl_file: Option<String>,
    pub verify: Option<TlsVerify>,
    pub verifyhost: Option<String>,
    /// `sni EXPR`.
    pub sni: Option<super::expr::SampleExpr>,
    pub no_sni_auto: bool,
    pub check_sni: Option<String>,
    pub alpn: Vec<String>,
    pub ciphers: Option<String>,
    pub ciphersuites: Option<String>,
    pub curves: Option<String>,
    pub sigalgs: Option<String>,
    pub client_sigalgs: Option<String>,
    pub versions: TlsVersions,
    pub no_ssl_reuse: bool,
    pub no_tls_tickets: bool,
    pub allow_0rtt: bool,
    pub renegotiate: Option<bool>,
}

/// `verify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsVerify {
    None,
    Optional,
    Required,
}

/// Global `ssl-server-verify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum TlsServerVerify {
    None,
    /// The default.
    #[default]
    Required,
}

/// Which protocol versions are allowed, from `ssl-min-ver`, `ssl-max-ver`, `force-*` and `no-*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct TlsVersions {
    pub min: Option<TlsVersion>,
    pub max: Option<TlsVersion>,
    /// Versions taken out by `no-sslv3`, `no-tlsv10`, ...; bit 0 is SSLv3, bit 4 TLSv1.3.
    pub excluded: u8,
}

impl TlsVersions {
    /// What is written here, else what is written there.
    #[must_use]
    pub fn or(self, defaults: Self) -> Self {
        Self {
            min: self.min.or(defaults.min),
            max: self.max.or(defaults.max),
            excluded: self.excluded | defaults.excluded,
        }
    }
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TlsVersion {
    Ssl3,
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}
