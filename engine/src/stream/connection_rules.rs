//! A connection before its first stream (manual, `tcp-request connection|session`).

use super::judge::{Contents, Sees, evaluate};
use super::{Client, Local, Stream, journal};
use crate::rules::{Ruleset, Verdict};
use crate::state::Generation;

/// `tcp-request connection`: whether the connection may go on.
pub fn admits_connection(local: &Local, generation: &Generation, client: &mut Client) -> bool {
    let rules = &generation.plan().proxy(client.frontend).rules.connection;
    let admitted = admits(local, generation, client, rules);
    // These rules alone change what `fc_src` and `fc_dst` say (manual, 7.3.3).
    client.facts.connection_src = client.facts.src;
    client.facts.connection_dst = client.facts.dst;
    admitted
}

/// `tcp-request session`: the same after the handshakes.
pub fn admits_session(local: &Local, generation: &Generation, client: &mut Client) -> bool {
    let rules = &generation.plan().proxy(client.frontend).rules.session;
    admits(local, generation, client, rules)
}

/// Logs why a connection failed before its first stream: `error` of its facts.
pub fn refused(local: &Local, generation: &Generation, client: &mut Client) {
    let mut exchange = local.take_exchange();
    journal::write_refused(&mut Stream {
        local,
        generation,
        client,
        exchange: &mut exchange,
    });
    local.keep_exchange(exchange);
}

fn admits(local: &Local, generation: &Generation, client: &mut Client, rules: &Ruleset) -> bool {
    if rules.is_empty() {
        return true;
    }
    let mut exchange = local.take_exchange();
    let verdict = evaluate(
        local,
        generation,
        client,
        &mut exchange,
        rules,
        0,
        Sees::Bytes(Contents::default()),
    );
    // What a rule says about the source holds for the whole connection.
    client.facts.src = exchange.facts.src.or(client.facts.src);
    client.facts.dst = exchange.facts.dst.or(client.facts.dst);
    client.expects_proxy |= exchange.overrides.expects_proxy;
    client.facts.tracked.take_from(&mut exchange.facts.tracked);
    local.keep_exchange(exchange);
    if verdict == Verdict::SilentDrop {
        client.forget();
    }
    matches!(verdict, Verdict::Continue | Verdict::Accept)
}
