//! Stick tables: `show table`, `set table`, `clear table` (management.txt, 9.3).

use std::fmt::Write;
use std::sync::Arc;

use super::{Call, Command, row};
use crate::control::level::Level;
use crate::control::reply::{Answer, Refusal, Reply};
use crate::table::{Data, Entry, Field, Key, KeyKind, Shape, Slot, Table};

#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    row("clear table", "clear table <table> [<filter>]*",
        "remove an entry from a table (filter: data/key)", Level::Operator, clear),
    row("set table", "set table <table> key <k> [data.* <v>]*",
        "update or create a table entry's data", Level::Operator, set),
    row("show table", "show table [<table> [<filter>]*]",
        "report table usage stats or dump this table's contents (filter: data/key)", Level::User, show),
];

/// Conditions of one command (management.txt: "4 by default").
const FILTERS_MAX: usize = 4;

fn show(call: &mut Call<'_>) -> Answer {
    let now_ms = call.ops.table_clock_ms();
    let mut out = String::new();
    if call.word(2).is_empty() {
        for table in call.ops.tables().iter().rev() {
            head(table, now_ms, &mut out);
        }
        return Ok(Reply::Report(out));
    }
    let table = table(call)?;
    let chosen = choose(call, &table, now_ms, Verb::Show)?;
    if chosen.is_empty() && matches!(call.word(3), "key" | "ptr") {
        return Ok(Reply::Report(out));
    }
    head(&table, now_ms, &mut out);
    if call.client.level < Level::Operator && !chosen.is_empty() {
        out.push_str("# contents not dumped due to insufficient privileges\n");
        return Ok(Reply::Report(out));
    }
    for entry in &chosen {
        print(&table, entry, now_ms, &mut out);
    }
    Ok(Reply::Report(out))
}

fn clear(call: &mut Call<'_>) -> Answer {
    if call.word(2).is_empty() {
        return Err(CLEAR_USAGE.into());
    }
    let now_ms = call.ops.table_clock_ms();
    let table = table(call)?;
    for entry in choose(call, &table, now_ms, Verb::Clear)? {
        if !table.remove(&entry) && !call.word(3).is_empty() && call.word(3) == "key" {
            return Err("Entry currently in use, cannot remove".into());
        }
    }
    Ok(Reply::Done)
}

fn set(call: &mut Call<'_>) -> Answer {
    if call.word(2).is_empty() {
        return Err(SET_USAGE.into());
    }
    let now_ms = call.ops.table_clock_ms();
    let table = table(call)?;
    let entry = match call.word(3) {
        "key" => {
            let key = key(call, &table, Verb::Set)?;
            let made = table.obtain(&key, now_ms);
            made.ok_or("Unable to allocate a new entry")?
        }
        "ptr" => by_pointer(call, &table, now_ms)?,
        "" => return Ok(Reply::Done),
        word if word.starts_with("data.") => return Err(BY_CONTENT.into()),
        _ => return Err(SET_USAGE.into()),
    };
    let mut words = call.words[5..].iter();
    while let Some(word) = words.next() {
        let Some(name) = word.strip_prefix("data.") else {
            return Err("\"data.<type>\" followed by a value expected".into());
        };
        let (field, index) = field(&table, name)?;
        let value = words.next().map_or("", String::as_str);
        let value = value
            .parse::<u64>()
            .map_err(|_| "Require a valid integer value to store")?;
        if index < field.len {
            let slot = Slot {
                data: field.data,
                index,
            };
            table.set(&entry, slot, value, now_ms);
        }
    }
    table.touch(&entry, now_ms);
    Ok(Reply::Done)
}

const CLEAR_USAGE: &str = "Required arguments: <table> \"data.<store_data_type>\" <operator> <value> or <table> key <key> or <table> ptr <ptr>";
const SET_USAGE: &str = "Required arguments: <table> key <key> [data.<store_data_type> <value>]* or <table> ptr <ptr> [data.<store_data_type> <value>]*";
const BY_CONTENT: &str =
    "content-based lookup is only supported with the \"show\" and \"clear\" actions";
const FILTER_USAGE: &str = "Optional argument only supports \"data.<store_data_type>\" <operator> <value> or key <key> or ptr <ptr>";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Show,
    Clear,
    Set,
}

fn table(call: &Call<'_>) -> Result<Arc<Table>, Refusal> {
    let mut tables = call.ops.tables().iter();
    let named = tables.find(|table| *table.spec().name == *call.word(2));
    named.map(Arc::clone).ok_or_else(|| "No such table".into())
}

/// The entries that the words behind the table's name mean: all without any.
fn choose(
    call: &Call<'_>,
    table: &Table,
    now_ms: u64,
    verb: Verb,
) -> Result<Vec<Arc<Entry>>, Refusal> {
    match call.word(3) {
        "" => Ok(table.entries(now_ms)),
        "key" => {
            let key = key(call, table, verb)?;
            Ok(table.find(&key, now_ms).into_iter().collect())
        }
        "ptr" => Ok(vec![by_pointer(call, table, now_ms)?]),
        word if word.starts_with("data.") => {
            let filters = filters(&call.words[3..], table)?;
            let mut entries = table.entries(now_ms);
            entries.retain(|entry| filters.iter().all(|f| f.holds(table, entry, now_ms)));
            Ok(entries)
        }
        _ if verb == Verb::Clear => Err(CLEAR_USAGE.into()),
        _ => Err(FILTER_USAGE.into()),
    }
}

fn key<'c>(call: &Call<'c>, table: &Table, verb: Verb) -> Result<Key<'c>, Refusal> {
    let text = call.word(4);
    if text.is_empty() {
        return Err("Key value expected".into());
    }
    if matches!(table.spec().key, KeyKind::Binary { .. }) {
        let doing = match verb {
            Verb::Show => "Showing keys from",
            Verb::Clear => "Removing keys from",
            Verb::Set => "Inserting keys into",
        };
        let text = "tables of type other than ip, ipv6, string and integer is not supported";
        return Err(format!("{doing} {text}").into());
    }
    let key = table.spec().key.parse(text);
    key.ok_or_else(|| "Invalid key".into())
}

/// An entry by the number that `show table` prints in front of it.
fn by_pointer(call: &Call<'_>, table: &Table, now_ms: u64) -> Result<Arc<Entry>, Refusal> {
    let digits = call.word(4).strip_prefix("0x");
    let number = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok());
    let number = number.ok_or("Pointer expected (0xffff notation)")?;
    let mut entries = table.entries(now_ms).into_iter();
    let found = entries.find(|entry| pointer(entry) == number);
    found.ok_or_else(|| "No entry can be found matching ptr.".into())
}

/// Identifies an entry as long as it lives.
fn pointer(entry: &Arc<Entry>) -> usize {
    Arc::as_ptr(entry) as usize
}

/// `data.TYPE OPERATOR VALUE`.
struct Filter {
    field: Field,
    index: usize,
    operator: fn(&i64, &i64) -> bool,
    value: i64,
}

impl Filter {
    fn holds(&self, table: &Table, entry: &Entry, now_ms: u64) -> bool {
        let slot = Slot {
            data: self.field.data,
            index: self.index,
        };
        let value = table.value(entry, slot, now_ms);
        value.is_some_and(|value| (self.operator)(&(value as i64), &self.value))
    }
}

fn filters(words: &[String], table: &Table) -> Result<Vec<Filter>, Refusal> {
    let mut filters = Vec::new();
    for (number, words) in words.chunks(3).take(FILTERS_MAX).enumerate() {
        let number = number + 1;
        let wrong = |text: &str| Refusal(format!("Filter entry #{number}: {text}"));
        let name = words[0].strip_prefix("data.");
        let name = name.ok_or_else(|| wrong("Unknown data type"))?;
        let (field, index) = field(table, name).map_err(|refusal| wrong(&refusal.0))?;
        let operator: fn(&i64, &i64) -> bool = match words.get(1).map(String::as_str) {
            Some("eq") => i64::eq,
            Some("ne") => i64::ne,
            Some("le") => i64::le,
            Some("ge") => i64::ge,
            Some("lt") => i64::lt,
            Some("gt") => i64::gt,
            _ => {
                return Err(wrong(
                    "Require and operator among \"eq\", \"ne\", \"le\", \"ge\", \"lt\", \"gt\"",
                ));
            }
        };
        let value = words.get(2).and_then(|word| word.parse().ok());
        let value =
            value.ok_or_else(|| wrong("Require a valid integer value to compare against"))?;
        filters.push(Filter {
            field,
            index,
            operator,
            value,
        });
    }
    Ok(filters)
}

/// A kind of data by its name, perhaps with an element's number: `gpt[1]`.
fn field(table: &Table, name: &str) -> Result<(Field, usize), Refusal> {
    let (name, index) = match name.split_once('[') {
        Some((name, rest)) => (name, rest.trim_end_matches(']').parse().unwrap_or(0)),
        None => (name, 0),
    };
    let data = Data::parse(name).ok_or("Unknown data type")?;
    let field = table.spec().layout.field(data);
    let field = *field.ok_or("Data type not stored in this table")?;
    Ok((field, index))
}

fn head(table: &Table, now_ms: u64, out: &mut String) {
    let spec = table.spec();
    let _ = writeln!(
        out,
        "# table: {}, type: {}, size:{}, used:{}",
        spec.name,
        spec.key.word(),
        spec.size,
        table.used(now_ms)
    );
}

fn print(table: &Table, entry: &Arc<Entry>, now_ms: u64, out: &mut String) {
    let _ = write!(out, "{:#x}: key=", pointer(entry));
    table.spec().key.print(entry.key(), out);
    let expires_ms = table.expires_in_ms(entry, now_ms).unwrap_or(0);
    let _ = write!(out, " use={} exp={expires_ms} shard=0", entry.users());
    for field in table.spec().layout.fields() {
        for index in 0..field.len {
            print_figure(table, entry, field, index, now_ms, out);
        }
    }
    out.push('\n');
}

fn print_figure(
    table: &Table,
    entry: &Entry,
    field: &Field,
    index: usize,
    now_ms: u64,
    out: &mut String,
) {
    let name = field.data.name();
    let _ = match (field.data, field.data.shape()) {
        (Data::GpcRate, _) => write!(out, " gpc{index}_rate({})=", field.period_ms),
        (Data::Gpc | Data::Gpt, _) => write!(out, " {name}{index}="),
        (_, Shape::Rate) => write!(out, " {name}({})=", field.period_ms),
        _ => write!(out, " {name}="),
    };
    if field.data.shape() == Shape::Name {
        out.push_str(table.name(entry, field.data).as_deref().unwrap_or("-"));
        return;
    }
    let slot = Slot {
        data: field.data,
        index,
    };
    let _ = write!(out, "{}", table.value(entry, slot, now_ms).unwrap_or(0));
}
