//! The number by which hash-based algorithms find a server.

use super::Stream;
use crate::balance::{UriKey, domain_only, hash_address, rdp_cookie, uri_key, url_param};
use crate::plan::{Key, ProxyId};

/// The hash of what the backend's algorithm looks at; `None` where the request lacks it.
pub fn of_request(stream: &Stream<'_>, backend: ProxyId) -> Option<u32> {
    let backend = stream.generation.plan().proxy(backend).backend.as_ref()?;
    let hash_type = backend.balance.hash_type;
    let request = &stream.exchange.request;
    match &backend.key {
        // Log lines are no requests.
        Key::None | Key::Log(_) | Key::Sticky => None,
        Key::Source => {
            let source = stream.exchange.facts.src.or(stream.client.facts.src)?;
            Some(hash_address(hash_type, source.ip()))
        }
        Key::Uri {
            bytes_max,
            depth,
            whole,
            path_only,
        } => {
            let options = UriKey {
                len: bytes_max.unwrap_or(0) as usize,
                depth: depth.unwrap_or(0) as usize,
                whole: *whole,
                path_only: *path_only,
            };
            Some(hash_type.hash(uri_key(options, request.target())))
        }
        Key::UrlParam { name, in_body } => {
            let in_query = request.query().and_then(|query| url_param(query, name));
            if let Some(value) = in_query {
                return Some(hash_type.hash(value));
            }
            let is_post = *in_body && request.method() == b"POST";
            is_post.then_some(())?;
            stream.with_cx(|cx| Some(hash_type.hash(url_param(cx.request_data.bytes, name)?)))
        }
        Key::RdpCookie(name) => {
            stream.with_cx(|cx| Some(hash_type.hash(rdp_cookie(cx.request_data.bytes, name)?)))
        }
        Key::Header {
            name,
            domain_only: false,
        } => Some(hash_type.hash(request.first(name)?)),
        Key::Header {
            name,
            domain_only: true,
        } => Some(hash_type.hash(domain_only(request.first(name)?))),
        // Numbers and addresses count as the bytes that they are on the wire.
        Key::Expr(expr) => stream.with_cx(|cx| {
            let key = expr.eval(cx).value()?;
            Some(hash_type.hash(&key.into_data()))
        }),
    }
}
