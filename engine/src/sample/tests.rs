//! Fetches and converters against what HAProxy 3.5 answers for the same expressions.

use super::testing::{Process, Scene, compiler, expr};
use super::{Compiler, Expr, Point};

/// A request with what the tables below look for.
fn scene() -> Scene {
    Scene::request(&[
        "GET /a/b?x=1&y=2 HTTP/1.1",
        "host: ex.org",
        "x: a,,b",
        "x: \"q,r\", z",
        "cookie: a=1; b=2",
        "cookie: a=3;c=\"x y\"; a=4",
        "y: ",
        "content-length: 0",
        "x-ip: 10.1.2.3:80, [::1]:80, bad, 192.168.1.1",
    ])
}

fn check(table: &[(&str, &str)]) {
    let scene = scene();
    for (expr, expected) in table {
        // HAProxy shows an absent value and an empty one alike.
        let found = scene.eval(expr).unwrap_or_default();
        assert_eq!(&found, expected, "{expr}");
    }
}

#[test]
fn fetches() {
    check(&[
        ("method,hex", "474554"),
        ("method,length", "3"),
        ("req.hdr_cnt(x)", "5"),
        ("req.hdr(x)", "z"),
        ("req.hdr(x,1)", "a"),
        ("req.hdr(x,2)", ""),
        ("req.hdr(x,-2)", "\"q,r\""),
        ("req.hdr(x,4)", "\"q,r\""),
        ("req.hdr(x,6)", ""),
        ("req.hdr(x,-5)", "a"),
        ("req.hdr(x,-6)", ""),
        ("req.fhdr(x)", "\"q,r\", z"),
        ("req.fhdr(x,1)", "a,,b"),
        ("req.fhdr(x,-1)", "\"q,r\", z"),
        ("req.fhdr(x,-2)", "a,,b"),
        ("req.fhdr_cnt(x)", "2"),
        ("req.hdr_ip(x-ip)", "192.168.1.1"),
        ("req.hdr_ip(x-ip,1)", "10.1.2.3"),
        ("req.hdr_ip(x-ip,2)", ""),
        ("req.hdr_ip(x-ip,3)", ""),
        ("req.hdr_val(x)", "0"),
        ("req.cook(a)", "4"),
        ("req.cook(c)", "\"x y\""),
        ("req.cook_cnt(a)", "3"),
        ("req.cook", "1"),
        ("req.cook_cnt()", "5"),
        ("base", "ex.org/a/b"),
        ("base,sdbm(1),hex", "00000000BFBE8A1C"),
        ("base32", "3216935452"),
        ("url", "/a/b?x=1&y=2"),
        ("urlp(x)", "1"),
        ("urlp(y)", "2"),
        ("urlp(zz)", ""),
        ("query", "x=1&y=2"),
        ("pathq", "/a/b?x=1&y=2"),
        ("path", "/a/b"),
        ("baseq", "ex.org/a/b?x=1&y=2"),
        ("url32", "4277548785"),
        ("req.ver", "1.1"),
        ("req.hdr_cnt(y)", "1"),
        ("req.hdr(y)", ""),
        ("req.cook_names", "a,b,a,c,a"),
        ("method", "GET"),
        ("req.body_len", "0"),
        ("req.body_size", "0"),
        ("url_param(y)", "2"),
        ("path,field(2,/)", "a"),
        ("path,field(3,/)", "b"),
        ("req.cook_val(a)", "4"),
        ("urlp(x,,i)", "1"),
        ("urlp(X,,i)", "1"),
        ("urlp(X)", ""),
        ("req.hdr_cnt(nope)", "0"),
        ("req.hdr(nope)", ""),
        ("urlp", "1"),
        ("urlp_val(x)", "1"),
        ("req.proto_http", "1"),
        ("env(HOME)", "/root"),
        ("env(NOPE)", ""),
        ("wait_end", "1"),
        ("var(txn.nope)", ""),
        ("var(txn.nope,dflt)", "dflt"),
    ]);
}

#[test]
fn casts_and_converters() {
    check(&[
        ("str(abc),add(1)", "1"),
        ("str(12x),add(1)", "13"),
        ("str(-5),add(1)", "-4"),
        ("int(1),hex", "0000000000000001"),
        ("int(1),ipmask(24)", "0.0.0.0"),
        ("bool(true)", "1"),
        ("str(127.1),ipmask(32)", ""),
        ("ipv6(::1),hex", "00000000000000000000000000000001"),
        ("ipv6(::ffff:1.2.3.4),ipmask(32)", "1.2.3.4"),
        ("str(true),bool", "0"),
        ("bool(true),hex", "0000000000000001"),
        ("str(),add(1)", ""),
        ("always_true,iif(a,b)", "a"),
        ("str(a),iif(a,b)", "b"),
        ("int(2),iif(a,b)", "a"),
        ("int(-1),ipmask(32)", "255.255.255.255"),
        ("ipv6(2002:0102:0304::),ipmask(32)", "1.2.3.4"),
        ("int(300),length", "3"),
        ("bin(414200),length", "2"),
        ("bin(414200)", "AB"),
        ("bin(414200),lower", "ab"),
        ("ipv4(1.2.3.4),add(1)", "16909061"),
        ("ipv6(::1)", "::1"),
        ("ipv6(::ffff:1.2.3.4)", "::ffff:1.2.3.4"),
        ("ipv6(1:0:0:2::3)", "1:0:0:2::3"),
        ("int(16909060),ipmask(32)", "1.2.3.4"),
        ("str(1.2.3.4),iif(a,b)", "a"),
        ("str(99999999999999999999),add(0)", "9223372036854775807"),
        ("str(0x10),add(0)", "0"),
        ("str( 5),add(0)", "0"),
        ("str(+5),add(0)", "5"),
        ("str(hello),wt6", "3538347703"),
        ("str(hello),wt6(1)", "140457739"),
        ("str(hello),djb2", "261238937"),
        ("str(hello),djb2(1)", "1119739105"),
        ("str(hello),xxh32", "4211111929"),
        ("str(hello),xxh32(7)", "2401278968"),
        ("str(hello),xxh64", "2794345569481354659"),
        ("str(hello),xxh64(7)", "-3230996971225133522"),
        ("str(hello),crc32", "907060870"),
        ("str(hello),crc32(1)", "3902247103"),
        ("str(hello),crc32c", "2591144780"),
        ("str(hello),sdbm", "684824882"),
        ("str(a b c),word(2, ,0)", "b c"),
        ("str(a.b.c),field(-2,.)", "b"),
        ("str(a.b.c.d),field(-2,.,2)", "b.c"),
        ("str(a.b.c.d),field(2,.,0)", "b.c.d"),
        ("str(a.b.c.d),field(-2,.,0)", "a.b.c"),
        ("str(a.b),field(5,.)", ""),
        ("str(a..b),field(2,.)", ""),
        ("str(a..b),word(2,.)", "b"),
        ("str(..a..b..c),word(-1,.)", "c"),
        ("str(..a..b..c),word(-2,.,2)", "a..b"),
        ("str(f1_f2_f3__f5),word(3,_,0)", "f3__f5"),
        ("str(f1_f2_f3__f5),word(3,_,2)", "f3__f5"),
        ("str(f1_f2_f3__f5),word(-2,_,3)", "f1_f2_f3"),
        ("str(f1_f2_f3__f5),word(-3,_,0)", "f1_f2"),
        ("str(f1_f2_f3__f5),field(5,_)", "f5"),
        ("str(f1_f2_f3__f5),field(2,_,0)", "f2_f3__f5"),
        ("str(f1_f2_f3__f5),field(2,_,2)", "f2_f3"),
        ("str(f1_f2_f3__f5),field(-2,_,3)", "f2_f3_"),
        ("str(f1_f2_f3__f5),field(-3,_,0)", "f1_f2_f3"),
        ("str(/f1/f2/f3/f4),word(1,/)", "f1"),
        ("int(5),div(0)", "9223372036854775807"),
        ("int(-5),div(0)", "9223372036854775807"),
        ("int(5),mod(0)", "0"),
        ("int(-7),mod(3)", "-1"),
        ("int(-7),div(2)", "-3"),
        ("int(7),xor(2)", "5"),
        ("int(7),cpl", "-8"),
        ("int(7),neg", "-7"),
        ("int(7),even", "0"),
        ("int(7),odd", "1"),
        ("int(7),not", "0"),
        ("bin(0102030405),bytes(2),hex", "030405"),
        ("bin(0102030405),bytes(2,2),hex", "0304"),
        ("bin(0102),bytes(5),hex", ""),
        ("bin(0102),bytes(1,5),hex", "02"),
        ("str([::1]:80),host_only", "[::1]"),
        ("str(::1),host_only", ":"),
        ("str(a:80),port_only", "80"),
        ("str(a),port_only", "0"),
        ("str([::1]),host_only", "[::1]"),
        ("str(a:),host_only", "a"),
        ("str(a:x),host_only", "a"),
        ("str([::1]),port_only", "0"),
        ("str(a:99999),port_only", "99999"),
        ("int(9223372036854775807),add(1)", "9223372036854775807"),
        ("int(-9223372036854775807),sub(10)", "-9223372036854775808"),
        ("int(9223372036854775807),mul(2)", "9223372036854775807"),
        ("str(x),concat(a,txn.nope,b)", "xab"),
        ("str(x),iif(1,0)", "0"),
        ("int(1500000000),http_date", "Fri, 14 Jul 2017 02:40:00 GMT"),
        (
            "int(1500000000),http_date(5)",
            "Fri, 14 Jul 2017 02:40:05 GMT",
        ),
        (
            "int(1500000000),http_date(86400)",
            "Sat, 15 Jul 2017 02:40:00 GMT",
        ),
        (
            "int(1500000000),utime(%Y %c|%e)",
            "2017 Fri Jul 14 02:40:00 2017|14",
        ),
        ("int(1500000000123),ms_utime(%s.%3N)", "1500000000.123"),
        (
            "int(1500000000123456),us_utime(%s.%6N)",
            "1500000000.123456",
        ),
        (
            "int(1500000000123456),us_utime(%s.%N)",
            "1500000000.123456000",
        ),
        ("str(AbC),lower", "abc"),
        ("str(AbC),upper", "ABC"),
        ("str(  ab ),ltrim( )", "ab "),
        ("str(  ab ),rtrim( )", "  ab"),
        ("str(xxabxx),ltrim(x)", "abxx"),
        ("str(xxabxx),rtrim(x)", "xxab"),
        ("str(abc),length", "3"),
        ("str(abc),reverse", "cba"),
        ("str(abcbd),regsub(b,X)", "aXcbd"),
        ("str(abcbd),regsub(b,X,g)", "aXcXd"),
        ("str(abcbd),regsub(B,X,gi)", "aXcXd"),
        ("str(a),set-var(txn.zz),upper", "A"),
        ("bool(0)", "0"),
        ("bool(false)", "0"),
        ("int(-5)", "-5"),
        ("str", ""),
        ("str(10.1.2.3),ipmask(16)", "10.1.0.0"),
        ("str(10.1.2.3),ipmask(255.255.0.0)", "10.1.0.0"),
        ("str(2001:db8::1),ipmask(16,32)", "2001:db8::"),
        ("str(2001:db8::1),ipmask(16)", ""),
        ("str(a),strcmp(txn.nope)", ""),
        ("int(5),add(txn.nope)", ""),
        ("int(1),htonl", ""),
        ("str(hello),cut_crlf", "hello"),
        ("always_false", "0"),
        ("str(a),secure_memcmp(txn.nope)", ""),
        (
            "str(hello),sha1,hex",
            "AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D",
        ),
        (
            "str(hello),sha2,hex",
            "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824",
        ),
        (
            "str(hello),sha2(512),hex",
            "9B71D224BD62F3785D96D46AD3EA3D73319BFBC2890CAADAE2DFF72519673CA72323C3D99BA5C11D7C7ACC6E14B8C5DA0C4663475C2E5C3ADEF46F73BCDEC043",
        ),
        (
            "str(hello),digest(sha256),hex",
            "2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824",
        ),
        (
            "str(hello),hmac(sha256,a2V5),hex",
            "9307B3B915EFB5171FF14D8CB55FBCC798C6C0EF1456D66DED1A6AA723A58B7B",
        ),
        ("str(hello),base64", "aGVsbG8="),
        ("str(aGVsbG8=),b64dec", "hello"),
        ("str(aGVsbG8),b64dec", ""),
        ("bin(fbff),ub64enc", "-_8"),
        ("str(a+b%20c?d+e%zz),url_dec", ""),
        ("str(a+b%20c?d+e%41),url_dec", "a+b c?d eA"),
        ("str(a+b%20c?d+e%41),url_dec(1)", "a b c?d eA"),
        ("bin(0102030405),be2dec(:,2)", "258:772:5"),
        ("bin(0102030405),be2dec(:,2,1)", "258:772"),
        ("bin(0102030405),be2dec(,2)", "2587725"),
        ("bin(0102030405),le2dec(:,2)", "513:1027:5"),
        ("bin(0102030405),be2hex", "0102030405"),
        ("bin(0102030405),be2hex(:,2)", "0102:0304:05"),
        ("bin(0102030405),be2hex(:,2,1)", "0102:0304"),
        ("str(ff),hex2i", "255"),
        ("str(xyz),hex2i", ""),
        ("bin(0102),base2", "0000000100000010"),
        ("int(7),htonl,hex", "00000007"),
    ]);
}

fn compile(text: &str, compiler: &mut Compiler<'_>) -> Result<Expr, String> {
    Expr::compile(&expr(text), compiler).map_err(|error| format!("{error} / {}", error.remedy))
}

#[test]
fn what_haproxy_refuses_is_refused() {
    let names = Process::default();
    let mut compiler = compiler(&names);
    for text in [
        "src,add(0)",
        "bin(31),add(1)",
        "ipv6(::1),add(1)",
        "bin(61),iif(a,b)",
        "method,add(1)",
        "bin(7f000001),ipmask(32)",
        "str(a.b),field(0,.)",
        "bool(x)",
        "int(x)",
        "ipv4(1.2.3)",
        "nosuch",
        "str(a),nosuch",
        "str(a),add(x)",
        "path(1)",
        "str(1.2.3.4),ipmask(33)",
        "bin(0102030405),be2hex(:)",
    ] {
        assert!(compile(text, &mut compiler).is_err(), "{text}");
    }
}

#[test]
fn errors_name_what_is_wrong_and_the_remedy() {
    let names = Process::default();
    let mut compiler = compiler(&names);
    let mut message = |text: &str| compile(text, &mut compiler).unwrap_err();
    assert_eq!(
        message("pth"),
        "unknown sample fetch 'pth' / did you mean 'path'?"
    );
    assert_eq!(
        message("src,add(1)"),
        "converter 'add' cannot be applied / it takes integer, and what stands before it gives address"
    );
    assert!(
        message("nbsrv(nope)").starts_with("unable to find backend 'nope' referenced in 'nbsrv'")
    );
    assert!(message("str(a),regsub(\"a(?=b)\",x)").contains("look-ahead"));
    compiler.point = Point::Connection;
    assert!(
        compile("path", &mut compiler)
            .unwrap_err()
            .contains("HTTP request headers")
    );
}
