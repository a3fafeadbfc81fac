//! A configuration consists of bytes: those that are no UTF-8 come through unchanged.

use std::fs;

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Port, Proxy};

/// Request target, and the body that answers it.
const ANSWERS: &[(&str, &[u8])] = &[
    ("/%e9", b"a\xe0b\xff"),
    ("/x%ea", b"m\xe8 E0FF none"),
    ("/m%e0", b"m\xe8 E0FF v\xe1"),
    ("/%c3%a9", b"n\xc3\xa9"),
];

fn configuration(listen: &Port, map: &str) -> Vec<u8> {
    let mut text =
        format!("defaults\n mode http{LONG_TIMEOUTS}\nfrontend f\n bind *:{listen}\n").into_bytes();
    text.extend_from_slice(
        b" http-request return status 200 content-type a/b string \"a\xe0b\\xFF\" if { path,url_dec -m str /\xe9 }\n",
    );
    text.extend_from_slice(
        b" http-request return status 200 content-type a/b string n\xc3\xa9 if { path,url_dec -m reg ^/[\xc3\xa9]+$ }\n",
    );
    let lines = format!("%[path,url_dec,map({map},none)]\" if {{ path,url_dec -m reg ");
    text.extend_from_slice(
        b" http-request return status 200 content-type a/b lf-string \"m\xe8 %[str(\xe0\xff),hex] ",
    );
    text.extend_from_slice(lines.as_bytes());
    text.extend_from_slice(b"\xea$ } || { path -m beg /m }\n");
    text
}

#[test]
fn bytes_come_through() {
    for cores in CORES {
        let listen = Port::reserve();
        let folder = tempfile::tempdir().expect("a folder");
        let map = folder.path().join("m.map");
        fs::write(&map, b"/m\xe0 v\xe1\n").expect("written");
        let text = configuration(&listen, &map.display().to_string());
        let _proxy = Proxy::start(cores, &text);
        for (target, body) in ANSWERS {
            let answer = Client::connect(listen.address()).get(target);
            assert_eq!(answer.body, *body, "{target}");
        }
    }
}
