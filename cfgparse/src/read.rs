//! Lines into sections: conditional blocks, messages, variables set on the way (manual, 2.4, 3.1).

use std::cell::RefCell;

use crate::ast::{Ast, Line, Section, Word};
use crate::condition;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Span, closest};
use crate::lex;
use crate::load::LoadOptions;
use crate::model::Place;
use crate::model::global::EnvChange;
use crate::source::{Environment, Source};

/// Keywords that begin a section, with what HAProxy calls them.
pub const SECTIONS: &[&str] = &[
    "acme",
    "backend",
    "cache",
    "crt-store",
    "defaults",
    "fcgi-app",
    "frontend",
    "global",
    "healthcheck",
    "http-errors",
    "listen",
    "log-forward",
    "log-profile",
    "mailers",
    "peers",
    "program",
    "resolvers",
    "ring",
    "traces",
    "userlist",
];

/// Blocks within blocks, at most.
const MAX_NESTING: usize = 1024;

/// Reads all sources. Faults are reported and their lines left out. Gives the environment as the
/// last line leaves it too.
pub fn read(
    sources: &[Source],
    environment: &Environment,
    options: &LoadOptions,
    diagnostics: &mut Diagnostics,
) -> (Ast, Environment) {
    let mut reader = Reader {
        ast: Ast {
            files: sources.iter().map(|s| s.name.clone()).collect(),
            ..Ast::default()
        },
        environment: RefCell::new(environment.clone()),
        options,
        diagnostics,
        blocks: Vec::new(),
        section: String::new(),
        out_of_section: true,
    };
    for (index, source) in sources.iter().enumerate() {
        reader.source(index as u32, source);
    }
    (reader.ast, reader.environment.into_inner())
}

/// State of one `.if` block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    /// The branch is read.
    Taken,
    /// No branch was true yet.
    Waiting,
    /// A branch was read, or the whole block is inside one that is not.
    Done,
}

struct Reader<'r> {
    ast: Ast,
    environment: RefCell<Environment>,
    options: &'r LoadOptions,
    diagnostics: &'r mut Diagnostics,
    /// Innermost last: state, whether `.else` was seen, the place of `.if`.
    blocks: Vec<(Block, bool, Span)>,
    /// Name of the section, or its keyword: `.SECTION`.
    section: String,
    /// No section has begun in this file.
    out_of_section: bool,
}

impl Reader<'_> {
    fn alert(&mut self, span: Span, code: &'static str, message: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::new(Severity::Alert, code, Some(span), message));
    }

    fn source(&mut self, file: u32, source: &Source) {
        self.out_of_section = true;
        self.section.clear();
        let mut last = 0;
        for (index, line) in source.text.lines().enumerate() {
            last = index as u32 + 1;
            self.line(
                Place {
                    file,
                    line: last,
                    column: 0,
                },
                &source.name,
                line,
            );
        }
        if let Some((_, _, span)) = self.blocks.first().copied() {
            self.alert(span, "unterminated-block", "non-terminated '.if' block.");
            self.blocks.clear();
        }
        if !source.text.is_empty() && !source.text.ends_with('\n') {
            let column = source
                .text
                .lines()
                .last()
                .map_or(0, |line| line.chars().count()) as u32;
            let span = Span {
                at: Place {
                    file,
                    line: last,
                    column: column + 1,
                },
                len: 1,
            };
            self.diagnostics.push(
                Diagnostic::new(
                    Severity::Warning,
                    "missing-line-feed",
                    Some(span),
                    format!(
                        "Missing LF on last line, file might have been truncated at position {}.",
                        column + 1
                    ),
                )
                .remedy("end the last line with a line feed"),
            );
        }
    }

    fn line(&mut self, place: Place, file: &str, text: &str) {
        let trimmed = text.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            return;
        }
        let skipped = self.skipping() && !trimmed.starts_with('.');
        let words = {
            let environment = self.environment.borrow();
            let section = &self.section;
            let variable = |name: &str| match name {
                ".FILE" => Some(file.to_owned()),
                ".LINE" => Some(place.line.to_string()),
                ".SECTION" => Some(section.clone()),
                _ => environment.value(name).map(str::to_owned),
            };
            lex::words(text, place, &variable)
        };
        match words {
            Ok(words) if words.is_empty() || skipped => {}
            // Branches that are not read must have their quotes closed, and nothing else.
            Err(error) if skipped && error.kind != lex::LexErrorKind::UnmatchedQuote => {}
            Ok(words) if words[0].text.starts_with('.') => self.directive(&words),
            Ok(words) => self.statement(Line { words }),
            Err(error) => {
                let span = Span {
                    at: Place {
                        column: error.column,
                        ..place
                    },
                    len: 1,
                };
                let mut diagnostic =
                    Diagnostic::new(Severity::Alert, "bad-word", Some(span), error.to_string());
                if matches!(error.kind, lex::LexErrorKind::Empty(_)) {
                    diagnostic = diagnostic
                        .cause("the words behind an empty one would silently be ignored")
                        .remedy("set the variable, give a default as in \"${NAME-value}\", or remove the word");
                }
                self.diagnostics.push(diagnostic);
            }
        }
    }

    fn skipping(&self) -> bool {
        self.blocks.iter().any(|(state, ..)| *state != Block::Taken)
    }

    fn directive(&mut self, words: &[Word]) {
        let name = words[0].as_str();
        let span = words[0].span();
        if let (".else" | ".endif", Some(extra)) = (name, words.get(1)) {
            let message = format!("Unexpected argument '{}' for '{name}'.", extra.text);
            self.alert(extra.span(), "extra-argument", message);
        }
        match name {
            ".if" => self.open_block(words),
            ".elif" => self.elif(words),
            ".else" => match self.blocks.last_mut() {
                None => self.alert(
                    span,
                    "lone-directive",
                    "lone '.else' with no matching '.if'.",
                ),
                Some((_, true, _)) => {
                    self.alert(
                        span,
                        "lone-directive",
                        "'.else' after '.else' is not permitted.",
                    );
                }
                Some((state, seen_else, _)) => {
                    *seen_else = true;
                    *state = if *state == Block::Waiting {
                        Block::Taken
                    } else {
                        Block::Done
                    };
                }
            },
            ".endif" => {
                if self.blocks.pop().is_none() {
                    self.alert(
                        span,
                        "lone-directive",
                        "lone '.endif' with no matching '.if'.",
                    );
                }
            }
            _ if self.skipping() => {}
            ".diag" => self.message(Severity::Diag, words),
            ".notice" => self.message(Severity::Notice, words),
            ".warning" => self.message(Severity::Warning, words),
            ".alert" => self.message(Severity::Alert, words),
            _ => self.alert(
                span,
                "unknown-directive",
                format!("unknown directive '{name}'."),
            ),
        }
    }

    fn open_block(&mut self, words: &[Word]) {
        if self.blocks.len() >= MAX_NESTING {
            self.alert(
                words[0].span(),
                "unterminated-block",
                "too many nested '.if'.",
            );
            return;
        }
        let state = if self.skipping() {
            Block::Done
        } else if self.holds(words) {
            Block::Taken
        } else {
            Block::Waiting
        };
        self.blocks.push((state, false, words[0].span()));
    }

    fn elif(&mut self, words: &[Word]) {
        let span = words[0].span();
        let Some((state, seen_else, place)) = self.blocks.pop() else {
            self.alert(
                span,
                "lone-directive",
                "lone '.elif' with no matching '.if'.",
            );
            return;
        };
        if seen_else {
            self.alert(
                span,
                "lone-directive",
                "'.elif' after '.else' is not permitted.",
            );
        }
        let state = match state {
            Block::Waiting if !self.skipping() && self.holds(words) => Block::Taken,
            Block::Waiting => Block::Waiting,
            Block::Taken | Block::Done => Block::Done,
        };
        self.blocks.push((state, seen_else, place));
    }

    /// The truth of the words behind `.if` or `.elif`, joined by single spaces.
    fn holds(&mut self, words: &[Word]) -> bool {
        let text = words[1..]
            .iter()
            .map(Word::as_str)
            .collect::<Vec<_>>()
            .join(" ");
        let result = {
            let environment = self.environment.borrow();
            let defined = |name: &str| environment.value(name).is_some();
            condition::eval(&text, &self.options.facts, &defined)
        };
        match result {
            Ok(value) => value,
            Err(error) => {
                let first = words.get(1).unwrap_or(&words[0]);
                let last = &words[words.len() - 1];
                let len = (last.at.column + last.len).saturating_sub(first.at.column);
                let span = Span { at: first.at, len };
                self.alert(
                    span,
                    "bad-condition",
                    format!("{error} in '{}'", words[0].text),
                );
                false
            }
        }
    }

    fn message(&mut self, severity: Severity, words: &[Word]) {
        let text = words.get(1).map_or("", Word::as_str);
        if let Some(extra) = words.get(2) {
            let message = format!(
                "'{}' expects a single quoted message (found '{}').",
                words[0].text, extra.text
            );
            self.alert(extra.span(), "extra-argument", message);
        }
        let span = words.get(1).map_or(words[0].span(), Word::span);
        let message = format!("'{text}'.");
        self.diagnostics
            .push(Diagnostic::new(severity, "message", Some(span), message));
    }

    fn statement(&mut self, line: Line) {
        let keyword = line.keyword().as_str();
        if SECTIONS.contains(&keyword) {
            self.section = match keyword {
                "global" => keyword.to_owned(),
                _ => line.words.get(1).map_or(keyword, Word::as_str).to_owned(),
            };
            self.out_of_section = false;
            self.ast.sections.push(Section {
                header: line,
                lines: Vec::new(),
            });
            return;
        }
        if self.out_of_section {
            let known = closest(keyword, SECTIONS.iter().copied());
            let span = line.keyword().span();
            let mut diagnostic = Diagnostic::new(
                Severity::Alert,
                "unknown-section",
                Some(span),
                format!("unknown keyword '{keyword}' out of section."),
            );
            if let Some(known) = known {
                diagnostic = diagnostic.remedy(format!("did you mean '{known}' maybe ?"));
            }
            self.diagnostics.push(diagnostic);
            return;
        }
        let Some(section) = self.ast.sections.last() else {
            return;
        };
        if section.kind() == "global" {
            self.environment_line(&line);
        }
        if let Some(section) = self.ast.sections.last_mut() {
            section.lines.push(line);
        }
    }

    /// `setenv` and its relatives act at once: later lines see what they did.
    fn environment_line(&mut self, line: &Line) {
        let text = |index: usize| line.words.get(index).map(|word| word.text.clone());
        let names = || {
            line.words[1..]
                .iter()
                .map(|word| word.text.clone())
                .collect::<Vec<_>>()
        };
        let keyword = line.keyword().as_str();
        match keyword {
            "setenv" | "presetenv" => {
                let (Some(name), Some(value)) = (text(1), text(2)) else {
                    return;
                };
                if keyword == "presetenv" && self.environment.borrow().value(&name).is_some() {
                    return;
                }
                self.environment
                    .borrow_mut()
                    .set(name.clone(), value.clone());
                self.ast.environment.push(EnvChange::Set { name, value });
            }
            "unsetenv" => {
                for name in names() {
                    self.environment.borrow_mut().unset(&name);
                    self.ast.environment.push(EnvChange::Unset { name });
                }
            }
            "resetenv" => {
                let keep = names();
                self.environment.borrow_mut().reset(&keep);
                self.ast.environment.push(EnvChange::Reset { keep });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> (Ast, Vec<String>) {
        let source = Source {
            name: "t.cfg".to_owned(),
            text: text.to_owned(),
        };
        let environment = [("A", "1"), ("LIST", "x y")].into_iter().collect();
        let mut diagnostics = Diagnostics::default();
        let options = LoadOptions::default();
        let (ast, _) = read(&[source], &environment, &options, &mut diagnostics);
        let found = diagnostics.into_vec();
        let said = found
            .iter()
            .map(|d| format!("{}:{}", d.span.map_or(0, |s| s.at.line), d.message))
            .collect();
        (ast, said)
    }

    fn keywords(ast: &Ast) -> Vec<String> {
        let lines = ast.sections.iter().flat_map(|section| &section.lines);
        lines
            .map(|line| {
                line.words
                    .iter()
                    .map(Word::as_str)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    }

    #[test]
    fn blocks_choose_one_branch() {
        let text = "global\n.if 0\na\n.elif \"$A\"\nb\n .if 0\n c\n .else\n d\n .endif\n.elif 1\ne\n.else\nf\n.endif\ng\n";
        let (ast, said) = run(text);
        assert_eq!(keywords(&ast), ["b", "d", "g"]);
        assert_eq!(said, Vec::<String>::new());
    }

    #[test]
    fn branches_not_read_are_not_resolved() {
        let (ast, said) = run("global\n.if 0\n x \"$NONE\" '\n .if foo(\n .endif\n.endif\ny\n");
        assert_eq!(keywords(&ast), ["y"]);
        assert_eq!(said, Vec::<String>::new());
    }

    #[test]
    fn environment_changes_act_at_once() {
        let text = "global\nsetenv B 2\npresetenv B 3\nx \"$B\"\nunsetenv B\nx \"${B-none}\"\nresetenv LIST\nx \"${A-gone}\" \"${LIST[*]}\" \"$.LINE\" \"$.SECTION\"\n";
        let (ast, said) = run(text);
        let lines = keywords(&ast);
        assert_eq!(lines[2], "x 2");
        assert_eq!(lines[4], "x none");
        assert_eq!(lines[6], "x gone x y 8 global");
        assert_eq!(said, Vec::<String>::new());
        assert_eq!(ast.environment.len(), 3);
    }

    #[test]
    fn faults_are_all_told() {
        let text = "foo\nglobal\n.endif\n.else\n.elif 1\n.alert \"hello\"\n.foo\n.if foo(1)\n.endif\n.if 1\n.else\n.elif 0\n.endif\n.if 1\nx";
        let (_, said) = run(text);
        assert_eq!(
            said,
            [
                "1:unknown keyword 'foo' out of section.",
                "3:lone '.endif' with no matching '.if'.",
                "4:lone '.else' with no matching '.if'.",
                "5:lone '.elif' with no matching '.if'.",
                "6:'hello'.",
                "7:unknown directive '.foo'.",
                "8:unparsable conditional expression 'foo(1)' in '.if'",
                "12:'.elif' after '.else' is not permitted.",
                "14:non-terminated '.if' block.",
                "15:Missing LF on last line, file might have been truncated at position 2.",
            ]
        );
    }
}
