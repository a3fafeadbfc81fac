//! Requests made from a seed: well-formed, and full of what rules look at.

use std::fmt::Write;

/// Makes requests; the same seed makes the same ones.
pub struct Generator {
    state: u64,
}

const METHODS: &[&str] = &[
    "GET", "GET", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS",
];
const SEGMENTS: &[&str] = &[
    "a",
    "B",
    "api",
    "v1",
    "img.png",
    "x.JS",
    "%41b",
    "a%2fb",
    "..",
    ".",
    "",
    "admin",
    "static",
    "~u",
    "a+b",
    "a;p=1",
    "d-e_f",
    "%7euser",
    "%e2%82%ac",
];
const QUERIES: &[&str] = &[
    "",
    "?",
    "?a=1",
    "?a=1&b=2",
    "?b=%20x&a=",
    "?x",
    "?a=1&a=2",
    "?q=a+b%26c",
    "?n=42&u=/x/y",
    "?a=1;b=2",
    "?%61=1",
    "?to=http://h/p?z",
];
const HOSTS: &[&str] = &[
    "h",
    "example.com",
    "WWW.Example.COM",
    "www.example.com:8080",
    "api.example.com",
    "127.0.0.1",
    "sub.b.example.org",
    "[::1]:80",
];
/// Fields and the values that each may have; a field may come twice.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "X-A",
        &[
            "one",
            "One, two",
            "a,,b",
            "\"q, r\", s",
            "",
            "x/y;z=1",
            "abc123",
            "  pad  ",
        ],
    ),
    (
        "X-B",
        &[
            "foo",
            "foobar",
            "barfoo",
            "FOO",
            "a.b.c",
            "/dir/file",
            "foo.example.com",
        ],
    ),
    (
        "X-Num",
        &["0", "1", "42", "-7", "300", "12abc", "abc", "7fffffff"],
    ),
    (
        "X-Ip",
        &[
            "10.1.2.3",
            "192.168.0.1",
            "2001:db8::1",
            "127.0.0.1:80",
            "300.1.1.1",
            "::ffff:1.2.3.4",
        ],
    ),
    (
        "X-B64",
        &["aGVsbG8=", "aGVsbG8", "!!", "AAEC", "Zm9vL2Jhcg=="],
    ),
    (
        "X-Json",
        &[
            "{\"a\":1,\"b\":{\"c\":\"d\"}}",
            "{\"a\":\"x\"}",
            "[1,2]",
            "nojson",
        ],
    ),
    (
        "Cookie",
        &[
            "sid=abc; x=1",
            "x=; y=2; x=3",
            "sid=\"q v\"",
            "z",
            "sid=abc;sid=def",
        ],
    ),
    (
        "Accept-Language",
        &["de, en;q=0.5", "fr;q=0.2,en-GB;q=0.8", "xx", "en"],
    ),
    (
        "User-Agent",
        &["curl/7.88", "Mozilla/5.0 (X11; Linux)", "bot"],
    ),
    (
        "Authorization",
        &[
            "Basic dXNlcjpwYXNz",
            "Basic dXNlcjpiYWQ=",
            "Bearer abc.def",
            "Basic !",
        ],
    ),
    (
        "X-Forwarded-For",
        &["1.2.3.4", "1.2.3.4, 5.6.7.8", "unknown"],
    ),
    ("Referer", &["http://example.com/a/b?c", "-"]),
    ("X-Time", &["0", "1700000000", "86399"]),
];

impl Generator {
    pub fn new(seed: u64) -> Generator {
        Generator {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// One request, of version 1.1 or now and then 1.0; some paths are taken from `paths`.
    pub fn request(&mut self, paths: &[&str], bodies: bool) -> String {
        let method = self.pick(METHODS);
        let mut target = if !paths.is_empty() && self.below(2) == 0 {
            self.pick(paths).to_owned()
        } else {
            let mut path = String::new();
            for _ in 0..=self.below(4) {
                path.push('/');
                path.push_str(self.pick(SEGMENTS));
            }
            path
        };
        if self.below(2) == 0 {
            target.push_str(self.pick(QUERIES));
        }
        let version = if self.below(12) == 0 { "1.0" } else { "1.1" };
        let host = self.pick(HOSTS);
        let mut request = format!("{method} {target} HTTP/{version}\r\nHost: {host}\r\n");
        for (name, values) in FIELDS {
            for _ in 0..[0, 0, 1, 1, 1, 2][self.below(6)] {
                let value = self.pick(values);
                let _ = write!(request, "{name}: {value}\r\n");
            }
        }
        if bodies && matches!(method, "POST" | "PUT") {
            let body = ["", "x=1&y=two", "{\"a\":1}", "0123456789"][self.below(4)];
            let _ = write!(request, "Content-Length: {}\r\n\r\n{body}", body.len());
        } else {
            request.push_str("\r\n");
        }
        request
    }
}
