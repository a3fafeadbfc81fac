//! Lines into words: quotes, escapes, comments, variables (manual, 2.2 and 2.3).

use thiserror::Error;

use crate::ast::Word;
use crate::bytes;
use crate::model::Place;

/// Words of a line, at most. HAProxy's own limit.
pub const MAX_WORDS: usize = 64 * 1024;

/// Bytes of a word once its variables are resolved, at most: they may contain each other.
pub const MAX_WORD_BYTES: usize = 1 << 20;

/// Why a line has no words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LexErrorKind {
    #[error("unmatched quote")]
    UnmatchedQuote,
    #[error("unmatched brace in environment variable name")]
    UnmatchedBrace,
    #[error("forbidden first char in environment variable name")]
    BadName,
    #[error("truncated or invalid hexadecimal sequence")]
    BadHex,
    #[error("too many words, truncating after word {MAX_WORDS}")]
    TooManyWords,
    #[error("a word is longer than {MAX_WORD_BYTES} bytes")]
    TooLong,
    #[error("argument number {0} is empty and marks the end of the argument list")]
    Empty(usize),
}

/// What is wrong with a line, and at which character (from 1).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind} at position {column}")]
pub struct LexError {
    pub kind: LexErrorKind,
    pub column: u32,
}

/// The words of one line. `variable` gives the value of an environment or pseudo variable.
pub fn words(
    line: &str,
    place: Place,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Word>, LexError> {
    let line = bytes::raw(line);
    let mut lexer = Lexer {
        rest: &line,
        at: 0,
        column: 1,
        place,
        word: Vec::new(),
        start: None,
        empty_at: None,
        vanishes: false,
        words: Vec::new(),
        variable,
    };
    lexer.run()?;
    Ok(lexer.words)
}

struct Lexer<'l> {
    rest: &'l [u8],
    at: usize,
    column: u32,
    place: Place,
    word: Vec<u8>,
    /// Column at which the current word began.
    start: Option<u32>,
    /// Column of the quote or variable that left the current word empty.
    empty_at: Option<u32>,
    /// The current word holds an empty list only.
    vanishes: bool,
    words: Vec<Word>,
    variable: &'l dyn Fn(&str) -> Option<String>,
}

fn error<T>(kind: LexErrorKind, column: u32) -> Result<T, LexError> {
    Err(LexError { kind, column })
}

impl Lexer<'_> {
    fn peek(&self) -> Option<u8> {
        self.rest.get(self.at).copied()
    }

    fn bump(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        // Continuation bytes of UTF-8 stand in the same column as their first byte.
        if byte & 0xC0 != 0x80 {
            self.column += 1;
        }
        Some(byte)
    }

    fn begin(&mut self) {
        if self.start.is_none() {
            self.start = Some(self.column);
        }
    }

    fn run(&mut self) -> Result<(), LexError> {
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => break,
                b' ' | b'\t' | b'\r' | b'\n' => {
                    self.end_word()?;
                    self.bump();
                }
                b'"' => self.weak_quotes()?,
                b'\'' => self.strong_quotes()?,
                b'\\' => {
                    self.begin();
                    self.escape(false)?;
                }
                _ => {
                    self.begin();
                    self.bump();
                    self.word.push(byte);
                }
            }
        }
        self.end_word()
    }

    fn end_word(&mut self) -> Result<(), LexError> {
        let Some(start) = self.start.take() else {
            return Ok(());
        };
        let end = self.column;
        self.push_word(start, end)
    }

    fn push_word(&mut self, start: u32, end: u32) -> Result<(), LexError> {
        if self.words.len() == MAX_WORDS {
            return error(LexErrorKind::TooManyWords, start);
        }
        let word = std::mem::take(&mut self.word);
        let vanishes = std::mem::take(&mut self.vanishes);
        if word.is_empty() {
            if vanishes {
                return Ok(());
            }
            // Directives such as `.if` take empty words; everywhere else they would hide what follows.
            let directive = self
                .words
                .first()
                .is_some_and(|first| first.text.starts_with('.'));
            if !directive && !self.words.is_empty() {
                let column = self.empty_at.unwrap_or(start);
                return error(LexErrorKind::Empty(self.words.len()), column);
            }
        }
        self.empty_at = None;
        let text = bytes::text(word);
        let at = Place {
            column: start,
            ..self.place
        };
        self.words.push(Word {
            text,
            at,
            len: end - start,
        });
        Ok(())
    }

    fn strong_quotes(&mut self) -> Result<(), LexError> {
        self.begin();
        let open = self.column;
        self.bump();
        loop {
            match self.bump() {
                None => return error(LexErrorKind::UnmatchedQuote, open),
                Some(b'\'') => break,
                Some(byte) => self.word.push(byte),
            }
        }
        self.empty_at = Some(open);
        Ok(())
    }

    fn weak_quotes(&mut self) -> Result<(), LexError> {
        self.begin();
        let open = self.column;
        self.bump();
        loop {
            match self.peek() {
                None => return error(LexErrorKind::UnmatchedQuote, open),
                Some(b'"') => {
                    self.bump();
                    break;
                }
                Some(b'\\') => self.escape(true)?,
                Some(b'$') => self.expand()?,
                Some(byte) => {
                    self.bump();
                    self.word.push(byte);
                }
            }
        }
        self.empty_at.get_or_insert(open);
        Ok(())
    }

    /// A backslash and what follows. One that protects nothing stays.
    fn escape(&mut self, weak: bool) -> Result<(), LexError> {
        let column = self.column;
        self.bump();
        let Some(byte) = self.peek() else {
            self.word.push(b'\\');
            return Ok(());
        };
        let value = match byte {
            b'\\' | b'"' | b'\'' | b' ' | b'#' | b'\t' => byte,
            b'$' if weak => byte,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                self.bump();
                return self.hexadecimal(column);
            }
            _ => {
                self.word.push(b'\\');
                return Ok(());
            }
        };
        self.bump();
        self.word.push(value);
        Ok(())
    }

    fn hexadecimal(&mut self, column: u32) -> Result<(), LexError> {
        let digits = self.rest.get(self.at..self.at + 2);
        let value = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(value) = value else {
            return error(LexErrorKind::BadHex, column);
        };
        self.bump();
        self.bump();
        self.word.push(value);
        Ok(())
    }

    /// `$NAME`, `${NAME}`, `${NAME-default}`, `${NAME[*]}` inside weak quotes.
    fn expand(&mut self) -> Result<(), LexError> {
        self.bump();
        let braced = self.peek() == Some(b'{');
        if braced {
            self.bump();
        }
        let name_column = self.column;
        let pseudo = self.peek() == Some(b'.');
        match self.peek() {
            Some(b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.') => {}
            _ => return error(LexErrorKind::BadName, name_column),
        }
        let mut name = Vec::new();
        while let Some(byte @ (b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.')) = self.peek()
        {
            if byte == b'.' && !(pseudo && name.is_empty()) {
                break;
            }
            self.bump();
            name.push(byte);
        }
        let name = String::from_utf8_lossy(&name).into_owned();
        let mut as_list = false;
        let mut default = None;
        if braced {
            as_list = self.rest[self.at..].starts_with(b"[*]");
            if as_list {
                self.at += 3;
                self.column += 3;
            }
            if self.peek() == Some(b'-') {
                self.bump();
                let mut text = Vec::new();
                while let Some(byte) = self.peek().filter(|byte| *byte != b'}' && *byte != b'"') {
                    self.bump();
                    text.push(byte);
                }
                default = Some(text);
            }
            if self.bump() != Some(b'}') {
                return error(LexErrorKind::UnmatchedBrace, name_column);
            }
        }
        let value = (self.variable)(&name).map(|value| bytes::raw(&value).into_owned());
        let value = value.or(default);
        self.empty_at = Some(name_column);
        match value {
            Some(value) if as_list => self.append_list(&value),
            Some(value) => {
                self.word.extend_from_slice(&value);
                if self.word.len() > MAX_WORD_BYTES {
                    return error(LexErrorKind::TooLong, name_column);
                }
                Ok(())
            }
            None => {
                self.vanishes |= as_list;
                Ok(())
            }
        }
    }

    /// Each value but the last ends a word; a list without values leaves no word behind.
    fn append_list(&mut self, value: &[u8]) -> Result<(), LexError> {
        let mut parts = value
            .split(|byte| *byte == b' ')
            .filter(|part| !part.is_empty());
        let Some(first) = parts.next() else {
            self.vanishes = true;
            return Ok(());
        };
        self.word.extend_from_slice(first);
        let start = self.start.unwrap_or(self.column);
        for part in parts {
            let end = self.column;
            self.push_word(start, end)?;
            self.word.extend_from_slice(part);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lex(line: &str) -> Result<Vec<String>, LexError> {
        let variable = |name: &str| match name {
            "A" => Some("one".to_owned()),
            "LIST" => Some("x  y z".to_owned()),
            "EMPTY" => Some(String::new()),
            ".LINE" => Some("7".to_owned()),
            _ => None,
        };
        let words = words(
            line,
            Place {
                file: 0,
                line: 1,
                column: 0,
            },
            &variable,
        )?;
        Ok(words.into_iter().map(|word| word.text).collect())
    }

    fn fails(line: &str) -> (LexErrorKind, u32) {
        let error = lex(line).expect_err(line);
        (error.kind, error.column)
    }

    #[test]
    fn the_manuals_equivalent_lines_are_equal() {
        let wanted = ["log-format", "%{+Q}o %t %s %{-Q}r"];
        for line in [
            r"log-format %{+Q}o\ %t\ %s\ %{-Q}r",
            r#"log-format "%{+Q}o %t %s %{-Q}r""#,
            r"log-format '%{+Q}o %t %s %{-Q}r'",
            r#"log-format "%{+Q}o %t"' %s %{-Q}r'"#,
            r#"log-format "%{+Q}o %t"' %s'\ %{-Q}r"#,
        ] {
            assert_eq!(lex(line).expect(line), wanted, "{line}");
        }
    }

    #[test]
    fn escapes_differ_by_quoting() {
        assert_eq!(
            lex(r"a\#b \x41 \d '\x41' $A").unwrap(),
            ["a#b", "A", r"\d", r"\x41", "$A"]
        );
        assert_eq!(
            lex(r#""\$A" "\"" "a\nb" "a#b""#).unwrap(),
            ["$A", "\"", "a\nb", "a#b"]
        );
        assert_eq!(lex("a#b c").unwrap(), ["a"]);
        assert_eq!(lex("   # nothing").unwrap(), Vec::<String>::new());
        assert_eq!(lex("caf\u{e9} x").unwrap(), ["caf\u{e9}", "x"]);
    }

    #[test]
    fn variables_stand_in_weak_quotes_only() {
        assert_eq!(
            lex(r#"a "$A" "${A}b" "${NO-d}" "x$NO""#).unwrap(),
            ["a", "one", "oneb", "d", "x"]
        );
        assert_eq!(
            lex(r#"a "p${LIST[*]}s" b"#).unwrap(),
            ["a", "px", "y", "zs", "b"]
        );
        assert_eq!(lex(r#"a "${NO[*]}" "${EMPTY[*]}" b"#).unwrap(), ["a", "b"]);
        assert_eq!(lex(r#"a "${NO[*]-d e}""#).unwrap(), ["a", "d", "e"]);
        assert_eq!(lex(r#"l "$.LINE.A""#).unwrap(), ["l", "7.A"]);
    }

    #[test]
    fn faults_have_a_position() {
        assert_eq!(
            fails(r#" timeout client "10s"#),
            (LexErrorKind::UnmatchedQuote, 17)
        );
        assert_eq!(
            fails(" timeout client '10s"),
            (LexErrorKind::UnmatchedQuote, 17)
        );
        assert_eq!(
            fails(r#" timeout client "${FOO"#),
            (LexErrorKind::UnmatchedBrace, 20)
        );
        assert_eq!(
            fails(r#" timeout client "${1FOO}""#),
            (LexErrorKind::BadName, 20)
        );
        assert_eq!(
            fails(r#" timeout client "\xzz""#),
            (LexErrorKind::BadHex, 18)
        );
        assert_eq!(
            fails(r#" timeout client "$FOO" x"#),
            (LexErrorKind::Empty(2), 19)
        );
        assert_eq!(fails("a \"\" b"), (LexErrorKind::Empty(1), 3));
    }

    #[test]
    fn directives_take_empty_words() {
        assert_eq!(lex(".if \"$NO\"").unwrap(), [".if", ""]);
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC*") {
            let _ = lex(&line);
        }
    }
}
