//! The TLS side of `bind` and `server` lines, ready to open sessions.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use cfgparse::model::global::TlsDefaults;
use cfgparse::model::tls::{BindTls, ServerTls, TlsVerify, TlsVersion, TlsVersions};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier};
use rustls::{
    ClientConfig, ConfigBuilder, ConfigSide, ServerConfig, SupportedProtocolVersion, WantsVerifier,
    WantsVersions,
};
use rustls_pki_types::ServerName;

use crate::slots::{Full, Slots};

use super::cert::{self, Identity};
use super::ciphers::{self, Choice};
use super::crt_list;
use super::error::SetupError;
use super::session::TlsSession;
use super::sni::SniChoice;
use super::ticket;
use super::verify::{AnyCertificate, KnownAuthority};

/// Sessions that a `server` line remembers for resumption.
const RESUMABLE_SESSIONS_MAX: usize = 64;

/// All TLS contexts of one plan; `bind` and `server` lines know theirs by index.
#[derive(Debug, Default)]
pub struct Contexts {
    binds: Vec<BindContext>,
    servers: Slots<ServerContext>,
}

impl Contexts {
    /// Adds a `bind` line's context; tells its index.
    pub fn push_bind(&mut self, context: BindContext) -> usize {
        self.binds.push(context);
        self.binds.len() - 1
    }

    /// Adds a `server` line's context; tells its index.
    pub fn push_server(&self, context: ServerContext) -> Result<usize, Full> {
        self.servers.push(context)
    }

    /// The context of a `bind` line.
    pub fn bind(&self, index: usize) -> Option<&BindContext> {
        self.binds.get(index)
    }

    /// The context of a `server` line.
    pub fn server(&self, index: usize) -> Option<&ServerContext> {
        self.servers.get(index)
    }
}

/// What accepts TLS sessions on a `bind ... ssl` line.
#[derive(Clone, Debug)]
pub struct BindContext(Arc<ServerConfig>);

impl BindContext {
    /// Loads all files of the line, those of its lists from `crt_base`; `alpn` in order of preference. Harmless oddities go to `warnings`.
    pub fn load(
        bind: &BindTls,
        defaults: &TlsDefaults,
        crt_base: Option<&Path>,
        alpn: &[String],
        warnings: &mut Vec<String>,
    ) -> Result<BindContext, SetupError> {
        let choice = Choice {
            ciphers: either(bind.ciphers.as_ref(), defaults.ciphers.as_ref()),
            ciphersuites: either(bind.ciphersuites.as_ref(), defaults.ciphersuites.as_ref()),
            curves: either(bind.curves.as_ref(), defaults.curves.as_ref())
                .or(bind.ecdhe.as_deref()),
        };
        let provider = Arc::new(ciphers::provider(choice, warnings)?);
        let strict = bind.strict_sni.unwrap_or(defaults.strict_sni);
        let resolver = Arc::new(choice_by_sni(bind, strict, crt_base, &provider)?);
        let versions = versions(bind.versions, defaults.versions)?;
        let builder = ServerConfig::builder_with_provider(provider.clone());
        let mut config = with_versions(builder, &versions)?
            .with_client_cert_verifier(client_verifier(bind, &provider)?)
            .with_cert_resolver(resolver);
        config.alpn_protocols = alpn.iter().map(|name| name.clone().into_bytes()).collect();
        config.ignore_client_order =
            !(bind.prefer_client_ciphers || defaults.prefer_client_ciphers);
        // Tickets carry the session to the client: there is no cache that cores would share.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        if bind.no_tls_tickets || defaults.no_tls_tickets {
            config.send_tls13_tickets = 0;
        } else {
            config.ticketer = ticket::source(bind)?;
        }
        Ok(BindContext(Arc::new(config)))
    }

    /// A session with a client that has just connected.
    pub fn session(&self) -> Result<TlsSession, super::TlsError> {
        TlsSession::accept(self.0.clone())
    }
}

/// What opens TLS sessions to a `server ... ssl`.
#[derive(Clone, Debug)]
pub struct ServerContext(Arc<ClientConfig>);

impl ServerContext {
    /// Loads all files of the line. Harmless oddities go to `warnings`.
    ///
    /// `verify` is the line's, or else the process's default.
    pub fn load(
        server: &ServerTls,
        defaults: &TlsDefaults,
        verify: TlsVerify,
        alpn: &[String],
        warnings: &mut Vec<String>,
    ) -> Result<ServerContext, SetupError> {
        let choice = Choice {
            ciphers: either(server.ciphers.as_ref(), defaults.ciphers.as_ref()),
            ciphersuites: either(server.ciphersuites.as_ref(), defaults.ciphersuites.as_ref()),
            curves: either(server.curves.as_ref(), defaults.curves.as_ref()),
        };
        let provider = Arc::new(ciphers::provider(choice, warnings)?);
        let versions = versions(server.versions, defaults.versions)?;
        let builder = with_versions(
            ClientConfig::builder_with_provider(provider.clone()),
            &versions,
        )?;
        let builder = match verify {
            TlsVerify::None => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider.clone()))),
            TlsVerify::Optional | TlsVerify::Required => builder
                .dangerous()
                .with_custom_certificate_verifier(server_verifier(server, &provider)?),
        };
        let mut config = match &server.crt {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let identity = cert::load_file(Path::new(file), None, &provider)?;
                builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(
                    identity.key,
                )))
            }
        };
        config.alpn_protocols = alpn.iter().map(|name| name.clone().into_bytes()).collect();
        config.resumption = if server.no_ssl_reuse {
            Resumption::disabled()
        } else {
            Resumption::in_memory_sessions(RESUMABLE_SESSIONS_MAX)
        };
        Ok(ServerContext(Arc::new(config)))
    }

    /// The same, but for the protocols it offers.
    #[must_use]
    pub fn with_alpn(&self, alpn: &[String]) -> ServerContext {
        let mut config = ClientConfig::clone(&self.0);
        config.alpn_protocols = alpn.iter().map(|name| name.clone().into_bytes()).collect();
        ServerContext(Arc::new(config))
    }

    /// A session with a server that has just been connected to; `sni` is the name asked for.
    ///
    /// A name that is none, an address for example, is not sent, as RFC 6066 section 3 wants it.
    pub fn session(&self, sni: Option<&str>) -> Result<TlsSession, super::TlsError> {
        let name = sni.and_then(|name| match ServerName::try_from(name.to_owned()) {
            Ok(ServerName::DnsName(name)) => Some(ServerName::DnsName(name)),
            _ => None,
        });
        let name = name.unwrap_or(ServerName::from(std::net::IpAddr::V4(
            Ipv4Addr::UNSPECIFIED,
        )));
        TlsSession::connect(self.0.clone(), name)
    }
}

fn either<'a>(own: Option<&'a String>, default: Option<&'a String>) -> Option<&'a str> {
    own.or(default).map(String::as_str)
}

fn choice_by_sni(
    bind: &BindTls,
    strict: bool,
    crt_base: Option<&Path>,
    provider: &CryptoProvider,
) -> Result<SniChoice, SetupError> {
    let mut named: Vec<Identity> = Vec::new();
    let mut defaults: Vec<Identity> = Vec::new();
    for (paths, into) in [(&bind.default_crt, &mut defaults), (&bind.crt, &mut named)] {
        for path in paths {
            match &bind.key {
                Some(key) => {
                    into.push(cert::load_file(
                        Path::new(path),
                        Some(Path::new(key)),
                        provider,
                    )?);
                }
                None => into.extend(cert::load(Path::new(path), provider)?),
            }
        }
    }
    for list in &bind.crt_list {
        let listed = crt_list::load(Path::new(list), crt_base, provider)?;
        defaults.extend(listed.defaults);
        named.extend(listed.named);
    }
    if defaults.is_empty() {
        // The parts of a bundle stand for the same names: all of them are the default.
        let first_names = named
            .first()
            .map(|first| first.names.clone())
            .unwrap_or_default();
        defaults = named
            .iter()
            .filter(|one| one.names == first_names)
            .cloned()
            .collect();
    }
    if defaults.is_empty() && !strict {
        return Err(SetupError::parameter(
            "bind",
            "ssl",
            "no certificate is configured",
            "add 'crt FILE', or 'strict-sni' if the folder may be empty",
        ));
    }
    let keys = defaults
        .iter()
        .map(|identity| identity.key.clone())
        .collect();
    named.extend(defaults);
    Ok(SniChoice::new(&named, keys, strict))
}

fn client_verifier(
    bind: &BindTls,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, SetupError> {
    let optional = match bind.verify {
        None | Some(TlsVerify::None) => return Ok(WebPkiClientVerifier::no_client_auth()),
        Some(TlsVerify::Optional) => true,
        Some(TlsVerify::Required) => false,
    };
    let Some(file) = bind.ca_file.as_ref().or(bind.ca_verify_file.as_ref()) else {
        let cause = "no authority is configured to verify clients with";
        return Err(SetupError::parameter(
            "verify",
            "required",
            cause,
            "add 'ca-file FILE'",
        ));
    };
    let mut roots = cert::authorities(file)?;
    // Clients are told the authorities of `ca-file` only (manual, `ca-verify-file`).
    let named = match (&bind.ca_file, bind.no_ca_names) {
        (Some(_), false) => roots.subjects(),
        _ => Vec::new(),
    };
    if let Some(file) = bind
        .ca_verify_file
        .as_ref()
        .filter(|_| bind.ca_file.is_some())
    {
        roots.extend(cert::authorities(file)?.roots);
    }
    let mut builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .clear_root_hint_subjects()
            .add_root_hint_subjects(named);
    if let Some(crl) = &bind.crl_file {
        builder = builder.with_crls(cert::revocations(Path::new(crl))?);
    }
    if optional {
        builder = builder.allow_unauthenticated();
    }
    builder
        .build()
        .map(|verifier| verifier as Arc<dyn ClientCertVerifier>)
        .map_err(|error| {
            SetupError::file(
                Path::new(file),
                error.to_string(),
                "check ca-file and crl-file",
            )
        })
}

fn server_verifier(
    server: &ServerTls,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<KnownAuthority>, SetupError> {
    let Some(file) = &server.ca_file else {
        return Err(SetupError::parameter(
            "verify",
            "required",
            "no authority is configured to verify the server with",
            "add 'ca-file FILE' or 'ca-file @system-ca', or 'verify none' to accept anyone",
        ));
    };
    let roots = Arc::new(cert::authorities(file)?);
    let mut builder = WebPkiServerVerifier::builder_with_provider(roots, provider.clone());
    if let Some(crl) = &server.crl_file {
        builder = builder.with_crls(cert::revocations(Path::new(crl))?);
    }
    let inner = builder.build().map_err(|error| {
        SetupError::file(
            Path::new(file),
            error.to_string(),
            "check ca-file and crl-file",
        )
    })?;
    let verifyhost = match &server.verifyhost {
        None => None,
        Some(name) => Some(ServerName::try_from(name.clone()).map_err(|error| {
            SetupError::parameter("verifyhost", name, error.to_string(), "give a host name")
        })?),
    };
    Ok(Arc::new(KnownAuthority { inner, verifyhost }))
}

/// The versions on offer that the line allows; its own words replace the default ones.
fn versions(
    own: TlsVersions,
    defaults: TlsVersions,
) -> Result<Vec<&'static SupportedProtocolVersion>, SetupError> {
    let min = own.min.or(defaults.min);
    let max = own.max.or(defaults.max);
    let excluded = own.excluded | defaults.excluded;
    let allowed = |version: TlsVersion, bit: u8| {
        min.is_none_or(|min| min <= version)
            && max.is_none_or(|max| max >= version)
            && excluded & (1 << bit) == 0
    };
    let mut versions = Vec::new();
    if allowed(TlsVersion::Tls13, 4) {
        versions.push(&rustls::version::TLS13);
    }
    if allowed(TlsVersion::Tls12, 3) {
        versions.push(&rustls::version::TLS12);
    }
    if versions.is_empty() {
        return Err(SetupError::parameter(
            "ssl-max-ver",
            &format!("{max:?}"),
            "only TLSv1.2 and TLSv1.3 are on offer",
            "allow at least one of them",
        ));
    }
    Ok(versions)
}

fn with_versions<S: ConfigSide>(
    builder: ConfigBuilder<S, WantsVersions>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<ConfigBuilder<S, WantsVerifier>, SetupError> {
    builder.with_protocol_versions(versions).map_err(|error| {
        SetupError::parameter(
            "ssl-min-ver",
            "",
            error.to_string(),
            "allow a version that the configured ciphers belong to",
        )
    })
}
