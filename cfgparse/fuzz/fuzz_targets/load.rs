//! Whole configurations: never a panic, and a model exactly where nothing is an alert.
#![no_main]

use std::collections::BTreeMap;

use cfgparse::source::Source;
use cfgparse::{Environment, LoadOptions, Severity, load};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let sources = [Source { name: "fuzz.cfg".to_owned(), text: text.to_owned() }];
    let loaded = load(&sources, &Environment::default(), &files, &LoadOptions::default());
    let refused = loaded.severity() == Some(Severity::Alert);
    assert_eq!(loaded.model.is_none(), refused);
    let texts = [text.to_owned()];
    for diagnostic in &loaded.diagnostics {
        diagnostic.render_drawn(&loaded.ast.files, &texts, false);
    }
});
