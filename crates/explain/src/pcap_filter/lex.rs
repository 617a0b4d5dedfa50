//! Words and signs, and where they stand.

use std::ops::Range;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters, digits and what stands within names, numbers and addresses.
    Word(String),
    Sign(&'static str),
    End,
}

/// Longer ones first.
const SIGNS: [&str; 22] = [
    "&&", "||", "<<", ">>", "!=", "==", ">=", "<=", "!", "(", ")", "[", "]", "=", "<", ">", "&",
    "|", "^", "+", "*", "%",
];

/// All tokens of a text; the last is the end.
pub(super) fn tokens(text: &str) -> Vec<(Token, Range<usize>)> {
    let (mut tokens, mut at, mut brackets) = (Vec::new(), 0, 0_usize);
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start().len();
        let rest = &text[at..];
        if rest.is_empty() {
            tokens.push((Token::End, at..at));
            return tokens;
        }
        let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign)).copied();
        let sign = sign.or_else(|| lone(rest, brackets > 0));
        let (token, len) = match sign {
            Some(sign) => (Token::Sign(sign), sign.len()),
            None => {
                // A backslash says that a word is a name, which here needs no telling.
                let escape = usize::from(rest.starts_with('\\') && rest.len() > 1);
                let len = escape + word_len(&rest[escape..], brackets > 0);
                (Token::Word(rest[escape..len].to_ascii_lowercase()), len)
            }
        };
        match token {
            Token::Sign("[") => brackets += 1,
            Token::Sign("]") => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        tokens.push((token, at..at + len));
        at += len;
    }
}

/// Signs that within words are parts of names and addresses.
fn lone(rest: &str, bracket: bool) -> Option<&'static str> {
    match rest.as_bytes() {
        [b'-', ..] => Some("-"),
        [b'/', ..] => Some("/"),
        [b':', ..] if bracket => Some(":"),
        // Not the beginning of an IPv6 address.
        [b':', next, ..] if *next != b':' => Some(":"),
        _ => None,
    }
}

fn word_len(rest: &str, bracket: bool) -> usize {
    let number = rest.starts_with(|c: char| c.is_ascii_digit());
    let is_part = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' => true,
        '-' => !bracket || !number,
        ':' | '/' => !bracket,
        _ => false,
    };
    let len = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    // What can be no word is one, so that the error has a place.
    len.max(rest.chars().next().map_or(0, char::len_utf8))
}
