//! Names of header fields: their case, and which are let through.

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy};

/// A server that answers each request with its head as it came.
fn echo() -> Origin {
    Origin::raw(|peer| {
        while let Some(request) = peer.request()? {
            let mut seen = request.start.clone();
            for (name, value) in &request.headers {
                seen.extend(["|", name, ": ", value]);
            }
            let length = seen.len();
            peer.send(format!(
                "HTTP/1.1 200 OK\r\nx-answer: 1\r\ncontent-length: {length}\r\n\r\n{seen}"
            ))?;
        }
        Ok(())
    })
}

#[test]
fn bogus_peers_get_names_in_their_case() {
    for cores in CORES {
        let (bogus, plain) = (Port::reserve(), Port::reserve());
        let origin = echo();
        let address = origin.address;
        let directory = tempfile::tempdir().expect("scratch folder");
        let file = directory.path().join("case.txt");
        std::fs::write(
            &file,
            "# names\n\n  x-custom\tX-CUSTOM \nx-answer x-Answer\n",
        )
        .expect("written");
        let config = format!(
            "
global
    h1-case-adjust content-length Content-Length
    h1-case-adjust host HoSt
    h1-case-adjust-file {}
defaults
    mode http{LONG_TIMEOUTS}
frontend to-bogus
    bind *:{bogus}
    option h1-case-adjust-bogus-client
    http-request return status 404 if {{ path /made }}
    default_backend bogus
frontend to-plain
    bind *:{plain}
    default_backend plain
backend bogus
    option h1-case-adjust-bogus-server
    server s1 {address}
backend plain
    server s1 {address}
",
            file.display()
        );
        let _proxy = Proxy::start(cores, &config);
        let ask = |port: &Port, path: &str| {
            let mut client = Client::connect(port.address());
            client.send(format!(
                "GET {path} HTTP/1.1\r\nHost: host\r\nx-custom: x-custom\r\nconnection: close\r\n\r\n"
            ));
            String::from_utf8_lossy(&client.rest()).into_owned()
        };
        let answer = ask(&bogus, "/");
        assert!(
            answer.contains("\r\nx-Answer: 1\r\nContent-Length: "),
            "{answer}"
        );
        assert!(
            answer.contains("|HoSt: host|X-CUSTOM: x-custom"),
            "{answer}"
        );
        assert!(ask(&bogus, "/made").contains("\r\nContent-Length: "));
        let answer = ask(&plain, "/");
        assert!(
            answer.contains("\r\nx-answer: 1\r\ncontent-length: "),
            "{answer}"
        );
        assert!(
            answer.contains("|host: host|x-custom: x-custom"),
            "{answer}"
        );
    }
}

#[test]
fn names_outside_of_the_plain_letters_are_kept_deleted_or_refused() {
    for cores in CORES {
        let listen = Port::reserve();
        let origin = echo();
        let address = origin.address;
        let config = format!(
            "
defaults
    mode http{LONG_TIMEOUTS}
frontend web
    bind *:{listen}
    use_backend %[path,word(1,/)]
backend preserve
    option http-restrict-req-hdr-names preserve
    server s1 {address}
backend delete
    option http-restrict-req-hdr-names delete
    http-request set-header seen %[req.hdr_cnt(x_a)]
    server s1 {address}
backend reject
    option http-restrict-req-hdr-names reject
    server s1 {address}
"
        );
        let _proxy = Proxy::start(cores, &config);
        let ask = |path: &str, name: &str| {
            Client::connect(listen.address())
                .send(format!(
                    "GET {path} HTTP/1.1\r\nhost: a\r\n{name}: 1\r\n\r\n"
                ))
                .response()
        };
        assert!(ask("/preserve", "x_a").text().contains("|x_a: 1"));
        let deleted = ask("/delete", "x_a").text();
        assert!(
            !deleted.contains("x_a") && deleted.contains("|seen: 1"),
            "{deleted}"
        );
        assert!(ask("/delete", "x-a1").text().contains("|x-a1: 1"));
        assert_eq!(ask("/reject", "x.a").status(), 403);
        assert_eq!(ask("/reject", "x-a").status(), 200);
    }
}

#[test]
fn requests_to_a_proxy_are_authenticated_as_such() {
    for cores in CORES {
        let listen = Port::reserve();
        let config = format!(
            "
userlist people
    user jane insecure-password secret
frontend web
    mode http{LONG_TIMEOUTS}
    bind *:{listen}
    option http-use-proxy-header
    http-request auth realm here if !{{ http_auth(people) }}
    http-request return status 200
"
        );
        let _proxy = Proxy::start(cores, &config);
        let ask = |target: &str, field: &str| {
            Client::connect(listen.address())
                .send(format!(
                    "GET {target} HTTP/1.1\r\nhost: a\r\n{field}: Basic amFuZTpzZWNyZXQ=\r\n\r\n"
                ))
                .response()
        };
        assert_eq!(ask("/", "authorization").status(), 200);
        assert_eq!(ask("http://a/", "proxy-authorization").status(), 200);
        let refused = ask("/", "proxy-authorization");
        assert_eq!(refused.status(), 401);
        assert_eq!(
            refused.header("www-authenticate"),
            Some("Basic realm=\"here\"")
        );
        let refused = ask("http://a/", "authorization");
        assert_eq!(refused.status(), 407);
        assert_eq!(
            refused.header("proxy-authenticate"),
            Some("Basic realm=\"here\"")
        );
    }
}
