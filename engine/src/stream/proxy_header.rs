//! The PROXY protocol header that goes to a server first (manual, `send-proxy`).

use cfgparse::model::server::{ProxyVersion, SendProxy};
use wire::pp::{Addresses, Command, TlvWriter, kind, write_v1, write_v2};

use super::Stream;
use crate::plan::ServerId;

/// The header for a connection to `id`; empty where the server wants none.
pub fn of_server(stream: &Stream<'_>, id: ServerId) -> Vec<u8> {
    let mut out = Vec::new();
    let Some(options) = &stream.generation.plan().server(id).line.send_proxy else {
        return out;
    };
    let (session, exchange) = (&stream.client.facts, &stream.exchange.facts);
    let ends = (exchange.src.or(session.src), exchange.dst.or(session.dst));
    let addresses = match ends {
        (Some(source), Some(destination)) => Addresses::Inet {
            source,
            destination,
        },
        _ => Addresses::Unspecified,
    };
    match options.version {
        ProxyVersion::V1 => write_v1(&addresses, &mut out),
        ProxyVersion::V2 => {
            let records = |tlvs: &mut TlvWriter<'_>| push(stream, options, tlvs);
            if !write_v2(
                Command::Proxy,
                &addresses,
                records,
                options.crc32c,
                &mut out,
            ) {
                // Records that do not fit are left out; the addresses always do.
                let fits = write_v2(Command::Proxy, &addresses, |_| (), options.crc32c, &mut out);
                debug_assert!(fits, "addresses alone");
            }
        }
    }
    out
}

/// The records that `proxy-v2-options` asks for.
fn push(stream: &Stream<'_>, options: &SendProxy, tlvs: &mut TlvWriter<'_>) {
    let session = &stream.client.facts;
    if options.authority {
        let sni = session.tls.as_ref().map(|tls| &*tls.sni);
        let authority = sni
            .filter(|sni| !sni.is_empty())
            .or(session.proxy_tlv(kind::AUTHORITY));
        if let Some(authority) = authority {
            tlvs.push(kind::AUTHORITY, authority);
        }
    }
    if options.unique_id {
        stream.with_cx(|cx| tlvs.push(kind::UNIQUE_ID, cx.unique_id()));
    }
}
