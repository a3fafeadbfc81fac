//! From a connection to streams and back, one file for each protocol.
