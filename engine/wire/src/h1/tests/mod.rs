//! Heads as HAProxy 3.5 reads and sends them; RFC sections where it follows them.

mod properties;
mod request;
mod response;
