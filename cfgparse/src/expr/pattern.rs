//! Patterns of ACLs: whether each fits its match method (manual, 7.1.1 to 7.1.6).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Fault;
use super::sample::regex_fault;
use crate::context::Context;
use crate::diagnostic::Span;
use crate::model::expr::{MatchMethod, PatternLine};

/// The method that `-m` names.
pub fn method(word: &str) -> Option<MatchMethod> {
    MatchMethod::named(word)
}

/// Whether `text` begins a comparison of integers rather than being one.
pub fn is_operator(text: &str) -> bool {
    matches!(text, "eq" | "ge" | "gt" | "le" | "lt")
}

/// Refuses a pattern that its method can't compare.
pub fn check(
    cx: &mut Context,
    method: MatchMethod,
    ignore_case: bool,
    text: &str,
    span: Span,
) -> Result<(), Fault> {
    let bad = |message: String| Err(Fault::new("bad-pattern", span, message));
    match method {
        MatchMethod::Int | MatchMethod::Len => {
            if is_operator(text) || is_range(text) {
                return Ok(());
            }
            if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
                return bad(format!("'{text}' is not a valid number range"));
            }
            bad(format!(
                "'{text}' is neither a number nor a supported operator"
            ))
        }
        MatchMethod::Ip => {
            if is_network(text) {
                return Ok(());
            }
            bad(format!("'{text}' is not a valid IPv4 or IPv6 address"))
        }
        MatchMethod::Bin => {
            if text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Ok(());
            }
            bad(format!(
                "'{text}' is not a sequence of pairs of hexadecimal digits"
            ))
        }
        MatchMethod::Reg => regex_fault(cx, text, ignore_case, span),
        _ => Ok(()),
    }
}

/// `N`, `N:M`, `:M`, `N:`, integers or dotted versions such as `2.4`.
fn is_range(text: &str) -> bool {
    let number = |part: &str| part.parse::<i64>().ok();
    match text.split_once(':') {
        None => number(text).is_some() || is_dotted(text),
        Some(("", high)) => number(high).is_some(),
        Some((low, "")) => number(low).is_some(),
        Some((low, high)) => match (number(low), number(high)) {
            (Some(low), Some(high)) => low <= high,
            _ => is_dotted(low) && is_dotted(high),
        },
    }
}

fn is_dotted(text: &str) -> bool {
    text.split_once('.')
        .is_some_and(|(major, minor)| major.parse::<u16>().is_ok() && minor.parse::<u16>().is_ok())
}

/// An address, perhaps with a mask; fewer than four parts are not taken.
pub fn is_network(text: &str) -> bool {
    let (address, mask) = match text.split_once('/') {
        Some((address, mask)) => (address, Some(mask)),
        None => (text, None),
    };
    if address.parse::<Ipv4Addr>().is_ok() {
        return mask.is_none_or(|mask| {
            mask.parse::<u8>().is_ok_and(|bits| bits <= 32) || mask.parse::<Ipv4Addr>().is_ok()
        });
    }
    if address.parse::<Ipv6Addr>().is_ok() {
        return mask.is_none_or(|mask| mask.parse::<u8>().is_ok_and(|bits| bits <= 128));
    }
    false
}

/// The patterns of a file: leading blanks and comment lines dropped, keys split from values in maps.
pub fn file_lines(text: &str, as_map: bool) -> Vec<PatternLine> {
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') {
            continue;
        }
        let line = line.trim_start_matches([' ', '\t']).trim_end_matches('\r');
        if line.is_empty() {
            continue;
        }
        let (key, value) = if as_map {
            let end = line.find([' ', '\t']).unwrap_or(line.len());
            (
                &line[..end],
                Some(line[end..].trim_matches([' ', '\t']).to_owned()),
            )
        } else {
            (line, None)
        };
        lines.push(PatternLine {
            line: index as u32 + 1,
            key: key.to_owned(),
            value,
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_networks() {
        for good in ["1", "-1", "1:2", ":5", "5:", "2.4", "1024:65535"] {
            assert!(is_range(good), "{good}");
        }
        for bad in ["", "a", "1:0", "1:b", "1-2"] {
            assert!(!is_range(bad), "{bad}");
        }
        for good in [
            "10.0.0.0/8",
            "10.0.0.1",
            "10.0.0.0/255.0.0.0",
            "::1",
            "2001:db8::/32",
        ] {
            assert!(is_network(good), "{good}");
        }
        for bad in ["10.0.0", "10.0.0.0/33", "::/129", "example.com"] {
            assert!(!is_network(bad), "{bad}");
        }
    }

    #[test]
    fn files_lose_comments_and_blank_lines() {
        let lines = file_lines("# c\n\n  a b \n #x\n\tkey\tv w\n", true);
        let pairs: Vec<_> = lines
            .iter()
            .map(|l| (l.line, l.key.as_str(), l.value.as_deref().unwrap_or("")))
            .collect();
        assert_eq!(pairs, [(3, "a", "b"), (4, "#x", ""), (5, "key", "v w")]);
        let lines = file_lines("a b\n", false);
        assert_eq!((lines[0].key.as_str(), &lines[0].value), ("a b", &None));
    }
}
