//! Where text comes from: named sources, the environment, files that a configuration mentions.

use std::collections::BTreeMap;
use std::io;

use crate::bytes;

/// One configuration text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As given on the command line, or the file's path inside a folder that was given.
    pub name: String,
    pub text: String,
}

/// The process's variables as the configuration sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    vars: BTreeMap<String, String>,
}

impl Environment {
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.vars.insert(name.into(), value.into());
    }

    pub fn unset(&mut self, name: &str) {
        self.vars.remove(name);
    }

    /// Keeps only the variables named.
    pub fn reset(&mut self, keep: &[String]) {
        self.vars.retain(|name, _| keep.contains(name));
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(iter: I) -> Self {
        let mut environment = Self::default();
        for (name, value) in iter {
            environment.set(name, value);
        }
        environment
    }
}

/// The files that a configuration mentions: pattern files, maps, error files.
pub trait FileAccess {
    /// The whole content.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// Whether there is a file or a folder.
    fn exists(&self, path: &str) -> bool {
        self.read(path).is_ok()
    }
}

/// Files of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl FileAccess for Disk {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn exists(&self, path: &str) -> bool {
        std::fs::metadata(path).is_ok()
    }
}

/// Files held in memory, for tests and editors.
impl FileAccess for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.get(path)
            .cloned()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// Reads what `-f` names: a file, or a folder's `*.cfg` in the order of the C locale.
pub fn from_disk(path: &str) -> io::Result<Vec<Source>> {
    if !std::fs::metadata(path)?.is_dir() {
        let text = bytes::text(std::fs::read(path)?);
        return Ok(vec![Source {
            name: path.to_owned(),
            text,
        }]);
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_cfg = name
            .strip_suffix(".cfg")
            .is_some_and(|stem| !stem.starts_with('.'));
        if is_cfg {
            names.push(name);
        }
    }
    names.sort_unstable();
    let mut sources = Vec::with_capacity(names.len());
    for name in names {
        let name = format!("{}/{name}", path.trim_end_matches('/'));
        if std::fs::metadata(&name)?.is_file() {
            let text = bytes::text(std::fs::read(&name)?);
            sources.push(Source { name, text });
        }
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_cfg_files_in_c_order() {
        let folder = tempfile::tempdir().expect("scratch folder");
        for name in ["b.cfg", "B.cfg", "a.cfg", "x.txt", ".hidden.cfg"] {
            std::fs::write(folder.path().join(name), name).expect("written");
        }
        let sources = from_disk(&folder.path().display().to_string()).expect("read");
        let texts: Vec<_> = sources.iter().map(|source| source.text.as_str()).collect();
        assert_eq!(texts, ["B.cfg", "a.cfg", "b.cfg"]);
    }
}
