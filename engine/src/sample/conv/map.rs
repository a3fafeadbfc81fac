//! Maps: `map`, `map_beg`, `map_ip_int` and the other combinations (manual, 7.3.1 `map`).

use std::borrow::Cow;

use cfgparse::model::expr::MatchMethod;

use crate::sample::args::{Arg, Args, Kind, Spec, spec};
use crate::sample::cast::leading_int;
use crate::sample::cx::Cx;
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::pattern::Use;
use crate::sample::row::{ConvertRow, PrepareFn, convert};
use crate::sample::value::{Type, Value};

const ARGS: Spec = spec(1, &[Kind::Str, Kind::Str]);

/// A row for one match method and one output type.
macro_rules! map_row {
    ($name:literal, $input:ident, $method:ident, $out:ident) => {
        convert($name, ARGS, Type::$input, Type::$out, |v, a, cx| {
            look_up(&v, a, cx, Type::$out)
        })
        .prepared({
            const PREPARE: PrepareFn =
                |args, compiler| prepare(args, compiler, MatchMethod::$method, Type::$out);
            PREPARE
        })
    };
}

/// The string, integer and address forms of one match method.
macro_rules! map_rows {
    ($($str:literal, $int:literal, $ip:literal, $key:literal: $input:ident $method:ident;)*) => {
        pub static ROWS: &[ConvertRow] = &[
            map_row!("map", Str, Str, Str),
            $(
                map_row!($str, $input, $method, Str),
                map_row!($int, $input, $method, Sint),
                map_row!($ip, $input, $method, Addr),
                convert($key, ARGS, Type::$input, Type::Str, |v, a, cx| find_key(&v, a, cx)).prepared({
                    const PREPARE: PrepareFn =
                        |args, compiler| prepare(args, compiler, MatchMethod::$method, Type::Str);
                    PREPARE
                }),
            )*
            convert("map_regm", ARGS, Type::Str, Type::Str, |v, a, cx| map_groups(&v, a, cx))
                .prepared(prepare_groups),
        ];
    };
}

map_rows! {
    "map_str", "map_str_int", "map_str_ip", "map_str_key": Str Str;
    "map_beg", "map_beg_int", "map_beg_ip", "map_beg_key": Str Beg;
    "map_end", "map_end_int", "map_end_ip", "map_end_key": Str End;
    "map_sub", "map_sub_int", "map_sub_ip", "map_sub_key": Str Sub;
    "map_dir", "map_dir_int", "map_dir_ip", "map_dir_key": Str Dir;
    "map_dom", "map_dom_int", "map_dom_ip", "map_dom_key": Str Dom;
    "map_reg", "map_reg_int", "map_reg_ip", "map_reg_key": Str Reg;
    "map_int", "map_int_int", "map_int_ip", "map_int_key": Sint Int;
    "map_ip", "map_ip_int", "map_ip_ip", "map_ip_key": Addr Ip;
}

fn prepare(
    args: &mut Args,
    compiler: &mut Compiler<'_>,
    method: MatchMethod,
    out: Type,
) -> Result<(), CompileError> {
    prepare_use(args, compiler, Use::of(method), out)
}

/// `map_regm` needs the groups of the expression that matched.
fn prepare_groups(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let usage = Use {
        with_groups: true,
        ..Use::of(MatchMethod::Reg)
    };
    prepare_use(args, compiler, usage, Type::Str)
}

fn prepare_use(
    args: &mut Args,
    compiler: &mut Compiler<'_>,
    usage: Use,
    out: Type,
) -> Result<(), CompileError> {
    let text = String::from_utf8_lossy(args.text(0).unwrap_or_default()).into_owned();
    // These prefixes say how to read a file, and are no part of its name (manual, 2.7).
    let bare = text.strip_prefix("opt@").or(text.strip_prefix("file@"));
    let name = bare.unwrap_or(&text);
    let file = compiler
        .names
        .map_file(name)
        .map_err(|message| compiler.error(message, "create the file or correct its name"))?;
    let unreadable = file
        .lines
        .iter()
        .find(|line| !is_readable(line.value.as_deref(), out));
    if let Some(line) = unreadable {
        let value = line.value.as_deref().unwrap_or_default();
        let message = format!(
            "unable to parse '{value}' at line {} of file '{name}'",
            line.line
        );
        return Err(compiler.error(message, format!("the map's values must be of type {out}")));
    }
    let lines = file
        .lines
        .iter()
        .map(|line| (line.key.as_str(), line.value.as_deref()));
    let id = compiler
        .patterns
        .intern(name, usage, lines)
        .map_err(|error| {
            let line = error
                .item
                .and_then(|item| file.lines.get(item))
                .map_or(0, |l| l.line);
            compiler.error(
                format!("{} at line {line} of file <{name}>", error.message),
                "correct that line of the map",
            )
        })?;
    compiler.used_patterns(id, Some(out));
    args.replace(0, Arg::Patterns(id));
    Ok(())
}

fn look_up<'a>(value: &Value<'a>, args: &'a Args, cx: &Cx<'a>, out: Type) -> Option<Value<'a>> {
    let found = cx.world.patterns().map(args.patterns(0)?, value);
    read(found.or_else(|| args.text(1).map(Cow::Borrowed))?, out)
}

fn find_key<'a>(value: &Value<'a>, args: &'a Args, cx: &Cx<'a>) -> Option<Value<'a>> {
    let found = cx.world.patterns().key(args.patterns(0)?, value);
    found
        .or_else(|| args.text(1).map(Cow::Borrowed))
        .map(Value::Str)
}

/// The value, with `\1` and so on filled in from the sample.
fn map_groups<'a>(value: &Value<'a>, args: &'a Args, cx: &Cx<'a>) -> Option<Value<'a>> {
    let found = cx.world.patterns().map_groups(args.patterns(0)?, value);
    found
        .map(Value::text)
        .or_else(|| args.text(1).map(Value::str))
}

/// Whether a map's value can be read as a converter's output type.
pub fn is_readable(value: Option<&str>, out: Type) -> bool {
    let value = value.unwrap_or_default();
    match out {
        Type::Sint => value.parse::<i64>().is_ok(),
        Type::Addr => value.parse::<std::net::IpAddr>().is_ok(),
        _ => true,
    }
}

/// Reads a map's value as the converter's output type.
fn read(text: Cow<'_, [u8]>, out: Type) -> Option<Value<'_>> {
    Some(match out {
        Type::Sint => Value::Sint(leading_int(&text)),
        Type::Addr => Value::ip(Value::str(&text).as_address()?),
        _ => Value::Str(text),
    })
}
