//! Hash functions of `hash-type`.

/// How a hash finds its server (manual 4.2, `hash-type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Modulo the total weight: smooth, but most keys move when a server comes or goes.
    #[default]
    MapBased,
    /// A ring: only the keys of the server that comes or goes move.
    Consistent,
}

/// How a key becomes a number.
///
/// HAProxy's `wt6` is deliberately absent: it is specified nowhere but in HAProxy's own source. The
/// manual names `sdbm` or `djb2` with `avalanche` as its alternatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashFunction {
    #[default]
    Sdbm,
    Djb2,
    Crc32,
    /// The key is itself a decimal number.
    None,
}

/// `hash-type <method> <function> <modifier>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HashType {
    pub method: Method,
    pub function: HashFunction,
    /// Mixes the result once more.
    pub avalanche: bool,
}

impl HashType {
    /// `hash-type consistent` alone: sdbm with avalanche, as the manual says.
    pub const CONSISTENT: Self = Self {
        method: Method::Consistent,
        function: HashFunction::Sdbm,
        avalanche: true,
    };

    /// The hash of a key of bytes.
    pub fn hash(self, key: &[u8]) -> u32 {
        self.finish(match self.function {
            HashFunction::Sdbm => sdbm(key),
            HashFunction::Djb2 => djb2(key),
            HashFunction::Crc32 => crc32(key),
            HashFunction::None => decimal(key),
        })
    }

    /// Applies the modifier to a number that needs no function.
    pub fn finish(self, hash: u32) -> u32 {
        if self.avalanche {
            avalanche(hash)
        } else {
            hash
        }
    }
}

/// The hash of the sdbm library, public domain: `h = c + h * 65599`.
fn sdbm(key: &[u8]) -> u32 {
    key.iter().fold(0_u32, |h, &c| {
        h.wrapping_mul(65_599).wrapping_add(u32::from(c))
    })
}

/// Dan Bernstein's second: `h = c + h * 33`, from 5381.
fn djb2(key: &[u8]) -> u32 {
    key.iter().fold(5_381_u32, |h, &c| {
        h.wrapping_mul(33).wrapping_add(u32::from(c))
    })
}

/// CRC-32 of Ethernet, gzip and PNG (RFC 1952, section 8), reflected, bit by bit: keys are short.
fn crc32(key: &[u8]) -> u32 {
    let crc = key.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    !crc
}

/// A key that is a number already; what follows the digits is ignored.
fn decimal(key: &[u8]) -> u32 {
    key.iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0_u32, |n, &byte| {
            n.wrapping_mul(10).wrapping_add(u32::from(byte - b'0'))
        })
}

/// Bob Jenkins' full avalanche of four bytes in six shifts, public domain
/// (burtleburtle.net/bob/hash/integer.html), times 3 * 2^30 + 1: that HAProxy multiplies was found
/// by comparing 200 choices.
pub(super) fn avalanche(a: u32) -> u32 {
    let a = a.wrapping_add(0x7ed5_5d16).wrapping_add(a << 12);
    let a = (a ^ 0xc761_c23c) ^ (a >> 19);
    let a = a.wrapping_add(0x1656_67b1).wrapping_add(a << 5);
    let a = a.wrapping_add(0xd3a2_646c) ^ (a << 9);
    let a = a.wrapping_add(0xfd70_46c5).wrapping_add(a << 3);
    let a = (a ^ 0xb55a_4f09) ^ (a >> 16);
    a.wrapping_mul(0xc000_0001)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(djb2(b""), 5381);
        assert_eq!(djb2(b"a"), 177_670);
        assert_eq!(sdbm(b"ab"), 97 * 65_599 + 98);
        assert_eq!(decimal(b"00123x4"), 123);
    }

    #[test]
    fn every_bit_of_the_input_moves_the_output() {
        for bit in 0..32 {
            let changed = avalanche(0x1234_5678) ^ avalanche(0x1234_5678 ^ (1 << bit));
            assert!(changed.count_ones() >= 8, "bit {bit} moved {changed:#x}");
        }
    }
}
