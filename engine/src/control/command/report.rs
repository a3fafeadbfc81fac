//! Reports of counters and states: `show stat`, `show info`, `show servers`, `show backend`.

use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::reply::{Answer, Refusal, Reply};
use crate::control::servers;
use crate::stats::{self, Format, ProxyFacts, Selection, Snapshot};
use std::fmt::Write;

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("show backend", "show backend",
        "list backends in the current running config", Level::User, backends),
    row("show default-server", "show default-server [<backend>]",
        "list default-server instances in all or a single backend", Level::User, default_servers),
    row("show info", "show info [desc|json|typed|float]*",
        "report information about the running process", Level::User, info),
    row("show resolvers", "show resolvers [id]",
        "dumps counters from all resolvers section and associated name servers", Level::User, resolvers),
    row("show servers conn", "show servers conn [<backend>]",
        "dump server connections status (all or for a single backend)", Level::User,
        |call| servers_of(call, servers::connections)),
    row("show servers state", "show servers state [<backend>]",
        "dump volatile server information (all or for a single backend)", Level::User,
        |call| servers_of(call, servers::state)),
    row("show stat", "show stat [desc|json|no-maint|typed|up]*",
        "report counters for each proxy and server", Level::User, stat),
];

fn info(call: &mut Call<'_>) -> Answer {
    let (mut format, mut desc, mut float) = (Format::Plain, false, false);
    for word in &call.words[2..] {
        match word.as_str() {
            "typed" => format = Format::Typed,
            "json" => format = Format::Json,
            "desc" => desc = true,
            "float" => float = true,
            _ => {}
        }
    }
    Ok(Reply::Report(stats::info(
        &call.ops.snapshot().process,
        format,
        desc,
        float,
    )))
}

fn resolvers(call: &mut Call<'_>) -> Answer {
    let section = Some(call.word(2)).filter(|name| !name.is_empty());
    match call.ops.resolvers(section) {
        Some(text) => Ok(Reply::Report(text)),
        None => Err("Can't find that resolvers section".into()),
    }
}

/// `show stat [domain proxy] [{iid|name} type sid] [typed|json] [desc] [up|no-maint]`.
fn stat(call: &mut Call<'_>) -> Answer {
    let mut words = &call.words[2..];
    if words.first().is_some_and(|word| word == "domain") {
        match words.get(1).map(String::as_str) {
            Some("proxy") => words = &words[2..],
            Some("resolvers") => return Ok(Reply::Report(call.ops.resolvers_table())),
            _ => return Err("Invalid statistics domain.".into()),
        }
    }
    let snapshot = call.ops.snapshot();
    let mut selection = Selection::ALL;
    if let [proxy, kinds, object, ..] = words
        && let (Ok(kinds), Ok(object)) = (kinds.parse::<i32>(), object.parse::<i32>())
    {
        selection.proxy = selected_proxy(&snapshot, proxy)?;
        selection.kinds = kinds as u32;
        selection.object = u32::try_from(object).ok().filter(|id| *id > 0);
        words = &words[3..];
    }
    let (mut format, mut desc) = (Format::Plain, false);
    for word in words {
        match word.as_str() {
            "typed" => format = Format::Typed,
            "json" => format = Format::Json,
            "desc" => desc = true,
            "up" => selection.up_only = true,
            "no-maint" => selection.no_maint = true,
            _ => {}
        }
    }
    Ok(Reply::Report(stats::stat(
        &snapshot, &selection, format, desc,
    )))
}

/// The proxy's id for a number or a name; `None` for -1, which is all.
fn selected_proxy(snapshot: &Snapshot, word: &str) -> Result<Option<u32>, Refusal> {
    if let Ok(id) = word.parse::<i64>() {
        return Ok(u32::try_from(id).ok());
    }
    let named = snapshot.proxies.iter().find(|proxy| proxy.name == word);
    named
        .map(|proxy| Some(proxy.id))
        .ok_or_else(|| "No such proxy.".into())
}

fn backends(call: &mut Call<'_>) -> Answer {
    let mut out = String::from("# name\n");
    for proxy in call
        .ops
        .snapshot()
        .proxies
        .iter()
        .filter(|proxy| proxy.back.is_some())
    {
        let _ = writeln!(out, "{}", proxy.name);
    }
    Ok(Reply::Report(out))
}

/// What `from` of a server that is added may name: `*` for what the backend itself says.
fn default_servers(call: &mut Call<'_>) -> Answer {
    let mut out = String::new();
    for (backend, names) in call.ops.default_servers(call.word(2))? {
        let mut names = names.iter();
        let _ = match names.as_slice().first() {
            Some(first) if first.is_empty() => {
                names.next();
                writeln!(out, "* {backend}")
            }
            _ => Ok(()),
        };
        for name in names {
            let _ = writeln!(out, "  {backend}/{name}");
        }
    }
    Ok(Reply::Report(out))
}

fn servers_of(call: &mut Call<'_>, print: fn(&Snapshot, &[&ProxyFacts]) -> String) -> Answer {
    let snapshot = call.ops.snapshot();
    let name = call.word(3);
    let id = name.strip_prefix('#').unwrap_or(name).parse::<u32>().ok();
    let wanted = |proxy: &&ProxyFacts| {
        name.is_empty() || proxy.name == name || id.is_some_and(|id| id == proxy.id)
    };
    let backends = snapshot.proxies.iter().filter(|proxy| proxy.back.is_some());
    let chosen: Vec<_> = backends.filter(wanted).collect();
    if chosen.is_empty() && !name.is_empty() {
        return Err("Can't find backend.".into());
    }
    Ok(Reply::Report(print(&snapshot, &chosen)))
}
