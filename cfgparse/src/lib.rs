//! HAProxy configuration: text to Ast to Model, with diagnostics.
#![forbid(unsafe_code)]

pub mod model;
