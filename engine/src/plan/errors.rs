//! The pages that replace HAProxy's own error messages (manual, `errorfile`, `errorloc`).

use std::sync::Arc;

use crate::rules::CompiledReply;

/// What a client gets instead of a built-in message.
#[derive(Clone, Debug)]
pub enum ErrorPage {
    /// A whole HTTP message.
    Message(Arc<[u8]>),
    /// Nothing: the connection is closed (`errorfile CODE /dev/null`).
    Silent,
    /// A redirect (`errorloc`, `errorloc303`).
    Location { status: u16, url: Arc<str> },
    /// An answer that is made anew each time (`http-error`).
    Reply(Arc<CompiledReply>),
}

/// The pages of one proxy by status.
#[derive(Clone, Debug, Default)]
pub struct ErrorPages(Vec<(u16, ErrorPage)>);

impl ErrorPages {
    /// The page of a status, if one is configured.
    pub fn page(&self, status: u16) -> Option<&ErrorPage> {
        self.0
            .iter()
            .find(|(known, _)| *known == status)
            .map(|(_, page)| page)
    }

    /// Back to the page that would stand without any (`http-error ... default-errorfiles`).
    pub fn unset(&mut self, status: u16) {
        self.0.retain(|(known, _)| *known != status);
    }

    /// Sets the page of a status; the last word counts.
    pub fn set(&mut self, status: u16, page: ErrorPage) {
        self.unset(status);
        self.0.push((status, page));
    }
}
