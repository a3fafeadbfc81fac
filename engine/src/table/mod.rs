//! Stick tables: keys with what is counted under them, exact over all cores (manual, chapter 11).

mod data;
mod entry;
pub mod event;
mod key;
mod spec;
mod store;
mod stripe;
#[cfg(test)]
mod tests;
mod tracking;
mod window;

pub use data::{Data, Shape};
pub use entry::Entry;
pub use key::{Key, KeyKind};
pub use spec::{Field, Layout, Spec, TableId};
pub use store::{Slot, Table};
pub use tracking::{Tracked, Tracking, effective};
pub use window::Window;
