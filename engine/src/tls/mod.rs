//! The one module that names rustls.

mod cert;
mod ciphers;
mod context;
mod crt_list;
mod error;
mod facts;
mod session;
mod sni;
mod stream;
mod ticket;
mod verify;

pub use context::{BindContext, Contexts, ServerContext};
pub use error::{SetupError, TlsError};
pub use session::{Progress, Scratch, TlsInfo, TlsSession};
pub use stream::{HandshakeFault, Stream};

#[cfg(test)]
mod tests;
