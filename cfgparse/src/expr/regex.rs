//! Regular expressions: HAProxy takes PCRE, we match with the `regex` crate.

use crate::bytes;

/// Why a regular expression can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegexFault {
    /// No engine takes it.
    Invalid(String),
    /// PCRE takes it, this program does not.
    Unsupported(String),
}

/// Checks `text`.
pub fn check(text: &str, ignore_case: bool) -> Result<(), RegexFault> {
    let built = ::regex::bytes::RegexBuilder::new(&translate(&bytes::escaped(text)))
        .case_insensitive(ignore_case)
        .unicode(false)
        .build();
    match built {
        Ok(_) => Ok(()),
        Err(::regex::Error::CompiledTooBig(limit)) => Err(RegexFault::Unsupported(format!(
            "it needs more than {limit} bytes"
        ))),
        Err(error) => {
            let text = error.to_string();
            let reason = text
                .lines()
                .last()
                .unwrap_or("")
                .trim_start_matches("error: ")
                .to_owned();
            let unsupported = [
                "look-around",
                "backreferences",
                "flag",
                "unrecognized escape",
            ];
            if unsupported.iter().any(|word| reason.contains(word)) {
                Err(RegexFault::Unsupported(reason))
            } else {
                Err(RegexFault::Invalid(reason))
            }
        }
    }
}

/// What PCRE writes differently and the `regex` crate refuses: escaped characters that need no
/// escape, and `{` that begins no repetition.
pub fn translate(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            // The crate refuses `\/`, `\ ` and the like only for letters; PCRE's `\Z` and `\h` have a form of their own.
            Some('Z') => out.push_str(r"\z"),
            Some('h') => out.push_str(r"[ \t]"),
            Some(next) => {
                out.push('\\');
                out.push(next);
            }
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_tell_whose_they_are() {
        assert_eq!(check(r"^/(here)(/|$)", false), Ok(()));
        assert_eq!(check(r"\.(jpg|png)$\Z", true), Ok(()));
        assert_eq!(check(r"^\/a\-b\ c", true), Ok(()));
        assert_eq!(check("[\u{e9}\u{10FFE9}]", false), Ok(()));
        assert!(matches!(check("((", false), Err(RegexFault::Invalid(_))));
        assert!(matches!(
            check("a(?!b)", false),
            Err(RegexFault::Unsupported(_))
        ));
        assert!(matches!(
            check(r"(a)\1", false),
            Err(RegexFault::Unsupported(_))
        ));
    }
}
