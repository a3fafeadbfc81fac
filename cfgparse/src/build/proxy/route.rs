//! Which backend, which server: `acl`, `use_backend`, `default_backend`, `use-server`, `redirect`.

use super::draft::{Draft, Reported};
use crate::args::Args;
use crate::build::actions::redirect;
use crate::build::keyword::{Row, proxy_row};
use crate::context::{Context, Reference, ReferenceKind};
use crate::expr::condition::is_predefined;
use crate::expr::{acl, format};
use crate::model::proxy::{PersistRule, RedirectRule, Target, UseBackend, UseServer};
use crate::registry::prelude::*;
use crate::registry::sample::Where;

#[rustfmt::skip]
pub const ROWS: &[Row<Draft>] = &[
    proxy_row("acl", "<name> <criterion> [flags] [operator] <value> ...", "DFLB", Full, "name a test", acl_line),
    proxy_row("default_backend", "<backend>", "DFL", Full, "backend where no rule applies", default_backend),
    proxy_row("force-be-switch", "if|unless <condition>", "FL!", Planned, "route to unpublished backends", |cx, d, a| { d.needed_condition(cx, a, Where::FeUseBackend, "force-be-switch"); }),
    proxy_row("force-persist", "if|unless <condition>", "LB", Full, "keep to a server that is down", |cx, d, a| persist(cx, d, a, true)),
    proxy_row("ignore-persist", "if|unless <condition>", "LB", Full, "ignore the persistence cookie", |cx, d, a| persist(cx, d, a, false)),
    proxy_row("redirect", "location|prefix|scheme <to> [code <code>] <option> [if|unless <condition>]", "FLB", Full, "answer with a redirect", redirect_line),
    proxy_row("use-server", "<server> if|unless <condition>", "LB", Full, "server that a rule picks", use_server),
    proxy_row("use_backend", "<backend> [if|unless <condition>]", "FL", Full, "backend that a rule picks", use_backend),
];

fn acl_line(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    if draft.is_defaults && draft.proxy.name.is_empty() {
        cx.alert(
            args.span(),
            "wrong-section",
            "'acl' not allowed in anonymous 'defaults' section.",
        );
        args.rest();
        return;
    }
    let Some(word) = args.required(cx, "an ACL name") else {
        return;
    };
    let name = word.as_str();
    if let Some(bad) = name
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || "-_.:".contains(*c)))
    {
        let message = format!("character '{bad}' is not permitted in acl name '{name}'.");
        cx.alert(word.span(), "bad-name", message);
        args.rest();
        return;
    }
    if name.eq_ignore_ascii_case("or") {
        let message = format!(
            "acl name '{name}' will never match. 'or' is used to express a logical disjunction within a condition."
        );
        cx.alert(word.span(), "bad-name", message);
    }
    if is_predefined(name) && draft.scope.acl(name).is_none() {
        let message = format!("acl '{name}' takes the place of the predefined ACL of this name.");
        cx.report(crate::diagnostic::Diagnostic::new(
            crate::diagnostic::Severity::Diag,
            "predefined-acl",
            Some(word.span()),
            message,
        ));
    }
    let at = word.span();
    match acl::parse(cx, args.rest(), at) {
        Ok(parsed) => draft.scope.add(name, parsed.test, parsed.available),
        Err(fault) => {
            // Conditions that name it are not to be reported too.
            draft.scope.add_broken(name);
            fault.report(cx, &format!("error detected while parsing ACL '{name}' : "));
        }
    }
}

fn default_backend(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let first = cx.references.len();
    let Some(target) = backend_target(cx, args, "a backend name") else {
        return;
    };
    // The last line counts, and those of a defaults section for proxies that have none.
    draft.default_backend = cx.references.split_off(first).pop();
    draft.proxy.default_backend = Some(target);
}

/// A backend's name, or a format that gives one.
fn backend_target(cx: &mut Context, args: &mut Args, what: &str) -> Option<Target> {
    let word = args.required(cx, what)?;
    if word.text.contains('%') {
        return match format::parse(cx, &word.text, word.span(), Where::FeUseBackend) {
            Ok(format) => Some(Target::Dynamic(format)),
            Err(fault) => {
                fault.report(cx, "error detected while parsing switching rule : ");
                None
            }
        };
    }
    cx.references.push(Reference {
        kind: ReferenceKind::Backend,
        name: word.text.clone(),
        span: word.span(),
    });
    Some(Target::Static(word.text.clone()))
}

fn use_backend(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let at = args.span().at;
    let Some(target) = backend_target(cx, args, "a backend name") else {
        args.rest();
        return;
    };
    let Ok(condition) = draft.condition(cx, args, Where::FeUseBackend, "switching rule") else {
        args.rest();
        return;
    };
    draft.proxy.use_backends.push(UseBackend {
        target,
        condition,
        at,
    });
}

fn use_server(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let at = args.span().at;
    let Some(word) = args.required(cx, "a server name") else {
        return;
    };
    let target = if word.text.contains('%') {
        match format::parse(cx, &word.text, word.span(), Where::BeUseServer) {
            Ok(format) => Target::Dynamic(format),
            Err(fault) => {
                args.rest();
                return fault.report(cx, "error detected while parsing 'use-server' rule : ");
            }
        }
    } else {
        cx.references.push(Reference {
            kind: ReferenceKind::Server,
            name: format!("{}/{}", draft.proxy.name, word.text),
            span: word.span(),
        });
        Target::Static(word.text.clone())
    };
    if args.is_empty() {
        draft.needed_condition(cx, args, Where::BeUseServer, "use-server");
        return;
    }
    match draft.condition(cx, args, Where::BeUseServer, "use-server") {
        Ok(condition) => draft.proxy.use_servers.push(UseServer {
            target,
            condition,
            at,
        }),
        Err(Reported) => {
            args.rest();
        }
    }
}

fn persist(cx: &mut Context, draft: &mut Draft, args: &mut Args, force: bool) {
    let at = args.span().at;
    let what = if force {
        "force-persist"
    } else {
        "ignore-persist"
    };
    if let Some(condition) = draft.needed_condition(cx, args, Where::FeHttpRequest, what) {
        draft.proxy.persist_rules.push(PersistRule {
            force,
            condition,
            at,
        });
    }
}

fn redirect_line(cx: &mut Context, draft: &mut Draft, args: &mut Args) {
    let at = args.span().at;
    let place = draft.request_place();
    let Some(redirect) = redirect::parse(cx, args, place) else {
        args.rest();
        return;
    };
    match draft.condition(cx, args, place, "redirect") {
        Ok(condition) => draft.proxy.rules.redirects.push(RedirectRule {
            redirect,
            condition,
            at,
        }),
        Err(Reported) => {
            args.rest();
        }
    }
}
