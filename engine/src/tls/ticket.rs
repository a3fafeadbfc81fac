//! Session tickets: one source for the process, valid only where clients are verified alike.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use cfgparse::model::tls::BindTls;
use rustls::server::ProducesTickets;

use super::error::SetupError;

/// Tickets for a `bind` line. A session begun on one core or line is resumed on any other that asks
/// the same of its clients.
///
/// A ticket stands for a handshake that is not repeated, the client's certificate included. Without
/// the mark a session begun where nobody is verified would open a line with `verify required`.
pub(super) fn source(bind: &BindTls) -> Result<Arc<dyn ProducesTickets>, SetupError> {
    let mut hasher = DefaultHasher::new();
    let verified = bind
        .verify
        .map(|verify| (verify, &bind.ca_file, &bind.ca_verify_file, &bind.crl_file));
    verified.hash(&mut hasher);
    Ok(Arc::new(Marked {
        mark: hasher.finish().to_be_bytes(),
        inner: shared()?,
    }))
}

fn shared() -> Result<Arc<dyn ProducesTickets>, SetupError> {
    static SHARED: OnceLock<Arc<dyn ProducesTickets>> = OnceLock::new();
    if let Some(shared) = SHARED.get() {
        return Ok(shared.clone());
    }
    let fresh = rustls::crypto::aws_lc_rs::Ticketer::new().map_err(|error| {
        let remedy = "set no-tls-tickets, or mend the machine's random source";
        SetupError::parameter("bind", "ssl", error.to_string(), remedy)
    })?;
    Ok(SHARED.get_or_init(|| fresh).clone())
}

/// Tickets whose sealed content begins with a mark.
#[derive(Debug)]
struct Marked {
    mark: [u8; 8],
    inner: Arc<dyn ProducesTickets>,
}

impl ProducesTickets for Marked {
    fn enabled(&self) -> bool {
        self.inner.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.inner.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.inner.encrypt(&[&self.mark, plain].concat())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let plain = self.inner.decrypt(cipher)?;
        plain.strip_prefix(&self.mark).map(<[u8]>::to_vec)
    }
}
