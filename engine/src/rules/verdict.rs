//! What the evaluation of a ruleset decides.

use std::borrow::Cow;
use std::sync::Arc;

use crate::cache::Object;
use crate::plan::ResolversId;

/// The outcome of a ruleset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The last rule was passed: go on with the next stage.
    Continue,
    /// `allow` or `accept`: skip the rest of this ruleset, go on with the next stage.
    Accept,
    /// `deny`: answer (403, or 502 for a response), count as denied; termination `PR` or `PH`.
    Deny(Box<Answer>),
    /// `tarpit`: as `Deny`, but only after `timeout tarpit`; termination `PT`.
    Tarpit(Box<Answer>),
    /// `return`: answer; termination `LR`.
    Return(Box<Answer>),
    /// `redirect`: answer; termination `LR`.
    Redirect(Box<Answer>),
    /// `auth`: ask for credentials; termination `PR`.
    Auth(Box<Answer>),
    /// `reject`: close without an answer; count as denied.
    Reject,
    /// `silent-drop`: forget the connection without telling the client.
    SilentDrop,
    /// A condition depends on bytes that have not come: evaluate again from this rule when more
    /// came, or with `Data::last_chance` set when the inspection delay is over.
    Wait { rule: usize },
    /// `wait-for-body`: buffer, then go on behind this rule.
    WaitForBody {
        rule: usize,
        time_ms: u32,
        /// Enough when this much is there; `None` means the whole body.
        at_least_bytes: Option<u64>,
    },
    /// `pause`: wait, then go on behind this rule.
    Pause { rule: usize, ms: u32 },
    /// `early-hint`: tell the client, then go on behind this rule.
    EarlyHint { rule: usize },
    /// `do-resolve`: look the name up, then go on with this rule.
    Resolve { rule: usize, lookup: Box<Lookup> },
    /// `cache-use`: this object answers.
    FromCache(Found),
    /// `use-service`: the named service answers.
    UseService(Arc<str>),
    /// A rewrite failed in strict mode, or an action could not be evaluated: answer 500.
    InternalError,
}

impl Verdict {
    /// The message goes on as it is.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Continue | Self::Accept)
    }
}

/// An object of a cache, the same only as itself.
#[derive(Clone, Debug)]
pub struct Found(pub Arc<Object>);

impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Found {}

/// A name to look up (`do-resolve`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    pub by: ResolversId,
    /// In lower case.
    pub name: String,
    pub prefer_ipv6: bool,
}

/// An answer made by a rule. The stage turns it into a response head and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Fields besides `content-length` and `content-type`, in order; they stand in front of these,
    /// and behind those of a page.
    pub fields: Vec<AnswerField>,
    pub body: AnswerBody,
}

/// Name, in lower case, and value.
pub type AnswerField = (Cow<'static, [u8]>, Cow<'static, [u8]>);

/// The body of an [`Answer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerBody {
    /// The proxy's `errorfile` or default message for the status; the fields are added to it.
    ErrorFile,
    /// A whole HTTP message as it stands in an error file.
    Message(Arc<[u8]>),
    /// No content: `content-length: 0`, and the fields behind it.
    Empty,
    /// Content with its type.
    Content {
        content_type: Option<Arc<str>>,
        bytes: Cow<'static, [u8]>,
    },
    /// Content shared with the plan.
    Shared {
        content_type: Option<Arc<str>>,
        bytes: Arc<[u8]>,
    },
}

impl Answer {
    /// The proxy's own message for `status`.
    pub fn error(status: u16) -> Answer {
        Answer {
            status,
            fields: Vec::new(),
            body: AnswerBody::ErrorFile,
        }
    }
}
