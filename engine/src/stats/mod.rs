//! What is counted, per core, and the names under which operators read it.
