//! What holds for all heads.

use proptest::prelude::*;

use crate::Head;
use crate::h1::*;

/// Feeds growing prefixes; tells the verdict and how the head reads.
fn in_pieces(raw: &[u8], cuts: &[usize]) -> (Result<Parse, HeadError>, Vec<u8>) {
    let limits = Limits::default();
    let (mut parser, mut head) = (HeadParser::new(), Head::new());
    let mut verdict = Ok(Parse::Partial);
    for end in cuts
        .iter()
        .map(|cut| cut % (raw.len() + 1))
        .chain([raw.len()])
    {
        verdict = parser.request(&raw[..end], &limits, &mut head);
        if verdict != Ok(Parse::Partial) {
            break;
        }
    }
    let mut text = Vec::new();
    if matches!(verdict, Ok(Parse::Complete { .. })) {
        write_request(&head, ConnectionOut::KEEP_ALIVE, &mut text);
    }
    (verdict, text)
}

proptest! {
    #[test]
    fn any_split_gives_the_same_head(
        raw in "(\r\n)?(GET|POST|[a-z@ ]{0,3})[ \t]{1,2}/[a-z#]{0,4} HTTP/1[.][0-2](\r\n|\n)((host|x|Y|content-length|connection|[a-z ]{0,2}):[ ]?[a-z0-9, \r]{0,6}(\r\n|\n| \r\n ))*(\r\n)?",
        mut cuts in proptest::collection::vec(0usize..200, 0..6),
    ) {
        let raw = raw.into_bytes();
        let ends = raw.len() + 1;
        for cut in &mut cuts {
            *cut %= ends;
        }
        cuts.sort_unstable();
        let whole = in_pieces(&raw, &[]);
        let split = in_pieces(&raw, &cuts);
        // Which of several faults is seen first may depend on the split; that there is one may not.
        prop_assert_eq!(split.0.is_err(), whole.0.is_err());
        if whole.0.is_ok() {
            prop_assert_eq!(split, whole);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(raw in proptest::collection::vec(any::<u8>(), 0..300), start in 0usize..3) {
        let start: &[u8] = [&b""[..], b"GET / HTTP/1.1\r\n", b"HTTP/1.1 101 X\r\nUpgrade: "][start];
        let raw = [start, &raw, b"\r\n\r\n"].concat();
        let mut head = Head::new();
        let _ = HeadParser::new().request(&raw, &Limits::default(), &mut head);
        let asked = Asked { head: false, switch: Some(Switch::Other) };
        let _ = HeadParser::new().response(&raw, &Limits::default(), asked, &mut head);
    }

    /// What is sent on is accepted again and sent on unchanged: nothing is left to interpretation.
    #[test]
    fn the_sent_head_is_a_fixed_point(
        raw in "(GET|POST|OPTIONS) (/[a-z]{0,3}|http://a:80) HTTP/1.1\r\n((host: a|x:[a-z \t]{0,5}|content-length: ?0?[1-3](, ?0?[1-3])?|transfer-encoding: chunked|connection: [a-z, ]{0,9}|te: trailers, x|upgrade: (h2c|foo)(, ?h2c)?)\r\n( [a-z]\r\n)?){0,6}\r\n",
    ) {
        if let (Ok(Parse::Complete { .. }), sent) = in_pieces(raw.as_bytes(), &[]) {
            let (verdict, again) = in_pieces(&sent, &[]);
            let whole = matches!(verdict, Ok(Parse::Complete { consumed, .. }) if consumed == sent.len());
            prop_assert!(whole);
            prop_assert_eq!(again, sent);
        }
    }

    /// Where another parser accepts a request, both read the same parts.
    #[test]
    fn httparse_reads_the_same_parts(
        raw in "(GET|put) /[!-~]{0,6} HTTP/1[.][01]\r\n([a-zA-Z-]{1,8}:[ \t]{0,2}[ -~]{0,8}\r\n){0,5}\r\n",
    ) {
        let mut fields = [httparse::EMPTY_HEADER; 16];
        let mut other = httparse::Request::new(&mut fields);
        let mut head = Head::new();
        let ours = HeadParser::new().request(raw.as_bytes(), &Limits::default(), &mut head);
        if let (Ok(Parse::Complete { consumed, .. }), Ok(status)) = (ours, other.parse(raw.as_bytes())) {
            prop_assert_eq!(status, httparse::Status::Complete(consumed));
            prop_assert_eq!(other.method.map(str::as_bytes), Some(head.method()));
            prop_assert_eq!(other.path.map(str::as_bytes), Some(head.target()));
            let plain = |name: &str| !["te", "host", "upgrade", "connection"].contains(&name);
            let theirs: Vec<_> = other
                .headers
                .iter()
                .map(|field| (field.name.to_ascii_lowercase(), field.value.trim_ascii().to_vec()))
                .filter(|(name, _)| plain(name))
                .collect();
            let ours: Vec<_> = head
                .fields()
                .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.to_vec()))
                .filter(|(name, _)| plain(name))
                .collect();
            prop_assert_eq!(ours, theirs);
        }
    }
}
