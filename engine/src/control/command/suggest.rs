//! `help`, and what an unknown command is told.

use super::{Command, commands};
use std::fmt::Write;

/// Commands that every list ends with.
const ALWAYS: [&str; 3] = ["help", "prompt", "quit"];

/// As many as HAProxy proposes when nothing begins as what was typed.
const SUGGESTIONS_MAX: usize = 5;

/// The answer of `help [words]`: all commands, or those that look like the words.
pub fn help(words: &[String]) -> String {
    let mut out = String::from("The following commands are valid at this level:\n");
    list(&mut out, words);
    out
}

/// The answer to an unknown command.
pub fn suggestions(words: &[String]) -> String {
    let first = words.first().map_or("", String::as_str);
    let mut out = format!(
        "Unknown command: '{first}', but maybe one of the following ones is a better match:\n"
    );
    list(&mut out, words);
    out
}

fn list(out: &mut String, words: &[String]) {
    let mut chosen = alike(words);
    chosen.retain(|command| !ALWAYS.contains(&command.key) && !command.about.is_empty());
    chosen.sort_by_key(|command| command.usage);
    let always = ALWAYS
        .iter()
        .filter_map(|key| commands().find(|command| command.key == *key));
    for command in chosen.into_iter().chain(always) {
        let _ = writeln!(out, "  {:<40}: {}", command.usage, command.about);
    }
}

/// The commands that begin with these words; else those that begin nearly so.
fn alike(words: &[String]) -> Vec<&'static Command> {
    for count in (1..=words.len()).rev() {
        let beginning = words[..count].join(" ");
        let named = |command: &&Command| {
            command.key == beginning
                || command
                    .key
                    .strip_prefix(&beginning)
                    .is_some_and(|rest| rest.starts_with(' '))
        };
        let found: Vec<_> = commands().filter(named).collect();
        if !found.is_empty() {
            return if count < words.len() {
                nearest(found, words)
            } else {
                found
            };
        }
    }
    if words.is_empty() {
        commands().collect()
    } else {
        nearest(commands().collect(), words)
    }
}

/// Of some commands, those at the smallest distance from what was typed, or all when none is near.
fn nearest(among: Vec<&'static Command>, words: &[String]) -> Vec<&'static Command> {
    let distance = |command: &Command| {
        let count = command.key.split(' ').count();
        let typed = words
            .iter()
            .take(count)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ");
        strsim::damerau_levenshtein(&typed, command.key)
    };
    let best = among
        .iter()
        .map(|command| distance(command))
        .min()
        .unwrap_or(0);
    let mut close: Vec<_> = among
        .into_iter()
        .filter(|command| distance(command) <= best + 1)
        .collect();
    close.sort_by_key(|command| distance(command));
    close.truncate(SUGGESTIONS_MAX);
    close
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn help_lists_every_command() {
        insta::assert_snapshot!(help(&[]));
    }

    #[test]
    fn what_was_typed_leads_to_what_was_meant() {
        let rows = [
            ("show servers", "show servers conn|show servers state"),
            ("show statt", "show stat"),
            ("shw stat", "show stat"),
            (
                "set maxconn",
                "set maxconn frontend|set maxconn global|set maxconn server",
            ),
            ("qiut", ""),
            ("disable servr a/b", "disable server"),
        ];
        for (line, expected) in rows {
            let text = suggestions(&words(line));
            let keys: Vec<_> = text
                .lines()
                .skip(1)
                .filter_map(|line| {
                    commands()
                        .filter(|c| line[2..].starts_with(c.key))
                        .max_by_key(|c| c.key.len())
                })
                .map(|command| command.key)
                .filter(|key| !ALWAYS.contains(key))
                .collect();
            assert_eq!(keys.join("|"), expected, "{line}: {text}");
        }
        assert!(suggestions(&words("foo")).starts_with("Unknown command: 'foo', but maybe"));
    }
}
