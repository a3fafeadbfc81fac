//! Heads: any split gives the same verdict, and what is sent on is read back unchanged.

use wire::Head;
use wire::h1::{
    Asked, ConnectionOut, HeadParser, Limits, Parse, Switch, write_request, write_response,
};

pub fn hold(cut: usize, raw: &[u8]) {
    let limits = Limits::default();
    let (mut head, mut split) = (Head::new(), Head::new());
    let whole = HeadParser::new().request(raw, &limits, &mut head);
    let mut parser = HeadParser::new();
    let mut verdict = parser.request(&raw[..cut % (raw.len() + 1)], &limits, &mut split);
    if verdict == Ok(Parse::Partial) {
        verdict = parser.request(raw, &limits, &mut split);
    }
    assert_eq!(whole.is_err(), verdict.is_err());
    if matches!(whole, Ok(Parse::Complete { .. })) {
        assert_eq!(whole, verdict);
        is_read_back(&mut head, &mut split, &limits);
    }
    let asked = Asked {
        head: cut & 1 == 1,
        switch: Some(Switch::Other),
    };
    if let Ok(Parse::Complete { .. }) = HeadParser::new().response(raw, &limits, asked, &mut head) {
        write_response(&head, ConnectionOut::CLOSE, &mut Vec::new());
    }
}

/// What is sent on is accepted again, and the same is sent on then. `twin` is the same head.
fn is_read_back(head: &mut Head, twin: &mut Head, limits: &Limits) {
    let (mut sent, mut again) = (Vec::new(), Vec::new());
    write_request(head, ConnectionOut::KEEP_ALIVE, &mut sent);
    // What is sent on has longer separators, and one field more.
    let large = Limits {
        head_bytes: 1 << 20,
        buffer_bytes: 1 << 20,
        fields: limits.fields + 1,
        ..*limits
    };
    let reread = HeadParser::new().request(&sent, &large, head);
    assert!(matches!(reread, Ok(Parse::Complete { consumed, .. }) if consumed == sent.len()));
    head.remove(b"connection");
    twin.remove(b"connection");
    sent.clear();
    write_request(twin, ConnectionOut::SILENT, &mut sent);
    write_request(head, ConnectionOut::SILENT, &mut again);
    assert_eq!(
        sent.escape_ascii().to_string(),
        again.escape_ascii().to_string()
    );
}
