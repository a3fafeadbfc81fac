//! Converters by name.

mod address;
mod capture;
mod cipher;
mod digest;
mod encoding;
mod forwarded;
pub(super) mod hash;
mod http_date;
mod json;
mod jwt;
mod list;
mod map;
mod mqtt;
mod names;
mod number;
mod protobuf;
mod regsub;
mod table;
mod text;
mod var;
mod when;
mod x509;

pub use hash::xxh64;
pub use jwt::PublicKeys;
pub use map::is_readable;
pub use regsub::expand_groups;

use super::row::ConvertRow;

static TABLES: &[&[ConvertRow]] = &[
    text::ROWS,
    number::ROWS,
    address::ROWS,
    encoding::ROWS,
    digest::ROWS,
    cipher::ROWS,
    jwt::ROWS,
    mqtt::ROWS,
    protobuf::ROWS,
    map::ROWS,
    hash::ROWS,
    var::ROWS,
    regsub::ROWS,
    table::ROWS,
    capture::ROWS,
    forwarded::ROWS,
    http_date::ROWS,
    json::ROWS,
    list::ROWS,
    names::ROWS,
    when::ROWS,
    x509::ROWS,
];

/// The row of `name`.
pub fn find(name: &str) -> Option<&'static ConvertRow> {
    TABLES
        .iter()
        .flat_map(|rows| rows.iter())
        .find(|row| row.name == name)
}

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLES
        .iter()
        .flat_map(|rows| rows.iter())
        .map(|row| row.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_has_one_row() {
        let mut seen = HashSet::new();
        for name in names() {
            assert!(seen.insert(name), "{name} stands twice");
        }
    }
}
