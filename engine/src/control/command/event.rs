//! Rings of log lines (manual, 12.5).

use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::reply::{Answer, Events, Reply};
use crate::ring::{Ring, Start};
use std::fmt::Write;
use std::sync::Arc;

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("show events", "show events [<sink>] [-w] [-n] [-0]",
        "show event sink state", Level::User, events),
];

fn events(call: &mut Call<'_>) -> Answer {
    let name = call.word(2);
    if name.is_empty() {
        return Ok(Reply::Report(list(call.ops.rings())));
    }
    if matches!(name, "stdout" | "stderr") {
        return Err("Nothing to report for this sink".into());
    }
    let ring = call.ops.rings().iter().find(|ring| ring.name() == name);
    let ring = Arc::clone(ring.ok_or("No such event sink")?);
    let mut events = Events {
        ring,
        start: Start::Oldest,
        delimiter: '\n',
        waits: false,
    };
    for option in call.words.iter().skip(3) {
        let letters = option
            .strip_prefix('-')
            .filter(|letters| !letters.is_empty());
        for letter in letters.ok_or("unknown option")?.chars() {
            match letter {
                'w' => events.waits = true,
                'n' => events.start = Start::New,
                '0' => events.delimiter = '\0',
                _ => return Err("unknown option".into()),
            }
        }
    }
    Ok(Reply::Events(events))
}

fn list(rings: &[Arc<Ring>]) -> String {
    let mut out = String::from(
        "Supported events sinks are listed below. Add -0(zero), -w(wait), -n(new). Any key to stop.\n\
         \x20   stdout     : type=fd, 0 dropped, standard output (fd#1)\n\
         \x20   stderr     : type=fd, 0 dropped, standard output (fd#2)\n",
    );
    for ring in rings {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "    {:<10} : type=buffer, {} dropped, {}",
            ring.name(),
            ring.dropped(),
            ring.description()
        );
    }
    out
}
