//! Messages that are damaged at random, from a fixed seed: the properties that the fuzz targets look
//! for, in a run short enough for every change.

#[path = "../fuzz/properties/chunk.rs"]
mod chunk;
#[path = "../fuzz/properties/head.rs"]
mod head;
#[path = "../fuzz/properties/pp.rs"]
mod pp;

/// Damaged messages of each kind.
const RUNS: usize = 40_000;

/// What is put into messages: pieces that mean something to a parser.
const PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"0",
    b"ffffffffffffffff",
    b"\"",
    b"\\",
    b"\xff",
    b"[",
    b"]",
    b"@",
    b"#",
    b"\r\n ",
    b"\r\n\r\n",
    b"\r\n0\r\n\r\n",
    b" HTTP/1.0\r\n",
    b"\r\ncontent-length: 5",
    b"\r\ntransfer-encoding: chunked",
    b"\r\nconnection: close, x",
    b"\r\nupgrade: websocket",
    b"\r\nhost: a",
    b"http://a:80",
    b"CONNECT ",
];

const HEADS: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    b"POST http://[::1]:80/a?b HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 5, 5\r\n\r\nhello",
    b"CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n",
    b"OPTIONS * HTTP/1.0\r\nconnection: keep-alive, x\r\nte: trailers, gzip\r\n\r\n",
    b"PUT /x HTTP/1.1\r\ntransfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n",
    b"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket, h2c\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 05\r\nset-cookie: a=b\r\n c\r\n\r\nhello",
];

const BODIES: &[&[u8]] = &[
    b"5\r\nhello\r\n0\r\n\r\n",
    b"00a;name=\"va\\\"lue\"\r\n0123456789\r\n1 ;x\r\n.\r\n0\r\nx: y\r\n z\r\n\r\nGET",
    b"fffffffffffff\r\n",
];

const PROXY: &[&[u8]] = &[
    b"PROXY TCP4 192.0.2.1 192.0.2.2 1 65535\r\nGET",
    b"PROXY TCP6 ::1 2001:db8::1 1 2\r\n",
    b"PROXY UNKNOWN x\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x23\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02\x01\x00\x02h2\x20\x00\x0f\x07\x00\x00\x00\x00\x21\x00\x07TLSv1.3",
];

#[test]
fn heads() {
    run(HEADS, |random, raw| head::hold(random.below(1 << 16), raw));
}

#[test]
fn chunks() {
    run(BODIES, |random, raw| {
        chunk::hold(random.below(1 << 16), raw);
    });
}

#[test]
fn proxy_headers() {
    run(PROXY, |_, raw| pp::hold(raw));
}

/// What the fuzzer found, kept.
#[test]
fn found_before() {
    // An empty port behind another one: each pass took one away.
    head::hold(23, b"hup s://[::1]1a::: HTTP/0.3\r\n\r\n");
}

fn run(seeds: &[&[u8]], hold: impl Fn(&mut Random, &[u8]) + std::panic::RefUnwindSafe) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut raw = Vec::new();
    for _ in 0..RUNS {
        raw.clear();
        raw.extend_from_slice(seeds[random.below(seeds.len())]);
        for _ in 0..=random.below(4) {
            damage(&mut raw, seeds, &mut random);
        }
        let text = raw.escape_ascii().to_string();
        let held = std::panic::catch_unwind(|| hold(&mut Random(random.0), &raw));
        assert!(held.is_ok(), "{text}");
        random.next();
    }
}

fn damage(raw: &mut Vec<u8>, seeds: &[&[u8]], random: &mut Random) {
    let at = random.below(raw.len() + 1);
    let end = (at + random.below(9)).min(raw.len());
    match random.below(6) {
        0 if at < raw.len() => raw[at] = random.next() as u8,
        1 if at < raw.len() => raw[at] ^= 1 << random.below(8),
        2 => drop(raw.drain(at..end)),
        3 => {
            let again = raw[at..end].to_vec();
            raw.splice(at..at, again);
        }
        4 => {
            let other = seeds[random.below(seeds.len())];
            let from = random.below(other.len());
            raw.splice(at.., other[from..].iter().copied());
        }
        _ => {
            let piece = PIECES[random.below(PIECES.len())];
            raw.splice(at..at, piece.iter().copied());
        }
    }
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }
}
