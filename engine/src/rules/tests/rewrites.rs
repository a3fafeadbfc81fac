//! Heads that rules rewrite.

use super::*;

#[test]
fn headers_are_added_set_and_deleted() {
    let mut scene = Scene::request(&["GET /p HTTP/1.1", "host: h", "x: 1", "x: 2", "x-y: 3"]);
    let set = |name: &str, value| Action::SetHeader {
        name: name.to_owned(),
        value,
    };
    let delete = |name: &str, method| Action::DelHeader {
        name: name.to_owned(),
        method,
    };
    let verdict = run(
        &mut scene,
        Kind::HttpRequest,
        &[
            rule(set("X", format("a%[path]b"))),
            rule(Action::AddHeader {
                name: "Host".to_owned(),
                value: text("second"),
            }),
            rule(set("X-Src", format("%ci:%[src_port]"))),
            rule(delete("x-y", HeaderMatch::Str)),
        ],
    );
    assert_eq!(verdict, Verdict::Continue);
    assert_eq!(
        fields(&scene),
        [
            "host: h",
            "x: a/pb",
            "host: second",
            "x-src: 192.0.2.1:1234"
        ]
    );
    for (name, method, left) in [
        ("x-", HeaderMatch::Beg, 3),
        ("OST", HeaderMatch::End, 1),
        ("^x$", HeaderMatch::Reg, 0),
        ("q", HeaderMatch::Sub, 0),
    ] {
        run(&mut scene, Kind::HttpRequest, &[rule(delete(name, method))]);
        assert_eq!(fields(&scene).len(), left, "{name}");
    }
}

#[test]
fn headers_are_replaced_by_line_and_by_value() {
    let lines = [
        "GET / HTTP/1.1",
        "cookie: foo=123; bar",
        "x-forwarded-for: 192.168.1.1, 172.16.1.1",
    ];
    let mut scene = Scene::request(&lines);
    let rules = [
        // The manual's examples of replace-header and replace-value.
        rule(Action::ReplaceHeader {
            name: "Cookie".to_owned(),
            regex: "foo=([^;]*);(.*)".to_owned(),
            replacement: format("foo=\\1;ip=%bi;\\2"),
        }),
        rule(Action::ReplaceValue {
            name: "X-Forwarded-For".to_owned(),
            regex: "^192\\.168\\.(.*)$".to_owned(),
            replacement: text("172.16.\\1"),
        }),
    ];
    run(&mut scene, Kind::HttpRequest, &rules);
    assert_eq!(
        fields(&scene),
        [
            "cookie: foo=123;ip=; bar",
            "x-forwarded-for: 172.16.1.1, 172.16.1.1"
        ]
    );
}

#[test]
fn the_target_is_edited_in_parts() {
    let replace = |regex: &str, replacement: &str| (regex.to_owned(), text(replacement));
    let (path, uri, pathq) = (
        replace("(.*)", "/foo\\1"),
        replace("^http://dark(.*)", "http://light\\1"),
        replace("/foo(.*)", "/bar\\1"),
    );
    for (action, from, to) in [
        (Action::SetPath(text("/new")), "/old?q=1", "/new?q=1"),
        (Action::SetPathq(text("/new?z")), "/old?q=1", "/new?z"),
        (
            Action::SetQuery(format("%[query,lower]")),
            "/p?ABC",
            "/p?abc",
        ),
        (Action::SetUri(text("http://x/y")), "/p", "http://x/y"),
        (
            Action::SetPath(text("/new")),
            "http://h/old?q",
            "http://h/new?q",
        ),
        (
            Action::ReplacePath {
                regex: path.0,
                replacement: path.1,
            },
            "/p?q=/p",
            "/foo/p?q=/p",
        ),
        (
            Action::ReplaceUri {
                regex: uri.0,
                replacement: uri.1,
            },
            "http://dark/a?b",
            "http://light/a?b",
        ),
        (
            Action::ReplacePathq {
                regex: pathq.0,
                replacement: pathq.1,
            },
            "/foo?x",
            "/bar?x",
        ),
    ] {
        let mut scene = Scene::request(&[&format!("GET {from} HTTP/1.1")]);
        assert_eq!(
            run(&mut scene, Kind::HttpRequest, &[rule(action.clone())]),
            Verdict::Continue
        );
        assert_eq!(target(&scene), to, "{action:?}");
    }
}

#[test]
fn a_rewrite_that_cannot_be_is_fatal_in_strict_mode() {
    let bad = || rule(Action::SetMethod(text("G T")));
    let mut scene = Scene::request(&["GET / HTTP/1.1"]);
    assert_eq!(
        run(&mut scene, Kind::HttpRequest, &[bad()]),
        Verdict::InternalError
    );
    let rules = [
        rule(Action::StrictMode(false)),
        bad(),
        rule(Action::SetMethod(text("PUT"))),
    ];
    assert_eq!(
        run(&mut scene, Kind::HttpRequest, &rules),
        Verdict::Continue
    );
    assert_eq!(scene.request.as_ref().unwrap().method(), b"PUT");
    assert_eq!(scene.overrides.failed_rewrites, 2);
}
