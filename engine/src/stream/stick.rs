//! Clients kept with servers by stick tables (manual, `stick match`, `stick store-request`).

use std::ops::Range;
use std::sync::Arc;

use super::{Stream, persist};
use crate::limits::STICK_STORES_MAX;
use crate::plan::{ServerId, StickRule};
use crate::table::{Data, Entry, Slot, Table, TableId};

const SERVER_ID: Slot = Slot::of(Data::ServerId);

/// Keys of a request under which its server will be remembered; memory is kept.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    bytes: Vec<u8>,
    keys: Vec<(TableId, Range<usize>)>,
}

impl Pending {
    /// One key a table, the first that was found, and not too many of them.
    fn takes(&self, table: TableId) -> bool {
        self.keys.len() < STICK_STORES_MAX && !self.keys.iter().any(|(known, _)| *known == table)
    }

    fn push(&mut self, table: TableId, key: &[u8]) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.keys.push((table, from..self.bytes.len()));
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.keys.clear();
    }
}

/// Evaluates the rules on requests: the server that the request is bound to, `bound` if something
/// else has bound it already.
pub fn bind(stream: &mut Stream<'_>, bound: Option<ServerId>) -> Option<ServerId> {
    let generation = stream.generation;
    let backend = generation.plan().proxy(stream.backend()).backend.as_ref();
    let Some(rules) = backend.map(|backend| &backend.stick_request) else {
        return bound;
    };
    if rules.is_empty() {
        return bound;
    }
    let mut bound = bound;
    let mut pending = std::mem::take(&mut stream.exchange.sticks);
    for rule in rules {
        let stores = rule.stores && pending.takes(rule.table);
        let matches = rule.matches && bound.is_none();
        if !(stores || matches) || !stream.holds(rule.condition.as_ref()) {
            continue;
        }
        let table = &generation.runtime.tables[rule.table.index()];
        let found = with_key(stream, rule, table, |key| {
            if stores {
                pending.push(rule.table, key);
            }
            matches.then(|| find(stream, table, key)).flatten()
        });
        if let Some(server) = found.flatten() {
            persist::stick(stream, server);
            bound = Some(server);
        }
    }
    stream.exchange.sticks = pending;
    bound
}

/// Remembers the server under what was taken from the request, and from the response by the rules
/// on responses.
pub fn learn(stream: &mut Stream<'_>) {
    let generation = stream.generation;
    let Some(server) = stream.exchange.facts.server else {
        return;
    };
    let backend = generation.plan().proxy(stream.backend()).backend.as_ref();
    let Some(rules) = backend.map(|backend| &backend.stick_response) else {
        return;
    };
    if rules.is_empty() && stream.exchange.sticks.keys.is_empty() {
        return;
    }
    if generation.plan().server(server).line.non_stick {
        return;
    }
    let mut pending = std::mem::take(&mut stream.exchange.sticks);
    for (table, range) in &pending.keys {
        let table = &generation.runtime.tables[table.index()];
        store(stream, table, &pending.bytes[range.clone()], server);
    }
    pending.clear();
    for rule in rules {
        if !pending.takes(rule.table) || !stream.holds(rule.condition.as_ref()) {
            continue;
        }
        let table = &generation.runtime.tables[rule.table.index()];
        with_key(stream, rule, table, |key| {
            // Noted, so that another rule does not store in the same table.
            pending.push(rule.table, &[]);
            store(stream, table, key, server);
        });
    }
    pending.clear();
    stream.exchange.sticks = pending;
}

fn with_key<R>(
    stream: &Stream<'_>,
    rule: &StickRule,
    table: &Table,
    use_it: impl FnOnce(&[u8]) -> R,
) -> Option<R> {
    stream.with_cx(|cx| {
        let value = rule.key.eval(cx).value()?;
        let key = table.spec().key.key(value)?;
        Some(use_it(&key))
    })
}

/// The server that a table has for a key, if it may be used; the key counts as used.
fn find(stream: &Stream<'_>, table: &Table, key: &[u8]) -> Option<ServerId> {
    let now_ms = stream.local.core.now_ms();
    let entry = table.find(key, now_ms)?;
    table.touch(&entry, now_ms);
    let server =
        named(stream, table, &entry).or_else(|| numbered(stream, table, &entry, now_ms))?;
    (stream.generation.server(server).is_usable() || persist::is_forced(stream)).then_some(server)
}

/// By name, or by address: tables may be shared by backends that number their servers in another
/// way (manual, 11.1, `srvkey`).
fn named(stream: &Stream<'_>, table: &Table, entry: &Entry) -> Option<ServerId> {
    let name = table.name(entry, Data::ServerKey)?;
    let mut servers = servers(stream);
    servers.find(|&server| known_as(stream, table, server) == name)
}

fn numbered(stream: &Stream<'_>, table: &Table, entry: &Entry, now_ms: u64) -> Option<ServerId> {
    let id = table.value(entry, SERVER_ID, now_ms).filter(|&id| id > 0)?;
    let number = |server: ServerId| u64::from(stream.generation.server(server).id());
    servers(stream).find(|&server| number(server) == id)
}

fn servers<'s>(stream: &'s Stream<'_>) -> impl Iterator<Item = ServerId> + 's {
    let plan = stream.generation.plan();
    let backend = plan.proxy(stream.backend()).backend.as_ref();
    backend.into_iter().flat_map(|b| b.servers.iter().copied())
}

/// The text that stands for a server in `table`.
fn known_as(stream: &Stream<'_>, table: &Table, server: ServerId) -> Arc<str> {
    let plan = stream.generation.plan().server(server);
    if !table.spec().server_key_is_address {
        return Arc::clone(&plan.name);
    }
    match stream.generation.endpoint(plan) {
        crate::plan::Endpoint::Tcp(address) => address.to_string().into(),
        _ => Arc::clone(&plan.name),
    }
}

fn store(stream: &Stream<'_>, table: &Table, key: &[u8], server: ServerId) {
    let now_ms = stream.local.core.now_ms();
    let Some(entry) = table.obtain(key, now_ms) else {
        return;
    };
    let id = u64::from(stream.generation.server(server).id());
    table.set(&entry, SERVER_ID, id, now_ms);
    table.set_name(
        &entry,
        Data::ServerKey,
        Some(known_as(stream, table, server)),
    );
}
