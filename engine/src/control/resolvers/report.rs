//! What name servers were asked and answered: `show resolvers`, `show stat domain resolvers`.

use std::fmt::Write;
use std::rc::Rc;

use super::name_server::Counters;
use super::section::Section;

/// Names of the counters, as reports and tables have them, and their values.
type Column = (&'static str, &'static str, fn(&Counters) -> u64);

/// HAProxy's order. CNAMEs are followed within an answer and no answer is too big for its buffer,
/// so that two of them stay at 0.
const COLUMNS: &[Column] = &[
    ("sent", "sent", |c| c.sent),
    ("snd_error", "send_error", |c| c.send_error),
    ("valid", "valid", |c| c.valid),
    ("update", "update", |c| c.update),
    ("cname", "cname", |_| 0),
    ("cname_error", "cname_error", |c| c.cname_error),
    ("any_err", "any_err", |c| c.any_err),
    ("nx", "nx", |c| c.nx),
    ("timeout", "timeout", |c| c.timeout),
    ("refused", "refused", |c| c.refused),
    ("other", "other", |c| c.other),
    ("invalid", "invalid", |c| c.invalid),
    ("too_big", "too_big", |_| 0),
    ("truncated", "truncated", |c| c.truncated),
    ("outdated", "outdated", |c| c.outdated),
];

/// All sections, or the one of this name.
pub fn text(sections: &[Rc<Section>], name: Option<&str>) -> Option<String> {
    let chosen = sections
        .iter()
        .filter(|section| name.is_none_or(|name| section.name() == name));
    let mut out = String::new();
    for section in chosen {
        let _ = writeln!(out, "Resolvers section {}", section.name());
        for server in &section.name_servers {
            let _ = writeln!(out, " nameserver {}:", server.name);
            let counters = server.counters.get();
            for (label, _, value) in COLUMNS {
                let _ = writeln!(out, "  {:<12} {}", format!("{label}:"), value(&counters));
            }
        }
    }
    (!out.is_empty() || name.is_none()).then_some(out)
}

/// One line a name server.
pub fn table(sections: &[Rc<Section>]) -> String {
    let mut out = String::from("# id,pid,");
    for (_, name, _) in COLUMNS {
        let _ = write!(out, "{name},");
    }
    out.push('\n');
    for section in sections {
        for server in &section.name_servers {
            let _ = write!(out, "{},{},", server.name, section.name());
            let counters = server.counters.get();
            for (_, _, value) in COLUMNS {
                let _ = write!(out, "{},", value(&counters));
            }
            out.push('\n');
        }
    }
    out
}
