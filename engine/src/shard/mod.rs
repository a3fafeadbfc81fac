//! All that one core owns.
