//! Where data exists: what a fetch needs against what the place of evaluation has.

use std::fmt;

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
    /// Whether what `needs` names can exist here.
    pub fn offers(self, needs: Needs) -> bool {
        use Needs as N;
        use Point as P;
        match needs {
            N::Nothing => true,
            N::Client => self != P::Internal,
            N::RequestData => matches!(self, P::RequestContent | P::HttpRequest | P::TcpRequest),
            N::Request | N::RequestBody => {
                matches!(self, P::RequestContent | P::HttpRequest | P::TcpRequest)
            }
            N::RequestKept => !matches!(self, P::Connection | P::Session | P::Internal),
            N::Server => matches!(
                self,
                P::ResponseContent | P::HttpResponse | P::HttpAfterResponse | P::Log
            ),
            N::ResponseData => matches!(self, P::ResponseContent | P::HttpResponse),
            N::Response | N::ResponseBody => {
                matches!(
                    self,
                    P::ResponseContent | P::HttpResponse | P::HttpAfterResponse
                )
            }
            N::ResponseKept => matches!(
                self,
                P::ResponseContent | P::HttpResponse | P::HttpAfterResponse | P::Log
            ),
            N::StreamEnd => self == P::Log,
        }
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
