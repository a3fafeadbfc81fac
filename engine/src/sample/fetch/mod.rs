//! Fetches by name.

mod body;
mod certificate;
mod connection;
mod connection_error;
mod constant;
mod cookie;
mod header;
mod hello;
mod internal;
mod request;
mod response;
mod source_counter;
mod tls;
mod tracked;

pub use certificate::{common_name, key_algorithm, signature_algorithm};
pub use connection_error::ConnectionError;

use super::row::FetchRow;

static TABLES: &[&[FetchRow]] = &[
    constant::ROWS,
    internal::ROWS,
    connection::ROWS,
    tls::ROWS,
    certificate::CLIENT_ROWS,
    certificate::OWN_ROWS,
    certificate::SERVER_ROWS,
    hello::ROWS,
    header::ROWS,
    cookie::ROWS,
    request::ROWS,
    body::ROWS,
    response::ROWS,
    tracked::ROWS,
    tracked::NUMBERED_ROWS,
    source_counter::ROWS,
];

/// The row of `name`, which may carry a suffix of an ACL-only form such as `path_beg`.
pub fn find(name: &str) -> Option<&'static FetchRow> {
    exact(name).or_else(|| {
        let (base, suffix) = name.rsplit_once('_')?;
        let known = matches!(
            suffix,
            "beg" | "end" | "sub" | "reg" | "dir" | "dom" | "len"
        );
        known.then(|| exact(base)).flatten()
    })
}

/// What stands between the commas of a header line.
pub fn header_spans(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    header::spans(line)
}

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLES
        .iter()
        .flat_map(|rows| rows.iter())
        .map(|row| row.name)
}

fn exact(name: &str) -> Option<&'static FetchRow> {
    TABLES
        .iter()
        .flat_map(|rows| rows.iter())
        .find(|row| row.name == name)
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
        assert_eq!(find("path_beg").map(|row| row.name), Some("path"));
        assert_eq!(find("hdr_reg").map(|row| row.name), Some("hdr"));
        assert!(find("path_foo").is_none());
    }
}
