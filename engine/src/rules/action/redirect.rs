//! `redirect` (manual, `http-request redirect`).

use cfgparse::bytes::raw;
use cfgparse::model::rule::{Redirect, RedirectKind};
use wire::{Head, TargetForm};

use crate::log::{Format, Purpose};
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::rules::verdict::{Answer, AnswerBody, AnswerField, Verdict};
use crate::sample::Compiler;

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct Redirecting {
    kind: RedirectKind,
    target: Format,
    code: u16,
    drop_query: bool,
    keep_query: bool,
    append_slash: bool,
    ignore_empty: bool,
    set_cookie: Option<Box<[u8]>>,
}

impl Act for Redirecting {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let location = txn.with_scratch(
            |cx, out| self.target.render(cx, Purpose::Http, out),
            |txn, target| {
                if target.is_empty() && self.ignore_empty && self.kind == RedirectKind::Location {
                    return None;
                }
                Some(self.location(target, txn.request.as_deref()))
            },
        );
        let Some(location) = location else {
            return Flow::Next;
        };
        let mut fields: Vec<AnswerField> = Vec::with_capacity(3);
        fields.push((b"location".as_slice().into(), location.into()));
        // 302, 303 and 307 are not to be kept; 301 and 308 are permanent.
        if matches!(self.code, 302 | 303 | 307) {
            fields.push((
                b"cache-control".as_slice().into(),
                b"no-cache".as_slice().into(),
            ));
        }
        if let Some(cookie) = &self.set_cookie {
            fields.push((b"set-cookie".as_slice().into(), cookie.to_vec().into()));
        }
        let answer = Answer {
            status: self.code,
            fields,
            body: AnswerBody::Empty,
        };
        Flow::Stop(Verdict::Redirect(Box::new(answer)))
    }
}

impl Redirecting {
    fn location(&self, target: &[u8], request: Option<&Head>) -> Vec<u8> {
        let mut location = Vec::with_capacity(target.len() + 128);
        match self.kind {
            RedirectKind::Scheme => {
                location.extend_from_slice(target);
                location.extend_from_slice(b"://");
                location.extend_from_slice(request.map(Head::host).unwrap_or_default());
                self.push_path(request, &mut location);
            }
            RedirectKind::Prefix => {
                // A prefix of "/" adds nothing, so that only the path's own options show.
                if target != b"/" {
                    location.extend_from_slice(target);
                }
                self.push_path(request, &mut location);
            }
            RedirectKind::Location => {
                location.extend_from_slice(target);
                if self.keep_query
                    && let Some(query) = request.and_then(Head::query)
                {
                    let mark = if memchr::memchr(b'?', target).is_some() {
                        b'&'
                    } else {
                        b'?'
                    };
                    location.push(mark);
                    location.extend_from_slice(query);
                }
            }
        }
        location
    }

    /// The request's path, with its query unless `drop-query`, and with `append-slash` a slash behind.
    fn push_path(&self, request: Option<&Head>, location: &mut Vec<u8>) {
        let Some(target) = request.map(Head::target_parts) else {
            return;
        };
        if !matches!(target.form, TargetForm::Origin | TargetForm::Absolute) {
            location.push(b'/');
            return;
        }
        let path = target.path();
        if path.is_empty() {
            location.push(b'/');
        }
        location.extend_from_slice(path);
        if !self.drop_query {
            location.extend_from_slice(&target.path_and_query[path.len()..]);
        } else if self.append_slash && !path.ends_with(b"/") {
            location.push(b'/');
        }
    }
}

pub fn compile(redirect: &Redirect, _: Kind, compiler: &mut Compiler<'_>) -> Compiled {
    let set_cookie = match (&redirect.set_cookie, &redirect.clear_cookie) {
        (Some(cookie), _) => Some(format!("{cookie}; path=/;")),
        (None, Some(cookie)) => Some(format!("{cookie}; path=/; Max-Age=0;")),
        (None, None) => None,
    };
    Ok(Box::new(Redirecting {
        kind: redirect.kind,
        target: Format::compile(&redirect.target, compiler)?,
        code: redirect.code,
        drop_query: redirect.drop_query,
        keep_query: redirect.keep_query,
        append_slash: redirect.append_slash,
        ignore_empty: redirect.ignore_empty,
        set_cookie: set_cookie.map(|text| raw(&text).into()),
    }))
}
