//! HTTP/1 on a link: heads and bodies, in and out.

mod body;
mod head;
mod preview;

pub use body::{BodyError, Incoming, Outgoing, Piece, check_chunks};
pub use head::{HeadFault, HeadReader};
pub use preview::{Extent, Preview};
