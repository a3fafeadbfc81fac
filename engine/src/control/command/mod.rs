//! The commands of the admin socket: one row each, one file a group.

// Every command is a row of one type, also those that never refuse.
#![allow(clippy::unnecessary_wraps)]

mod cache;
mod check;
mod counters;
mod dynamic;
mod event;
mod frontend;
mod limit;
mod pattern;
mod process;
mod report;
mod server;
mod session;
mod set_server;
mod stream;
mod suggest;
mod table;
mod variable;

use super::level::Level;
use super::ops::Ops;
use super::reply::{Answer, Refusal};
use super::session::Client;
use crate::plan::ServerId;

pub use suggest::{help, suggestions};

/// One command.
pub struct Command {
    /// The words that name it, for example `show stat`.
    pub key: &'static str,
    /// Key and arguments as `help` shows them.
    pub usage: &'static str,
    /// What `help` says about it; empty for a command that it does not list.
    pub about: &'static str,
    /// The lowest level that may run it.
    pub level: Level,
    /// Carries it out.
    pub run: fn(&mut Call<'_>) -> Answer,
}

/// One call of a command.
pub struct Call<'a> {
    /// All words, those of the key too.
    pub words: &'a [String],
    /// What followed `<<`.
    pub payload: Option<&'a str>,
    /// The process.
    pub ops: &'a mut dyn Ops,
    /// Who asks.
    pub client: &'a mut Client,
}

/// Every group of commands.
const GROUPS: &[&[Command]] = &[
    cache::COMMANDS,
    check::COMMANDS,
    counters::COMMANDS,
    dynamic::COMMANDS,
    event::COMMANDS,
    frontend::COMMANDS,
    limit::COMMANDS,
    pattern::COMMANDS,
    table::COMMANDS,
    process::COMMANDS,
    report::COMMANDS,
    server::COMMANDS,
    set_server::COMMANDS,
    stream::COMMANDS,
    session::COMMANDS,
    variable::COMMANDS,
];

/// Every command, in no useful order.
pub fn commands() -> impl Iterator<Item = &'static Command> {
    GROUPS.iter().copied().flatten()
}

/// The command that these words begin with: the one with the longest key.
pub fn find(words: &[String]) -> Option<&'static Command> {
    let named = commands().filter(|command| {
        let mut rest = words.iter();
        command
            .key
            .split(' ')
            .all(|word| rest.next().is_some_and(|typed| typed == word))
    });
    named.max_by_key(|command| command.key.len())
}

impl<'a> Call<'a> {
    /// A word by its position; the empty text where there is none.
    pub fn word(&self, position: usize) -> &'a str {
        self.words.get(position).map_or("", String::as_str)
    }

    /// Refuses clients below `level`.
    pub fn require(&self, level: Level) -> Result<(), Refusal> {
        if self.client.level < level {
            Err(PERMISSION_DENIED.into())
        } else {
            Ok(())
        }
    }

    /// The server that the word `backend/server` names.
    pub fn server(&self, position: usize) -> Result<ServerId, Refusal> {
        let (backend, server) = self
            .word(position)
            .split_once('/')
            .ok_or("Require 'backend/server'.")?;
        Ok(self.ops.server(backend, server)?)
    }

    /// The number at a position; `complaint` where there is none.
    pub fn number(&self, position: usize, complaint: &str) -> Result<u32, Refusal> {
        self.word(position).parse().map_err(|_| complaint.into())
    }
}

/// What a client hears that is not allowed to.
pub const PERMISSION_DENIED: &str = "Permission denied";

/// The row of a command.
const fn row(
    key: &'static str,
    usage: &'static str,
    about: &'static str,
    level: Level,
    run: fn(&mut Call<'_>) -> Answer,
) -> Command {
    Command {
        key,
        usage,
        about,
        level,
        run,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_usage_begins_with_its_key_and_keys_are_unique() {
        let mut keys = HashSet::new();
        for command in commands() {
            let same = command.usage.split_whitespace().zip(command.key.split(' '));
            assert!(
                same.clone().all(|(usage, key)| usage == key),
                "{}",
                command.key
            );
            assert!(keys.insert(command.key), "{} twice", command.key);
        }
    }

    #[test]
    fn the_longest_key_wins() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let key = |line| find(&words(line)).map(|command| command.key);
        assert_eq!(key("show servers state be"), Some("show servers state"));
        assert_eq!(key("set server a/b state ready"), Some("set server"));
        assert_eq!(key("show servers"), None);
        assert_eq!(key("show statt"), None);
    }
}
