//! One line of the admin socket: commands, their words, and the mark of a payload.

use crate::limits::{COMMAND_WORDS_MAX, PAYLOAD_PATTERN_BYTES};

/// What one line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The words of each command; a command without words is answered by an empty line.
    pub commands: Vec<Vec<String>>,
    /// A payload for the last command follows, up to a line that is this text.
    pub payload_end: Option<String>,
}

/// A command has more than [`COMMAND_WORDS_MAX`] words.
#[derive(Debug, PartialEq, Eq)]
pub struct TooManyWords;

/// Splits a line at `;` and blanks; `\` takes the next character as it is (management.txt 9.3).
/// Quotes mean nothing.
pub fn parse(line: &str) -> Result<Line, TooManyWords> {
    let (line, payload_end) = split_payload(line);
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\r' => end_word(&mut commands, &mut word)?,
            ';' => {
                end_word(&mut commands, &mut word)?;
                commands.push(Vec::new());
            }
            '\\' => word.get_or_insert_default().extend(letters.next()),
            other => word.get_or_insert_default().push(other),
        }
    }
    end_word(&mut commands, &mut word)?;
    Ok(Line {
        commands,
        payload_end,
    })
}

fn end_word(commands: &mut [Vec<String>], word: &mut Option<String>) -> Result<(), TooManyWords> {
    if let (Some(command), Some(word)) = (commands.last_mut(), word.take()) {
        if command.len() == COMMAND_WORDS_MAX {
            return Err(TooManyWords);
        }
        command.push(word);
    }
    Ok(())
}

/// Takes `<<` and an optional pattern off the end of the line, if they stand as a word.
fn split_payload(line: &str) -> (&str, Option<String>) {
    let line = line.trim_end_matches('\r');
    let start = line.rfind([' ', '\t']).map_or(0, |blank| blank + 1);
    match line[start..].strip_prefix("<<") {
        Some(pattern) if pattern.len() <= PAYLOAD_PATTERN_BYTES => {
            (&line[..start], Some(pattern.to_owned()))
        }
        _ => (line, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<String>> {
        parse(line).expect("few words").commands
    }

    #[test]
    fn commands_and_words() {
        let rows: &[(&str, &[&[&str]])] = &[
            ("show info", &[&["show", "info"]]),
            ("  show\tinfo  ", &[&["show", "info"]]),
            (
                "show info;show stat",
                &[&["show", "info"], &["show", "stat"]],
            ),
            ("show version;", &[&["show", "version"], &[]]),
            ("", &[&[]]),
            (r"echo a\ b \;c \x \\", &[&["echo", "a b", ";c", "x", "\\"]]),
            (r#"echo "a b""#, &[&["echo", "\"a", "b\""]]),
            ("show version\r", &[&["show", "version"]]),
            (r"echo \", &[&["echo", ""]]),
        ];
        for (line, expected) in rows {
            assert_eq!(words(line), *expected, "{line:?}");
        }
    }

    #[test]
    fn payloads() {
        let rows = [
            ("set ssl cert a.pem <<", Some("")),
            ("set ssl cert a.pem <<%EOF%", Some("%EOF%")),
            ("echo a<<", None),
            ("echo <<x y", None),
            ("<<", Some("")),
        ];
        for (line, expected) in rows {
            let end = parse(line).expect("few words").payload_end;
            assert_eq!(end.as_deref(), expected, "{line}");
        }
        let long = format!("echo <<{}", "x".repeat(PAYLOAD_PATTERN_BYTES + 1));
        assert_eq!(parse(&long).expect("few words").payload_end, None);
    }

    #[test]
    fn words_are_bounded() {
        assert!(parse(&"a ".repeat(COMMAND_WORDS_MAX)).is_ok());
        assert_eq!(
            parse(&"a ".repeat(COMMAND_WORDS_MAX + 1)),
            Err(TooManyWords)
        );
    }
}
