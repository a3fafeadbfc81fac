//! Keys and the servers they belong to: what HAProxy 3.5 chose for the same keys. Caches behind the
//! proxy depend on it.

use crate::harness::{Client, LONG_TIMEOUTS, Origin, Port, Proxy};

/// The servers, by number, that twelve requests go to.
fn chosen(balance: &str, request: impl Fn(usize) -> String) -> String {
    let listen = Port::reserve();
    let origins: Vec<Origin> = ["1", "2", "3", "4", "5"].map(Origin::named).into();
    let lines = (1..)
        .zip(&origins)
        .map(|(number, origin)| format!("    server s{number} {}", origin.address));
    let servers = lines.collect::<Vec<_>>().join("\n");
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{listen}
    balance {balance}
{servers}"
    );
    let _proxy = Proxy::start(1, &config);
    let mut client = Client::connect(listen.address());
    (0..12)
        .map(|number| client.send(request(number)).response().text())
        .collect()
}

fn with_field(value: impl std::fmt::Display) -> String {
    format!("GET / HTTP/1.1\r\nhost: h\r\nx-n: {value}\r\n\r\n")
}

#[test]
fn text_numbers_and_addresses_go_where_haproxy_sends_them() {
    let text = |number: usize| with_field(format!("key{number}"));
    let number = |number: usize| with_field(number * 97);
    let address = |number: usize| with_field(format!("10.{number}.{}.9", number * 3));
    assert_eq!(chosen("hdr(x-n)", text), "234512345112");
    let consistent = "hdr(x-n)\n    hash-type consistent";
    assert_eq!(chosen(consistent, text), "253354441324");
    // A function without a modifier has none.
    let plain = "hdr(x-n)\n    hash-type consistent sdbm";
    assert_eq!(chosen(plain, text), "111111111144");
    // Numbers are eight bytes, addresses four.
    let of_number = "hash req.hdr(x-n),add(0)";
    assert_eq!(chosen(of_number, number), "135524411355");
    let consistent = "hash req.hdr(x-n),add(0)\n    hash-type consistent";
    assert_eq!(chosen(consistent, number), "331513532111");
    assert_eq!(chosen("hash req.hdr_ip(x-n)", address), "413524135241");
}

#[test]
fn a_parameter_may_be_in_the_body() {
    let post = |number: usize| {
        let body = format!("zz=1&uid={number}");
        format!(
            "POST /x HTTP/1.1\r\nhost: h\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    assert_eq!(chosen("url_param uid check_post", post), "451234512351");
}
