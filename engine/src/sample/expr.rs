//! Expressions: a fetch and its converters, compiled to calls with parsed arguments.

use std::borrow::Cow;

use cfgparse::model::expr::{Call, SampleExpr};

use super::args::{self, Args};
use super::cast::castable;
use super::cx::Cx;
use super::env::Compiler;
use super::error::CompileError;
use super::point::Needs;
use super::row::{ConvertFn, FetchFn, Fetched, Walk};
use super::value::{Type, Value};
use super::{conv, fetch};

/// A compiled sample expression. Evaluating it allocates only where a converter makes new text.
#[derive(Clone)]
pub struct Expr {
    run: FetchFn,
    args: Args,
    steps: Box<[Step]>,
    out: Type,
    text: Box<str>,
}

impl std::fmt::Debug for Expr {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Expr").field(&self.text).finish()
    }
}

#[derive(Clone)]
struct Step {
    /// `None` where the declared types agree.
    cast: Option<Type>,
    run: ConvertFn,
    args: Args,
}

impl Expr {
    /// Compiles `expr` for evaluation at the compiler's point.
    pub fn compile(expr: &SampleExpr, compiler: &mut Compiler<'_>) -> Result<Expr, CompileError> {
        let row = fetch::find(compiler.point.directed(&expr.fetch.name))
            .ok_or_else(|| unknown("sample fetch", &expr.fetch, fetch::names(), compiler))?;
        if !compiler.point.offers(row.name) {
            let message = format!(
                "sample fetch <{}> may not be reliably used here because it needs '{}' which is not available here",
                expr.text, row.needs
            );
            let remedy = format!(
                "a {} sees no {}: move it, or keep the value in a variable",
                compiler.point.words(),
                row.needs
            );
            return Err(compiler.error(message, remedy));
        }
        compiler.reads_bodies |= matches!(row.needs, Needs::RequestBody | Needs::ResponseBody);
        let mut args = args::parse(
            row.name,
            "fetch method",
            &expr.fetch.args,
            &row.args,
            compiler,
        )?;
        if let Some(prepare) = row.prepare {
            prepare(&mut args, compiler)?;
        }
        let mut out = row.out;
        let mut steps = Vec::with_capacity(expr.converters.len());
        for call in &expr.converters {
            let step = compile_step(call, &mut out, compiler)?;
            steps.push(step);
        }
        Ok(Expr {
            run: row.run,
            args,
            steps: steps.into_boxed_slice(),
            out,
            text: expr.text.as_str().into(),
        })
    }

    /// The declared type of the result.
    pub fn out(&self) -> Type {
        self.out
    }

    /// The expression as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Evaluates to the one value that the expression means outside of ACLs.
    pub fn eval<'a>(&'a self, cx: &Cx<'a>) -> Fetched<'a> {
        self.eval_next(cx, &mut Walk::default())
    }

    /// Evaluates the next of several values; `walk.more` tells whether to ask again.
    pub fn eval_next<'a>(&'a self, cx: &Cx<'a>, walk: &mut Walk) -> Fetched<'a> {
        walk.more = false;
        walk.may_change = false;
        match (self.run)(&self.args, cx, walk) {
            Fetched::Value(value) => self.convert(value, cx),
            other => other,
        }
    }

    /// What the converters make of a value that stands in the fetch's place.
    pub fn convert<'a>(&'a self, mut value: Value<'a>, cx: &Cx<'a>) -> Fetched<'a> {
        for step in &self.steps {
            let input = match step.cast {
                Some(to) if value.kind() != to => value.cast(to),
                _ => Some(value),
            };
            match input.and_then(|input| (step.run)(input, &step.args, cx)) {
                Some(output) => value = output,
                None => return Fetched::Absent,
            }
        }
        Fetched::Value(value)
    }

    /// Evaluates to text; `None` where there is no value now.
    pub fn eval_text<'a>(&'a self, cx: &Cx<'a>) -> Option<Cow<'a, [u8]>> {
        self.eval(cx).value().map(Value::into_text)
    }
}

fn compile_step(
    call: &Call,
    out: &mut Type,
    compiler: &mut Compiler<'_>,
) -> Result<Step, CompileError> {
    let row = conv::find(&call.name)
        .ok_or_else(|| unknown("converter", call, conv::names(), compiler))?;
    if !castable(*out, row.input) {
        let message = format!("converter '{}' cannot be applied", call.name);
        let remedy = format!(
            "it takes {}, and what stands before it gives {out}",
            row.input
        );
        return Err(compiler.error(message, remedy));
    }
    let mut args = args::parse(row.name, "converter", &call.args, &row.args, compiler)?;
    if let Some(prepare) = row.prepare {
        prepare(&mut args, compiler)?;
    }
    let cast = (row.input != Type::Any).then_some(row.input);
    if row.out != Type::Any || row.input != Type::Any {
        *out = row.out;
    }
    Ok(Step {
        cast,
        run: row.run,
        args,
    })
}

fn unknown(
    what: &str,
    call: &Call,
    names: impl Iterator<Item = &'static str>,
    compiler: &Compiler<'_>,
) -> CompileError {
    let near = nearest(&call.name, names);
    let remedy = match near {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("the manual's section 7.3 lists every {what}"),
    };
    compiler.error(format!("unknown {what} '{}'", call.name), remedy)
}

/// The name with the most in common with `word`, if it has much.
fn nearest(word: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    names
        .filter(|name| name.len().abs_diff(word.len()) <= 2)
        .map(|name| (distance(word.as_bytes(), name.as_bytes()), name))
        .filter(|(distance, name)| *distance * 3 <= name.len())
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
