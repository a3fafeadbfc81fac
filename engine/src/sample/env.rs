//! What names in the configuration stand for while it is compiled.

use std::collections::HashMap;
use std::sync::Arc;

use cfgparse::model::Place;
use cfgparse::model::expr::Acl;

use crate::plan::{ProxyId, ServerId};
use crate::rules::Userlist;
use crate::table::{KeyKind, TableId};

use super::conv::PublicKeys;
use super::cx::CaptureCounts;
use super::error::CompileError;
use super::pattern::{PatternId, PatternTable};
use super::point::Point;
use super::value::Type;
use super::vars::VarTable;

/// Resolves the configuration's names to ids. The plan's compiler implements it.
#[allow(unused_variables)]
pub trait Names {
    /// A proxy that can be a backend.
    fn backend(&self, name: &str) -> Option<ProxyId>;
    /// A proxy that can be a frontend.
    fn frontend(&self, name: &str) -> Option<ProxyId>;
    fn server(&self, backend: ProxyId, name: &str) -> Option<ServerId>;
    fn userlist(&self, name: &str) -> Option<Arc<Userlist>> {
        None
    }
    /// The message that an `http-errors` section has for a status.
    fn http_error(&self, section: &str, status: u16) -> Option<Arc<[u8]>> {
        None
    }
    /// Whether there is an `http-errors` section of this name.
    fn has_http_errors(&self, section: &str) -> bool {
        false
    }
    /// A `log-profile` section.
    fn log_profile(&self, name: &str) -> Option<Arc<cfgparse::model::section::LogProfile>> {
        None
    }
    /// An environment variable (`env()`).
    fn environment(&self, name: &str) -> Option<String> {
        None
    }
    /// The content of a file that a converter names; the error says why it cannot be read.
    fn file(&self, name: &str) -> Result<Vec<u8>, String> {
        Err(format!("failed to open file <{name}>"))
    }
    /// Lines of a map file that a converter names; the error says why it cannot be read.
    fn map_file(&self, name: &str) -> Result<Arc<cfgparse::model::expr::PatternFile>, String> {
        Err(format!("failed to open pattern file <{name}>"))
    }
    /// A stick table by its name, with the type of its keys.
    fn table(&self, name: &str) -> Option<(TableId, KeyKind)> {
        None
    }
    /// The stick table of a proxy's own section.
    fn table_of(&self, proxy: ProxyId) -> Option<(TableId, KeyKind)> {
        None
    }
    /// A `cache` section.
    fn cache(&self, name: &str) -> Option<crate::cache::CacheId> {
        None
    }
    /// A `resolvers` section; the one named `default` always exists.
    fn resolvers(&self, name: &str) -> Option<crate::plan::ResolversId> {
        None
    }
    /// How many keys a stream can track (`tune.stick-counters`).
    fn stick_counters(&self) -> u32 {
        3
    }
    /// The text of a configuration file's name, for `last_rule_file`.
    fn file_name(&self, file: u32) -> Arc<str> {
        Arc::from("")
    }
}

/// State of compiling one plan: names, variables, pattern sets, and what was found wrong.
pub struct Compiler<'n> {
    pub names: &'n dyn Names,
    pub vars: VarTable,
    pub patterns: PatternTable,
    /// The public keys that `jwt_verify` names.
    pub public_keys: PublicKeys,
    /// Found wrong, but not fatal: conditions that can never hold, for instance.
    pub warnings: Vec<CompileError>,
    /// The proxy whose lines are being compiled.
    pub proxy: Option<ProxyId>,
    /// The named ACLs that are visible there.
    pub acls: HashMap<&'n str, &'n Acl>,
    /// Where the expression at hand will be evaluated.
    pub point: Point,
    /// The line at hand.
    pub at: Place,
    /// Lengths of the frontend's request and response capture slots; `capture` adds to them.
    pub captures: CaptureSlots,
    /// Some expression reads a message's body: the streams then look at bodies before rules run.
    pub reads_bodies: bool,
    pub(crate) acl_cache: HashMap<(Point, String), Arc<crate::rules::Test>>,
}

/// Lengths in bytes of the capture slots that a frontend declares, in order.
#[derive(Clone, Debug, Default)]
pub struct CaptureSlots {
    pub request: Vec<u32>,
    pub response: Vec<u32>,
}

impl CaptureSlots {
    /// How many there are.
    pub fn counts(&self) -> CaptureCounts {
        CaptureCounts {
            request: self.request.len(),
            response: self.response.len(),
        }
    }
}

impl<'n> Compiler<'n> {
    pub fn new(names: &'n dyn Names) -> Compiler<'n> {
        Compiler {
            names,
            vars: VarTable::default(),
            patterns: PatternTable::default(),
            public_keys: PublicKeys::default(),
            warnings: Vec::new(),
            proxy: None,
            acls: HashMap::new(),
            point: Point::Internal,
            at: Place::default(),
            captures: CaptureSlots::default(),
            reads_bodies: false,
            acl_cache: HashMap::new(),
        }
    }

    /// Enters a proxy: its ACLs become visible and its captures count from 0.
    pub fn enter(&mut self, proxy: ProxyId, acls: &'n [Acl]) {
        self.proxy = Some(proxy);
        self.acls.clear();
        self.acls
            .extend(acls.iter().map(|acl| (acl.name.as_str(), acl)));
        self.captures = CaptureSlots::default();
        self.acl_cache.clear();
    }

    /// Notes that the line at hand uses a pattern set; `value` is what a map's values are read as.
    pub fn used_patterns(&mut self, set: PatternId, value: Option<Type>) {
        let at = (self.names.file_name(self.at.file), self.at.line);
        self.patterns.used(set, at, value);
    }

    /// An error at the line at hand.
    pub fn error(&self, message: impl Into<String>, remedy: impl Into<String>) -> CompileError {
        CompileError::new(self.at, message, remedy)
    }

    /// Notes a warning at the line at hand.
    pub fn warn(&mut self, message: impl Into<String>, remedy: impl Into<String>) {
        let warning = self.error(message, remedy);
        self.warnings.push(warning);
    }
}
