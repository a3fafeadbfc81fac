//! Log lines against what HAProxy 3.5 writes for the same streams.

use crate::sample::testing::{Process, Scene, compiler, format};
use crate::sample::{ConnectionCounts, Point, Timers};

use super::{
    CLF_LOG_FORMAT, Cause, Format, HTTP_LOG_FORMAT, HTTPS_LOG_FORMAT, Phase, Purpose,
    TCP_LOG_FORMAT, alias_names, find_alias, write_connect_line, write_error_line,
};

fn line(scene: &Scene, text: &str) -> String {
    rendered(scene, text, Purpose::Log)
}

fn rendered(scene: &Scene, text: &str, purpose: Purpose) -> String {
    let names = Process::default();
    let mut compiler = compiler(&names);
    compiler.point = Point::Log;
    let compiled = Format::compile(&format(text), &mut compiler).unwrap();
    let mut out = Vec::new();
    compiled.render(&scene.cx(), purpose, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// The manual's example of section 8.2.3, at another address.
fn answered() -> Scene {
    let mut scene = Scene::request(&["GET /index.html HTTP/1.1"]).respond(200, &[]);
    scene.stream.backend = Some(crate::plan::ProxyId(1));
    scene.stream.server = Some(crate::plan::ServerId(0));
    scene.stream.bytes_out = 2750;
    scene.stream.timers = Timers {
        idle_ms: 0,
        request_ms: 10,
        queue_ms: 0,
        connect_ms: 30,
        response_ms: 69,
        total_ms: 109,
    };
    scene.stream.connections = ConnectionCounts {
        process: 4,
        frontend: 3,
        backend: 2,
        server: 1,
    };
    scene
}

#[test]
fn default_formats() {
    let mut scene = answered();
    assert_eq!(
        line(&scene, HTTP_LOG_FORMAT),
        "192.0.2.1:1234 [06/Feb/2009:12:14:14.655] fe be/s1 10/0/30/69/109 200 2750 - - ---- \
         4/3/2/1/0 0/0 \"GET /index.html HTTP/1.1\""
    );
    assert_eq!(
        line(&scene, TCP_LOG_FORMAT),
        "192.0.2.1:1234 [06/Feb/2009:12:14:14.655] fe be/s1 0/30/109 2750 -- 4/3/2/1/0 0/0"
    );
    assert_eq!(
        line(&scene, CLF_LOG_FORMAT),
        "192.0.2.1 - - [06/Feb/2009:12:14:14 +0000] \"GET /index.html HTTP/1.1\" 200 2750 \"\" \"\" \
         1234 655 \"fe\" \"be\" \"s1\" 10 0 30 69 109 ---- 4 3 2 1 0 0 0 \"\" \"\" "
    );
    assert!(line(&scene, HTTPS_LOG_FORMAT).ends_with(" HTTP/1.1\" 0/-/-/-/0 -/-/-"));
    scene.captures.declared.request = 2;
    scene.captures.declared.response = 1;
    scene.captures.request.set(0, b"1wt.eu");
    assert!(line(&scene, HTTP_LOG_FORMAT).contains(" 0/0 {1wt.eu|} {} \"GET"));
    assert!(line(&scene, CLF_LOG_FORMAT).ends_with(" \"\" \"\" \"1wt.eu\" \"\" \"\""));
}

#[test]
fn a_bad_request_has_no_timers_and_no_captures() {
    let mut scene = Scene::new();
    scene.captures.declared.request = 1;
    scene.stream.status = 400;
    scene.stream.timers.total_ms = 0;
    scene.stream.termination.end(Cause::Proxy, Phase::Request);
    scene.stream.connections.process = 1;
    scene.stream.connections.frontend = 1;
    assert_eq!(
        line(&scene, HTTP_LOG_FORMAT),
        "192.0.2.1:1234 [06/Feb/2009:12:14:14.655] fe fe/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- \
         1/1/0/0/0 0/0 \"<BADREQ>\""
    );
    assert_eq!(
        line(&scene, "%HM|%HP|%HPO|%HQ|%HU|%HV|%{+Q}HM"),
        "<BADREQ>|".repeat(6) + "\"<BADREQ>\""
    );
}

#[test]
fn parts_of_the_request_line() {
    let scene = Scene::request(&["POST http://ex.org/p?q HTTP/1.0"]);
    assert_eq!(
        line(&scene, "%HM|%HP|%HPO|%HQ|%HU|%HV|%r"),
        "POST|http://ex.org/p|/p|?q|http://ex.org/p?q|HTTP/1.0|POST http://ex.org/p?q HTTP/1.0"
    );
    let scene = Scene::request(&["GET /plain HTTP/1.1"]);
    assert_eq!(line(&scene, "%HQ|%{+Q}HQ"), "|\"\"");
}

#[test]
fn unsafe_characters_and_flags() {
    let mut scene = Scene::request(&["GET /a\"b{c|d?x=%20y&z\\] HTTP/1.1"]);
    scene.captures.declared.request = 2;
    scene.captures.request.set(0, b"a|b{c}\"d\"#\x01\\]");
    for (text, expected) in [
        ("%hr", "{a#7Cb#7Bc#7D#22d#22#23#01\\]|}"),
        ("%hrl", "a#7Cb#7Bc#7D#22d#22#23#01\\] -"),
        ("%{+Q}hrl", "\"a#7Cb#7Bc#7D#22d#22#23#01\\]\" \"\""),
        ("%{+E,+Q}hr", "\"{a#7Cb#7Bc#7D#22d#22#23#01\\\\\\]|}\""),
        ("%{+E}r", "GET /a#22b{c|d?x=%20y&z\\\\\\] HTTP/1.1"),
        ("%[capture.req.hdr(0)]", "a|b{c}\"d\"#\x01\\]"),
        (
            "%{+Q,+E}[capture.req.hdr(0)]",
            "\"a|b{c}\\\"d\\\"#\x01\\\\\\]\"",
        ),
        ("%[capture.req.hdr(1)]|%{+Q}[capture.req.hdr(1)]", "-|\"\""),
        (
            "%{+Q}CC|%CC|%{+Q}ts|%{+Q}T",
            "\"\"|-|--|06/Feb/2009:12:14:14 +0000",
        ),
        (
            "%{+X}ci|%{+X}cp|%{+X}Ts|%{+X}rt|%{+X}pid|%{+X}ms",
            "C0000201|04D2|498C2996|0000|002A|28F",
        ),
        (
            "%ms|%Ts|%{+X}[src]|%{+X}[int(255)]|%[bin(00ff41)]",
            "655|1233922454|192.0.2.1|255|-",
        ),
    ] {
        assert_eq!(line(&scene, text), expected, "{text}");
    }
}

#[test]
fn spaces_are_merged_around_missing_items() {
    let scene = Scene::request(&["GET / HTTP/1.1"]);
    assert_eq!(line(&scene, "%hr x %hs y%hr z"), "x y z");
    assert_eq!(line(&scene, "[%hr]"), "[]");
    assert_eq!(line(&scene, " x %hr %hs "), "x ");
    assert_eq!(
        line(&scene, "%{+Q}o %ci %{-Q}s %ST"),
        "\"192.0.2.1\" <NOSRV> -1"
    );
    // Elsewhere text is left as it is.
    assert_eq!(rendered(&scene, " x %hr y", Purpose::Raw), " x  y");
}

#[test]
fn in_headers_an_empty_item_is_nothing() {
    let scene = Scene::request(&["GET / HTTP/1.1"]);
    assert_eq!(
        rendered(&scene, "a %[capture.req.hdr(0)]%ID b", Purpose::Http),
        "a  b"
    );
    let mut scene = scene;
    scene.captures.request.set(0, b"x\r\ny: z\x7f");
    assert_eq!(
        rendered(&scene, "%[capture.req.hdr(0)]", Purpose::Http),
        "x%0D%0Ay: z%7F"
    );
}

#[test]
fn lines_without_a_format() {
    let scene = Scene::request(&["GET / HTTP/1.1"]);
    let mut out = Vec::new();
    write_connect_line(&scene.cx(), true, &mut out);
    assert_eq!(
        out,
        b"Connect from 192.0.2.1:1234 to 192.0.2.2:80 (fe/HTTP)"
    );
    out.clear();
    write_error_line(
        &scene.cx(),
        "Connection error during SSL handshake",
        &mut out,
    );
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "192.0.2.1:1234 [06/Feb/2009:12:14:14.655] fe/1: Connection error during SSL handshake"
    );
}

/// Every alias of the manual's table in section 8.2.6 renders, whatever is known.
#[test]
fn every_alias_has_a_row() {
    let manual = "o T Tl Ts t ms tr trg trl Ta Tc Td Th Ti Tq TR Tr Tt Tu Tw B CC CS H HM HP HPO HQ HU HV \
        ID ST U ac b bc bi bp bq ci cp f fc fi fp ft lc hr hrl hs hsl OG pid r rc rt s sc si sp sq sslc \
        sslv ts tsc";
    for name in manual.split_whitespace() {
        assert!(find_alias(name).is_some(), "{name}");
        line(&Scene::new(), &format!("%{name}"));
    }
    assert_eq!(alias_names().count(), manual.split_whitespace().count());
}
