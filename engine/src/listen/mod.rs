//! How connections come in.
