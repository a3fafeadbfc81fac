//! `normalize-uri` (manual, 4.4; RFC 3986 section 6.2).

use cfgparse::model::rule::Action;
use wire::{Head, TargetForm};

use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::rules::verdict::{Answer, Verdict};
use crate::sample::Compiler;

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct Normalize {
    normalizer: Normalizer,
    /// `full`: leading `../` segments are removed too.
    full: bool,
    /// `strict`: a broken escape is answered with 400.
    strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Normalizer {
    FragmentEncode,
    FragmentStrip,
    PathMergeSlashes,
    PathStripDot,
    PathStripDotdot,
    PercentDecodeUnreserved,
    PercentToUppercase,
    QuerySortByName,
}

impl Act for Normalize {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let Some(head) = txn.request.as_deref_mut() else {
            return Flow::Next;
        };
        let form = head.target_parts().form;
        if !matches!(form, TargetForm::Origin | TargetForm::Absolute) {
            return Flow::Next;
        }
        if self.apply(head) {
            Flow::Next
        } else {
            Flow::Stop(Verdict::Deny(Box::new(Answer::error(400))))
        }
    }
}

impl Normalize {
    /// Whether the URI is acceptable.
    fn apply(&self, head: &mut Head) -> bool {
        use Normalizer as N;
        let old = head.path_and_query();
        let path = head.path();
        let new = match self.normalizer {
            N::FragmentEncode => replace_fragment(old, true),
            N::FragmentStrip => replace_fragment(old, false),
            N::PathMergeSlashes => with_path(old, path, merge_slashes(path)),
            N::PathStripDot => with_path(old, path, strip_dot(path)),
            N::PathStripDotdot => with_path(old, path, strip_dotdot(path, self.full)),
            N::PercentDecodeUnreserved | N::PercentToUppercase => {
                match percent(old, self.normalizer, self.strict) {
                    Some(new) => new,
                    None => return false,
                }
            }
            N::QuerySortByName => sort_query(old, path.len()),
        };
        if new != old {
            head.set_path_and_query(&new);
        }
        true
    }
}

fn with_path(old: &[u8], path: &[u8], mut new: Vec<u8>) -> Vec<u8> {
    new.extend_from_slice(&old[path.len()..]);
    new
}

fn replace_fragment(old: &[u8], encode: bool) -> Vec<u8> {
    if !encode {
        let end = memchr::memchr(b'#', old).unwrap_or(old.len());
        return old[..end].to_vec();
    }
    let mut new = Vec::with_capacity(old.len() + 2);
    for &byte in old {
        if byte == b'#' {
            new.extend_from_slice(b"%23");
        } else {
            new.push(byte);
        }
    }
    new
}

fn merge_slashes(path: &[u8]) -> Vec<u8> {
    let mut new = path.to_vec();
    new.dedup_by(|second, first| (*second, *first) == (b'/', b'/'));
    new
}

/// Removes `/./` and a last `/.`.
fn strip_dot(path: &[u8]) -> Vec<u8> {
    let mut new = Vec::with_capacity(path.len());
    let mut segments = path.split(|&b| b == b'/').peekable();
    while let Some(segment) = segments.next() {
        if segment != b"." {
            new.extend_from_slice(segment);
            if segments.peek().is_some() {
                new.push(b'/');
            }
        }
    }
    new
}

/// Merges `/../` with the segment before it.
fn strip_dotdot(path: &[u8], full: bool) -> Vec<u8> {
    let Some(inside) = path.strip_prefix(b"/") else {
        return path.to_vec();
    };
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut ends_open = false;
    for segment in inside.split(|&b| b == b'/') {
        ends_open = segment == b"..";
        if segment != b".." {
            kept.push(segment);
        } else if kept.last().is_some_and(|last| *last != b"..") {
            kept.pop();
        } else if !full {
            kept.push(segment);
        }
    }
    // A last `..` names a directory: its slash stays.
    if ends_open {
        kept.push(b"");
    }
    let mut new = vec![b'/'];
    new.extend_from_slice(&kept.join(&b'/'));
    new
}

/// Decodes unreserved characters, or makes escapes upper case; `None` for a broken escape in strict mode.
fn percent(old: &[u8], normalizer: Normalizer, strict: bool) -> Option<Vec<u8>> {
    let digit = |at: usize| old.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut new = Vec::with_capacity(old.len());
    let mut at = 0;
    while let Some(&byte) = old.get(at) {
        if byte != b'%' {
            new.push(byte);
            at += 1;
            continue;
        }
        let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2)) else {
            if strict {
                return None;
            }
            new.push(byte);
            at += 1;
            continue;
        };
        let decoded = (high << 4 | low) as u8;
        let unreserved = decoded.is_ascii_alphanumeric() || b"-._~".contains(&decoded);
        match normalizer {
            Normalizer::PercentDecodeUnreserved if unreserved => new.push(decoded),
            Normalizer::PercentToUppercase => {
                new.extend(old[at..at + 3].iter().map(u8::to_ascii_uppercase));
            }
            _ => new.extend_from_slice(&old[at..at + 3]),
        }
        at += 3;
    }
    Some(new)
}

/// Shorter names first; parameters of one name keep their order.
fn sort_query(old: &[u8], path_len: usize) -> Vec<u8> {
    let (path, query) = old.split_at(path_len);
    let Some(query) = query.strip_prefix(b"?") else {
        return old.to_vec();
    };
    let mut parameters: Vec<&[u8]> = query.split(|&b| b == b'&').collect();
    parameters.sort_by_key(|pair| pair.split(|&b| b == b'=').next().unwrap_or_default());
    let mut new = path.to_vec();
    new.push(b'?');
    new.extend_from_slice(&parameters.join(&b'&'));
    new
}

pub fn compile(action: &Action, compiler: &mut Compiler<'_>) -> Compiled {
    use Normalizer as N;
    let Action::NormalizeUri {
        normalizer,
        full,
        strict,
    } = action
    else {
        return Err(compiler.error("not a normalizer", "report this"));
    };
    let known = match normalizer.as_str() {
        "fragment-encode" => N::FragmentEncode,
        "fragment-strip" => N::FragmentStrip,
        "path-merge-slashes" => N::PathMergeSlashes,
        "path-strip-dot" => N::PathStripDot,
        "path-strip-dotdot" => N::PathStripDotdot,
        "percent-decode-unreserved" => N::PercentDecodeUnreserved,
        "percent-to-uppercase" => N::PercentToUppercase,
        "query-sort-by-name" => N::QuerySortByName,
        other => {
            let message = format!("unknown normalizer '{other}'");
            return Err(compiler.error(message, "the manual's normalize-uri lists eight"));
        }
    };
    Ok(Box::new(Normalize {
        normalizer: known,
        full: *full,
        strict: *strict,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(normalizer: Normalizer, flag: bool, target: &str) -> Option<String> {
        let mut head = Head::request(b"GET", target.as_bytes());
        let rule = Normalize {
            normalizer,
            full: flag,
            strict: flag,
        };
        let accepted = rule.apply(&mut head);
        accepted.then(|| String::from_utf8_lossy(head.target()).into_owned())
    }

    /// The manual's examples.
    #[test]
    fn examples_of_the_manual() {
        use Normalizer as N;
        for (normalizer, flag, from, to) in [
            (N::FragmentEncode, false, "/#foo", "/%23foo"),
            (N::FragmentStrip, false, "/#foo", "/"),
            (N::PathStripDot, false, "/.", "/"),
            (N::PathStripDot, false, "/./bar/", "/bar/"),
            (N::PathStripDot, false, "/a/./a", "/a/a"),
            (N::PathStripDot, false, "/.well-known/", "/.well-known/"),
            (N::PathStripDotdot, false, "/foo/../", "/"),
            (N::PathStripDotdot, false, "/foo/../bar/", "/bar/"),
            (N::PathStripDotdot, false, "/foo/bar/../", "/foo/"),
            (N::PathStripDotdot, false, "/../bar/", "/../bar/"),
            (N::PathStripDotdot, false, "/bar/../../", "/../"),
            (N::PathStripDotdot, false, "/foo//../", "/foo/"),
            (N::PathStripDotdot, false, "/foo/%2E%2E/", "/foo/%2E%2E/"),
            (N::PathStripDotdot, true, "/../bar/", "/bar/"),
            (N::PathStripDotdot, true, "/bar/../../", "/"),
            (N::PathStripDotdot, false, "/a/b/..", "/a/"),
            (N::PathStripDotdot, false, "/..", "/../"),
            (N::PathStripDotdot, true, "/a/../..", "/"),
            (N::PathStripDotdot, false, "//../x", "/x"),
            (N::PathMergeSlashes, false, "//", "/"),
            (
                N::PathMergeSlashes,
                false,
                "/foo//bar?x=//",
                "/foo/bar?x=//",
            ),
            (N::PercentDecodeUnreserved, false, "/%61dmin", "/admin"),
            (
                N::PercentDecodeUnreserved,
                false,
                "/foo%3Fbar=baz",
                "/foo%3Fbar=baz",
            ),
            (N::PercentDecodeUnreserved, false, "/%%36%36", "/%66"),
            (N::PercentDecodeUnreserved, false, "/%ZZ", "/%ZZ"),
            (N::PercentToUppercase, false, "/%6f", "/%6F"),
            (N::PercentToUppercase, false, "/%zz", "/%zz"),
            (N::QuerySortByName, false, "/?c=3&a=1&b=2", "/?a=1&b=2&c=3"),
            (
                N::QuerySortByName,
                false,
                "/?aaa=3&a=1&aa=2",
                "/?a=1&aa=2&aaa=3",
            ),
            (
                N::QuerySortByName,
                false,
                "/?a=3&b=4&a=1&b=5&a=2",
                "/?a=3&a=1&a=2&b=4&b=5",
            ),
        ] {
            assert_eq!(
                normalized(normalizer, flag, from).as_deref(),
                Some(to),
                "{normalizer:?} {from}"
            );
        }
        assert_eq!(
            normalized(N::PercentDecodeUnreserved, true, "/%%36%36"),
            None
        );
        assert_eq!(normalized(N::PercentToUppercase, true, "/%zz"), None);
    }
}
