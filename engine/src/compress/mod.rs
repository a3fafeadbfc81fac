//! HTTP compression (manual 4.2, `compression`): which messages, by which algorithm, and the coding
//! itself.

mod coder;
mod message;
mod settings;

pub use coder::{Coder, Coders};
pub use message::{chosen, fits_request, fits_response, offload, shape_request, shape_response};
pub use settings::{Algorithm, Compression, Direction};
