//! `set-status`.

use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;

use super::{Act, Flow};

#[derive(Debug)]
struct SetStatus {
    status: u16,
    reason: Option<Box<[u8]>>,
}

impl Act for SetStatus {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        if let Some(head) = txn.response.as_deref_mut() {
            head.set_status(self.status, self.reason.as_deref());
        }
        Flow::Next
    }
}

pub fn compile(status: u16, reason: Option<&str>) -> Box<dyn Act> {
    Box::new(SetStatus {
        status,
        reason: reason.map(|text| text.as_bytes().into()),
    })
}
