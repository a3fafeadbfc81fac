//! Address patterns: networks of both families, longest prefix first (manual, 7.1.6).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::sample::cast::{to_v4, to_v6};

/// A network as written: address and mask, in the bits of its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    V4 { bits: u32, mask: u32 },
    V6 { bits: u128, mask: u128 },
}

/// Parses `192.168.0.1`, `10.12/8`, `127.1`, `10.0.0.0/255.0.0.0`, `2001:db8::/32`.
pub fn parse_network(text: &str) -> Option<Network> {
    let (address, mask) = match text.split_once('/') {
        Some((address, mask)) => (address, Some(mask)),
        None => (text, None),
    };
    if address.contains(':') {
        let bits = u128::from(address.parse::<Ipv6Addr>().ok()?);
        let mask = match mask {
            Some(mask) => prefix6(mask)?,
            None => u128::MAX,
        };
        return Some(Network::V6 {
            bits: bits & mask,
            mask,
        });
    }
    let bits = parse_short_v4(address)?;
    let mask = match mask {
        Some(mask) => crate::sample::args::mask4(mask)?,
        None => u32::MAX,
    };
    Some(Network::V4 {
        bits: bits & mask,
        mask,
    })
}

fn prefix6(mask: &str) -> Option<u128> {
    let bits: u32 = mask.parse().ok()?;
    match bits {
        0 => Some(0),
        1..=128 => Some(u128::MAX << (128 - bits)),
        _ => None,
    }
}

/// A dotted address, perhaps abbreviated: the last number is the last octet, zeros are left out before it.
fn parse_short_v4(text: &str) -> Option<u32> {
    let mut octets = [0u8; 4];
    let parts: Vec<u8> = text
        .split('.')
        .map(|part| {
            let plain = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| part.parse().ok()).flatten()
        })
        .collect::<Option<_>>()?;
    let (last, first) = parts.split_last()?;
    if first.is_empty() || first.len() > 3 {
        return None;
    }
    octets[..first.len()].copy_from_slice(first);
    octets[3] = *last;
    Some(u32::from(Ipv4Addr::from(octets)))
}

/// Networks by prefix length, each length sorted: one bisection for every length in use.
#[derive(Clone, Debug, Default)]
pub struct AddressSet {
    v4: Vec<Prefixes<u32>>,
    v6: Vec<Prefixes<u128>>,
    /// IPv4 masks that are no prefix, such as 255.0.255.0.
    odd: Vec<(u32, u32, u32)>,
}

#[derive(Clone, Debug)]
struct Prefixes<T> {
    mask: T,
    /// (network, entry), sorted by network.
    networks: Vec<(T, u32)>,
}

impl AddressSet {
    pub fn new(networks: impl IntoIterator<Item = (Network, u32)>) -> AddressSet {
        let mut set = AddressSet::default();
        for (network, entry) in networks {
            match network {
                Network::V4 { bits, mask } if is_prefix(mask) => {
                    put(&mut set.v4, bits, mask, entry);
                }
                Network::V4 { bits, mask } => set.odd.push((bits, mask, entry)),
                Network::V6 { bits, mask } => put(&mut set.v6, bits, mask, entry),
            }
        }
        finish(&mut set.v4);
        finish(&mut set.v6);
        set
    }

    /// Adds a network, unless it is there.
    pub fn insert(&mut self, network: Network, entry: u32) {
        match network {
            Network::V4 { bits, mask } if is_prefix(mask) => add(&mut self.v4, bits, mask, entry),
            Network::V4 { bits, mask } => self.odd.push((bits, mask, entry)),
            Network::V6 { bits, mask } => add(&mut self.v6, bits, mask, entry),
        }
    }

    /// Forgets a network.
    pub fn remove(&mut self, network: Network) {
        match network {
            Network::V4 { bits, mask } => {
                take(&mut self.v4, bits, mask);
                self.odd
                    .retain(|(net, own, _)| (*net, *own) != (bits, mask));
            }
            Network::V6 { bits, mask } => take(&mut self.v6, bits, mask),
        }
    }

    /// The entry of the longest network that holds `address`.
    pub fn find(&self, address: IpAddr) -> Option<u32> {
        if let Some(v4) = to_v4(address) {
            let bits = u32::from(v4);
            if let Some(entry) = find_longest(&self.v4, |mask| bits & mask) {
                return Some(entry);
            }
            if let Some((_, _, entry)) = self.odd.iter().find(|(net, mask, _)| bits & mask == *net)
            {
                return Some(*entry);
            }
        }
        let bits = u128::from(to_v6(address));
        find_longest(&self.v6, |mask| bits & mask)
    }
}

fn put<T: Copy + Ord>(lengths: &mut Vec<Prefixes<T>>, bits: T, mask: T, entry: u32) {
    // Masks of prefixes order as their lengths do; the longest stands first.
    let at = lengths.partition_point(|prefixes| prefixes.mask > mask);
    if lengths.get(at).is_none_or(|prefixes| prefixes.mask != mask) {
        let networks = Vec::new();
        lengths.insert(at, Prefixes { mask, networks });
    }
    lengths[at].networks.push((bits, entry));
}

fn is_prefix(mask: u32) -> bool {
    mask.leading_ones() + mask.trailing_zeros() >= 32
}

/// As [`put`], into networks that are sorted already.
fn add<T: Copy + Ord>(lengths: &mut Vec<Prefixes<T>>, bits: T, mask: T, entry: u32) {
    let known = lengths.iter_mut().find(|prefixes| prefixes.mask == mask);
    let Some(prefixes) = known else {
        put(lengths, bits, mask, entry);
        return;
    };
    if let Err(at) = prefixes
        .networks
        .binary_search_by_key(&bits, |(net, _)| *net)
    {
        prefixes.networks.insert(at, (bits, entry));
    }
}

fn take<T: Copy + Ord>(lengths: &mut [Prefixes<T>], bits: T, mask: T) {
    for prefixes in lengths.iter_mut().filter(|prefixes| prefixes.mask == mask) {
        if let Ok(at) = prefixes
            .networks
            .binary_search_by_key(&bits, |(net, _)| *net)
        {
            prefixes.networks.remove(at);
        }
    }
}

fn finish<T: Copy + Ord>(lengths: &mut [Prefixes<T>]) {
    for prefixes in lengths {
        prefixes
            .networks
            .sort_by_key(|(bits, entry)| (*bits, *entry));
        prefixes.networks.dedup_by_key(|(bits, _)| *bits);
    }
}

fn find_longest<T: Copy + Ord>(lengths: &[Prefixes<T>], masked: impl Fn(T) -> T) -> Option<u32> {
    lengths.iter().find_map(|prefixes| {
        let wanted = masked(prefixes.mask);
        let at = prefixes
            .networks
            .binary_search_by_key(&wanted, |(bits, _)| *bits)
            .ok()?;
        Some(prefixes.networks[at].1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(patterns: &[&str]) -> AddressSet {
        AddressSet::new(
            patterns
                .iter()
                .enumerate()
                .map(|(i, p)| (parse_network(p).unwrap(), i as u32)),
        )
    }

    fn find(patterns: &[&str], address: &str) -> Option<u32> {
        set(patterns).find(address.parse().unwrap())
    }

    #[test]
    fn abbreviated_addresses_of_7_1_6() {
        for (short, long) in [
            ("192.168.1", "192.168.0.1"),
            ("10.12", "10.0.0.12"),
            ("127.1", "127.0.0.1"),
            ("192.168.1/22", "192.168.0.1/22"),
            ("10.12/8", "10.0.0.12/8"),
            ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ] {
            assert_eq!(parse_network(short), parse_network(long), "{short}");
        }
        for bad in [
            "",
            "1",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.2.3.4/33",
            "::1/129",
            "a.b",
            "1..2",
        ] {
            assert_eq!(parse_network(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_longest_network_wins() {
        let patterns = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0"];
        assert_eq!(find(&patterns, "10.1.2.3"), Some(2));
        assert_eq!(find(&patterns, "10.1.2.4"), Some(1));
        assert_eq!(find(&patterns, "10.2.0.1"), Some(0));
        assert_eq!(find(&patterns, "11.0.0.1"), Some(3));
    }

    #[test]
    fn networks_come_and_go() {
        let mut set = set(&["10.0.0.0/8", "1.2.3.4"]);
        let network = |text| parse_network(text).unwrap();
        let find = |set: &AddressSet, text: &str| set.find(text.parse().unwrap());
        set.insert(network("10.1.0.0/16"), 7);
        set.insert(network("1.2.3.5"), 8);
        set.insert(network("1.2.3.4"), 9);
        set.insert(network("2001:db8::/32"), 10);
        assert_eq!(find(&set, "10.1.1.1"), Some(7));
        assert_eq!(find(&set, "1.2.3.5"), Some(8));
        assert_eq!(find(&set, "1.2.3.4"), Some(1));
        assert_eq!(find(&set, "2001:db8::1"), Some(10));
        set.remove(network("10.1.0.0/16"));
        set.remove(network("1.2.3.4"));
        assert_eq!(find(&set, "10.1.1.1"), Some(0));
        assert_eq!(find(&set, "1.2.3.4"), None);
    }

    #[test]
    fn families_meet_as_7_1_6_says() {
        assert_eq!(find(&["1.2.3.4"], "::ffff:1.2.3.4"), Some(0));
        assert_eq!(find(&["1.2.3.4"], "::1.2.3.4"), Some(0));
        assert_eq!(find(&["1.2.3.4"], "2002:102:304::1"), Some(0));
        assert_eq!(find(&["1.2.3.4"], "2001:db8::1"), None);
        assert_eq!(find(&["::ffff:0:0/96"], "1.2.3.4"), Some(0));
        assert_eq!(find(&["2001:db8::/32"], "2001:db8::1"), Some(0));
        assert_eq!(find(&["10.0.3.0/255.0.255.0"], "10.9.3.7"), Some(0));
    }
}
