//! All rows of all tables in one list.

use super::aliases::ALIASES;
use super::converters::CONVERTERS;
use super::fetches::FETCHES;
use super::sample::Type;
use super::{Info, Sections};
use crate::build::{actions, bind, global, proxy, section, server};

/// What kind of keyword a row describes, in the order of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Global,
    Proxy,
    Algorithm,
    Bind,
    Server,
    Action,
    Fetch,
    Converter,
    Alias,
    /// A keyword of a section that is no proxy.
    Section,
}

impl Kind {
    /// The heading of its table.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Global => "`global`",
            Self::Proxy => "`defaults`, `frontend`, `listen`, `backend`",
            Self::Algorithm => "`balance` algorithms",
            Self::Bind => "`bind` parameters",
            Self::Server => "`server` and `default-server` parameters",
            Self::Action => "Actions of rules",
            Self::Fetch => "Sample fetches",
            Self::Converter => "Converters",
            Self::Alias => "Log-format aliases",
            Self::Section => "Other sections",
        }
    }
}

/// One row.
#[derive(Clone, Debug)]
pub struct Entry {
    pub kind: Kind,
    pub info: &'static Info,
    /// Sections, rulesets or types, whatever says where it stands.
    pub place: String,
}

impl Entry {
    fn new(kind: Kind, info: &'static Info, place: impl Into<String>) -> Self {
        Self {
            kind,
            info,
            place: place.into(),
        }
    }
}

/// Every row, by kind, then by name.
pub fn all() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    entries.extend(global::infos().map(|info| Entry::new(Kind::Global, info, "global")));
    entries.extend(
        proxy::infos()
            .map(|(info, sections)| Entry::new(Kind::Proxy, info, section_words(sections))),
    );
    entries.extend(
        proxy::balance::ALGORITHMS
            .iter()
            .map(|info| Entry::new(Kind::Algorithm, info, "balance")),
    );
    entries.extend(bind::infos().map(|info| Entry::new(Kind::Bind, info, "bind")));
    entries.extend(server::infos().map(|info| Entry::new(Kind::Server, info, "server")));
    entries.extend(
        actions::rows()
            .map(|row| Entry::new(Kind::Action, &row.info, actions::sets_words(row.sets))),
    );
    entries.extend(
        FETCHES
            .iter()
            .map(|row| Entry::new(Kind::Fetch, &row.info, type_word(row.out))),
    );
    entries.extend(CONVERTERS.iter().map(|row| {
        let place = format!("{} to {}", type_word(row.input), type_word(row.out));
        Entry::new(Kind::Converter, &row.info, place)
    }));
    entries.extend(ALIASES.iter().map(|row| {
        Entry::new(
            Kind::Alias,
            &row.info,
            if row.http_only { "http" } else { "tcp, http" },
        )
    }));
    entries.extend(section::infos().map(|(place, info)| Entry::new(Kind::Section, info, place)));
    entries.sort_by(|a, b| {
        (a.kind, &a.place_key(), a.info.name).cmp(&(b.kind, &b.place_key(), b.info.name))
    });
    entries
}

impl Entry {
    /// The row as text: name with syntax, then one line each for place, status and doc.
    pub fn text(&self) -> String {
        let Info {
            name,
            syntax,
            status,
            doc,
        } = self.info;
        let note = match status.note() {
            "" => String::new(),
            note => format!(": {note}"),
        };
        format!(
            "{}\n    {doc}\n    where:  {}\n    status: {}{note}\n",
            format!("{name} {syntax}").trim_end(),
            self.place_words(),
            status.word(),
        )
    }

    fn place_words(&self) -> String {
        match self.kind {
            Kind::Global | Kind::Proxy => self.place.clone(),
            Kind::Section => format!("section {}", self.place),
            kind => format!("{} ({})", kind.heading().replace('`', ""), self.place),
        }
    }

    /// Other sections are listed one by one.
    fn place_key(&self) -> String {
        if self.kind == Kind::Section {
            self.place.clone()
        } else {
            String::new()
        }
    }
}

/// The rows of this name, whatever their kind. One of several words is found by its last ones too:
/// `httplog` is `option httplog`.
pub fn explain(name: &str) -> Vec<Entry> {
    let entries = all();
    let of = |fits: &dyn Fn(&str) -> bool| -> Vec<Entry> {
        let rows = entries.iter().filter(|entry| fits(entry.info.name));
        rows.cloned().collect()
    };
    let exact = of(&|row| row == name);
    if exact.is_empty() {
        of(&|row| {
            row.strip_suffix(name)
                .is_some_and(|head| head.ends_with(' '))
        })
    } else {
        exact
    }
}

/// Names near to one that no row has.
pub fn near(name: &str) -> Option<&'static str> {
    let names: Vec<&'static str> = all().into_iter().map(|entry| entry.info.name).collect();
    crate::diagnostic::closest(name, names.into_iter())
}

fn section_words(sections: Sections) -> String {
    let words = [
        (Sections::DEFAULTS, "defaults"),
        (Sections::FRONTEND, "frontend"),
        (Sections::LISTEN, "listen"),
        (Sections::BACKEND, "backend"),
    ];
    let words: Vec<&str> = words
        .into_iter()
        .filter(|(bit, _)| sections.contains(*bit))
        .map(|(_, word)| word)
        .collect();
    words.join(", ")
}

fn type_word(kind: Type) -> &'static str {
    match kind {
        Type::Any => "any",
        Type::Same => "same",
        Type::Bool => "bool",
        Type::Sint => "integer",
        Type::Addr => "address",
        Type::Ipv4 => "ipv4",
        Type::Ipv6 => "ipv6",
        Type::Str => "string",
        Type::Bin => "binary",
        Type::Meth => "method",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_line_of_doc_and_stands_once() {
        let entries = all();
        assert!(entries.len() > 1_500, "{}", entries.len());
        for entry in &entries {
            assert!(!entry.info.doc.is_empty(), "{} has no doc", entry.info.name);
            assert!(!entry.info.doc.contains('\n'), "{}", entry.info.name);
        }
        for pair in entries.windows(2) {
            let same = pair[0].kind == pair[1].kind
                && pair[0].info.name == pair[1].info.name
                && pair[0].place == pair[1].place;
            assert!(!same, "{} stands twice", pair[0].info.name);
        }
    }

    #[test]
    fn explaining_finds_all_kinds() {
        let kinds: Vec<Kind> = explain("maxconn").iter().map(|entry| entry.kind).collect();
        assert_eq!(
            kinds,
            [
                Kind::Global,
                Kind::Proxy,
                Kind::Bind,
                Kind::Server,
                Kind::Section
            ]
        );
        assert_eq!(near("maxcon"), Some("maxconn"));
        assert_eq!(explain("httplog")[0].info.name, "option httplog");
        assert!(explain("og").is_empty());
    }
}
