//! Cookies that keep a client with its server (manual, 4.2 `cookie`).
//!
//! [`read`] finds out which server a request's cookie names and takes out of the request what is
//! not the server's business; [`write`] does the same for a response and adds the cookie.

mod request;
mod response;
mod scan;
mod stamp;
#[cfg(test)]
mod tests;

pub use request::{Standing, read};
pub use response::{Sent, write};

use cfgparse::model::persist::{self as model, CookieMode};

use crate::log::CookieIn;
use crate::plan::ServerId;
use crate::sample::xxh64;

/// `cookie NAME ...`, made for use.
#[derive(Clone, Debug)]
pub struct Cookie {
    pub name: Box<[u8]>,
    pub mode: CookieMode,
    pub indirect: bool,
    pub nocache: bool,
    pub postonly: bool,
    pub preserve: bool,
    /// 0 is no limit.
    pub max_idle_s: u32,
    /// 0 is no limit.
    pub max_life_s: u32,
    /// What follows `; path=/` in an inserted cookie.
    attributes: Box<[u8]>,
}

impl Cookie {
    pub fn new(from: &model::Cookie) -> Self {
        let mut attributes = String::new();
        for domain in &from.domains {
            attributes.push_str("; domain=");
            attributes.push_str(domain);
        }
        for (is_set, word) in [(from.httponly, "; HttpOnly"), (from.secure, "; Secure")] {
            attributes.push_str(if is_set { word } else { "" });
        }
        for attribute in &from.attrs {
            attributes.push_str("; ");
            attributes.push_str(attribute);
        }
        Self {
            name: from.name.as_bytes().into(),
            mode: from.mode,
            indirect: from.indirect,
            nocache: from.nocache,
            postonly: from.postonly,
            preserve: from.preserve,
            max_idle_s: from.maxidle_s.unwrap_or(0),
            max_life_s: from.maxlife_s.unwrap_or(0),
            attributes: attributes.into_bytes().into(),
        }
    }

    /// Whether logs tell what became of the cookie; not where it is only read.
    pub fn is_logged(&self) -> bool {
        self.mode != CookieMode::Passive || self.indirect
    }

    fn has_dates(&self) -> bool {
        self.max_idle_s > 0 || self.max_life_s > 0
    }
}

/// What a request's cookie said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub state: CookieIn,
    /// The server that it binds the request to.
    pub server: Option<ServerId>,
    /// Seconds since 1970 of the first and the last time; 0 where it does not tell.
    pub first_s: u32,
    pub last_s: u32,
}

/// The cookie of a server under `dynamic`: a digest of the key and the server's address, so that
/// proxies which share the key agree (manual, `dynamic-cookie-key`).
pub fn dynamic_value(key: &str, address: std::net::SocketAddr) -> String {
    let mut bytes = key.as_bytes().to_vec();
    match address.ip() {
        std::net::IpAddr::V4(ip) => bytes.extend_from_slice(&ip.octets()),
        std::net::IpAddr::V6(ip) => bytes.extend_from_slice(&ip.octets()),
    }
    bytes.extend_from_slice(&u32::from(address.port()).to_le_bytes());
    format!("{:016x}", xxh64(&bytes, 0))
}

/// What becomes of one field.
enum Change {
    Nothing,
    /// The new text is in the scratch.
    Made,
    /// Nothing of the field is left.
    Gone,
}
