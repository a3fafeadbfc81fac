//! Rules that keep clients with servers by stick tables (manual, `stick on` and its relatives).

use crate::rules::Condition;
use crate::sample::Expr;
use crate::table::TableId;

/// One `stick` line.
#[derive(Debug)]
pub struct StickRule {
    /// Looks the key up for a server.
    pub matches: bool,
    /// Remembers the server under the key.
    pub stores: bool,
    pub key: Expr,
    pub table: TableId,
    pub condition: Option<Condition>,
}
