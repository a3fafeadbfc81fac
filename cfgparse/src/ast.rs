//! What was written: sections, lines and words with their places.

use crate::diagnostic::Span;
use crate::model::Place;
use crate::model::global::EnvChange;

/// One word of a line, quotes and escapes resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    pub at: Place,
    /// Characters it takes in the text, quotes included.
    pub len: u32,
}

impl Word {
    pub fn span(&self) -> Span {
        Span {
            at: self.at,
            len: self.len,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// At least one.
    pub words: Vec<Word>,
}

impl Line {
    /// The first word.
    pub fn keyword(&self) -> &Word {
        &self.words[0]
    }

    /// From the first word to the end of the last.
    pub fn span(&self) -> Span {
        let first = &self.words[0];
        let last = &self.words[self.words.len() - 1];
        let end = last.at.column + last.len;
        Span {
            at: first.at,
            len: end.saturating_sub(first.at.column),
        }
    }
}

/// A section keyword with its arguments and the lines below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// `frontend NAME ...`.
    pub header: Line,
    pub lines: Vec<Line>,
}

impl Section {
    pub fn kind(&self) -> &str {
        self.header.keyword().as_str()
    }
}

/// A whole configuration as written, all files in order.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ast {
    /// Names of the files; `Place::file` counts into this list.
    pub files: Vec<String>,
    pub sections: Vec<Section>,
    /// What `setenv` and its relatives did while the text was read.
    pub environment: Vec<EnvChange>,
}
