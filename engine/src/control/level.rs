//! What a client of the admin socket may do.

use std::fmt;

/// The `level` of a `stats socket`; a client can lower its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Reads what is not sensitive.
    User,
    /// Reads everything and clears maxima. The default of `stats socket`.
    #[default]
    Operator,
    /// Changes things.
    Admin,
}

impl Level {
    /// The level of a `level` keyword.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::User, Self::Operator, Self::Admin]
            .into_iter()
            .find(|level| level.word() == word)
    }

    /// The keyword.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_and_named() {
        assert!(Level::User < Level::Operator && Level::Operator < Level::Admin);
        for level in [Level::User, Level::Operator, Level::Admin] {
            assert_eq!(Level::from_word(level.word()), Some(level));
        }
        assert_eq!(Level::from_word("root"), None);
    }
}
