//! Answers of name servers: no panic, and no record for a question that was not asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::dns::{Answer, Kind, Question, decode};

fuzz_target!(|raw: &[u8]| {
    for kind in [Kind::A, Kind::Aaaa, Kind::Srv] {
        let question = Question {
            id: 0x1234,
            name: "app.test",
            kind,
            payload_max: 512,
        };
        if let Ok(Answer::Valid(_)) = decode(raw, &question) {
            assert_eq!(wire::dns::id(raw), Some(question.id));
        }
    }
});
