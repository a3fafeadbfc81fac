//! Conditions: a double negation changes nothing.
#![no_main]

use cfgparse::Facts;
use cfgparse::condition::eval;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let facts = Facts::default();
    let defined = |name: &str| name.len() % 2 == 0;
    let Ok(plain) = eval(text, &facts, &defined) else { return };
    if !text.trim().is_empty()
        && let Ok(twice) = eval(&format!("!!({text})"), &facts, &defined)
    {
        assert_eq!(plain, twice);
    }
});
