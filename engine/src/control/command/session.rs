//! The client's own session: level, prompt, timeout, help.

use super::suggest::help;
use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::reply::{Answer, Reply};
use crate::control::session::{Client, Mode, SeverityOutput};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("echo", "echo <text>", "print text to the output", Level::User, |call| {
        Ok(Reply::Report(call.words[1..].join(" ") + "\n"))
    }),
    row("expert-mode", "expert-mode [on|off]", "", Level::Admin,
        |call| switch(call, |client| &mut client.expert)),
    row("experimental-mode", "experimental-mode [on|off]", "", Level::Admin,
        |call| switch(call, |client| &mut client.experimental)),
    row("help", "help [<command>]", "list matching or all commands", Level::User, |call| {
        Ok(Reply::Report(help(&call.words[1..])))
    }),
    row("operator", "operator",
        "lower the level of the current CLI session to operator", Level::Operator,
        |call| lower(call, Level::Operator)),
    row("prompt", "prompt [help | n | i | p | timed ]*",
        "toggle interactive mode with prompt", Level::User, prompt),
    row("quit", "quit", "disconnect", Level::User, |call| {
        call.client.quit = true;
        Ok(Reply::Done)
    }),
    row("set severity-output", "set severity-output [none|number|string]",
        "set presence of severity level in feedback information", Level::User, severity_output),
    row("set timeout", "set timeout [cli] <delay>",
        "change a timeout setting", Level::User, timeout),
    row("show cli level", "show cli level",
        "display the level of the current CLI session", Level::User, |call| {
            Ok(Reply::info(call.client.level.to_string()))
        }),
    row("user", "user",
        "lower the level of the current CLI session to user", Level::User,
        |call| lower(call, Level::User)),
];

fn lower(call: &mut Call<'_>, level: Level) -> Answer {
    call.client.level = call.client.level.min(level);
    Ok(Reply::Done)
}

/// Modes that only some commands ask for; without a word, tells how one stands.
fn switch(call: &mut Call<'_>, mode: fn(&mut Client) -> &mut bool) -> Answer {
    let (name, word) = (call.word(0), call.word(1));
    let mode = mode(call.client);
    match word {
        "" => {
            let state = if *mode { "ON" } else { "OFF" };
            return Ok(Reply::info(format!("{name} is {state}")));
        }
        word => *mode = word == "on",
    }
    Ok(Reply::Done)
}

const PROMPT_USAGE: &str = "Usage: prompt [help | n | i | p | timed]*
Changes the default prompt and interactive mode. Available options:
  help    display this help
  n       set to single-command mode (no prompt, single command)
  i       set to interactive mode only (no prompt, multi-command)
  p       set to prompt+interactive mode (prompt + multi-command)
  timed   toggle displaying the current date in the prompt
Without any argument, toggles between n/i->p, p->n.";

fn prompt(call: &mut Call<'_>) -> Answer {
    let client = &mut *call.client;
    if call.words.len() == 1 {
        client.mode = if client.mode == Mode::Prompt {
            Mode::Single
        } else {
            Mode::Prompt
        };
    }
    for word in &call.words[1..] {
        match word.as_str() {
            "n" => client.mode = Mode::Single,
            "i" => client.mode = Mode::Interactive,
            "p" => client.mode = Mode::Prompt,
            "timed" => {
                client.timed = !client.timed;
                client.mode = Mode::Prompt;
            }
            _ => return Err(PROMPT_USAGE.into()),
        }
    }
    Ok(Reply::Done)
}

fn severity_output(call: &mut Call<'_>) -> Answer {
    call.client.severity_output = match call.word(2) {
        "none" => SeverityOutput::None,
        "number" => SeverityOutput::Number,
        "string" => SeverityOutput::Word,
        _ => return Err("one of 'none', 'number', 'string' is a required argument".into()),
    };
    Ok(Reply::Done)
}

/// In seconds (management.txt 9.3).
fn timeout(call: &mut Call<'_>) -> Answer {
    match (call.word(2), call.word(3)) {
        ("cli", "") => Err("Expects an integer value.".into()),
        ("cli", delay) => {
            let seconds: u64 = delay
                .trim_end_matches('s')
                .parse()
                .map_err(|_| "Invalid timeout value.")?;
            call.client.timeout_ms = seconds.saturating_mul(1000).max(1000);
            Ok(Reply::Done)
        }
        _ => Err("'set timeout' only supports 'cli'.".into()),
    }
}
