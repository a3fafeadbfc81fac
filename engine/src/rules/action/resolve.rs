//! `do-resolve`.

use cfgparse::model::rule::Action;
use cfgparse::model::server::AddressFamily;

use crate::plan::ResolversId;
use crate::rules::ruleset::Kind;
use crate::rules::txn::Txn;
use crate::rules::verdict::Lookup;
use crate::sample::{Compiler, Expr, Value, VarRef};

use super::{Act, Compiled, Flow};

#[derive(Debug)]
struct DoResolve {
    var: VarRef,
    by: ResolversId,
    prefer_ipv6: bool,
    expr: Expr,
}

impl Act for DoResolve {
    /// Runs twice: the first time it asks, the second time the answer is there.
    fn run(&self, txn: &mut Txn<'_>, _: Kind) -> Flow {
        if let Some(answer) = txn.stream.resolved.take() {
            let value = answer.map(Value::ip);
            // Without an address the variable is not set (manual, `do-resolve`).
            if value.is_some() {
                txn.set_var(self.var, value);
            }
            return Flow::Next;
        }
        let name = self
            .expr
            .eval(&txn.cx())
            .value()
            .map(|value| String::from_utf8_lossy(&value.into_text()).to_ascii_lowercase());
        txn.apply_effects();
        match name.filter(|name| wire::dns::is_name(name)) {
            None => Flow::Next,
            Some(name) => Flow::Resolve(Box::new(Lookup {
                by: self.by,
                name,
                prefer_ipv6: self.prefer_ipv6,
            })),
        }
    }
}

pub fn compile(action: &Action, compiler: &mut Compiler<'_>) -> Compiled {
    let Action::DoResolve {
        var,
        resolvers,
        prefer,
        expr,
    } = action
    else {
        return Err(compiler.error("not 'do-resolve'", "report this"));
    };
    let Some(by) = compiler.names.resolvers(resolvers) else {
        let text = format!("'do-resolve' : no resolvers section is named '{resolvers}'");
        return Err(compiler.error(text, "add the section"));
    };
    let expr = Expr::compile(expr, compiler)?;
    let var = compiler
        .vars
        .intern(var)
        .map_err(|message| compiler.error(message, "write a name such as txn.my_name"))?;
    Ok(Box::new(DoResolve {
        var,
        by,
        prefer_ipv6: *prefer != Some(AddressFamily::Ipv4),
        expr,
    }))
}
