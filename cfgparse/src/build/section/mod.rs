//! Sections that are no proxies.

pub mod access;
pub mod network;
pub mod store;

use crate::ast::{Section, Word};
use crate::context::{Args, Context};

/// The name behind a section's keyword; reported where it is missing.
pub fn name(cx: &mut Context, section: &Section) -> String {
    let mut args = Args::new(&section.header, 1);
    let name = args
        .required(cx, "<name> as argument")
        .map_or_else(String::new, |w| w.text.clone());
    args.finish(cx);
    name
}

/// Reports a keyword that the section doesn't have.
pub fn unknown(cx: &mut Context, word: &Word, section: &str, known: &[&'static str]) {
    let near = crate::diagnostic::closest(&word.text, known.iter().copied());
    let hint = near.map_or(String::new(), |near| {
        format!("; did you mean '{near}' maybe ?")
    });
    let message = format!(
        "unknown keyword '{}' in '{section}' section{hint}",
        word.text
    );
    cx.alert(word.span(), "unknown-keyword", message);
}
