//! Stick tables of all sections.

use std::collections::HashSet;

use cfgparse::model::Model;

use crate::table::Spec;

/// In the order of the configuration.
pub fn compile(model: &Model) -> Vec<Spec> {
    let rules = model.proxies.iter().flat_map(|proxy| &proxy.stick_rules);
    let stuck_to: HashSet<&str> = rules.map(|rule| rule.table.as_str()).collect();
    let of_proxies = model.proxies.iter().filter_map(|p| p.stick_table.as_ref());
    let of_peers = model.peers.iter().flat_map(|peers| &peers.tables);
    let mut tables: Vec<Spec> = of_proxies
        .chain(of_peers)
        .map(|line| Spec::new(line, stuck_to.contains(line.name.as_str())))
        .collect();
    tables.sort_by_key(|table| (table.at.file, table.at.line));
    tables
}
