//! `option forwarded`: what the proxy says of a request in RFC 7239's words.

use std::net::{IpAddr, SocketAddr};

use super::Stream;
use crate::plan::{Forwarded, Said};
use crate::sample::{Cx, Value};

/// Adds to the request's `Forwarded` field, or makes one.
pub fn add(stream: &mut Stream<'_>, option: &Forwarded) {
    let text = stream.with_cx(|cx| describe(cx, option));
    if text.is_empty() {
        return;
    }
    let request = &mut stream.exchange.request;
    let last = request.positions(b"forwarded").last();
    match last.and_then(|at| request.field(at).map(|(_, line)| (at, line.to_vec()))) {
        Some((at, mut line)) => {
            line.push(b',');
            line.extend_from_slice(&text);
            request.replace_value(at, &line);
        }
        None => request.append(b"forwarded", &text),
    }
}

fn describe(cx: &Cx<'_>, option: &Forwarded) -> Vec<u8> {
    let mut text = Vec::with_capacity(64);
    if option.proto {
        let proto: &[u8] = if cx.session.tls.is_some() {
            b"proto=https"
        } else {
            b"proto=http"
        };
        text.extend_from_slice(proto);
    }
    if let Some(said) = &option.host {
        let host = match said {
            Said::Default => cx.request.map(|head| head.host().to_vec()),
            Said::Expr(expr) => expr.eval_text(cx).map(std::borrow::Cow::into_owned),
        };
        let host = host.filter(|host| is_host(host)).unwrap_or_default();
        begin(&mut text, b"host=\"");
        text.extend_from_slice(&host);
        text.push(b'"');
    }
    let nodes: [(&[u8], _, _, _); 2] = [
        (b"by=", &option.by, &option.by_port, cx.dst()),
        (b"for=", &option.r#for, &option.for_port, cx.src()),
    ];
    for (name, said, port, address) in nodes {
        if let Some(said) = said {
            begin(&mut text, name);
            let port = port.as_ref().and_then(|said| port_of(cx, said, address));
            write_node(&node_of(cx, said, address), port.as_deref(), &mut text);
        }
    }
    text
}

fn begin(text: &mut Vec<u8>, name: &[u8]) {
    if !text.is_empty() {
        text.push(b';');
    }
    text.extend_from_slice(name);
}

/// A name or address with at most a port, and nothing that would end the quotes.
fn is_host(host: &[u8]) -> bool {
    let name = match host.strip_prefix(b"[") {
        Some(rest) => memchr::memchr(b']', rest).map(|end| &rest[end + 1..]),
        None => Some(host),
    };
    let plain = |b: &u8| b.is_ascii_graphic() && !b"\"\\/<>@".contains(b);
    host.iter().all(plain) && name.is_some_and(|rest| memchr::memchr_iter(b':', rest).count() <= 1)
}

/// The name of a node (RFC 7239, section 6): what is none of its forms is unknown.
fn node_of(cx: &Cx<'_>, said: &Said, address: Option<SocketAddr>) -> String {
    let unknown = || "unknown".to_owned();
    match said {
        Said::Default => address.map_or_else(unknown, |address| bracketed(address.ip())),
        Said::Expr(expr) => match expr.eval(cx).value() {
            Some(Value::Ipv4(v4)) => v4.to_string(),
            Some(Value::Ipv6(v6)) => bracketed(IpAddr::V6(v6)),
            Some(other) => {
                let text = String::from_utf8_lossy(&other.into_text()).into_owned();
                if is_node(&text) { text } else { unknown() }
            }
            None => unknown(),
        },
    }
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

fn is_node(text: &str) -> bool {
    let v6 = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    text == "unknown"
        || is_obfuscated(text)
        || text.parse::<std::net::Ipv4Addr>().is_ok()
        || v6.is_some_and(|v6| v6.parse::<std::net::Ipv6Addr>().is_ok())
}

/// `_` and letters, digits, dots, underscores, dashes.
fn is_obfuscated(text: &str) -> bool {
    let rest = text.strip_prefix('_').unwrap_or_default();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !rest.is_empty() && rest.bytes().all(allowed)
}

fn port_of(cx: &Cx<'_>, said: &Said, address: Option<SocketAddr>) -> Option<String> {
    let text = match said {
        Said::Default => address?.port().to_string(),
        Said::Expr(expr) => String::from_utf8_lossy(&expr.eval_text(cx)?).into_owned(),
    };
    let is_number = text.parse::<u16>().is_ok_and(|port| port > 0);
    (is_number || is_obfuscated(&text)).then_some(text)
}

/// What is no token stands in quotes.
fn write_node(node: &str, port: Option<&str>, text: &mut Vec<u8>) {
    let quoted = port.is_some() || node.starts_with('[');
    let pieces: [&str; 5] = [
        if quoted { "\"" } else { "" },
        node,
        if port.is_some() { ":" } else { "" },
        port.unwrap_or_default(),
        if quoted { "\"" } else { "" },
    ];
    for piece in pieces {
        text.extend_from_slice(piece.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_and_hosts_of_rfc_7239() {
        for node in ["unknown", "_hid.den", "1.2.3.4", "[2001:db8::1]"] {
            assert!(is_node(node), "{node}");
        }
        for none in ["", "_", "hidden", "1.2.3.4:80", "::1", "[::1]:80", "_a b"] {
            assert!(!is_node(none), "{none}");
        }
        for host in ["h", "h.example:80", "[::1]:80", ""] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for none in ["::7", "a\"b", "a b", "[::1", "a:b:c"] {
            assert!(!is_host(none.as_bytes()), "{none}");
        }
        let mut text = Vec::new();
        write_node("[::1]", None, &mut text);
        write_node("1.2.3.4", Some("80"), &mut text);
        write_node("unknown", None, &mut text);
        assert_eq!(text, b"\"[::1]\"\"1.2.3.4:80\"unknown");
    }
}
