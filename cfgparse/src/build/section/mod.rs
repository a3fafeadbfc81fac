//! Sections that are no proxies.

pub mod access;
pub mod healthcheck;
pub mod logs;
pub mod network;
pub mod store;

use crate::args::Args;
use crate::ast::Section;
use crate::context::Context;
use crate::registry::Info;

/// Rows for the documents, with the section of each.
pub fn infos() -> impl Iterator<Item = (&'static str, &'static Info)> {
    let names = store::NAMES_ONLY.iter().map(|info| (info.name, info));
    access::infos()
        .chain(network::infos())
        .chain(logs::infos())
        .chain(store::infos())
        .chain(names)
        .chain(healthcheck::INFOS.iter().map(|info| ("healthcheck", info)))
}

/// The name behind a section's keyword; reported where it is missing.
pub fn name(cx: &mut Context, section: &Section) -> String {
    let mut args = Args::new(&section.header, 1);
    let name = args
        .required(cx, "<name> as argument")
        .map_or_else(String::new, |w| w.text.clone());
    args.finish(cx);
    name
}
