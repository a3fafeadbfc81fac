//! `deny`, `tarpit`, `return`: answers with a status, fields and a body.

use std::sync::Arc;

use cfgparse::model::rule::{Action, Reply, ReplyBody};

use crate::log::{Format, Purpose};
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::rules::verdict::{Answer, AnswerBody, Verdict};
use crate::sample::{CompileError, Compiler, Cx};

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct Answering {
    wrap: fn(Box<Answer>) -> Verdict,
    reply: CompiledReply,
}

impl Act for Answering {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let answer = self.reply.render(&txn.cx());
        txn.apply_effects();
        Flow::Stop((self.wrap)(Box::new(answer)))
    }
}

/// An answer whose parts are ready, but for its formats.
#[derive(Debug)]
pub struct CompiledReply {
    status: u16,
    fields: Vec<(Box<[u8]>, Format)>,
    body: Body,
    content_type: Option<Arc<str>>,
}

#[derive(Debug)]
enum Body {
    ErrorFile,
    Message(Arc<[u8]>),
    Empty,
    Raw(Arc<[u8]>),
    Format(Format),
}

impl CompiledReply {
    /// Compiles `reply`; `default_status` stands where it names none.
    pub fn compile(
        reply: &Reply,
        default_status: u16,
        compiler: &mut Compiler<'_>,
    ) -> Result<CompiledReply, CompileError> {
        let status = reply.status.unwrap_or(default_status);
        let body = match &reply.body {
            // `deny` and `tarpit` alone have the proxy's page; whatever is said of the answer makes it
            // one of its own, empty unless a body is named (manual, `http-request return`).
            ReplyBody::Default if default_status == 200 || says_anything(reply) => Body::Empty,
            ReplyBody::Default | ReplyBody::DefaultErrorFiles => Body::ErrorFile,
            ReplyBody::ErrorFile { message, .. } => Body::Message(message.as_slice().into()),
            ReplyBody::ErrorFiles(section) => error_files(section, status, compiler)?,
            ReplyBody::Raw(bytes) => Body::Raw(bytes.as_slice().into()),
            ReplyBody::Format(format) => Body::Format(Format::compile(format, compiler)?),
        };
        let mut fields = Vec::with_capacity(reply.headers.len());
        // The fields of a page stand in its file.
        let is_page = matches!(body, Body::ErrorFile | Body::Message(_));
        for (name, value) in reply.headers.iter().filter(|_| !is_page) {
            let value = Format::compile(value, compiler)?;
            fields.push((name.to_ascii_lowercase().into_bytes().into(), value));
        }
        Ok(CompiledReply {
            status,
            fields,
            body,
            content_type: reply.content_type.as_deref().map(Into::into),
        })
    }

    /// Whether the proxy's own page for the status is the body.
    pub fn is_error_page(&self) -> bool {
        matches!(self.body, Body::ErrorFile)
    }

    /// The answer as it is now.
    pub fn render(&self, cx: &Cx<'_>) -> Answer {
        let rendered = |format: &Format| {
            let mut text = Vec::new();
            format.render(cx, Purpose::Http, &mut text);
            text
        };
        let fields = self
            .fields
            .iter()
            .map(|(name, value)| (name.to_vec().into(), rendered(value)))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, value.into()))
            .collect();
        let content_type = self.content_type.clone();
        let body = match &self.body {
            Body::ErrorFile => AnswerBody::ErrorFile,
            Body::Message(message) => AnswerBody::Message(message.clone()),
            Body::Empty => AnswerBody::Content {
                content_type: None,
                bytes: b"".as_slice().into(),
            },
            Body::Raw(bytes) => AnswerBody::Shared {
                content_type,
                bytes: bytes.clone(),
            },
            Body::Format(format) => AnswerBody::Content {
                content_type,
                bytes: rendered(format).into(),
            },
        };
        Answer {
            status: self.status,
            fields,
            body,
        }
    }
}

fn says_anything(reply: &Reply) -> bool {
    reply.status.is_some() || reply.content_type.is_some() || !reply.headers.is_empty()
}

fn error_files(section: &str, status: u16, compiler: &Compiler<'_>) -> Result<Body, CompileError> {
    if !compiler.names.has_http_errors(section) {
        return Err(compiler.error(
            format!("unable to find the http-errors section '{section}'"),
            format!("declare it: http-errors {section}"),
        ));
    }
    Ok(match compiler.names.http_error(section, status) {
        Some(message) => Body::Message(message),
        None => Body::ErrorFile,
    })
}

pub fn compile(action: &Action, kind: Kind, compiler: &mut Compiler<'_>) -> Compiled {
    let (reply, default_status, wrap): (_, _, fn(Box<Answer>) -> Verdict) = match action {
        Action::Deny(reply) => (reply, kind.deny_status(), Verdict::Deny),
        Action::Tarpit(reply) => (reply, 500, Verdict::Tarpit),
        Action::Return(reply) => (reply, 200, Verdict::Return),
        _ => return Err(compiler.error("not an answer", "report this")),
    };
    Ok(Box::new(Answering {
        wrap,
        reply: CompiledReply::compile(reply, default_status, compiler)?,
    }))
}
