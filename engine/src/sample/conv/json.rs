//! JSON: escaping, and values by path (manual, 7.3.1 `json` and `json_query`).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

use crate::sample::args::{Args, Kind, spec};
use crate::sample::env::Compiler;
use crate::sample::error::CompileError;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

use Kind::Str;

pub static ROWS: &[ConvertRow] = &[
    convert("json", spec(0, &[Str]), Type::Str, Type::Str, |v, a, _| {
        escape(v, a)
    })
    .prepared(check_code),
    convert(
        "json_query",
        spec(1, &[Str, Str]),
        Type::Str,
        Type::Any,
        |v, a, _| query(&v.into_text(), a.text(0)?, a.text(1)),
    )
    .prepared(check_path),
    convert(
        "jwt_header_query",
        spec(0, &[Str, Str]),
        Type::Bin,
        Type::Any,
        |v, a, _| jwt_part(v, a, 0),
    ),
    convert(
        "jwt_payload_query",
        spec(0, &[Str, Str]),
        Type::Bin,
        Type::Any,
        |v, a, _| jwt_part(v, a, 1),
    ),
];

fn check_code(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    match args.text(0) {
        None | Some(b"" | b"ascii" | b"utf8" | b"utf8s" | b"utf8p" | b"utf8ps") => Ok(()),
        Some(_) => Err(compiler.error(
            "unexpected input code type of 'json'",
            "write ascii, utf8, utf8s, utf8p or utf8ps",
        )),
    }
}

/// Escapes for use between quotes; everything but printable ASCII becomes `\uXXXX`.
fn escape<'a>(value: Value<'a>, args: &'a Args) -> Option<Value<'a>> {
    let code = args
        .text(0)
        .filter(|code| !code.is_empty())
        .unwrap_or(b"ascii");
    let silent = code.ends_with(b"s");
    let text = value.into_text();
    let mut out = String::with_capacity(text.len() + 8);
    if code == b"ascii" {
        text.iter()
            .for_each(|byte| push_escaped(char::from(*byte), &mut out));
        return Some(Value::text(out));
    }
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            // JSON has four digits: what is beyond is an error of the same kind.
            if (c as u32) < 0x10000 {
                push_escaped(c, &mut out);
            } else if !silent {
                return None;
            }
        }
        if !chunk.invalid().is_empty() && !silent {
            return None;
        }
    }
    Some(Value::text(out))
}

fn push_escaped(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '/' => out.push_str("\\/"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        ' '..='~' => out.push(c),
        _ => {
            out.push_str("\\u");
            for shift in [12, 8, 4, 0] {
                out.extend(char::from_digit(c as u32 >> shift & 15, 16));
            }
        }
    }
}

fn check_path(args: &mut Args, compiler: &mut Compiler<'_>) -> Result<(), CompileError> {
    if !args.text(0).is_some_and(|path| path.starts_with(b"$")) {
        return Err(compiler.error("invalid JSON path of 'json_query'", "begin it with '$.'"));
    }
    match args.text(1) {
        None | Some(b"" | b"int") => Ok(()),
        Some(_) => Err(compiler.error(
            "unknown output type of 'json_query'",
            "write int or nothing",
        )),
    }
}

/// The value at `path` of the document `text`.
fn query<'a>(text: &[u8], path: &[u8], out: Option<&[u8]>) -> Option<Value<'a>> {
    let document: Json = serde_json::from_slice(text).ok()?;
    let found = walk(
        &document,
        std::str::from_utf8(path).ok()?.strip_prefix('$')?,
    )?;
    let as_int = out == Some(b"int");
    Some(match found {
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::Sint(integer),
            None if as_int => Value::Sint(number.as_f64()? as i64),
            None => Value::text(number.to_string()),
        },
        Json::String(text) if as_int => {
            Value::Sint(crate::sample::cast::leading_int(text.as_bytes()))
        }
        Json::String(text) => Value::text(text.as_bytes()),
        Json::Array(_) => Value::text(found.to_string()),
        Json::Object(_) | Json::Null => return None,
    })
}

/// Follows `.name` and `[index]`; a backslash protects a dot in a name.
fn walk<'j>(mut at: &'j Json, mut path: &str) -> Option<&'j Json> {
    while !path.is_empty() {
        if let Some(rest) = path.strip_prefix('[') {
            let (index, after) = rest.split_once(']')?;
            at = match index.trim_matches(['\'', '"']) {
                name if name.len() < index.len() => at.get(name)?,
                _ => at.get(index.parse::<usize>().ok()?)?,
            };
            path = after;
            continue;
        }
        let rest = path.strip_prefix('.')?;
        let mut name = String::new();
        let mut chars = rest.char_indices();
        let mut end = rest.len();
        while let Some((position, c)) = chars.next() {
            match c {
                '\\' => name.extend(chars.next().map(|(_, c)| c)),
                '.' | '[' => {
                    end = position;
                    break;
                }
                _ => name.push(c),
            }
        }
        at = at.get(&name)?;
        path = &rest[end..];
    }
    Some(at)
}

/// Part number `part` of a JSON Web Token, decoded, or a value in it.
fn jwt_part<'a>(value: Value<'a>, args: &'a Args, part: usize) -> Option<Value<'a>> {
    let token = value.into_data();
    let encoded = token.split(|&b| b == b'.').nth(part)?;
    let decoded = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    match args.text(0).filter(|path| !path.is_empty()) {
        Some(path) => query(&decoded, path, args.text(1)),
        None => Some(Value::text(decoded)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_types() {
        let text = br#"{"integer":4,"my.key":"v","f":false,"pi":3.5,"a":["x","y"],"o":{"n":[1,{"k":"deep"}]}}"#;
        let get = |path: &str, out: Option<&[u8]>| query(text, path.as_bytes(), out);
        assert_eq!(get("$.integer", Some(b"int")), Some(Value::Sint(4)));
        assert_eq!(get("$.my\\.key", None), Some(Value::text("v")));
        assert_eq!(get("$.f", None), Some(Value::Bool(false)));
        assert_eq!(get("$.pi", None), Some(Value::text("3.5")));
        assert_eq!(get("$.pi", Some(b"int")), Some(Value::Sint(3)));
        assert_eq!(get("$.a", None), Some(Value::text("[\"x\",\"y\"]")));
        assert_eq!(get("$.o.n[1].k", None), Some(Value::text("deep")));
        assert_eq!(get("$['my.key']", None), Some(Value::text("v")));
        for absent in ["$.nope", "$.o", "$.a[5]", "$x"] {
            assert_eq!(get(absent, None), None, "{absent}");
        }
        assert_eq!(query(b"not json", b"$.a", None), None);
    }
}
