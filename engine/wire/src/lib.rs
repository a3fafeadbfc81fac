//! Bytes to messages and back, sans-I/O.
#![forbid(unsafe_code)]
