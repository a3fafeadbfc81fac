//! What every parse function has at hand: the findings, the files, the options.

use crate::ast::{Line, Word};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Span};
use crate::expr::condition::PREDEFINED;
use crate::expr::{Fault, pattern};
use crate::lex;
use crate::load::LoadOptions;
use crate::model::Place;
use crate::model::expr::{MatchMethod, PatternFile};
use crate::quantity::{self, QuantityError, TimeUnit};
use crate::registry::sample::{find_acl_word, find_fetch};
use crate::registry::{Full, Harmless, Ignored, Info, Partial, Planned, Refused};
use crate::source::{Environment, FileAccess};

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
}

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
                let text = String::from_utf8_lossy(&bytes);
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
            Planned => self.report(
                Diagnostic::new(
                    Severity::Alert,
                    "not-supported-yet",
                    Some(span),
                    format!("'{name}' is not supported yet"),
                )
                .cause("it would change what traffic passes or how, so it is not ignored")
                .remedy("remove it, or keep this part of the traffic on HAProxy meanwhile"),
            ),
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

    /// Says that a keyword of older versions was understood, and how it is spelled today.
    pub fn translated(&mut self, span: Span, old: &str, new: &str, since: &str) {
        let message =
            format!("the '{old}' directive is not supported anymore since HAProxy {since}");
        if self.options.translate_removed {
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

/// The words of a line, read from left to right.
pub struct Args<'l> {
    line: &'l Line,
    at: usize,
    /// First and behind the last of the words that make up the keyword.
    label: std::ops::Range<usize>,
}

impl<'l> Args<'l> {
    /// Behind the first `named` words.
    pub fn new(line: &'l Line, named: usize) -> Self {
        Self {
            line,
            at: named,
            label: 0..named,
        }
    }

    pub fn line(&self) -> &'l Line {
        self.line
    }

    pub fn span(&self) -> Span {
        self.line.span()
    }

    /// The keyword as messages show it.
    pub fn label(&self) -> String {
        let end = self.label.end.min(self.line.words.len());
        let named = &self.line.words[self.label.start.min(end)..end];
        named.iter().map(Word::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Counts the words read so far as part of the keyword.
    pub fn name_so_far(&mut self) {
        self.label.end = self.at;
    }

    /// The next word begins a keyword: messages name it, not what stands before it.
    pub fn begin_name(&mut self) {
        self.label = self.at..self.at + 1;
    }

    pub fn peek(&self) -> Option<&'l Word> {
        self.line.words.get(self.at)
    }

    pub fn peek_str(&self) -> &'l str {
        self.peek().map_or("", Word::as_str)
    }

    #[expect(
        clippy::should_implement_trait,
        reason = "reads like a word list, is no iterator"
    )]
    pub fn next(&mut self) -> Option<&'l Word> {
        let word = self.line.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    /// The next word if it is `text`.
    pub fn accept(&mut self, text: &str) -> bool {
        let found = self.peek_str() == text && self.peek().is_some();
        self.at += usize::from(found);
        found
    }

    pub fn is_empty(&self) -> bool {
        self.at >= self.line.words.len()
    }

    /// All words that are left.
    pub fn rest(&mut self) -> &'l [Word] {
        let rest = &self.line.words[self.at.min(self.line.words.len())..];
        self.at = self.line.words.len();
        rest
    }

    /// Where the next word is, or the line's end.
    pub fn here(&self) -> Span {
        self.peek().map_or_else(|| self.end(), Word::span)
    }

    /// Behind the last word.
    fn end(&self) -> Span {
        let last = &self.line.words[self.line.words.len() - 1];
        Span {
            at: Place {
                column: last.at.column + last.len,
                ..last.at
            },
            len: 1,
        }
    }

    /// The next word, which must be there.
    pub fn required(&mut self, cx: &mut Context, what: &str) -> Option<&'l Word> {
        let word = self.next();
        if word.is_none() {
            let message = format!("'{}' expects {what}.", self.label());
            cx.alert(self.end(), "missing-argument", message);
        }
        word
    }

    pub fn text(&mut self, cx: &mut Context, what: &str) -> Option<String> {
        self.required(cx, what).map(|word| word.text.clone())
    }

    pub fn number<T: TryFrom<i64>>(&mut self, cx: &mut Context) -> Option<T> {
        let word = self.required(cx, "an integer value")?;
        self.parsed(cx, word, "an integer", quantity::number(&word.text))
    }

    /// A number within `range`.
    pub fn number_in(&mut self, cx: &mut Context, low: i64, high: i64) -> Option<i64> {
        let word = self.required(cx, "an integer value")?;
        let value = self.parsed(cx, word, "an integer", quantity::number::<i64>(&word.text))?;
        if value < low || value > high {
            let message = format!(
                "'{}' expects an integer between {low} and {high} (got {value}).",
                self.label()
            );
            cx.alert(word.span(), "out-of-range", message);
            return None;
        }
        Some(value)
    }

    /// A time in milliseconds; one without a unit counts in `unit`.
    pub fn time_in(&mut self, cx: &mut Context, unit: TimeUnit) -> Option<u32> {
        let word = self.required(cx, "a time")?;
        self.parsed(
            cx,
            word,
            "a time such as 10s",
            quantity::time_ms(&word.text, unit),
        )
    }

    pub fn time(&mut self, cx: &mut Context) -> Option<u32> {
        self.time_in(cx, TimeUnit::Milliseconds)
    }

    pub fn seconds(&mut self, cx: &mut Context) -> Option<u32> {
        self.time_in(cx, TimeUnit::Seconds)
            .map(|ms| ms.div_ceil(1000))
    }

    /// A size in bytes.
    pub fn size<T: TryFrom<u64>>(&mut self, cx: &mut Context) -> Option<T> {
        let word = self.required(cx, "a size")?;
        let bytes = self.parsed(cx, word, "a size such as 16k", quantity::size(&word.text))?;
        let Ok(bytes) = T::try_from(bytes) else {
            let message = format!(
                "'{}' : the size '{}' is too large.",
                self.label(),
                word.text
            );
            cx.alert(word.span(), "out-of-range", message);
            return None;
        };
        Some(bytes)
    }

    /// `on` or `off`.
    pub fn on_off(&mut self, cx: &mut Context) -> Option<bool> {
        let word = self.required(cx, "either 'on' or 'off'")?;
        match word.as_str() {
            "on" => Some(true),
            "off" => Some(false),
            _ => {
                self.unexpected(cx, word, "either 'on' or 'off'");
                None
            }
        }
    }

    /// Reports that `word` is not `wanted`.
    pub fn unexpected(&self, cx: &mut Context, word: &Word, wanted: &str) {
        let message = format!("'{}' expects {wanted} (got '{}').", self.label(), word.text);
        cx.alert(word.span(), "unexpected-argument", message);
    }

    /// Reports that the line ends, or its condition begins, before `wanted`.
    pub fn unexpected_end(&self, cx: &mut Context, wanted: &str) {
        let message = format!("'{}' expects {wanted}.", self.label());
        cx.alert(self.here(), "missing-argument", message);
    }

    fn parsed<T>(
        &self,
        cx: &mut Context,
        word: &Word,
        wanted: &str,
        value: Result<T, QuantityError>,
    ) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(error) => {
                let message = format!(
                    "'{}' expects {wanted} but got '{}': {error}.",
                    self.label(),
                    word.text
                );
                cx.alert(word.span(), "bad-value", message);
                None
            }
        }
    }

    /// Nothing may be left.
    pub fn finish(&mut self, cx: &mut Context) {
        if let Some(extra) = self.peek() {
            let message = format!(
                "'{}' : unexpected extra argument '{}'.",
                self.label(),
                extra.text
            );
            cx.alert(extra.span(), "extra-argument", message);
            self.at = self.line.words.len();
        }
    }
}
