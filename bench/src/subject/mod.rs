//! A proxy under measurement: its program, its configuration for a task, its process.

mod config;
mod process;

pub use config::Task;
pub use process::{Placement, Running, SubjectError, free_address};

use std::path::{Path, PathBuf};
use std::process::Command;

/// What language a proxy is configured in, and how it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Engine,
    HaProxy,
    Nginx,
}

/// An installed proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub kind: Kind,
    /// With the version where the program tells it: `haproxy-2.6.12`.
    pub name: String,
    pub path: PathBuf,
}

impl Program {
    /// `None` when there is no such program on this machine.
    pub fn find(kind: Kind, path: &Path) -> Option<Program> {
        let flag = if kind == Kind::HaProxy { "-v" } else { "-V" };
        let flag = if kind == Kind::Engine { "-v" } else { flag };
        let output = Command::new(path).arg(flag).output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let name = match kind {
            Kind::Engine => "engine".to_owned(),
            Kind::HaProxy => format!("haproxy-{}", version(&text).unwrap_or_default()),
            Kind::Nginx => format!("nginx-{}", version(&text).unwrap_or_default()),
        };
        Some(Program {
            kind,
            name,
            path: path.to_path_buf(),
        })
    }

    pub fn can(&self, task: Task) -> bool {
        // Debian's nginx has the stream module in a package of its own, which is not needed
        // for anything else here.
        self.kind != Kind::Nginx || task != Task::Tcp
    }
}

/// The first word that begins with a digit, after any `name/`, up to its suffix.
fn version(text: &str) -> Option<String> {
    let mut words = text.lines().next()?.split([' ', '/']);
    let word = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(
        word.chars()
            .take_while(|c| *c != '-' && *c != '+')
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_the_programs_print() {
        let hap = "HAProxy version 2.6.12-1+deb12u3 2025/10/03 - https://haproxy.org/";
        assert_eq!(version(hap).as_deref(), Some("2.6.12"));
        assert_eq!(
            version("nginx version: nginx/1.22.1\nbuilt").as_deref(),
            Some("1.22.1")
        );
        assert_eq!(version("something else"), None);
    }
}
