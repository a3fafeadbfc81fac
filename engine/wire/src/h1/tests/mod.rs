//! Heads as HAProxy 3.5 reads and sends them; RFC sections where it follows them.

mod framing;
mod lenient;
mod properties;
mod published;
mod request;
mod response;

use super::*;
use crate::Head;

/// Parses one request; tells it as it would be sent on, or the status that refuses it.
fn request(raw: &[u8]) -> Result<(String, Framing), u16> {
    let mut head = Head::new();
    match HeadParser::new().request(raw, &Limits::default(), &mut head) {
        Ok(Parse::Complete { framing, .. }) => {
            let mut out = Vec::new();
            write_request(&head, ConnectionOut::KEEP_ALIVE, &mut out);
            Ok((out.escape_ascii().to_string(), framing))
        }
        Ok(Parse::Partial) => panic!("incomplete: {}", raw.escape_ascii()),
        Err(error) => Err(error.request_status()),
    }
}

/// The same for a request line with fields, given without their ends.
fn with_fields(line: &str, fields: &[&str]) -> Result<(String, Framing), u16> {
    request(format!("{line}\r\n{}\r\n", lines(fields)).as_bytes())
}

fn lines(fields: &[&str]) -> String {
    fields
        .iter()
        .fold(String::new(), |text, field| text + field + "\r\n")
}

/// Asserts that the fields sent on are `sent`.
#[track_caller]
fn forwards(line: &str, fields: &[&str], sent_line: &str, sent: &[&str]) -> Framing {
    let (text, framing) = with_fields(line, fields).expect("accepted");
    let want = format!("{sent_line}\r\n{}\r\n", lines(sent));
    assert_eq!(
        text,
        want.as_bytes().escape_ascii().to_string(),
        "{line} {fields:?}"
    );
    framing
}

const GET: &str = "GET / HTTP/1.1";
const POST: &str = "POST / HTTP/1.1";
