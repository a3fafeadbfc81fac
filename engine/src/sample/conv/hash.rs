//! Hashes of a few machine instructions (manual, 7.3.1).

use crate::sample::args::{Args, Kind, spec};
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

use Kind::Int;

pub static ROWS: &[ConvertRow] = &[
    convert("sdbm", spec(0, &[Int]), Type::Bin, Type::Sint, |v, a, _| {
        Some(hash(v, a, sdbm))
    }),
    convert("djb2", spec(0, &[Int]), Type::Bin, Type::Sint, |v, a, _| {
        Some(hash(v, a, djb2))
    }),
    convert("wt6", spec(0, &[Int]), Type::Bin, Type::Sint, |v, a, _| {
        Some(hash(v, a, wt6))
    }),
    convert(
        "crc32",
        spec(0, &[Int]),
        Type::Bin,
        Type::Sint,
        |v, a, _| Some(hash(v, a, crc32)),
    ),
    convert(
        "crc32c",
        spec(0, &[Int]),
        Type::Bin,
        Type::Sint,
        |v, a, _| Some(hash(v, a, crc32c)),
    ),
    convert(
        "xxh32",
        spec(0, &[Int]),
        Type::Bin,
        Type::Sint,
        |v, a, _| {
            let seed = a.int(0).unwrap_or(0) as u32;
            Some(Value::Sint(i64::from(xxh32(&v.into_data(), seed))))
        },
    ),
    convert(
        "xxh64",
        spec(0, &[Int]),
        Type::Bin,
        Type::Sint,
        |v, a, _| {
            Some(Value::Sint(
                xxh64(&v.into_data(), a.int(0).unwrap_or(0) as u64) as i64,
            ))
        },
    ),
];

fn hash<'a>(value: Value<'a>, args: &'a Args, hash: fn(&[u8]) -> u32) -> Value<'a> {
    let mut result = hash(&value.into_data());
    if args.int(0).is_some_and(|on| on != 0) {
        result = avalanche(result);
    }
    Value::Sint(i64::from(result))
}

/// The hash that sdbm made known.
pub fn sdbm(data: &[u8]) -> u32 {
    data.iter().fold(0u32, |h, &b| {
        u32::from(b)
            .wrapping_add(h << 6)
            .wrapping_add(h << 16)
            .wrapping_sub(h)
    })
}

/// Bernstein's hash, seed 5381, by addition.
pub fn djb2(data: &[u8]) -> u32 {
    data.iter().fold(5381u32, |h, &b| {
        (h << 5).wrapping_add(h).wrapping_add(u32::from(b))
    })
}

/// Two words that rotate each other, by amounts taken from their own bits.
pub fn wt6(data: &[u8]) -> u32 {
    let (mut a, mut b) = (0xa53c_965a_u32, 0x5ca6_953a_u32);
    let (mut turn_a, mut turn_b) = (6, 18);
    for &byte in data {
        let mixed_a = !(a ^ u32::from(byte));
        let mixed_b = !b.wrapping_add(u32::from(byte));
        a = mixed_b.rotate_left(turn_a);
        b = mixed_a.rotate_left(turn_b);
        let turns = ((a >> 16) ^ b) & 0xffff;
        turn_a = turns & 31;
        turn_b = turns >> 11;
    }
    a ^ b
}

/// Spreads the bits of a hash over all of it (Bob Jenkins' 32-bit integer hash).
pub fn avalanche(hash: u32) -> u32 {
    let mut a = hash;
    a = a.wrapping_add(a << 12).wrapping_add(0x7ed5_5d16);
    a = (a ^ 0xc761_c23c) ^ (a >> 19);
    a = a.wrapping_add(0x1656_67b1).wrapping_add(a << 5);
    a = a.wrapping_add(0xd3a2_646c) ^ (a << 9);
    a = a.wrapping_add(0xfd70_46c5).wrapping_add(a << 3);
    a = (a ^ 0xb55a_4f09) ^ (a >> 16);
    // A prime near three quarters of the range spreads the upper bits further.
    a.wrapping_mul(0xc000_0001)
}

/// CRC-32 as in Ethernet (polynomial 0xEDB88320, reflected).
pub fn crc32(data: &[u8]) -> u32 {
    crc(data, 0xedb8_8320)
}

/// CRC-32C, Castagnoli's (RFC 4960 appendix B; polynomial 0x82F63B78, reflected).
pub fn crc32c(data: &[u8]) -> u32 {
    crc(data, 0x82f6_3b78)
}

fn crc(data: &[u8], polynomial: u32) -> u32 {
    !data.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| {
            (c >> 1) ^ (polynomial & (c & 1).wrapping_neg())
        })
    })
}

const P32: [u32; 5] = [
    2_654_435_761,
    2_246_822_519,
    3_266_489_917,
    668_265_263,
    374_761_393,
];

/// XXH32 (xxHash specification, version 0.1.1).
pub fn xxh32(data: &[u8], seed: u32) -> u32 {
    let word = |chunk: &[u8]| u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
    let mut blocks = data.chunks_exact(16);
    let mut h = if data.len() >= 16 {
        let mut lanes = [
            seed.wrapping_add(P32[0]).wrapping_add(P32[1]),
            seed.wrapping_add(P32[1]),
            seed,
            seed.wrapping_sub(P32[0]),
        ];
        for block in blocks.by_ref() {
            for (lane, chunk) in lanes.iter_mut().zip(block.chunks_exact(4)) {
                *lane = lane
                    .wrapping_add(word(chunk).wrapping_mul(P32[1]))
                    .rotate_left(13)
                    .wrapping_mul(P32[0]);
            }
        }
        lanes
            .iter()
            .zip([1, 7, 12, 18])
            .fold(0u32, |h, (lane, bits)| {
                h.wrapping_add(lane.rotate_left(bits))
            })
    } else {
        seed.wrapping_add(P32[4])
    };
    h = h.wrapping_add(data.len() as u32);
    let mut words = blocks.remainder().chunks_exact(4);
    for chunk in words.by_ref() {
        h = h
            .wrapping_add(word(chunk).wrapping_mul(P32[2]))
            .rotate_left(17)
            .wrapping_mul(P32[3]);
    }
    for &byte in words.remainder() {
        h = h
            .wrapping_add(u32::from(byte).wrapping_mul(P32[4]))
            .rotate_left(11)
            .wrapping_mul(P32[0]);
    }
    h = (h ^ (h >> 15)).wrapping_mul(P32[1]);
    h = (h ^ (h >> 13)).wrapping_mul(P32[2]);
    h ^ (h >> 16)
}

const P64: [u64; 5] = [
    11_400_714_785_074_694_791,
    14_029_467_366_897_019_727,
    1_609_587_929_392_839_161,
    9_650_029_242_287_828_579,
    2_870_177_450_012_600_261,
];

/// XXH64 (xxHash specification, version 0.1.1).
pub fn xxh64(data: &[u8], seed: u64) -> u64 {
    let word = |chunk: &[u8]| {
        chunk
            .iter()
            .rev()
            .fold(0u64, |w, &b| (w << 8) | u64::from(b))
    };
    let round = |lane: u64, input: u64| {
        lane.wrapping_add(input.wrapping_mul(P64[1]))
            .rotate_left(31)
            .wrapping_mul(P64[0])
    };
    let mut blocks = data.chunks_exact(32);
    let mut h = if data.len() >= 32 {
        let mut lanes = [
            seed.wrapping_add(P64[0]).wrapping_add(P64[1]),
            seed.wrapping_add(P64[1]),
            seed,
            seed.wrapping_sub(P64[0]),
        ];
        for block in blocks.by_ref() {
            for (lane, chunk) in lanes.iter_mut().zip(block.chunks_exact(8)) {
                *lane = round(*lane, word(chunk));
            }
        }
        let mixed = lanes
            .iter()
            .zip([1, 7, 12, 18])
            .fold(0u64, |h, (lane, bits)| {
                h.wrapping_add(lane.rotate_left(bits))
            });
        lanes.iter().fold(mixed, |h, &lane| {
            (h ^ round(0, lane))
                .wrapping_mul(P64[0])
                .wrapping_add(P64[3])
        })
    } else {
        seed.wrapping_add(P64[4])
    };
    h = h.wrapping_add(data.len() as u64);
    let mut words = blocks.remainder().chunks_exact(8);
    for chunk in words.by_ref() {
        h = (h ^ round(0, word(chunk)))
            .rotate_left(27)
            .wrapping_mul(P64[0])
            .wrapping_add(P64[3]);
    }
    let mut rest = words.remainder();
    if let Some((chunk, after)) = rest.split_at_checked(4) {
        h = (h ^ word(chunk).wrapping_mul(P64[0]))
            .rotate_left(23)
            .wrapping_mul(P64[1])
            .wrapping_add(P64[2]);
        rest = after;
    }
    for &byte in rest {
        h = (h ^ u64::from(byte).wrapping_mul(P64[4]))
            .rotate_left(11)
            .wrapping_mul(P64[0]);
    }
    h = (h ^ (h >> 33)).wrapping_mul(P64[1]);
    h = (h ^ (h >> 29)).wrapping_mul(P64[2]);
    h ^ (h >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_vectors() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(xxh32(b"", 0), 0x02cc_5d05);
        assert_eq!(xxh64(b"", 0), 0xef46_db37_51d8_e999);
        assert_eq!(xxh64(b"abc", 0), 0x44bc_2cf5_ad77_0999);
        assert_eq!(xxh32(b"abc", 0), 0x32d1_53ff);
        assert_eq!((wt6(b"a"), wt6(b"hello")), (1_900_802_597, 3_538_347_703));
        assert_eq!(djb2(b"hello"), 261_238_937);
        assert_eq!(avalanche(wt6(b"hello")), 140_457_739);
        // Values that HAProxy 3.5 gives for "ex.org/a/b".
        assert_eq!(sdbm(b"ex.org/a/b"), 0x03a7_d3ee);
        assert_eq!(avalanche(sdbm(b"ex.org/a/b")), 0xbfbe_8a1c);
    }
}
