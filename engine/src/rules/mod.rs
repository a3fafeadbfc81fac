//! Rules: conditions, rulesets, and what rules decide.

mod acl;
mod action;
mod condition;
mod predefined;
mod ruleset;
#[cfg(test)]
mod tests;
mod txn;
mod userlist;
mod verdict;

pub use acl::{Test, named as named_test};
pub use action::CompiledReply;
pub use condition::{Condition, Holds};
pub use ruleset::{Kind, Ruleset};
pub use txn::{LogLevel, Overrides, Txn};
pub use userlist::{Credentials, Password, User, Userlist, basic_credentials};
pub use verdict::{Answer, AnswerBody, AnswerField, Lookup, Verdict};
