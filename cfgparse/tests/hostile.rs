//! No text makes the parser panic, hang or grow without bound.

use std::collections::BTreeMap;
use std::path::Path;

use cfgparse::source::Source;
use cfgparse::{Environment, LoadOptions, load};
use proptest::prelude::*;

fn judge(text: &str) -> usize {
    let files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let sources = [Source {
        name: "hostile.cfg".to_owned(),
        text: text.to_owned(),
    }];
    let loaded = load(
        &sources,
        &Environment::default(),
        &files,
        &LoadOptions::default(),
    );
    let texts = [text.to_owned()];
    for diagnostic in &loaded.diagnostics {
        diagnostic.render_drawn(&loaded.ast.files, &texts, false);
        diagnostic.render_plain(&loaded.ast.files, 1);
    }
    loaded.diagnostics.len()
}

/// The configurations of the golden tests, as raw material.
fn material() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cfg");
    let mut texts: Vec<String> = std::fs::read_dir(folder)
        .expect("tests/cfg")
        .map(|entry| std::fs::read_to_string(entry.expect("entry").path()).expect("text"))
        .collect();
    texts.sort_unstable();
    texts
}

/// Words that mean something somewhere.
fn word() -> impl Strategy<Value = String> {
    let words: Vec<String> = material()
        .iter()
        .flat_map(|text| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    prop_oneof![4 => prop::sample::select(words), 1 => "\\PC{0,12}"]
}

proptest! {
    // PROPTEST_CASES=100000 makes it a long run.
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn bytes_of_configurations_flipped(
        which in 0_usize..100,
        flips in prop::collection::vec((0.0_f64..1.0, 0_u8..), 1..12),
    ) {
        let texts = material();
        let mut bytes = texts[which % texts.len()].clone().into_bytes();
        for (place, byte) in flips {
            let at = (place * bytes.len() as f64) as usize;
            bytes[at] = byte;
        }
        judge(&cfgparse::bytes::text(bytes));
    }

    #[test]
    fn lines_of_configurations_crossed(
        from in prop::collection::vec((0_usize..100, 0_usize..200), 1..30),
    ) {
        let texts = material();
        let line = |(which, line): &(usize, usize)| {
            let lines: Vec<&str> = texts[which % texts.len()].lines().collect();
            lines[line % lines.len()].to_owned()
        };
        let lines: Vec<String> = from.iter().map(line).collect();
        judge(&format!("listen l\n{}\n", lines.join("\n")));
    }

    #[test]
    fn any_text(text in "(\\PC|\n){0,400}") {
        judge(&text);
    }

    #[test]
    fn known_words_in_any_order(lines in prop::collection::vec(prop::collection::vec(word(), 1..8), 1..20)) {
        let lines: Vec<String> = lines.iter().map(|words| words.join(" ")).collect();
        judge(&format!("listen l\n{}\n", lines.join("\n")));
    }

    #[test]
    fn damaged_configurations(
        which in 0_usize..100,
        cut in 0.0_f64..1.0,
        length in 0_usize..40,
        insert in "(\\PC|\n|\"|'|\\\\|%|\\{|\\[|\\()(\\PC){0,3}",
    ) {
        let texts = material();
        let mut chars: Vec<char> = texts[which % texts.len()].chars().collect();
        let from = (cut * chars.len() as f64) as usize;
        let to = (from + length).min(chars.len());
        chars.splice(from..to, insert.chars());
        judge(&chars.into_iter().collect::<String>());
    }
}

#[test]
fn what_doubles_is_stopped() {
    let mut text = "global\n setenv A xxxxxxxxxxxxxxxx\n".to_owned();
    for _ in 0..64 {
        text.push_str(" setenv A \"$A$A\"\n");
    }
    assert!(judge(&text) > 0);
}

#[test]
fn what_unrolls_is_bounded() {
    let mut text = "listen l\n timeout client 1s\n".to_owned();
    for _ in 0..200 {
        text.push_str(" bind 10.0.0.1:1-65535\n server-template s 65000 localhost:80\n");
    }
    assert!(judge(&text) > 0);
}

#[test]
fn what_nests_is_bounded() {
    judge(&format!("global\n.if {}\n.endif\n", "(".repeat(100_000)));
    judge(&format!("global\n{}", ".if 1\n".repeat(100_000)));
    judge(&format!(
        "listen l\n http-request set-header a %[{}]\n",
        "path,lower,".repeat(20_000)
    ));
    judge(&format!(
        "listen l\n server s 127.0.0.1:80 {}\n",
        "check ".repeat(60_000)
    ));
    judge(&format!("listen l\n acl a path {}\n", "/x ".repeat(60_000)));
}
