//! HAProxy configuration: text to Ast to Model, with diagnostics.
//!
//! The way of a configuration: [`source`] names files, [`read`] turns their lines into an
//! [`ast::Ast`] (words by [`lex`], conditional blocks by [`condition`]), [`build`] turns the Ast into
//! a [`model::Model`] with the rows of [`registry`], and [`load`] does all of it. Nothing here
//! touches a file, the clock or the environment but through what the caller passes in.
#![forbid(unsafe_code)]

pub mod address;
pub mod args;
pub mod ast;
pub mod build;
pub mod bytes;
pub mod condition;
pub mod context;
pub mod diagnostic;
pub mod docs;
pub mod expr;
pub mod lex;
mod load;
pub mod migrate;
pub mod model;
pub mod quantity;
pub mod read;
pub mod registry;
pub mod source;

pub use build::{ADDED_SERVER_KEYWORDS, added_server};
pub use condition::Facts;
pub use diagnostic::{Diagnostic, Severity};
pub use load::{LoadOptions, Loaded, load};
pub use source::{Environment, FileAccess, Source};
