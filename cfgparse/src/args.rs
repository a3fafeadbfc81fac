//! The words of a line as parse functions read them.

use crate::ast::{Line, Word};
use crate::context::Context;
use crate::diagnostic::Span;
use crate::model::Place;
use crate::quantity::{self, QuantityError, TimeUnit};

/// What HAProxy does not see in the arguments of some keywords: it is warned about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lenience {
    /// Words behind the last argument are ignored.
    pub end: bool,
    /// What does not begin with a digit is 0, and what follows the digits is ignored.
    pub number: bool,
}

impl Lenience {
    pub const NONE: Self = Self {
        end: false,
        number: false,
    };
}

/// The words of a line, read from left to right.
pub struct Args<'l> {
    line: &'l Line,
    at: usize,
    /// First and behind the last of the words that make up the keyword.
    label: std::ops::Range<usize>,
    /// Of the row whose arguments are read.
    syntax: &'static str,
    lenience: Lenience,
}

impl<'l> Args<'l> {
    /// Behind the first `named` words.
    pub fn new(line: &'l Line, named: usize) -> Self {
        Self {
            line,
            at: named,
            label: 0..named,
            syntax: "",
            lenience: Lenience::NONE,
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

    /// What follows are the arguments of a row.
    pub fn begin_row(&mut self, syntax: &'static str, lenience: Lenience) {
        self.syntax = syntax;
        self.lenience = lenience;
    }

    /// The syntax of the row whose arguments are read.
    pub fn syntax(&self) -> &'static str {
        self.syntax
    }

    pub fn peek(&self) -> Option<&'l Word> {
        self.line.words.get(self.at)
    }

    /// The words that are left, without reading them.
    pub fn upcoming(&self) -> &'l [Word] {
        &self.line.words[self.at.min(self.line.words.len())..]
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

    /// One of these words.
    pub fn one_of(&mut self, cx: &mut Context, choices: &[&str]) -> Option<String> {
        let shown: Vec<String> = choices.iter().map(|choice| format!("'{choice}'")).collect();
        let wanted = match shown.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, before)) => format!("{} or {last}", before.join(", ")),
            None => String::new(),
        };
        let word = self.required(cx, &wanted)?;
        if !choices.contains(&word.as_str()) {
            self.unexpected(cx, word, &wanted);
        }
        Some(word.text.clone())
    }

    pub fn number<T: TryFrom<i64>>(&mut self, cx: &mut Context) -> Option<T> {
        let word = self.required(cx, "an integer value")?;
        if let Some(value) = self.lax_number(cx, word) {
            return T::try_from(value).ok();
        }
        self.parsed(cx, word, "an integer", quantity::number(&word.text))
    }

    /// A number within `range`.
    pub fn number_in(&mut self, cx: &mut Context, low: i64, high: i64) -> Option<i64> {
        let word = self.required(cx, "an integer value")?;
        let value = match self.lax_number(cx, word) {
            Some(value) => value,
            None => self.parsed(cx, word, "an integer", quantity::number::<i64>(&word.text))?,
        };
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

    /// The number that HAProxy sees in a word that is none, with a warning.
    fn lax_number(&self, cx: &mut Context, word: &Word) -> Option<i64> {
        if !self.lenience.number || quantity::number::<u32>(&word.text).is_ok() {
            return None;
        }
        let value = quantity::leading(&word.text);
        let message = format!(
            "'{}' expects an integer but got '{}'; it is read as {value}.",
            self.label(),
            word.text
        );
        cx.warn(word.span(), "bad-value", message);
        Some(value)
    }

    /// A time in milliseconds; one without a unit counts in `unit`.
    pub fn time_in(&mut self, cx: &mut Context, unit: TimeUnit) -> Option<u32> {
        let word = self.required(cx, "a time")?;
        if let Some(junk) = quantity::behind_time(&word.text) {
            let message = format!(
                "unexpected character '{junk}' after the timer value '{}', only (us=microseconds,ms=milliseconds,s=seconds,m=minutes,h=hours,d=days) are supported.",
                word.text
            );
            cx.warn(word.span(), "bad-value", message);
        }
        self.parsed(
            cx,
            word,
            "a time such as 10s",
            quantity::time_ms(&word.text, unit),
        )
    }

    /// A time that is not zero, in milliseconds.
    pub fn delay(&mut self, cx: &mut Context) -> Option<u32> {
        let span = self.here();
        let ms = self.time(cx)?;
        if ms == 0 {
            let message = format!("'{}' expects a time above zero.", self.label());
            cx.alert(span, "out-of-range", message);
            return None;
        }
        Some(ms)
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
            if self.lenience.end {
                cx.warn(extra.span(), "extra-argument", message);
            } else {
                cx.alert(extra.span(), "extra-argument", message);
            }
            self.at = self.line.words.len();
        }
    }
}
