//! Arguments in parentheses: their own level of quotes and escapes (manual, 2.2).

use thiserror::Error;

/// Why arguments can't be cut.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ArgsError {
    #[error("expected ')' in argument {0}")]
    Unclosed(usize),
    #[error("unmatched quote in argument {0}")]
    UnmatchedQuote(usize),
}

/// Cuts what follows an opening parenthesis. Gives the arguments and how many bytes they took, the
/// closing parenthesis included. Nothing between the parentheses is one empty argument.
pub fn split_args(text: &str) -> Result<(Vec<String>, usize), ArgsError> {
    let mut args = Vec::new();
    let mut arg = String::new();
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match (c, quote) {
            ('\\', Some('\'')) => arg.push('\\'),
            ('\\', _) => push_escape(&mut arg, &mut chars, quote.is_some()),
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (',', None) => args.push(std::mem::take(&mut arg)),
            (')', None) => {
                args.push(arg);
                return Ok((args, index + 1));
            }
            (c, _) => arg.push(c),
        }
    }
    let number = args.len() + 1;
    Err(match quote {
        Some(_) => ArgsError::UnmatchedQuote(number),
        None => ArgsError::Unclosed(number),
    })
}

fn push_escape(arg: &mut String, chars: &mut std::str::CharIndices, weak: bool) {
    let mut ahead = chars.clone();
    let value = match ahead.next().map(|(_, c)| c) {
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some(c @ ('\\' | '"' | '\'' | ' ' | ',' | ')' | '('))
            if !weak || matches!(c, '\\' | '"') =>
        {
            c
        }
        _ => {
            arg.push('\\');
            return;
        }
    };
    *chars = ahead;
    arg.push(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> (Vec<String>, &str) {
        let (args, used) = split_args(text).expect(text);
        (args, &text[used..])
    }

    fn owned(args: &[&str]) -> Vec<String> {
        args.iter().map(|arg| (*arg).to_owned()).collect()
    }

    #[test]
    fn the_manuals_examples() {
        assert_eq!(cut("foo,blah,g)]"), (owned(&["foo", "blah", "g"]), "]"));
        assert_eq!(cut("(foo|bar),blah,g)"), (owned(&["(foo|bar"]), ",blah,g)"));
        assert_eq!(
            cut(r#""(foo|bar)",blah,g)"#),
            (owned(&["(foo|bar)", "blah", "g"]), "")
        );
        assert_eq!(
            cut(r#""(foo|bar)", blah, g)"#),
            (owned(&["(foo|bar)", " blah", " g"]), "")
        );
        assert_eq!(
            cut(r#""^/(here)(/|$)","my/\1",g)"#),
            (owned(&["^/(here)(/|$)", r"my/\1", "g"]), "")
        );
        assert_eq!(cut(")"), (owned(&[""]), ""));
        assert_eq!(cut(r"\'foo\')"), (owned(&["'foo'"]), ""));
    }

    #[test]
    fn faults_name_the_argument() {
        assert_eq!(split_args("a,b"), Err(ArgsError::Unclosed(2)));
        assert_eq!(split_args("a,\"b)"), Err(ArgsError::UnmatchedQuote(2)));
    }
}
