//! Why the process does not start.

use cfgparse::model::Place;

/// A reason not to start, in words that name cause and remedy.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// Something in the configuration that only shows when it is put to work.
    #[error("{message}")]
    Configuration {
        at: Place,
        message: String,
        remedy: String,
    },
    #[error("Starting frontend {frontend}: cannot bind socket ({source}) for [{address}]")]
    Bind {
        frontend: String,
        address: String,
        source: std::io::Error,
    },
    #[error("Starting admin socket: cannot bind UNIX socket ({source}) for [{address}]")]
    AdminSocket {
        address: String,
        source: std::io::Error,
    },
    #[error(transparent)]
    Ring(reactor::SetupError),
    #[error("cannot {what}: {source}")]
    System {
        what: &'static str,
        source: std::io::Error,
    },
    #[error("cannot find {what} '{name}'; create it, or name one that exists")]
    Unknown { what: &'static str, name: String },
    #[error(transparent)]
    Launch(#[from] crate::rt::LaunchError),
    #[error("cannot write the pid file '{path}': {source}")]
    PidFile {
        path: String,
        source: std::io::Error,
    },
}

impl From<crate::sample::CompileError> for BootError {
    fn from(error: crate::sample::CompileError) -> Self {
        Self::Configuration {
            at: error.at,
            message: error.message,
            remedy: error.remedy,
        }
    }
}
