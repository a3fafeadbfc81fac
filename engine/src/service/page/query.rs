//! The part of the page's address that follows `stats uri`.

use super::form::Outcome;

/// In which form a client wants the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    #[default]
    Html,
    /// `;csv`
    Csv,
    /// `;typed`
    Typed,
    /// `;json`
    Json,
}

/// The words behind the address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pub output: Output,
    /// `;norefresh`
    pub no_refresh: bool,
    /// `;up`: no server that is down.
    pub up_only: bool,
    /// `;no-maint`: no server in maintenance.
    pub no_maint: bool,
    /// `;st=...`: what became of a change.
    pub outcome: Option<Outcome>,
}

/// Whether a request's target is the page: any that begins with the configured prefix.
pub fn matches(uri: &[u8], target: &[u8]) -> bool {
    !uri.is_empty() && target.starts_with(uri)
}

impl Query {
    /// The words of a target behind the prefix, each begun by `;`; others mean nothing.
    pub fn parse(uri: &str, target: &str) -> Self {
        let mut query = Self::default();
        let rest = target.strip_prefix(uri).unwrap_or("");
        for word in rest.split(';').skip(1) {
            match word {
                "csv" => query.output = Output::Csv,
                "typed" => query.output = Output::Typed,
                "json" => query.output = Output::Json,
                "norefresh" => query.no_refresh = true,
                "up" => query.up_only = true,
                "no-maint" => query.no_maint = true,
                other => {
                    let outcome = other.strip_prefix("st=").map(Outcome::from_word);
                    query.outcome = query.outcome.or(outcome);
                }
            }
        }
        query
    }

    /// The address of the page with these words, `;st=` left out.
    pub fn address(&self, uri: &str) -> String {
        let mut address = uri.to_owned();
        let words = [
            (self.up_only, ";up"),
            (self.no_maint, ";no-maint"),
            (self.no_refresh, ";norefresh"),
            (self.output == Output::Csv, ";csv"),
            (self.output == Output::Json, ";json"),
        ];
        words
            .iter()
            .filter(|(on, _)| *on)
            .for_each(|(_, word)| address.push_str(word));
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_behind_the_prefix() {
        let parse = |target| Query::parse("/s?x", target);
        assert_eq!(parse("/s?x"), Query::default());
        let query = parse("/s?x;csv;norefresh;up;no-maint");
        assert_eq!(query.output, Output::Csv);
        assert!(query.no_refresh && query.up_only && query.no_maint);
        assert_eq!(parse("/s?x;st=DONE").outcome, Some(Outcome::Done));
        assert_eq!(parse("/s?xfoo;json").output, Output::Json);
        assert_eq!(parse("/other;json"), Query::default());
    }

    #[test]
    fn prefixes() {
        assert!(matches(b"/", b"/anything") && matches(b"/s?x", b"/s?x;csv"));
        assert!(!matches(b"/stats", b"/stat") && !matches(b"", b"/"));
    }

    #[test]
    fn addresses_keep_what_was_chosen() {
        let query = Query::parse("/s", "/s;norefresh;up;st=DONE");
        assert_eq!(query.address("/s"), "/s;up;norefresh");
    }
}
