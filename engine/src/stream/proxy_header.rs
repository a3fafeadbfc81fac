//! The PROXY protocol header that goes to a server first (manual, `send-proxy`).

use cfgparse::model::server::{ProxyVersion, SendProxy};
use wire::pp::{Addresses, Command, TlvWriter, kind, write_v1, write_v2};

use super::Stream;
use crate::log::Purpose;
use crate::plan::{ProxyHeader, ServerId};
use crate::sample::{TlsFacts, common_name, key_algorithm, signature_algorithm};

/// Bits of the SSL record's `client` byte (proxy-protocol.txt, section 2.2.6).
const OVER_TLS: u8 = 0x01;
const CERTIFICATE_IN_CONNECTION: u8 = 0x02;
const CERTIFICATE_IN_SESSION: u8 = 0x04;

/// The header for a connection to `id`; empty where the server wants none.
pub fn of_server(stream: &Stream<'_>, id: ServerId) -> Vec<u8> {
    let mut out = Vec::new();
    let Some(header) = &stream.generation.plan().server(id).proxy_header else {
        return out;
    };
    let addresses = addresses(stream);
    match header.version {
        ProxyVersion::V1 => write_v1(&addresses, &mut out),
        ProxyVersion::V2 => {
            let records = |tlvs: &mut TlvWriter<'_>| push(stream, header, tlvs);
            if !write_v2(Command::Proxy, &addresses, records, &mut out) {
                // Records that do not fit are left out; the addresses always do.
                let fits = write_v2(Command::Proxy, &addresses, |_| (), &mut out);
                debug_assert!(fits, "addresses alone");
            }
        }
    }
    out
}

/// Both ends of the client's connection, or what rules say that they are.
fn addresses(stream: &Stream<'_>) -> Addresses {
    let (session, exchange) = (&stream.client.facts, &stream.exchange.facts);
    let ends = (exchange.src.or(session.src), exchange.dst.or(session.dst));
    match ends {
        (Some(source), Some(destination)) => Addresses::Inet {
            source,
            destination,
        },
        _ => Addresses::Unspecified,
    }
}

/// The records in HAProxy's order.
fn push(stream: &Stream<'_>, header: &ProxyHeader, tlvs: &mut TlvWriter<'_>) {
    let asked = &header.asked;
    let mut value = stream.local.take_scratch();
    for (kind, format) in &header.records {
        value.clear();
        stream.with_cx(|cx| format.render(cx, Purpose::Raw, &mut value));
        tlvs.push(*kind, &value);
    }
    stream.local.keep_scratch(value);
    if asked.crc32c {
        tlvs.push_crc32c();
    }
    let session = &stream.client.facts;
    let tls = session.tls.as_deref();
    if let Some(tls) = tls.filter(|tls| !tls.alpn.is_empty()) {
        tlvs.push(kind::ALPN, &tls.alpn);
    }
    if asked.authority {
        let sni = tls.map(|tls| &*tls.sni).filter(|sni| !sni.is_empty());
        if let Some(authority) = sni.or(session.proxy_tlv(kind::AUTHORITY)) {
            tlvs.push(kind::AUTHORITY, authority);
        }
    }
    if asked.unique_id {
        stream.with_cx(|cx| {
            let id = cx.unique_id();
            if !id.is_empty() {
                tlvs.push(kind::UNIQUE_ID, id);
            }
        });
    }
    if asked.ssl {
        match tls {
            Some(tls) => push_ssl(tls, asked, tlvs),
            None => tlvs.push_ssl(0, 0, |_| ()),
        }
    }
}

fn push_ssl(tls: &TlsFacts, asked: &SendProxy, tlvs: &mut TlvWriter<'_>) {
    let certificate = tls.peer_certificate.as_deref();
    let client = match certificate {
        None => OVER_TLS,
        // A resumed session remembers what an earlier connection has shown.
        Some(_) if tls.resumed => OVER_TLS | CERTIFICATE_IN_SESSION,
        Some(_) => OVER_TLS | CERTIFICATE_IN_CONNECTION | CERTIFICATE_IN_SESSION,
    };
    tlvs.push_ssl(client, tls.verify_error, |inner| {
        inner.push(kind::SSL_VERSION, tls.protocol.as_bytes());
        if asked.ssl_cn
            && let Some(name) = certificate.and_then(common_name)
        {
            inner.push(kind::SSL_CN, name.as_bytes());
        }
        let own = tls.own_certificate.as_deref();
        if asked.cert_key
            && let Some(name) = own.and_then(key_algorithm)
        {
            inner.push(kind::SSL_KEY_ALG, name.as_bytes());
        }
        if asked.cert_sig
            && let Some(name) = own.and_then(signature_algorithm)
        {
            inner.push(kind::SSL_SIG_ALG, name.as_bytes());
        }
        if asked.ssl_cipher {
            inner.push(kind::SSL_CIPHER, tls.cipher.as_bytes());
        }
    });
}
