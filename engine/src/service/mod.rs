//! Answers that are made here instead of by a server.

mod errors;
pub mod page;
mod pages;

pub use errors::{MESSAGES, Message, Persistence};
pub use pages::{CustomPage, ErrorPage, ErrorPages, PageError};
