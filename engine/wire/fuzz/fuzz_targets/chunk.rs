//! Chunked bodies, from bytes that a fuzzer makes up.
#![no_main]

#[path = "../properties/chunk.rs"]
mod properties;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (usize, &[u8])| properties::hold(input.0, input.1));
