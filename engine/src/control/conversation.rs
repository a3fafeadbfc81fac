//! Whole conversations: what a client sends, and every byte that it gets.

use super::fake::FakeOps;
use super::level::Level;
use super::session::{Session, Step};
use std::task::{Context, Poll, Waker};

/// Plays a client that sends `input` and closes its half.
fn talk(level: Level, input: &str, ops: &mut FakeOps) -> String {
    let mut session = Session::new(level, 10_000);
    session.receive(input.as_bytes());
    session.end_of_input();
    let mut out = String::new();
    let mut step = session.step(ops);
    loop {
        step = match step {
            Step::Send(text) => {
                out.push_str(&text);
                session.step(ops)
            }
            Step::Wait(mut later) => {
                match later.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(reply) => session.answered(reply),
                    Poll::Pending => panic!("the fake answers at once"),
                }
            }
            Step::Follow(_) => panic!("there is no ring here"),
            Step::Read | Step::Close => return out,
        };
    }
}

fn admin(input: &str) -> String {
    talk(Level::Admin, input, &mut FakeOps::new())
}

/// Input and output as a live HAProxy 3.5 had them.
const AS_HAPROXY: &[(&str, &str)] = &[
    ("echo hi\n", "hi\n\n"),
    ("echo\n", "\n\n"),
    ("echo a  b\\ c \\;d\n", "a b c ;d\n\n"),
    ("echo \\; \\x y\\\\ z\n", "; x y\\ z\n\n"),
    ("echo \"a b\" c\n", "\"a b\" c\n\n"),
    ("echo a\tb   \n", "a b\n\n"),
    ("echo a<<\n\n", "a<<\n\n"),
    ("echo a <<XX\nhello\n\nworld\nXX\n", "a\n\n"),
    ("echo <<\nshow version\n\n", "\n\n"),
    ("\n", "\n"),
    (";\n", "\n\n"),
    (";;show version\n", "\n\n3.5.0\n\n"),
    ("show version", ""),
    ("show version;\n", "3.5.0\n\n\n"),
    ("show version ;  show version\n", "3.5.0\n\n3.5.0\n\n"),
    ("show version\nshow version\n", "3.5.0\n\n"),
    (
        "prompt\nshow version\nget weight web/s1\nquit\n",
        "\n> 3.5.0\n\n> 1 (initial 3)\n\n> ",
    ),
    (
        "prompt i\nshow version\nget weight web/s1\nquit\n",
        "\n3.5.0\n\n1 (initial 3)\n\n",
    ),
    (
        "prompt timed\nshow version\nquit\n",
        "\n[1:02:03:04]> 3.5.0\n\n[1:02:03:04]> ",
    ),
    ("prompt\nprompt\nshow version\n", "\n> \n"),
    ("prompt i\nprompt n\n", "\n\n"),
    ("prompt n\n", "\n"),
    ("prompt;show version\n", "\n3.5.0\n\n> "),
    (
        "prompt p\nshow version;show version\nquit\n",
        "\n> 3.5.0\n\n3.5.0\n\n> ",
    ),
    ("prompt\n;\n", "\n> \n\n> "),
    ("quit\n", ""),
    ("quit;show version\n", ""),
    (
        "show cli level;user;show cli level\n",
        "admin\n\n\nuser\n\n",
    ),
    (
        "operator;show cli level;user;operator;show cli level\n",
        "\noperator\n\n\nPermission denied\n\nuser\n\n",
    ),
    ("user;prompt\nshow cli level\nquit\n", "\n\n> user\n\n> "),
    ("get weight web/nope\n", "No such server.\n\n"),
    ("get weight nope/s1\n", "No such backend.\n\n"),
    ("get weight web\n", "Require 'backend/server'.\n\n"),
    ("get weight\n", "Require 'backend/server'.\n\n"),
    ("set weight web/s1\n", "Require <weight> or <weight%>.\n\n"),
    ("set weight web/s1 5\n", "\n"),
    (
        "set weight web/s1 300\n",
        "Absolute weight can only be between 0 and 256 inclusive.\n\n",
    ),
    (
        "set server web/s1 state foo\n",
        "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n\n",
    ),
    (
        "set server web/s1 state maint;set server web/s1 state ready\n",
        "\n\n",
    ),
    (
        "set server web/s1 health\n",
        "'set server <srv> health' expects 'up', 'stopping', or 'down'.\n\n",
    ),
    (
        "set server web/s1 agent up\n",
        "agent checks are not enabled on this server.\n\n",
    ),
    (
        "set server web/s1 addr\n",
        "set server <b>/<s> addr requires an address and optionally a port.\n\n",
    ),
    ("set server web/s1 addr foo\n", "Invalid addr 'foo'\n\n"),
    (
        "set server web/s1 addr 127.0.0.1 port foo\n",
        "problem converting port 'foo' to an int\n\n",
    ),
    (
        "set server web/s1 check-port foo\n",
        "provided port is not an integer\n\n",
    ),
    ("disable server web/s2\n", "\n"),
    ("disable server web/x\n", "No such server.\n\n"),
    ("disable frontend\n", "A frontend name is expected.\n\n"),
    ("disable frontend nope\n", "No such frontend.\n\n"),
    (
        "disable frontend web;disable frontend web\n",
        "\nAll sockets are already disabled.\n\n",
    ),
    (
        "enable frontend web\n",
        "All sockets are already enabled.\n\n",
    ),
    ("set maxconn global\n", "Expects an integer value.\n\n"),
    ("set maxconn global 600\n", "Value out of range.\n\n"),
    ("set maxconn frontend web\n", "Integer value expected.\n\n"),
    ("set maxconn server web/s2\n", "Require <maxconn>.\n\n"),
    (
        "set maxconn server web/s2 abc\n",
        "maxconn string empty or preceded by garbage\n\n",
    ),
    (
        "set rate-limit connections global\n",
        "Expects an integer value.\n\n",
    ),
    ("set timeout\n", "'set timeout' only supports 'cli'.\n\n"),
    ("set timeout cli\n", "Expects an integer value.\n\n"),
    ("set timeout cli foo\n", "Invalid timeout value.\n\n"),
    ("set timeout cli 30s\n", "\n"),
    (
        "set severity-output\n",
        "one of 'none', 'number', 'string' is a required argument\n\n",
    ),
    (
        "set severity-output number;get weight web/x;get weight web/s1\n",
        "\n[3]: No such server.\n\n1 (initial 3)\n\n",
    ),
    (
        "set severity-output string;get weight web/x;show version\n",
        "\n[err]: No such server.\n\n[info]: 3.5.0\n\n",
    ),
    ("clear counters;clear counters all\n", "\n\n"),
    (
        "clear counters server web/s1\n",
        "Server counters cleared.\n\n",
    ),
    ("clear counters server web/x\n", "No such server.\n\n"),
    ("show backend\n", "# name\nweb\ntcp\n\n"),
    ("show servers state nope\n", "Can't find backend.\n\n"),
    ("show env HOME\n", "HOME=/root\n\n"),
    ("show env NOPE\n", "Variable not found\n\n"),
    ("show errors nope\n", "No such proxy.\n\n"),
    (
        "show errors\n",
        "Total events captured on [21/Nov/2026:04:01:02.833] : 0\n\n",
    ),
    ("show stat nope 1 1\n", "No such proxy.\n\n"),
    ("show sess 0x1234\n", "Session not found.\n\n"),
    (
        "show sess foo\n",
        "Unsupported option 'foo', try 'help' for more info.\n\n",
    ),
    (
        "show cli sockets\n",
        "# socket lvl processes\nunix@/run/e.sock admin all\n\n",
    ),
    (
        "shutdown session\n",
        "Session pointer expected (use 'show sess').\n\n",
    ),
    (
        "shutdown session 0x1234\n",
        "No such session (use 'show sess').\n\n",
    ),
    (
        "shutdown sessions server web\n",
        "Require 'backend/server'.\n\n",
    ),
    ("shutdown sessions server web/s1\n", "\n"),
    (
        "get var proc.limit\n",
        "proc.limit: type=sint value=<7>\n\n",
    ),
    ("get var proc.z\n", "Variable not found.\n\n"),
    (
        "get map m.map b\n",
        "type=str, case=sensitive, found=yes, idx=tree, key=\"b\", value=\"2\", type=\"str\"\n\n",
    ),
    (
        "get map m.map zz\n",
        "type=str, case=sensitive, found=no\n\n",
    ),
    (
        "get acl x.acl x\n",
        "type=str, case=sensitive, match=yes, idx=tree, pattern=\"x\"\n\n",
    ),
    (
        "get map ip.map 127.0.0.1\n",
        "type=ip, case=sensitive, found=yes, idx=tree, key=\"127.0.0.0/8\", value=\"5\", type=\"sint\"\n\n",
    ),
    (
        "show map nope\n",
        "Unknown map identifier. Please use #<id> or <file>.\n\n",
    ),
    (
        "show map x.acl\n",
        "Unknown map identifier. Please use #<id> or <file>.\n\n",
    ),
    (
        "show acl #9\n",
        "Unknown ACL identifier. Please use #<id> or <file>.\n\n",
    ),
    (
        "add map m.map d\n",
        "'add map' expects three parameters (map identifier, key and value) or one parameter (map identifier) and a payload\n\n",
    ),
    (
        "add map m.map d 4;add map m.map d 5;get map m.map d;set map m.map d 6;del map m.map d;del map m.map d\n",
        "\n\ntype=str, case=sensitive, found=yes, idx=tree, key=\"d\", value=\"4\", type=\"str\"\n\n\n\nKey not found.\n\n",
    ),
    ("set map m.map zz 6\n", "entry not found.\n\n"),
    (
        "set map m.map d\n",
        "'set map' expects three parameters: map identifier, key and value.\n\n",
    ),
    ("del map m.map #0x12\n", "Key not found.\n\n"),
    ("del map m.map #zz\n", "Key not found.\n\n"),
    (
        "add map ip.map foo 3\n",
        "'foo' is not a valid IPv4 or IPv6 address.\n\n",
    ),
    (
        "add map ip.map 10.0.0.0/8 abc\n",
        "unable to parse 'abc'.\n\n",
    ),
    (
        "add acl m.map a\n",
        "This ACL is shared with a map containing samples. You must use the command 'add map' to add values.\n\n",
    ),
    (
        "add acl #1 q;del acl #1 q;del acl #1 q\n",
        "\n\nKey not found.\n\n",
    ),
    ("commit map @9 m.map\n", "Version number out of range.\n\n"),
    ("commit map m.map\n", "Missing version number.\n\n"),
    ("clear map\n", "Missing map identifier.\n\n"),
    (
        "prepare map m.map;add map @1 m.map n v;show map m.map;commit map @1 m.map;show map m.map\n",
        "New version created: 1\n\n\n0x000000000001 a 1\n0x000000000002 b 2\n0x000000000003 b 3\n\n\n0x000000000004 n v\n\n",
    ),
    ("add map m.map <<\nk1 v1\nk2  v2 x\n\n", "\n"),
    ("clear map m.map;show map m.map\n", "\n\n"),
    (
        "show map\n",
        "# id (file) description\n0 (m.map) pattern loaded from file 'm.map' used by map at file 'e.cfg' line 10. curr_ver=0 next_ver=0 entry_cnt=3\n2 (ip.map) pattern loaded from file 'ip.map' used by map at file 'e.cfg' line 12. curr_ver=0 next_ver=0 entry_cnt=1\n\n",
    ),
    ("wait\n", "Expects a duration in milliseconds.\n\n"),
    ("wait foo\n", "Invalid duration.\n\n"),
];

#[test]
fn answers_are_haproxys() {
    for (input, expected) in AS_HAPROXY {
        assert_eq!(admin(input), *expected, "{input:?}");
    }
}

#[test]
fn changes_reach_the_process() {
    let rows = [
        ("disable server web/s2", "1 Maint"),
        ("enable server web/s2", "1 Ready"),
        ("set server tcp/t1 state drain", "3 Drain"),
        ("set server web/s1 weight 50%", "0 Percent(50)"),
        ("set weight web/s1 0", "0 Absolute(0)"),
        ("set server web/s1 health stopping", "0 health Stopping"),
        ("disable health web/s1", "0 Health checks false"),
        ("enable agent web/s1", "0 Agent checks true"),
        ("set maxconn server web/s1 7", "0 maxconn 7"),
        ("set maxconn global 0", "maxconn None"),
        ("set rate-limit sessions global 9", "Sessions 9"),
        (
            "set server web/s1 addr ::1 port 81",
            "0 Address { address: ::1, port: Some(81) }",
        ),
        ("clear counters", "clear Maxima"),
        ("shutdown frontend web", "frontend 0 shut down"),
    ];
    for (line, expected) in rows {
        let mut ops = FakeOps::new();
        talk(Level::Admin, &format!("{line}\n"), &mut ops);
        assert_eq!(ops.done, [expected], "{line}");
        assert_eq!(ops.settled, 1, "{line} was answered before every core knew");
    }
}

#[test]
fn levels_bound_what_a_client_may_do() {
    use Level::{Operator, User};
    let rows = [
        (User, "show env", false),
        (User, "show sess", false),
        (User, "show errors", false),
        (User, "show info", true),
        (User, "show stat", true),
        (User, "show servers state", true),
        (User, "get weight web/s1", true),
        (User, "clear counters", false),
        (User, "set timeout cli 10", true),
        (Operator, "show env", true),
        (Operator, "show sess", true),
        (Operator, "clear counters", true),
        (Operator, "clear counters all", false),
        (Operator, "disable server web/s1", false),
        (Operator, "set server web/s1 state ready", false),
        (Operator, "set maxconn global 400", false),
        (Operator, "shutdown session 0x2a", false),
        (Operator, "wait 1", false),
    ];
    for (level, line, allowed) in rows {
        let mut ops = FakeOps::new();
        let out = talk(level, &format!("{line}\n"), &mut ops);
        assert_eq!(
            out != "Permission denied\n\n",
            allowed,
            "{level} {line}: {out}"
        );
        assert!(allowed || ops.done.is_empty(), "{line} was carried out");
    }
}

#[test]
fn an_unknown_command_is_told_what_exists() {
    let out = admin("show\n");
    assert!(
        out.starts_with("Unknown command: 'show', but maybe one of the following"),
        "{out}"
    );
    assert!(
        out.contains("  show stat [desc|json|no-maint|typed|up]*: report counters"),
        "{out}"
    );
    assert!(
        out.ends_with("  quit                                    : disconnect\n\n"),
        "{out}"
    );
}

#[test]
fn a_payload_is_asked_for_with_a_plus() {
    assert_eq!(admin("prompt\necho a <<\nb c\n\nquit\n"), "\n> + + a\n\n> ");
}

#[test]
fn a_half_sent_payload_is_never_run() {
    assert_eq!(admin("disable server web/s1 <<\nb"), "");
}

#[test]
fn input_is_bounded() {
    let long = format!("echo {}\n", "a".repeat(17_000));
    assert!(admin(&long).starts_with("The command line is too big for the buffer size."));
    assert!(admin(&"a".repeat(17_000)).starts_with("The command line is too big"));
    let words = format!("echo {}\nshow version\n", "a ".repeat(100));
    assert_eq!(
        admin(&words),
        "Too many arguments. Commands must have at most 64 arguments.\n\n"
    );
    let payload = format!("echo <<\n{}\n\n", "a\n".repeat(70_000));
    assert!(admin(&payload).starts_with("The command line is too big"));
}

#[test]
fn streams_are_listed() {
    let line = "0x2a: proto=tcpv4 src=192.0.2.1:4000 fe=web be=web srv=s1 ts=00 epoch=0 age=4s \
                calls=1 rate=0 cpu=0 lat=0 rq[f=0h,i=0,an=00h,ax=] rp[f=0h,i=0,an=00h,ax=] \
                scf=[0,0h,fd=1/20,rex=,wex=] scb=[0,0h,fd=1/21,rex=,wex=] exp=50s rc=3 c_exp=\n";
    assert_eq!(admin("show sess\n"), format!("{line}\n"));
    assert_eq!(admin("show sess server web/s1\n"), format!("{line}\n"));
    assert_eq!(admin("show sess backend tcp\n"), "\n");
    assert_eq!(admin("show sess backend other\n"), "No such backend.\n\n");
    assert_eq!(admin("show sess older 5\n"), "\n");
}

#[test]
fn activity_is_shown_in_all_and_for_each_core() {
    assert_eq!(admin("show activity\n"), "loops: 42 [ 40 2 ]\n\n");
    assert_eq!(admin("show activity 0\n"), "loops: 42\n\n");
    assert_eq!(admin("show activity 2\n"), "loops: 2\n\n");
    assert_eq!(admin("show activity 3\n"), "Thread ID must be 0..2.\n\n");
}
