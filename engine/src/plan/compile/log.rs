//! What a proxy logs, and where to.

use std::sync::Arc;

use cfgparse::model::Proxy;
use cfgparse::model::expr::LogFormat;
use cfgparse::model::log::Format as Written;

use super::Context;
use crate::log::{
    CLF_LOG_FORMAT, Format, HTTP_LOG_FORMAT, HTTPS_LOG_FORMAT, JSON_HTTP_LOG_FORMAT,
    JSON_TCP_LOG_FORMAT, TCP_CLF_LOG_FORMAT, TCP_LOG_FORMAT,
};
use crate::plan::LogSink;
use crate::sample::{Compiler, Point};

impl Context<'_> {
    pub(super) fn log(&mut self, section: &Proxy, compiler: &mut Compiler<'_>) -> LogSink {
        let logging = &section.logging;
        let mut targets = Vec::new();
        for target in &logging.targets {
            let known = self.log_targets.iter().position(|known| known == target);
            targets.push(known.unwrap_or_else(|| {
                self.log_targets.push(target.clone());
                self.log_targets.len() - 1
            }));
        }
        compiler.point = Point::Log;
        compiler.at = section.at;
        let built_in = |text: &str| cfgparse::expr::format::built_in(text);
        let format = match &logging.format {
            Written::Default => None,
            Written::Tcp => built_in(TCP_LOG_FORMAT),
            Written::TcpClf => built_in(TCP_CLF_LOG_FORMAT),
            Written::Json if section.mode == cfgparse::model::Mode::Http => {
                built_in(JSON_HTTP_LOG_FORMAT)
            }
            Written::Json => built_in(JSON_TCP_LOG_FORMAT),
            Written::Http => built_in(HTTP_LOG_FORMAT),
            Written::HttpClf => built_in(CLF_LOG_FORMAT),
            Written::Https => built_in(HTTPS_LOG_FORMAT),
            Written::Custom(format) => Some(format.clone()),
        };
        let mut compile = |format: Option<&LogFormat>| {
            let compiled = Format::compile(format?, compiler);
            self.note(compiled).map(Arc::new)
        };
        let format = compile(format.as_ref());
        LogSink {
            targets: targets.into(),
            counts: format.as_ref().is_some_and(|format| format.uses("lc")),
            format,
            error_format: compile(logging.error_format.as_ref()),
            structured_data: compile(logging.format_sd.as_ref()),
            tag: logging.tag.as_deref().map(Into::into),
            dontlognull: logging.dontlognull,
            dontlog_normal: logging.dontlog_normal,
            separate_errors: logging.log_separate_errors,
            asap: logging.logasap,
        }
    }
}
