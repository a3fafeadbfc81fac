//! What the kernel alone costs: a responder with one receive and one send a request.

use crate::compare::{CompareError, Figures, LOAD_CPU, SUBJECT_CPU, median, one_round};
use crate::load::Options;
use crate::machine;
use crate::subject::Running;
use std::time::Duration;

/// The kernel's share: the cost of a bare responder, twice
#[derive(clap::Args)]
pub struct FloorArgs {
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
}

/// Sizes and connections, as in the comparison's first cases.
const CASES: [(u64, usize); 5] = [
    (64, 1),
    (64, 64),
    (1024, 512),
    (65_536, 64),
    (1_048_576, 64),
];

/// A proxy receives and sends twice what the responder does: twice its cost is the floor.
const SIDES: f64 = 2.0;

pub fn run(args: &FloorArgs) -> Result<(), CompareError> {
    machine::pin(LOAD_CPU)?;
    println!(
        "{:>8} {:>6} {:>16} {:>12}",
        "bytes", "conns", "floor us/req", "req/s"
    );
    for (bytes, connections) in CASES {
        let responder = Running::responder(bytes, SUBJECT_CPU)?;
        let options = Options {
            warm_up: Duration::from_millis(300),
            duration: Duration::from_secs_f64(args.seconds),
            ..Options::new(responder.address, connections, "/")
        };
        let rounds = (0..args.rounds).map(|_| one_round(&responder, &options));
        let rounds = rounds.collect::<Result<Vec<Figures>, _>>()?;
        let cpu = median(rounds.iter().map(|f| f.cpu_us_per_request).collect());
        let rate = median(rounds.iter().map(|f| f.requests_per_second).collect());
        println!(
            "{bytes:>8} {connections:>6} {:>16.2} {rate:>12.0}",
            cpu * SIDES
        );
    }
    Ok(())
}
