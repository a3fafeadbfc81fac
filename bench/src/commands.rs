//! The commands that run one side alone: `origin` and `load`.

use crate::load::{self, Exchange, Options, Pace, Reuse};
use crate::machine;
use crate::origin::{self, Answers};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// An origin server: /N answers N bytes, also /chunked/N /eof/N /delay/MS/N /status/CODE /echo
#[derive(clap::Args)]
pub struct OriginArgs {
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Answer everything with so many bytes, without looking at it
    #[arg(long)]
    fixed: Option<u64>,
    /// Run on this CPU only
    #[arg(long)]
    cpu: Option<usize>,
}

/// A load generator for loopback targets; prints its report as JSON
#[derive(clap::Args)]
pub struct LoadArgs {
    /// Address and port to load
    target: SocketAddr,
    /// A path to ask for, repeatable; `PATH+BYTES` posts so many bytes
    #[arg(long, default_value = "/64")]
    path: Vec<String>,
    /// A header line `name: value`, repeatable
    #[arg(long)]
    header: Vec<String>,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    connections: u32,
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Seconds of load before measuring
    #[arg(long, default_value_t = 0.0)]
    warm_up: f64,
    /// End after so many answers
    #[arg(long)]
    requests: Option<u64>,
    /// Open loop: so many requests a second, whatever the answers do
    #[arg(long)]
    rate: Option<f64>,
    /// One connection a request
    #[arg(long)]
    close: bool,
    /// Check that each answer carries the tag and the body of its own request
    #[arg(long)]
    tagged: bool,
    /// Run on this CPU only
    #[arg(long)]
    cpu: Option<usize>,
}

pub fn origin(args: &OriginArgs) -> io::Result<()> {
    args.cpu.map_or(Ok(()), machine::pin)?;
    machine::raise_descriptor_limit(65_536);
    let listener = origin::listen(args.listen)?;
    let answers = args
        .fixed
        .map_or(Answers::ByPath, |bytes| Answers::Fixed { bytes });
    origin::serve(&listener, &answers, &AtomicBool::new(false))
}

pub fn load(args: &LoadArgs) -> Result<(), Box<dyn std::error::Error>> {
    args.cpu.map_or(Ok(()), machine::pin)?;
    machine::raise_descriptor_limit(65_536);
    let mix = args
        .path
        .iter()
        .map(|text| exchange(text))
        .collect::<Result<_, _>>()?;
    let header = |line: &String| {
        line.split_once(':')
            .map(|(n, v)| (n.into(), v.trim().into()))
    };
    let options = Options {
        mix,
        headers: args.header.iter().filter_map(header).collect(),
        warm_up: Duration::try_from_secs_f64(args.warm_up)?,
        duration: Duration::try_from_secs_f64(args.seconds)?,
        requests_max: args.requests,
        pace: args
            .rate
            .map_or(Pace::Closed, |per_second| Pace::Open { per_second }),
        reuse: if args.close {
            Reuse::Close
        } else {
            Reuse::KeepAlive
        },
        tagged: args.tagged,
        ..Options::new(args.target, args.connections as usize, "/")
    };
    let report = load::run(&options, &mut ())?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}

/// `PATH` or `PATH+BYTES`.
fn exchange(text: &str) -> Result<Exchange, std::num::ParseIntError> {
    let (path, upload) = match text.split_once('+') {
        Some((path, bytes)) => (path, bytes.parse()?),
        None => (text, 0),
    };
    Ok(Exchange {
        path: path.to_owned(),
        upload,
    })
}
