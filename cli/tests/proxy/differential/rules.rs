//! The rules under which programs are compared, one site a subject.

/// One configuration.
pub struct Site {
    pub name: &'static str,
    /// Requests may have a body: versions differ in whether a redirect then ends the connection.
    pub bodies: bool,
    /// Paths that its rules look for.
    pub paths: &'static [&'static str],
    pub frontend: &'static str,
    pub backend: &'static str,
}

/// Files that the rules name, in the directory that stands for `@DIR`.
pub const FILES: &[(&str, &str)] = &[
    (
        "exact.map",
        "# a comment\n/a first\n/api second value\n/B\none uno\nfoo bar\n",
    ),
    ("begin.map", "/a A\n/api API\n/static S\nfoo F\n"),
    ("end.map", ".png image\n.js script\nfoo F\n"),
    ("reg.map", "^/a(.*)$ got-\\1\nfoo F\n^[0-9]+$ number\n"),
    (
        "ip.map",
        "10.0.0.0/8 ten\n192.168.0.0/16 private\n127.0.0.1 self\n2001:db8::/32 six\n",
    ),
    ("int.map", "one 1\nfoo 22\n42 43\n"),
    ("dom.map", "example.com site\nb.example.org deep\n"),
    ("agents.lst", "curl/7.88\n# none\nbot\n"),
    ("networks.lst", "10.0.0.0/8\n2001:db8::/32\n"),
    ("words.lst", "foo\nbar\n"),
    (
        "page.http",
        "HTTP/1.0 403 Forbidden\r\nCache-Control: no-cache\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nno\n",
    ),
    ("body.txt", "a file for %[path]\n"),
];

pub const SITES: &[Site] = &[
    Site {
        name: "header fields",
        bodies: true,
        paths: &["/a", "/api"],
        frontend: r#"http-request add-header X-Added "%[method] %[path]"
http-request set-header X-A2 "<%[req.hdr(x-a)]|%[req.fhdr(x-a)]|%[req.hdr(x-a,1)]|%[req.hdr(x-a,-1)]|%[req.hdr(x-a,2)]>"
http-request set-header X-Counts "%[req.hdr_cnt(x-a)] %[req.fhdr_cnt(x-a)] %[req.hdr_cnt(x-b)] %[req.hdr_cnt(nope)]"
http-request set-header X-Values "%[req.hdr_val(x-num)] %[req.hdr_ip(x-ip)] %[req.hdr_ip(x-forwarded-for,-1)]"
http-request set-header X-Names "%[req.hdr_names(;)]"
http-request set-header X-Cook "%[req.cook(sid)] %[req.cook_cnt(sid)] %[req.cook_cnt(x)] %[req.cook_val(x)] %[req.cook(nope)]"
http-request replace-header X-B ^(foo)(.*)$ "\2-\1"
http-request replace-header User-Agent (.*)/(.*) "\2 of \1"
http-request replace-value X-A ([a-z])([a-z]*) "\2\1"
http-request del-header Referer
http-request del-header x-n -m beg
http-request del-header time -m end if { path_beg /a }
http-request set-header Host new.example if { hdr(host) -m end :8080 }
http-request add-header X-A again
http-request set-header X-Agent "%[req.hdr(user-agent),lower]" if { req.hdr(user-agent) -m found }"#,
        backend: "",
    },
    Site {
        name: "request line",
        bodies: true,
        paths: &["/p/one", "/q/two", "/r/x/y", "/s", "/u", "/m", "/n/a%2fb"],
        frontend: r#"http-request set-var(txn.before) path
http-request set-path /new%[path] if { path_beg /p/ }
http-request replace-path ^/q/(.*)$ /was/\1/q
http-request replace-pathq ^/r/([^?]*)\?(.*)$ /\1/r?\2&more=1
http-request set-query "a=%[url_param(a)]&lang=%[req.hdr(accept-language),lower]" if { path /s }
http-request set-uri "/set?x=%[path]" if { path /u }
http-request set-method GET if { path /m } METH_DELETE
http-request set-pathq "/n2?%[query]" if { path_beg /n/ }
http-request replace-uri ^(.*)//(.*)$ \1/\2
http-request set-header X-Parts "%[path]|%[pathq]|%[query]|%[url]|%[base]|%[method]|%[req.ver]"
http-request set-header X-Params "%[url_param(a)]|%[urlp(b)]|%[url_param(n)]|%[urlp_val(n)]|%[urlp(x)]|%[url_param(to)]"
http-request set-header X-Hash "%[base32] %[url32]"
http-request set-header X-Before "%[var(txn.before)]""#,
        backend: "",
    },
    Site {
        name: "converters of text",
        bodies: true,
        paths: &[],
        frontend: r#"http-request set-header C1 "%[req.fhdr(x-a),lower]|%[req.fhdr(x-a),upper]|%[req.fhdr(x-a),length]|%[req.fhdr(x-a),hex]|%[req.fhdr(x-a),base64]"
http-request set-header C2 "%[req.fhdr(x-a),field(1,/)]|%[req.fhdr(x-a),field(2,-/)]|%[req.fhdr(x-a),field(-1,b)]|%[req.fhdr(x-a),field(1,b,2)]|%[req.fhdr(x-a),field(2,b,0)]"
http-request set-header C3 "%[path,word(1,/)]|%[path,word(2,/)]|%[path,word(-1,/)]|%[path,word(1,/,2)]|%[path,word(2,/,0)]|%[path,word(-2,/,2)]"
http-request set-header C4 "%[req.fhdr(x-b),bytes(1)]|%[req.fhdr(x-b),bytes(0,3)]|%[req.fhdr(x-b),bytes(2,2)]|%[req.fhdr(x-b),bytes(50)]"
http-request set-header C5 "%[req.fhdr(x-b),regsub(o,0)]|%[req.fhdr(x-b),regsub(o,0,g)]|%[req.fhdr(x-b),regsub(FOO,x,i)]|%[req.fhdr(x-b),regsub([a-f],Z,g)]"
http-request set-header C6 "%[url,url_dec]|%[path,url_dec(1)]|%[query,url_dec(1)]|%[req.fhdr(x-a),url_enc]"
http-request set-header C7 "%[req.fhdr(x-b64),b64dec,hex]|%[req.fhdr(x-b),ub64enc]|%[req.fhdr(x-b),ub64enc,ub64dec,hex]"
http-request set-header C8 "%[req.fhdr(x-a),json]|%[req.fhdr(x-json),json(utf8)]|%[req.fhdr(x-json),json_query(\$.a)]|%[req.fhdr(x-json),json_query(\$.b.c)]"
http-request set-header C9 "%[req.fhdr(x-b),ltrim(fo)]|%[req.fhdr(x-b),rtrim(or)]|%[req.fhdr(x-b),concat(-,txn.none,+)]|%[str(x),concat(<,req.v,>)]"
http-request set-var(req.v) req.fhdr(x-b)
http-request set-header C10 "%[str(x),concat(<,req.v,>)]|%[str(foo),strcmp(req.v)]|%[req.fhdr(x-b),length,iif(a,b)]|%[str(l),add_item(;,req.v,!)]"
http-request set-header C11 "%[req.hdr(accept-language),language(en;de;fr,none)]|%[req.hdr(accept-language),language(en-GB;de)]"
http-request set-header C12 "%[hdr(host),host_only]|%[hdr(host),port_only]|%[hdr(host),lower,field(1,:)]" if TRUE"#,
        backend: "",
    },
    Site {
        name: "converters of numbers and data",
        bodies: true,
        paths: &[],
        frontend: r#"http-request set-var(txn.n) req.hdr(x-num)
http-request set-header N1 "%[req.hdr_val(x-num),add(3)]|%[req.hdr_val(x-num),mul(2)]|%[req.hdr_val(x-num),div(5)]|%[req.hdr_val(x-num),mod(5)]"
http-request set-header N2 "%[req.hdr_val(x-num),and(15)]|%[req.hdr_val(x-num),or(16)]|%[req.hdr_val(x-num),xor(255)]|%[req.hdr_val(x-num),cpl]|%[req.hdr_val(x-num),neg]"
http-request set-header N3 "%[req.hdr_val(x-num),bool]|%[req.hdr_val(x-num),not]|%[req.hdr_val(x-num),odd]|%[req.hdr_val(x-num),even]|%[req.hdr_val(x-num),div(0)]|%[req.hdr_val(x-num),mod(0)]"
http-request set-header N4 "%[var(txn.n),add(1)]|%[int(10),add(txn.n)]|%[int(10),mul(txn.n)]|%[int(5),sub(txn.n)]|%[var(txn.n),bool]"
http-request set-header N5 "%[req.hdr(x-num),hex2i]|%[req.hdr_val(x-num),htonl,hex]"
http-request set-header H1 "%[req.fhdr(x-a),crc32]|%[req.fhdr(x-a),crc32(1)]|%[req.fhdr(x-a),crc32c]|%[req.fhdr(x-a),djb2]|%[req.fhdr(x-a),djb2(1)]|%[req.fhdr(x-a),sdbm]|%[req.fhdr(x-a),sdbm(1)]"
http-request set-header H2 "%[req.fhdr(x-a),xxh32]|%[req.fhdr(x-a),xxh32(7)]|%[req.fhdr(x-a),xxh64]|%[req.fhdr(x-a),xxh64(7)]"
http-request set-header H3 "%[req.fhdr(x-a),sha1,hex]|%[req.fhdr(x-a),sha2,hex]|%[req.fhdr(x-a),sha2(512),hex]|%[req.fhdr(x-a),digest(md5),hex]|%[req.fhdr(x-a),digest(sha1),base64]"
http-request set-header H4 "%[req.fhdr(x-b),hmac(sha256,a2V5),hex]|%[req.fhdr(x-b),hmac(md5,a2V5),hex]"
http-request set-header I1 "%[req.hdr_ip(x-ip),ipmask(24)]|%[req.hdr_ip(x-ip),ipmask(24,48)]|%[req.hdr(x-ip),ipmask(255.255.0.0)]"
http-request set-header D1 "%[req.hdr_val(x-time),http_date]|%[req.hdr_val(x-time),http_date(60)]|%[req.hdr_val(x-time),utime(%Y-%m-%dT%H:%M:%S)]|%[req.hdr_val(x-time),utime(%s-%j,100)]"
http-request set-header B1 "%[str(a),hex]|%[bin(0a0b0cff),hex]|%[bool(true)]|%[int(-3)]|%[str(7),add(1)]|%[ipv4(1.2.3.4)]|%[ipv6(::1)]""#,
        backend: "",
    },
    Site {
        name: "maps",
        bodies: true,
        paths: &["/a", "/api", "/B", "/static/x", "/img.png", "/x.js"],
        frontend: r#"http-request set-header M1 "%[path,map(@DIR/exact.map)]|%[path,map(@DIR/exact.map,none)]|%[path,map_str(@DIR/exact.map,-)]|%[path,map_beg(@DIR/begin.map,none)]|%[path,map_end(@DIR/end.map,none)]"
http-request set-header M2 "%[path,map_reg(@DIR/reg.map,none)]|%[path,map_regm(@DIR/reg.map,none)]|%[path,map_dir(@DIR/begin.map,none)]"
http-request set-header M3 "%[req.hdr_ip(x-ip),map_ip(@DIR/ip.map,none)]|%[req.hdr(x-ip),map_ip(@DIR/ip.map)]|%[src,map_ip(@DIR/ip.map)]"
http-request set-header M4 "%[req.hdr(x-a),map_str_int(@DIR/int.map,7)]|%[req.hdr(x-num),map_str_int(@DIR/int.map)]|%[req.hdr(x-b),map_str_int(@DIR/int.map,-1),add(1)]"
http-request set-header M5 "%[hdr(host),host_only,map_dom(@DIR/dom.map,none)]|%[hdr(host),lower,map_dom(@DIR/dom.map,none)]"
http-request set-map(@DIR/exact.map) %[path] "set %[method]" if METH_PUT
http-request del-map(@DIR/exact.map) /a if METH_DELETE
http-request add-acl(@DIR/words.lst) %[req.hdr(x-a)] if METH_POST
http-request del-acl(@DIR/words.lst) foo if METH_OPTIONS
http-request set-header M6 yes if { req.hdr(x-a) -f @DIR/words.lst }
http-request set-header M7 yes if { req.hdr(x-b) -m beg -f @DIR/words.lst }
http-request set-header M8 yes if { req.hdr(x-b) -i -m sub -f @DIR/words.lst }
use_backend other if { path,map(@DIR/exact.map) -m found }
use_backend %[path,map_str(@DIR/begin.map,nope),lower] if { path /api }"#,
        backend: "http-response set-header X-Map \"%[res.hdr(x-num),map_str_int(@DIR/int.map,0)]\"",
    },
    Site {
        name: "conditions",
        bodies: true,
        paths: &["/a", "/admin/x", "/img.png", "/api/v1", "/dir/file"],
        frontend: r#"acl is_api path_beg /api /v1
acl is_img path_end -i .png .js
acl is_img path -m end .gif
acl local src 127.0.0.0/8 ::1
acl ten req.hdr_ip(x-ip) 10.0.0.0/8 192.168.0.1
acl big req.hdr_val(x-num) gt 41
acl mid req.hdr_val(x-num) 1:42
acl agent hdr(user-agent) -f @DIR/agents.lst
acl net req.hdr_ip(x-ip) -f @DIR/networks.lst
acl host hdr_dom(host) -i example.com
acl hostend hdr_end(host) -i .com
acl len hdr_len(x-a) 3 5:8
acl reg hdr_reg(x-b) -i ^foo[a-z]+$ ^a\.b
acl two hdr_cnt(x-a) ge 2
acl sub hdr_sub(x-b) oba
acl cook cook(sid) -m found
acl bin req.fhdr(x-b64),b64dec -m bin 68656c6c6f
acl dir path_dir api
acl ua hdr(user-agent) -m str -i CURL/7.88
http-request add-header T "api" if is_api
http-request add-header T "img" if is_img
http-request add-header T "not-api-local" if !is_api local
http-request add-header T "ten" if ten
http-request add-header T "big-or-img" if big || is_img
http-request add-header T "mid" if mid
http-request add-header T "agent" if agent or ua
http-request add-header T "net" if net
http-request add-header T "host" if host
http-request add-header T "hostend" if hostend
http-request add-header T "len" if len
http-request add-header T "reg" if reg
http-request add-header T "two" if two
http-request add-header T "sub" unless !sub
http-request add-header T "cook" if cook
http-request add-header T "bin" if bin
http-request add-header T "dir" if dir
http-request add-header T "post" if METH_POST HTTP_1.1
http-request add-header T "all" if { always_true } { hdr_cnt(host) eq 1 } !{ always_false }
http-request add-header T "q" if { url_param(a) 1 } or { urlp(b) -m found }
http-request add-header T "hr" if { req.hdr(x-a) -m len 3 }
http-request add-header T "hi" if { req.hdr(x-num) -m int lt 5 }
http-request add-header T "hip" if { req.hdr(x-ip) -m ip 10.0.0.0/8 }
http-request add-header T "dash" if { req.hdr(referer) -m str -- - }
http-request add-header T "root" if HTTP_URL_SLASH or HTTP_CONTENT
use_backend other if is_img or { hdr(x-b) foo }"#,
        backend: "",
    },
    Site {
        name: "answers",
        bodies: false,
        paths: &[
            "/r1", "/r2", "/r3", "/r4", "/r5", "/r6", "/d1", "/d2", "/d3", "/d4", "/t1", "/rej",
            "/a1", "/l1", "/l2", "/l3", "/l4/x", "/l5/y", "/l6", "/l7", "/l8", "/l9",
        ],
        frontend: r#"errorfile 403 @DIR/page.http
http-after-response set-header X-After "%[status]"
http-request return status 200 content-type text/plain string "hello %[path]" hdr X-A "a%[path]" hdr X-None "%[req.hdr(nope)]" if { path /r1 }
http-request return status 201 content-type "text/plain" lf-string "hello %[path]" if { path /r2 }
http-request return status 404 content-type text/x file @DIR/body.txt if { path /r3 }
http-request return status 200 content-type text/x lf-file @DIR/body.txt if { path /r4 }
http-request return status 403 default-errorfiles if { path /r5 }
http-request return status 503 errorfile @DIR/page.http if { path /r6 }
http-request deny if { path /d1 }
http-request deny deny_status 429 if { path /d2 }
http-request deny status 401 content-type text/plain string "body" hdr X-Y z if { path /d3 }
http-request deny deny_status 404 if { path /d4 }
http-request tarpit deny_status 500 if { path /t1 }
http-request reject if { path /rej }
http-request auth realm "my realm" if { path /a1 } !{ http_auth(users) }
http-request redirect location /x code 303 if { path /l1 }
http-request redirect location "/y?%[query]" code 301 if { path /l2 }
http-request redirect prefix /pre if { path /l3 }
http-request redirect prefix https://h drop-query append-slash code 307 if { path_beg /l4 }
http-request redirect scheme https code 308 if { path_beg /l5 }
http-request redirect location /y set-cookie A=b if { path /l6 }
http-request redirect location /y clear-cookie A= if { path /l7 }
http-request redirect location "%[req.hdr(referer)]" ignore-empty if { path /l8 }
redirect prefix / drop-query append-slash if { path /l9 }
http-request set-header X-User "%[http_auth_user]|%[http_auth_pass]|%[http_auth_type]""#,
        backend: "http-request deny deny_status 410 if METH_OPTIONS\nhttp-response deny if { res.hdr(x-num) 42 } { var(txn.refuse) -m found }",
    },
    Site {
        name: "responses",
        bodies: true,
        paths: &["/st", "/loc", "/gone"],
        frontend: r#"http-request set-var(txn.path) path
http-request set-var(txn.n) int(5)
http-request set-var(sess.s) str(session)
http-request capture req.hdr(x-a) len 6
http-response set-header X-Front "%[var(txn.path)] %[res.hdr(x-old)] %[res.fhdr(x-old)] %[res.hdr_cnt(x-old)]"
http-response add-header X-Capture "%[capture.req.hdr(0)]|%[capture.req.method]"
http-after-response set-header X-Last "%[status] %[var(sess.s)]"
http-after-response del-header x-front if { var(txn.path) -m beg /a }"#,
        backend: r#"http-response set-status 299 reason "odd" if { var(txn.path) -m str /st }
http-response replace-header Location ^http://internal/(.*)$ https://public/\1
http-response replace-value X-Old ([a-z]+) <\1>
http-response replace-header Set-Cookie (.*) "\1; secure"
http-response del-header server
http-response add-header X-Cook "%[res.cook(sid)] %[res.cook_cnt(k)] %[res.cook(nope)]"
http-response set-header Cache-Control no-store if { var(txn.path) -m str /loc }
http-response return status 410 content-type text/plain string "gone" hdr X-G one if { var(txn.path) -m str /gone }
http-response set-var(txn.n) var(txn.n),add(2)
http-response unset-var(txn.none)
http-response set-header X-N "%[var(txn.n)] %[res.hdr_val(x-num)] %[status] %[res.ver]""#,
    },
    Site {
        name: "what the proxy adds",
        bodies: true,
        paths: &["/mon"],
        frontend: r#"option forwardfor except 10.0.0.0/8 header X-Client
option originalto header X-Orig
monitor-uri /mon
capture request header x-a len 5
unique-id-format %{+X}o\ %[req.hdr(x-b)]:%[path]
unique-id-header X-Unique
http-request set-src req.hdr(x-ip) if { path_beg /a }
http-request set-header X-Src "%[src]" if { path_beg /a }
http-request set-header X-Log "%HM|%HU|%HP|%HQ|%HV|%r|%b|%f|%ci|%hr|%hrl""#,
        backend: r#"option forwardfor header X-Client2 if-none
http-request set-header X-Names "%[be_name] %[fe_name] %[srv_is_up(be/s1)] %[nbsrv(be)] %[be_id] %[fe_id] %[so_id]""#,
    },
    Site {
        name: "variables",
        bodies: true,
        paths: &[],
        frontend: r#"http-request set-var(txn.a) str(one)
http-request set-var-fmt(req.b) "%[path]-%[method]"
http-request set-var(txn.a,ifnotexists) str(two)
http-request set-var(txn.c,ifexists) str(three)
http-request set-var(txn.d) req.hdr(x-num),add(1)
http-request set-var(txn.e) req.hdr_ip(x-ip)
http-request set-var(txn.f) src
http-request set-var(txn.g) req.hdr(x-b),set-var(req.h),upper
http-request set-var(proc.p) int(1)
http-request unset-var(txn.a) if METH_POST
http-request set-header V "%[var(txn.a)]|%[var(req.b)]|%[var(txn.c)]|%[var(txn.d)]|%[var(txn.e)]|%[var(txn.f)]|%[var(txn.g)]|%[var(req.h)]|%[var(proc.p)]|%[var(txn.zz)]"
http-request set-header W yes if { var(txn.d) -m int gt 40 }
http-request set-header X yes if { var(txn.e) -m ip 10.0.0.0/8 }
http-request set-header Y yes if { var(req.h) -m sub oo }
http-response set-header V "%[var(txn.a)]|%[var(req.b)]|%[var(txn.d)]""#,
        backend: "",
    },
];
