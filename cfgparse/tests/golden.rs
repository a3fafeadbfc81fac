//! Configurations and what is said about them: `cfg/*.cfg` against `snapshots/`.
//!
//! Words in the first line, behind `# options:`, choose how a file is judged: `language`, `removed`
//! (keywords that HAProxy removed are refused) and `diag`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use cfgparse::diagnostic::CODES;
use cfgparse::source::Source;
use cfgparse::{Environment, Facts, LoadOptions, Loaded, load};

/// Files that the configurations mention.
fn files() -> BTreeMap<String, Vec<u8>> {
    [
        ("hosts.map", "# hosts\nexample.com bk1\nexample.org bk2\n"),
        ("nets.lst", "10.0.0.0/8\n192.168.0.0/16\n"),
        ("bad.lst", "10.0.0.0/8\nexample.com\n"),
        (
            "503.http",
            "HTTP/1.1 503 Sorry\r\nContent-Length: 0\r\n\r\n",
        ),
        ("/etc/haproxy/certs/my-app.pem", "certificate and key"),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
    .collect()
}

fn judge(name: &str, text: &str) -> Loaded {
    let options = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("# options:"))
        .unwrap_or("");
    let has = |word: &str| options.split_whitespace().any(|option| option == word);
    let facts = Facts {
        version: "3.5-dev5".to_owned(),
        features: vec!["OPENSSL".to_owned(), "THREAD".to_owned()],
        enabled: vec!["REUSEPORT".to_owned()],
        ssllib_name: "AWS-LC 1.50".to_owned(),
        openssl_version: "1.1.1".to_owned(),
        awslc_api: Some(35),
        fips_mode: false,
    };
    let options = LoadOptions {
        facts,
        language_only: has("language"),
        translate_removed: !has("removed"),
        diag: has("diag"),
    };
    let environment: Environment = [("HOST", "127.0.0.1"), ("PORTS", "81 82"), ("EMPTY", "")]
        .into_iter()
        .collect();
    let sources = [Source {
        name: name.to_owned(),
        text: text.to_owned(),
    }];
    load(&sources, &environment, &files(), &options)
}

fn told(loaded: &Loaded) -> String {
    let mut out = String::new();
    for diagnostic in &loaded.diagnostics {
        let column = diagnostic.span.map_or(0, |span| span.at.column);
        let plain = diagnostic.render_plain(&loaded.ast.files, 1);
        let _ = writeln!(out, "{} @{column} {plain}", diagnostic.code);
    }
    let _ = writeln!(
        out,
        "{}",
        if loaded.model.is_some() {
            "accepted"
        } else {
            "refused"
        }
    );
    out
}

#[test]
fn findings_are_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cfg");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("tests/cfg")
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort_unstable();
    let mut codes = BTreeSet::new();
    for name in &names {
        let text = std::fs::read_to_string(folder.join(name)).expect("text");
        let loaded = judge(name, &text);
        codes.extend(loaded.diagnostics.iter().map(|diagnostic| diagnostic.code));
        insta::assert_snapshot!(name.trim_end_matches(".cfg"), told(&loaded));
    }
    let known: BTreeSet<&str> = CODES.iter().copied().collect();
    assert_eq!(
        known.difference(&codes).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "never shown"
    );
    assert_eq!(
        codes.difference(&known).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "not in the list"
    );
}

/// Every `.rs` file below `folder`.
fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("src") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(std::fs::read_to_string(&path).expect("text"));
        }
    }
}

/// A kind that no golden shows can't be added in silence: what the code names must be in the list,
/// and what is in the list must be shown above.
#[test]
fn every_kind_of_finding_is_in_the_list() {
    let mut texts = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut texts,
    );
    let spans = r"(?:[\w.]+\(\)|[\w.*]+|span\([^)]*\)|header\(\w+\))";
    let pattern = format!(
        r#"(?s)(?:(?:alert|warn|refuse)\(\s*(?:cx,\s*)?(?:{spans},\s*)?|Fault::new\(\s*|Diagnostic::new\(\s*[\w:]+,\s*)"([a-z][a-z0-9-]+)""#
    );
    let pattern = regex::Regex::new(&pattern).expect("pattern");
    let named: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| pattern.captures_iter(text))
        .map(|found| found.get(1).map_or("", |code| code.as_str()))
        .filter(|code| code.contains('-') || *code == "message" || *code == "partial")
        .collect();
    let known: BTreeSet<&str> = CODES.iter().copied().collect();
    assert!(named.len() > CODES.len() / 2, "{named:?}");
    assert_eq!(
        named.difference(&known).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "not in the list"
    );
}

#[test]
fn ten_mistakes_are_ten_findings() {
    let text = include_str!("cfg/ten-mistakes.cfg");
    let alerts = judge("ten-mistakes.cfg", text).diagnostics.len();
    assert_eq!(alerts, 10);
}

#[test]
fn the_models_of_whole_products_are_as_recorded() {
    for name in ["website", "weighted", "https"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cfg/{name}.cfg"));
        let loaded = judge(name, &std::fs::read_to_string(path).expect("text"));
        let model = loaded.model.expect("accepted");
        let mut shown = String::new();
        for proxy in &model.proxies {
            let _ = writeln!(
                shown,
                "{} {} {:?} {:?} {:?}",
                proxy.kind.keyword(),
                proxy.name,
                proxy.mode,
                proxy.balance.algorithm,
                proxy.timeouts
            );
            for bind in &proxy.binds {
                let _ = writeln!(
                    shown,
                    "  bind {:?} tls {:?}",
                    bind.addresses,
                    bind.tls.as_ref().map(|t| &t.crt)
                );
            }
            for server in &proxy.servers {
                let _ = writeln!(
                    shown,
                    "  server {} {:?} {:?} weight {} backup {} {:?}",
                    server.name,
                    server.address,
                    server.port,
                    server.weight,
                    server.backup,
                    server.check
                );
            }
            let _ = writeln!(shown, "  rules {:#?}", proxy.rules.http_request);
            let _ = writeln!(
                shown,
                "  use {:#?} default {:?}",
                proxy.use_backends, proxy.default_backend
            );
            let _ = writeln!(shown, "  acls {:#?}", proxy.acls);
        }
        insta::assert_snapshot!(format!("model-{name}"), shown);
    }
}
