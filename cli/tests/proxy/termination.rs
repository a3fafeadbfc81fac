//! Every way in which an exchange ends, as the log names it (manual, 8.5): one row each.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::sleep;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

use crate::harness::{Client, Origin, Peer, Port, Proxy, Syslog, ok, wait_until};

/// One way to end, brought about on real sockets.
struct Row {
    /// Of the frontend; the backend is `b_NAME`.
    name: &'static str,
    /// Lines of the frontend, and of the backend.
    front: &'static str,
    back: &'static str,
    server: Server,
    act: fn(&Scene<'_>),
    /// `backend/server status state TR/Tw/Tc/Tr`, where a time is `0`, or `-1` if it was not reached.
    line: &'static str,
}

enum Server {
    Answers(fn(&mut Peer) -> io::Result<()>),
    /// With parameters behind its address.
    With(&'static str, fn(&mut Peer) -> io::Result<()>),
    Refuses,
    /// Neither takes a connection nor refuses it.
    Silent,
    None,
}

/// What the client of a row works with.
struct Scene<'a> {
    name: &'static str,
    listen: SocketAddr,
    proxy: &'a Proxy,
}

impl Scene<'_> {
    fn connect(&self) -> Client {
        Client::connect(self.listen)
    }

    /// A client that has sent this.
    fn sends(&self, bytes: &str) -> Client {
        let mut client = self.connect();
        client.send(bytes);
        client
    }

    /// Asks, and takes whatever comes.
    fn asks(&self) {
        self.sends(GET).rest();
    }

    /// Asks, and closes after a moment.
    fn leaves_after(&self, bytes: &str) {
        let client = self.sends(bytes);
        sleep(MOMENT);
        drop(client);
    }

    /// Asks, and resets the connection after a moment.
    fn resets_after(&self, bytes: &str) {
        let client = self.sends(bytes);
        sleep(MOMENT);
        let socket = SockRef::from(client.stream());
        socket.set_linger(Some(Duration::ZERO)).expect("a socket");
    }

    /// Asks, and an administrator ends it once it has come so far.
    fn is_killed(&self, so_far: impl FnOnce(&mut Client)) {
        let mut client = self.sends(GET);
        so_far(&mut client);
        sleep(MOMENT);
        let server = format!("b_{}/s1", self.name);
        self.proxy
            .admin(&format!("shutdown sessions server {server}"));
        client.rest();
    }

    fn is_connected(&self) {
        let backend = format!("b_{}", self.name);
        wait_until("it is connected", || {
            self.proxy.stat(&backend, "s1", "connect") == "1"
        });
    }
}

const MOMENT: Duration = Duration::from_millis(150);
/// Longer than every timeout of the configuration.
const TOO_LONG: Duration = Duration::from_secs(8);
const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nab";
const CHUNKS: &str = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n";
const LONG_POST: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999\r\n\r\nab";
const TCP: &str = "mode tcp\n    log-format \"= %f %b/%s -1 %ts-- 0/%Tw/%Tc/0 x\"";
const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab";

fn answers(peer: &mut Peer) -> io::Result<()> {
    peer.request()?;
    peer.send(ok("hello"))
}

fn closes(peer: &mut Peer) -> io::Result<()> {
    peer.request_head().map(drop)
}

fn waits(peer: &mut Peer) -> io::Result<()> {
    peer.request_head()?;
    sleep(TOO_LONG);
    Ok(())
}

fn takes_its_time(peer: &mut Peer) -> io::Result<()> {
    peer.request_head()?;
    sleep(MOMENT * 6);
    peer.send(ok("late"))
}

fn half_then_waits(peer: &mut Peer) -> io::Result<()> {
    peer.request_head()?;
    peer.send(HALF)?;
    sleep(TOO_LONG);
    Ok(())
}

/// More than the buffers of all sockets on the way hold.
fn floods(peer: &mut Peer) -> io::Result<()> {
    const BYTES: usize = 64 << 20;
    peer.request_head()?;
    peer.send(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {BYTES}\r\n\r\n"
    ))?;
    peer.send(vec![b'x'; BYTES])
}

fn half_then_closes(peer: &mut Peer) -> io::Result<()> {
    peer.request_head()?;
    peer.send(HALF)?;
    sleep(MOMENT);
    Ok(())
}

fn early_then_waits(peer: &mut Peer) -> io::Result<()> {
    peer.request_head()?;
    peer.send("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")?;
    sleep(TOO_LONG);
    Ok(())
}

fn early_then_resets(peer: &mut Peer) -> io::Result<()> {
    peer.request_head()?;
    peer.send("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")?;
    sleep(MOMENT);
    SockRef::from(peer.reader.get_ref()).set_linger(Some(Duration::ZERO))
}

/// Goes on until it is told to stop; less than its time, so that it is not for that.
fn keeps_sending(mut client: Client) {
    use std::io::Write;
    for _ in 0..40 {
        sleep(MOMENT / 3);
        if client.reader.get_mut().write_all(b"more").is_err() {
            return;
        }
    }
}

fn half_then_resets(peer: &mut Peer) -> io::Result<()> {
    half_then_closes(peer)?;
    SockRef::from(peer.reader.get_ref()).set_linger(Some(Duration::ZERO))
}

fn says(peer: &mut Peer, bytes: &str) -> io::Result<()> {
    peer.request_head()?;
    peer.send(bytes)?;
    sleep(MOMENT);
    Ok(())
}

/// A queue behind one busy server: the first request takes it, the second is the row's.
fn second(scene: &Scene<'_>, then: impl FnOnce(Client)) {
    let mut first = scene.sends("GET /first HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    sleep(MOMENT);
    then(scene.sends(GET));
    first.rest();
}

const NO_ROW: Row = Row {
    name: "",
    front: "",
    back: "",
    server: Server::Answers(answers),
    act: |scene| scene.asks(),
    line: "",
};

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { name: "normal", line: "b_normal/s1 200 ---- 0/0/0/0", ..NO_ROW },
    // The client.
    Row { name: "CR", act: |scene| scene.leaves_after("GET / HT"), line: "CR/<NOSRV> 400 CR-- -1/-1/-1/-1", ..NO_ROW },
    Row { name: "CR_silent", act: |scene| drop(scene.connect()), line: "CR_silent/<NOSRV> 400 CR-- -1/-1/-1/-1", ..NO_ROW },
    Row { name: "cR", act: |scene| drop(scene.sends("GET / HT").rest()), line: "cR/<NOSRV> 408 cR-- -1/-1/-1/-1", ..NO_ROW },
    Row { name: "cR_silent", act: |scene| drop(scene.connect().rest()), line: "cR_silent/<NOSRV> 408 cR-- -1/-1/-1/-1", ..NO_ROW },
    Row { name: "CQ", back: "timeout queue 10s", server: Server::With("maxconn 1", takes_its_time), act: |scene| second(scene, |client| { sleep(MOMENT); drop(client); }), line: "b_CQ/<NOSRV> -1 CQ-- 0/0/-1/-1", ..NO_ROW },
    Row { name: "CC", back: "timeout connect 10s", server: Server::Silent, act: |scene| scene.leaves_after(GET), line: "b_CC/s1 -1 CC-- 0/0/-1/-1", ..NO_ROW },
    Row { name: "CH", server: Server::Answers(waits), act: |scene| scene.leaves_after(GET), line: "b_CH/s1 400 CH-- 0/0/0/-1", ..NO_ROW },
    Row { name: "CH_upload", server: Server::Answers(waits), act: |scene| scene.leaves_after(POST), line: "b_CH_upload/s1 400 CH-- 0/0/0/-1", ..NO_ROW },
    Row { name: "cH", back: "timeout server 10s", server: Server::Answers(waits), act: |scene| drop(scene.sends(POST).rest()), line: "b_cH/s1 400 cH-- 0/0/0/-1", ..NO_ROW },
    Row { name: "CD", server: Server::Answers(half_then_waits), act: |scene| scene.leaves_after(GET), line: "b_CD/s1 200 CD-- 0/0/0/0", ..NO_ROW },
    Row { name: "cD", back: "timeout server 10s", server: Server::Answers(half_then_waits), act: |scene| drop(scene.sends(POST).rest()), line: "b_cD/s1 200 cD-- 0/0/0/0", ..NO_ROW },
    Row { name: "CD_reset", server: Server::Answers(floods), act: |scene| scene.resets_after(GET), line: "b_CD_reset/s1 200 CD-- 0/0/0/0", ..NO_ROW },
    // The server's time stands still while nobody takes what it sends.
    Row { name: "cD_full", back: "timeout server 500ms", server: Server::Answers(floods), act: |scene| { let _reads_nothing = scene.sends(GET); sleep(TOO_LONG); }, line: "b_cD_full/s1 200 cD-- 0/0/0/0", ..NO_ROW },
    // Manual, `no option abortonclose`: whoever leaves is served all the same.
    Row { name: "stays_in_queue", back: "no option abortonclose\n    timeout queue 10s", server: Server::With("maxconn 1", takes_its_time), act: |scene| second(scene, |client| { sleep(MOMENT); drop(client); }), line: "b_stays_in_queue/s1 200 ---- 0/0/0/0", ..NO_ROW },
    Row { name: "stays_connecting", back: "no option abortonclose", server: Server::Silent, act: |scene| scene.leaves_after(GET), line: "b_stays_connecting/s1 503 sC-- 0/0/-1/-1", ..NO_ROW },
    Row { name: "stays_waiting", back: "no option abortonclose", server: Server::Answers(takes_its_time), act: |scene| scene.leaves_after(GET), line: "b_stays_waiting/s1 200 ---- 0/0/0/0", ..NO_ROW },
    // The server.
    Row { name: "SC", server: Server::Refuses, line: "b_SC/s1 503 SC-- 0/0/-1/-1", ..NO_ROW },
    Row { name: "SC_none", server: Server::None, line: "b_SC_none/<NOSRV> 503 SC-- 0/-1/-1/-1", ..NO_ROW },
    Row { name: "sC", server: Server::Silent, line: "b_sC/s1 503 sC-- 0/0/-1/-1", ..NO_ROW },
    Row { name: "sQ", server: Server::With("maxconn 1", takes_its_time), act: |scene| second(scene, |mut client| drop(client.rest())), line: "b_sQ/<NOSRV> 503 sQ-- 0/0/-1/-1", ..NO_ROW },
    Row { name: "SH", server: Server::Answers(closes), line: "b_SH/s1 502 SH-- 0/0/0/-1", ..NO_ROW },
    Row { name: "sH", server: Server::Answers(waits), line: "b_sH/s1 504 sH-- 0/0/0/-1", ..NO_ROW },
    Row { name: "SD", server: Server::Answers(half_then_closes), line: "b_SD/s1 200 SD-- 0/0/0/0", ..NO_ROW },
    Row { name: "SD_reset", server: Server::Answers(half_then_resets), line: "b_SD_reset/s1 200 SD-- 0/0/0/0", ..NO_ROW },
    Row { name: "sD", server: Server::Answers(half_then_waits), line: "b_sD/s1 200 sD-- 0/0/0/0", ..NO_ROW },
    // The proxy.
    Row { name: "PR", act: |scene| drop(scene.sends("BAD\r\n\r\n").rest()), line: "PR/<NOSRV> 400 PR-- -1/-1/-1/-1", ..NO_ROW },
    Row { name: "PR_deny", front: "http-request deny", line: "PR_deny/<NOSRV> 403 PR-- 0/-1/-1/-1", ..NO_ROW },
    Row { name: "PR_reject", front: "http-request reject", line: "PR_reject/<NOSRV> -1 PR-- -1/-1/-1/-1", ..NO_ROW },
    Row { name: "PT", front: "timeout tarpit 100ms\n    http-request tarpit", line: "PT/<NOSRV> 500 PT-- -1/0/-1/-1", ..NO_ROW },
    Row { name: "PT_left", front: "timeout tarpit 10s\n    http-request tarpit", act: |scene| scene.leaves_after(GET), line: "PT_left/<NOSRV> 500 PT-- -1/0/-1/-1", ..NO_ROW },
    Row { name: "PH", server: Server::Answers(|peer| says(peer, "nonsense\r\n\r\n")), line: "b_PH/s1 502 PH-- 0/0/0/-1", ..NO_ROW },
    Row { name: "PH_half", server: Server::Answers(|peer| says(peer, "HTTP/1.1 200 OK\r\nx")), line: "b_PH_half/s1 502 PH-- 0/0/0/-1", ..NO_ROW },
    Row { name: "PH_upload", server: Server::Answers(waits), act: |scene| { let mut client = scene.sends(CHUNKS); sleep(MOMENT); client.send("zz\r\n").rest(); }, line: "b_PH_upload/s1 400 PH-- 0/0/0/-1", ..NO_ROW },
    Row { name: "PH_deny", back: "http-response deny", line: "b_PH_deny/s1 502 PH-- 0/0/0/0", ..NO_ROW },
    Row { name: "PD", server: Server::Answers(|peer| { says(peer, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n")?; peer.send("zz\r\n")?; sleep(MOMENT); Ok(()) }), line: "b_PD/s1 200 PD-- 0/0/0/0", ..NO_ROW },
    // HAProxy has not read the request when the rules on content run.
    Row { name: "PR_content", front: "log-format \"= %f %HP -1 %ts-- 0/0/0/0 x\"\n    tcp-request content reject", line: "<BADREQ> -1 PR-- 0/0/0/0", ..NO_ROW },
    Row { name: "PD_content", back: "tcp-response content reject", line: "b_PD_content/s1 -1 PD-- 0/0/0/-1", ..NO_ROW },
    // The answer has gone, the request's body has not.
    Row { name: "cL", server: Server::Answers(early_then_waits), act: |scene| drop(scene.sends(POST).rest()), line: "b_cL/s1 413 cL-- 0/0/0/0", ..NO_ROW },
    Row { name: "SL", back: "timeout server 10s", server: Server::Answers(early_then_resets), act: |scene| keeps_sending(scene.sends(LONG_POST)), line: "b_SL/s1 413 SL-- 0/0/0/0", ..NO_ROW },
    // Mode tcp: a client that leaves without a word is not kept; what it has said goes on without it.
    Row { name: "CC_tcp", front: TCP, back: "mode tcp\n    timeout connect 10s", server: Server::Silent, act: |scene| scene.leaves_after(""), line: "b_CC_tcp/s1 -1 CC-- 0/0/-1/0" },
    Row { name: "sC_tcp", front: TCP, back: "mode tcp", server: Server::Silent, act: |scene| scene.leaves_after("hello"), line: "b_sC_tcp/s1 -1 sC-- 0/0/-1/0" },
    // Answered here.
    Row { name: "LR", front: "http-request return status 200", line: "LR/<NOSRV> 200 LR-- 0/-1/-1/-1", ..NO_ROW },
    Row { name: "LR_redirect", front: "http-request redirect location /x", line: "LR_redirect/<NOSRV> 302 LR-- 0/-1/-1/-1", ..NO_ROW },
    Row { name: "LR_auth", front: "http-request auth", line: "LR_auth/<NOSRV> 401 LR-- 0/-1/-1/-1", ..NO_ROW },
    Row { name: "LR_stats", front: "stats enable\n    stats uri /", line: "LR_stats/<STATS> 200 LR-- 0/0/0/0", ..NO_ROW },
    Row { name: "LH", back: "http-response return status 200", line: "b_LH/s1 200 LH-- 0/0/0/0", ..NO_ROW },
    // An administrator.
    Row { name: "K_waits", server: Server::Answers(waits), act: |scene| scene.is_killed(|_| scene.is_connected()), line: "b_K_waits/s1 500 KC-- 0/0/0/-1", ..NO_ROW },
    Row { name: "K_data", server: Server::Answers(half_then_waits), act: |scene| scene.is_killed(|client| drop(client.response_head())), line: "b_K_data/s1 500 KC-- 0/0/0/0", ..NO_ROW },
    Row { name: "K_connects", back: "timeout connect 10s", server: Server::Silent, act: |scene| scene.is_killed(|_| ()), line: "b_K_connects/s1 500 KC-- 0/0/-1/-1", ..NO_ROW },
    // The persistence cookie.
    Row { name: "NI", back: "cookie S insert", server: Server::With("cookie one", answers), line: "b_NI/s1 200 --NI 0/0/0/0", ..NO_ROW },
    Row { name: "VN", back: "cookie S insert", server: Server::With("cookie one", answers), act: |scene| drop(scene.sends(&with_cookie("S=one")).rest()), line: "b_VN/s1 200 --VN 0/0/0/0", ..NO_ROW },
    Row { name: "II", back: "cookie S insert", server: Server::With("cookie one", answers), act: |scene| drop(scene.sends(&with_cookie("S=two")).rest()), line: "b_II/s1 200 --II 0/0/0/0", ..NO_ROW },
    Row { name: "DI", back: "cookie S insert\n    server s2 127.0.0.1:1 cookie two disabled", server: Server::With("cookie one", answers), act: |scene| drop(scene.sends(&with_cookie("S=two")).rest()), line: "b_DI/s1 200 --DI 0/0/0/0", ..NO_ROW },
    Row { name: "EI", back: "cookie S insert maxidle 1h", server: Server::With("cookie one", answers), act: |scene| drop(scene.sends(&dated_cookie(7200, 7200)).rest()), line: "b_EI/s1 200 --EI 0/0/0/0", ..NO_ROW },
    Row { name: "OI", back: "cookie S insert maxlife 1h", server: Server::With("cookie one", answers), act: |scene| drop(scene.sends(&dated_cookie(0, 7200)).rest()), line: "b_OI/s1 200 --OI 0/0/0/0", ..NO_ROW },
    Row { name: "VU", back: "cookie S insert maxidle 1h", server: Server::With("cookie one", answers), act: |scene| drop(scene.sends(&dated_cookie(1200, 1200)).rest()), line: "b_VU/s1 200 --VU 0/0/0/0", ..NO_ROW },
    Row { name: "NR", back: "cookie S rewrite", server: Server::With("cookie one", |peer| says(peer, "HTTP/1.1 200 OK\r\nset-cookie: S=x\r\ncontent-length: 0\r\n\r\n")), line: "b_NR/s1 200 --NR 0/0/0/0", ..NO_ROW },
    Row { name: "NN", back: "cookie S rewrite", server: Server::With("cookie one", answers), line: "b_NN/s1 200 --NN 0/0/0/0", ..NO_ROW },
];

fn with_cookie(cookie: &str) -> String {
    GET.replace("\r\n\r\n", &format!("\r\ncookie: {cookie}\r\n\r\n"))
}

/// A cookie that was last sent so many seconds ago, and first so many (manual, `cookie ...
/// maxidle`): seconds since 1970 by fours, in base64.
fn dated_cookie(last_s: u64, first_s: u64) -> String {
    let stamp = |ago_s: u64| -> String {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let date = (since_1970.expect("a clock").as_secs() - ago_s).div_ceil(4);
        let digit = |place: u64| char::from(DIGITS[(date >> (6 * place) & 63) as usize]);
        (0..5).rev().map(digit).collect()
    };
    with_cookie(&format!("S=one|{}|{}", stamp(last_s), stamp(first_s)))
}

/// A port whose queue of connections is full: whoever connects hears nothing.
fn silent_port() -> (Port, TcpListener, Vec<Socket>) {
    let port = Port::reserve();
    let listener = port.listen(0);
    let callers = (0..3).map(|_| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_nonblocking(true).expect("non-blocking");
        // Under way is all that it has to be.
        let _ = socket.connect(&port.address().into());
        socket
    });
    let callers = callers.collect();
    (port, listener, callers)
}

#[test]
fn each_state_has_its_way() {
    let (syslog, refusing) = (Syslog::start(), Port::reserve());
    let (silent, _listener, _callers) = silent_port();
    let mut origins = Vec::new();
    let mut ports = Vec::new();
    let mut config = format!(
        "
    log {} local0
defaults
    mode http
    log global
    log-format \"= %f %b/%s %ST %tsc %TR/%Tw/%Tc/%Tr %HP\"
    retries 0
    timeout connect 1s
    timeout client 2s
    timeout server 2s
    timeout http-request 1s
    timeout queue 400ms
",
        syslog.address()
    );
    for row in ROWS {
        let port = Port::reserve();
        let server = match row.server {
            Server::Answers(script) | Server::With(_, script) => {
                origins.push(Origin::raw(script));
                let address = origins.last().expect("just pushed").address;
                let parameters = match row.server {
                    Server::With(parameters, _) => parameters,
                    _ => "",
                };
                format!("server s1 {address} {parameters}")
            }
            Server::Refuses => format!("server s1 {}", refusing.address()),
            Server::Silent => format!("server s1 {}", silent.address()),
            Server::None => String::new(),
        };
        let section = format!(
            "
frontend {name}
    bind {}
    {}
    default_backend b_{name}
backend b_{name}
    {}
    {server}
",
            port.address(),
            row.front,
            row.back,
            name = row.name,
        );
        config += &section;
        ports.push(port);
    }
    let proxy = Proxy::start(1, &config);
    let lines = std::thread::scope(|scope| {
        for (row, port) in ROWS.iter().zip(&ports) {
            let scene = Scene {
                name: row.name,
                listen: port.address(),
                proxy: &proxy,
            };
            scope.spawn(move || (row.act)(&scene));
        }
        collect(&syslog)
    });
    let wrong: Vec<_> = ROWS
        .iter()
        .filter(|row| lines[row.name] != row.line)
        .map(|row| format!("{}: {}, not {}", row.name, lines[row.name], row.line))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The line of each row, by frontend; those of requests that only prepare something are left out.
fn collect(syslog: &Syslog) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    while lines.len() < ROWS.len() {
        let line = syslog.line();
        let Some((_, line)) = line.split_once("= ") else {
            continue;
        };
        let words: Vec<&str> = line.split(' ').collect();
        let [name, place, status, state, times, path] = words[..] else {
            panic!("unexpected line: {line}");
        };
        if path == "/first" {
            continue;
        }
        let times = times.split('/').map(|t| if t == "-1" { t } else { "0" });
        let times = times.collect::<Vec<_>>().join("/");
        lines.insert(name.to_owned(), format!("{place} {status} {state} {times}"));
    }
    lines
}
