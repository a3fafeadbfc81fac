//! DNS questions and answers (RFC 1035, 2782, 6891), as far as resolving servers needs them.
//!
//! The bytes are hickory-proto's business; what is ours is which answers count. An answer counts
//! only for the question that was asked: its number, name and type must come back. Of its records
//! only those count that the name, or the chain of CNAMEs that begins at it, leads to.

use std::net::IpAddr;
use std::str::FromStr;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};

/// Links of a chain of CNAMEs that are followed.
const CHAIN_MAX: usize = 16;
/// Records of one answer that are looked at.
const RECORDS_MAX: usize = 1_024;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    A,
    Aaaa,
    Srv,
}

impl Kind {
    fn record(self) -> RecordType {
        match self {
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::AAAA,
            Self::Srv => RecordType::SRV,
        }
    }
}

/// A question to a name server.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub id: u16,
    pub name: &'a str,
    pub kind: Kind,
    /// Bytes of an answer that we take (`accepted_payload_size`).
    pub payload_max: u16,
}

impl Question<'_> {
    /// The message; `None` for what is no name.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut message = Message::new(self.id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(name(self.name)?, self.kind.record()));
        let mut edns = Edns::new();
        edns.set_max_payload(self.payload_max);
        message.set_edns(edns);
        message.to_vec().ok()
    }
}

/// Whether a text can be asked for.
pub fn is_name(text: &str) -> bool {
    name(text).is_some()
}

fn name(text: &str) -> Option<Name> {
    let mut name = Name::from_str(text).ok()?;
    if name.num_labels() == 0 {
        return None;
    }
    name.set_fqdn(true);
    Some(name)
}

/// The number of a message, by which its question is found.
pub fn id(message: &[u8]) -> Option<u16> {
    let bytes = message.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*bytes))
}

/// A record that counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Found {
    Address(IpAddr),
    Service {
        /// In lower case, without the dot at its end.
        target: String,
        port: u16,
        weight: u16,
    },
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// At least one record.
    Valid(Vec<Found>),
    NxDomain,
    Refused,
    /// The name exists, without a record of this type.
    Empty,
    /// A chain of CNAMEs that leads nowhere.
    BrokenChain,
    /// It did not fit.
    Truncated,
    /// The server is in trouble.
    Other,
}

/// Why bytes are no answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// They are no message.
    Malformed,
    /// A message, but not about what was asked.
    Unrelated,
}

/// Reads an answer to `question`.
pub fn decode(bytes: &[u8], question: &Question<'_>) -> Result<Answer, Unfit> {
    let message = Message::from_vec(bytes).map_err(|_| Unfit::Malformed)?;
    let asked = name(question.name).ok_or(Unfit::Unrelated)?;
    let meta = &message.metadata;
    let is_ours = meta.id == question.id
        && meta.message_type == MessageType::Response
        && meta.op_code == OpCode::Query
        && message.queries.len() == 1
        && message.queries[0].query_type == question.kind.record()
        && same(&message.queries[0].name, &asked);
    if !is_ours {
        return Err(Unfit::Unrelated);
    }
    if meta.truncation {
        return Ok(Answer::Truncated);
    }
    Ok(match meta.response_code {
        ResponseCode::NoError => records(&message.answers, asked, question.kind),
        ResponseCode::NXDomain => Answer::NxDomain,
        ResponseCode::Refused => Answer::Refused,
        _ => Answer::Other,
    })
}

fn records(answers: &[Record], asked: Name, kind: Kind) -> Answer {
    let answers = &answers[..answers.len().min(RECORDS_MAX)];
    let mut owner = asked;
    let mut links = 0;
    while let Some(next) = alias(answers, &owner) {
        links += 1;
        if links > CHAIN_MAX {
            return Answer::BrokenChain;
        }
        owner = next;
    }
    let found: Vec<Found> = answers
        .iter()
        .filter(|record| same(&record.name, &owner))
        .filter_map(|record| found(&record.data, kind))
        .collect();
    match (found.is_empty(), links) {
        (false, _) => Answer::Valid(found),
        (true, 0) => Answer::Empty,
        (true, _) => Answer::BrokenChain,
    }
}

fn alias(answers: &[Record], owner: &Name) -> Option<Name> {
    answers.iter().find_map(|record| match &record.data {
        RData::CNAME(to) if same(&record.name, owner) => Some(to.0.clone()),
        _ => None,
    })
}

fn found(data: &RData, kind: Kind) -> Option<Found> {
    match (data, kind) {
        (RData::A(address), Kind::A) => Some(Found::Address(IpAddr::V4(address.0))),
        (RData::AAAA(address), Kind::Aaaa) => Some(Found::Address(IpAddr::V6(address.0))),
        (RData::SRV(service), Kind::Srv) => {
            let mut target = service.target.to_ascii().to_ascii_lowercase();
            if target.len() > 1 && target.ends_with('.') {
                target.pop();
            }
            // Manual of SRV (RFC 2782): "." is "no such service here".
            (target != "." && is_name(&target)).then_some(Found::Service {
                target,
                port: service.port,
                weight: service.weight,
            })
        }
        _ => None,
    }
}

/// Names differ in case and final dot at will (RFC 1035, 2.3.3).
fn same(one: &Name, other: &Name) -> bool {
    one.num_labels() == other.num_labels()
        && one
            .iter()
            .zip(other.iter())
            .all(|(a, b)| a.eq_ignore_ascii_case(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::rdata::{A, CNAME, SRV};
    use proptest::prelude::*;

    const QUESTION: Question<'static> = Question {
        id: 0x1234,
        name: "App.test",
        kind: Kind::A,
        payload_max: 512,
    };

    fn answer(change: impl FnOnce(&mut Message)) -> Vec<u8> {
        let mut message = Message::new(0x1234, MessageType::Response, OpCode::Query);
        message.add_query(Query::query(name("app.test").unwrap(), RecordType::A));
        change(&mut message);
        message.to_vec().unwrap()
    }

    fn record(owner: &str, data: RData) -> Record {
        Record::from_rdata(name(owner).unwrap(), 30, data)
    }

    fn address(owner: &str, last: u8) -> Record {
        record(owner, RData::A(A::new(127, 0, 0, last)))
    }

    fn cname(owner: &str, to: &str) -> Record {
        record(owner, RData::CNAME(CNAME(name(to).unwrap())))
    }

    fn valid(last: &[u8]) -> Answer {
        let found = last
            .iter()
            .map(|&last| Found::Address([127, 0, 0, last].into()));
        Answer::Valid(found.collect())
    }

    #[test]
    fn a_question_as_haproxy_sends_it() {
        let bytes = QUESTION.encode().unwrap();
        let expected =
            b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x03app\x04test\x00\x00\x01\
            \x00\x01\x00\x00\x29\x02\x00\x00\x00\x00\x00\x00\x00";
        assert_eq!(bytes, expected);
        assert_eq!(id(&bytes), Some(0x1234));
    }

    #[test]
    fn names() {
        for bad in ["", ".", "a..b", &"a".repeat(64), &"a.".repeat(200)] {
            assert!(!is_name(bad), "{bad:?}");
        }
        assert!(is_name("_http._tcp.example.com") && is_name("a.b."));
    }

    #[test]
    fn only_records_that_the_name_leads_to_count() {
        let rows: [(&[Record], Answer); 6] = [
            (
                &[address("APP.test", 1), address("app.test", 2)],
                valid(&[1, 2]),
            ),
            (&[address("other.test", 1)], Answer::Empty),
            (
                &[
                    address("b.test", 7),
                    cname("app.test", "a.test"),
                    cname("a.test", "b.test"),
                ],
                valid(&[7]),
            ),
            (&[cname("app.test", "a.test")], Answer::BrokenChain),
            (
                &[cname("app.test", "a.test"), cname("a.test", "app.test")],
                Answer::BrokenChain,
            ),
            (&[], Answer::Empty),
        ];
        for (records, expected) in rows {
            let bytes = answer(|message| message.answers = records.to_vec());
            assert_eq!(decode(&bytes, &QUESTION), Ok(expected), "{records:?}");
        }
    }

    #[test]
    fn an_answer_must_be_about_the_question() {
        type Change = fn(&mut Message);
        let rows: [(Change, Unfit); 6] = [
            (|m| m.metadata.id = 0x1235, Unfit::Unrelated),
            (
                |m| m.metadata.message_type = MessageType::Query,
                Unfit::Unrelated,
            ),
            (|m| m.metadata.op_code = OpCode::Notify, Unfit::Unrelated),
            (|m| m.queries.clear(), Unfit::Unrelated),
            (
                |m| m.queries[0].query_type = RecordType::AAAA,
                Unfit::Unrelated,
            ),
            (
                |m| m.queries[0].name = name("b.test").unwrap(),
                Unfit::Unrelated,
            ),
        ];
        for (number, (change, expected)) in rows.into_iter().enumerate() {
            let bytes = answer(|message| {
                message.add_answer(address("app.test", 1));
                change(message);
            });
            assert_eq!(decode(&bytes, &QUESTION), Err(expected), "row {number}");
        }
        assert_eq!(decode(b"\x12\x34\x81", &QUESTION), Err(Unfit::Malformed));
    }

    #[test]
    fn codes() {
        for (code, expected) in [
            (ResponseCode::NXDomain, Answer::NxDomain),
            (ResponseCode::Refused, Answer::Refused),
            (ResponseCode::ServFail, Answer::Other),
        ] {
            let bytes = answer(|message| message.metadata.response_code = code);
            assert_eq!(decode(&bytes, &QUESTION), Ok(expected));
        }
        let bytes = answer(|message| message.metadata.truncation = true);
        assert_eq!(decode(&bytes, &QUESTION), Ok(Answer::Truncated));
    }

    #[test]
    fn services() {
        let question = Question {
            kind: Kind::Srv,
            ..QUESTION
        };
        let bytes = answer(|message| {
            message.queries[0].query_type = RecordType::SRV;
            let service = SRV::new(0, 10, 8080, name("N1.test").unwrap());
            message.add_answer(record("app.test", RData::SRV(service)));
            message.add_answer(record(
                "app.test",
                RData::SRV(SRV::new(0, 1, 1, Name::root())),
            ));
            message.add_answer(address("app.test", 1));
        });
        let service = Found::Service {
            target: "n1.test".to_owned(),
            port: 8080,
            weight: 10,
        };
        assert_eq!(decode(&bytes, &question), Ok(Answer::Valid(vec![service])));
    }

    proptest! {
        /// Whatever a name server sends, nothing panics.
        #[test]
        fn hostile_bytes(mut bytes in proptest::collection::vec(any::<u8>(), 0..600), cut in 0..200_usize) {
            let _ = decode(&bytes, &QUESTION);
            let mut good = answer(|message| {
                message.add_answer(cname("app.test", "a.test"));
                message.add_answer(address("a.test", 3));
            });
            let at = cut % good.len();
            bytes.truncate(8);
            good.splice(at.., bytes);
            let _ = decode(&good, &QUESTION);
        }
    }
}
