//! `bind`, `server`, `default-server`, `server-template` lines.

use super::draft::Draft;
use crate::address;
use crate::args::Args;
use crate::build::bind;
use crate::build::keyword::{Row, lax_end, proxy_row};
use crate::build::server::{self, Params};
use crate::context::{Context, Reference, ReferenceKind};
use crate::registry::Info;
use crate::registry::prelude::*;

#[rustfmt::skip]
pub const ROWS: &[Row<Draft>] = &[
    proxy_row("bind", "<address>[,...] [param*]", "FL", Full, "where to accept connections", |cx, d, a| {
        if let Some(bind) = bind::parse(cx, a, "bind", d.keyword()) {
            d.proxy.binds.push(bind);
        }
        a.rest();
    }),
    proxy_row("ssl-f-use", "<filename> [param*]", "FL", Planned, "certificate of this frontend's listeners", |cx, _, a| {
        if !a.upcoming().iter().any(|word| word.text == "crt") {
            a.unexpected_end(cx, "'crt' <file>");
        }
        a.rest();
    }),
    proxy_row("default-server", "[param*]", "DLB!", Full, "parameters of the servers below", default_server),
    proxy_row("server", "<name> <address>[:[port]] [param*]", "LB!", Full, "one server", server_line),
    proxy_row("server-template", "<prefix> <num>|<range> <fqdn>[:<port>] [param*]", "LB!", Full, "several servers of one name", template),
    lax_end(proxy_row("use-fcgi-app", "<name>", "LB!", Planned, "speak FastCGI to servers", |cx, _, a| {
        if let Some(word) = a.required(cx, "an application") {
            cx.references.push(Reference { kind: ReferenceKind::FcgiApp, name: word.text.clone(), span: word.span() });
        }
    })),
];

fn default_server(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let label = format!("'default-server' of {}", draft.described());
    let name = if args.accept("name") {
        args.text(cx, "a name")
    } else {
        None
    };
    let mut params = match &name {
        None => std::mem::take(&mut draft.default_server),
        Some(name) => draft.named_params.remove(name).unwrap_or_default(),
    };
    if let Some(origin) = origin(cx, draft, args) {
        params = origin;
    }
    params.is_default = true;
    server::params(cx, &mut params, args, &label);
    params.is_default = false;
    args.rest();
    match name {
        None => draft.default_server = params,
        Some(name) => {
            draft.named_params.insert(name, params);
        }
    }
}

static FROM: Info = Info {
    name: "from",
    syntax: "none|be:[<backend>]|srv:[<backend>/]<server>",
    status: Full,
    doc: "begin with the parameters of another server",
};

/// `from ORIGIN`, if it stands here.
fn origin(cx: &mut Context, draft: &Draft, args: &mut Args) -> Option<Params> {
    let span = args.here();
    if !args.accept("from") {
        return None;
    }
    cx.used(&FROM, span);
    let word = args.required(cx, "'none', 'be:[<backend>]' or 'srv:[<backend>/]<server>'")?;
    let own = |backend: &str| backend.is_empty() || backend == draft.proxy.name;
    let found = match word.text.split_once(':') {
        None if word.text == "none" => Some(Params::default()),
        Some(("be", backend)) if own(backend) => Some(draft.default_server.clone()),
        Some(("srv", name)) => {
            let (backend, name) = name.split_once('/').unwrap_or(("", name));
            if own(backend) {
                draft.named_params.get(name).cloned()
            } else {
                None
            }
        }
        _ => None,
    };
    if found.is_none() {
        let message = format!(
            "unable to find the origin '{}' of these parameters.",
            word.text
        );
        cx.alert(word.span(), "unknown-name", message);
    }
    found
}

fn check_name(cx: &mut Context, word: &crate::ast::Word) {
    let bad = word
        .text
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || "-_.:".contains(*c)));
    if let Some(bad) = bad {
        let message = format!(
            "character '{bad}' is not permitted in server name '{}'.",
            word.text
        );
        cx.alert(word.span(), "bad-name", message);
    }
}

/// Address and parameters, on top of what `default-server` said.
fn params(cx: &mut Context, draft: &Draft, args: &mut Args, name: &str) -> Option<Params> {
    let word = args.required(cx, "<name> and <addr>[:<port>] as arguments")?;
    let origin = origin(cx, draft, args);
    let mut params = origin.unwrap_or_else(|| draft.default_server.clone());
    name.clone_into(&mut params.server.name);
    params.server.at = args.span().at;
    params.server.written.clone_from(&word.text);
    let what = format!("server {}/{name}", draft.proxy.name);
    match address::server(&cx.address(&word.text)) {
        Ok((addr, port)) => {
            params.server.address = addr;
            params.server.port = port;
        }
        Err(error) => cx.alert(word.span(), "bad-address", format!("'{what}' : {error}")),
    }
    server::params(cx, &mut params, args, &format!("'{what}'"));
    args.rest();
    Some(params)
}

pub fn server_line(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let Some(word) = args.required(cx, "<name> and <addr>[:<port>] as arguments") else {
        return;
    };
    check_name(cx, word);
    if let Some(first) = draft.server_places.get(&word.text) {
        let message = format!(
            "{} has more than one server with the name '{}' : first declared at {}.",
            draft.described(),
            word.text,
            cx.locate(*first)
        );
        cx.alert(word.span(), "duplicate-name", message);
    } else {
        draft.server_places.insert(word.text.clone(), word.at);
    }
    if let Some(params) = params(cx, draft, args, &word.text) {
        draft.proxy.servers.push(params.server);
    }
}

/// Servers that one template may make.
const MAX_TEMPLATE: u32 = 65_536;

fn template(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let Some(prefix) = args.required(cx, "<prefix>, <num> and <addr>[:<port>] as arguments") else {
        return;
    };
    check_name(cx, prefix);
    let Some(word) = args.required(cx, "<num>") else {
        return;
    };
    let (low, high) = word.text.split_once('-').unwrap_or(("1", &word.text));
    let range = low.parse::<u32>().ok().zip(high.parse::<u32>().ok());
    let range = range.filter(|(low, high)| *low > 0 && low <= high && high - low < MAX_TEMPLATE);
    let Some((low, high)) = range else {
        args.unexpected(cx, word, "a number, or a range such as 1-5");
        args.rest();
        return;
    };
    let Some(params) = params(cx, draft, args, &prefix.text) else {
        return;
    };
    if !cx.unroll((high - low) as usize + 1, word.span()) {
        return;
    }
    for number in low..=high {
        let mut server = params.server.clone();
        server.name = format!("{}{number}", prefix.text);
        server.template = Some(prefix.text.clone());
        draft
            .server_places
            .entry(server.name.clone())
            .or_insert(prefix.at);
        draft.proxy.servers.push(server);
    }
}
