//! Which of several addresses a server gets (manual 5.2: `resolve-prefer`, `resolve-net`,
//! `resolve-opts`).

use std::net::IpAddr;

use ipnet::IpNet;

/// What a server wants.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// Where it is now.
    pub current: Option<IpAddr>,
    pub prefer_ipv6: bool,
    /// `resolve-net`.
    pub nets: &'a [IpNet],
    /// `allow-dup-ip`: takes an address that another server of its backend and name has.
    pub shares: bool,
}

/// The outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Stay,
    Move(IpAddr),
    /// There is none left for this server.
    Nothing,
}

/// Chooses one of `addresses`: of the preferred family before one in a preferred network, before
/// one that nobody else has, before the present one; the first of equals.
pub fn choose(
    addresses: impl Iterator<Item = IpAddr>,
    wish: &Wish<'_>,
    is_taken: impl Fn(IpAddr) -> bool,
) -> Choice {
    let mut best: Option<(u8, IpAddr)> = None;
    for ip in addresses {
        let is_taken = is_taken(ip);
        if is_taken && !wish.shares {
            continue;
        }
        let score = u8::from(ip.is_ipv6() == wish.prefer_ipv6) << 3
            | u8::from(wish.nets.iter().any(|net| net.contains(&ip))) << 2
            | u8::from(!is_taken) << 1
            | u8::from(wish.current == Some(ip));
        if best.is_none_or(|(other, _)| score > other) {
            best = Some((score, ip));
        }
    }
    match best {
        None => Choice::Nothing,
        Some((_, ip)) if wish.current == Some(ip) => Choice::Stay,
        Some((_, ip)) => Choice::Move(ip),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn rows() {
        let v6 = Wish {
            prefer_ipv6: true,
            ..Wish::default()
        };
        let nets = ["10.0.0.0/8".parse().expect("a network")];
        let near = Wish {
            nets: &nets,
            ..Wish::default()
        };
        let (one, two) = (ip("192.0.2.1"), ip("10.0.0.2"));
        let stays = Wish {
            current: Some(two),
            ..Wish::default()
        };
        let shares = Wish {
            shares: true,
            ..Wish::default()
        };
        let both = "192.0.2.1 10.0.0.2";
        let (free, any) = (None, Wish::default());
        for (addresses, wish, taken, expected) in [
            (both, any, free, Choice::Move(one)),
            (both, near, free, Choice::Move(two)),
            (both, any, Some(one), Choice::Move(two)),
            (both, stays, free, Choice::Stay),
            (both, shares, Some(one), Choice::Move(two)),
            ("192.0.2.1", shares, Some(one), Choice::Move(one)),
            ("192.0.2.1", any, Some(one), Choice::Nothing),
            ("192.0.2.1", stays, free, Choice::Move(one)),
            (
                "192.0.2.1 2001:db8::1",
                v6,
                free,
                Choice::Move(ip("2001:db8::1")),
            ),
            ("", any, free, Choice::Nothing),
        ] {
            let found = addresses.split_whitespace().map(ip);
            assert_eq!(
                choose(found, &wish, |ip| taken == Some(ip)),
                expected,
                "{addresses} {wish:?}"
            );
        }
    }
}
