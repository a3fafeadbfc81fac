//! Documents made from the rows: the reference and the compatibility table.

use std::fmt::Write as _;

use crate::registry::catalog::{Entry, Kind, all};
use crate::registry::{Full, Harmless, Ignored, Partial, Planned, Refused};

const NOTE: &str = "<!-- Made from the rows of cfgparse by `UPDATE_DOCS=1 cargo test -p cfgparse --test documents`. -->";

/// `docs/configuration.md`: every keyword, its syntax, where it stands, what it is for.
pub fn configuration() -> String {
    let mut out = format!("# Configuration keywords\n\n{NOTE}\n\n");
    out.push_str(
        "Every keyword of HAProxy's language, with what stands behind it and where it may stand. What\n\
         each means in full is in HAProxy's own manual; how far each works here is in\n\
         [compatibility.md](compatibility.md). `engine explain KEYWORD` prints a row.\n",
    );
    by_kind(
        &mut out,
        &["keyword", "arguments", "where", "what for"],
        |entry| {
            vec![
                code(entry.info.name),
                code(entry.info.syntax),
                entry.place.clone(),
                entry.info.doc.to_owned(),
            ]
        },
    );
    out
}

/// `docs/compatibility.md`: how far each keyword works.
pub fn compatibility() -> String {
    let mut out = format!("# Compatibility with HAProxy\n\n{NOTE}\n\n");
    out.push_str(
        "- **full**: works end to end.\n\
         - **partial**: works but for what the note says.\n\
         - **ignored**: accepted and without effect, because it is harmless here.\n\
         - **refused**: a configuration that uses it does not start; the note says what to do instead.\n\n",
    );
    out.push_str(&summary());
    by_kind(&mut out, &["keyword", "where", "status", "note"], |entry| {
        let status = entry.info.status;
        vec![
            code(entry.info.name),
            entry.place.clone(),
            status.word().to_owned(),
            status.note().to_owned(),
        ]
    });
    out
}

/// How many rows of each kind have which status.
fn summary() -> String {
    let entries = all();
    let mut out = "| | full | partial | ignored | refused |\n|---|---|---|---|---|\n".to_owned();
    let mut kinds: Vec<Kind> = entries.iter().map(|entry| entry.kind).collect();
    kinds.dedup();
    for kind in kinds {
        let count = |wanted: &str| {
            entries
                .iter()
                .filter(|e| e.kind == kind && e.info.status.word() == wanted)
                .count()
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            kind.heading(),
            count("full"),
            count("partial"),
            count("ignored"),
            count("refused")
        );
    }
    out
}

fn by_kind(out: &mut String, heads: &[&str], row: impl Fn(&Entry) -> Vec<String>) {
    let mut kind = None;
    for entry in all() {
        if kind != Some(entry.kind) {
            kind = Some(entry.kind);
            let _ = write!(
                out,
                "\n## {}\n\n| {} |\n",
                entry.kind.heading(),
                heads.join(" | ")
            );
            let _ = writeln!(out, "|{}", "---|".repeat(heads.len()));
        }
        let _ = writeln!(out, "| {} |", row(&entry).join(" | "));
    }
}

/// As code in a table's cell.
fn code(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("`{}`", text.replace('|', "\\|"))
    }
}

/// What `engine explain` prints of a row.
pub fn explanation(entry: &Entry) -> String {
    let info = entry.info;
    let mut out = format!("{} {}\n", info.name, info.syntax)
        .trim_end()
        .to_owned();
    let _ = write!(out, "\n  {}\n  stands in: {}\n", info.doc, entry.place);
    let note = match info.status {
        Full => "works in full".to_owned(),
        Partial(missing) => format!("works in part: {missing}"),
        Ignored(why) => format!("accepted and without effect: {why}"),
        Harmless => {
            "accepted and without effect so far: nothing that anyone sees depends on it".to_owned()
        }
        Refused(instead) => format!("refused: {instead}"),
        Planned => "refused: not supported yet".to_owned(),
    };
    let _ = writeln!(out, "  {note}");
    out
}
