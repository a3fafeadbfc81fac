//! The protocols that have an option of their own: redis, mysql, pgsql, smtp, ldap, ssl-hello, spop.

use super::ruleset::{Action, Connect, Expect, Payload, Ruleset, Step, Style, What};
use crate::server::CheckStatus;

/// What a protocol's own function says of the bytes received so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Wait,
    Passed {
        code: u32,
        info: String,
    },
    /// Without a status: the expectation's `error_status`.
    Failed {
        status: Option<CheckStatus>,
        code: u32,
        info: String,
    },
}

impl Answer {
    fn passed(info: &str) -> Self {
        Self::Passed {
            code: 0,
            info: info.to_owned(),
        }
    }

    fn wrong(code: u32, info: impl Into<String>) -> Self {
        Self::Failed {
            status: Some(CheckStatus::L7Status),
            code,
            info: info.into(),
        }
    }

    fn invalid(info: impl Into<String>) -> Self {
        Self::Failed {
            status: None,
            code: 0,
            info: info.into(),
        }
    }
}

/// `option redis-check`: PING, PONG.
pub fn redis() -> Ruleset {
    sequence(vec![send(b"*1\r\n$4\r\nPING\r\n"), expect(on_redis)])
}

/// `option smtpchk HELLO DOMAIN`.
pub fn smtp(hello: &str, domain: &str) -> Ruleset {
    let hello = if hello.eq_ignore_ascii_case("EHLO") {
        "EHLO"
    } else {
        "HELO"
    };
    sequence(vec![
        expect(on_smtp),
        send(format!("{hello} {domain}\r\n").as_bytes()),
        expect(on_smtp),
        send(b"QUIT\r\n"),
        expect(on_smtp),
    ])
}

/// `option pgsql-check user NAME`: a StartupMessage (PostgreSQL protocol 3.0, section 55.7).
pub fn pgsql(user: &str) -> Ruleset {
    let mut message = vec![0, 0, 0, 0, 0, 3, 0, 0];
    message.extend_from_slice(b"user\0");
    message.extend_from_slice(user.as_bytes());
    message.extend_from_slice(b"\0\0");
    let length = message.len() as u32;
    message[..4].copy_from_slice(&length.to_be_bytes());
    sequence(vec![send(&message), expect(on_pgsql)])
}

/// `option mysql-check [user NAME]`: the handshake, then an authentication packet without a
/// password and COM_QUIT (MySQL client/server protocol, connection phase).
pub fn mysql(user: Option<&str>, pre_41: bool) -> Ruleset {
    let Some(user) = user else {
        return sequence(vec![expect(on_mysql_greeting)]);
    };
    let mut body = Vec::new();
    if pre_41 {
        // CLIENT_SECURE_CONNECTION off the old way: two bytes of capabilities, three of size.
        body.extend_from_slice(&[0x00, 0x80, 0x00, 0x00, 0x01]);
    } else {
        // CLIENT_PROTOCOL_41 and CLIENT_SECURE_CONNECTION; packets up to 16 MB; utf8.
        body.extend_from_slice(&[0x00, 0x82, 0x00, 0x00, 0x00, 0x80, 0x00, 0x01, 0x21]);
        body.extend_from_slice(&[0; 23]);
    }
    body.extend_from_slice(user.as_bytes());
    // The end of the name, and an empty password.
    body.extend_from_slice(&[0, 0]);
    let mut packets = vec![body.len() as u8, (body.len() >> 8) as u8, 0, 1];
    packets.append(&mut body);
    packets.extend_from_slice(&[1, 0, 0, 0, 1]);
    // All at once: what stands in front of the server may wait for the client's word.
    sequence(vec![
        send(&packets),
        expect(on_mysql_greeting),
        expect(on_mysql_reply),
    ])
}

/// `option ldap-check`: an anonymous simple bind (RFC 4511, section 4.2).
pub fn ldap() -> Ruleset {
    const BIND: &[u8] = &[
        0x30, 0x0c, 0x02, 0x01, 0x01, 0x60, 0x07, 0x02, 0x01, 0x03, 0x04, 0x00, 0x80, 0x00,
    ];
    sequence(vec![send(BIND), expect(on_ldap)])
}

/// `option ssl-hello-chk`: any handshake or alert record in answer to a ClientHello will do.
pub fn ssl_hello() -> Ruleset {
    let mut ruleset = sequence(vec![send(&client_hello()), expect(on_tls_record)]);
    for step in &mut ruleset.steps {
        if let Action::Expect(expect) = &mut step.action {
            expect.ok_status = CheckStatus::L6Ok;
            expect.error_status = CheckStatus::L6Response;
            expect.timeout_status = CheckStatus::L6Timeout;
        }
    }
    ruleset
}

/// `option spop-check`: a HELLO frame that asks for no more than an answer (HAProxy's `SPOE.txt`,
/// 3.2.4: `healthcheck`).
pub fn spop() -> Ruleset {
    let mut frame = vec![
        SPOP_HAPROXY_HELLO,
        // FIN, as the four bytes of flags say it; stream and frame number 0.
        0,
        0,
        0,
        1,
        0,
        0,
    ];
    let entries: [(&str, &[u8]); 4] = [
        ("supported-versions", b"\x08\x032.0"),
        // 16380 as a variable-length integer (section 3.1).
        ("max-frame-size", &[0x03, 0xfc, 0xf0, 0x06]),
        ("capabilities", &[0x08, 0]),
        ("healthcheck", &[0x11]),
    ];
    for (name, value) in entries {
        frame.push(name.len() as u8);
        frame.extend_from_slice(name.as_bytes());
        frame.extend_from_slice(value);
    }
    let mut bytes = (frame.len() as u32).to_be_bytes().to_vec();
    bytes.append(&mut frame);
    sequence(vec![send(&bytes), expect(on_spop)])
}

const SPOP_HAPROXY_HELLO: u8 = 1;
const SPOP_AGENT_HELLO: u8 = 101;

fn on_spop(input: &[u8], last: bool) -> Answer {
    let whole = input.split_at_checked(4).and_then(|(length, frame)| {
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
        frame.get(..usize::try_from(length).ok()?)
    });
    match whole.map(|frame| frame.first()) {
        Some(Some(&SPOP_AGENT_HELLO)) => Answer::passed("SPOA server is ok"),
        Some(_) => Answer::invalid("invalid frame received"),
        None if last => Answer::invalid("a truncated frame was received"),
        None => Answer::Wait,
    }
}

/// Numbers the steps as if they had been written; the connection comes first.
fn sequence(actions: Vec<Action>) -> Ruleset {
    let connect = Step::implicit(Connect::as_server());
    let steps = (1..).zip(actions).map(|(number, action)| Step {
        action,
        comment: None,
        number,
    });
    Ruleset {
        style: Style::Builtin,
        steps: std::iter::once(connect).chain(steps).collect(),
        host: None,
    }
}

fn send(bytes: &[u8]) -> Action {
    Action::Send(Payload::Bytes(bytes.to_vec()))
}

fn expect(answer: fn(&[u8], bool) -> Answer) -> Action {
    Action::Expect(Expect {
        what: What::Protocol(answer),
        ..plain(CheckStatus::L7Response)
    })
}

/// An expectation without any parameter.
pub(super) fn plain(error_status: CheckStatus) -> Expect {
    Expect {
        what: What::Anything,
        negated: false,
        min_recv: None,
        ok_status: CheckStatus::L7Ok,
        error_status,
        timeout_status: CheckStatus::L7Timeout,
        not_found_stops: false,
        on_success: None,
        on_error: None,
        status_code: None,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn first_line(input: &[u8]) -> &[u8] {
    let end = input
        .iter()
        .position(|&byte| byte == b'\r' || byte == b'\n');
    &input[..end.unwrap_or(input.len())]
}

fn on_redis(input: &[u8], last: bool) -> Answer {
    if memchr::memmem::find(input, b"+PONG\r\n").is_some() {
        Answer::passed("Redis server is ok")
    } else if last {
        Answer::wrong(0, text(first_line(input)))
    } else {
        Answer::Wait
    }
}

/// The last line of a reply has a space after its code (RFC 5321, section 4.2.1).
fn on_smtp(input: &[u8], last: bool) -> Answer {
    let lines = input.split_inclusive(|&byte| byte == b'\n');
    for line in lines {
        if !line.ends_with(b"\n") && !last {
            return Answer::Wait;
        }
        let line = line.trim_ascii_end();
        let Some(code) = line.get(..3).and_then(decimal) else {
            return Answer::invalid(text(line));
        };
        if line.get(3) == Some(&b'-') {
            continue;
        }
        let info = text(line.get(4..).unwrap_or_default());
        return if (200..300).contains(&code) {
            Answer::Passed { code, info }
        } else {
            Answer::wrong(code, info)
        };
    }
    if last {
        Answer::invalid(text(first_line(input)))
    } else {
        Answer::Wait
    }
}

fn decimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u32::from(byte - b'0'))
    })
}

fn on_pgsql(input: &[u8], last: bool) -> Answer {
    match input {
        // AuthenticationXxx: any kind proves that the server works.
        [b'R', rest @ ..] if rest.len() >= 8 => Answer::passed("PostgreSQL server is ok"),
        // ErrorResponse: the text of its first field.
        [b'E', rest @ ..] if rest.len() > 5 && (last || rest.contains(&0)) => {
            let field = rest.get(5..).unwrap_or_default();
            Answer::invalid(text(
                field.split(|&byte| byte == 0).next().unwrap_or_default(),
            ))
        }
        [b'R' | b'E', ..] if !last => Answer::Wait,
        _ => Answer::wrong(0, "PostgreSQL unknown error"),
    }
}

/// The first packet's payload, once it is complete: three bytes of length, one of sequence.
fn mysql_packet(input: &[u8]) -> Option<&[u8]> {
    let (head, rest) = input.split_at_checked(4)?;
    let length = usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
    rest.get(..length)
}

fn mysql_error(payload: &[u8]) -> Answer {
    let code = payload
        .get(1..3)
        .map_or(0, |code| u32::from(u16::from_le_bytes([code[0], code[1]])));
    let message = payload.get(3..).unwrap_or_default();
    // '#' and five bytes of SQL state precede the text since 4.1.
    let message = if message.first() == Some(&b'#') {
        message.get(6..).unwrap_or_default()
    } else {
        message
    };
    Answer::wrong(code, text(message))
}

fn on_mysql_greeting(input: &[u8], last: bool) -> Answer {
    match mysql_packet(input) {
        Some(payload @ [0xff, ..]) => mysql_error(payload),
        Some([_protocol, rest @ ..]) => Answer::passed(&text(
            rest.split(|&byte| byte == 0).next().unwrap_or_default(),
        )),
        Some([]) => Answer::invalid("MySQL server sent an empty packet"),
        None if last => Answer::invalid("MySQL handshake is incomplete"),
        None => Answer::Wait,
    }
}

/// What follows the greeting, which stands before it.
fn on_mysql_reply(input: &[u8], last: bool) -> Answer {
    let reply = mysql_packet(input).and_then(|greeting| input.get(4 + greeting.len()..));
    match mysql_packet(reply.unwrap_or_default()) {
        Some(payload @ [0xff, ..]) => mysql_error(payload),
        Some(_) => Answer::passed(""),
        None if last => Answer::invalid("MySQL reply is incomplete"),
        None => Answer::Wait,
    }
}

/// One BER element: tag, content, what follows it.
fn ber(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = digits.iter().try_fold(0_usize, |length, &digit| {
            length.checked_mul(256)?.checked_add(usize::from(digit))
        })?;
        (length, rest)
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

fn on_ldap(input: &[u8], last: bool) -> Answer {
    if input.first().is_some_and(|&tag| tag != 0x30) {
        return Answer::invalid("Not LDAPv3 protocol");
    }
    let Some((_, message, _)) = ber(input) else {
        return if last {
            Answer::invalid("")
        } else {
            Answer::Wait
        };
    };
    let result_code = || {
        let (_, _id, rest) = ber(message)?;
        let (0x61, bind_response, _) = ber(rest)? else {
            return None;
        };
        let (0x0a, code, _) = ber(bind_response)? else {
            return None;
        };
        code.first().copied()
    };
    match result_code() {
        Some(0) => Answer::passed(""),
        Some(code) => Answer::wrong(
            u32::from(code),
            "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9",
        ),
        None => Answer::invalid("Not LDAPv3 protocol"),
    }
}

fn on_tls_record(input: &[u8], _: bool) -> Answer {
    match input.first() {
        Some(0x15 | 0x16) => Answer::passed(""),
        Some(_) => Answer::invalid(""),
        None => Answer::Wait,
    }
}

/// A minimal ClientHello of TLS 1.2 (RFC 5246, section 7.4.1.2). A server that accepts none of it
/// answers with an alert, which proves as much.
fn client_hello() -> Vec<u8> {
    const SUITES: &[u16] = &[
        0xc02f, 0xc030, 0xc02b, 0xc02c, 0x009c, 0x009d, 0x002f, 0x0035,
    ];
    let mut body = vec![3, 3];
    body.extend_from_slice(b"health check of a load balancer.");
    body.push(0);
    body.extend_from_slice(&(SUITES.len() as u16 * 2).to_be_bytes());
    for suite in SUITES {
        body.extend_from_slice(&suite.to_be_bytes());
    }
    body.extend_from_slice(&[1, 0]);
    let mut record = vec![0x16, 3, 1];
    record.extend_from_slice(&(body.len() as u16 + 4).to_be_bytes());
    record.extend_from_slice(&[1, 0]);
    record.extend_from_slice(&(body.len() as u16).to_be_bytes());
    record.append(&mut body);
    record
}
