//! What is known of a server while it runs: states, weight, permits, queue.
