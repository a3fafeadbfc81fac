//! The messages that carry a page.

use super::form::Outcome;
use super::query::Query;
use crate::service::errors::{Message, Persistence};
use std::fmt::Write;

/// A response made by the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageResponse {
    pub status: u16,
    /// Status line and fields, without `connection` and without the empty line.
    head: String,
    pub body: String,
}

impl PageResponse {
    pub(in crate::service) fn ok(content_type: &str, refresh_s: Option<u32>, body: String) -> Self {
        let mut head = format!(
            "HTTP/1.1 200 OK\r\ncache-control: no-cache\r\ncontent-type: {content_type}\r\n"
        );
        if let Some(seconds) = refresh_s {
            let _ = write!(head, "refresh: {seconds}\r\n");
        }
        let _ = write!(head, "content-length: {}\r\n", body.len());
        Self {
            status: 200,
            head,
            body,
        }
    }

    /// Appends the response; `with_body` is off for an answer to HEAD.
    pub fn write(&self, out: &mut Vec<u8>, persistence: Persistence, with_body: bool) {
        out.extend_from_slice(self.head.as_bytes());
        out.extend_from_slice(match persistence {
            Persistence::Silent => b"\r\n".as_slice(),
            Persistence::Close => b"connection: close\r\n\r\n",
            Persistence::KeepAlive => b"connection: keep-alive\r\n\r\n",
        });
        if with_body {
            out.extend_from_slice(self.body.as_bytes());
        }
    }
}

/// Asks for a user and a password (`stats realm`).
pub fn challenge(realm: &str) -> PageResponse {
    let message = Message::of_error(401);
    let realm = realm.replace(['"', '\r', '\n'], "");
    let head = format!(
        "HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\ncache-control: no-cache\r\n\
         content-type: text/html\r\nwww-authenticate: Basic realm=\"{realm}\"\r\n",
        message.body.len()
    );
    PageResponse {
        status: 401,
        head,
        body: message.body.to_owned(),
    }
}

/// Leads back to the page after a form, and tells what became of it.
pub fn changed(uri: &str, query: &Query, outcome: Outcome) -> PageResponse {
    let (word, _) = outcome.texts();
    let options = query.address("");
    let head = format!(
        "HTTP/1.1 303 See Other\r\ncache-control: no-cache\r\ncontent-type: text/plain\r\n\
         content-length: 0\r\nlocation: {uri};st={word}{options}\r\n"
    );
    PageResponse {
        status: 303,
        head,
        body: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(response: &PageResponse) -> String {
        let mut out = Vec::new();
        response.write(&mut out, Persistence::Silent, true);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn as_haproxy_sends_them() {
        assert_eq!(
            text(&challenge("Hi there")),
            "HTTP/1.1 401 Unauthorized\r\ncontent-length: 112\r\ncache-control: no-cache\r\n\
             content-type: text/html\r\nwww-authenticate: Basic realm=\"Hi there\"\r\n\r\n\
             <html><body><h1>401 Unauthorized</h1>\nYou need a valid user and password to access \
             this content.\n</body></html>\n"
        );
        let query = Query::parse("/", "/;norefresh;up");
        assert_eq!(
            text(&changed("/", &query, Outcome::Done)),
            "HTTP/1.1 303 See Other\r\ncache-control: no-cache\r\ncontent-type: text/plain\r\n\
             content-length: 0\r\nlocation: /;st=DONE;up;norefresh\r\n\r\n"
        );
    }
}
