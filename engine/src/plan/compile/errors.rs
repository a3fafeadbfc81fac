//! The error pages of one proxy.

use cfgparse::model::rule::{Reply, ReplyBody};
use cfgparse::model::section::ErrorReply;

use super::Context;
use crate::plan::{ErrorPage, ErrorPages};
use crate::rules::CompiledReply;
use crate::sample::{Compiler, Point};

impl Context<'_> {
    pub(super) fn error_pages(
        &mut self,
        section: &cfgparse::model::Proxy,
        compiler: &mut Compiler<'_>,
    ) -> ErrorPages {
        let model = self.model;
        let mut pages = ErrorPages::default();
        for error in &section.http_errors {
            compiler.at = error.at;
            match &error.reply {
                ErrorReply::File(page) => pages.set(error.code, error_file(&page.message)),
                ErrorReply::Location { status, url } => {
                    let (status, url) = (*status, url.as_str().into());
                    pages.set(error.code, ErrorPage::Location { status, url });
                }
                ErrorReply::Files(name) => {
                    let sections = model.http_errors.iter();
                    let named = sections.filter(|section| section.name == *name);
                    for page in named.flat_map(|section| &section.files) {
                        if error.code == 0 || error.code == page.code {
                            pages.set(page.code, error_file(&page.message));
                        }
                    }
                }
                ErrorReply::Reply(reply) => {
                    self.http_error(error.code, reply, &mut pages, compiler);
                }
            }
        }
        pages
    }

    /// `http-error`: a page that is made when it is needed.
    fn http_error(
        &mut self,
        code: u16,
        reply: &Reply,
        pages: &mut ErrorPages,
        compiler: &mut Compiler<'_>,
    ) {
        if reply.body == ReplyBody::DefaultErrorFiles {
            return pages.unset(code);
        }
        compiler.point = Point::HttpRequest;
        // As with `return`, saying nothing means an empty body.
        let compiled = CompiledReply::compile(reply, 200, compiler);
        match self.note(compiled) {
            Some(reply) if !reply.is_error_page() => {
                pages.set(code, ErrorPage::Reply(reply.into()));
            }
            _ => {}
        }
    }
}

fn error_file(message: &[u8]) -> ErrorPage {
    match message {
        [] => ErrorPage::Silent,
        message => ErrorPage::Message(message.into()),
    }
}
