//! Every published way to make two readers of HTTP/1 disagree: what is refused, and the exact
//! bytes that a server gets of what is not.

use std::io::{BufRead, Read};

use crate::harness::{Client, LONG_TIMEOUTS, Origin, Peer, Port, Proxy, get};

/// One request, by the number of the flaw or the section that it is about.
struct Case {
    number: &'static str,
    raw: &'static [u8],
    /// What the client gets; after a refusal the connection ends.
    status: u16,
    /// What the server gets, byte by byte; nothing after a refusal.
    seen: &'static [u8],
}

const fn refused(number: &'static str, status: u16, raw: &'static [u8]) -> Case {
    Case {
        number,
        raw,
        status,
        seen: b"",
    }
}

const fn passes(number: &'static str, raw: &'static [u8], seen: &'static [u8]) -> Case {
    Case {
        number,
        raw,
        status: 200,
        seen,
    }
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    refused("CVE-2021-40346", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:\r\ncontent-length: 23\r\n\r\nGET /admin HTTP/1.1\r\nh:"),
    refused("CVE-2021-40346", 400, b"GET / HTTP/1.1\r\nhost: a\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: y\r\n\r\n"),
    refused("CVE-2023-25725", 400, b"POST / HTTP/1.1\r\n: x\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"),
    refused("CVE-2023-25725", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n: x\r\n\r\nhello"),
    refused("CVE-2023-40225", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length:\r\n\r\nhello"),
    refused("CVE-2023-40225", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length:  \r\n\r\nhello"),
    refused("CVE-2023-40225", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length:\r\ncontent-length: 5\r\n\r\nhello"),
    refused("CVE-2023-40225", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5,\r\n\r\nhello"),
    refused("CVE-2023-45539", 400, b"GET /a#/../admin HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("CVE-2023-45539", 400, b"GET http://a#b/ HTTP/1.1\r\nhost: a\r\n\r\n"),
    passes("CVE-2022-0711", b"GET / HTTP/1.1\r\nhost: a\r\nset-cookie2: a=b\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nset-cookie2: a=b\r\n\r\n"),
    refused("RFC 9112, 3", 400, b"G ET / HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9112, 3", 400, b" GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
    passes("RFC 9112, 3", b"GET\t/\tHTTP/1.1\r\nhost: a\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
    passes("RFC 9112, 3", b"get / HTTP/1.1\r\nhost: a\r\n\r\n", b"get / HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9112, 3", 400, b"G(T / HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("CVE-2019-18277", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: \x0bchunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n"),
    refused("CVE-2019-18277", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\x0b\r\n\r\n0\r\n\r\n"),
    refused("CVE-2019-18277", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: \x01chunked\r\n\r\n0\r\n\r\n"),
    refused("CVE-2019-18277", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    refused("CVE-2019-18277", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n"),
    refused("RFC 9112, 6.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    refused("RFC 9112, 6.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    refused("RFC 9112, 6.1", 422, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: identity, chunked\r\n\r\n0\r\n\r\n"),
    refused("RFC 9112, 6.1", 422, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    refused("RFC 9112, 6.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n0\r\n\r\n"),
    refused("RFC 9112, 6.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked;q=1\r\n\r\n0\r\n\r\n"),
    refused("RFC 9112, 6.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding:\r\n\r\n0\r\n\r\n"),
    refused("RFC 9112, 6.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: , chunked\r\n\r\n0\r\n\r\n"),
    passes("RFC 9112, 6.1", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    passes("RFC 9112, 6.1", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    refused("RFC 9112, 6.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n"),
    passes("RFC 9112, 6.1", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n1\r\nx\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    passes("RFC 9112, 6.1", b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    passes("RFC 9112, 6.1", b"POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n", b"POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    passes("RFC 9112, 6.1", b"POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n1\r\nx\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n", b"POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    passes("RFC 9112, 6.1", b"GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    passes("RFC 9112, 6.3", b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx", b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx"),
    refused("RFC 9112, 6.3", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!"),
    passes("RFC 9112, 6.3", b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello", b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"),
    passes("RFC 9112, 6.3", b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5, 5\r\n\r\nhello", b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"),
    refused("RFC 9112, 6.3", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5, 6\r\n\r\nhello!"),
    passes("RFC 9112, 6.3", b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 05\r\n\r\nhello", b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"),
    refused("RFC 9112, 6.3", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +5\r\n\r\nhello"),
    refused("RFC 9112, 6.3", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -5\r\n\r\nhello"),
    refused("RFC 9112, 6.3", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x5\r\n\r\nhello"),
    refused("RFC 9112, 6.3", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5 5\r\n\r\nhello"),
    refused("RFC 9112, 6.3", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5.0\r\n\r\nhello"),
    refused("RFC 9112, 6.3", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 18446744073709551616\r\n\r\nhello"),
    refused("RFC 9112, 6.3", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 18446744073709551621\r\n\r\nhello"),
    refused("RFC 9112, 6.3", 400, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length\0: 5\r\n\r\nhello"),
    passes("RFC 9112, 6.3", b"POST / HTTP/1.1\r\nhost: a\r\ncontent_length: 5\r\ncontent-length: 5\r\n\r\nhello", b"POST / HTTP/1.1\r\nhost: a\r\ncontent_length: 5\r\ncontent-length: 5\r\n\r\nhello"),
    passes("RFC 9112, 6.3", b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length:\t5\r\n\r\nhello", b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"),
    refused("RFC 9112, 2.2", 400, b"GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n"),
    refused("RFC 9112, 2.2", 400, b"GET / HTTP/1.1\rhost: a\r\r"),
    refused("RFC 9112, 2.2", 400, b"GET / HTTP/1.1\r\nhost: a\r\nx: a\r\r\n\r\n"),
    refused("RFC 9112, 2.2", 400, b"GET / HTTP/1.1\r\nhost: a\r\nx\r: a\r\n\r\n"),
    refused("RFC 9110, 5.5", 400, b"GET / HTTP/1.1\r\nhost: a\r\nx: a\0b\r\n\r\n"),
    refused("RFC 9110, 5.5", 400, b"GET / HTTP/1.1\r\nhost: a\r\nx\0y: a\r\n\r\n"),
    refused("RFC 9110, 5.5", 400, b"GET /a\0b HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9110, 5.5", 400, b"GET / HTTP/1.1\r\nhost: a\0b\r\n\r\n"),
    passes("RFC 9110, 5.5", b"GET / HTTP/1.1\r\nhost: a\r\nx: a\x01b\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nx: a\x01b\r\n\r\n"),
    refused("RFC 9110, 5.5", 400, b"GET /a\x7fb HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9110, 5.5", 400, b"GET /a\xe9b HTTP/1.1\r\nhost: a\r\n\r\n"),
    passes("RFC 9110, 5.5", b"GET / HTTP/1.1\r\nhost: a\r\nx: \xe9\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nx: \xe9\r\n\r\n"),
    refused("RFC 9110, 5.5", 400, b"GET / HTTP/1.1\r\nhost: a\r\nx\xe9: a\r\n\r\n"),
    refused("RFC 9110, 5.5", 400, b"GET /a\tb HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9110, 5.5", 400, b"GET /a b HTTP/1.1\r\nhost: a\r\n\r\n"),
    passes("RFC 9112, 5.2", b"GET / HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nx: a   b\r\n\r\n"),
    refused("RFC 9112, 5.2", 400, b"GET / HTTP/1.1\r\n x: a\r\nhost: a\r\n\r\n"),
    refused("RFC 9112, 5.2", 400, b"GET / HTTP/1.1\r\nhost: a\r\n b\r\n\r\n"),
    passes("RFC 9112, 5.2", b"GET / HTTP/1.1\r\nhost: a\r\nx: a\r\n\tb\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nx: a  \tb\r\n\r\n"),
    passes("RFC 9112, 2.2", b"GET / HTTP/1.1\nhost: a\nx: y\n\n", b"GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n\r\n"),
    passes("RFC 9112, 2.2", b"\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9112, 5.1", 400, b"GET / HTTP/1.1\r\nhost: a\r\nx y: a\r\n\r\n"),
    refused("RFC 9112, 5.1", 400, b"GET / HTTP/1.1\r\nhost: a\r\nx : a\r\n\r\n"),
    refused("RFC 9112, 5.1", 400, b"GET / HTTP/1.1\r\nhost: a\r\nxyz\r\n\r\n"),
    refused("RFC 9112, 5.1", 400, b"GET / HTTP/1.1\r\nhost: a\r\nx/y: a\r\n\r\n"),
    refused("RFC 9112, 5.1", 400, b"GET / HTTP/1.1\r\nhost: a\r\nx(y): a\r\n\r\n"),
    refused("RFC 9112, 5.1", 400, b"GET / HTTP/1.1\r\nhost: a\r\nx@y: a\r\n\r\n"),
    passes("RFC 9112, 5.1", b"GET / HTTP/1.1\r\nhost: a\r\nx_y: a\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nx_y: a\r\n\r\n"),
    passes("RFC 9112, 5.1", b"GET / HTTP/1.1\r\nhost: a\r\nx.y: a\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nx.y: a\r\n\r\n"),
    refused("RFC 9112, 5.1", 400, b"GET / HTTP/1.1\r\nhost: a\r\nx\"y: a\r\n\r\n"),
    refused("RFC 9112, 3.2", 400, b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n"),
    passes("RFC 9112, 3.2", b"GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9112, 3.2", 400, b"GET / HTTP/1.1\r\nhost: a, b\r\n\r\n"),
    passes("RFC 9112, 3.2", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"),
    passes("RFC 9112, 3.2", b"GET / HTTP/1.1\r\nhost:\r\n\r\n", b"GET / HTTP/1.1\r\nhost: \r\n\r\n"),
    refused("RFC 9112, 3.2", 400, b"GET http://b/ HTTP/1.1\r\nhost: a\r\n\r\n"),
    passes("RFC 9112, 3.2", b"GET http://a/x HTTP/1.1\r\nhost: a\r\n\r\n", b"GET http://a/x HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9112, 3.2", 400, b"GET / HTTP/1.1\r\nhost: u@a\r\n\r\n"),
    passes("RFC 9112, 3.2", b"GET http://u@a/x HTTP/1.1\r\nhost: a\r\n\r\n", b"GET http://u@a/x HTTP/1.1\r\nhost: a\r\n\r\n"),
    passes("RFC 9112, 3.2", b"GET / HTTP/1.1\r\nhost: a:80\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a:80\r\n\r\n"),
    passes("RFC 9112, 3.2", b"GET / HTTP/1.1\r\nhost: a:x\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a:x\r\n\r\n"),
    refused("RFC 9112, 3.2", 400, b"GET / HTTP/1.1\r\nhost: a/b\r\n\r\n"),
    refused("RFC 9112, 3.2", 400, b"GET / HTTP/1.1\r\nhost: a b\r\n\r\n"),
    refused("RFC 9112, 3.2", 400, b"GET x HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9112, 3.2", 400, b"GET * HTTP/1.1\r\nhost: a\r\n\r\n"),
    passes("RFC 9112, 3.2", b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9112, 3.2", 400, b"CONNECT b:443 HTTP/1.1\r\nhost: a:443\r\n\r\n"),
    refused("RFC 9112, 3.2", 400, b"CONNECT /x HTTP/1.1\r\nhost: a\r\n\r\n"),
    passes("RFC 9112, 3.2", b"GET //b/x HTTP/1.1\r\nhost: a\r\n\r\n", b"GET //b/x HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9112, 2.3", 400, b"GET /\r\n"),
    refused("RFC 9112, 2.3", 400, b"GET / HTTP/1.10\r\nhost: a\r\n\r\n"),
    passes("RFC 9112, 2.3", b"GET / HTTP/2.0\r\nhost: a\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
    passes("RFC 9112, 2.3", b"GET / HTTP/1.2\r\nhost: a\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9112, 2.3", 400, b"GET / HTTP/ 1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9112, 2.3", 400, b"GET / http/1.1\r\nhost: a\r\n\r\n"),
    refused("RFC 9112, 2.3", 400, b"GET / HTTP/1.1 x\r\nhost: a\r\n\r\n"),
    passes("RFC 9112, 7.1", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0;c\r\n\r\n", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    refused("RFC 9112, 7.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n"),
    refused("RFC 9112, 7.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1;a\rb\r\nx\r\n0\r\n\r\n"),
    refused("RFC 9112, 7.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1;a\0b\r\nx\r\n0\r\n\r\n"),
    refused("RFC 9112, 7.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n"),
    refused("RFC 9112, 7.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n"),
    refused("RFC 9112, 7.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\n\r\n"),
    passes("RFC 9112, 7.1", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\n", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    passes("RFC 9112, 7.1", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1 \r\nx\r\n0\r\n\r\n", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    refused("RFC 9112, 7.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n 1\r\nx\r\n0\r\n\r\n"),
    refused("RFC 9112, 7.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n"),
    refused("RFC 9112, 7.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n\r\nx\r\n0\r\n\r\n"),
    refused("RFC 9112, 7.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n"),
    refused("RFC 9112, 7.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n"),
    passes("RFC 9112, 7.1", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0000000000000000000001\r\nx\r\n0\r\n\r\n", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    refused("RFC 9112, 7.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"),
    refused("RFC 9112, 7.1", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxyz0\r\n\r\n"),
    passes("RFC 9112, 7.1", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n"),
    passes("RFC 9110, 6.5", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-t: 1\r\n\r\n", b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-t: 1\r\n\r\n"),
    refused("RFC 9110, 6.5", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx y: b\r\n\r\n"),
    refused("RFC 9110, 6.5", 400, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n: b\r\n\r\n"),
    refused("RFC 9110, 7.8", 400, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"),
    passes("RFC 9110, 7.8", b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAA\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nconnection: http2-settings\r\nhttp2-settings: AAA\r\n\r\n"),
    passes("RFC 9110, 7.8", b"POST / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\ncontent-length: 5\r\n\r\nhello", b"POST / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\ncontent-length: 5\r\n\r\nhello"),
    passes("RFC 9110, 7.6.1", b"POST / HTTP/1.1\r\nhost: a\r\nconnection: content-length\r\ncontent-length: 5\r\n\r\nhello", b"POST / HTTP/1.1\r\nhost: a\r\nconnection: content-length\r\ncontent-length: 5\r\n\r\nhello"),
    passes("RFC 9110, 7.6.1", b"GET / HTTP/1.1\r\nhost: a\r\nte: gzip, trailers\r\nconnection: te\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: te\r\n\r\n"),
    passes("RFC 9110, 7.6.1", b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close, x-foo\r\nx-foo: 1\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nconnection: x-foo\r\nx-foo: 1\r\n\r\n"),
    passes("haproxy 2.9.9, cookies", b"GET / HTTP/1.1\r\nhost: a\r\ncookie: ;a=b\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\ncookie: ;a=b\r\n\r\n"),
    passes("haproxy 2.9.9, cookies", b"GET / HTTP/1.1\r\nhost: a\r\ncookie: ,a=b\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\ncookie: ,a=b\r\n\r\n"),
    passes("haproxy 2.9.9, cookies", b"GET / HTTP/1.1\r\nhost: a\r\ncookie: =\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\ncookie: =\r\n\r\n"),
    passes("haproxy 2.9.9, cookies", b"GET / HTTP/1.1\r\nhost: a\r\ncookie:\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\ncookie: \r\n\r\n"),
];

/// A server that keeps every byte of each request and answers when it is complete.
fn recorder() -> (Origin, std::sync::mpsc::Receiver<Vec<u8>>) {
    let (sender, requests) = std::sync::mpsc::channel();
    let origin = Origin::raw(move |peer| {
        loop {
            let request = read_request(peer)?;
            if request.is_empty() {
                return Ok(());
            }
            let _ = sender.send(request);
            peer.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")?;
        }
    });
    (origin, requests)
}

/// As lenient as can be: whatever else is wrong, the body is as long as its first framing says.
fn read_request(peer: &mut Peer) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut length = 0;
    let mut is_chunked = false;
    loop {
        let start = bytes.len();
        if peer.reader.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(bytes);
        }
        let line = String::from_utf8_lossy(&bytes[start..]).into_owned();
        if line == "\r\n" && bytes.len() > 2 {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap_or(0);
        }
        is_chunked |= line.starts_with("transfer-encoding: ");
    }
    if is_chunked {
        while !bytes.ends_with(b"\r\n0\r\n") && peer.reader.read_until(b'\n', &mut bytes)? > 0 {}
        while !bytes.ends_with(b"\r\n\r\n") && peer.reader.read_until(b'\n', &mut bytes)? > 0 {}
    } else {
        let start = bytes.len();
        bytes.resize(start + length, 0);
        peer.reader.read_exact(&mut bytes[start..])?;
    }
    Ok(bytes)
}

fn proxy(origin: &Origin) -> (Port, Proxy) {
    let listen = Port::reserve();
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{listen}
    http-reuse never
    cookie SRV insert indirect
    http-request set-header x-told %[req.hdr(x-from),url_dec] if {{ path /header }}
    http-request redirect location %[req.hdr(x-from),url_dec] if {{ path /redirect }}
    http-request return status 200 content-type text/plain hdr x-told %[req.hdr(x-from),url_dec] string ok if {{ path /return }}
    http-request set-var(txn.told) req.hdr(x-from),url_dec if {{ path /response }}
    http-response set-header x-told %[var(txn.told)] if {{ var(txn.told) -m found }}
    server s1 {} cookie a
",
        origin.address
    );
    let proxy = Proxy::start(1, &config);
    (listen, proxy)
}

#[test]
fn each_case_is_refused_or_read_in_one_way() {
    let (origin, requests) = recorder();
    let (listen, _proxy) = proxy(&origin);
    let mut wrong = Vec::new();
    for case in CASES {
        let name = format!("{}: {}", case.number, case.raw.escape_ascii());
        let mut client = Client::connect(listen.address());
        let answer = client.send(case.raw).response();
        if answer.status() != case.status {
            wrong.push(format!("{name}\n  answered {}", answer.start));
        }
        if case.status >= 400 {
            client.rest();
        }
        let seen = requests.try_iter().collect::<Vec<_>>().concat();
        if seen != case.seen {
            wrong.push(format!("{name}\n  server saw {}", seen.escape_ascii()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// CVE-2021-40346: the length of a name was kept in eight bits, and its rest read as a value.
#[test]
fn a_long_name_is_one_name() {
    let (origin, requests) = recorder();
    let (listen, _proxy) = proxy(&origin);
    let name = format!("content-length0{}", "a".repeat(255));
    let mut client = Client::connect(listen.address());
    client.send(format!(
        "POST / HTTP/1.1\r\nhost: a\r\n{name}:\r\ncontent-length: 4\r\n\r\nGET "
    ));
    let answer = client.response();
    let seen = requests.try_iter().collect::<Vec<_>>().concat();
    match answer.status() {
        400 => assert_eq!(seen, b""),
        _ => assert!(seen.ends_with(b"\r\ncontent-length: 4\r\n\r\nGET ")),
    }
}

/// Too much of anything has its own status, and nothing of it is passed on.
#[test]
fn heads_beyond_the_bounds() {
    let (origin, requests) = recorder();
    let (listen, _proxy) = proxy(&origin);
    let field = format!("x: {}\r\n", "a".repeat(17_000));
    let fields: Vec<String> = (0..102).map(|number| format!("x{number}: y\r\n")).collect();
    let fields = fields.concat();
    let path = "a".repeat(17_000);
    for (status, path, fields) in [(414, &*path, ""), (431, "", &*field), (400, "", &*fields)] {
        let mut client = Client::connect(listen.address());
        client.send(format!("GET /{path} HTTP/1.1\r\nhost: a\r\n{fields}\r\n"));
        assert_eq!(client.response().status(), status);
        client.rest();
    }
    assert_eq!(requests.try_iter().count(), 0);
}

/// What comes behind a request that switches protocols is for the server to understand, and only
/// once it agreed.
#[test]
fn requests_behind_connect_go_through_a_tunnel() {
    let (origin, requests) = recorder();
    let (listen, _proxy) = proxy(&origin);
    let mut client = Client::connect(listen.address());
    client.send(
        "CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\nGET /inside HTTP/1.1\r\nHost: Inside\r\n\r\n",
    );
    let mut both = vec![0; 2 * "HTTP/1.1 200 OK\r\n\r\n".len()];
    client.reader.read_exact(&mut both).expect("two answers");
    let seen: Vec<_> = requests.iter().take(2).collect();
    assert!(seen[0].starts_with(b"CONNECT a:80 HTTP/1.1\r\nhost: a"));
    assert_eq!(seen[1], b"GET /inside HTTP/1.1\r\nHost: Inside\r\n\r\n");
}

/// RFC 9110, 6.5: a server that merges trailers into its head would believe what frames and routes
/// there; it has to be as right as in a head.
#[test]
fn trailers_that_frame_are_right_or_refused() {
    let (origin, requests) = recorder();
    let (listen, _proxy) = proxy(&origin);
    let ask = |field: &str| {
        let mut client = Client::connect(listen.address());
        let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        client.send(format!("{head}1\r\nx\r\n0\r\n{field}\r\nx-t: 1\r\n\r\n"));
        client.response().status()
    };
    for (field, passed) in [
        ("content-length: 05", "content-length: 5"),
        ("transfer-encoding: chunked", "transfer-encoding: chunked"),
        ("host: b", "host: b"),
        ("connection: close", "connection: close"),
    ] {
        assert_eq!(ask(field), 200, "{field}");
        let seen = requests.recv().expect("a request");
        let body = format!("\r\n\r\n1\r\nx\r\n0\r\n{passed}\r\nx-t: 1\r\n\r\n");
        assert!(seen.ends_with(body.as_bytes()), "{}", seen.escape_ascii());
    }
    for field in [
        "content-length: 5, 6",
        "content-length:",
        "transfer-encoding: chunked, chunked",
        "transfer-encoding: gzip",
        "host: a\r\nhost: b",
        "host: a b",
        ": x",
    ] {
        assert_eq!(ask(field), 400, "{field}");
    }
    assert_eq!(requests.try_iter().count(), 0);
}

/// Response splitting: what a rule takes from a request never ends a line.
#[test]
fn line_ends_from_samples_stay_inside_their_field() {
    let (origin, requests) = recorder();
    let (listen, _proxy) = proxy(&origin);
    for path in ["/header", "/redirect", "/return", "/response"] {
        let mut client = Client::connect(listen.address());
        client.send(format!(
            "GET {path} HTTP/1.1\r\nhost: a\r\nx-from: /a%0d%0ax-evil:%201%0a%0db\r\n\r\n"
        ));
        let answer = client.response();
        assert_eq!(answer.header("x-evil"), None, "{path}");
        let seen = String::from_utf8(requests.try_iter().flatten().collect()).unwrap();
        assert!(!seen.contains("\nx-evil"), "{path}: {seen}");
        let told = ["x-told", "location"]
            .iter()
            .find_map(|name| answer.header(name));
        let told = told.unwrap_or(&seen);
        assert!(told.contains("/a%0D%0Ax-evil: 1%0A%0Db"), "{path}: {told}");
    }
}

/// An answer and what the client is to get of it.
#[rustfmt::skip]
const ANSWERS: &[(u16, &[u8])] = &[
    (502, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello"),
    (200, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello"),
    (502, b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\nhello"),
    (502, b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello"),
    (502, b"HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\nhello"),
    (502, b"HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\nhello"),
    (200, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    (502, b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nhello"),
    (502, b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    (502, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    (502, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, gzip\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    (502, b"HTTP/1.1 200 OK\r\ntransfer-encoding: \x0bchunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    (502, b"HTTP/1.1 200 OK\r\nx y: a\r\ncontent-length: 0\r\n\r\n"),
    (502, b"HTTP/1.1 200 OK\r\nx : a\r\ncontent-length: 0\r\n\r\n"),
    (502, b"HTTP/1.1 200 OK\r\n: a\r\ncontent-length: 0\r\n\r\n"),
    (502, b"HTTP/1.1 200 OK\r\nxyz\r\ncontent-length: 0\r\n\r\n"),
    (502, b"HTTP/1.1 200 OK\r\nx: a\rb\r\ncontent-length: 0\r\n\r\n"),
    (502, b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n"),
    (200, b"HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 0\r\n\r\n"),
    (200, b"HTTP/1.1 200 OK\ncontent-length: 0\n\n"),
    (200, b"\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    (502, b"HTTP/1.1 abc OK\r\ncontent-length: 0\r\n\r\n"),
    (502, b"HTTP/1.1 1000 OK\r\ncontent-length: 0\r\n\r\n"),
    (999, b"HTTP/1.1 999 OK\r\ncontent-length: 0\r\n\r\n"),
    (200, b"HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n"),
    (200, b"HTTP/1.1  200 OK\r\ncontent-length: 0\r\n\r\n"),
    (502, b"HTTP/2 200 OK\r\ncontent-length: 0\r\n\r\n"),
    (200, b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n"),
    (502, b"hello"),
    (502, b"ICY 200 OK\r\ncontent-length: 0\r\n\r\n"),
    (502, b"http/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    (502, b"HTTP/1.1 101 Switching\r\n\r\n"),
    (200, b"HTTP/1.1 200 \xe9\r\ncontent-length: 0\r\n\r\n"),
    (200, b"HTTP/1.1 200 a\x01b\r\ncontent-length: 0\r\n\r\n"),
    (200, b"HTTP/1.1 200 OK\r\nset-cookie2: a=b\r\nset-cookie2: SRV=x\r\nset-cookie2: c\r\ncontent-length: 0\r\n\r\n"),
    (200, b"HTTP/1.1 200 OK\r\nset-cookie: ;a=b\r\nset-cookie: ,SRV=1\r\nset-cookie: =\r\nset-cookie:\r\ncontent-length: 0\r\n\r\n"),
    (200, b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    (200, b"HTTP/1.1 200 OK\r\nconnection: content-length\r\ncontent-length: 1\r\n\r\nx"),
    (200, b"HTTP/1.1 200 OK\r\n\r\nabc"),
    (502, b"HTTP/1.1 200 OK\r\nx\xe9: y\r\ncontent-length: 0\r\n\r\n"),
];

#[test]
fn answers_are_refused_or_read_in_one_way() {
    for (status, answer) in ANSWERS {
        let origin = Origin::raw(move |peer| {
            peer.request()?;
            peer.send(answer)
        });
        let (listen, _proxy) = proxy(&origin);
        let got = get(listen.address(), "/").status();
        assert_eq!(got, *status, "{}", answer.escape_ascii());
    }
}

/// A status below 100 is interim to one reader and final to another; HAProxy passes it on.
#[test]
fn an_impossible_status_is_502() {
    let origin = Origin::raw(move |peer| {
        peer.request()?;
        peer.send("HTTP/1.1 099 OK\r\ncontent-length: 0\r\n\r\n")
    });
    let (listen, _proxy) = proxy(&origin);
    if std::env::var_os("ENGINE_UNDER_TEST").is_none() {
        assert_eq!(get(listen.address(), "/").status(), 502);
    }
}

/// RFC 9112, 6.1: chunked in an HTTP/1.0 answer is no framing to all readers.
#[test]
fn a_doubtful_answer_ends_the_connection() {
    let origin = Origin::raw(move |peer| {
        peer.request()?;
        peer.send("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")
    });
    let (listen, _proxy) = proxy(&origin);
    let mut client = Client::connect(listen.address());
    let answer = client.get("/");
    assert_eq!((answer.status(), answer.text().as_str()), (200, "x"));
    assert_eq!(answer.header("connection"), None);
    client.ends();
}
