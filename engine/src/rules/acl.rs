//! Tests: an expression compared with patterns (manual, 7.1).

use std::sync::Arc;

use cfgparse::model::expr::{AclExpr, MatchMethod};

use crate::sample::pattern::{Item, Matcher, PatternError, PatternId, Use};
use crate::sample::{CompileError, Compiler, Cx, Expr, Fetched, Type, Value, Walk, castable};

use super::condition::Holds;
use super::predefined;

/// A named or anonymous ACL: it holds if any of its alternatives does.
#[derive(Clone, Debug)]
pub struct Test {
    any: Box<[One]>,
}

#[derive(Clone, Debug)]
struct One {
    expr: Expr,
    /// What samples are cast to before they are compared.
    input: Type,
    found: bool,
    patterns: Option<Matcher>,
    files: Box<[PatternId]>,
}

/// The test of the ACL `name`: the proxy's own, else a predefined one.
pub fn named(name: &str, compiler: &mut Compiler<'_>) -> Result<Arc<Test>, CompileError> {
    let key = (compiler.point, name.to_owned());
    if let Some(test) = compiler.acl_cache.get(&key) {
        return Ok(test.clone());
    }
    let own = compiler.acls.get(name).copied();
    let test = match own {
        Some(acl) => Test::compile(&acl.tests, compiler)?,
        None => match predefined::find(name) {
            Some(test) => Test::compile(&[test], compiler)?,
            None => {
                return Err(compiler.error(
                    format!("no such ACL : '{name}'"),
                    format!("declare it in this section: acl {name} ..."),
                ));
            }
        },
    };
    let test = Arc::new(test);
    compiler.acl_cache.insert(key, test.clone());
    Ok(test)
}

impl Test {
    /// Compiles the alternatives of one ACL.
    ///
    /// An alternative that needs what can never exist here is dropped with a warning: it never holds.
    pub fn compile(tests: &[AclExpr], compiler: &mut Compiler<'_>) -> Result<Test, CompileError> {
        let mut any = Vec::with_capacity(tests.len());
        for test in tests {
            if !compiler.point.offers(&test.sample.fetch.name) {
                let message = format!("'{}' never matches here", test.sample.text);
                let remedy = format!("a {} has no such data", compiler.point.words());
                compiler.warn(message, remedy);
                continue;
            }
            let line = compiler.at;
            // Predefined ACLs stand nowhere: the line that names them is to blame.
            if test.at.line > 0 {
                compiler.at = test.at;
            }
            any.push(One::compile(test, compiler)?);
            compiler.at = line;
        }
        Ok(Test {
            any: any.into_boxed_slice(),
        })
    }

    /// Evaluates the alternatives in order until one holds.
    pub fn holds(&self, cx: &Cx<'_>) -> Holds {
        let mut result = Holds::No;
        for one in &self.any {
            result = result.max(one.holds(cx));
            if result == Holds::Yes {
                break;
            }
        }
        result
    }
}

impl One {
    fn compile(test: &AclExpr, compiler: &mut Compiler<'_>) -> Result<One, CompileError> {
        let expr = Expr::compile(&test.sample, compiler)?;
        let input = Matcher::input(test.method);
        if !fits(expr.out(), test.method, input) {
            let message = format!(
                "'{}' gives {}, which cannot be matched with '-m {}'",
                expr.text(),
                expr.out(),
                test.method.word()
            );
            return Err(compiler.error(message, "choose another '-m' method (manual, 7.1)"));
        }
        let dotted = matches!(
            test.sample.fetch.name.as_str(),
            "req.ssl_ver" | "req_ssl_ver"
        );
        let items: Vec<Item<'_>> = test
            .patterns
            .iter()
            .map(|pattern| Item {
                text: &pattern.text,
                ignore_case: test.ignore_case,
            })
            .collect();
        let valueless = matches!(test.method, MatchMethod::Found | MatchMethod::Bool);
        let patterns = if valueless || !items.is_empty() {
            let matcher = Matcher::compile(test.method, &items, dotted)
                .map_err(|error| blame(&error, test, compiler))?;
            Some(matcher)
        } else {
            None
        };
        let mut files = Vec::with_capacity(test.files.len());
        for file in &test.files {
            let usage = Use {
                method: test.method,
                ignore_case: test.ignore_case,
                with_groups: false,
            };
            let lines = file
                .lines
                .iter()
                .map(|line| (line.key.as_str(), line.value.as_deref()));
            let id = compiler
                .patterns
                .intern(&file.path, usage, lines)
                .map_err(|error| blame_file(&error, file, compiler))?;
            compiler.used_patterns(id, None);
            files.push(id);
        }
        Ok(One {
            expr,
            input,
            found: test.method == MatchMethod::Found,
            patterns,
            files: files.into_boxed_slice(),
        })
    }

    fn holds(&self, cx: &Cx<'_>) -> Holds {
        let mut walk = Walk {
            each: true,
            ..Walk::default()
        };
        loop {
            match self.expr.eval_next(cx, &mut walk) {
                Fetched::Value(value) => {
                    if self.matches(value, cx) {
                        return Holds::Yes;
                    }
                }
                Fetched::Absent => {}
                Fetched::NotYet => {
                    return if can_wait(cx) {
                        Holds::NotYet
                    } else {
                        Holds::No
                    };
                }
            }
            if !walk.more {
                // What more bytes may change has not failed yet.
                return if walk.may_change && can_wait(cx) {
                    Holds::NotYet
                } else {
                    Holds::No
                };
            }
        }
    }

    fn matches(&self, value: Value<'_>, cx: &Cx<'_>) -> bool {
        if self.found {
            return true;
        }
        let value = if self.input == Type::Any || self.input == Type::Str {
            value
        } else if self.input == Type::Addr {
            match value.as_address() {
                Some(address) => Value::ip(address),
                None => return false,
            }
        } else {
            match value.cast(self.input) {
                Some(value) => value,
                None => return false,
            }
        };
        self.patterns.as_ref().is_some_and(|m| m.matches(&value))
            || self
                .files
                .iter()
                .any(|id| cx.world.patterns().matches(*id, &value))
    }
}

/// The inspection delay, if there is one, is not over.
fn can_wait(cx: &Cx<'_>) -> bool {
    !cx.request_data.last_chance && !cx.response_data.last_chance
}

/// The compatibility matrix of the manual's section 7.1.
fn fits(out: Type, method: MatchMethod, input: Type) -> bool {
    match method {
        MatchMethod::Found => true,
        MatchMethod::Ip => out == Type::Bin || (castable(out, Type::Addr) && out != Type::Sint),
        _ => castable(out, input),
    }
}

fn blame(error: &PatternError, test: &AclExpr, compiler: &Compiler<'_>) -> CompileError {
    let at = error
        .item
        .and_then(|item| test.patterns.get(item))
        .map_or(compiler.at, |pattern| pattern.at);
    CompileError::new(
        at,
        error.message.clone(),
        format!(
            "write a pattern that '-m {}' understands",
            test.method.word()
        ),
    )
}

fn blame_file(
    error: &PatternError,
    file: &cfgparse::model::expr::PatternFile,
    compiler: &Compiler<'_>,
) -> CompileError {
    let line = error
        .item
        .and_then(|item| file.lines.get(item))
        .map_or(0, |l| l.line);
    compiler.error(
        format!("{} at line {line} of file <{}>", error.message, file.path),
        "correct that line",
    )
}
