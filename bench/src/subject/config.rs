//! Equivalent configurations for every proxy.

use super::Kind;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::{fs, io};

/// What the proxy has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// HTTP from one listener to one server; checks, timeouts and counters on.
    Http,
    /// The same as a TCP relay.
    Tcp,
    /// HTTP with TLS towards clients.
    Tls,
    /// HTTP with five ACLs, a map of [`ROUTES`] entries and five header edits.
    Rules,
}

/// Where a proxy listens and where its servers are.
#[derive(Clone, Copy, Debug)]
pub struct Wiring<'a> {
    pub listen: SocketAddr,
    pub servers: &'a [SocketAddr],
    /// Certificate and key in one file.
    pub pem: &'a Path,
    pub directory: &'a Path,
    /// Threads that do the work.
    pub cores: usize,
}

/// Connections that every proxy is set up for; twice that many descriptors fit the usual hard
/// limit of 20,000.
pub const CONNECTIONS_MAX: usize = 9_500;

pub fn text(kind: Kind, task: Task, wiring: Wiring) -> String {
    match kind {
        Kind::Engine | Kind::HaProxy => haproxy(task, wiring),
        Kind::Nginx => nginx(task, wiring),
    }
}

const RULES: &str = "
    acl is_api hdr(host) -i api.example.com
    acl is_static path_beg /static/
    acl is_image path_end .png .jpg .gif
    acl is_post method POST PUT
    acl is_local src 127.0.0.0/8
    option forwardfor
    http-request deny if is_post !is_local
    http-request set-header x-route %[req.hdr(x-header-7),map(ROUTES,none)]
    http-request add-header x-edge edge-1
    http-request del-header x-header-3
    use_backend servers if is_api
    use_backend servers if is_static is_image
    http-response set-header x-frame-options DENY
    http-response del-header server
";

/// Entries of the map.
const ROUTES: usize = 10_000;

/// A line for each value that a client's headers may have.
fn routes(end: &str) -> String {
    let line = |n| format!("value-{n}-of-a-usual-length-abcdefgh route-{n}{end}\n");
    (0..ROUTES).map(line).collect()
}

/// Writes the files that a configuration names.
pub fn write_files(kind: Kind, task: Task, directory: &Path) -> io::Result<()> {
    match kind {
        _ if task != Task::Rules => Ok(()),
        Kind::Nginx => fs::write(directory.join("routes"), routes(";")),
        Kind::Engine | Kind::HaProxy => fs::write(directory.join("routes"), routes("")),
    }
}

fn haproxy(task: Task, wiring: Wiring) -> String {
    let Wiring {
        listen,
        servers,
        pem,
        directory,
        cores,
    } = wiring;
    let mode = if task == Task::Tcp { "tcp" } else { "http" };
    let tls = if task == Task::Tls {
        format!(" ssl crt {}", pem.display())
    } else {
        String::new()
    };
    let rules = if task == Task::Rules { RULES } else { "" };
    let rules = rules.replace("ROUTES", &directory.join("routes").display().to_string());
    let mut lines = String::new();
    for (index, server) in servers.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = writeln!(
            lines,
            "    server s{index} {server} check inter 1s fall 2 rise 1"
        );
    }
    format!(
        "global
    maxconn {CONNECTIONS_MAX}
    nbthread {cores}
defaults
    mode {mode}
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-request 10s
    timeout http-keep-alive 60s
frontend clients
    bind {listen}{tls}
    maxconn {CONNECTIONS_MAX}
    default_backend servers{rules}
backend servers
    balance roundrobin
{lines}"
    )
}

fn nginx(task: Task, wiring: Wiring) -> String {
    let Wiring {
        listen,
        servers,
        pem,
        directory,
        cores,
    } = wiring;
    let (pem, directory) = (pem.display(), directory.display());
    let tls = if task == Task::Tls {
        format!("ssl_certificate {pem}; ssl_certificate_key {pem};")
    } else {
        String::new()
    };
    let ssl = if task == Task::Tls { " ssl" } else { "" };
    let (maps, rules) = if task == Task::Rules {
        (NGINX_MAPS, NGINX_RULES)
    } else {
        ("", "")
    };
    let maps = maps.replace("include routes", &format!("include {directory}/routes"));
    let mut lines = String::new();
    for server in servers {
        let _ = write!(lines, "server {server} max_fails=2 fail_timeout=1s; ");
    }
    format!(
        "daemon off; worker_processes {cores}; user root;
pid {directory}/nginx.pid; error_log {directory}/error.log crit;
events {{ worker_connections {CONNECTIONS_MAX}; }}
http {{
    access_log off; server_tokens off;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
    keepalive_requests 1000000000; keepalive_timeout 60s; client_max_body_size 0;
    proxy_connect_timeout 5s; proxy_read_timeout 60s; proxy_send_timeout 60s;
    client_header_timeout 10s;
    upstream servers {{ {lines} keepalive 512; keepalive_requests 1000000000; }}
    {maps}
    server {{
        listen {listen}{ssl} backlog=4096; {tls}
        location / {{
            proxy_pass http://servers; proxy_http_version 1.1;
            proxy_set_header Connection \"\"; proxy_max_temp_file_size 0;
            {rules}
        }}
    }}
}}
"
    )
}

const NGINX_MAPS: &str = "
    map_hash_max_size 65536; map_hash_bucket_size 128;
    map $http_host $is_api { default 0; api.example.com 1; }
    map $uri $is_static { default 0; ~^/static/ 1; }
    map $uri $is_image { default 0; ~\\.(png|jpg|gif)$ 1; }
    map $http_x_header_7 $route { default none; include routes; }
    map $request_method $is_post { default 0; POST 1; PUT 1; }
    geo $is_local { default 0; 127.0.0.0/8 1; }
    map $is_post$is_local $denied { default 0; 10 1; }
";

const NGINX_RULES: &str = "
            if ($denied) { return 403; }
            proxy_set_header x-route $route;
            proxy_set_header x-forwarded-for $proxy_add_x_forwarded_for;
            proxy_set_header x-edge \"edge-1$is_api$is_static$is_image\";
            proxy_set_header x-header-3 \"\";
            proxy_hide_header server;
            add_header x-frame-options DENY;
";
