//! `set-src`, `set-src-port`, `set-dst`, `set-dst-port`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use cfgparse::model::rule::Action;

use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::sample::{Compiler, Expr};

use super::{Act, Compiled, Flow};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Src,
    SrcPort,
    Dst,
    DstPort,
}

#[derive(Debug)]
struct SetAddress {
    part: Part,
    expr: Expr,
}

impl Act for SetAddress {
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        let value = self
            .expr
            .eval(&txn.cx())
            .value()
            .map(crate::sample::Value::into_owned);
        txn.apply_effects();
        let Some(value) = value else {
            return Flow::Next;
        };
        let source = matches!(self.part, Part::Src | Part::SrcPort);
        let old = if source {
            txn.cx().src()
        } else {
            txn.cx().dst()
        };
        let old = old.unwrap_or_else(|| SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));
        let new = match self.part {
            // The port stays (manual, `set-src`).
            Part::Src | Part::Dst => value.as_address().map(|ip| SocketAddr::new(ip, old.port())),
            Part::SrcPort | Part::DstPort => value
                .as_int()
                .map(|port| SocketAddr::new(old.ip(), port as u16)),
        };
        if let Some(new) = new {
            if source {
                txn.stream.src = Some(new);
            } else {
                txn.stream.dst = Some(new);
            }
        }
        Flow::Next
    }
}

pub fn compile(action: &Action, compiler: &mut Compiler<'_>) -> Compiled {
    let (part, expr) = match action {
        Action::SetSrc(expr) => (Part::Src, expr),
        Action::SetSrcPort(expr) => (Part::SrcPort, expr),
        Action::SetDst(expr) => (Part::Dst, expr),
        Action::SetDstPort(expr) => (Part::DstPort, expr),
        _ => return Err(compiler.error("not an address action", "report this")),
    };
    let expr = Expr::compile(expr, compiler)?;
    Ok(Box::new(SetAddress { part, expr }))
}
