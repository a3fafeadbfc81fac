//! From a checked configuration to running cores: sockets, topology, supervision.
