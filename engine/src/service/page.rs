//! The statistics page.

use wire::Head;

use crate::stats::{self, Format, Selection, Snapshot};

/// A page that was rendered.
pub struct Page {
    pub status: u16,
    pub content_type: &'static str,
    pub fields: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// Renders what `request` asks for.
pub fn render(
    snapshot: &Snapshot,
    _settings: &cfgparse::model::Stats,
    _proxy: &str,
    _request: &Head,
) -> Page {
    Page {
        status: 200,
        content_type: "text/plain",
        fields: Vec::new(),
        body: stats::stat(snapshot, &Selection::ALL, Format::Plain, false).into_bytes(),
    }
}
