//! Conditions: a disjunction of conjunctions of tests (manual, 7.2).

use std::sync::Arc;

use cfgparse::model::expr::{self, AclTest};

use crate::sample::{CompileError, Compiler, Cx};

use super::acl::{self, Test};

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holds {
    No,
    /// Bytes that have not come yet decide.
    NotYet,
    Yes,
}

impl Holds {
    /// `!`: what is not known yet stays unknown.
    #[must_use]
    pub fn negate(self) -> Holds {
        match self {
            Holds::No => Holds::Yes,
            Holds::NotYet => Holds::NotYet,
            Holds::Yes => Holds::No,
        }
    }
}

impl From<bool> for Holds {
    fn from(truth: bool) -> Holds {
        if truth { Holds::Yes } else { Holds::No }
    }
}

/// A compiled `if` or `unless`.
#[derive(Clone, Debug)]
pub struct Condition {
    unless: bool,
    terms: Box<[Term]>,
}

/// One term of the flat list.
#[derive(Clone, Debug)]
struct Term {
    negated: bool,
    /// The last of its conjunction.
    last: bool,
    test: Arc<Test>,
}

impl Condition {
    /// Compiles `condition` for evaluation at the compiler's point.
    pub fn compile(
        condition: &expr::Condition,
        compiler: &mut Compiler<'_>,
    ) -> Result<Condition, CompileError> {
        let mut terms = Vec::new();
        for conjunction in &condition.any_of {
            for (position, term) in conjunction.iter().enumerate() {
                let test = match &term.test {
                    AclTest::Named(name) => acl::named(name, compiler)?,
                    AclTest::Anonymous(one) => {
                        Arc::new(Test::compile(std::slice::from_ref(&**one), compiler)?)
                    }
                };
                terms.push(Term {
                    negated: term.negated,
                    last: position + 1 == conjunction.len(),
                    test,
                });
            }
        }
        Ok(Condition {
            unless: condition.negated,
            terms: terms.into_boxed_slice(),
        })
    }

    /// Evaluates; terms behind the first that decides are not looked at.
    pub fn holds(&self, cx: &Cx<'_>) -> Holds {
        let mut any = Holds::No;
        let mut all = Holds::Yes;
        for term in &self.terms {
            if all != Holds::No {
                let holds = term.test.holds(cx);
                all = all.min(if term.negated { holds.negate() } else { holds });
            }
            if term.last {
                any = any.max(all);
                if any == Holds::Yes {
                    break;
                }
                all = Holds::Yes;
            }
        }
        if self.unless { any.negate() } else { any }
    }

    /// Whether it holds now, where nothing more can come.
    pub fn is_true(&self, cx: &Cx<'_>) -> bool {
        match self.holds(cx) {
            Holds::Yes => true,
            Holds::No => false,
            Holds::NotYet => self.passes_unknown(),
        }
    }

    /// Where nothing waits, an unknown condition does not hold, and `unless` inverts that.
    pub(super) fn passes_unknown(&self) -> bool {
        self.unless
    }
}
