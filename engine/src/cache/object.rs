//! What is kept, and for whom.

use std::sync::Arc;

use wire::Head;

use super::Life;
use super::request::Wanted;

/// A response in a cache.
#[derive(Debug)]
pub struct Object {
    /// As it was when it was stored, without what belongs to its transfer.
    pub head: Head,
    pub body: Arc<Vec<u8>>,
    pub variant: Variant,
    pub age_s: u64,
    /// On the cores' clock.
    pub stored_ms: u64,
    pub expires_ms: u64,
    /// Its place among all objects, by age.
    pub number: u64,
}

/// For which requests of one address it is (RFC 9111, section 4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// The codings of a response that varies on `Accept-Encoding`; one of no name for none.
    codings: Option<Vec<Box<[u8]>>>,
    /// The request's field of a response that varies on it; empty where it had none.
    referer: Option<Box<[u8]>>,
    origin: Option<Box<[u8]>>,
}

/// Codings that a cache can tell apart (manual, 6.1).
const CODINGS: &[&[u8]] = &[
    b"",
    b"identity",
    b"gzip",
    b"x-gzip",
    b"deflate",
    b"compress",
    b"x-compress",
    b"br",
    b"zstd",
    b"aes128gcm",
    b"exi",
    b"pack200-gzip",
];

impl Variant {
    /// Of a response to `wanted`; `None` if it varies on more than is known about.
    pub fn of(response: &Head, wanted: &Wanted, processes_vary: bool) -> Option<Self> {
        let mut variant = Self::default();
        for value in response.values(b"vary") {
            if !processes_vary {
                return None;
            }
            for name in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                match &name.to_ascii_lowercase()[..] {
                    b"" => {}
                    b"accept-encoding" => {
                        let codings = codings(response);
                        if codings.iter().any(|coding| !CODINGS.contains(&&coding[..])) {
                            return None;
                        }
                        variant.codings = Some(codings);
                    }
                    b"referer" => variant.referer = Some(wanted.referer.clone()),
                    b"origin" => variant.origin = Some(wanted.origin.clone()),
                    _ => return None,
                }
            }
        }
        Some(variant)
    }

    /// Whether it is for this request.
    pub fn fits(&self, wanted: &Wanted) -> bool {
        self.codings
            .iter()
            .flatten()
            .all(|coding| wanted.takes(coding))
            && self
                .referer
                .as_ref()
                .is_none_or(|referer| *referer == wanted.referer)
            && self
                .origin
                .as_ref()
                .is_none_or(|origin| *origin == wanted.origin)
    }
}

/// What `Content-Encoding` lists, in lower case and in order; one empty name where it says nothing.
fn codings(response: &Head) -> Vec<Box<[u8]>> {
    let mut codings: Vec<Box<[u8]>> = response
        .values(b"content-encoding")
        .flat_map(|value| value.split(|&byte| byte == b','))
        .map(|coding| coding.trim_ascii().to_ascii_lowercase().into())
        .collect();
    if codings.is_empty() {
        codings.push(Box::default());
    }
    codings.sort();
    codings
}

impl Object {
    /// Bytes that it is counted with.
    pub fn bytes(&self, key: &[u8]) -> u64 {
        (self.head.memory() + self.body.len() + key.len() + size_of::<Self>()) as u64
    }

    /// Made from a response that has come whole.
    pub fn new(mut head: Head, body: Vec<u8>, variant: Variant, life: Life, now_ms: u64) -> Self {
        for field in [
            &b"age"[..],
            b"connection",
            b"keep-alive",
            b"transfer-encoding",
        ] {
            head.remove(field);
        }
        if !head.contains(b"content-length") {
            head.append_with(b"content-length", |out| {
                out.extend_from_slice(body.len().to_string().as_bytes());
            });
        }
        Self {
            head,
            body: Arc::new(body),
            variant,
            age_s: life.age_s,
            stored_ms: now_ms,
            expires_ms: now_ms + life.left_s * 1_000,
            number: 0,
        }
    }
}
