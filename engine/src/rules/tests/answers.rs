//! Redirects, denials and other answers.

use super::*;

fn redirect(kind: RedirectKind, target: &str, options: &str) -> Action {
    let has = |word: &str| options.split(' ').any(|option| option == word);
    let code = options.split(' ').find_map(|word| word.parse().ok());
    Action::Redirect(Redirect {
        kind,
        target: format(target),
        code: code.unwrap_or(302),
        drop_query: has("drop-query"),
        append_slash: has("append-slash"),
        ignore_empty: has("ignore-empty"),
        keep_query: has("keep-query"),
        set_cookie: has("cookie").then(|| "A=b".to_owned()),
        clear_cookie: has("clear").then(|| "A=".to_owned()),
    })
}

#[test]
fn redirect_locations() {
    use RedirectKind::{Location, Prefix, Scheme};
    for (kind, target, options, requested, expected) in [
        (Scheme, "https", "", "/p/q?x=1", "https://ex.org/p/q?x=1"),
        (Scheme, "https", "", "*", "https://ex.org/"),
        (
            Scheme,
            "https",
            "drop-query",
            "/p/q?x=1",
            "https://ex.org/p/q",
        ),
        (
            Scheme,
            "https",
            "drop-query append-slash",
            "/p/q?x=1",
            "https://ex.org/p/q/",
        ),
        (
            Scheme,
            "%[req.hdr(no)]",
            "ignore-empty",
            "/p",
            "://ex.org/p",
        ),
        (Prefix, "/pre", "", "/p/q?x=1", "/pre/p/q?x=1"),
        (Prefix, "/pre", "", "*", "/pre/"),
        (Prefix, "/", "drop-query append-slash", "/p/q?x=1", "/p/q/"),
        (Prefix, "/", "drop-query append-slash", "/p/q/", "/p/q/"),
        (Prefix, "http://x.org/y", "", "/p?x", "http://x.org/y/p?x"),
        (Location, "/loc", "", "/p?x=1", "/loc"),
        (Location, "/loc", "keep-query", "/p?x=1", "/loc?x=1"),
        (Location, "/loc?a=1", "keep-query", "/p?x=1", "/loc?a=1&x=1"),
        (Location, "/loc", "keep-query", "/p", "/loc"),
        (Location, "%[req.hdr(no)]", "", "/p", ""),
        (
            Location,
            "http://%[req.hdr(host)]%[path]",
            "",
            "/p?q",
            "http://ex.org/p",
        ),
    ] {
        let mut scene = Scene::request(&[&format!("GET {requested} HTTP/1.1"), "host: ex.org"]);
        let rules = [rule(redirect(kind, target, options))];
        let Verdict::Redirect(answer) = run(&mut scene, Kind::HttpRequest, &rules) else {
            panic!("{target} {options}: no redirect");
        };
        assert_eq!(answer.fields[0].0, &b"location"[..]);
        assert_eq!(
            String::from_utf8_lossy(&answer.fields[0].1),
            expected,
            "{target} {options}"
        );
    }
}

#[test]
fn redirect_codes_and_cookies() {
    let mut scene = Scene::request(&["GET / HTTP/1.1", "host: ex.org"]);
    let mut names = |options: &str| {
        let rules = [rule(redirect(RedirectKind::Location, "/", options))];
        match run(&mut scene, Kind::HttpRequest, &rules) {
            Verdict::Redirect(answer) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let fields = answer.fields.iter().skip(1);
                let fields: Vec<_> = fields
                    .map(|(n, v)| format!("{}={}", text(n), text(v)))
                    .collect();
                (answer.status, fields.join(" "))
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(names("301"), (301, String::new()));
    assert_eq!(names("307"), (307, "cache-control=no-cache".to_owned()));
    assert_eq!(
        names("303 cookie"),
        (
            303,
            "cache-control=no-cache set-cookie=A=b; path=/;".to_owned()
        )
    );
    assert_eq!(
        names("308 clear"),
        (308, "set-cookie=A=; path=/; Max-Age=0;".to_owned())
    );
    let rules = [rule(redirect(
        RedirectKind::Location,
        "%[req.hdr(no)]",
        "ignore-empty",
    ))];
    assert_eq!(
        run(&mut scene, Kind::HttpRequest, &rules),
        Verdict::Continue
    );
}

#[test]
fn answers_have_their_default_status() {
    let reply = |status| Reply {
        status,
        ..Reply::default()
    };
    let mut scene = Scene::request(&["GET / HTTP/1.1"]).respond(200, &[]);
    let mut verdict = |kind, action| run(&mut scene, kind, &[rule(action)]);
    let error = |status| Box::new(Answer::error(status));
    assert_eq!(
        verdict(Kind::HttpRequest, Action::Deny(reply(None))),
        Verdict::Deny(error(403))
    );
    assert_eq!(
        verdict(Kind::HttpResponse, Action::Deny(reply(None))),
        Verdict::Deny(error(502))
    );
    let paged = Reply {
        body: ReplyBody::DefaultErrorFiles,
        ..reply(Some(429))
    };
    assert_eq!(
        verdict(Kind::HttpRequest, Action::Deny(paged)),
        Verdict::Deny(error(429))
    );
    // A status alone makes it an answer of its own, without content.
    let empty = AnswerBody::Content {
        content_type: None,
        bytes: b"".as_slice().into(),
    };
    let Verdict::Deny(answer) = verdict(Kind::HttpRequest, Action::Deny(reply(Some(429)))) else {
        panic!("no answer");
    };
    assert_eq!((answer.status, &answer.body), (429, &empty));
    assert_eq!(
        verdict(Kind::HttpRequest, Action::Tarpit(reply(None))),
        Verdict::Tarpit(error(500))
    );
    let content = Reply {
        status: Some(201),
        body: ReplyBody::Format(format("path=%[path]\n")),
        content_type: Some("text/plain".to_owned()),
        headers: vec![("X-A".to_owned(), format("%[method]"))],
    };
    let Verdict::Return(answer) = verdict(Kind::HttpRequest, Action::Return(content)) else {
        panic!("no answer");
    };
    assert_eq!(answer.status, 201);
    assert_eq!(
        answer.fields,
        [(b"x-a".to_vec().into(), b"GET".to_vec().into())]
    );
    assert_eq!(
        answer.body,
        AnswerBody::Content {
            content_type: Some("text/plain".into()),
            bytes: b"path=/\n".to_vec().into()
        }
    );
}

#[test]
fn credentials_are_asked_for() {
    for line in ["GET / HTTP/1.1", "GET http://x/ HTTP/1.1"] {
        let mut scene = Scene::request(&[line]);
        let auth = rule(Action::Auth {
            realm: Some("Gimme".to_owned()),
        });
        let Verdict::Auth(answer) = run(&mut scene, Kind::HttpRequest, &[auth]) else {
            panic!("not asked");
        };
        assert_eq!(answer.status, 401);
        assert_eq!(answer.fields[0].0, &b"www-authenticate"[..]);
        assert_eq!(answer.fields[0].1, &b"Basic realm=\"Gimme\""[..]);
    }
}
