//! Regular expressions: PCRE's spelling translated for the `regex` crate, with clear refusals.

use cfgparse::bytes;
use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::matcher::PatternError;

/// Compiles `text` as PCRE would read it.
pub fn compile(text: &str, ignore_case: bool) -> Result<Regex, PatternError> {
    let translated = translate(text)?;
    RegexBuilder::new(&translated)
        .unicode(false)
        .case_insensitive(ignore_case)
        .build()
        .map_err(|error| refuse(text, &error))
}

fn refuse(text: &str, error: &regex::Error) -> PatternError {
    let message = error.to_string();
    let last = message.lines().last().unwrap_or_default();
    PatternError::new(format!(
        "regex '{text}' is invalid: {}",
        last.trim_start_matches("error: ")
    ))
}

/// Many expressions tried in one pass.
#[derive(Clone, Debug)]
pub struct RegexIndex {
    matcher: Matching,
    entries: Vec<u32>,
}

#[derive(Clone, Debug)]
enum Matching {
    One(Box<Regex>),
    Set(Box<RegexSet>),
    /// Too big for one automaton.
    List(Vec<Regex>),
}

impl RegexIndex {
    pub fn new(patterns: &[(&str, u32)], ignore_case: bool) -> Result<RegexIndex, PatternError> {
        let entries = patterns.iter().map(|(_, entry)| *entry).collect();
        if let [(text, _)] = patterns {
            let matcher = Matching::One(Box::new(compile(text, ignore_case)?));
            return Ok(RegexIndex { matcher, entries });
        }
        let translated = patterns
            .iter()
            .map(|(text, _)| translate(text))
            .collect::<Result<Vec<_>, _>>()?;
        let set = RegexSetBuilder::new(&translated)
            .unicode(false)
            .case_insensitive(ignore_case)
            .build();
        let matcher = match set {
            Ok(set) => Matching::Set(Box::new(set)),
            Err(_) => Matching::List(
                patterns
                    .iter()
                    .map(|(text, _)| compile(text, ignore_case))
                    .collect::<Result<_, _>>()?,
            ),
        };
        Ok(RegexIndex { matcher, entries })
    }

    /// The entry declared first that matches.
    pub fn find(&self, sample: &[u8]) -> Option<u32> {
        let position = match &self.matcher {
            Matching::One(regex) => regex.is_match(sample).then_some(0),
            Matching::Set(set) => set.matches(sample).iter().next(),
            Matching::List(list) => list.iter().position(|regex| regex.is_match(sample)),
        };
        position.map(|position| self.entries[position])
    }

    /// Whether any matches.
    pub fn holds(&self, sample: &[u8]) -> bool {
        match &self.matcher {
            Matching::Set(set) => set.is_match(sample),
            _ => self.find(sample).is_some(),
        }
    }
}

/// Rewrites what PCRE and the `regex` crate spell differently; refuses what only PCRE has.
pub fn translate(text: &str) -> Result<String, PatternError> {
    let text = &*bytes::escaped(text);
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    let mut quantified = false;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let mut now_quantified = false;
        rest = match c {
            '\\' => translate_escape(text, after, &mut out)?,
            '[' => translate_class(after, &mut out),
            '(' => {
                refuse_group(text, after)?;
                out.push('(');
                after
            }
            '*' | '+' | '?' | '{' => {
                if c == '+' && quantified {
                    return Err(lacks(text, "possessive quantifiers", "remove the second +"));
                }
                if c == '{' && !is_repetition(after) {
                    out.push('\\');
                } else {
                    // `x*?` is lazy and ends the quantifier; `x*+` would be possessive.
                    now_quantified = !quantified;
                }
                out.push(c);
                if c == '{' && now_quantified {
                    let end = after.find('}').unwrap_or(0);
                    out.push_str(&after[..=end]);
                    &after[end + 1..]
                } else {
                    after
                }
            }
            _ => {
                out.push(c);
                after
            }
        };
        quantified = now_quantified;
    }
    Ok(out)
}

fn lacks(text: &str, what: &str, remedy: &str) -> PatternError {
    PatternError::new(format!(
        "regex '{text}' uses {what}, which only PCRE has: {remedy}"
    ))
}

/// Whether `{` before `after` begins `{n}`, `{n,}` or `{n,m}`; otherwise PCRE takes it as it is.
fn is_repetition(after: &str) -> bool {
    let Some((inside, _)) = after.split_once('}') else {
        return false;
    };
    let (min, max) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    !min.is_empty() && digits(min) && digits(max)
}

fn refuse_group(text: &str, after: &str) -> Result<(), PatternError> {
    let (what, remedy) = if after.starts_with("?=") || after.starts_with("?!") {
        ("look-ahead", "test the condition with a second ACL")
    } else if after.starts_with("?<=") || after.starts_with("?<!") {
        ("look-behind", "test the condition with a second ACL")
    } else if after.starts_with("?>") {
        ("atomic groups", "a plain group (?:...) gives the same here")
    } else if after.starts_with("?(") || after.starts_with("?R") || after.starts_with("?#") {
        (
            "conditional or recursive groups",
            "write the alternatives out",
        )
    } else {
        return Ok(());
    };
    Err(lacks(text, what, remedy))
}

/// Handles the character behind a backslash outside of a class; gives what remains.
fn translate_escape<'t>(
    text: &str,
    after: &'t str,
    out: &mut String,
) -> Result<&'t str, PatternError> {
    let Some(c) = after.chars().next() else {
        out.push_str("\\\\");
        return Ok(after);
    };
    let rest = &after[c.len_utf8()..];
    match c {
        '1'..='9' => {
            return Err(lacks(
                text,
                "back-references",
                "match the parts with two ACLs",
            ));
        }
        'K' | 'G' | 'R' | 'X' | 'C' => {
            return Err(lacks(text, &format!("\\{c}"), "write it out"));
        }
        'Q' => {
            let (quoted, rest) = rest.split_once("\\E").unwrap_or((rest, ""));
            out.push_str(&regex::escape(quoted));
            return Ok(rest);
        }
        'E' => {}
        'Z' => out.push_str(r"(?:\n?\z)"),
        'h' => out.push_str(r"[ \t]"),
        'e' => out.push_str(r"\x1b"),
        '<' | '>' => out.push(c),
        c if c.is_ascii_alphanumeric() => {
            out.push('\\');
            out.push(c);
        }
        c if c.is_ascii_punctuation() => {
            out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
        }
        c => out.push(c),
    }
    Ok(rest)
}

/// Copies a character class, whose opening bracket was read; gives what remains.
fn translate_class<'t>(after: &'t str, out: &mut String) -> &'t str {
    out.push('[');
    let mut rest = after;
    if let Some(negated) = rest.strip_prefix('^') {
        out.push('^');
        rest = negated;
    }
    if let Some(literal) = rest.strip_prefix(']') {
        out.push_str("\\]");
        rest = literal;
    }
    while let Some(c) = rest.chars().next() {
        let next = &rest[c.len_utf8()..];
        match c {
            ']' => {
                out.push(']');
                return next;
            }
            '\\' => {
                let Some(escaped) = next.chars().next() else {
                    out.push_str("\\\\");
                    return next;
                };
                match escaped {
                    'h' => out.push_str(r" \t"),
                    'e' => out.push_str(r"\x1b"),
                    '<' | '>' => out.push(escaped),
                    _ if escaped.is_ascii() => {
                        out.push('\\');
                        out.push(escaped);
                    }
                    _ => out.push(escaped),
                }
                rest = &next[escaped.len_utf8()..];
                continue;
            }
            '[' => match next.strip_prefix(':').and_then(|n| n.split_once(":]")) {
                Some((name, behind))
                    if name.bytes().all(|b| b.is_ascii_lowercase() || b == b'^') =>
                {
                    out.push_str("[:");
                    out.push_str(name);
                    out.push_str(":]");
                    rest = behind;
                    continue;
                }
                _ => out.push_str("\\["),
            },
            // The crate gives `&&`, `--` and `~~` a meaning inside a class; PCRE does not.
            '&' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '-' if next.starts_with('-') || next.starts_with(']') => out.push_str("\\-"),
            _ => out.push(c),
        }
        rest = next;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, sample: &str) -> bool {
        compile(pattern, false).unwrap().is_match(sample.as_bytes())
    }

    #[test]
    fn pcre_spellings_are_understood() {
        assert!(matches(r"^/a\/b", "/a/b"));
        assert!(matches("[[]x]", "[x]"));
        assert!(matches("[]a]", "]"));
        assert!(matches("[^]]", "a") && !matches("^[^]]$", "]"));
        assert!(matches("[[:digit:]]{2}", "42"));
        assert!(matches("{x}", "{x}") && matches("a{,2}", "a{,2}"));
        assert!(matches(r"\Qa.b\E$", "a.b") && !matches(r"\Qa.b\E", "axb"));
        assert!(matches(r"[a&&b]", "&"));
        assert!(matches(r"[\w.-]+@x", "a.b-c@x"));
        assert!(matches(r"\<tag\>", "<tag>"));
        assert!(matches(r"^a{2,3}?$", "aa"));
        assert!(matches("^[^/:]*://", "http://x"));
    }

    #[test]
    fn what_only_pcre_has_is_refused_by_name() {
        for (pattern, word) in [
            ("(?=a)", "look-ahead"),
            ("(?<!a)b", "look-behind"),
            (r"(a)\1", "back-references"),
            ("(?>a)", "atomic"),
            ("a++", "possessive"),
            ("(", "invalid"),
        ] {
            let message = compile(pattern, false).unwrap_err().to_string();
            assert!(message.contains(word), "{pattern}: {message}");
        }
    }

    #[test]
    fn sets_find_the_first_declared() {
        let index = RegexIndex::new(&[("b+", 5), ("a", 6)], true).unwrap();
        assert_eq!(index.find(b"AB"), Some(5));
        assert_eq!(index.find(b"xA"), Some(6));
        assert!(index.holds(b"A") && !index.holds(b"x"));
    }
}
