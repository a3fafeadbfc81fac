//! Keeps a value on cache lines of its own.

use std::ops::Deref;

/// 128 bytes: two lines, because the adjacent-line prefetcher of x86 fetches lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Padded<T>(pub T);

impl<T> Deref for Padded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
