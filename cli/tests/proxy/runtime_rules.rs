//! Maps, ACL files and variables of the process change while it runs, for every core at once.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy};
use std::path::PathBuf;
use tempfile::TempDir;

struct Site {
    listen: Port,
    proxy: Proxy,
    map: PathBuf,
    list: PathBuf,
    _origin: Origin,
    _files: TempDir,
}

fn site(cores: usize, rules: &str) -> Site {
    let files = tempfile::tempdir().expect("a directory");
    let (map, list) = (files.path().join("m.map"), files.path().join("l.lst"));
    std::fs::write(&map, "/a one\n/b two\n").expect("a file");
    std::fs::write(&list, "/blocked\n").expect("a file");
    let listen = Port::reserve();
    let origin = Origin::named("origin");
    let rules = rules
        .replace("@MAP", &map.to_string_lossy())
        .replace("@LIST", &list.to_string_lossy())
        .replace('\n', "\n    ");
    let config = format!(
        "
    set-var proc.hits int(0)
    set-var-fmt proc.name \"n%[int(1)]\"
defaults
    mode http{LONG_TIMEOUTS}
frontend web
    bind *:{listen}
    {rules}
    default_backend origin
backend origin
    server s1 {}
",
        origin.address
    );
    let proxy = Proxy::start(cores, &config);
    Site {
        listen,
        proxy,
        map,
        list,
        _origin: origin,
        _files: files,
    }
}

impl Site {
    /// What the header `x` of the answer says, asked on connections enough to meet every core.
    #[track_caller]
    fn everywhere(&self, path: &str, expected: &str) {
        for _ in 0..8 {
            let answer = Client::connect(self.listen.address()).get(path);
            assert_eq!(answer.header("x").unwrap_or_default(), expected, "{path}");
        }
    }
}

const SHOW: &str = "http-request set-var(txn.p) path
http-response set-header X %[var(txn.p),map(@MAP,none)]";

#[test]
fn an_administrators_changes_are_seen_by_every_core() {
    for cores in CORES {
        let site = site(cores, SHOW);
        let (map, ask) = (site.map.to_string_lossy(), |command: &str| {
            site.proxy.admin(command)
        });
        site.everywhere("/a", "one");
        assert_eq!(ask(&format!("set map {map} /a uno")), "");
        site.everywhere("/a", "uno");
        assert_eq!(ask(&format!("add map {map} /c three")), "");
        site.everywhere("/c", "three");
        assert_eq!(ask(&format!("del map {map} /b")), "");
        site.everywhere("/b", "none");
        assert_eq!(ask(&format!("prepare map {map}")), "New version created: 1");
        assert_eq!(ask(&format!("add map @1 {map} /n new")), "");
        site.everywhere("/n", "none");
        assert_eq!(ask(&format!("commit map @1 {map}")), "");
        site.everywhere("/n", "new");
        site.everywhere("/a", "none");
        assert_eq!(ask(&format!("clear map {map}")), "");
        site.everywhere("/n", "none");
    }
}

#[test]
fn rules_change_maps_and_lists_for_every_core() {
    for cores in CORES {
        let rules = "http-request set-map(@MAP) %[url_param(k)] v%[url_param(v)] if { path /set }
http-request del-map(@MAP) %[url_param(k)] if { path /del }
http-request add-acl(@LIST) %[url_param(k)] if { path /block }
http-request del-acl(@LIST) %[url_param(k)] if { path /allow }
http-request deny if { path -f @LIST }
http-request set-var(txn.p) path
http-response set-header X %[var(txn.p),map(@MAP,none)]";
        let site = site(cores, rules);
        let get = |path: &str| Client::connect(site.listen.address()).get(path);
        for round in 0..50 {
            get(&format!("/set?k=/k{}&v={round}", round % 5));
            site.everywhere(&format!("/k{}", round % 5), &format!("v{round}"));
        }
        get("/del?k=/k1");
        site.everywhere("/k1", "none");
        assert_eq!(get("/blocked").status(), 403);
        get("/block?k=/c");
        for _ in 0..8 {
            assert_eq!(get("/c").status(), 403);
        }
        get("/allow?k=/c");
        for _ in 0..8 {
            assert_eq!(get("/c").status(), 200);
        }
        let listed = site
            .proxy
            .admin(&format!("show acl {}", site.list.display()));
        assert!(listed.ends_with(" /blocked"), "{listed}");
        assert_eq!(listed.lines().count(), 1, "{listed}");
    }
}

#[test]
fn variables_of_the_process_are_one_for_all_cores() {
    for cores in CORES {
        let rules = "http-request set-var(proc.hits) var(proc.hits),add(1)
http-response set-header X %[var(proc.hits)]-%[var(proc.name)]";
        let site = site(cores, rules);
        for hit in 1..=20 {
            let answer = Client::connect(site.listen.address()).get("/");
            assert_eq!(answer.header("x"), Some(&*format!("{hit}-n1")));
        }
        let told = site.proxy.admin("get var proc.hits");
        assert_eq!(told, "proc.hits: type=sint value=<20>");
    }
}
