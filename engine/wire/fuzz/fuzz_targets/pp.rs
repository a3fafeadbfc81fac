//! PROXY protocol headers: no panic, and lengths within the input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::pp;

fuzz_target!(|raw: &[u8]| {
    if let Ok(Some(header)) = pp::parse(raw) {
        assert!(header.length <= raw.len());
        assert_eq!(pp::parse(&raw[..header.length]).unwrap().as_ref(), Some(&header));
        for end in 0..header.length {
            assert_eq!(pp::parse(&raw[..end]), Ok(None));
        }
        let _ = (header.ssl(), header.tlvs.count());
    }
});
