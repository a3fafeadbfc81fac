//! Idle connections to servers, kept for the next request.
