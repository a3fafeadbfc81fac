//! `when`: passes a sample under a condition (manual, 7.3.1); `debug`, which passes it always.

use crate::log::Cause;
use crate::rules::{Holds, named_test};
use crate::sample::args::{Arg, Args, Kind, spec};
use crate::sample::cx::Cx;
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::Type::Any;

use Kind::Str;

pub static ROWS: &[ConvertRow] = &[
    convert("when", spec(1, &[Str, Str, Str]), Any, Any, |v, a, cx| {
        passes(a, cx).then_some(v)
    })
    .prepared(prepare),
    // There is no event ring to show the sample in; it goes on unchanged.
    convert("debug", spec(0, &[Str, Str]), Any, Any, |v, _, _| Some(v)),
];

/// The second argument of `acl` becomes the test itself.
fn prepare(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    let word = String::from_utf8_lossy(args.text(0).unwrap_or_default()).into_owned();
    match word.trim_start_matches('!') {
        "error" | "normal" | "forwarded" | "processed" | "stopping" | "toapplet" => Ok(()),
        "acl" => {
            let name = String::from_utf8_lossy(args.text(1).unwrap_or_default()).into_owned();
            let test = named_test(name.trim_start_matches('!'), compiler)?;
            args.replace(2, Arg::Test(test));
            Ok(())
        }
        _ => Err(compiler.error(
            format!("unknown condition '{word}' of 'when'"),
            "write error, normal, forwarded, processed, stopping, toapplet or acl",
        )),
    }
}

fn passes(args: &Args, cx: &Cx<'_>) -> bool {
    let word = args.text(0).unwrap_or_default();
    let (word, negated) = match word.strip_prefix(b"!") {
        Some(rest) => (rest, true),
        None => (word, false),
    };
    let to_applet = cx.stream.answered_by.is_some();
    let forwarded = cx.stream.server.is_some() && !to_applet;
    let holds = match word {
        b"error" => is_error(cx),
        b"normal" => !is_error(cx),
        b"forwarded" => forwarded,
        b"processed" => forwarded || to_applet,
        b"stopping" => cx.world.is_stopping(),
        b"toapplet" => to_applet,
        _ => {
            let inverted = args.text(1).is_some_and(|name| name.starts_with(b"!"));
            let holds = args
                .test(2)
                .is_some_and(|test| test.holds(cx) == Holds::Yes);
            holds != inverted
        }
    };
    holds != negated
}

/// As `option dontlog-normal` sees it: an abnormal end, a server error, a redispatch or a retry.
fn is_error(cx: &Cx<'_>) -> bool {
    let stream = cx.stream;
    let normal_end = matches!(stream.termination.cause, Cause::Normal | Cause::Local);
    !normal_end || stream.status >= 500 || stream.redispatched || stream.retries > 0
}
