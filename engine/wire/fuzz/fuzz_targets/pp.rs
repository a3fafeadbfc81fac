//! PROXY protocol headers, from bytes that a fuzzer makes up.
#![no_main]

#[path = "../properties/pp.rs"]
mod properties;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| properties::hold(raw));
