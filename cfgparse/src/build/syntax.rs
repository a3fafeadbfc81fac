//! Arguments that no field keeps, read as the row's syntax describes them.

use crate::args::Args;
use crate::context::Context;
use crate::quantity::TimeUnit;

/// Checks the arguments against the row's syntax, item by item: `<time>`, `<size>`, `<number>`,
/// `<1-64>` (a number in a range), `a|b` (one of these words), any other `<name>` (a word).
/// `[item]` may be missing, and `...` stands for any words.
pub fn by_syntax<T>(cx: &mut Context, _: &mut T, args: &mut Args) {
    for item in args.syntax().split(' ').filter(|item| !item.is_empty()) {
        let optional = item.starts_with('[');
        let repeated = item.contains("...");
        if args.is_empty() && (optional || item == "...") {
            return;
        }
        if item == "..." {
            args.rest();
            return;
        }
        let item = item.trim_matches(['[', ']', '.']);
        one(cx, args, item);
        while repeated && !args.is_empty() {
            one(cx, args, item);
        }
    }
}

fn one(cx: &mut Context, args: &mut Args, item: &str) {
    match item {
        "<time>" => {
            args.time_in(cx, TimeUnit::Milliseconds);
        }
        "<size>" => {
            args.size::<u64>(cx);
        }
        "<number>" => {
            args.number::<i64>(cx);
        }
        _ => match range(item) {
            Some((low, high)) => {
                args.number_in(cx, low, high);
            }
            None => word(cx, args, item),
        },
    }
}

/// `<1-64>`.
fn range(item: &str) -> Option<(i64, i64)> {
    let (low, high) = item.strip_prefix('<')?.strip_suffix('>')?.split_once('-')?;
    Some((low.parse().ok()?, high.parse().ok()?))
}

fn word(cx: &mut Context, args: &mut Args, item: &str) {
    let wanted = if item.starts_with('<') {
        item.to_owned()
    } else {
        let choices: Vec<_> = item.split('|').map(|word| format!("'{word}'")).collect();
        choices.join(" or ")
    };
    let Some(word) = args.required(cx, &wanted) else {
        return;
    };
    if !item.starts_with('<') && !item.split('|').any(|choice| choice == word.text) {
        args.unexpected(cx, word, &wanted);
    }
}

/// How many words a syntax asks for, and how many it takes at most; what stands in parentheses
/// behind the name is not counted.
pub fn arity(syntax: &str) -> (usize, Option<usize>) {
    let (mut least, mut most, mut depth) = (0, Some(0), 0_usize);
    for item in syntax.split(' ').filter(|item| !item.is_empty()) {
        if item.starts_with('(') {
            continue;
        }
        let opened = item.matches('[').count();
        least += usize::from(depth + opened == 0 && item != "...");
        depth = (depth + opened).saturating_sub(item.matches(']').count());
        most = if item.contains("...") {
            None
        } else {
            most.map(|most| most + 1)
        };
    }
    (least, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_syntax_are_counted() {
        assert_eq!(arity(""), (0, Some(0)));
        assert_eq!(arity("<engine> <group>"), (2, Some(2)));
        assert_eq!(arity("[profile <name>]"), (0, Some(2)));
        assert_eq!(arity("<name> [limit <n>] [period <t>]"), (1, Some(5)));
        assert_eq!(arity("(<idx>,<sc-id>) <int>|<expr>"), (1, Some(1)));
        assert_eq!(arity("<name> ..."), (1, None));
    }
}
