//! Rulesets on whole messages, against what HAProxy 3.5 answers.

use cfgparse::model::Place;
use cfgparse::model::expr::{
    Acl, AclExpr, AclTest, Condition, FormatPart, LogFormat, MatchMethod, Pattern, Term,
};
use cfgparse::model::rule::{
    Action, CaptureSlot, HeaderMatch, Redirect, RedirectKind, Reply, ReplyBody, Rule,
    SettableTimeout, TimeoutValue,
};

use crate::plan::ProxyId;
use crate::sample::testing::{Process, Scene, expr, format};
use crate::sample::{Compiler, Point};

use super::{Answer, AnswerBody, Kind, LogLevel, Ruleset, Verdict};

/// `sample -m method patterns`, with `-i` where the method's word ends in `i`.
fn acl(sample: &str, method: MatchMethod, patterns: &[&str]) -> AclExpr {
    AclExpr {
        sample: expr(sample),
        method,
        ignore_case: false,
        no_dns: false,
        unique_id: None,
        as_map: false,
        patterns: patterns
            .iter()
            .map(|&text| Pattern {
                text: text.to_owned(),
                at: Place::default(),
            })
            .collect(),
        files: Vec::new(),
        at: Place::default(),
    }
}

fn one(test: AclExpr) -> Term {
    Term {
        negated: false,
        test: AclTest::Anonymous(Box::new(test)),
    }
}

fn name(name: &str) -> Term {
    Term {
        negated: name.starts_with('!'),
        test: AclTest::Named(name.trim_start_matches('!').to_owned()),
    }
}

fn when(any_of: Vec<Vec<Term>>) -> Condition {
    Condition {
        negated: false,
        any_of,
        text: String::new(),
    }
}

fn rule(action: Action) -> Rule {
    Rule {
        action,
        condition: None,
        at: Place::default(),
    }
}

fn rule_if(action: Action, condition: Condition) -> Rule {
    Rule {
        condition: Some(condition),
        ..rule(action)
    }
}

fn text(text: &str) -> LogFormat {
    LogFormat {
        parts: vec![FormatPart::Text(text.to_owned())],
        text: text.to_owned(),
        ..LogFormat::default()
    }
}

fn compile(rules: &[Rule], kind: Kind, acls: &[Acl]) -> Ruleset {
    let names = Process::default();
    let mut compiler = Compiler::new(&names);
    compiler.enter(ProxyId(0), acls);
    compiler.captures.request = vec![4];
    Ruleset::compile(rules, kind, &mut compiler).unwrap()
}

fn run(scene: &mut Scene, kind: Kind, rules: &[Rule]) -> Verdict {
    compile(rules, kind, &[]).evaluate(0, &mut scene.txn())
}

fn fields(scene: &Scene) -> Vec<String> {
    let head = scene.request.as_ref().unwrap();
    head.fields()
        .map(|(name, value)| {
            format!(
                "{}: {}",
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(value)
            )
        })
        .collect()
}

fn target(scene: &Scene) -> String {
    let head = scene.request.as_ref().unwrap();
    String::from_utf8_lossy(head.target()).into_owned()
}

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

#[test]
fn conditions_follow_7_2() {
    let acls = [
        Acl {
            name: "is_api".to_owned(),
            tests: vec![AclExpr {
                ignore_case: true,
                ..acl("hdr(Host)", MatchMethod::Str, &["api.example.com"])
            }],
        },
        Acl {
            name: "static".to_owned(),
            tests: vec![
                acl("path_beg", MatchMethod::Beg, &["/static/", "/img/"]),
                acl("path_end", MatchMethod::End, &[".png"]),
            ],
        },
    ];
    let matches = |terms: Vec<Vec<Term>>, lines: &[&str]| {
        let rules = [rule_if(Action::Reject, when(terms))];
        let rules = compile(&rules, Kind::HttpRequest, &acls);
        rules.evaluate(0, &mut Scene::request(lines).txn()) == Verdict::Reject
    };
    let api = ["GET /static/x HTTP/1.1", "host: API.example.com"];
    let png = ["POST /x.png HTTP/1.1", "host: other"];
    assert!(matches(vec![vec![name("is_api")]], &api));
    assert!(!matches(vec![vec![name("is_api")]], &png));
    assert!(matches(vec![vec![name("static")]], &api) && matches(vec![vec![name("static")]], &png));
    assert!(!matches(
        vec![vec![name("is_api"), name("METH_POST")]],
        &api
    ));
    assert!(matches(
        vec![vec![name("is_api"), name("!METH_POST")]],
        &api
    ));
    assert!(matches(
        vec![
            vec![name("is_api"), name("METH_POST")],
            vec![name("static")]
        ],
        &api
    ));
    assert!(!matches(
        vec![vec![name("FALSE")], vec![name("!TRUE")]],
        &api
    ));
    assert!(matches(
        vec![vec![one(acl("src", MatchMethod::Ip, &["192.0.2.0/24"]))]],
        &api
    ));
    assert!(matches(
        vec![vec![one(acl("dst_port", MatchMethod::Int, &["eq", "80"]))]],
        &api
    ));
    assert!(!matches(
        vec![vec![one(acl("ssl_fc", MatchMethod::Bool, &[]))]],
        &api
    ));
    assert!(matches(
        vec![vec![
            name("HTTP_1.1"),
            name("HTTP_URL_SLASH"),
            name("!LOCALHOST")
        ]],
        &api
    ));
    let unless = Condition {
        negated: true,
        ..when(vec![vec![name("is_api")]])
    };
    let rules = compile(&[rule_if(Action::Reject, unless)], Kind::HttpRequest, &acls);
    assert_eq!(
        rules.evaluate(0, &mut Scene::request(&png).txn()),
        Verdict::Reject
    );
    assert_eq!(
        rules.evaluate(0, &mut Scene::request(&api).txn()),
        Verdict::Continue
    );
}

#[test]
fn acls_walk_all_values_of_a_header() {
    let lines = ["GET / HTTP/1.1", "x: a, b", "x: c", "cookie: k=1; k=2"];
    let holds = |test: AclExpr| {
        run(
            &mut Scene::request(&lines),
            Kind::HttpRequest,
            &[rule_if(Action::Reject, when(vec![vec![one(test)]]))],
        ) == Verdict::Reject
    };
    for value in ["a", "b", "c"] {
        assert!(
            holds(acl("req.hdr(x)", MatchMethod::Str, &[value])),
            "{value}"
        );
    }
    assert!(!holds(acl("req.hdr(x)", MatchMethod::Str, &["a, b"])));
    assert!(holds(acl("req.fhdr(x)", MatchMethod::Str, &["a, b"])));
    assert!(holds(acl("req.cook(k)", MatchMethod::Str, &["1"])));
    assert!(holds(acl("req.cook(k)", MatchMethod::Int, &["2"])));
    assert!(!holds(acl("req.hdr(nope)", MatchMethod::Found, &[])));
    assert!(holds(acl("req.hdr(x)", MatchMethod::Found, &[])));
    assert!(holds(acl("req.hdr(x)", MatchMethod::Len, &["1"])));
    assert!(holds(acl("path", MatchMethod::Bin, &["2f"])));
}

#[test]
fn content_rules_wait_for_bytes_until_the_last_chance() {
    let long = || one(acl("req.payload(0,4)", MatchMethod::Str, &["PING"]));
    let rules = [
        rule_if(Action::Accept, when(vec![vec![long()]])),
        rule_if(Action::Reject, when(vec![vec![name("WAIT_END")]])),
    ];
    let rules = compile(&rules, Kind::TcpRequestContent, &[]);
    let mut scene = Scene::new();
    assert_eq!(
        rules.evaluate(0, &mut scene.txn()),
        Verdict::Wait { rule: 0 }
    );
    scene.request_bytes = b"PING".to_vec();
    assert_eq!(rules.evaluate(0, &mut scene.txn()), Verdict::Accept);
    scene.request_bytes = b"PONG".to_vec();
    assert_eq!(
        rules.evaluate(0, &mut scene.txn()),
        Verdict::Wait { rule: 1 }
    );
    scene.last_chance = true;
    assert_eq!(rules.evaluate(1, &mut scene.txn()), Verdict::Reject);
    scene.request_bytes.clear();
    assert_eq!(rules.evaluate(0, &mut scene.txn()), Verdict::Reject);
    assert_eq!(
        scene.stream.last_rule.map(|(file, _)| file),
        Some("test.cfg".into())
    );
}

#[test]
fn a_mismatch_that_more_bytes_may_change_waits() {
    let long_enough = || one(acl("req.len", MatchMethod::Int, &["gt", "3"]));
    let reject_unless = Condition {
        negated: true,
        ..when(vec![vec![long_enough()]])
    };
    let rules = compile(
        &[rule_if(Action::Reject, reject_unless)],
        Kind::TcpRequestContent,
        &[],
    );
    let mut scene = Scene::new();
    assert_eq!(
        rules.evaluate(0, &mut scene.txn()),
        Verdict::Wait { rule: 0 }
    );
    scene.request_bytes = b"ab".to_vec();
    assert_eq!(
        rules.evaluate(0, &mut scene.txn()),
        Verdict::Wait { rule: 0 }
    );
    scene.last_chance = true;
    assert_eq!(rules.evaluate(0, &mut scene.txn()), Verdict::Reject);
    scene.last_chance = false;
    scene.request_bytes = b"abcd".to_vec();
    assert_eq!(rules.evaluate(0, &mut scene.txn()), Verdict::Continue);
}

#[test]
fn variables_live_in_their_scope() {
    let set = |name: &str, value: &str, conditions: &[&str]| {
        rule(Action::SetVar {
            name: name.to_owned(),
            conditions: conditions.iter().map(|&c| c.to_owned()).collect(),
            expr: expr(value),
        })
    };
    let header = rule(Action::SetHeader {
        name: "x".to_owned(),
        value: format("%[var(txn.a)] %[var(sess.b)] %[var(req.c)] %[var(txn.d)]"),
    });
    let rules = [
        set("txn.a", "int(1),add(1)", &[]),
        set("txn.a", "int(9)", &["ifnotexists"]),
        set("sess.b", "str(q),concat(<,txn.a,>)", &[]),
        set("req.c", "str(gone)", &[]),
        rule(Action::UnsetVar {
            name: "req.c".to_owned(),
        }),
        set("txn.a", "req.hdr(nope)", &[]),
        set("txn.e", "str(v),set-var(txn.d)", &[]),
        set("txn.e", "str(w),set-var(txn.d,ifnotexists)", &[]),
        header,
    ];
    let mut scene = Scene::request(&["GET / HTTP/1.1"]);
    assert_eq!(
        run(&mut scene, Kind::HttpRequest, &rules),
        Verdict::Continue
    );
    assert_eq!(fields(&scene), ["x: 2 q<2>  v"]);
}

#[test]
fn other_actions_change_what_they_name() {
    let mut scene = Scene::request(&["GET / HTTP/1.1", "x: 10.0.0.9", "t: 5000"]);
    let rules = [
        rule(Action::SetSrc(expr("req.hdr(x)"))),
        rule(Action::SetSrcPort(expr("int(99)"))),
        rule(Action::SetLogLevel(None)),
        rule(Action::SetTimeout {
            which: SettableTimeout::Server,
            value: TimeoutValue::Expr(expr("req.hdr(t)")),
        }),
        rule(Action::Capture {
            expr: expr("str(abcdef)"),
            slot: CaptureSlot::Id(0),
        }),
        rule(Action::Capture {
            expr: expr("str(abcdef)"),
            slot: CaptureSlot::Len(2),
        }),
    ];
    assert_eq!(
        run(&mut scene, Kind::HttpRequest, &rules),
        Verdict::Continue
    );
    assert_eq!(scene.stream.src, Some(([10, 0, 0, 9], 99).into()));
    assert_eq!(scene.overrides.log_level, Some(LogLevel::Silent));
    assert_eq!(scene.overrides.server_timeout_ms, Some(5000));
    assert_eq!(scene.captures.request.value(0), Some(&b"abcd"[..]));
    assert_eq!(scene.captures.request.value(1), Some(&b"ab"[..]));
    let mut scene = Scene::request(&["GET / HTTP/1.1"]).respond(200, &[]);
    let status = Action::SetStatus {
        status: 503,
        reason: None,
    };
    run(&mut scene, Kind::HttpResponse, &[rule(status)]);
    let head = scene.response.unwrap();
    assert_eq!(
        (head.status(), head.reason()),
        (503, &b"Service Unavailable"[..])
    );
}

#[test]
fn every_error_of_a_ruleset_is_told() {
    let names = Process::default();
    let mut compiler = Compiler::new(&names);
    compiler.enter(ProxyId(0), &[]);
    let rules = [
        rule_if(Action::Accept, when(vec![vec![name("nope")]])),
        rule(Action::Accept),
        rule(Action::SetPath(format("%[res.hdr(x)]"))),
        rule_if(
            Action::Reject,
            when(vec![vec![one(acl("path", MatchMethod::Reg, &["a(?=b)"]))]]),
        ),
        rule_if(
            Action::Reject,
            when(vec![vec![one(acl(
                "path",
                MatchMethod::Ip,
                &["10.0.0.0/40"],
            ))]]),
        ),
    ];
    let errors = Ruleset::compile(&rules, Kind::HttpRequest, &mut compiler).unwrap_err();
    let messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(messages[0], "no such ACL : 'nope'");
    assert!(messages[1].contains("HTTP response headers"));
    assert!(messages[2].contains("look-ahead"));
    assert!(messages[3].contains("10.0.0.0/40"));
    assert_eq!(messages.len(), 4);
    assert_eq!(compiler.point, Point::HttpRequest);
}
