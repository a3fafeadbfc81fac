//! Lines into words: places never run backwards and never leave the line.
#![no_main]

use cfgparse::lex;
use cfgparse::model::Place;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    let place = Place { file: 0, line: 1, column: 0 };
    let Ok(words) = lex::words(line, place, &|name| Some(name.to_owned())) else { return };
    let columns = line.chars().count() as u32 + 1;
    let mut last = 0;
    for word in words {
        assert!(word.at.column >= last && word.at.column + word.len <= columns);
        last = word.at.column;
    }
});
