//! Every keyword that the language has, one row each: name, syntax, status, doc.

pub mod acl_words;
pub mod aliases;
pub mod catalog;
pub mod converters;
pub mod fetches;
pub mod sample;

pub use Status::{Full, Harmless, Ignored, Partial, Planned, Refused};

/// Statuses by their names, so that giving a row another one is a change of one word.
pub mod prelude {
    pub use super::Status::{Full, Harmless, Ignored, Partial, Planned, Refused};
}

/// How far a keyword works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Works end to end.
    Full,
    /// Works but for what the text says.
    Partial(&'static str),
    /// Accepted and not done, because it is harmless here, as the text says.
    Ignored(&'static str),
    /// Never done; the text says what to do instead.
    Refused(&'static str),
    /// Known and not done yet. Refused, because it changes traffic, access, persistence or security.
    Planned,
    /// Known and not done yet. Warned about, because nothing that anyone sees depends on it.
    Harmless,
}

impl Status {
    /// The word in the compatibility table.
    pub fn word(self) -> &'static str {
        match self {
            Full => "full",
            Partial(_) => "partial",
            Ignored(_) | Harmless => "ignored",
            Refused(_) | Planned => "refused",
        }
    }

    /// What the table says behind the word.
    pub fn note(self) -> &'static str {
        match self {
            Full => "",
            Partial(note) | Ignored(note) | Refused(note) => note,
            Planned => "not supported yet",
            Harmless => "not supported yet; harmless",
        }
    }
}

/// What a row tells about its keyword.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// One word or several, as typed.
    pub name: &'static str,
    /// What stands behind the name.
    pub syntax: &'static str,
    pub status: Status,
    /// One line.
    pub doc: &'static str,
}

impl Info {
    /// The fields in their order, as tables write them.
    pub const fn new(
        name: &'static str,
        syntax: &'static str,
        status: Status,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            syntax,
            status,
            doc,
        }
    }
}

/// Where a keyword may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sections(pub u8);

impl Sections {
    pub const DEFAULTS: u8 = 1;
    pub const FRONTEND: u8 = 2;
    pub const LISTEN: u8 = 4;
    pub const BACKEND: u8 = 8;

    pub const fn contains(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}
