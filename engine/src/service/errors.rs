//! The messages that HAProxy makes itself, one row for each status.

/// A message made here: an error, or the monitor's success.
///
/// Texts and lengths are those of HAProxy, because monitoring compares them.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// The status code.
    pub status: u16,
    /// The reason phrase.
    pub reason: &'static str,
    /// The HTML text.
    pub body: &'static str,
    /// Head and body as sent where no request could be read, so that nothing is known about
    /// the client: version 1.1, and `connection: close` for 400 and 408.
    pub raw: &'static str,
}

/// What a message says about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Nothing: HTTP/1.1 keeps the connection.
    Silent,
    /// `connection: close`.
    Close,
    /// `connection: keep-alive`, for a client of HTTP/1.0 that asked for it.
    KeepAlive,
}

impl Message {
    /// The message of a status; `None` where HAProxy has none.
    pub fn of(status: u16) -> Option<&'static Message> {
        let row = MESSAGES
            .binary_search_by_key(&status, |message| message.status)
            .ok()?;
        Some(&MESSAGES[row])
    }

    /// The message of a status, or else that of 500: an unknown status is our own error.
    pub fn of_error(status: u16) -> &'static Message {
        const INTERNAL: &Message = &MESSAGES[position(500)];
        Self::of(status).unwrap_or(INTERNAL)
    }
}

/// Where the row of a status is; fails to compile when there is none.
const fn position(status: u16) -> usize {
    let mut row = 0;
    while MESSAGES[row].status != status {
        row += 1;
    }
    row
}

macro_rules! row {
    ($status:literal, $reason:literal, $length:literal, $text:literal $(, $connection:literal)?) => {
        Message {
            status: $status,
            reason: $reason,
            body: body!($status, $reason, $text),
            raw: concat!(
                "HTTP/1.1 ", $status, " ", $reason, "\r\ncontent-length: ", $length,
                "\r\ncache-control: no-cache\r\n", $($connection,)?
                "content-type: text/html\r\n\r\n", body!($status, $reason, $text)
            ),
        }
    };
}

macro_rules! body {
    ($status:literal, $reason:literal, $text:literal) => {
        concat!(
            "<html><body><h1>",
            $status,
            " ",
            $reason,
            "</h1>\n",
            $text,
            "\n</body></html>\n"
        )
    };
}

/// Every message, by status.
#[rustfmt::skip]
pub const MESSAGES: &[Message] = &[
    row!(200, "OK", 58, "Service ready."),
    row!(400, "Bad request", 90, "Your browser sent an invalid request.", "connection: close\r\n"),
    row!(401, "Unauthorized", 112, "You need a valid user and password to access this content."),
    row!(403, "Forbidden", 93, "Request forbidden by administrative rules."),
    row!(404, "Not Found", 83, "The resource could not be found."),
    row!(405, "Method Not Allowed", 147, "A request was made of a resource using a request method not supported by that resource."),
    row!(407, "Unauthorized", 112, "You need a valid user and password to access this content."),
    row!(408, "Request Time-out", 110, "Your browser didn't send a complete request in time.", "connection: close\r\n"),
    row!(410, "Gone", 114, "The resource is no longer available and will not be available again."),
    row!(413, "Payload Too Large", 106, "The request entity exceeds the maximum allowed."),
    row!(414, "URI Too Long", 110, "The URI provided was too long for the server to process."),
    row!(421, "Misdirected Request", 104, "Request sent to a non-authoritative server."),
    row!(422, "Unprocessable Content", 116, "The server cannot process the contained instructions."),
    row!(425, "Too Early", 80, "Your browser sent early data."),
    row!(429, "Too Many Requests", 117, "You have sent too many requests in a given amount of time."),
    row!(431, "Request Header Fields Too Large", 105, "Request Header Fields Too Large."),
    row!(500, "Internal Server Error", 97, "An internal server error occurred."),
    row!(501, "Not Implemented", 135, "The server does not support the functionality required to fulfill the request."),
    row!(502, "Bad Gateway", 107, "The server returned an invalid or incomplete response."),
    row!(503, "Service Unavailable", 107, "No server is available to handle this request."),
    row!(504, "Gateway Time-out", 92, "The server didn't respond in time."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_bodies_and_rows_are_sorted() {
        for message in MESSAGES {
            let (head, body) = message.raw.split_once("\r\n\r\n").expect("a head");
            let length = format!("content-length: {}\r\n", message.body.len());
            assert!(
                head.contains(&length) && body == message.body,
                "{}",
                message.status
            );
            let first = format!("HTTP/1.1 {} {}\r\n", message.status, message.reason);
            assert!(head.starts_with(&first), "{}", message.status);
            let closes = matches!(message.status, 400 | 408);
            assert_eq!(
                head.contains("connection: close"),
                closes,
                "{}",
                message.status
            );
        }
        assert!(MESSAGES.is_sorted_by_key(|message| message.status));
    }

    #[test]
    fn every_message_is_what_haproxy_sends() {
        let all: Vec<_> = MESSAGES
            .iter()
            .map(|message| message.raw.replace('\r', ""))
            .collect();
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn an_unknown_status_is_our_own_error() {
        assert_eq!(Message::of(599), None);
        assert_eq!(Message::of_error(599).status, 500);
    }
}
