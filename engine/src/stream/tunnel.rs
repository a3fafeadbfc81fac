//! Two connections joined byte for byte: `mode tcp`, and HTTP after a switch of protocols.

use super::relay::{self, Flow, Flows, Until};
use super::watch::Watch;
use super::{Fault, Stream};
use crate::mux::Link;
use crate::mux::h1::{Incoming, Outgoing};
use crate::plan::ProxyId;
use wire::h1::BodyLength;

/// Relays both ways until both sides have ended (manual, `timeout tunnel`); `up` may have begun.
pub async fn run(
    stream: &mut Stream<'_>,
    backend: ProxyId,
    server: &Link,
    up: Flow,
    watch: &mut Watch,
) -> Result<(), Fault> {
    let tunnel_ms = stream
        .exchange
        .overrides
        .tunnel_timeout_ms
        .map(u64::from)
        .or(stream.generation.plan().proxy(backend).timeouts.tunnel_ms);
    if tunnel_ms.is_some() {
        *watch = Watch::new(tunnel_ms, tunnel_ms, stream.local.core.now_ms());
    }
    let mut flows = Flows {
        up,
        down: direction(),
    };
    relay::bodies(stream, server, &mut flows, watch, Until::Tunnel).await
}

/// One direction, from its first byte.
pub fn direction() -> Flow {
    Flow::new(Incoming::new(BodyLength::Tunnel), Outgoing::Stream)
}
