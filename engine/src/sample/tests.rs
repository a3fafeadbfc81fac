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

#[test]
fn lists_dates_json_and_forwarded_values() {
    check(&[
        ("str(a=b&c=d&a=r),param(a)", "b"),
        ("str(a&b=c),param(a)", ""),
        ("str(a=&b&c=a),param(b)", ""),
        ("str(a=1;b=2;c=4),param(b,;)", "2"),
        ("str(a=1;b=2;c=4),param(b,0x3b)", "2"),
        ("str(a=1),param(b)", ""),
        ("str(de),language(en;fr,xx)", "xx"),
        ("str(de),language(en;fr)", ""),
        ("str(mail.example.com),reverse_dom", "com.example.mail"),
        ("str(example.com.),reverse_dom", "com.example"),
        ("str(a..b),reverse_dom", ""),
        ("bin(610a),has_ctl", "1"),
        ("bin(6109),has_ctl", "0"),
        ("bin(6109),has_ctl(any)", "1"),
        ("bin(617f),has_ctl(0x100002401)", "1"),
        ("str(f),nbsrv", ""),
        ("str(x),srv_is_up", ""),
        ("str(\"Sun, 06 Nov 1994 08:49:37 GMT\"),date", "784111777"),
        ("str(\"Sunday, 06-Nov-94 08:49:37 GMT\"),date", "784111777"),
        ("str(\"Sun Nov  6 08:49:37 1994\"),date", "784111777"),
        ("str(ab/c),json", "ab\\/c"),
        ("bin(c3a9),json(utf8)", "\\u00e9"),
        ("bin(c3a9ff41),json(utf8)", ""),
        ("bin(c3a9ff41),json(utf8s)", "\\u00e9A"),
        ("bin(c3a9),json", "\\u00c3\\u00a9"),
        ("bin(f09f98803f),json(utf8s)", "?"),
        ("bin(010941),json", "\\u0001\\tA"),
        ("str(127.0.0.1:9999),rfc7239_n2nn", "127.0.0.1"),
        (
            "str([ab:cd:ff:ff:ff:ff:ff:ff]:9998),rfc7239_n2nn",
            "ab:cd:ff:ff:ff:ff:ff:ff",
        ),
        ("str(_name:_port),rfc7239_n2nn", "_name"),
        ("str(_name:_port),rfc7239_n2np", "_port"),
        ("str(127.0.0.1:9999),rfc7239_n2np", "9999"),
        ("str(127.0.0.1),rfc7239_n2np", ""),
        ("str(unknown),rfc7239_n2nn", "unknown"),
        (
            "ipv6(ab:cd:ff:ff:ff:ff:ff:ff),rfc7239_nn",
            "[ab:cd:ff:ff:ff:ff:ff:ff]",
        ),
        ("ipv4(1.2.3.4),rfc7239_nn", "1.2.3.4"),
        ("str(test),rfc7239_nn", "_test"),
        ("str(),rfc7239_nn", "unknown"),
        ("str(te st),rfc7239_nn", ""),
        ("int(12),rfc7239_np", "12"),
        ("str(test),rfc7239_np", "_test"),
        ("int(99999),rfc7239_np", "99999"),
        ("str(for=127.0.0.1;proto=http),rfc7239_is_valid", "1"),
        ("str(proto=custom),rfc7239_is_valid", "0"),
        ("str(for=127.0.0.1;proto=http),rfc7239_field(proto)", "http"),
        (
            "str(for=127.0.0.1;proto=http),rfc7239_field(for)",
            "127.0.0.1",
        ),
        ("str(for=127.0.0.1;proto=http),rfc7239_field(host)", ""),
        ("str(for=127.0.0.1),rfc7239_field(nope)", ""),
        ("str(for=127.0.0.1; proto=http),rfc7239_is_valid", "0"),
        ("str(for=127.0.0.1:80),rfc7239_is_valid", "0"),
        ("str(for=1.2.3.4;for=1.2.3.4),rfc7239_is_valid", "0"),
        ("str(),rfc7239_is_valid", "0"),
        ("str(host=a_b),rfc7239_is_valid", "0"),
        ("str(host=a.b),rfc7239_is_valid", "1"),
        ("str(a),when(normal)", "a"),
        ("str(a),when(!normal)", ""),
        ("str(a),when(stopping)", ""),
        ("str(a),when(acl,TRUE)", "a"),
        ("str(a),add_item(;,txn.no,b)", "a;b"),
        ("str(),add_item(;,txn.no,b)", "b"),
        ("str(a),add_item(;,txn.no)", "a"),
        ("acl(TRUE)", "1"),
        ("acl(!TRUE)", "0"),
        ("acl(TRUE,FALSE)", "0"),
        ("str(x),debug(a)", "x"),
        ("stopping", "0"),
        ("tgroup", "0"),
        ("str(a),capture-req(0)", ""),
        ("bin(7b2261223a317d),json_query($.a)", "1"),
        ("bin(7b2261223a317d),json_query($.b)", ""),
        ("bin(7b2261223a312e357d),json_query($.a)", "1.5"),
        ("bin(7b2261223a312e357d),json_query($.a,int)", "1"),
        (
            "bin(7b2261223a5b312c2278225d7d),json_query($.a)",
            "[1,\"x\"]",
        ),
        ("bin(7b2261223a747275657d),json_query($.a)", "1"),
        (
            "bin(7b2261223a7b2262223a226364227d7d),json_query($.a.b)",
            "cd",
        ),
        ("bin(7b2261223a7b2262223a226364227d7d),json_query($.a)", ""),
        ("bin(7b2261223a6e756c6c7d),json_query($.a)", ""),
        (
            "str(eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.xx),jwt_header_query($.alg)",
            "HS256",
        ),
        ("str(eyJhbGciOiJIUzI1NiJ9),jwt_header_query($.alg)", "HS256"),
        ("int(0),x509_v_err_str", "X509_V_OK"),
        ("int(10),x509_v_err_str", "X509_V_ERR_CERT_HAS_EXPIRED"),
        ("int(9999),x509_v_err_str", "9999"),
        ("url_ip", ""),
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
        "str(fr;q=0.5,en;q=0.8,es),language(es;fr;en)",
        "str(fr-FR,en;q=0.8),language(en;fr)",
        "str(fr;q=0,en;q=0.1),language(en;fr)",
        "str(fr-FR,fr-BE),language(fr-BE;fr-FR)",
        "str(a),when(foo)",
        "str(a),add_item(;)",
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

/// What the language's table of rows calls working, works here, with the types that it tells.
#[test]
fn every_working_row_of_the_language_compiles() {
    use cfgparse::registry::converters::CONVERTERS;
    use cfgparse::registry::fetches::FETCHES;
    use cfgparse::registry::{Full, Partial};
    let works = |status| matches!(status, Full | Partial(_));
    for row in FETCHES.iter().filter(|row| works(row.info.status)) {
        let found = super::find_fetch(row.info.name);
        let found = found.unwrap_or_else(|| panic!("no fetch '{}'", row.info.name));
        assert_eq!(
            format!("{:?}", found.out),
            format!("{:?}", row.out),
            "{}",
            row.info.name
        );
    }
    for row in CONVERTERS.iter().filter(|row| works(row.info.status)) {
        let found = super::find_converter(row.info.name);
        let found = found.unwrap_or_else(|| panic!("no converter '{}'", row.info.name));
        let same = |ours: super::Type, theirs| {
            format!("{ours:?}") == format!("{theirs:?}").replace("Same", "Any")
        };
        let agrees = same(found.input, row.input) && same(found.out, row.out);
        assert!(
            agrees,
            "{}: {:?} to {:?}",
            row.info.name, found.input, found.out
        );
    }
}
