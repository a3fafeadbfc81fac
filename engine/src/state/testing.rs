//! Small configurations for tests, loaded as a real one is.

use std::collections::BTreeMap;
use std::sync::Arc;

use cfgparse::model::Model;
use cfgparse::{Environment, LoadOptions, Source};

use super::{Built, build};
use crate::plan::{self, Machine};
use crate::sample::CompileError;
use crate::server::{Token, Wake};

/// Nobody waits in these tests.
struct NoWake;

impl Wake for NoWake {
    fn wake(&self, _token: Token) {}
}

/// A file that the configuration's check still found and that is gone when it is to be loaded.
pub const GONE_FILE: &str = "/gone/since/file.pem";

/// A configuration without faults.
pub fn model(text: &str) -> Model {
    let source = Source {
        name: "test.cfg".to_owned(),
        text: text.to_owned(),
    };
    let files = BTreeMap::from([(GONE_FILE.to_owned(), Vec::new())]);
    let options = LoadOptions {
        language_only: true,
        ..LoadOptions::default()
    };
    let loaded = cfgparse::load(&[source], &Environment::default(), &files, &options);
    loaded
        .model
        .unwrap_or_else(|| panic!("{text}: {:?}", loaded.diagnostics))
}

/// The same, compiled and built for two cores, with `wake` for those who wait.
pub fn built_with(text: &str, wake: Arc<impl Wake + 'static>) -> Result<Built, Vec<CompileError>> {
    let model = model(text);
    let machine = Machine {
        host_name: "edge1".to_owned(),
        connections_max: 500,
        descriptors: 1_100,
        name_servers: Vec::new(),
    };
    let compiled = plan::compile(&model, &machine)?;
    build(&model, compiled, 2, wake)
}

/// The same, where nobody waits.
pub fn built(text: &str) -> Built {
    built_with(text, Arc::new(NoWake)).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// What building it complains about.
pub fn errors(text: &str) -> Vec<CompileError> {
    built_with(text, Arc::new(NoWake)).err().unwrap_or_default()
}
