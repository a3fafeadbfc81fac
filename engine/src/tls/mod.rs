//! The one module that names rustls.
