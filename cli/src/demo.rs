//! `engine demo`: three origins, a balancer and its stats page in one process.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use cfgparse::source::{Environment, Source};
use cfgparse::{LoadOptions, Severity};
use engine::boot::{self, Options};

use crate::report::line;
use crate::version;

/// Runs the demo until it is interrupted, or for `seconds`.
pub fn run(port: Option<u16>, cores: u16, seconds: Option<u64>) -> ExitCode {
    match prepare(port) {
        Ok(places) => serve(&places, cores, seconds),
        Err(error) => {
            eprintln!("engine: the demo needs a few free ports on 127.0.0.1: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Where everything of the demo is.
struct Places {
    site: u16,
    stats: u16,
    origins: Vec<u16>,
    socket: String,
}

fn prepare(port: Option<u16>) -> io::Result<Places> {
    let mut origins = Vec::new();
    for number in 1..=3 {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        origins.push(listener.local_addr()?.port());
        thread::spawn(move || origin(number, &listener));
    }
    let free = |wanted: u16| -> io::Result<u16> {
        Ok(TcpListener::bind(("127.0.0.1", wanted))?
            .local_addr()?
            .port())
    };
    let site = free(port.unwrap_or(0))?;
    let stats = free(port.map_or(0, |port| port.saturating_add(1)))?;
    let socket = std::env::temp_dir().join(format!("engine-demo-{}.sock", std::process::id()));
    Ok(Places {
        site,
        stats,
        origins,
        socket: socket.display().to_string(),
    })
}

fn configuration(places: &Places) -> String {
    let mut servers = String::new();
    for (index, port) in places.origins.iter().enumerate() {
        let number = index + 1;
        let line = format!("    server origin{number} 127.0.0.1:{port} check inter 1s\n");
        servers.push_str(&line);
    }
    format!(
        "global\n    stats socket {} level admin mode 600\n\
         defaults\n    mode http\n    timeout connect 2s\n    timeout client 30s\n    timeout server 30s\n\
         frontend site\n    bind 127.0.0.1:{}\n    default_backend origins\n\
         backend origins\n    balance roundrobin\n    option httpchk GET /health\n{servers}\
         listen stats\n    bind 127.0.0.1:{}\n    stats enable\n    stats uri /\n    stats refresh 2s\n",
        places.socket, places.site, places.stats,
    )
}

fn serve(places: &Places, cores: u16, seconds: Option<u64>) -> ExitCode {
    let text = configuration(places);
    let sources = [Source {
        name: "demo.cfg".to_owned(),
        text: text.clone(),
    }];
    let options = LoadOptions {
        facts: version::facts(),
        ..LoadOptions::default()
    };
    let no_files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let loaded = cfgparse::load(&sources, &Environment::default(), &no_files, &options);
    let Some(model) = loaded.model else {
        for diagnostic in &loaded.diagnostics {
            eprintln!(
                "{}",
                diagnostic.render_plain(&loaded.ast.files, std::process::id())
            );
        }
        return ExitCode::FAILURE;
    };
    introduce(places, &text);
    if let Some(seconds) = seconds {
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(seconds));
            boot::ask_to_finish();
        });
    }
    let options = Options {
        cores: Some(usize::from(cores)),
        ..Options::default()
    };
    let notify = Box::new(|severity: Severity, text: &str| eprintln!("{}", line(severity, text)));
    let ended = boot::run(&model, &options, notify);
    // The socket's file is ours; whoever removed it first did the same.
    let _ = std::fs::remove_file(&places.socket);
    match ended {
        Ok(_) => ExitCode::SUCCESS,
        Err(errors) => {
            for error in errors {
                eprintln!("{}", line(Severity::Alert, &error.to_string()));
            }
            ExitCode::FAILURE
        }
    }
}

fn introduce(places: &Places, configuration: &str) {
    let (site, stats, socket) = (places.site, places.stats, &places.socket);
    println!("engine demo: three origins behind one balancer, with this configuration:\n");
    println!("{configuration}");
    println!("Open   http://127.0.0.1:{stats}/   the stats page");
    println!("Try    curl http://127.0.0.1:{site}/   a few times: the origins take turns");
    println!("       echo 'disable server origins/origin1' | socat stdio {socket}");
    println!("       echo 'show stat' | socat stdio {socket}");
    println!("       echo 'enable server origins/origin1' | socat stdio {socket}");
    println!("Stop   Ctrl-C\n");
}

/// A small origin that says which one it is.
fn origin(number: usize, listener: &TcpListener) {
    for connection in listener.incoming().flatten() {
        thread::spawn(move || {
            // A client that goes away ends its thread and nothing else.
            let _ = answer(number, &connection);
        });
    }
}

fn answer(number: usize, connection: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut writer = connection;
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut field = String::new();
        while reader.read_line(&mut field)? > 2 {
            field.clear();
        }
        let path = request.split(' ').nth(1).unwrap_or("/");
        let body = format!("Hello from origin {number}: you asked for {path}\n");
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        writer.write_all(head.as_bytes())?;
        if !request.starts_with("HEAD ") {
            writer.write_all(body.as_bytes())?;
        }
    }
}
