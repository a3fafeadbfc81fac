//! Names of servers, followed while the process runs (manual, 5.3): when to ask, what an answer
//! means, which address a server gets.

mod choose;
mod resolution;
mod services;
mod terms;

pub use choose::{Choice, Wish, choose};
pub use resolution::{Outcome, Resolution, Status, Step, Subject};
pub use services::{Placement, Service, place, user_weight};
pub use terms::{Families, Holds, NameServer, Section, Terms};
