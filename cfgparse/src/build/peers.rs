//! Who is a peer of whom (manual, 11.2): a table that nobody else shares needs nobody.

use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::model::Model;
use crate::model::section::Peers;

/// The local peer alone has nobody to tell. A section without it does nothing, as in HAProxy.
pub fn peers(cx: &mut Context, model: &Model) {
    let from_environment = cx.environment.value("HAPROXY_LOCALPEER");
    let local = model.global.localpeer.as_deref().or(from_environment);
    let local = local.unwrap_or_default().to_owned();
    for section in &model.peers {
        if section.disabled || section.peers.is_empty() {
            continue;
        }
        if section.peers.iter().any(|peer| peer.name == local) {
            others(cx, section, &local);
        } else {
            let name = &section.name;
            let message =
                format!("Removing incomplete section 'peers {name}' (no peer named '{local}').");
            let span = Span {
                at: section.at,
                len: 6 + name.len() as u32,
            };
            let warning = Diagnostic::new(Severity::Warning, "no-local-peer", Some(span), message);
            cx.report(warning.global());
        }
    }
}

fn others(cx: &mut Context, section: &Peers, local: &str) {
    if cx.options.language_only {
        return;
    }
    for peer in section.peers.iter().filter(|peer| peer.name != local) {
        let message = format!(
            "peers section '{}' : tables are not exchanged with other peers yet, and '{}' is one",
            section.name, peer.name
        );
        let span = Span {
            at: peer.at,
            len: 4,
        };
        let refused = Diagnostic::new(Severity::Alert, "not-supported-yet", Some(span), message);
        cx.report(refused.remedy("remove the other peers, or keep this part on HAProxy meanwhile"));
    }
}
