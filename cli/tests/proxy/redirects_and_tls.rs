//! HTTP redirected to HTTPS, TLS with several certificates, routing by host and path.

use crate::harness::{CORES, Certificate, Client, Origin, Port, Proxy, get};
use rustls::version::{TLS12, TLS13};

struct Site {
    http: Port,
    https: Port,
    certificates: [Certificate; 2],
    _origins: [Origin; 3],
    _proxy: Proxy,
}

fn site(cores: usize) -> Site {
    let (http, https) = (Port::reserve(), Port::reserve());
    let certificates = [
        &["my-app.test", "localhost"][..],
        &["api.example.com", "*.wild.test"][..],
    ]
    .map(Certificate::of);
    let origins = ["api", "static", "web"].map(Origin::named);
    let [api, files, web] = origins.each_ref().map(|origin| origin.address);
    let [first, second] = certificates
        .each_ref()
        .map(|certificate| certificate.path().display());
    let config = format!(
        "
defaults
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend http_frontend
    bind *:{http}
    bind *:{https} ssl crt {first} crt {second}
    mode http
    http-request redirect scheme https code 301 if !{{ ssl_fc }}
    acl is_api hdr(Host) -i api.example.com
    acl is_static path_beg /static/
    use_backend api_backend if is_api
    use_backend static_backend if is_static
    default_backend web_backend
backend api_backend
    mode http
    server s1 {api}
backend static_backend
    mode http
    server s1 {files}
backend web_backend
    mode http
    server s1 {web}
"
    );
    let proxy = Proxy::start(cores, &config);
    Site {
        http,
        https,
        certificates,
        _origins: origins,
        _proxy: proxy,
    }
}

fn request(path: &str, host: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

#[test]
fn plain_requests_are_redirected() {
    for cores in CORES {
        let site = site(cores);
        let mut client = Client::connect(site.http.address());
        let answer = client
            .send(request("/a/b?c=d", "www.example.com"))
            .response();
        assert_eq!(answer.status(), 301);
        assert_eq!(
            answer.header("location"),
            Some("https://www.example.com/a/b?c=d")
        );
        assert_eq!(answer.header("content-length"), Some("0"));
    }
}

#[test]
fn routing_by_host_and_path() {
    for cores in CORES {
        let site = site(cores);
        let mut client = site.certificates[0].connect(site.https.address(), "my-app.test");
        for (path, host, backend) in [
            ("/", "www.example.com", "web"),
            ("/", "API.Example.Com", "api"),
            ("/static/x.css", "www.example.com", "static"),
            ("/static/x.css", "api.example.com", "api"),
            ("/Static/x.css", "www.example.com", "web"),
        ] {
            let answer = client.send(request(path, host)).response();
            assert_eq!(
                (answer.status(), answer.text().as_str()),
                (200, backend),
                "{path} {host}"
            );
        }
    }
}

#[test]
fn each_name_gets_its_certificate_in_both_versions() {
    for cores in CORES {
        let site = site(cores);
        for version in [&TLS12, &TLS13] {
            for (index, name) in [
                (0, "my-app.test"),
                (1, "api.example.com"),
                (1, "x.wild.test"),
            ] {
                let certificate = &site.certificates[index];
                let mut client = certificate.connect_with(site.https.address(), name, &[version]);
                assert_eq!(
                    client.send(request("/", "localhost")).response().text(),
                    "web"
                );
            }
        }
    }
}

#[test]
fn big_bodies_and_many_requests_over_one_tls_connection() {
    let https = Port::reserve();
    let certificate = Certificate::of(&["localhost"]);
    let origin = Origin::answering(|request| {
        let length = request.body.len();
        let body: String = request.body.iter().map(|byte| char::from(*byte)).collect();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")
    });
    let config = format!(
        "
listen secure
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    bind *:{https} ssl crt {}
    server s1 {}
",
        certificate.path().display(),
        origin.address
    );
    let _proxy = Proxy::start(2, &config);
    let mut client = certificate.connect(https.address(), "localhost");
    for length in [0, 1, 16_384, 100_000, 3_000_000] {
        let body: String = (0..length)
            .map(|i| char::from(b'a' + (i % 23) as u8))
            .collect();
        let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n");
        let (writer, reader) = (head + &body, &body);
        let answer = client.send(writer).response();
        assert!(answer.text() == *reader, "{length} bytes came back changed");
    }
}

#[test]
fn plain_text_on_the_tls_port_ends_that_connection_only() {
    let site = site(1);
    let mut client = Client::connect(site.https.address());
    client.send(request("/", "a"));
    let rest = client.rest();
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    let mut client = site.certificates[0].connect(site.https.address(), "localhost");
    assert_eq!(client.get("/").status(), 200);
    assert_eq!(get(site.http.address(), "/").status(), 301);
}
