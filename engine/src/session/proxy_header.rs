//! The PROXY protocol header in front of a connection (manual, `accept-proxy`).

use reactor::Readable;
use wire::pp::{Addresses, Command, Header, ProxyError, parse};

use crate::sample::{ConnectionError, SessionFacts};
use crate::state::Generation;
use crate::stream::{Client, Interrupted, Local, Patience, wait};

/// Receives the header; without one nothing can be known of the connection, which is to be closed
/// (proxy-protocol.txt, section 2).
pub async fn receive(
    local: &Local,
    generation: &Generation,
    client: &mut Client,
) -> Result<(), ConnectionError> {
    let timeouts = &generation.plan().proxy(client.frontend).timeouts;
    let patience = Patience {
        until_ms: timeouts.client_hs_ms.map(|ms| local.core.now_ms() + ms),
        watches_client: false,
    };
    loop {
        let received = client.link.linearize();
        let bytes: &[u8] = received.as_deref().unwrap_or(&[]);
        match parse(bytes) {
            Ok(Some(header)) => {
                let length = header.length;
                note(&header, &mut client.facts);
                client.link.consume(length);
                return Ok(());
            }
            Ok(None) => {}
            Err(ProxyError::Signature) => return Err(ConnectionError::ProxyNotHeader),
            Err(ProxyError::Protocol) => return Err(ConnectionError::ProxyBadProtocol),
            Err(_) => return Err(ConnectionError::ProxyBadHeader),
        }
        let seen = bytes.len();
        let more = wait(local, client, patience, |cx| {
            client.link.poll_more(seen, cx)
        });
        match more.await {
            Ok(Readable::Data) => {}
            _ if seen > 0 => return Err(ConnectionError::ProxyTruncated),
            Ok(Readable::Eof) => return Err(ConnectionError::ProxyEmpty),
            Err(Interrupted::TimedOut) => return Err(ConnectionError::ProxyTimeout),
            Ok(Readable::Failed(_)) | Err(_) => return Err(ConnectionError::ProxyAbort),
        }
    }
}

/// What the header says about the session; the connection's own addresses stay known.
fn note(header: &Header<'_>, facts: &mut SessionFacts) {
    facts.received_proxy = true;
    if let (
        Command::Proxy,
        Addresses::Inet {
            source,
            destination,
        },
    ) = (header.command, header.addresses)
    {
        facts.src = Some(source);
        facts.dst = Some(destination);
    }
    let tlvs = header.tlvs.clone();
    facts.proxy_tlvs = tlvs.map(|tlv| (tlv.kind, tlv.value.into())).collect();
}
