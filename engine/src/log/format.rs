//! Log-format strings, compiled once and rendered into a buffer (manual, 8.2.6).

use cfgparse::bytes::raw;
use cfgparse::model::expr::{FormatFlags, FormatPart, LogFormat};

use crate::sample::{CompileError, Compiler, Cx, Expr, Point, Value};

use super::alias::{self, Alias};
use super::encode::{Encoding, Kind};
use super::escape::Escape;
use super::write::Item;

/// A compiled format.
#[derive(Clone, Debug, Default)]
pub struct Format {
    parts: Box<[Part]>,
    /// The whole is one object of its named items.
    encoding: Option<Encoding>,
    text: Box<str>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(Box<[u8]>),
    Alias {
        row: &'static Alias,
        flags: FormatFlags,
        key: Key,
    },
    Sample {
        expr: Expr,
        flags: FormatFlags,
        key: Key,
    },
}

/// `%(name:type)`.
#[derive(Clone, Debug, Default)]
struct Key {
    name: Box<str>,
    kind: Option<Kind>,
}

/// What a format is for; it decides what is escaped and what an empty item looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A log line: an empty item is `-`, unsafe characters of requests become `#XX`.
    Log,
    /// A header, URI or body: an empty item is nothing, unsafe characters become `%XX`.
    Http,
    /// A variable or a key: as it is.
    Raw,
}

impl Format {
    /// Compiles `format` for evaluation at the compiler's point.
    pub fn compile(
        format: &LogFormat,
        compiler: &mut Compiler<'_>,
    ) -> Result<Format, CompileError> {
        // On a single item it is without effect (manual, 8.2.6).
        if format.common.binary {
            return Err(compiler.error(
                "the format flag '+bin' is not supported yet",
                "leave it out: samples are then written as text",
            ));
        }
        let mut parts = Vec::with_capacity(format.parts.len());
        for part in &format.parts {
            parts.push(match part {
                FormatPart::Text(text) if text.is_empty() => continue,
                // Spaces delimit the items of a log line, however many there are.
                FormatPart::Text(text) if compiler.point == Point::Log => {
                    Part::Text(merge_spaces(text).into())
                }
                FormatPart::Text(text) => Part::Text(raw(text).into()),
                FormatPart::Alias { name, flags, key } => {
                    let row = alias::find(name).ok_or_else(|| {
                        compiler.error(
                            format!("no such format alias '{name}'"),
                            "the manual's section 8.2.6 lists all; write %% for a plain %",
                        )
                    })?;
                    Part::Alias {
                        row,
                        flags: *flags,
                        key: Key::parse(key.as_deref(), compiler)?,
                    }
                }
                FormatPart::Sample { expr, flags, name } => Part::Sample {
                    expr: Expr::compile(expr, compiler)?,
                    flags: *flags,
                    key: Key::parse(name.as_deref(), compiler)?,
                },
            });
        }
        Ok(Format {
            parts: parts.into_boxed_slice(),
            encoding: Encoding::of(format.common),
            text: format.text.as_str().into(),
        })
    }

    /// The format as written.
    pub fn source(&self) -> &str {
        &self.text
    }

    /// Whether an alias of this name is part of it.
    pub fn uses(&self, name: &str) -> bool {
        let is_it = |part: &Part| matches!(part, Part::Alias { row, .. } if row.name == name);
        self.parts.iter().any(is_it)
    }

    /// The text, where the format has no items.
    pub fn constant(&self) -> Option<&[u8]> {
        match &*self.parts {
            [] => Some(b""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Appends the text of all items for `purpose`.
    pub fn render(&self, cx: &Cx<'_>, purpose: Purpose, out: &mut Vec<u8>) {
        if let Some(encoding) = self.encoding {
            return self.render_object(encoding, cx, purpose, out);
        }
        // In a log line a space follows no other, even where an item between them is missing.
        let mut after_space = true;
        for part in &self.parts {
            match part {
                Part::Text(text) => {
                    let repeated = after_space && purpose == Purpose::Log && text[0] == b' ';
                    out.extend_from_slice(&text[usize::from(repeated)..]);
                    after_space = text.ends_with(b" ");
                }
                Part::Alias { flags, .. } | Part::Sample { flags, .. }
                    if let Some(encoding) = Encoding::of(*flags) =>
                {
                    part.encode(encoding, cx, purpose, &mut Vec::new(), out);
                    after_space = false;
                }
                Part::Alias { row, flags, .. } => {
                    let mut item = Item::begin(out, purpose, *flags, row.is_text);
                    (row.write)(cx, &mut item);
                    after_space &= !item.end();
                }
                Part::Sample { expr, flags, .. } => {
                    // A header field's samples are never put in quotes.
                    let mut item = Item::begin(out, purpose, *flags, purpose != Purpose::Http);
                    if let Some(value) = expr.eval(cx).value() {
                        item.value(&value);
                    }
                    after_space &= !item.end();
                }
            }
        }
    }
}

impl Format {
    /// One object of all named items; whatever has no name is left out.
    fn render_object(&self, encoding: Encoding, cx: &Cx<'_>, purpose: Purpose, out: &mut Vec<u8>) {
        let mut text = Vec::new();
        let mut is_first = true;
        encoding.begin(out);
        for part in &self.parts {
            let (Part::Alias { key, .. } | Part::Sample { key, .. }) = part else {
                continue;
            };
            if !key.name.is_empty() {
                encoding.key(&key.name, is_first, out);
                part.encode(encoding, cx, purpose, &mut text, out);
                is_first = false;
            }
        }
        encoding.end(out);
    }
}

impl Part {
    /// The item as a value of its own; `text` is memory for what it reads like.
    fn encode(
        &self,
        encoding: Encoding,
        cx: &Cx<'_>,
        purpose: Purpose,
        text: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) {
        text.clear();
        let (kind, key) = match self {
            Part::Text(_) => return,
            Part::Alias { row, key, .. } => {
                let mut item = Item::encoded(text, purpose);
                (row.write)(cx, &mut item);
                let kind = if row.is_text { Kind::Text } else { Kind::Guess };
                (item.kind(kind), key)
            }
            Part::Sample { expr, key, .. } => {
                let value = expr.eval(cx).value();
                let kind = match &value {
                    None if encoding == Encoding::Cbor => Kind::Missing,
                    None => Kind::Text,
                    Some(Value::Bool(_)) => Kind::Bool,
                    Some(Value::Sint(_)) => Kind::Number,
                    Some(Value::Bin(_)) if encoding == Encoding::Cbor => Kind::Bytes,
                    Some(_) => Kind::Text,
                };
                match value {
                    Some(Value::Bin(data)) if kind == Kind::Bytes => text.extend_from_slice(&data),
                    Some(value) => Item::encoded(text, purpose).value(&value),
                    None => {}
                }
                (kind, key)
            }
        };
        encoding.write(key.kind.unwrap_or(kind), text, out);
    }
}

impl Key {
    fn parse(written: Option<&str>, compiler: &Compiler<'_>) -> Result<Key, CompileError> {
        let Some(written) = written else {
            return Ok(Key::default());
        };
        let (name, kind) = written.split_once(':').unwrap_or((written, ""));
        let kind = match kind {
            "" => None,
            "str" => Some(Kind::Text),
            "sint" => Some(Kind::Number),
            "bool" => Some(Kind::Bool),
            _ => {
                return Err(compiler.error(
                    format!("unexpected output type '{kind}' of a log-format item"),
                    "types are str, sint and bool",
                ));
            }
        };
        Ok(Key {
            name: name.into(),
            kind,
        })
    }
}

fn merge_spaces(text: &str) -> Vec<u8> {
    let mut merged = raw(text).into_owned();
    merged.dedup_by(|second, first| (*second, *first) == (b' ', b' '));
    merged
}

impl Purpose {
    /// What is unsafe in the items of such a format.
    pub fn escape(self) -> Escape {
        match self {
            // A sample is logged as it is: its bytes are the administrator's choice.
            Purpose::Log | Purpose::Raw => Escape::None,
            Purpose::Http => Escape::Http,
        }
    }
}
