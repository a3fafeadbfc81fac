//! The ACLs that conditions of one proxy can name.

use std::collections::HashMap;

use crate::context::Context;
use crate::diagnostic::Span;
use crate::model::expr::{Acl, AclExpr};
use crate::registry::sample::Where;

/// ACLs by name, in the order of first mention.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    index: HashMap<String, usize>,
    acls: Vec<(String, Vec<(AclExpr, u32)>)>,
}

impl Scope {
    /// Adds an alternative to the ACL `name`.
    pub fn add(&mut self, name: &str, test: AclExpr, available: u32) {
        let index = *self.index.entry(name.to_owned()).or_insert_with(|| {
            self.acls.push((name.to_owned(), Vec::new()));
            self.acls.len() - 1
        });
        self.acls[index].1.push((test, available));
    }

    /// Notes a name whose test could not be understood.
    pub fn add_broken(&mut self, name: &str) {
        self.index.entry(name.to_owned()).or_insert_with(|| {
            self.acls.push((name.to_owned(), Vec::new()));
            self.acls.len() - 1
        });
    }

    /// The alternatives of `name`, each with the places where its data exists.
    pub fn acl(&self, name: &str) -> Option<&[(AclExpr, u32)]> {
        self.index
            .get(name)
            .map(|index| self.acls[*index].1.as_slice())
    }

    pub fn acl_names(&self) -> impl Iterator<Item = &str> {
        self.acls.iter().map(|(name, _)| name.as_str())
    }

    pub fn is_empty(&self) -> bool {
        self.acls.is_empty()
    }

    /// For the model.
    pub fn into_acls(self) -> Vec<Acl> {
        self.acls
            .into_iter()
            .map(|(name, tests)| Acl {
                name,
                tests: tests.into_iter().map(|(test, _)| test).collect(),
            })
            .collect()
    }

    /// Warns of a test whose data never exists at `place`.
    pub fn check_available(
        &self,
        cx: &mut Context,
        name: Option<&str>,
        available: u32,
        test: &AclExpr,
        place: Where,
        span: Span,
    ) {
        if available & place.bit() != 0 {
            return;
        }
        let subject = match name {
            Some(name) => format!("acl '{name}'"),
            None => "anonymous acl".to_owned(),
        };
        cx.warn(
            span,
            "never-matches",
            format!(
                "{subject} will never match because it only involves keywords that are incompatible with '{}' ('{}')",
                place.words(),
                test.sample.fetch.name
            ),
        );
    }
}
