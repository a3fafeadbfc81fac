//! House rules that a machine can check: layers, fenced words, sizes, module sentences.

use regex::Regex;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules of `engine/src` by layer, lowest first. A module may use its own layer and those
/// before it. ARCHITECTURE.md draws the same picture; a new edge changes both.
const LAYERS: &[&[&str]] = &[
    &["limits"],
    &["slots"],
    // Pure decisions: no socket, clock, randomness or thread.
    &[
        "plan", "sample", "rules", "balance", "persist", "server", "gate", "table", "stats", "log",
        "ring", "resolve", "compress", "probe", "cache",
    ],
    &["rt", "tls", "logger"],
    &["state"],
    &["mux"],
    &["pool", "check", "forward"],
    &["service"],
    &["stream"],
    &["session"],
    &["listen"],
    &["shard", "mesh"],
    &["control"],
    &["boot"],
];

const PURE_LAYER: usize = 1;

/// Longest file and longest function, in lines.
const FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

/// Files with a function that is longer because it is one grammar or one table, read from top to
/// bottom: each branch is a word of a line. A new name here needs the same reason.
const GRAMMARS: &[&str] = &[
    "cfgparse/src/build/actions/redirect.rs",
    "cfgparse/src/build/verify.rs",
    "cfgparse/src/build/proxy/log.rs",
    "cfgparse/src/expr/condition.rs",
    "cfgparse/src/expr/acl.rs",
    "cfgparse/src/expr/format.rs",
    "engine/wire/src/status.rs",
];

/// Files that are tables, row after row, and may be longer.
const TABLES: &[&str] = &[];

/// Where a fenced word is looked for.
enum Scope {
    /// Everywhere, tests and comments included.
    Everything,
    /// In what is built into the product: no test, comment, example, or measuring tool.
    Product,
    /// In the crates and modules that decide without effects.
    PureProduct,
}

/// A word that has one home.
struct Fence {
    pattern: &'static str,
    scope: Scope,
    /// Path prefixes in which the word is at home.
    homes: &'static [&'static str],
    reason: &'static str,
}

const FENCES: &[Fence] = &[
    Fence {
        pattern: r"\bunsafe\s*(\{|fn|impl|extern|trait)",
        scope: Scope::Everything,
        homes: &["engine/reactor/"],
        reason: "unsafe code lives in the reactor, one operation a block",
    },
    Fence {
        pattern: r"\b(Instant::now|SystemTime|thread_rng|rand::|std::thread|TcpStream|UdpSocket)\b",
        scope: Scope::PureProduct,
        homes: &[],
        reason: "pure code gets clock, randomness and sockets as arguments",
    },
    Fence {
        pattern: r"\b(reactor|glommio|io_uring)::",
        scope: Scope::PureProduct,
        homes: &[],
        reason: "pure code has no effects",
    },
    Fence {
        pattern: r"\bglommio\b",
        scope: Scope::Product,
        homes: &["engine/src/rt/"],
        reason: "the executor stays replaceable behind rt",
    },
    Fence {
        pattern: r"\brustls(::|_pki_types)",
        scope: Scope::Product,
        homes: &["engine/src/tls/"],
        reason: "the TLS library stays replaceable behind tls",
    },
    Fence {
        pattern: r"\b(todo|unimplemented|dbg)!\s*\(",
        scope: Scope::Everything,
        homes: &["engine/tests/tidy.rs"],
        reason: "unfinished code does not land",
    },
    Fence {
        pattern: r"#\[ignore\]",
        scope: Scope::Everything,
        homes: &["engine/tests/tidy.rs"],
        reason: "an ignored test says why: #[ignore = \"...\"]",
    },
    Fence {
        pattern: r"\b(e?print(ln)?!\s*\(|process::exit)",
        scope: Scope::Product,
        homes: &["cli/"],
        reason: "only cli prints and exits",
    },
    Fence {
        pattern: r"\b(struct|enum|trait)\s+\w*(Manager|Helper|Utils?|Handler)\b",
        scope: Scope::Everything,
        homes: &[],
        reason: "a name says what a thing is",
    },
    Fence {
        pattern: r"\bfn get_\w+",
        scope: Scope::Product,
        homes: &[],
        reason: "accessors have no get_",
    },
];

/// One source file of the workspace.
struct Source {
    /// Relative to the workspace, with slashes.
    path: String,
    text: String,
}

impl Source {
    /// The text without unit tests and comments, line by line with numbers.
    fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines
            .take_while(|(_, line)| !line.trim_start().starts_with("#[cfg(test)]"))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(index, line)| (index + 1, line))
    }

    fn is_product(&self) -> bool {
        let outside = ["/tests/", "/examples/", "/benches/", "/fuzz/"];
        let test_file = self.path.ends_with("/tests.rs");
        !test_file
            && !self.path.starts_with("bench/")
            && !outside.iter().any(|d| self.path.contains(d))
    }

    /// The module of `engine/src` that the file belongs to.
    fn engine_module(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("engine/src/")?;
        let module = rest.split('/').next()?.trim_end_matches(".rs");
        (module != "lib").then_some(module)
    }

    fn is_pure(&self) -> bool {
        let layer = self.engine_module().and_then(layer);
        let crates = ["cfgparse/src/", "engine/wire/src/"];
        layer.is_some_and(|layer| layer <= PURE_LAYER)
            || crates.iter().any(|prefix| self.path.starts_with(prefix))
    }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn workspace() -> PathBuf {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR"));
    engine
        .parent()
        .expect("engine lies in the workspace")
        .to_path_buf()
}

fn sources() -> Vec<Source> {
    let root = workspace();
    let mut found = Vec::new();
    for part in ["cfgparse", "engine", "cli", "bench"] {
        collect(&root.join(part), &root, &mut found);
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

fn collect(folder: &Path, root: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            if !path.ends_with("target") {
                collect(&path, root, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a text");
            let path = path
                .strip_prefix(root)
                .expect("below the root")
                .display()
                .to_string();
            found.push(Source { path, text });
        }
    }
}

#[track_caller]
fn none(what: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{what}:\n  {}", findings.join("\n  "));
}

#[test]
fn every_module_has_a_layer() {
    let unknown = |source: &Source| {
        let module = source.engine_module()?;
        layer(module)
            .is_none()
            .then(|| format!("{}: which layer is {module}?", source.path))
    };
    none(
        "modules without a layer",
        &sources().iter().filter_map(unknown).collect::<Vec<_>>(),
    );
}

#[test]
fn imports_point_down() {
    let import = Regex::new(r"\bcrate::(\{[^}]*\}|\w+)").expect("a pattern");
    let word = Regex::new(r"\w+").expect("a pattern");
    let mut findings = Vec::new();
    for source in sources() {
        let Some(own) = source.engine_module().and_then(layer) else {
            continue;
        };
        for (line, text) in source.product_lines() {
            for names in import.captures_iter(text) {
                let above = word.find_iter(&names[1]).map(|name| name.as_str());
                let above = above.filter(|name| layer(name).is_some_and(|layer| layer > own));
                findings.extend(above.map(|name| format!("{}:{line} uses {name}", source.path)));
            }
        }
    }
    none("imports that point up the layers", &findings);
}

#[test]
fn fenced_words_stay_at_home() {
    let sources = sources();
    for fence in FENCES {
        let pattern = Regex::new(fence.pattern).expect("a pattern");
        let mut findings = Vec::new();
        for source in &sources {
            if fence.homes.iter().any(|home| source.path.starts_with(home)) {
                continue;
            }
            let matching = |(line, text): (usize, &str)| {
                pattern
                    .is_match(text)
                    .then(|| format!("{}:{line} {}", source.path, text.trim()))
            };
            match fence.scope {
                Scope::Everything => {
                    let lines = source
                        .text
                        .lines()
                        .enumerate()
                        .map(|(index, text)| (index + 1, text));
                    findings.extend(lines.filter_map(matching));
                }
                Scope::PureProduct if !source.is_pure() => {}
                Scope::Product | Scope::PureProduct if source.is_product() => {
                    findings.extend(source.product_lines().filter_map(matching));
                }
                Scope::Product | Scope::PureProduct => {}
            }
        }
        none(fence.reason, &findings);
    }
}

#[test]
fn every_file_says_what_it_is() {
    let silent = |source: &Source| {
        let mut lines = source.text.lines().filter(|line| !line.trim().is_empty());
        let first = lines
            .find(|line| !line.starts_with("#!["))
            .unwrap_or_default();
        (!first.starts_with("//! ")).then(|| source.path.clone())
    };
    none(
        "files that do not begin with a //! sentence",
        &sources().iter().filter_map(silent).collect::<Vec<_>>(),
    );
}

#[test]
fn files_are_short() {
    let long = |source: &Source| {
        let lines = source.text.lines().count();
        let allowed = lines <= FILE_LINES_MAX || TABLES.contains(&source.path.as_str());
        (!allowed).then(|| format!("{}: {lines} lines", source.path))
    };
    none(
        "files that are too long",
        &sources().iter().filter_map(long).collect::<Vec<_>>(),
    );
    for table in TABLES {
        assert!(
            workspace().join(table).exists(),
            "{table} is listed as a table and does not exist"
        );
    }
}

#[test]
fn functions_are_short() {
    let begin = Regex::new(r"^(\s*)(pub(\([\w: ]+\))? )?(const )?(async )?(unsafe )?fn (\w+)")
        .expect("a pattern");
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| source.is_product()) {
        let mut open: Option<(String, String, usize)> = None;
        for (line, text) in source.product_lines() {
            if let Some((name, end, first)) = &open {
                if text == end {
                    let length = line - first + 1;
                    let is_grammar = GRAMMARS.contains(&source.path.as_str());
                    if length > FUNCTION_LINES_MAX && !is_grammar {
                        findings.push(format!("{}:{first} {name}: {length} lines", source.path));
                    }
                    open = None;
                }
            } else if let Some(found) = begin.captures(text) {
                // rustfmt puts the closing brace under the beginning, unless it is one line.
                let whole = text.trim_end().ends_with('}') || text.trim_end().ends_with(';');
                if !whole {
                    open = Some((found[7].to_owned(), format!("{}}}", &found[1]), line));
                }
            }
        }
    }
    none("functions that are too long", &findings);
}

#[test]
fn only_the_reactor_may_be_unsafe() {
    for root in [
        "cfgparse/src/lib.rs",
        "engine/wire/src/lib.rs",
        "engine/src/lib.rs",
        "cli/src/main.rs",
        "bench/src/main.rs",
    ] {
        let text = fs::read_to_string(workspace().join(root)).expect("a crate's root");
        assert!(
            text.contains("#![forbid(unsafe_code)]"),
            "{root} does not forbid unsafe code"
        );
    }
}
