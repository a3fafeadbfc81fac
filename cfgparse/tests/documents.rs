//! The documents made from the rows are up to date.

use std::path::Path;

fn check(name: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, wanted).expect("document written");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/{name} is stale: run `UPDATE_DOCS=1 cargo test -p cfgparse --test documents`"
    );
}

#[test]
fn configuration_is_fresh() {
    check("configuration.md", &cfgparse::docs::configuration());
}

#[test]
fn compatibility_is_fresh() {
    check("compatibility.md", &cfgparse::docs::compatibility());
}
