//! PROXY protocol headers: lengths within the input, and nothing shorter is a header.

use wire::pp;

pub fn hold(raw: &[u8]) {
    if let Ok(Some(header)) = pp::parse(raw) {
        assert!(header.length <= raw.len());
        let alone = pp::parse(&raw[..header.length]).expect("the same header");
        assert_eq!(alone.as_ref(), Some(&header));
        for end in 0..header.length {
            assert_eq!(pp::parse(&raw[..end]), Ok(None));
        }
        let _ = (header.ssl(), header.tlvs.count());
    }
}
