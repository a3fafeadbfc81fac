//! `wait-for-body`.

use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;

use super::{Act, Flow};

#[derive(Debug)]
struct WaitForBody {
    time_ms: u32,
    at_least_bytes: Option<u64>,
}

impl Act for WaitForBody {
    fn run(&self, txn: &mut Txn<'_>, kind: Kind) -> Flow {
        let data = if kind.is_response() {
            txn.response_data
        } else {
            txn.request_data
        };
        let enough = self
            .at_least_bytes
            .is_some_and(|bytes| data.bytes.len() as u64 >= bytes);
        if data.complete || data.last_chance || enough {
            return Flow::Next;
        }
        Flow::WaitForBody {
            time_ms: self.time_ms,
            at_least_bytes: self.at_least_bytes,
        }
    }
}

pub fn compile(time_ms: u32, at_least_bytes: Option<u64>) -> Box<dyn Act> {
    Box::new(WaitForBody {
        time_ms,
        at_least_bytes,
    })
}
