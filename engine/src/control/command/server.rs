//! Servers in a word: `enable|disable server`, `get|set weight`.

use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::ops::{AdminState, NewWeight};
use crate::control::reply::{Answer, Refusal, Reply};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("disable server", "disable server (DEPRECATED)",
        "disable a server for maintenance (use 'set server' instead)", Level::Admin,
        |call| set_state(call, AdminState::Maint)),
    row("enable server", "enable server  (DEPRECATED)",
        "enable a disabled server (use 'set server' instead)", Level::Admin,
        |call| set_state(call, AdminState::Ready)),
    row("get weight", "get weight <bk>/<srv>",
        "report a server's current weight", Level::User, weight),
    row("set weight", "set weight <bk>/<srv>  (DEPRECATED)",
        "change a server's weight (use 'set server' instead)", Level::Admin,
        |call| set_weight(call, 2, 3)),
];

fn set_state(call: &mut Call<'_>, state: AdminState) -> Answer {
    let server = call.server(2)?;
    call.ops.set_admin_state(server, state)?;
    Ok(Reply::Done)
}

fn weight(call: &mut Call<'_>) -> Answer {
    let server = call.server(2)?;
    let (current, initial) = call.ops.weight(server);
    Ok(Reply::Report(format!("{current} (initial {initial})")))
}

/// Sets the weight of the server named at one position to the weight at another.
pub(super) fn set_weight(call: &mut Call<'_>, server: usize, weight: usize) -> Answer {
    let server = call.server(server)?;
    let weight = parse_weight(call.word(weight))?;
    call.ops.set_weight(server, weight)?;
    Ok(Reply::Done)
}

fn parse_weight(word: &str) -> Result<NewWeight, Refusal> {
    const GARBAGE: &str = "Empty weight string empty or preceded by garbage";
    if word.is_empty() {
        return Err("Require <weight> or <weight%>.".into());
    }
    if let Some(percent) = word.strip_suffix('%') {
        let percent: i64 = percent.parse().map_err(|_| GARBAGE)?;
        let percent = u32::try_from(percent).map_err(|_| "Relative weight must be positive.")?;
        return Ok(NewWeight::Percent(percent));
    }
    let weight: i64 = word.parse().map_err(|_| {
        if word.starts_with(|letter: char| letter.is_ascii_digit()) {
            "Trailing garbage in weight string"
        } else {
            GARBAGE
        }
    })?;
    match u32::try_from(weight) {
        Ok(weight @ 0..=256) => Ok(NewWeight::Absolute(weight)),
        _ => Err("Absolute weight can only be between 0 and 256 inclusive.".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights() {
        let rows = [
            ("0", Ok(NewWeight::Absolute(0))),
            ("256", Ok(NewWeight::Absolute(256))),
            ("50%", Ok(NewWeight::Percent(50))),
            ("200%", Ok(NewWeight::Percent(200))),
            (
                "257",
                Err("Absolute weight can only be between 0 and 256 inclusive."),
            ),
            (
                "-1",
                Err("Absolute weight can only be between 0 and 256 inclusive."),
            ),
            ("-5%", Err("Relative weight must be positive.")),
            (
                "abc",
                Err("Empty weight string empty or preceded by garbage"),
            ),
            ("5x", Err("Trailing garbage in weight string")),
            ("", Err("Require <weight> or <weight%>.")),
        ];
        for (word, expected) in rows {
            assert_eq!(
                parse_weight(word),
                expected.map_err(Refusal::from),
                "{word:?}"
            );
        }
    }
}
