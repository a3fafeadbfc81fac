//! ClientHellos: no panic whatever the lengths inside say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::hello;

fuzz_target!(|raw: &[u8]| {
    let mut scratch = Vec::new();
    if let Ok(Some(hello)) = hello::parse(raw, &mut scratch) {
        let _ = (hello.server_name(), hello.version());
        let _ = (hello.alpn().count(), hello.extensions().count());
    }
    let _ = hello::handshake_type(raw);
});
