//! What a log line says: formats and termination states.
