//! The `global` section (manual, chapter 3).

pub(super) mod lines;

use std::sync::LazyLock;

use super::bind;
use super::keyword::{Row, Table, lax_end, lax_number, row};
use super::proxy::{self, log as proxy_log};
use super::syntax::by_syntax;
use super::tune;
use crate::args::Args;
use crate::ast::Section;
use crate::context::Context;
use crate::model::bind::SocketLevel;
use crate::model::global::{DnsFamilies, Global};
use crate::model::tls::TlsServerVerify;
use crate::registry::Info;
use crate::registry::prelude::*;

use lines::{
    case_adjust, case_adjust_file, codes, cpu_map, default_path, dh_param_file, environment,
    lua_load, maxconn, nbproc, tls_options, unix_bind, variable,
};

static TABLE: LazyLock<Table<Global>> =
    LazyLock::new(|| Table::new(&[PROCESS, LIMITS, STATS, TLS, MISC, tune::ROWS]));

/// Rows for the documents.
pub fn infos() -> impl Iterator<Item = &'static Info> {
    [PROCESS, LIMITS, STATS, TLS, MISC, tune::ROWS]
        .into_iter()
        .flatten()
        .map(|row| &row.info)
}

fn dns_accept_family(cx: &mut Context, global: &mut Global, args: &mut Args) {
    let wanted = "a list of 'ipv4', 'ipv6' and 'auto'";
    let Some(word) = args.required(cx, wanted) else {
        return;
    };
    let mut families = DnsFamilies::default();
    for family in word.text.split(',') {
        match family {
            "ipv4" => families.ipv4 = true,
            "ipv6" => families.ipv6 = true,
            "auto" => families.auto = true,
            _ => return args.unexpected(cx, word, wanted),
        }
    }
    global.dns_accept_family = Some(families);
}

/// Reads a `global` section into what earlier ones said.
pub fn section(cx: &mut Context, global: &mut Global, section: &Section) {
    let mut header = Args::new(&section.header, 1);
    if let Some(word) = header.peek() {
        let message = format!("'global' : unexpected extra argument '{}'.", word.text);
        cx.alert(word.span(), "extra-argument", message);
    }
    for line in &section.lines {
        let mut args = Args::new(line, 0);
        let negated = args.peek_str() == "no";
        if negated {
            args.next();
            no(cx, global, &mut args);
            continue;
        }
        let Some(row) = TABLE.find(&mut args) else {
            if let Some(old) = old(args.peek_str()) {
                cx.alert(args.span(), "old-spelling", old);
            } else {
                TABLE.unknown(cx, &args, "'global' section");
            }
            continue;
        };
        args.name_so_far();
        cx.used(&row.info, args.span());
        (row.parse)(cx, global, &mut args);
        args.finish(cx);
    }
    let _ = header.next();
}

/// Keywords that were removed and can't be translated.
fn old(name: &str) -> Option<&'static str> {
    Some(match name {
        "debug" => {
            "unknown keyword 'debug' in 'global' section; it was removed, use '-d' on the command line."
        }
        _ => return None,
    })
}

fn no(cx: &mut Context, global: &mut Global, args: &mut Args) {
    let span = args.here();
    match args.next().map_or("", |word| word.as_str()) {
        "busy-polling" => global.busy_polling = false,
        "insecure-fork-wanted" => global.insecure_fork_wanted = false,
        "insecure-setuid-wanted" => global.insecure_setuid_wanted = false,
        "strict-limits" => global.strict_limits = Some(false),
        "numa-cpu-mapping"
        | "quick-exit"
        | "profiling.tasks"
        | "profiling.memory"
        | "tune.fd.edge-triggered" => {
            args.rest();
        }
        "log" => global.logs.clear(),
        name => {
            let message = format!("negation is not supported for '{name}' in 'global' section.");
            cx.alert(span, "bad-negation", message);
        }
    }
}

fn text(cx: &mut Context, args: &mut Args) -> Option<String> {
    args.text(cx, "a value")
}

fn words(args: &mut Args) -> Vec<String> {
    args.rest().iter().map(|word| word.text.clone()).collect()
}

/// Takes all arguments of a keyword that has no field.
pub(super) fn skip<T>(_: &mut Context, _: &mut T, args: &mut Args) {
    args.rest();
}

/// The value of a number at least `low`.
fn at_least(cx: &mut Context, args: &mut Args, low: i64) -> Option<u32> {
    args.number_in(cx, low, i64::from(i32::MAX))
        .map(|n| n as u32)
}

#[rustfmt::skip]
const PROCESS: &[Row<Global>] = &[
    row("chroot", "<dir>", Full, "change the root folder after the start", |cx, g, a| g.chroot = text(cx, a)),
    row("cpu-affinity", "per-core|per-group|per-thread|per-ccx|auto", Harmless, "how threads are bound to CPUs", by_syntax),
    row("cpu-map", "[auto:]<thread-group>[/<thread-set>] <cpu-set>...", Full, "which core runs on which CPU", cpu_map),
    row("cpu-policy", "none|performance|efficiency|group-by-ccx|group-by-2-ccx|group-by-3-ccx|group-by-4-ccx|group-by-cluster|group-by-2-clusters|group-by-3-clusters|group-by-4-clusters|first-usable-node|resource [<option>...]", Harmless, "which CPUs are used", by_syntax),
    row("cpu-set", "<directive> ...", Harmless, "which CPUs are used", skip),
    row("daemon", "", Full, "run in the background", |_, g, _| g.daemon = true),
    lax_end(row("default-path", "current|config|parent|origin <path>", Full, "where relative paths begin", default_path)),
    row("description", "<text>", Full, "shown on the statistics page", |cx, g, a| {
        if a.is_empty() { a.unexpected_end(cx, "a text"); }
        g.description = Some(proxy::basic::joined(a));
    }),
    lax_number(row("gid", "<number>", Full, "group to run as", |cx, g, a| g.gid = a.number(cx))),
    lax_end(row("grace", "<time>", Harmless, "time between the signal and the soft stop", |cx, g, a| g.grace_ms = a.time(cx))),
    row("group", "<name>", Full, "group to run as", |cx, g, a| g.group = text(cx, a)),
    lax_end(row("hard-stop-after", "<time>", Full, "longest soft stop", |cx, g, a| g.hard_stop_after_ms = a.time(cx))),
    row("insecure-fork-wanted", "", Ignored("no program is started"), "let programs be started", |_, g, _| g.insecure_fork_wanted = true),
    row("insecure-setuid-wanted", "", Ignored("no program is started"), "let setuid programs be started", |_, g, _| g.insecure_setuid_wanted = true),
    row("localpeer", "<name>", Full, "this machine's name among peers", |cx, g, a| g.localpeer = text(cx, a)),
    row("master-worker", "[no-exit-on-failure]", Harmless, "a master process and its worker: use -W or -Ws", |_, g, a| g.master_worker = Some(a.next().map(|w| w.text.clone()))),
    lax_number(row("mworker-max-reloads", "<retries>", Harmless, "reloads a worker survives", |cx, g, a| g.mworker_max_reloads = a.number(cx))),
    row("mworker-prog", "", Refused("use the init system"), "programs beside the worker", skip),
    row("nbproc", "<number>", Ignored("threads are used"), "processes (removed in 2.5)", nbproc),
    row("nbthread", "<number>", Full, "cores to run on", |cx, g, a| g.nbthread = a.number_in(cx, 1, 1024).map(|n| n as u32)),
    row("node", "<name>", Full, "this machine's name on the statistics page", |cx, g, a| g.node = text(cx, a)),
    row("pidfile", "<file>", Full, "file for the process ids", |cx, g, a| g.pidfile = text(cx, a)),
    row("presetenv", "<name> <value>", Full, "set a variable that is not set", environment),
    row("quiet", "", Full, "say nothing at the start", |_, g, _| g.quiet = true),
    row("resetenv", "[<name> ...]", Full, "forget all variables but these", skip),
    row("set-dumpable", "[on|off|libs]", Harmless, "core dumps", by_syntax),
    row("setcap", "<name>[,<name>...]", Planned, "capabilities that are kept", |cx, g, a| g.setcap = text(cx, a).unwrap_or_default().split(',').map(str::to_owned).collect()),
    row("setenv", "<name> <value>", Full, "set a variable", environment),
    row("strict-limits", "", Harmless, "limits that can't be set are fatal", |_, g, _| g.strict_limits = Some(true)),
    row("thread-group", "<1-64> [<thread-range>...]", Harmless, "threads of a group", by_syntax),
    row("thread-groups", "<number>", Ignored("cores share nothing"), "groups of threads", |cx, g, a| g.thread_groups = at_least(cx, a, 1)),
    row("thread-hard-limit", "<1-4096>", Harmless, "most threads", by_syntax),
    row("max-threads-per-group", "<1-64>", Harmless, "most threads of a group", by_syntax),
    lax_number(row("uid", "<number>", Full, "user to run as", |cx, g, a| g.uid = a.number(cx))),
    lax_number(row("ulimit-n", "<number>", Full, "file descriptors", |cx, g, a| g.ulimit_n = a.number(cx))),
    row("unix-bind", "[prefix <p>] [mode <m>] [user <u>] [uid <u>] [group <g>] [gid <g>]", Full, "defaults of unix sockets", unix_bind),
    row("unsetenv", "<name> ...", Full, "forget variables", |cx, _, a| { if a.is_empty() { a.required(cx, "at least one variable name"); } a.rest(); }),
    row("user", "<name>", Full, "user to run as", |cx, g, a| g.user = text(cx, a)),
    row("zero-warning", "", Full, "warnings are fatal", |_, g, _| g.zero_warning = true),
];

#[rustfmt::skip]
const LIMITS: &[Row<Global>] = &[
    row("busy-polling", "", Harmless, "never sleep", |_, g, _| g.busy_polling = true),
    lax_end(row("close-spread-time", "<time>", Harmless, "spread the closing of idle connections on soft stop", |cx, g, a| {
        if !a.accept("infinite") { g.close_spread_time_ms = a.time(cx); }
    })),
    lax_number(row("fd-hard-limit", "<number>", Full, "most file descriptors", |cx, g, a| g.fd_hard_limit = a.number(cx))),
    row("max-spread-checks", "<time>", Harmless, "longest spread of health checks", |cx, g, a| g.max_spread_checks_ms = a.time(cx)),
    lax_number(row("maxcompcpuusage", "<number>", Planned, "idle CPU that compression leaves, percent", |cx, g, a| g.maxcompcpuusage = a.number(cx))),
    lax_number(row("maxcomprate", "<number>", Planned, "compressed KB a second", |cx, g, a| g.maxcomprate = a.number(cx))),
    row("maxconn", "<number>", Full, "connections of the process", maxconn),
    lax_number(row("maxconnrate", "<number>", Planned, "new connections a second", |cx, g, a| g.maxconnrate = a.number(cx))),
    lax_number(row("maxpipes", "<number>", Harmless, "pipes for splicing", |cx, g, a| g.maxpipes = a.number(cx))),
    lax_number(row("maxsessrate", "<number>", Planned, "new sessions a second", |cx, g, a| g.maxsessrate = a.number(cx))),
    lax_number(row("maxsslconn", "<number>", Planned, "TLS connections", |cx, g, a| g.maxsslconn = a.number(cx))),
    lax_number(row("maxsslrate", "<number>", Planned, "new TLS sessions a second", |cx, g, a| g.maxsslrate = a.number(cx))),
    lax_number(row("maxzlibmem", "<number>", Ignored("compression needs no such setting here"), "memory of compression", |cx, _, a| { a.number::<u32>(cx); })),
    row("noepoll", "", Ignored("io_uring is used"), "don't use epoll", |_, g, _| g.noepoll = true),
    row("noevports", "", Ignored("io_uring is used"), "don't use event ports", by_syntax),
    row("nogetaddrinfo", "", Harmless, "don't use getaddrinfo", |_, g, _| g.nogetaddrinfo = true),
    row("nokqueue", "", Ignored("io_uring is used"), "don't use kqueue", by_syntax),
    row("noktls", "", Ignored("kTLS is not used"), "don't use kTLS", by_syntax),
    row("nopoll", "", Ignored("io_uring is used"), "don't use poll", by_syntax),
    row("noreuseport", "", Harmless, "don't share ports between sockets", |_, g, _| g.noreuseport = true),
    row("nosplice", "", Harmless, "don't splice in the kernel", |_, g, _| g.nosplice = true),
    row("no-memory-trimming", "", Harmless, "keep freed memory", by_syntax),
    row("noquic", "", Ignored("QUIC is not used"), "don't use QUIC", by_syntax),
    row("prealloc-fd", "", Harmless, "allocate the table of descriptors at once", by_syntax),
    lax_number(row("spread-checks", "<0..50>", Full, "spread of health checks, percent", |cx, g, a| g.spread_checks = a.number_in(cx, 0, 50).map(|n| n as u32))),
];

#[rustfmt::skip]
const STATS: &[Row<Global>] = &[
    row("external-check", "[preserve-env]", Full, "allow checks by programs", |_, g, a| { g.external_check_preserve_env = a.accept("preserve-env"); g.external_check = true; }),
    row("log", "<target> [len <n>] [format <f>] [sample <r>:<n>] <facility> [<level> [<minlevel>]]", Full, "where log lines go", |cx, g, a| {
        if a.peek_str() == "global" {
            return a.unexpected_end(cx, "a target: 'global' has no effect in global section");
        }
        match proxy_log::target(cx, a) {
            Some(target) => g.logs.push(target),
            None => { a.rest(); }
        }
    }),
    lax_end(row("log-send-hostname", "[<string>]", Full, "host name in log lines", |_, g, a| g.log_send_hostname = Some(a.next().map(|w| w.text.clone())))),
    row("log-tag", "<string>", Full, "program's name in log lines", |cx, g, a| g.log_tag = text(cx, a)),
    lax_end(row("server-state-base", "<folder>", Full, "folder of server states", |cx, g, a| g.server_state_base = text(cx, a))),
    lax_end(row("server-state-file", "<file>", Full, "file of server states", |cx, g, a| g.server_state_file = text(cx, a))),
    row("stats bind-process", "<set>", Ignored("there is one process"), "processes of the admin socket", by_syntax),
    row("stats maxconn", "<connections>", Harmless, "connections of the admin socket", |cx, g, a| g.stats_maxconn = at_least(cx, a, 1)),
    row("stats socket", "<address> [param*]", Full, "admin socket", |cx, g, a| {
        if let Some(mut bind) = bind::parse(cx, a, "stats socket", "global") {
            bind.level.get_or_insert(SocketLevel::Operator);
            g.stats_sockets.push(bind);
        }
        a.rest();
    }),
    row("stats timeout", "<time>", Full, "silence of the admin socket's clients", |cx, g, a| g.stats_timeout_ms = a.time(cx)),
    lax_end(row("stats-file", "<path>", Planned, "file of counters to begin with", |cx, g, a| g.stats_file = text(cx, a))),
    row("shm-stats-file", "<path>", Planned, "shared file of counters", by_syntax),
    row("shm-stats-file-max-objects", "<number>", Planned, "size of that file", by_syntax),
];

#[rustfmt::skip]
const TLS: &[Row<Global>] = &[
    row("acme.scheduler", "auto|off", Planned, "renewal of certificates", by_syntax),
    row("ca-base", "<dir>", Full, "folder of authorities", |cx, g, a| { g.ca_base = text(cx, a); cx.ca_base.clone_from(&g.ca_base); }),
    row("crt-base", "<dir>", Full, "folder of certificates", |cx, g, a| { g.crt_base = text(cx, a); cx.crt_base.clone_from(&g.crt_base); }),
    row("issuers-chain-path", "<dir>", Planned, "folder of intermediate certificates", |cx, g, a| g.issuers_chain_path = text(cx, a)),
    row("key-base", "<dir>", Full, "folder of keys", |cx, g, a| g.key_base = text(cx, a)),
    row("ocsp-update.disable", "on|off", Planned, "no OCSP updates", by_syntax),
    row("ocsp-update.httpproxy", "<address>", Planned, "proxy of OCSP updates", by_syntax),
    row("ocsp-update.maxdelay", "<1-2147483647>", Harmless, "longest time between OCSP updates", by_syntax),
    row("ocsp-update.mindelay", "<1-2147483647>", Harmless, "shortest time between OCSP updates", by_syntax),
    row("ocsp-update.mode", "on|off", Planned, "OCSP updates", by_syntax),
    row("ssl-default-bind-ciphers", "<ciphers>", Full, "ciphers up to TLS 1.2", |cx, g, a| g.ssl_default_bind.ciphers = text(cx, a)),
    row("ssl-default-bind-ciphersuites", "<suites>", Full, "ciphers of TLS 1.3", |cx, g, a| g.ssl_default_bind.ciphersuites = text(cx, a)),
    row("ssl-default-bind-client-sigalgs", "<sigalgs>", Planned, "signatures taken from clients", |cx, g, a| g.ssl_default_bind.client_sigalgs = text(cx, a)),
    row("ssl-default-bind-curves", "<curves>", Full, "key exchange groups", |cx, g, a| g.ssl_default_bind.curves = text(cx, a)),
    row("ssl-default-bind-options", "[<option>]...", Full, "TLS parameters of all bind lines", |cx, g, a| tls_options(cx, &mut g.ssl_default_bind, a)),
    row("ssl-default-bind-sigalgs", "<sigalgs>", Planned, "signatures offered", |cx, g, a| g.ssl_default_bind.sigalgs = text(cx, a)),
    row("ssl-default-server-ciphers", "<ciphers>", Full, "ciphers up to TLS 1.2", |cx, g, a| g.ssl_default_server.ciphers = text(cx, a)),
    row("ssl-default-server-ciphersuites", "<suites>", Full, "ciphers of TLS 1.3", |cx, g, a| g.ssl_default_server.ciphersuites = text(cx, a)),
    row("ssl-default-server-client-sigalgs", "<sigalgs>", Planned, "signatures of client certificates", |cx, g, a| g.ssl_default_server.client_sigalgs = text(cx, a)),
    row("ssl-default-server-curves", "<curves>", Full, "key exchange groups", |cx, g, a| g.ssl_default_server.curves = text(cx, a)),
    row("ssl-default-server-options", "[<option>]...", Full, "TLS parameters of all server lines", |cx, g, a| tls_options(cx, &mut g.ssl_default_server, a)),
    row("ssl-default-server-sigalgs", "<sigalgs>", Planned, "signatures offered", |cx, g, a| g.ssl_default_server.sigalgs = text(cx, a)),
    row("ssl-dh-param-file", "<file>", Ignored("finite-field key exchange is not used"), "DH parameters", dh_param_file),
    row("ssl-engine", "<name> [algo <list>]", Harmless, "OpenSSL engine", by_syntax),
    lax_end(row("ssl-load-extra-del-ext", "", Planned, "look for extra files without .crt", |_, g, _| g.ssl_load_extra_del_ext = true)),
    row("ssl-load-extra-files", "none|all|<types>", Planned, "files beside certificates", |_, g, a| g.ssl_load_extra_files = Some(words(a))),
    row("ssl-mode-async", "", Harmless, "asynchronous OpenSSL engines", by_syntax),
    row("ssl-passphrase-cmd", "<command>", Planned, "program that tells passphrases", skip),
    row("ssl-propquery", "<query>", Harmless, "OpenSSL property query", by_syntax),
    row("ssl-provider", "<name>", Harmless, "OpenSSL provider", by_syntax),
    row("ssl-provider-path", "<path>", Harmless, "folder of OpenSSL providers", by_syntax),
    row("ssl-security-level", "<0-5>", Harmless, "OpenSSL security level", by_syntax),
    row("ssl-server-verify", "none|required", Full, "whether servers' certificates are checked", |cx, g, a| {
        let Some(word) = a.required(cx, "'none' or 'required'") else { return };
        g.ssl_server_verify = match word.as_str() {
            "none" => TlsServerVerify::None,
            "required" => TlsServerVerify::Required,
            _ => return a.unexpected(cx, word, "'none' or 'required'"),
        };
    }),
    row("ssl-skip-self-issued-ca", "", Harmless, "don't send root certificates", by_syntax),
];

#[rustfmt::skip]
const MISC: &[Row<Global>] = &[
    row("51degrees-data-file", "<file>", Refused("remove it"), "device detection", by_syntax),
    row("deviceatlas-json-file", "<file>", Refused("remove it"), "device detection", by_syntax),
    row("wurfl-data-file", "<file>", Refused("remove it"), "device detection", by_syntax),
    lax_end(row("anonkey", "<0-2147483647>", Harmless, "key of anonymised output", by_syntax)),
    row("dns-accept-family", "<family>[,...]", Full, "addresses taken from DNS", dns_accept_family),
    row("expose-deprecated-directives", "", Full, "take deprecated keywords", |_, g, _| g.expose_deprecated_directives = true),
    row("expose-experimental-directives", "", Full, "take experimental keywords", |_, g, _| g.expose_experimental_directives = true),
    row("force-cfg-parser-pause", "<time>", Harmless, "wait while the configuration is read", by_syntax),
    row("h1-accept-payload-with-any-method", "", Planned, "take bodies with GET, HEAD and DELETE of HTTP/1.0", |_, g, _| g.h1_accept_payload_with_any_method = true),
    row("h1-case-adjust", "<from> <to>", Full, "case of a header's name", case_adjust),
    row("h1-case-adjust-file", "<file>", Full, "file of header names", case_adjust_file),
    row("h1-do-not-close-on-insecure-transfer-encoding", "", Planned, "keep connections after ambiguous framing", by_syntax),
    lax_end(row("harden.reject-privileged-ports.quic", "on|off", Planned, "refuse QUIC clients with low ports", by_syntax)),
    lax_end(row("harden.reject-privileged-ports.tcp", "on|off", Planned, "refuse clients with low ports", by_syntax)),
    row("http-err-codes", "[+-]<range>...", Partial("counts in stick tables; termination states stay as they are"), "statuses that count as errors", |cx, g, a| g.http_err_codes = codes(cx, a)),
    row("http-fail-codes", "[+-]<range>...", Partial("counts in stick tables; termination states stay as they are"), "statuses that count as failures", |cx, g, a| g.http_fail_codes = codes(cx, a)),
    row("httpclient.resolvers.disabled", "on|off", Harmless, "names in the internal HTTP client", by_syntax),
    row("httpclient.resolvers.id", "<section>", Harmless, "resolvers of the internal HTTP client", by_syntax),
    row("httpclient.resolvers.prefer", "ipv4|ipv6", Harmless, "family in the internal HTTP client", by_syntax),
    row("httpclient.retries", "<number>", Harmless, "retries of the internal HTTP client", by_syntax),
    row("httpclient.ssl.ca-file", "<file>", Harmless, "authorities of the internal HTTP client", by_syntax),
    row("httpclient.ssl.verify", "none|required", Harmless, "certificates in the internal HTTP client", by_syntax),
    row("httpclient.timeout.connect", "<time>", Harmless, "connect timeout of the internal HTTP client", by_syntax),
    row("jwt.decrypt_alg_list", "<list>", Planned, "algorithms of JWT decryption", by_syntax),
    row("jwt.decrypt_enc_list", "<list>", Planned, "encodings of JWT decryption", by_syntax),
    row("limited-quic", "", Ignored("QUIC is not used"), "QUIC without 0-RTT", by_syntax),
    row("lua-load", "<file> [<arg>...]", Planned, "load a Lua program", lua_load),
    row("lua-load-per-thread", "<file> [<arg>...]", Planned, "load a Lua program in each thread", lua_load),
    row("lua-prepend-path", "<string> [<type>]", Planned, "where Lua looks for modules", skip),
    row("numa-cpu-mapping", "", Harmless, "bind to a NUMA node", by_syntax),
    row("pp2-never-send-local", "", Planned, "PROXY headers of checks", |_, g, _| g.pp2_never_send_local = true),
    row("profiling.memory", "on|off", Harmless, "memory profiling", by_syntax),
    row("profiling.tasks", "auto|on|off|lock|no-lock|memory|no-memory [...]", Harmless, "task profiling", by_syntax),
    row("set-var", "<name> <expr>", Full, "set a variable of the process", |cx, g, a| variable(cx, g, a, false)),
    row("set-var-fmt", "<name> <fmt>", Full, "set a variable of the process from a format", |cx, g, a| variable(cx, g, a, true)),
    row("stress-level", "<0-2147483647>", Harmless, "debugging", by_syntax),
    row("warn-blocked-traffic-after", "<time>", Harmless, "warn of blocked threads", by_syntax),
];
