//! What one event adds to the figures of a tracked key (manual, 11.1).

use super::data::Data;
use super::store::Slot;

/// Figures and what is added to each.
pub type Event = [(Slot, u64)];

/// A key begins to be tracked.
pub const BEGIN: &Event = &[
    (Slot::of(Data::ConnCnt), 1),
    (Slot::of(Data::ConnRate), 1),
    (Slot::of(Data::ConnCur), 1),
];

/// A connection has become a session.
pub const SESSION: &Event = &[(Slot::of(Data::SessCnt), 1), (Slot::of(Data::SessRate), 1)];

/// A request.
pub const REQUEST: &Event = &[
    (Slot::of(Data::HttpReqCnt), 1),
    (Slot::of(Data::HttpReqRate), 1),
];

/// A client's error.
pub const ERROR: &Event = &[
    (Slot::of(Data::HttpErrCnt), 1),
    (Slot::of(Data::HttpErrRate), 1),
];

/// A server's failure.
pub const FAILURE: &Event = &[
    (Slot::of(Data::HttpFailCnt), 1),
    (Slot::of(Data::HttpFailRate), 1),
];
