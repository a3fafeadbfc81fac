//! Which server a request goes to: one file for each algorithm.
