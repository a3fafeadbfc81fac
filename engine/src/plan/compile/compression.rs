//! `compression` lines and the filters that go with them (manual 4.2, 9.2).

use cfgparse::model::Proxy;

use crate::compress::{Algorithm, Compression, Direction};

/// A proxy's compression; `None` where it compresses nothing.
pub fn compile(section: &Proxy) -> Option<Compression> {
    let written = &section.compression;
    let has_filter = |name: &str| section.filters.iter().any(|filter| filter.name == name);
    let says = |words: &[&str]| {
        let direction = written.direction.as_deref().unwrap_or("response");
        words.contains(&direction)
    };
    let requests = (says(&["request", "both"]) || has_filter("comp-req"))
        .then(|| direction(&written.algo_req, &written.types_req, written.minsize_req))
        .flatten();
    let responses = (says(&["response", "both"]) || has_filter("comp-res"))
        .then(|| direction(&written.algo, &written.types, written.minsize_res))
        .flatten();
    if requests.is_none() && responses.is_none() {
        return None;
    }
    Some(Compression {
        requests,
        responses,
        offload: written.offload,
    })
}

fn direction(algorithms: &[String], types: &[String], min: Option<u32>) -> Option<Direction> {
    let algorithms: Box<[_]> = algorithms
        .iter()
        .filter_map(|word| Algorithm::of(word))
        .collect();
    let lower = |word: &String| word.to_ascii_lowercase().into_bytes().into_boxed_slice();
    (!algorithms.is_empty()).then(|| Direction {
        algorithms,
        types: types.iter().map(lower).collect(),
        min_bytes: min.map_or(0, u64::from),
    })
}
