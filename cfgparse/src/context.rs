//! What every parse function has at hand: the findings, the files, the options.

use crate::bytes;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Span, closest};
use crate::expr::condition::PREDEFINED;
use crate::expr::{Fault, pattern};
use crate::lex;
use crate::load::LoadOptions;
use crate::model::Place;
use crate::model::expr::{MatchMethod, PatternFile};
use crate::registry::sample::{find_acl_word, find_fetch};
use crate::registry::{Full, Harmless, Ignored, Info, Partial, Planned, Refused};
use crate::source::{Environment, FileAccess};

/// Sockets and servers that ranges and templates of one configuration may unroll to: every core
/// opens each socket, and each server costs about a kilobyte.
pub const MAX_UNROLLED: usize = 131_072;

/// Names that are compared in search of what was meant by one that is unknown: enough for every
/// mistake that people make, and no time lost on a file that names thousands of things wrongly.
const HINTS: usize = 1 << 20;

/// A keyword that the configuration uses, and where: what `migrate` prints.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    pub info: &'static Info,
    pub at: Place,
}

/// A name that must exist once everything is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub kind: ReferenceKind,
    pub name: String,
    pub span: Span,
}

/// What a [`Reference`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceKind {
    Backend,
    Frontend,
    /// `BACKEND/SERVER`, or a server of the same proxy.
    Server,
    /// A proxy with a stick table, or `PEERS/TABLE`.
    Table,
    Userlist,
    HttpErrors,
    Resolvers,
    Peers,
    Ring,
    Cache,
    Mailers,
    FcgiApp,
    Healthcheck,
    /// An ACL of the section at hand.
    Acl,
    /// A `bwlim` filter of the section at hand.
    BandwidthLimit,
    LogProfile,
}

/// The section whose lines are read, as far as expressions and actions ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Of a proxy; empty in all other sections.
    pub name: String,
    pub has_frontend: bool,
    pub has_backend: bool,
}

impl Default for Owner {
    fn default() -> Self {
        Self {
            name: String::new(),
            has_frontend: true,
            has_backend: true,
        }
    }
}

/// How many counters a stream can track where `tune.stick-counters` says nothing.
const STICK_COUNTERS: u32 = 3;

/// Shared by all parse functions of one load.
pub struct Context<'a> {
    pub diagnostics: Diagnostics,
    pub files: &'a dyn FileAccess,
    pub options: &'a LoadOptions,
    pub file_names: &'a [String],
    /// As the last line of the text leaves it.
    pub environment: &'a Environment,
    pub uses: Vec<Use>,
    pub references: Vec<Reference>,
    /// Maps that converters and actions name, each once.
    pub maps: Vec<PatternFile>,
    /// Predefined ACLs in use, each once.
    pub predefined: Vec<&'static str>,
    /// Sockets and servers that ranges and templates were unrolled to so far.
    pub unrolled: usize,
    /// How many of [`HINTS`] are left.
    hints: usize,
    pub owner: Owner,
    /// `tune.stick-counters`.
    pub stick_counters: u32,
    /// A Lua program is loaded, so that names beginning with `lua.` may stand for something.
    pub has_lua: bool,
    /// Folder that relative paths begin at; empty: the working folder.
    pub default_path: String,
    /// `crt-base` and `ca-base` of `global`.
    pub crt_base: Option<String>,
    pub ca_base: Option<String>,
}

impl<'a> Context<'a> {
    pub fn new(
        diagnostics: Diagnostics,
        files: &'a dyn FileAccess,
        options: &'a LoadOptions,
        file_names: &'a [String],
        environment: &'a Environment,
    ) -> Self {
        Self {
            diagnostics,
            files,
            options,
            file_names,
            environment,
            uses: Vec::new(),
            references: Vec::new(),
            maps: Vec::new(),
            predefined: Vec::new(),
            unrolled: 0,
            hints: HINTS,
            owner: Owner::default(),
            stick_counters: STICK_COUNTERS,
            has_lua: false,
            default_path: String::new(),
            crt_base: None,
            ca_base: None,
        }
    }

    /// Refuses the configuration because of `span`.
    pub fn alert(&mut self, span: Span, code: &'static str, message: impl Into<String>) {
        self.report(Diagnostic::new(Severity::Alert, code, Some(span), message));
    }

    pub fn warn(&mut self, span: Span, code: &'static str, message: impl Into<String>) {
        self.report(Diagnostic::new(
            Severity::Warning,
            code,
            Some(span),
            message,
        ));
    }

    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// An address with `$NAME` and `${NAME}` resolved, which addresses take outside of quotes too.
    pub fn address(&self, text: &str) -> String {
        if !text.contains('$') {
            return text.to_owned();
        }
        let quoted = format!("\"{text}\"");
        let variable = |name: &str| self.environment.value(name).map(str::to_owned);
        match lex::words(&quoted, Place::default(), &variable) {
            Ok(words) => words
                .into_iter()
                .next()
                .map_or_else(String::new, |word| word.text),
            Err(_) => text.to_owned(),
        }
    }

    /// The path that the configuration means by `path`.
    pub fn path(&self, path: &str) -> String {
        if path.starts_with('/') || self.default_path.is_empty() {
            path.to_owned()
        } else {
            format!("{}/{path}", self.default_path.trim_end_matches('/'))
        }
    }

    /// Whether there is a file or a folder of this path.
    pub fn exists(&self, path: &str) -> bool {
        self.files.exists(path)
    }

    /// A certificate or list of authorities: relative ones begin at `base`, those behind `@` are names.
    pub fn tls_path(&self, path: &str, base: Option<&str>) -> String {
        match base {
            Some(base) if !path.starts_with(['/', '@']) => {
                self.path(&format!("{}/{path}", base.trim_end_matches('/')))
            }
            _ if path.starts_with('@') => path.to_owned(),
            _ => self.path(path),
        }
    }

    /// Reads a pattern or map file: `file@`, `opt@` and `virt@` names (manual, 2.7).
    pub fn pattern_file(
        &mut self,
        name: &str,
        as_map: bool,
        span: Span,
    ) -> Result<PatternFile, Fault> {
        let plain = |path: &str, lines| PatternFile {
            path: path.to_owned(),
            lines,
        };
        if name.starts_with("virt@") {
            return Ok(plain(name, Vec::new()));
        }
        let optional = name.strip_prefix("opt@");
        let path = optional.or(name.strip_prefix("file@")).unwrap_or(name);
        match self.files.read(&self.path(path)) {
            Ok(bytes) => {
                let text = bytes::text(bytes);
                Ok(plain(path, pattern::file_lines(&text, as_map)))
            }
            Err(_) if optional.is_some() => Ok(plain(path, Vec::new())),
            Err(error) => Err(Fault::new(
                "unreadable-file",
                span,
                format!("failed to open pattern file <{path}>"),
            )
            .remedy(Some(format!("{error}: '{}'", self.path(path))))),
        }
    }

    /// Reads a map once; its keys must fit `method`.
    pub fn map_file(&mut self, name: &str, method: MatchMethod, span: Span) -> Result<(), Fault> {
        let known = name
            .strip_prefix("opt@")
            .or(name.strip_prefix("file@"))
            .unwrap_or(name);
        if self.maps.iter().any(|map| map.path == known) {
            return Ok(());
        }
        let file = self.pattern_file(name, true, span)?;
        for line in &file.lines {
            pattern::check(self, method, false, &line.key, span).map_err(|mut fault| {
                fault.message =
                    format!("{} at line {} of file '{known}'", fault.message, line.line);
                fault
            })?;
        }
        self.maps.push(file);
        Ok(())
    }

    /// Reads a file of any kind, or says why it can't be.
    pub fn file(&mut self, path: &str, span: Span) -> Option<Vec<u8>> {
        match self.files.read(&self.path(path)) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.report(
                    Diagnostic::new(
                        Severity::Alert,
                        "unreadable-file",
                        Some(span),
                        format!("error reading file '{path}' : {error}."),
                    )
                    .remedy("check the path, and that this user may read it"),
                );
                None
            }
        }
    }

    /// Notes that a predefined ACL is in use.
    pub fn used_predefined(&mut self, name: &str, span: Span) {
        let Some((name, words)) = PREDEFINED.iter().find(|(known, _)| *known == name) else {
            return;
        };
        if !self.predefined.contains(name) {
            self.predefined.push(name);
        }
        let criterion = words[0].split('(').next().unwrap_or("");
        let fetch = find_acl_word(criterion).map_or(criterion, |word| word.fetch);
        if let Some(row) = find_fetch(fetch) {
            self.used(&row.info, span);
        }
    }

    /// `file:line`, as messages name another place.
    pub fn locate(&self, at: Place) -> String {
        let file = self
            .file_names
            .get(at.file as usize)
            .map_or("", String::as_str);
        format!("{file}:{}", at.line)
    }

    /// Notes that `info`'s keyword stands at `span`, and says so where it does not work.
    pub fn used(&mut self, info: &'static Info, span: Span) {
        self.uses.push(Use { info, at: span.at });
        if self.options.language_only {
            return;
        }
        let name = info.name;
        match info.status {
            Full | Ignored(_) => {}
            Partial(missing) => self.report(Diagnostic::new(
                Severity::Diag,
                "partial",
                Some(span),
                format!("'{name}' is supported in part: {missing}"),
            )),
            Refused(instead) => self.report(
                Diagnostic::new(
                    Severity::Alert,
                    "refused",
                    Some(span),
                    format!("'{name}' is not supported"),
                )
                .remedy(instead),
            ),
            Planned => self.not_yet(span, name),
            Harmless => self.report(
                Diagnostic::new(
                    Severity::Warning,
                    "not-supported-yet",
                    Some(span),
                    format!("'{name}' is not supported yet and has no effect"),
                )
                .cause("nothing that clients or servers see depends on it"),
            ),
        }
    }

    /// Refuses `what`, which is known and not done yet.
    pub fn not_yet(&mut self, span: Span, what: &str) {
        if self.options.language_only {
            return;
        }
        self.report(
            Diagnostic::new(
                Severity::Alert,
                "not-supported-yet",
                Some(span),
                format!("'{what}' is not supported yet"),
            )
            .cause("it would change what traffic passes or how, so it is not ignored")
            .remedy("remove it, or keep this part of the traffic on HAProxy meanwhile"),
        );
    }

    /// The name nearest to `word` among those that the configuration itself gives.
    pub fn closest<'c>(
        &mut self,
        word: &str,
        candidates: impl Iterator<Item = &'c str>,
    ) -> Option<&'c str> {
        let mut left = self.hints;
        let counted = candidates.take_while(|_| {
            left = left.saturating_sub(1);
            left > 0
        });
        let found = closest(word, counted);
        self.hints = left;
        found
    }

    /// Refuses `what` in a proxy without the side that it needs.
    pub fn needs_side(&mut self, frontend: bool, span: Span, what: &str) -> bool {
        let (has, side) = if frontend {
            (self.owner.has_frontend, "frontend")
        } else {
            (self.owner.has_backend, "backend")
        };
        if !has {
            let message = format!("{what} : '{}' has no {side} capability.", self.owner.name);
            self.alert(span, "wrong-section", message);
        }
        has
    }

    /// Counts what a range or template unrolls to; refuses more than [`MAX_UNROLLED`] in all.
    pub fn unroll(&mut self, count: usize, span: Span) -> bool {
        self.unrolled = self.unrolled.saturating_add(count);
        let fits = self.unrolled <= MAX_UNROLLED;
        if !fits {
            let message = format!(
                "ranges and templates unroll to more than {MAX_UNROLLED} sockets and servers."
            );
            self.alert(span, "out-of-range", message);
        }
        fits
    }

    /// Whether a keyword that version `since` removed is understood. HAProxy 2.6, which many still
    /// run, is part of the language.
    pub fn translates(&self, since: &str) -> bool {
        let major_minor = |version: &str| {
            let (major, minor) = version.split_once('.')?;
            Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
        };
        self.options.translate_removed || major_minor(since) > Some((2, 6))
    }

    /// Says that a keyword of older versions was understood, and how it is spelled today.
    pub fn translated(&mut self, span: Span, old: &str, new: &str, since: &str) {
        let message =
            format!("the '{old}' directive is not supported anymore since HAProxy {since}");
        if self.translates(since) {
            self.report(
                Diagnostic::new(
                    Severity::Warning,
                    "old-spelling",
                    Some(span),
                    format!("{message}; it is understood as '{new}'"),
                )
                .remedy(format!("write '{new}'")),
            );
        } else {
            self.report(Diagnostic::new(
                Severity::Alert,
                "old-spelling",
                Some(span),
                format!("{message}. Use '{new}'."),
            ));
        }
    }
}
