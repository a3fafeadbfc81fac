//! What of a configuration works here: the keywords in use, by status.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::context::Use;
use crate::diagnostic::{Diagnostic, Severity};
use crate::load::Loaded;
use crate::model::Place;
use crate::registry::{Info, Status};

/// One keyword of a configuration.
#[derive(Clone, Debug)]
pub struct Row {
    pub info: &'static Info,
    /// How often it stands there.
    pub count: usize,
    /// Where it stands first.
    pub first: Place,
}

/// The keywords in use: those that are refused first, then ignored, partial, full; the most used
/// first within each.
pub fn rows(uses: &[Use]) -> Vec<Row> {
    let mut index: HashMap<*const Info, usize> = HashMap::new();
    let mut rows: Vec<Row> = Vec::new();
    for used in uses {
        let slot = *index
            .entry(std::ptr::from_ref(used.info))
            .or_insert_with(|| {
                rows.push(Row {
                    info: used.info,
                    count: 0,
                    first: used.at,
                });
                rows.len() - 1
            });
        rows[slot].count += 1;
    }
    rows.sort_by_key(|row| {
        (
            order(row.info.status),
            std::cmp::Reverse(row.count),
            row.info.name,
        )
    });
    rows
}

fn order(status: Status) -> usize {
    ["refused", "partial", "ignored", "full"]
        .iter()
        .position(|word| *word == status.word())
        .unwrap_or(usize::MAX)
}

/// The report as text.
pub fn text(loaded: &Loaded) -> String {
    let rows = rows(&loaded.uses);
    let mut out = String::new();
    for word in ["refused", "partial", "ignored", "full"] {
        let these: Vec<&Row> = rows
            .iter()
            .filter(|row| row.info.status.word() == word)
            .collect();
        let _ = writeln!(out, "{word}: {}", these.len());
        for row in these {
            let file = loaded
                .ast
                .files
                .get(row.first.file as usize)
                .map_or("", String::as_str);
            let _ = write!(
                out,
                "  {:<32} {:>4}x  {file}:{}",
                row.info.name, row.count, row.first.line
            );
            let note = row.info.status.note();
            if !note.is_empty() {
                let _ = write!(out, "  {note}");
            }
            out.push('\n');
        }
    }
    let files = &loaded.ast.files;
    findings(&mut out, "old spellings", files, loaded, |d| {
        d.code == "old-spelling"
    });
    findings(&mut out, "not understood", files, loaded, |d| {
        d.severity == Severity::Alert && !d.is_about_support() && d.code != "old-spelling"
    });
    out
}

fn findings(
    out: &mut String,
    heading: &str,
    files: &[String],
    loaded: &Loaded,
    belongs: impl Fn(&Diagnostic) -> bool,
) {
    let these: Vec<&Diagnostic> = loaded.diagnostics.iter().filter(|d| belongs(d)).collect();
    let _ = writeln!(out, "{heading}: {}", these.len());
    for finding in these {
        let at = finding.span.unwrap_or_default().at;
        let file = files.get(at.file as usize).map_or("", String::as_str);
        let _ = writeln!(out, "  {file}:{}  {}", at.line, finding.message);
    }
}

/// The report as data.
pub fn json(loaded: &Loaded) -> serde_json::Value {
    rows(&loaded.uses)
        .iter()
        .map(|row| {
            serde_json::json!({
                "keyword": row.info.name,
                "status": row.info.status.word(),
                "note": row.info.status.note(),
                "count": row.count,
                "file": loaded.ast.files.get(row.first.file as usize),
                "line": row.first.line,
            })
        })
        .collect()
}
