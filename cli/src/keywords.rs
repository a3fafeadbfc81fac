//! `-dK`: the registered keywords, class by class, in the form of HAProxy's dump (management.txt, 3).

use cfgparse::build::proxy::capture::FILTERS;
use cfgparse::registry::acl_words::ACL_WORDS;
use cfgparse::registry::catalog::{self, Kind};
use cfgparse::registry::converters::CONVERTERS;
use cfgparse::registry::fetches::FETCHES;
use cfgparse::registry::sample::{Type, Where};
use engine::control;

/// Places of the matrix in front of sample fetches.
const PLACES: u32 = Where::Cli as u32 + 1;

/// One class of keywords.
struct Class {
    name: &'static str,
    title: &'static str,
    lines: fn() -> Vec<String>,
}

#[rustfmt::skip]
const CLASSES: &[Class] = &[
    Class { name: "acl", title: "ACL keywords", lines: acl },
    Class { name: "cfg", title: "configuration keywords", lines: configuration },
    Class { name: "cli", title: "CLI keywords", lines: || sorted(control::commands().map(|command| command.key.to_owned())) },
    Class { name: "cnv", title: "sample converter functions", lines: converters },
    Class { name: "flt", title: "filter names", lines: || FILTERS.iter().map(|name| (*name).to_owned()).collect() },
    Class { name: "smp", title: "sample fetch functions", lines: fetches },
    Class { name: "svc", title: "service names", lines: || vec!["prometheus-exporter".to_owned()] },
];

/// Prints the classes that the word behind `-dK` names.
pub fn dump(wanted: &str) {
    let wanted: Vec<&str> = wanted.split(',').collect();
    if wanted.contains(&"help") {
        println!("# List of supported keyword classes:\nall: list all keywords");
        for class in CLASSES {
            println!("{}: {}", class.name, class.title);
        }
        return;
    }
    for class in CLASSES {
        if wanted.contains(&class.name) || wanted.contains(&"all") {
            println!("# List of registered {}:", class.title);
            for line in (class.lines)() {
                println!("{line}");
            }
        }
    }
}

fn acl() -> Vec<String> {
    let line = |word: &cfgparse::registry::sample::AclWord| {
        format!("{} = {} -m {}", word.name, word.fetch, word.method.word())
    };
    sorted(ACL_WORDS.iter().map(line))
}

/// Keywords below the section where they stand.
fn configuration() -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut section = String::new();
    for entry in catalog::all() {
        let (place, prefix) = match entry.kind {
            Kind::Global => ("global", ""),
            Kind::Proxy => ("listen", ""),
            Kind::Bind => ("listen", "bind <addr> "),
            Kind::Server => ("listen", "server <name> <addr> "),
            Kind::Section => (entry.place.as_str(), ""),
            _ => continue,
        };
        if section != place {
            place.clone_into(&mut section);
            lines.push(section.clone());
        }
        let line = format!("\t{prefix}{} {}", entry.info.name, entry.info.syntax);
        lines.push(line.trim_end().to_owned());
    }
    lines
}

fn converters() -> Vec<String> {
    let line = |row: &cfgparse::registry::sample::Converter| {
        let args = parenthesised(row.args);
        let (from, to) = (type_word(row.input), type_word(row.out));
        format!("{}{args}: {from} => {to}", row.info.name)
    };
    sorted(CONVERTERS.iter().map(line))
}

fn fetches() -> Vec<String> {
    let mut rows: Vec<_> = FETCHES.iter().collect();
    rows.sort_by_key(|row| row.info.name);
    let line = |row: &&cfgparse::registry::sample::Fetch| {
        let mark = |place: u32| {
            if row.available & (1_u32 << place) == 0 {
                '.'
            } else {
                'Y'
            }
        };
        let matrix: String = (0..PLACES).flat_map(|place| [mark(place), ' ']).collect();
        let args = parenthesised(row.args);
        format!(
            "[ {matrix}] {}{args}: {}",
            row.info.name,
            type_word(row.out)
        )
    };
    rows.iter().map(line).collect()
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort_unstable();
    lines
}

fn parenthesised(args: &str) -> String {
    if args.is_empty() {
        String::new()
    } else {
        format!("({args})")
    }
}

/// HAProxy's short names of types.
fn type_word(kind: Type) -> &'static str {
    match kind {
        Type::Any => "any",
        Type::Same => "same",
        Type::Bool => "bool",
        Type::Sint => "sint",
        Type::Addr => "addr",
        Type::Ipv4 => "ipv4",
        Type::Ipv6 => "ipv6",
        Type::Str => "str",
        Type::Bin => "bin",
        Type::Meth => "meth",
    }
}
