//! Lists of certificates with the names each is for (manual, 5.1: `crt-list`).

use std::fs;
use std::path::Path;

use rustls::crypto::CryptoProvider;

use super::cert::{self, Identity};
use super::error::SetupError;

/// What a list holds, in its order.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub named: Vec<Identity>,
    /// Certificates of lines with the filter `*`.
    pub defaults: Vec<Identity>,
}

/// One line: a file, and the names that it is for, or not for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entry<'t> {
    file: &'t str,
    names: Vec<String>,
    excluded: Vec<String>,
    is_default: bool,
}

/// Loads all certificates of a list; relative ones begin at `crt_base`.
pub(super) fn load(
    list: &Path,
    crt_base: Option<&Path>,
    provider: &CryptoProvider,
) -> Result<Listed, SetupError> {
    let text = fs::read_to_string(list).map_err(|error| {
        SetupError::file(
            list,
            error.to_string(),
            "check the path, and that the file may be read",
        )
    })?;
    let mut listed = Listed::default();
    for (index, line) in text.lines().enumerate() {
        let entry = entry(line).map_err(|(cause, remedy)| {
            SetupError::file(list, format!("line {}: {cause}", index + 1), remedy)
        })?;
        let Some(entry) = entry else { continue };
        let file = match crt_base {
            Some(base) => base.join(entry.file),
            None => Path::new(entry.file).to_owned(),
        };
        for mut identity in cert::load(&file, provider)? {
            if !entry.names.is_empty() || entry.is_default {
                identity.names.clone_from(&entry.names);
            }
            identity.excluded.clone_from(&entry.excluded);
            if entry.is_default {
                listed.defaults.push(identity.clone());
            }
            listed.named.push(identity);
        }
    }
    Ok(listed)
}

type Refusal = (String, &'static str);

/// `<file> [\[<options>\]] [[!]<name> ...]`; `None` for blank lines and comments.
fn entry(line: &str) -> Result<Option<Entry<'_>>, Refusal> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (file, mut rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let mut entry = Entry {
        file,
        ..Entry::default()
    };
    rest = rest.trim_start();
    if let Some(options) = rest.strip_prefix('[') {
        let Some((options, behind)) = options.split_once(']') else {
            return Err(("unmatched '['".to_owned(), "close the options with ']'"));
        };
        if let Some(option) = options.split_whitespace().next() {
            let cause = format!("'{option}' is not supported yet in lists of certificates");
            return Err((cause, "set it on the bind line, for all its certificates"));
        }
        rest = behind;
    }
    for filter in rest.split_whitespace() {
        let filter = filter.to_ascii_lowercase();
        match filter.strip_prefix('!') {
            Some(name) => entry.excluded.push(name.to_owned()),
            None if filter == "*" => entry.is_default = true,
            None => entry.names.push(filter),
        }
    }
    Ok(Some(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_file_and_filters() {
        assert_eq!(entry("  # comment"), Ok(None));
        assert_eq!(entry(""), Ok(None));
        let plain = entry("a.pem").expect("a line").expect("an entry");
        assert_eq!((plain.file, plain.names.len()), ("a.pem", 0));
        let full = entry("a.pem [] *.Example.com !www.example.com").expect("a line");
        let full = full.expect("an entry");
        assert_eq!(full.names, ["*.example.com"]);
        assert_eq!(full.excluded, ["www.example.com"]);
        assert!(
            entry("a.pem *")
                .expect("a line")
                .expect("an entry")
                .is_default
        );
    }

    #[test]
    fn options_of_single_certificates_are_refused_by_name() {
        let (cause, _) = entry("a.pem [verify required] a.com").expect_err("refused");
        assert!(cause.contains("'verify'"), "{cause}");
        assert!(entry("a.pem [alpn h2").is_err());
    }
}
