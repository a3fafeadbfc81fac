//! Addresses: whatever is taken is within bounds.
#![no_main]

use cfgparse::address;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(addresses) = address::bind(text, true) {
        assert!(!addresses.is_empty() && addresses.len() <= address::MAX_RANGE);
    }
    let _ = address::server(text);
    let _ = address::log(text);
});
