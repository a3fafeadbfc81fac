//! Server states of a former process (manual, `load-server-state-from-file`).

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use cfgparse::model::Proxy;
use cfgparse::model::global::Global;

use crate::sample::CompileError;
use crate::server::Saved;

/// What the files of all backends that name one say.
#[derive(Default)]
pub struct States {
    /// By file: servers by backend and name; `None` for a file that cannot be used.
    files: HashMap<PathBuf, Option<File>>,
    pub warnings: Vec<CompileError>,
}

type File = HashMap<(String, String), Saved>;

impl States {
    /// What is known of a server of this backend.
    pub fn of(&mut self, global: &Global, section: &Proxy, server: &str) -> Option<&Saved> {
        let path = file_of(global, section)?;
        if !self.files.contains_key(&path) {
            let file = self.read(&path, section);
            self.files.insert(path.clone(), file);
        }
        let key = (section.name.clone(), server.to_owned());
        self.files.get(&path)?.as_ref()?.get(&key)
    }

    /// A file that is not there is how things begin.
    fn read(&mut self, path: &Path, section: &Proxy) -> Option<File> {
        let text = fs::read_to_string(path).ok()?;
        match Saved::parse(&text) {
            Ok(saved) => {
                let key = |saved: &Saved| (saved.backend.clone(), saved.server.clone());
                Some(saved.into_iter().map(|one| (key(&one), one)).collect())
            }
            Err(line) => {
                let text = format!(
                    "corrupted server state file '{}' at line {line}.",
                    path.display()
                );
                let remedy = "save the output of 'show servers state' there";
                self.warnings
                    .push(CompileError::new(section.at, text, remedy));
                None
            }
        }
    }
}

/// The file that a backend's states are in.
fn file_of(global: &Global, section: &Proxy) -> Option<PathBuf> {
    let name = match section.load_server_state_from_file.as_deref()? {
        "global" => global.server_state_file.as_deref()?,
        "local" => match section.server_state_file_name.as_deref() {
            None | Some("use-backend-name") => section.name.as_str(),
            Some(name) => name,
        },
        _ => return None,
    };
    let base = global.server_state_base.as_deref().unwrap_or("");
    Some(Path::new(base).join(name))
}
