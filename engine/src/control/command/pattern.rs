//! Maps and ACLs: their entries shown and changed (management.txt 9.3, `show map` and relatives).

use std::fmt::Write;
use std::sync::Arc;

use cfgparse::model::expr::MatchMethod;

use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::reply::{Answer, Refusal, Reply};
use crate::sample::pattern::{KeyValue, PatternFile, Patterns, Serves};
use crate::sample::{PatternChange, Type, Value, is_readable};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("add acl", "add acl [@<ver>] <acl> <pattern>", "add an acl entry", Level::Admin, |call| add(call, Serves::Acl)),
    row("add map", "add map [@<ver>] <map> <key> <val>", "add a map entry (payload supported instead of key/val)", Level::Admin, |call| add(call, Serves::Map)),
    row("clear acl", "clear acl [@<ver>] <acl>", "clear the contents of this acl", Level::Admin, |call| clear(call, Serves::Acl)),
    row("clear map", "clear map [@<ver>] <map>", "clear the contents of this map", Level::Admin, |call| clear(call, Serves::Map)),
    row("commit acl", "commit acl @<ver> <acl>", "commit the ACL at this version", Level::Admin, |call| commit(call, Serves::Acl)),
    row("commit map", "commit map @<ver> <map>", "commit the map at this version", Level::Admin, |call| commit(call, Serves::Map)),
    row("del acl", "del acl <acl> [<key>|#<ref>]", "delete acl entries matching <key>", Level::Admin, |call| delete(call, Serves::Acl)),
    row("del map", "del map <map> [<key>|#<ref>]", "delete map entries matching <key>", Level::Admin, |call| delete(call, Serves::Map)),
    row("get acl", "get acl <acl> <value>", "report the patterns matching a sample for an ACL", Level::User, |call| look_up(call, Serves::Acl)),
    row("get map", "get map <map> <value>", "report the keys and values matching a sample for a map", Level::User, |call| look_up(call, Serves::Map)),
    row("prepare acl", "prepare acl <acl>", "prepare a new version for atomic ACL replacement", Level::Admin, |call| prepare(call, Serves::Acl)),
    row("prepare map", "prepare map <map>", "prepare a new version for atomic map replacement", Level::Admin, |call| prepare(call, Serves::Map)),
    row("set map", "set map <map> [<key>|#<ref>] <value>", "modify a map entry", Level::Admin, set),
    row("show acl", "show acl [@<ver>] <acl>", "report available acls or dump an acl's contents", Level::User, |call| show(call, Serves::Acl)),
    row("show map", "show map [@<ver>] [map]", "report available maps or dump a map's contents", Level::User, |call| show(call, Serves::Map)),
];

/// What a call names: a file, perhaps one of its versions, and the words behind.
struct Named {
    /// Its number among all files.
    number: usize,
    file: PatternFile,
    version: Option<u32>,
    /// The first word behind the name.
    rest: usize,
}

impl Serves {
    fn word(self) -> &'static str {
        match self {
            Serves::Acl => "acl",
            Serves::Map => "map",
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Serves::Acl => "ACL",
            Serves::Map => "map",
        }
    }

    /// An ACL's patterns may be a map's keys.
    fn shows(self, file: &PatternFile) -> bool {
        self == Serves::Acl || file.serves == Serves::Map
    }
}

/// Reads `[@version] name` behind a command's two words.
fn named(call: &Call<'_>, serves: Serves) -> Result<Named, Refusal> {
    let (version, at) = match call.word(2).strip_prefix('@') {
        Some(number) => {
            let number = number.parse().map_err(|_| "Invalid version number.")?;
            (Some(number), 3)
        }
        None => (None, 2),
    };
    let name = call.word(at);
    if name.is_empty() {
        return Err(format!("Missing {} identifier.", serves.noun()).into());
    }
    let wanted = name
        .strip_prefix('#')
        .and_then(|id| id.parse::<usize>().ok());
    let files = call.ops.patterns().now();
    let mut all = files.files().iter().enumerate();
    let found = all.find(|(number, file)| wanted == Some(*number) || *file.name == *name);
    match found.filter(|(_, file)| serves.shows(file)) {
        Some((number, file)) => Ok(Named {
            number,
            file: file.clone(),
            version,
            rest: at + 1,
        }),
        None => Err(format!(
            "Unknown {} identifier. Please use #<id> or <file>.",
            serves.noun()
        )
        .into()),
    }
}

fn show(call: &mut Call<'_>, serves: Serves) -> Answer {
    if call.word(2).is_empty() {
        return Ok(Reply::Report(list(call, serves)));
    }
    let named = named(call, serves)?;
    let mut out = String::new();
    let current = call
        .ops
        .patterns()
        .versions(named.number, |versions| versions.current);
    if let Some(version) = named.version.filter(|&version| version != current) {
        call.ops.patterns().versions(named.number, |versions| {
            let staged = versions.staged(version).unwrap_or_default();
            for (reference, (key, value)) in (1..).zip(staged) {
                show_entry(&mut out, reference, key, value.as_deref(), serves);
            }
        });
    } else {
        let now = call.ops.patterns().now();
        for (reference, key, value) in now.entries(named.file.set) {
            show_entry(&mut out, reference, key, value, serves);
        }
    }
    Ok(Reply::Report(out))
}

fn show_entry(out: &mut String, reference: u32, key: &str, value: Option<&[u8]>, serves: Serves) {
    let _ = match serves {
        Serves::Acl => writeln!(out, "0x{reference:012x} {key}"),
        Serves::Map => writeln!(
            out,
            "0x{reference:012x} {key} {}",
            String::from_utf8_lossy(value.unwrap_or_default())
        ),
    };
}

fn list(call: &Call<'_>, serves: Serves) -> String {
    let mut out = String::from("# id (file) description\n");
    let now = call.ops.patterns().now();
    for (number, file) in now.files().iter().enumerate() {
        if file.serves != serves {
            continue;
        }
        let versions = call
            .ops
            .patterns()
            .versions(number, |own| (own.current, own.next));
        let uses: Vec<String> = file
            .uses
            .iter()
            .map(|(name, line)| format!("used by {} at file '{name}' line {line}", serves.word()))
            .collect();
        let _ = writeln!(
            out,
            "{number} ({name}) pattern loaded from file '{name}' {uses}. curr_ver={} next_ver={} entry_cnt={}",
            versions.0,
            versions.1,
            now.entry_count(file.set),
            name = file.name,
            uses = uses.join(", "),
        );
    }
    out
}

fn look_up(call: &mut Call<'_>, serves: Serves) -> Answer {
    let usage = format!("Missing {} identifier and/or key.", serves.noun());
    required(call, 2, &usage)?;
    let named = named(call, serves)?;
    let sample = Value::str(call.word(named.rest).as_bytes());
    let now = call.ops.patterns().now();
    let mut out = String::new();
    for id in now.relatives(named.file.set) {
        let Some(usage) = now
            .usage(id)
            .filter(|usage| usage.method != MatchMethod::Found)
        else {
            continue;
        };
        let case = if usage.ignore_case {
            "insensitive"
        } else {
            "sensitive"
        };
        let _ = write!(out, "type={}, case={case}", usage.method.word());
        let index = index_word(usage.method, usage.ignore_case);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let _ = match (serves, now.key(id, &sample)) {
            (Serves::Acl, None) => writeln!(out, ", match=no"),
            (Serves::Map, None) => writeln!(out, ", found=no"),
            (Serves::Acl, Some(key)) => {
                writeln!(out, ", match=yes, idx={index}, pattern=\"{}\"", text(key))
            }
            (Serves::Map, Some(key)) => writeln!(
                out,
                ", found=yes, idx={index}, key=\"{}\", value=\"{}\", type=\"{}\"",
                text(key),
                text(now.map(id, &sample).unwrap_or_default()),
                value_word(named.file.values.first())
            ),
        };
    }
    Ok(Reply::Report(out))
}

fn index_word(method: MatchMethod, ignore_case: bool) -> &'static str {
    match method {
        MatchMethod::Str | MatchMethod::Beg if !ignore_case => "tree",
        MatchMethod::Ip => "tree",
        _ => "list",
    }
}

fn value_word(kind: Option<&Type>) -> &'static str {
    match kind {
        Some(Type::Sint) => "sint",
        Some(Type::Addr) => "ip",
        _ => "str",
    }
}

const MAP_USAGE: &str = "'add map' expects three parameters (map identifier, key and value) or one parameter (map identifier) and a payload";
const ACL_USAGE: &str = "'add acl' expects two parameters: ACL identifier and pattern.";

fn add(call: &mut Call<'_>, serves: Serves) -> Answer {
    let usage = match serves {
        Serves::Map => MAP_USAGE,
        Serves::Acl => ACL_USAGE,
    };
    let name_at = if call.word(2).starts_with('@') { 3 } else { 2 };
    if call.word(name_at).is_empty() {
        return Err(usage.into());
    }
    let named = named(call, serves)?;
    if serves == Serves::Acl && named.file.serves == Serves::Map {
        return Err("This ACL is shared with a map containing samples. You must use the command 'add map' to add values.".into());
    }
    let pairs: Vec<KeyValue> = if let Some(payload) = call.payload {
        let lines = payload.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .map(|line| pair(line, serves))
            .collect::<Result<_, _>>()?
    } else {
        let (key, value) = (call.word(named.rest), call.word(named.rest + 1));
        if key.is_empty() || (serves == Serves::Map && value.is_empty()) {
            return Err(usage.into());
        }
        let value = (serves == Serves::Map).then(|| value.as_bytes().into());
        vec![(key.into(), value)]
    };
    for pair in &pairs {
        check_value(&named.file, pair.1.as_deref())?;
    }
    insert(call, &named, pairs)
}

/// A line of a payload: a pattern, or a key and the value that is the rest.
fn pair(line: &str, serves: Serves) -> Result<KeyValue, Refusal> {
    if serves == Serves::Acl {
        return Ok((line.into(), None));
    }
    let (key, value) = line
        .split_once([' ', '\t'])
        .ok_or_else(|| format!("Missing value for key '{line}'."))?;
    Ok((key.into(), Some(value.trim_start().as_bytes().into())))
}

fn check_value(file: &PatternFile, value: Option<&[u8]>) -> Result<(), Refusal> {
    let text = String::from_utf8_lossy(value.unwrap_or_default());
    let readable = |kind: &Type| value.is_none() || is_readable(Some(&text), *kind);
    if file.values.iter().all(readable) {
        return Ok(());
    }
    Err(format!("unable to parse '{text}'.").into())
}

fn serves_word(named: &Named) -> &'static str {
    named.file.serves.word()
}

fn insert(call: &mut Call<'_>, named: &Named, pairs: Vec<KeyValue>) -> Answer {
    let live = call.ops.patterns();
    let current = live.versions(named.number, |versions| versions.current);
    if let Some(version) = named.version.filter(|&version| version != current) {
        let staged = live.versions(named.number, |versions| {
            versions.staged_mut(version).map(|own| own.extend(pairs))
        });
        return staged.map(|()| Reply::Done).ok_or_else(|| {
            let verb = serves_word(named);
            format!("Version number in the future, please use 'prepare {verb}' before.").into()
        });
    }
    for (key, value) in pairs {
        live.change(named.file.set, PatternChange::Append { key, value })
            .map_err(|error| format!("{}.", error.message))?;
    }
    Ok(Reply::Done)
}

/// Refuses a command whose first words are missing, with a text of its own.
fn required(call: &Call<'_>, words: usize, usage: &str) -> Result<(), Refusal> {
    let version = usize::from(call.word(2).starts_with('@'));
    if call.word(1 + words + version).is_empty() {
        return Err(usage.into());
    }
    Ok(())
}

/// The entry that `#0x...` means.
fn reference(word: &str) -> Option<u32> {
    let digits = word.strip_prefix("#0x").or(word.strip_prefix('#'))?;
    u32::from_str_radix(digits, 16).ok()
}

fn has_reference(now: &Patterns, file: &PatternFile, wanted: u32) -> bool {
    now.entries(file.set).any(|(own, _, _)| own == wanted)
}

fn delete(call: &mut Call<'_>, serves: Serves) -> Answer {
    let usage = format!(
        "This command expects two parameters: {} identifier and key.",
        serves.noun()
    );
    required(call, 2, &usage)?;
    let named = named(call, serves)?;
    let word = call.word(named.rest);
    let live = call.ops.patterns();
    let change = if word.starts_with('#') {
        reference(word)
            .filter(|&own| live.look(|now| has_reference(now, &named.file, own)))
            .map(|reference| PatternChange::RemoveAt { reference })
    } else {
        live.look(|now| now.has_key(named.file.set, word))
            .then(|| PatternChange::Remove { key: word.into() })
    };
    let change = change.ok_or("Key not found.")?;
    live.change(named.file.set, change)
        .map_err(|error| format!("{}.", error.message))?;
    Ok(Reply::Done)
}

fn set(call: &mut Call<'_>) -> Answer {
    const USAGE: &str = "'set map' expects three parameters: map identifier, key and value.";
    required(call, 3, USAGE)?;
    let named = named(call, Serves::Map)?;
    let (word, value) = (call.word(named.rest), call.word(named.rest + 1));
    check_value(&named.file, Some(value.as_bytes()))?;
    let live = call.ops.patterns();
    let value: Arc<[u8]> = value.as_bytes().into();
    let change = if word.starts_with('#') {
        reference(word)
            .filter(|&own| live.look(|now| has_reference(now, &named.file, own)))
            .map(|reference| PatternChange::SetAt { reference, value })
    } else {
        live.look(|now| now.has_key(named.file.set, word))
            .then(|| PatternChange::Set {
                key: word.into(),
                value: Some(value),
            })
    };
    let change = change.ok_or("entry not found.")?;
    live.change(named.file.set, change)
        .map_err(|error| format!("{}.", error.message))?;
    Ok(Reply::Done)
}

fn prepare(call: &mut Call<'_>, serves: Serves) -> Answer {
    let named = named(call, serves)?;
    let version = call
        .ops
        .patterns()
        .versions(named.number, crate::sample::pattern::Versions::prepare);
    Ok(Reply::info(format!("New version created: {version}")))
}

fn commit(call: &mut Call<'_>, serves: Serves) -> Answer {
    if !call.word(2).starts_with('@') {
        return Err("Missing version number.".into());
    }
    let named = named(call, serves)?;
    let version = named.version.unwrap_or_default();
    match call.ops.patterns().commit(named.number, version) {
        Ok(true) => Ok(Reply::Done),
        Ok(false) => Err("Version number out of range.".into()),
        Err(error) => Err(format!("{}.", error.message).into()),
    }
}

fn clear(call: &mut Call<'_>, serves: Serves) -> Answer {
    let named = named(call, serves)?;
    let live = call.ops.patterns();
    let current = live.versions(named.number, |versions| versions.current);
    if let Some(version) = named.version.filter(|&version| version != current) {
        live.versions(named.number, |versions| {
            if let Some(staged) = versions.staged_mut(version) {
                staged.clear();
            }
        });
        return Ok(Reply::Done);
    }
    live.change(named.file.set, PatternChange::Replace([].into()))
        .map_err(|error| format!("{}.", error.message))?;
    Ok(Reply::Done)
}
