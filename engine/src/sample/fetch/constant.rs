//! Constants and variables (manual, 7.3.2).

use crate::sample::args::{Arg, Args, Kind, NONE, spec};
use crate::sample::cx::Cx;
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::pattern::parse_hex;
use crate::sample::point::Needs::Nothing;
use crate::sample::row::{FetchRow, Fetched, Walk, fetch};
use crate::sample::value::{Type, Value};

use Kind::{Int, Str, Var};

pub static ROWS: &[FetchRow] = &[
    fetch("always_true", NONE, Type::Bool, Nothing, |_, _, _| {
        Fetched::Value(Value::Bool(true))
    }),
    fetch("always_false", NONE, Type::Bool, Nothing, |_, _, _| {
        Fetched::Value(Value::Bool(false))
    }),
    fetch("bool", spec(1, &[Str]), Type::Bool, Nothing, bool_constant).prepared(prepare_bool),
    fetch("int", spec(1, &[Int]), Type::Sint, Nothing, |a, _, _| {
        a.int(0).map(Value::Sint).into()
    }),
    fetch("str", spec(0, &[Str]), Type::Str, Nothing, |a, _, _| {
        Fetched::Value(Value::str(a.text(0).unwrap_or_default()))
    }),
    fetch("bin", spec(1, &[Str]), Type::Bin, Nothing, |a, _, _| {
        a.text(0).map(Value::bin).into()
    })
    .prepared(prepare_bin),
    fetch("ipv4", spec(1, &[Str]), Type::Ipv4, Nothing, ipv4).prepared(prepare_ipv4),
    fetch("ipv6", spec(1, &[Str]), Type::Ipv6, Nothing, ipv6).prepared(prepare_ipv6),
    fetch("meth", spec(1, &[Str]), Type::Meth, Nothing, meth),
    fetch("var", spec(1, &[Var, Str]), Type::Any, Nothing, var),
    fetch("env", spec(1, &[Str]), Type::Str, Nothing, |a, _, _| {
        a.text(0).map(Value::str).into()
    })
    .prepared(prepare_env),
];

fn bool_constant<'a>(args: &'a Args, _: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    args.int(0).map(|i| Value::Bool(i != 0)).into()
}

fn prepare_bool(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let truth = match args.text(0) {
        Some(b"true" | b"1") => 1,
        Some(b"false" | b"0") => 0,
        _ => return Err(compiler.error("invalid argument of 'bool'", "write true, false, 1 or 0")),
    };
    args.replace(0, Arg::Int(truth));
    Ok(())
}

fn prepare_bin(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let text = String::from_utf8_lossy(args.text(0).unwrap_or_default()).into_owned();
    let data = parse_hex(&text).ok_or_else(|| {
        compiler.error(
            format!("'{text}' is not an even number of hexadecimal digits"),
            "write two digits for each byte",
        )
    })?;
    args.replace(0, Arg::Str(data.into()));
    Ok(())
}

fn ipv4<'a>(args: &'a Args, _: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    args.mask4(0).map(|bits| Value::Ipv4(bits.into())).into()
}

fn prepare_ipv4(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let address = parse_text::<std::net::Ipv4Addr>(args);
    let address = address.ok_or_else(|| {
        compiler.error(
            "invalid IPv4 address",
            "write four numbers with dots, 192.0.2.1",
        )
    })?;
    args.replace(0, Arg::Mask4(address.into()));
    Ok(())
}

fn ipv6<'a>(args: &'a Args, _: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    args.mask6(0).map(|bits| Value::Ipv6(bits.into())).into()
}

fn prepare_ipv6(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let address = parse_text::<std::net::Ipv6Addr>(args);
    let address = address
        .ok_or_else(|| compiler.error("invalid IPv6 address", "write 2001:db8::1 or the like"))?;
    args.replace(0, Arg::Mask6(address.into()));
    Ok(())
}

fn parse_text<T: std::str::FromStr>(args: &Args) -> Option<T> {
    std::str::from_utf8(args.text(0)?).ok()?.parse().ok()
}

fn meth<'a>(args: &'a Args, _: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    args.text(0).map(|text| Value::Meth(text.into())).into()
}

/// `var(name[,default])`
fn var<'a>(args: &'a Args, cx: &Cx<'a>, _: &mut Walk) -> Fetched<'a> {
    let value = args.var(0).and_then(|var| cx.var(var));
    value.or_else(|| args.text(1).map(Value::str)).into()
}

/// The environment does not change while the process runs: the value is taken when compiled.
#[expect(clippy::unnecessary_wraps, reason = "the shape of a preparation")]
fn prepare_env(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let name = String::from_utf8_lossy(args.text(0).unwrap_or_default()).into_owned();
    let value = compiler.names.environment(&name);
    args.replace(
        0,
        value.map_or(Arg::Absent, |value| {
            Arg::Str(cfgparse::bytes::raw(&value).into())
        }),
    );
    Ok(())
}
