//! Conditions, ACLs, and content that is still to come.

use super::*;

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
