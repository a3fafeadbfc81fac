//! The protocols with an option of their own.

use super::super::ruleset::Payload;
use super::*;

#[test]
fn built_in_protocols() {
    let redis = Arc::new(fixed::redis());
    finds(
        &redis,
        &Server::Holds(&[b"+PONG\r\n"]),
        L7Ok,
        0,
        "Redis server is ok",
    );
    finds(
        &redis,
        &Server::Closes(&[b"-ERR x\r\n"]),
        L7Status,
        0,
        "-ERR x",
    );
    finds(&redis, &Server::Holds(&[ERR]), L7Timeout, 0, "");

    let smtp = Arc::new(fixed::smtp("EHLO", "foo"));
    let answers: &[&[u8]] = &[b"220 hi\r\n", b"250-a\r\n", b"250 b\r\n", b"221 bye\r\n"];
    finds(&smtp, &Server::Holds(answers), L7Ok, 221, "bye");
    finds(
        &smtp,
        &Server::Holds(&[b"554 go away\r\n"]),
        L7Status,
        554,
        "go away",
    );
    finds(
        &smtp,
        &Server::Holds(&[b"I'm no\r\n"]),
        L7Response,
        0,
        "I'm no",
    );

    let pgsql = Arc::new(fixed::pgsql("foo"));
    let ok: &[u8] = b"R\0\0\0\x08\0\0\0\0";
    finds(
        &pgsql,
        &Server::Holds(&[ok]),
        L7Ok,
        0,
        "PostgreSQL server is ok",
    );
    finds(
        &pgsql,
        &Server::Holds(&[b"E\0\0\0\x0bSFATAL\0"]),
        L7Response,
        0,
        "FATAL",
    );
    finds(
        &pgsql,
        &Server::Holds(&[b"Not it"]),
        L7Status,
        0,
        "PostgreSQL unknown error",
    );

    let greeting: &[u8] = b"\x15\0\0\0\x0a8.0.19\0abcdefghijklm";
    let mysql = Arc::new(fixed::mysql(Some("foo"), false));
    let reply: &[u8] = b"\x07\0\0\x02\0\0\0\x02\0\0\0";
    finds(
        &mysql,
        &Server::Holds(&[greeting, reply]),
        L7Ok,
        0,
        "8.0.19",
    );
    let refusal: &[u8] = b"\x0b\0\0\x02\xff\xe3\x04Client d";
    finds(
        &mysql,
        &Server::Holds(&[greeting, refusal]),
        L7Status,
        1251,
        "Client d",
    );
    let greeting_only = Arc::new(fixed::mysql(None, false));
    finds(
        &greeting_only,
        &Server::Holds(&[greeting]),
        L7Ok,
        0,
        "8.0.19",
    );

    let ldap = Arc::new(fixed::ldap());
    let bind = |code: u8| vec![0x30, 12, 2, 1, 1, 0x61, 7, 0x0a, 1, code, 4, 0, 4, 0];
    finds(&ldap, &Server::Holds(&[&bind(0)]), L7Ok, 0, "");
    let words = "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9";
    finds(&ldap, &Server::Holds(&[&bind(2)]), L7Status, 2, words);

    let hello = Arc::new(fixed::ssl_hello());
    finds(&hello, &Server::Holds(&[b"\x15\x03\x01"]), L6Ok, 0, "");
    finds(&hello, &Server::Holds(&[b"HTTP"]), L6Response, 0, "");
    let empty = "TCPCHK got an empty response at step 2";
    finds(&hello, &Server::Closes(&[]), L6Response, 0, empty);
}

#[test]
fn an_agent_that_says_hello_speaks_spop() {
    let spop = Arc::new(fixed::spop());
    let mut probe = probe(&spop);
    assert!(matches!(next(&mut probe), Todo::Connect(_)));
    let Todo::Send(hello) = next(&mut probe) else {
        panic!("it sends a frame");
    };
    assert_eq!((hello.len(), &hello[..5]), (82, &[0, 0, 0, 78, 1][..]));
    let answer = b"\0\0\0\x07\x65\0\0\0\x01\0\0";
    finds(
        &spop,
        &Server::Holds(&[answer]),
        L7Ok,
        0,
        "SPOA server is ok",
    );
    finds(&spop, &Server::Holds(&[&answer[..6]]), L7Timeout, 0, "");
    let goodbye = b"\0\0\0\x07\x67\0\0\0\x01\0\0";
    let words = "invalid frame received";
    finds(&spop, &Server::Holds(&[goodbye]), L7Response, 0, words);
}

#[test]
fn mysql_packets_as_haproxy_sends_them() {
    let sent = |rules: Ruleset| {
        let mut steps = rules.steps.iter();
        steps.find_map(|step| match &step.action {
            super::super::Action::Send(Payload::Bytes(bytes)) => Some(bytes.clone()),
            _ => None,
        })
    };
    let mut modern = b"\x25\0\0\x01\0\x82\0\0\0\x80\0\x01!".to_vec();
    modern.extend_from_slice(&[0; 23]);
    modern.extend_from_slice(b"foo\0\0\x01\0\0\0\x01");
    assert_eq!(
        sent(fixed::mysql(Some("foo"), false)).expect("sent"),
        modern
    );
    let old = b"\x0a\0\0\x01\0\x80\0\0\x01foo\0\0\x01\0\0\0\x01";
    assert_eq!(sent(fixed::mysql(Some("foo"), true)).expect("sent"), old);
}
