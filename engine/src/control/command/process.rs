//! What the process knows about itself and its machine.

use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::reply::{Answer, Reply, Severity};
use std::fmt::Write;

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("show activity", "show activity [-1|0|thread_num]",
        "show per-thread activity stats (for support/developers)", Level::Operator, activity),
    row("show cli sockets", "show cli sockets", "dump list of cli sockets", Level::User, sockets),
    row("show env", "show env [var]",
        "dump environment variables known to the process", Level::Operator, environment),
    row("show errors", "show errors [<px>] [request|response]",
        "report last request and/or response errors for each proxy", Level::Operator, errors),
    row("show pools", "show pools [by*] [match <pfx>] [nb]",
        "report information about the memory pools usage", Level::User, pools),
    row("show startup-logs", "show startup-logs",
        "report logs emitted during HAProxy startup", Level::Operator, startup_logs),
    row("show version", "show version",
        "show version of the current process", Level::User, version),
    row("wait", "wait {-h|<delay_ms>} cond [args...]",
        "wait the specified delay or condition (-h to see list)", Level::Admin, wait),
];

fn version(call: &mut Call<'_>) -> Answer {
    Ok(Reply::info(call.ops.version()))
}

fn environment(call: &mut Call<'_>) -> Answer {
    let variables = call.ops.environment();
    let name = call.word(2);
    if name.is_empty() {
        return Ok(Reply::Report(variables.join("\n")));
    }
    let found = variables
        .into_iter()
        .find(|line| line.split('=').next() == Some(name));
    found
        .map(Reply::Report)
        .ok_or_else(|| "Variable not found".into())
}

fn errors(call: &mut Call<'_>) -> Answer {
    let name = call.word(2);
    let named = |snapshot: crate::stats::Snapshot| {
        snapshot
            .proxies
            .iter()
            .any(|proxy| proxy.name == name || proxy.id.to_string() == name)
    };
    if !matches!(name, "" | "-1" | "request" | "response") && !named(call.ops.snapshot()) {
        return Err("No such proxy.".into());
    }
    // Rejected messages are counted and logged; none is kept.
    Ok(Reply::Report(format!(
        "Total events captured on [{}] : 0",
        call.ops.date()
    )))
}

fn sockets(call: &mut Call<'_>) -> Answer {
    let mut out = String::from("# socket lvl processes\n");
    for socket in call.ops.admin_sockets() {
        let _ = writeln!(out, "{} {} all", socket.name, socket.level);
    }
    Ok(Reply::Report(out))
}

fn startup_logs(call: &mut Call<'_>) -> Answer {
    Ok(Reply::Report(call.ops.startup_logs()))
}

/// There are no pools here; the total is what tools look for.
fn pools(call: &mut Call<'_>) -> Answer {
    let bytes = call.ops.snapshot().process.memory_bytes;
    Ok(Reply::Report(format!(
        "Total: 0 pools, {bytes} bytes allocated, {bytes} used."
    )))
}

/// Sums and each core's share; one core alone on request, 0 for the sums alone.
fn activity(call: &mut Call<'_>) -> Answer {
    let rows = call.ops.activity();
    let cores = rows
        .iter()
        .map(|(_, shares)| shares.len())
        .max()
        .unwrap_or(0);
    let wanted = match call.word(2) {
        "" | "-1" => None,
        text => match text.parse::<usize>() {
            Ok(core) if core <= cores => Some(core),
            _ => return Err(format!("Thread ID must be 0..{cores}.").into()),
        },
    };
    let mut out = String::new();
    for (name, shares) in rows {
        let sum: u64 = shares.iter().sum();
        let _ = match wanted {
            Some(0) => writeln!(out, "{name}: {sum}"),
            Some(core) => writeln!(out, "{name}: {}", shares.get(core - 1).unwrap_or(&0)),
            None => {
                let each: Vec<_> = shares.iter().map(u64::to_string).collect();
                writeln!(out, "{name}: {sum} [ {} ]", each.join(" "))
            }
        };
    }
    Ok(Reply::Report(out))
}

const WAIT_USAGE: &str = "Usage: wait {-h|<duration>} [condition [args...]]
  - '-h' displays this help
  - <duration> is the maximum wait time, optionally suffixed by the unit among
    'us', 'ms', 's', 'm', 'h', and 'd'. ; the default unit is milliseconds.
  - <condition> indicates what to wait for, no longer than the specified
    duration. Supported conditions are:
    - <none> : by default, just sleep for the specified duration.
    - srv-removable <px>/<sv> : wait for this server to become removable.";

fn wait(call: &mut Call<'_>) -> Answer {
    let delay_ms = match (call.word(1), call.word(2)) {
        ("", _) => return Err("Expects a duration in milliseconds.".into()),
        ("-h", _) => return Err(WAIT_USAGE.into()),
        (delay, "" | "srv-removable") => duration_ms(delay, 1).ok_or("Invalid duration.")?,
        _ => return Err(WAIT_USAGE.into()),
    };
    if call.word(2) == "srv-removable" {
        return removable(call, delay_ms);
    }
    let slept = call.ops.sleep(delay_ms);
    Ok(Reply::Later(Box::pin(async move {
        slept.await;
        Reply::Done
    })))
}

fn removable(call: &mut Call<'_>, patience_ms: u64) -> Answer {
    let (backend, server) = call
        .word(3)
        .split_once('/')
        .ok_or("Missing server name (<backend>/<server>).")?;
    let removable = call.ops.removable(backend, server, patience_ms);
    Ok(Reply::Later(Box::pin(async move {
        match removable.await {
            Ok(text) => Reply::info(text),
            Err(text) => Reply::Message(Severity::Error, text),
        }
    })))
}

/// A duration with HAProxy's units (manual, 2.5), the default unit where none is given.
pub(super) fn duration_ms(text: &str, default_ms: u64) -> Option<u64> {
    let digits = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    match &text[digits..] {
        "us" => Some(number.div_ceil(1000)),
        "" => number.checked_mul(default_ms),
        "ms" => Some(number),
        "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "d" => number.checked_mul(86_400_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let rows = [
            ("100", Some(100)),
            ("5s", Some(5_000)),
            ("2m", Some(120_000)),
            ("1500us", Some(2)),
            ("1d", Some(86_400_000)),
            ("s", None),
            ("10x", None),
            ("99999999999999999999d", None),
        ];
        for (text, expected) in rows {
            assert_eq!(duration_ms(text, 1), expected, "{text}");
        }
    }
}
