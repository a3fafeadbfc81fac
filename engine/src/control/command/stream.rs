//! What is being served now: `show sess`, `shutdown session`.

use super::process::duration_ms;
use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::ops::{NotFound, StreamFacts};
use crate::control::reply::{Answer, Reply, Severity};
use std::fmt::Write;

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("show sess", "show sess [help|<id>|all] [opts...]",
        "report the list of current streams or dump this exact stream", Level::Operator, list),
    row("shutdown session", "shutdown session [id]",
        "kill a specific session", Level::Admin, shutdown),
    row("shutdown sessions server", "shutdown sessions server <bk>/<srv>",
        "kill sessions on a server", Level::Admin, shutdown_server),
];

const USAGE: &str = "Usage: show sess [<id> | all | help] [<options>*]
Dumps active streams (formerly called 'sessions'). Available selectors:
   <id>         dump only this stream identifier (0x...)
   all          dump all matching streams
   help         show this message
Available options: 
   backend <b>  only show streams attached to this backend
   frontend <f> only show streams attached to this frontend
   older <age>  only display streams older than <age>
   server <b/s> only show streams attached to this backend+server
Each stream takes one line.";

/// Which streams `show sess` prints.
#[derive(Default)]
struct Filter {
    id: Option<u64>,
    older_ms: u64,
    backend: Option<String>,
    server: Option<String>,
    frontend: Option<String>,
}

impl Filter {
    fn takes(&self, stream: &StreamFacts) -> bool {
        let same = |wanted: &Option<String>, name: &str| wanted.as_ref().is_none_or(|w| w == name);
        self.id.is_none_or(|id| id == stream.id)
            && stream.age_ms >= self.older_ms
            && same(&self.backend, &stream.backend)
            && same(&self.server, &stream.server)
            && same(&self.frontend, &stream.frontend)
    }
}

fn list(call: &mut Call<'_>) -> Answer {
    let mut filter = Filter::default();
    let mut words = call.words[2..].iter().map(String::as_str);
    while let Some(word) = words.next() {
        let mut value = |missing: &'static str| words.next().map(str::to_owned).ok_or(missing);
        match word {
            "all" => {}
            "help" => return Err(USAGE.into()),
            "older" => {
                let age = value("Expects a minimum age (in seconds by default).")?;
                filter.older_ms = duration_ms(&age, 1_000).ok_or("Invalid age.")?;
            }
            "backend" => {
                let name = value("Missing backend name.")?;
                // Any server: an unknown backend has none.
                if call.ops.server(&name, "").err() == Some(NotFound::Backend) {
                    return Err(NotFound::Backend.into());
                }
                filter.backend = Some(name);
            }
            "frontend" => {
                let name = value("Missing frontend name.")?;
                call.ops.frontend(&name).ok_or("No such frontend.")?;
                filter.frontend = Some(name);
            }
            "server" => {
                let pair = value("Missing server name (<backend>/<server>).")?;
                let (backend, server) = pair.split_once('/').ok_or("Require 'backend/server'.")?;
                call.ops.server(backend, server)?;
                filter.backend = Some(backend.to_owned());
                filter.server = Some(server.to_owned());
            }
            other => {
                let unknown = || format!("Unsupported option '{other}', try 'help' for more info.");
                filter.id = Some(identifier(other).ok_or_else(unknown)?);
            }
        }
    }
    let streams = call.ops.streams()?;
    Ok(Reply::Later(Box::pin(async move {
        report(&filter, &streams.await)
    })))
}

fn report(filter: &Filter, streams: &[StreamFacts]) -> Reply {
    let mut out = String::new();
    streams
        .iter()
        .filter(|stream| filter.takes(stream))
        .for_each(|stream| line(&mut out, stream));
    if out.is_empty() && filter.id.is_some() {
        return Reply::Message(Severity::Error, "Session not found.".to_owned());
    }
    Reply::Report(out)
}

/// In HAProxy's form, for whoever looks for a field in it; what only HAProxy's insides have is 0.
fn line(out: &mut String, stream: &StreamFacts) {
    let or = |name: &str, none: &'static str| {
        if name.is_empty() {
            none.to_owned()
        } else {
            name.to_owned()
        }
    };
    let expires = stream.expires_ms.map_or_else(String::new, age);
    let _ = writeln!(
        out,
        "0x{:x}: proto={} src={} fe={} be={} srv={} ts=00 epoch=0 age={} calls=1 rate=0 cpu=0 \
         lat=0 rq[f=0h,i={},an=00h,ax=] rp[f=0h,i={},an=00h,ax=] scf=[0,0h,fd={}/{},rex=,wex=] \
         scb=[0,0h,fd={}/{},rex=,wex=] exp={expires} rc={} c_exp=",
        stream.id,
        stream.protocol,
        stream.source,
        stream.frontend,
        or(&stream.backend, "<NONE>"),
        or(&stream.server, "<none>"),
        age(stream.age_ms),
        stream.request_pending,
        stream.response_pending,
        stream.core,
        stream.client_fd,
        stream.core,
        stream.server_fd.unwrap_or(-1),
        stream.retries_left,
    );
}

/// `5s`, `2m13s`, `1h2m`, `3d4h`: the two largest units.
fn age(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

fn shutdown(call: &mut Call<'_>) -> Answer {
    let id = identifier(call.word(2)).ok_or("Session pointer expected (use 'show sess').")?;
    let found = call.ops.shutdown_stream(id)?;
    Ok(Reply::Later(Box::pin(async move {
        if found.await {
            Reply::Done
        } else {
            Reply::Message(
                Severity::Error,
                "No such session (use 'show sess').".to_owned(),
            )
        }
    })))
}

fn shutdown_server(call: &mut Call<'_>) -> Answer {
    let server = call.server(3)?;
    call.ops.shutdown_server_streams(server);
    Ok(Reply::Done)
}

fn identifier(word: &str) -> Option<u64> {
    u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_identifiers() {
        let rows = [
            (0, "0s"),
            (59_999, "59s"),
            (61_000, "1m1s"),
            (3_600_000, "1h0m"),
        ];
        for (ms, expected) in rows {
            assert_eq!(age(ms), expected);
        }
        assert_eq!(age(90_000_000), "1d1h");
        assert_eq!(identifier("0x1f"), Some(31));
        assert_eq!(identifier("31"), None);
        assert_eq!(identifier("0xg"), None);
    }
}
