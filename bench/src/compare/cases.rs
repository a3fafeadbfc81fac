//! The cases of the comparison.

use super::CompareError;
use crate::load::{self, Options, Reuse};
use crate::subject::{SubjectError, Task};
use std::net::SocketAddr;
use std::sync::Arc;

/// One row of the comparison.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub name: &'static str,
    pub task: Task,
    pub work: Work,
}

#[derive(Clone, Copy, Debug)]
pub enum Work {
    Load {
        path: &'static str,
        connections: usize,
        reuse: Reuse,
    },
    Idle {
        connections: usize,
    },
}

const fn load(name: &'static str, task: Task, path: &'static str, connections: usize) -> Case {
    Case {
        name,
        task,
        work: Work::Load {
            path,
            connections,
            reuse: Reuse::KeepAlive,
        },
    }
}

const CASES: &[Case] = &[
    load("64B-x1", Task::Http, "/64", 1),
    load("64B-x64", Task::Http, "/64", 64),
    load("1KB-x512", Task::Http, "/1024", 512),
    load("64KB-x64", Task::Http, "/65536", 64),
    load("1MB-x64", Task::Http, "/1048576", 64),
    Case {
        name: "close-x64",
        task: Task::Http,
        work: Work::Load {
            path: "/64",
            connections: 64,
            reuse: Reuse::Close,
        },
    },
    load("chunked16KB-x64", Task::Http, "/chunked/16384", 64),
    load("tcp64B-x64", Task::Tcp, "/64", 64),
    load("tcp1MB-x64", Task::Tcp, "/1048576", 64),
    load("tls1KB-x64", Task::Tls, "/1024", 64),
    Case {
        name: "tls-handshake-x16",
        task: Task::Tls,
        work: Work::Load {
            path: "/64",
            connections: 16,
            reuse: Reuse::Close,
        },
    },
    load("rules-x64", Task::Rules, "/64", 64),
    Case {
        name: "idle-9000",
        task: Task::Http,
        work: Work::Idle { connections: 9000 },
    },
];

/// Cases whose names contain one of the words; all when there are none.
pub fn named(words: &[String]) -> Result<Vec<&'static Case>, CompareError> {
    if let Some(lost) = words
        .iter()
        .find(|word| !CASES.iter().any(|case| case.name.contains(*word)))
    {
        let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        return Err(CompareError::NoCase(lost.clone(), names.join(" ")));
    }
    let wanted =
        |case: &&Case| words.is_empty() || words.iter().any(|word| case.name.contains(word));
    Ok(CASES.iter().filter(wanted).collect())
}

impl Case {
    pub fn options(&self, target: SocketAddr) -> Options {
        let (path, connections, reuse) = match self.work {
            Work::Load {
                path,
                connections,
                reuse,
            } => (path, connections, reuse),
            Work::Idle { connections } => ("/64", connections, Reuse::KeepAlive),
        };
        let headers = if self.task == Task::Rules {
            many_headers()
        } else {
            Vec::new()
        };
        Options {
            headers,
            reuse,
            ..Options::new(target, connections, path)
        }
    }
}

/// What a case needs besides a path: a certificate, and a client that trusts it.
pub struct Site {
    /// Certificate and key.
    pub pem: String,
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

impl Site {
    pub fn new(task: Task) -> Result<Site, CompareError> {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
            .map_err(SubjectError::from)?;
        let pem = format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem());
        let trusted = (task == Task::Tls).then(|| load::trust(made.cert.der().clone()));
        Ok(Site {
            pem,
            tls: trusted.transpose()?,
        })
    }
}

/// Twenty headers of usual length.
fn many_headers() -> Vec<(String, String)> {
    let header = |n| {
        (
            format!("x-header-{n}"),
            format!("value-{n}-of-a-usual-length-abcdefgh"),
        )
    };
    (0..20).map(header).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_chosen_by_parts_of_their_names() {
        let names = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            named(&words).map(|cases| cases.iter().map(|case| case.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["64B-x1"]).unwrap(), ["64B-x1"]);
        assert_eq!(names(&[]).unwrap().len(), CASES.len());
        assert!(names(&["64B-x64", "nonsense"]).is_err());
    }
}
