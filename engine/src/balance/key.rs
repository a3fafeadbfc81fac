//! The keys of hash algorithms: which bytes of a request are hashed.

use std::net::IpAddr;

use super::HashType;

/// `balance uri` (manual 4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UriKey {
    /// `len`: at most that many characters; 0 is no limit.
    pub len: usize,
    /// `depth`: at most that many directories; 0 is no limit.
    pub depth: usize,
    /// `whole`: the query string counts too.
    pub whole: bool,
    /// `path-only`: the authority of an absolute URI does not count.
    pub path_only: bool,
}

/// The part of a request target that is hashed.
pub fn uri_key(options: UriKey, target: &[u8]) -> &[u8] {
    let target = if options.path_only {
        path_of(target)
    } else {
        target
    };
    let target = if options.len != 0 {
        &target[..target.len().min(options.len)]
    } else {
        target
    };
    let mut slashes = 0;
    let end = target.iter().position(|&byte| {
        slashes += usize::from(byte == b'/');
        let too_deep = byte == b'/' && options.depth != 0 && slashes > options.depth;
        too_deep || (byte == b'?' && !options.whole)
    });
    &target[..end.unwrap_or(target.len())]
}

/// What follows the authority of an absolute URI.
fn path_of(target: &[u8]) -> &[u8] {
    if target.first() == Some(&b'/') {
        return target;
    }
    let after_scheme = target
        .windows(3)
        .position(|window| window == b"://")
        .map_or(0, |at| at + 3);
    let rest = &target[after_scheme..];
    rest.iter()
        .position(|&byte| byte == b'/')
        .map_or(&rest[rest.len()..], |at| &rest[at..])
}

/// The value of a parameter in a query string or a form body (`balance url_param`). A parameter
/// without `=` or without a value is missing.
pub fn url_param<'a>(query: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    query
        .split(|&byte| byte == b'&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="))
        .filter(|value| !value.is_empty())
}

/// `use_domain_only` of `balance hdr`: of `haproxy.1wt.eu` only `1wt`.
pub fn domain_only(host: &[u8]) -> &[u8] {
    let host = host.split(|&byte| byte == b':').next().unwrap_or(host);
    let Some(top) = host.iter().rposition(|&byte| byte == b'.') else {
        return host;
    };
    let name = &host[..top];
    let start = name
        .iter()
        .rposition(|&byte| byte == b'.')
        .map_or(0, |dot| dot + 1);
    &name[start..]
}

/// The value of an RDP cookie at the head of a connection: `Cookie: NAME=VALUE` CR LF behind the
/// TPKT and X.224 headers (MS-RDPBCGR 2.2.1.1). The name is not case-sensitive.
pub fn rdp_cookie<'a>(payload: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    // TPKT: version 3. X.224 connection request: 0xe0 as its second byte.
    let (tpkt, x224) = payload.split_at_checked(4)?;
    if tpkt[0] != 3 || x224.get(1)? & 0xf0 != 0xe0 {
        return None;
    }
    let rest = x224.get(7..)?;
    let rest = strip_prefix_ignoring_case(rest, b"Cookie:")?.trim_ascii_start();
    let value = strip_prefix_ignoring_case(rest, name)?.strip_prefix(b"=")?;
    let end = value.windows(2).position(|window| window == b"\r\n")?;
    Some(&value[..end])
}

fn strip_prefix_ignoring_case<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The hash of a client address (`balance source`): its 32-bit words folded together, then the
/// modifier; the function of `hash-type` is for text.
pub fn hash_address(hash_type: HashType, address: IpAddr) -> u32 {
    let folded = match address {
        IpAddr::V4(address) => u32::from(address),
        IpAddr::V6(address) => {
            let bits = u128::from(address);
            (bits >> 96) as u32 ^ (bits >> 64) as u32 ^ (bits >> 32) as u32 ^ bits as u32
        }
    };
    hash_type.finish(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uri_parts() {
        let key = |options, target: &'static str| {
            std::str::from_utf8(uri_key(options, target.as_bytes()))
                .unwrap_or("?")
                .to_owned()
        };
        let plain = UriKey::default();
        assert_eq!(key(plain, "/a/b/c?x=1"), "/a/b/c");
        assert_eq!(
            key(
                UriKey {
                    whole: true,
                    ..plain
                },
                "/a?x=1"
            ),
            "/a?x=1"
        );
        assert_eq!(key(UriKey { len: 3, ..plain }, "/a/b/c"), "/a/");
        assert_eq!(key(UriKey { depth: 2, ..plain }, "/a/b/c"), "/a/b");
        let path_only = UriKey {
            path_only: true,
            ..plain
        };
        assert_eq!(key(path_only, "http://h:1/p?q"), "/p");
        assert_eq!(key(path_only, "/p"), "/p");
        assert_eq!(key(plain, "http://h/p"), "http://h/p");
    }

    #[test]
    fn parameters_need_a_value() {
        assert_eq!(url_param(b"a=1&uid=x&b", b"uid"), Some(&b"x"[..]));
        assert_eq!(url_param(b"xuid=1", b"uid"), None);
        assert_eq!(url_param(b"uid", b"uid"), None);
        assert_eq!(url_param(b"uid=", b"uid"), None);
    }

    #[test]
    fn the_domain_without_host_and_top_level() {
        assert_eq!(domain_only(b"haproxy.1wt.eu"), b"1wt");
        assert_eq!(domain_only(b"1wt.eu:8080"), b"1wt");
        assert_eq!(domain_only(b"localhost"), b"localhost");
    }

    #[test]
    fn rdp_cookies() {
        let mut payload = vec![3, 0, 0, 0x2a, 0x25, 0xe0, 0, 0, 0, 0, 0];
        payload.extend_from_slice(b"Cookie: mstshash=user1\r\n\x01\x00");
        assert_eq!(rdp_cookie(&payload, b"MSTSHASH"), Some(&b"user1"[..]));
        assert_eq!(rdp_cookie(&payload, b"msts"), None);
        assert_eq!(rdp_cookie(b"GET / HTTP/1.1\r\n", b"mstshash"), None);
        assert_eq!(rdp_cookie(&payload[..5], b"mstshash"), None);
    }
}
