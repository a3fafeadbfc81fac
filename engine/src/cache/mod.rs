//! A cache of small responses, shared by all cores (manual, 6).

mod freshness;
mod object;
mod request;
mod store;

pub use freshness::{Life, http_date, life};
pub use object::{Object, Variant};
pub use request::{Purpose, Wanted, is_not_modified};
pub use store::{Cache, Settings};

/// A `cache` section: index into `Plan::caches`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheId(pub u32);

impl CacheId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
