//! Variables and what else rules change beside the message.

use super::*;

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
