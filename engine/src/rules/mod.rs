//! What the configured rules decide about a connection, a request or a response.
