//! `auth`: asks for Basic credentials (RFC 7617).

use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::rules::verdict::{Answer, Verdict};

use super::{Act, Flow};

#[derive(Debug)]
struct Auth {
    realm: Option<Box<str>>,
}

impl Act for Auth {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let realm = match &self.realm {
            Some(realm) => realm,
            // Without a realm the proxy's name stands for it.
            None => txn
                .world
                .proxy_name(txn.stream.backend.unwrap_or(txn.session.frontend)),
        };
        let (status, field): (_, &[u8]) = if txn.cx().is_proxied() {
            (407, b"proxy-authenticate")
        } else {
            (401, b"www-authenticate")
        };
        let mut answer = Answer::error(status);
        let value = format!("Basic realm=\"{realm}\"").into_bytes();
        answer.fields.push((field.into(), value.into()));
        Flow::Stop(Verdict::Auth(Box::new(answer)))
    }
}

pub fn compile(realm: Option<&str>) -> Box<dyn Act> {
    Box::new(Auth {
        realm: realm.map(Into::into),
    })
}
