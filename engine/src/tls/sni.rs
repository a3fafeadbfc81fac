//! The choice of a certificate by the name a client asks for.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::cert::Identity;

/// Certificates by name: exact, then wildcard, then the default ones unless `strict-sni` is set
/// (manual, `crt` and `strict-sni`).
pub(super) struct SniChoice {
    /// Several only where kinds of keys differ, in order of the configuration.
    exact: HashMap<String, Vec<Arc<CertifiedKey>>>,
    /// By the name without `*`, so beginning with a dot.
    wildcard: HashMap<String, Vec<Arc<CertifiedKey>>>,
    default: Vec<Arc<CertifiedKey>>,
    strict: bool,
}

impl SniChoice {
    /// `identities` in the order of the configuration; `default` answers unknown names.
    pub(super) fn new(
        identities: &[Identity],
        default: Vec<Arc<CertifiedKey>>,
        strict: bool,
    ) -> SniChoice {
        let mut choice = SniChoice {
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            default,
            strict,
        };
        for identity in identities {
            for name in &identity.names {
                let keys = match name.strip_prefix('*') {
                    Some(suffix) => choice.wildcard.entry(suffix.to_owned()),
                    None => choice.exact.entry(name.clone()),
                };
                keys.or_default().push(identity.key.clone());
            }
        }
        choice.exclude(identities);
        choice
    }

    /// A name that a wildcard is not for goes to the others of that wildcard, else to the default.
    fn exclude(&mut self, identities: &[Identity]) {
        for identity in identities {
            for name in &identity.excluded {
                let wildcard = name
                    .find('.')
                    .and_then(|dot| self.wildcard.get(&name[dot..]));
                let keys = self.exact.get(name).or(wildcard);
                let mut left = keys.cloned().unwrap_or_default();
                left.retain(|key| !Arc::ptr_eq(key, &identity.key));
                if left.is_empty() && !self.strict {
                    left.clone_from(&self.default);
                }
                self.exact.insert(name.clone(), left);
            }
        }
    }

    /// The certificates for a name in lower case.
    fn candidates(&self, name: Option<&str>) -> &[Arc<CertifiedKey>] {
        let named = name.and_then(|name| {
            self.exact.get(name).or_else(|| {
                let dot = name.find('.')?;
                self.wildcard.get(&name[dot..])
            })
        });
        match named {
            Some(keys) => keys,
            None if self.strict => &[],
            None => &self.default,
        }
    }
}

impl ResolvesServerCert for SniChoice {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_ascii_lowercase);
        let candidates = self.candidates(name.as_deref());
        let usable =
            |key: &&Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        let chosen = candidates.iter().find(usable).or(candidates.first());
        CHOSEN.set(chosen.cloned());
        chosen.cloned()
    }
}

thread_local! {
    /// The certificate that the handshake at hand has chosen: the library does not tell later.
    static CHOSEN: Cell<Option<Arc<CertifiedKey>>> = const { Cell::new(None) };
}

/// What was chosen since the last call, on this thread.
pub(super) fn take_chosen() -> Option<Arc<CertifiedKey>> {
    CHOSEN.take()
}

impl fmt::Debug for SniChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SniChoice")
            .field("names", &(self.exact.len() + self.wildcard.len()))
            .field("strict", &self.strict)
            .finish_non_exhaustive()
    }
}
