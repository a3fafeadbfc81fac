//! Every form of the manual.

use super::*;

fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

#[test]
fn bind_takes_every_form_of_the_manual() {
    let tcp = |text: &str| bind(text, true).unwrap_or_else(|e| panic!("{text}: {e}"));
    let any4 = v4(0, 0, 0, 0);
    let any6 = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    assert_eq!(tcp(":80"), [BindAddr::Tcp(any4, 80)]);
    assert_eq!(tcp("*:80"), [BindAddr::Tcp(any4, 80)]);
    assert_eq!(tcp("127.0.0.1:80"), [BindAddr::Tcp(v4(127, 0, 0, 1), 80)]);
    assert_eq!(tcp("[::]:80"), [BindAddr::Tcp(any6, 80)]);
    assert_eq!(tcp(":::80"), [BindAddr::Tcp(any6, 80)]);
    assert_eq!(tcp("ipv6@:80"), [BindAddr::Tcp(any6, 80)]);
    assert_eq!(tcp("tcp4@*:80"), [BindAddr::Tcp(any4, 80)]);
    assert_eq!(tcp("quic4@:443"), [BindAddr::Udp(any4, 443)]);
    assert_eq!(
        tcp("10.0.0.1:1-3,[::1]:9"),
        [
            BindAddr::Tcp(v4(10, 0, 0, 1), 1),
            BindAddr::Tcp(v4(10, 0, 0, 1), 2),
            BindAddr::Tcp(v4(10, 0, 0, 1), 3),
            BindAddr::Tcp(IpAddr::V6(Ipv6Addr::LOCALHOST), 9),
        ]
    );
    assert_eq!(
        tcp("/run/x.sock"),
        [BindAddr::Unix("/run/x.sock".to_owned())]
    );
    assert_eq!(tcp("unix@x.sock"), [BindAddr::Unix("x.sock".to_owned())]);
    assert_eq!(tcp("abns@x"), [BindAddr::Abns("x".to_owned())]);
    assert_eq!(tcp("fd@7"), [BindAddr::Fd(7)]);
    assert_eq!(tcp("stream+fd@7"), [BindAddr::Fd(7)]);
    assert_eq!(tcp("sockpair@7"), [BindAddr::Sockpair(7)]);
}

#[test]
fn bind_says_what_is_wrong() {
    let said = |text: &str| bind(text, true).expect_err(text).to_string();
    assert_eq!(
        said(":80x"),
        "invalid character 'x' in port number '80x' in ':80x'"
    );
    assert_eq!(said("10.0.0.1"), "missing port number: '10.0.0.1'");
    assert_eq!(said(":0"), "invalid port '0'");
    assert_eq!(said(":99999"), "invalid port '99999'");
    assert_eq!(said(":90-80"), "invalid port '90-80'");
    assert_eq!(
        said("fd@x"),
        "file descriptor 'x' is not a valid integer in 'fd@x'"
    );
    assert_eq!(said(""), "missing address");
}

#[test]
fn servers_have_names_and_offsets() {
    let name = |host: &str| Addr::Name {
        host: host.to_owned(),
        family: None,
    };
    assert_eq!(
        server("localhost:8080"),
        Ok((name("localhost"), Port::Fixed(8080)))
    );
    assert_eq!(
        server("localhost"),
        Ok((name("localhost"), Port::Offset(0)))
    );
    assert_eq!(
        server("10.0.0.1:+100"),
        Ok((Addr::Ip(v4(10, 0, 0, 1)), Port::Offset(100)))
    );
    assert_eq!(
        server("10.0.0.1:-5"),
        Ok((Addr::Ip(v4(10, 0, 0, 1)), Port::Offset(-5)))
    );
    assert_eq!(
        server("*:80"),
        Ok((Addr::Ip(v4(0, 0, 0, 0)), Port::Fixed(80)))
    );
    assert_eq!(server("/x"), Ok((Addr::Unix("/x".to_owned()), Port::None)));
    assert!(matches!(
        server("10.0.0.1:1-2"),
        Err(AddressError::RangeNotPermitted(_))
    ));
    assert!(matches!(server("a!b:1"), Err(AddressError::BadHost { .. })));
}

#[test]
fn logs_go_anywhere() {
    assert_eq!(log("stdout"), Ok(LogAddr::Fd(1)));
    assert_eq!(log("/dev/log"), Ok(LogAddr::Unix("/dev/log".to_owned())));
    assert_eq!(log("127.0.0.1"), Ok(LogAddr::Udp(v4(127, 0, 0, 1), 514)));
    assert_eq!(
        log("127.0.0.1:1514"),
        Ok(LogAddr::Udp(v4(127, 0, 0, 1), 1514))
    );
    assert_eq!(
        log("syslog:514"),
        Ok(LogAddr::UdpName("syslog".to_owned(), 514))
    );
    assert_eq!(log("ring@r"), Ok(LogAddr::Ring("r".to_owned())));
}
