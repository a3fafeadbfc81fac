//! What the cores of the process ask of each other.

use reactor::Accepted;

use crate::gate::Pass;
use crate::plan::ListenerId;
use crate::pool::{Answer, Wish};

/// A client that was accepted and of which nothing has been read.
pub struct NewClient {
    pub accepted: Accepted,
    pub listener: ListenerId,
    pub pass: Pass,
}

/// The other cores, as one core sees them. Nothing here waits.
pub trait Neighbours: Send + Sync {
    /// Gives a client to another core; it comes back if that core is gone.
    fn hand_over(&self, core: usize, client: NewClient) -> Option<NewClient>;

    /// Asks a core for an idle server connection; false if it is gone.
    fn ask(&self, core: usize, wish: Wish) -> bool;

    /// Answers a wish.
    fn answer(&self, core: usize, answer: Answer);
}
