//! The agreement between `Host` and the request target (RFC 9112 section 3.2).

use super::error::HeadError;
use crate::head::{Edit, Head};
use crate::name::Known;
use crate::target::{Target, TargetForm};
use crate::text;

/// Checks target and `Host`, merges repeated ones, and strips the target's default port.
///
/// A missing `Host` is accepted as HAProxy does; rules may ask for one.
///
/// `lenient` lets a target and a `Host` pass that do not agree, and any target of CONNECT.
pub(super) fn check(head: &mut Head, has_host: bool, lenient: bool) -> Result<(), HeadError> {
    let forgive = |checked: Result<(), HeadError>| match checked {
        Err(HeadError::Host) if lenient => Ok(()),
        checked => checked,
    };
    if has_host {
        forgive(merge(head))?;
    }
    if head.target().first() == Some(&b'/') && head.method() != b"CONNECT" {
        return Ok(());
    }
    let parts = head.target_parts();
    match parts.form {
        TargetForm::Origin => Ok(()),
        TargetForm::Asterisk if !NEEDS_PATH.contains(&head.method()) => Ok(()),
        TargetForm::Authority if head.method() == b"CONNECT" => {
            let checked = connect(head);
            if lenient { Ok(()) } else { checked }
        }
        TargetForm::Asterisk | TargetForm::Authority => Err(HeadError::Target),
        TargetForm::Absolute => forgive(absolute(head)),
    }
}

/// Methods that make no sense on `*`, which belongs to OPTIONS and to methods unknown here. `PRI *`
/// opens HTTP/2, which is told apart before this parser sees it.
const NEEDS_PATH: [&[u8]; 7] = [
    b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"TRACE", b"PRI",
];

/// All `Host` fields must be valid and name the same; the first one stays.
pub(super) fn merge(head: &mut Head) -> Result<(), HeadError> {
    let mut hosts = head.values_known(Known::Host);
    let first = hosts.next().unwrap_or(&[]);
    if !text::valid_host(first) {
        return Err(HeadError::Host);
    }
    let mut repeated = false;
    for host in hosts {
        repeated = true;
        if !host.eq_ignore_ascii_case(first) {
            return Err(HeadError::Host);
        }
    }
    if repeated {
        let mut first = true;
        head.edit_known(Known::Host, |_| {
            if std::mem::take(&mut first) {
                Edit::Keep
            } else {
                Edit::Remove
            }
        });
    }
    Ok(())
}

/// `host:port`, both present (RFC 9112 section 3.2.3).
fn connect(head: &mut Head) -> Result<(), HeadError> {
    let authority = head.target();
    let (_, port) = split_port(authority);
    let digits = port.is_some_and(|port| !port.is_empty() && port.iter().all(u8::is_ascii_digit));
    if !digits || !valid_authority(authority) {
        return Err(HeadError::Target);
    }
    let own: &[&[u8]] = match port {
        Some(b"80") => &[b"80"],
        Some(b"443") => &[b"443"],
        _ => &[],
    };
    let stripped = agree(head, authority, own)?;
    // A port that is there and empty is no default port: it stays.
    let host = head.first_known(Known::Host);
    if !host.is_some_and(|host| host.ends_with(b":")) {
        apply(head, stripped);
    }
    Ok(())
}

fn absolute(head: &mut Head) -> Result<(), HeadError> {
    let parts = head.target_parts();
    let authority = parts.host_and_port();
    if !valid_authority(authority) {
        return Err(HeadError::Target);
    }
    let stripped = agree(head, authority, default_ports(parts.scheme))?;
    let target = normalised(&parts, default_ports(parts.scheme));
    if let Some(target) = target {
        head.set_target(&target);
    }
    apply(head, stripped);
    Ok(())
}

/// A host, which may be empty, with one port at most: what is left without it must not read as
/// having another.
fn valid_authority(authority: &[u8]) -> bool {
    let (host, _) = split_port(authority);
    // The colons of an IPv6 address stand in its brackets.
    let bare = match host.iter().rposition(|&b| b == b']') {
        Some(bracket) => &host[bracket + 1..],
        None => host,
    };
    !bare.contains(&b':') && text::valid_host(authority)
}

/// Whether `Host` names the authority, default ports aside; tells the host without the port that
/// both of them carry needlessly.
fn agree(
    head: &Head,
    authority: &[u8],
    default_ports: &[&[u8]],
) -> Result<Option<Vec<u8>>, HeadError> {
    let Some(host) = head.first_known(Known::Host) else {
        return Ok(None);
    };
    let (bare_authority, bare_host) = (
        strip_port(authority, default_ports),
        strip_port(host, default_ports),
    );
    if !bare_authority.eq_ignore_ascii_case(bare_host) {
        return Err(HeadError::Host);
    }
    let both = bare_authority.len() < authority.len() && bare_host.len() < host.len();
    Ok(both.then(|| bare_host.to_vec()))
}

fn apply(head: &mut Head, host: Option<Vec<u8>>) {
    if let Some(host) = host {
        head.edit_known(Known::Host, |_| Edit::Replace(host.clone()));
    }
}

/// The absolute target without a default port and with a path, if that changes it.
fn normalised(parts: &Target<'_>, default_ports: &[&[u8]]) -> Option<Vec<u8>> {
    let authority = strip_port(parts.authority, default_ports);
    if authority.len() == parts.authority.len() && !parts.path_and_query.is_empty() {
        return None;
    }
    let mut target = parts.scheme.to_vec();
    target.extend_from_slice(b"://");
    target.extend_from_slice(authority);
    target.extend_from_slice(parts.path_and_query);
    if parts.path_and_query.is_empty() {
        target.push(b'/');
    }
    Some(target)
}

fn default_ports(scheme: &[u8]) -> &'static [&'static [u8]] {
    if scheme.eq_ignore_ascii_case(b"http") {
        &[b"80"]
    } else if scheme.eq_ignore_ascii_case(b"https") {
        &[b"443"]
    } else {
        &[]
    }
}

/// `host` without a port that is empty or one of `default_ports`.
fn strip_port<'a>(host: &'a [u8], default_ports: &[&[u8]]) -> &'a [u8] {
    match split_port(host) {
        (bare, Some(port)) if port.is_empty() || default_ports.contains(&port) => bare,
        _ => host,
    }
}

/// The host and what follows its last colon outside of brackets.
fn split_port(host: &[u8]) -> (&[u8], Option<&[u8]>) {
    match host.iter().rposition(|b| matches!(b, b':' | b']')) {
        Some(colon) if host[colon] == b':' => (&host[..colon], Some(&host[colon + 1..])),
        _ => (host, None),
    }
}
