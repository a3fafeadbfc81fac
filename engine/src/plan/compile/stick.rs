//! `stick` lines.

use cfgparse::model::Proxy;
use cfgparse::model::persist::StickKind;

use super::Context;
use super::frontend::switching_point;
use crate::plan::StickRule;
use crate::sample::{Compiler, Expr, Point};

impl Context<'_> {
    /// The rules on requests, or those on responses.
    pub(super) fn stick_rules(
        &mut self,
        section: &Proxy,
        of_responses: bool,
        compiler: &mut Compiler<'_>,
    ) -> Vec<StickRule> {
        let point = match (of_responses, switching_point(section)) {
            (false, point) => point,
            (true, Point::HttpRequest) => Point::HttpResponse,
            (true, _) => Point::ResponseContent,
        };
        let mut rules = Vec::new();
        for line in &section.stick_rules {
            if (line.kind == StickKind::StoreResponse) != of_responses {
                continue;
            }
            let condition = self.condition(line.condition.as_ref(), line.at, point, compiler);
            compiler.at = line.at;
            compiler.point = point;
            let Some((table, kind)) = compiler.names.table(&line.table) else {
                let message = format!("unable to find stick-table '{}'.", line.table);
                self.error(line.at, message, "add a 'stick-table' line to that section");
                continue;
            };
            let compiled = Expr::compile(&line.expr, compiler);
            let Some(key) = self.note(compiled) else {
                continue;
            };
            if !kind.accepts(key.out()) {
                let message = format!(
                    "type of fetch not usable with type of stick-table '{}'.",
                    line.table
                );
                self.error(line.at, message, "use a key of the table's type");
                continue;
            }
            rules.push(StickRule {
                matches: matches!(line.kind, StickKind::On | StickKind::Match),
                stores: line.kind != StickKind::Match,
                key,
                table,
                condition,
            });
        }
        rules
    }
}
