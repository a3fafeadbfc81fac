//! HTTP/1 on a link: heads and bodies, in and out.

mod body;
mod head;

pub use body::{BodyError, Incoming, Outgoing, Piece};
pub use head::{HeadFault, HeadReader};
