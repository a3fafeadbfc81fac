//! Heads: any split gives the same verdict, and what is sent on is read back unchanged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Head;
use wire::h1::{
    Asked, ConnectionOut, HeadParser, Limits, Parse, Switch, write_request, write_response,
};

fuzz_target!(|input: (usize, &[u8])| {
    let (cut, raw) = input;
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
        let (mut sent, mut again) = (Vec::new(), Vec::new());
        write_request(&head, ConnectionOut::KEEP_ALIVE, &mut sent);
        // What is sent on has longer separators, and one field more.
        let fields = limits.fields + 1;
        let large = Limits { head_bytes: 1 << 20, buffer_bytes: 1 << 20, fields, ..limits };
        let reread = HeadParser::new().request(&sent, &large, &mut head);
        assert!(matches!(reread, Ok(Parse::Complete { consumed, .. }) if consumed == sent.len()));
        head.remove(b"connection");
        split.remove(b"connection");
        sent.clear();
        write_request(&split, ConnectionOut::SILENT, &mut sent);
        write_request(&head, ConnectionOut::SILENT, &mut again);
        assert_eq!(sent, again);
    }
    let asked = Asked { head: cut & 1 == 1, switch: Some(Switch::Other) };
    if let Ok(Parse::Complete { .. }) = HeadParser::new().response(raw, &limits, asked, &mut head) {
        write_response(&head, ConnectionOut::CLOSE, &mut Vec::new());
    }
});
