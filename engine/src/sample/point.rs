//! Where data exists: what a fetch needs against what the place of evaluation has.

use std::fmt;

use cfgparse::registry::sample::{Where, find_fetch};

/// What a fetch reads (manual, 7.3.2 to 7.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Needs {
    /// Process state, constants, variables.
    Nothing,
    /// The client's connection.
    Client,
    /// The server's connection.
    Server,
    /// Bytes received from the client.
    RequestData,
    /// The request head.
    Request,
    /// The request head, or what is remembered of it (`method`).
    RequestKept,
    /// The request's body.
    RequestBody,
    /// Bytes received from the server.
    ResponseData,
    /// The response head.
    Response,
    /// The response's status, which the log still knows.
    ResponseKept,
    /// The response's body.
    ResponseBody,
    /// Figures of the finished stream.
    StreamEnd,
}

impl fmt::Display for Needs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Needs::Nothing => "internal state",
            Needs::Client => "client-side address",
            Needs::Server => "server-side address",
            Needs::RequestData => "request buffer contents",
            Needs::Request => "HTTP request headers",
            Needs::RequestKept => "HTTP request meta-data",
            Needs::RequestBody => "HTTP request body",
            Needs::ResponseData => "response buffer contents",
            Needs::Response => "HTTP response headers",
            Needs::ResponseKept => "HTTP response meta-data",
            Needs::ResponseBody => "HTTP response body",
            Needs::StreamEnd => "stream statistics",
        })
    }
}

/// Where an expression is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Point {
    /// `tcp-request connection`
    Connection,
    /// `tcp-request session`
    Session,
    /// `tcp-request content`
    RequestContent,
    /// `http-request`, `redirect`, `use_backend`, `use-server`, `stick on`, `balance`, `monitor fail`
    HttpRequest,
    /// `use_backend` and the like in `mode tcp`
    TcpRequest,
    /// `tcp-response content`
    ResponseContent,
    /// `http-response`
    HttpResponse,
    /// `http-after-response`
    HttpAfterResponse,
    /// `log-format` and relatives
    Log,
    /// A health check, a command, the start of the process
    Internal,
}

impl Point {
    /// Whether the fetch `name` can have data here, as the language's table of rows says.
    pub fn offers(self, name: &str) -> bool {
        find_fetch(name).is_none_or(|row| row.available & self.places() != 0)
    }

    /// The fetch that `name` means here: a few look at the message at hand, whichever it is
    /// (manual, 7.3.6 `hdr`, `cookie`).
    pub fn directed(self, name: &str) -> &str {
        let is_response = matches!(
            self,
            Point::ResponseContent | Point::HttpResponse | Point::HttpAfterResponse
        );
        match name {
            "hdr" if is_response => "res.hdr",
            "cookie" if is_response => "res.cook",
            "payload" if is_response => "res.payload",
            "payload_lv" if is_response => "res.payload_lv",
            other => other,
        }
    }

    /// The bits of the rows' availability that this point stands for.
    fn places(self) -> u32 {
        let places: &[Where] = match self {
            Point::Connection => &[Where::FeTcpConnection],
            Point::Session => &[Where::FeTcpSession],
            Point::RequestContent => &[Where::FeTcpContent, Where::BeTcpContent],
            Point::HttpRequest => &[
                Where::FeHttpRequest,
                Where::BeHttpRequest,
                Where::FeHttpBody,
                Where::BeHttpBody,
            ],
            Point::TcpRequest => &[Where::FeUseBackend, Where::BeUseServer],
            Point::ResponseContent => &[Where::BeTcpResponse, Where::FeTcpResponse],
            Point::HttpResponse | Point::HttpAfterResponse => {
                &[Where::BeHttpResponse, Where::FeHttpResponse]
            }
            Point::Log => &[Where::Log],
            Point::Internal => &[Where::Check, Where::Config, Where::Cli],
        };
        places.iter().fold(0, |bits, place| bits | place.bit())
    }

    /// The words for messages.
    pub fn words(self) -> &'static str {
        match self {
            Point::Connection => "tcp-request connection rule",
            Point::Session => "tcp-request session rule",
            Point::RequestContent => "tcp-request content rule",
            Point::HttpRequest => "http-request rule",
            Point::TcpRequest => "switching rule",
            Point::ResponseContent => "tcp-response content rule",
            Point::HttpResponse => "http-response rule",
            Point::HttpAfterResponse => "http-after-response rule",
            Point::Log => "log-format",
            Point::Internal => "check or start-up expression",
        }
    }
}
