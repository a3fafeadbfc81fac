//! Which lines are written at which steps, and what they say for one target (manual, 4.2
//! `log-steps`, 8.3.5 `log-profile`).

use std::sync::Arc;

use cfgparse::model::section::{LogProfile, LogStep};

use super::format::Format;
use crate::sample::{CompileError, Compiler, LogOrigin};

/// `log-steps`: the steps of a stream at which its frontend writes a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps(u8);

impl Steps {
    /// The steps of these words; none is HAProxy's own choice, one line a stream.
    pub fn new(words: &[String]) -> Self {
        let bits = words.iter().map(|word| match word.as_str() {
            "all" => u8::MAX,
            word => STEPS
                .iter()
                .filter(|(name, _)| *name == word)
                .fold(0, |bits, (_, origin)| bits | bit(*origin)),
        });
        Self(bits.fold(0, |all, bits| all | bits))
    }

    /// Steps were named.
    pub fn are_chosen(self) -> bool {
        self.0 != 0
    }

    pub fn has(self, origin: LogOrigin) -> bool {
        self.0 & bit(origin) != 0
    }
}

const STEPS: [(&str, LogOrigin); 5] = [
    ("accept", LogOrigin::Accept),
    ("request", LogOrigin::Request),
    ("connect", LogOrigin::Connect),
    ("response", LogOrigin::Response),
    ("close", LogOrigin::Close),
];

fn bit(origin: LogOrigin) -> u8 {
    let place = STEPS.iter().position(|(_, known)| *known == origin);
    place.map_or(0, |place| 1 << place)
}

/// A `log-profile` section, compiled for one proxy.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    pub tag: Option<Arc<str>>,
    steps: Vec<(&'static str, Line)>,
    any: Option<Line>,
}

/// What a profile says about a step.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pub drop: bool,
    pub format: Option<Format>,
    pub structured: Option<Format>,
}

impl Profile {
    pub fn compile(
        section: &LogProfile,
        compiler: &mut Compiler<'_>,
    ) -> Result<Self, CompileError> {
        let mut profile = Self {
            tag: section.tag.as_deref().map(Into::into),
            ..Self::default()
        };
        for (word, step) in &section.steps {
            let line = Line::compile(step, compiler)?;
            match NAMES.iter().find(|(name, _)| name == word) {
                Some((name, _)) => profile.steps.push((name, line)),
                None => profile.any = Some(line),
            }
        }
        Ok(profile)
    }

    /// What it says about lines of this origin, if anything.
    pub fn line(&self, origin: LogOrigin) -> Option<&Line> {
        let name = NAMES.iter().find(|(_, origins)| origins.contains(&origin));
        let own = name.and_then(|(name, _)| self.steps.iter().find(|(known, _)| known == name));
        own.map(|(_, line)| line).or(self.any.as_ref())
    }
}

impl Line {
    fn compile(step: &LogStep, compiler: &mut Compiler<'_>) -> Result<Self, CompileError> {
        let format = step.format.as_ref();
        let structured = step.format_sd.as_ref();
        Ok(Self {
            drop: step.drop,
            format: format
                .map(|text| Format::compile(text, compiler))
                .transpose()?,
            structured: structured
                .map(|text| Format::compile(text, compiler))
                .transpose()?,
        })
    }
}

/// Words behind `on` and what they stand for; whatever is not here is `any`.
const NAMES: [(&str, &[LogOrigin]); 13] = [
    ("accept", &[LogOrigin::Accept]),
    ("request", &[LogOrigin::Request]),
    ("connect", &[LogOrigin::Connect]),
    ("response", &[LogOrigin::Response]),
    ("close", &[LogOrigin::Close]),
    (
        "error",
        &[LogOrigin::SessionError, LogOrigin::SessionKilled],
    ),
    ("tcp-req-conn", &[LogOrigin::TcpRequestConnection]),
    ("tcp-req-sess", &[LogOrigin::TcpRequestSession]),
    ("tcp-req-cont", &[LogOrigin::TcpRequestContent]),
    ("tcp-res-cont", &[LogOrigin::TcpResponseContent]),
    ("http-req", &[LogOrigin::HttpRequest]),
    ("http-res", &[LogOrigin::HttpResponse]),
    ("http-after-res", &[LogOrigin::HttpAfterResponse]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps() {
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            Steps::new(&words)
        };
        assert!(!of(&[]).are_chosen());
        let two = of(&["accept", "close"]);
        assert!(two.has(LogOrigin::Accept) && two.has(LogOrigin::Close));
        assert!(!two.has(LogOrigin::Connect) && !two.has(LogOrigin::HttpRequest));
        assert!(STEPS.iter().all(|(_, origin)| of(&["all"]).has(*origin)));
    }

    #[test]
    fn a_step_of_its_own_counts_before_any() {
        let line = || Line {
            drop: true,
            ..Line::default()
        };
        let profile = Profile {
            steps: vec![("error", Line::default())],
            any: Some(line()),
            ..Profile::default()
        };
        let drops = |origin| profile.line(origin).map(|line| line.drop);
        assert_eq!(drops(LogOrigin::SessionKilled), Some(false));
        assert_eq!(drops(LogOrigin::Close), Some(true));
        assert_eq!(drops(LogOrigin::HttpResponse), Some(true));
        assert!(Profile::default().line(LogOrigin::Close).is_none());
    }
}
