//! The client side of a proxy.

use std::sync::Arc;

use cfgparse::model::proxy::Target;
use cfgparse::model::{Place, Proxy};

use super::Context;
use crate::log::Format;
use crate::plan::{CookieCapture, Frontend, HeaderCapture, ListenerId, Route, RouteTarget};
use crate::sample::{CaptureCounts, Compiler, Point};

impl Context<'_> {
    /// `unique-id-format`.
    pub(super) fn unique_id(
        &mut self,
        section: &Proxy,
        compiler: &mut Compiler<'_>,
    ) -> Option<Arc<Format>> {
        let format = section.logging.unique_id_format.as_ref()?;
        compiler.point = Point::HttpRequest;
        let compiled = Format::compile(&format.with_merged_blanks(), compiler);
        self.note(compiled).map(Arc::new)
    }

    pub(super) fn frontend(
        &mut self,
        section: &Proxy,
        listeners: Vec<ListenerId>,
        compiler: &mut Compiler<'_>,
    ) -> Frontend {
        let point = switching_point(section);
        declare_captures(section, compiler);
        let mut routes = Vec::new();
        for rule in &section.use_backends {
            let condition = self.condition(rule.condition.as_ref(), rule.at, point, compiler);
            if let Some(target) = self.target(&rule.target, rule.at, compiler) {
                routes.push(Route { condition, target });
            }
        }
        let default_backend = section
            .default_backend
            .as_ref()
            .and_then(|target| self.target(target, section.at, compiler));
        let monitor_fail = section
            .monitor_fail
            .iter()
            .filter_map(|condition| self.condition(Some(condition), section.at, point, compiler))
            .collect();
        let unique_id = self.unique_id(section, compiler);
        Frontend {
            listeners,
            maxconn: section.maxconn.unwrap_or(0),
            routes,
            default_backend,
            monitor_uri: section
                .monitor_uri
                .as_ref()
                .map(|uri| uri.as_bytes().into()),
            monitor_fail,
            unique_id,
            unique_id_header: section
                .logging
                .unique_id_header
                .as_ref()
                .map(|name| name.to_ascii_lowercase().into_bytes().into()),
            request_captures: captures(&section.captures.request),
            response_captures: captures(&section.captures.response),
            cookie_capture: section
                .captures
                .cookie
                .as_ref()
                .map(|cookie| CookieCapture {
                    begins: cookie.name.as_bytes().into(),
                    bytes_max: cookie.len as usize,
                }),
            captures_declared: CaptureCounts::default(),
        }
    }

    fn target(
        &mut self,
        target: &Target,
        at: Place,
        compiler: &mut Compiler<'_>,
    ) -> Option<RouteTarget> {
        match target {
            Target::Static(name) => {
                let found = compiler.names.backend(name).map(RouteTarget::Backend);
                if found.is_none() {
                    self.error(
                        at,
                        format!("unable to find required use_backend: '{name}'"),
                        "declare a backend of this name, or name one that exists",
                    );
                }
                found
            }
            Target::Dynamic(format) => {
                compiler.at = at;
                compiler.point = Point::HttpRequest;
                let compiled = Format::compile(format, compiler);
                self.note(compiled).map(RouteTarget::Named)
            }
        }
    }
}

/// Tells the rules how many capture slots the section has, and how long each is.
fn declare_captures(section: &Proxy, compiler: &mut Compiler<'_>) {
    let slots = &mut compiler.captures;
    let captures = &section.captures;
    slots.request = captures.request.iter().map(|c| c.len).collect();
    slots.response = captures.response.iter().map(|c| c.len).collect();
}

/// Where the conditions of switching rules are evaluated.
pub(super) fn switching_point(section: &Proxy) -> Point {
    match section.mode {
        cfgparse::model::Mode::Http => Point::HttpRequest,
        _ => Point::TcpRequest,
    }
}

/// The fields to keep, each with the slot that its line made.
fn captures(lines: &[cfgparse::model::proxy::CaptureLine]) -> Box<[HeaderCapture]> {
    let capture = |(slot, line): (usize, &cfgparse::model::proxy::CaptureLine)| {
        Some(HeaderCapture {
            slot,
            name: line
                .header
                .as_ref()?
                .to_ascii_lowercase()
                .into_bytes()
                .into(),
            bytes_max: line.len as usize,
        })
    };
    lines.iter().enumerate().filter_map(capture).collect()
}
