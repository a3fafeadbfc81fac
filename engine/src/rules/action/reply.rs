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
            // Errors have a message of their own, unless fields of their own are asked for.
            ReplyBody::Default if default_status == 200 || !reply.headers.is_empty() => Body::Empty,
            ReplyBody::Default => Body::ErrorFile,
            ReplyBody::ErrorFile { message, .. } => Body::Message(message.as_slice().into()),
            ReplyBody::ErrorFiles(section) => error_files(section, status, compiler)?,
            ReplyBody::Raw(bytes) => Body::Raw(bytes.as_slice().into()),
            ReplyBody::Format(format) => Body::Format(Format::compile(format, compiler)?),
        };
        let mut fields = Vec::with_capacity(reply.headers.len());
        for (name, value) in &reply.headers {
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

    fn render(&self, cx: &Cx<'_>) -> Answer {
        let rendered = |format: &Format, purpose| {
            let mut text = Vec::new();
            format.render(cx, purpose, &mut text);
            text
        };
        let fields = self
            .fields
            .iter()
            .map(|(name, value)| (name.to_vec().into(), rendered(value, Purpose::Http).into()))
            .collect();
        let content_type = self.content_type.clone();
        let body = match &self.body {
            Body::ErrorFile => AnswerBody::ErrorFile,
            Body::Message(message) => AnswerBody::Message(message.clone()),
            Body::Empty => AnswerBody::Empty,
            Body::Raw(bytes) => AnswerBody::Shared {
                content_type,
                bytes: bytes.clone(),
            },
            Body::Format(format) => AnswerBody::Content {
                content_type,
                // Any byte may stand in a body.
                bytes: rendered(format, Purpose::Raw).into(),
            },
        };
        Answer {
            status: self.status,
            fields,
            body,
        }
    }
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
