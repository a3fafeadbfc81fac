//! The form with which a page changes servers: what it says, and what becomes of it.

/// What is done to the chosen servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Ready,
    Drain,
    Maint,
    DisableHealth,
    EnableHealth,
    HealthUp,
    HealthNolb,
    HealthDown,
    DisableAgent,
    EnableAgent,
    AgentUp,
    AgentDown,
    Shutdown,
}

/// Every action with its word in the form and its text in the list.
pub const ACTIONS: &[(Action, &str, &str)] = &[
    (Action::Ready, "ready", "Set state to READY"),
    (Action::Drain, "drain", "Set state to DRAIN"),
    (Action::Maint, "maint", "Set state to MAINT"),
    (Action::DisableHealth, "dhlth", "Health: disable checks"),
    (Action::EnableHealth, "ehlth", "Health: enable checks"),
    (Action::HealthUp, "hrunn", "Health: force UP"),
    (Action::HealthNolb, "hnolb", "Health: force NOLB"),
    (Action::HealthDown, "hdown", "Health: force DOWN"),
    (Action::DisableAgent, "dagent", "Agent: disable checks"),
    (Action::EnableAgent, "eagent", "Agent: enable checks"),
    (Action::AgentUp, "arunn", "Agent: force UP"),
    (Action::AgentDown, "adown", "Agent: force DOWN"),
    (Action::Shutdown, "shutdown", "Kill Sessions"),
];

/// What became of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Nothing,
    Partly,
    BadParameters,
    TooLong,
    Denied,
    /// Not a plain form.
    Invalid,
    Unknown,
}

/// Every outcome with its word in the address and its text on the page.
pub const OUTCOMES: &[(Outcome, &str, &str)] = &[
    (Outcome::Done, "DONE", "Action processed successfully."),
    (Outcome::Nothing, "NONE", "Nothing has changed."),
    (
        Outcome::Partly,
        "PART",
        "Action partially processed. Some server names are probably unknown or ambiguous.",
    ),
    (
        Outcome::BadParameters,
        "ERRP",
        "Action not processed because of invalid parameters: an unknown action, backend or server.",
    ),
    (
        Outcome::TooLong,
        "EXCD",
        "Action not processed: the request is too long. Retry with fewer servers at a time.",
    ),
    (Outcome::Denied, "DENY", "Action denied."),
    (
        Outcome::Invalid,
        "IVAL",
        "Invalid request: unsupported method or encoding.",
    ),
    (Outcome::Unknown, "UNKN", "Unexpected result."),
];

impl Outcome {
    /// The outcome that an address names.
    pub fn from_word(word: &str) -> Self {
        let row = OUTCOMES.iter().find(|(_, known, _)| *known == word);
        row.map_or(Self::Unknown, |(outcome, ..)| *outcome)
    }

    /// Its word and text.
    pub fn texts(self) -> (&'static str, &'static str) {
        let row = OUTCOMES.iter().find(|(outcome, ..)| *outcome == self);
        row.map_or(("UNKN", ""), |(_, word, text)| (*word, *text))
    }
}

/// The backend that a form is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// `#` and the number.
    Id(u32),
    Name(String),
}

/// A form as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub backend: Backend,
    /// Names, at least one.
    pub servers: Vec<String>,
    pub action: Action,
}

impl Form {
    /// Reads a body of `application/x-www-form-urlencoded`: `s=`, `action=` and `b=`.
    pub fn parse(body: &[u8]) -> Result<Self, Outcome> {
        let (mut backend, mut servers, mut action) = (None, Vec::new(), None);
        for pair in body
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
        {
            let equals = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = pair.split_at(equals.ok_or(Outcome::BadParameters)?);
            let value = decode(&value[1..]).ok_or(Outcome::BadParameters)?;
            match name {
                b"s" => servers.push(value),
                b"b" => backend = Some(backend_of(value).ok_or(Outcome::BadParameters)?),
                b"action" => {
                    let row = ACTIONS.iter().find(|(_, word, _)| *word == value);
                    action = Some(row.ok_or(Outcome::BadParameters)?.0);
                }
                _ => {}
            }
        }
        let backend = backend.ok_or(Outcome::BadParameters)?;
        let action = action.ok_or(Outcome::BadParameters)?;
        if servers.is_empty() {
            return Err(Outcome::Nothing);
        }
        Ok(Self {
            backend,
            servers,
            action,
        })
    }
}

fn backend_of(value: String) -> Option<Backend> {
    match value.strip_prefix('#') {
        Some(id) => id.parse().ok().map(Backend::Id),
        None if value.is_empty() => None,
        None => Some(Backend::Name(value)),
    }
}

/// `+` and `%XX` to text.
fn decode(value: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || (*bytes.next()? as char).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let form = Form::parse(b"s=s1&s=s+2%2f&action=drain&b=%233").expect("a form");
        assert_eq!(form.backend, Backend::Id(3));
        assert_eq!(form.servers, ["s1", "s 2/"]);
        assert_eq!(form.action, Action::Drain);
        let named = Form::parse(b"b=be&action=shutdown&s=x&other=1").expect("a form");
        assert_eq!(named.backend, Backend::Name("be".to_owned()));
    }

    #[test]
    fn what_is_no_form() {
        let rows: &[(&[u8], Outcome)] = &[
            (b"action=ready&b=%233", Outcome::Nothing),
            (b"s=s1&action=bogus&b=%233", Outcome::BadParameters),
            (b"s=s1&action=ready", Outcome::BadParameters),
            (b"s=s1&action=ready&b=", Outcome::BadParameters),
            (b"s=%zz&action=ready&b=x", Outcome::BadParameters),
            (b"s=%f&action=ready&b=x", Outcome::BadParameters),
            (b"nonsense", Outcome::BadParameters),
            (b"", Outcome::BadParameters),
        ];
        for (body, outcome) in rows {
            assert_eq!(Form::parse(body), Err(*outcome), "{body:?}");
        }
    }

    #[test]
    fn outcomes_have_words() {
        for (outcome, word, text) in OUTCOMES {
            assert_eq!(Outcome::from_word(word), *outcome);
            assert_eq!(outcome.texts(), (*word, *text));
        }
    }
}
