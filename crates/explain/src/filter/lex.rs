//! A filter's text cut into words, signs and strings.

use std::ops::Range;

use super::{Cause, FilterError};

/// A word, a sign, or what stands in quotation marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    Sign(&'static str),
    /// A string as it is written; `raw` if a backslash stands for itself.
    Text {
        inside: &'a str,
        raw: bool,
    },
    /// A character in single quotation marks.
    Character(&'a str),
    End,
}

/// Signs, the longer ones first.
const SIGNS: [&str; 26] = [
    "===", "!==", "==", "!=", "~=", "<=", ">=", "&&", "||", "^^", "..", "<", ">", "!", "&", "~",
    "+", "*", "%", "(", ")", "{", "}", "[", "]", ",",
];

/// The token at the front of `text` from the byte `at` on, and the bytes that it takes.
pub(super) fn token(text: &str, at: usize) -> Result<(Token<'_>, Range<usize>), FilterError> {
    let rest = &text[at..];
    let start = at + (rest.len() - rest.trim_start().len());
    let rest = &text[start..];
    let open = |what| FilterError { span: start..text.len(), cause: Cause::Expected(what) };
    let (token, len) = if rest.is_empty() {
        (Token::End, 0)
    } else if let Some(inside) = rest.strip_prefix('"') {
        let len = closing(inside, '"', false).ok_or_else(|| open("a closing \""))?;
        (Token::Text { inside: &inside[..len], raw: false }, len + 2)
    } else if let Some(inside) = rest.strip_prefix("r\"").or_else(|| rest.strip_prefix("R\"")) {
        let len = closing(inside, '"', true).ok_or_else(|| open("a closing \""))?;
        (Token::Text { inside: &inside[..len], raw: true }, len + 3)
    } else if let Some(inside) = rest.strip_prefix('\'') {
        let len = closing(inside, '\'', false).ok_or_else(|| open("a closing '"))?;
        (Token::Character(&inside[..len]), len + 2)
    } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
        (Token::Sign(sign), sign.len())
    } else {
        let len = word_len(rest);
        (Token::Word(&rest[..len]), len)
    };
    Ok((token, start..start + len))
}

/// Bytes up to the closing quotation mark.
fn closing(text: &str, mark: char, raw: bool) -> Option<usize> {
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, c) if c == mark => return Some(at),
            (_, '\\') if !raw => drop(chars.next()?),
            _ => {}
        }
    }
}

/// Bytes of the word at the front: up to a blank or a sign. Two dots part the ends of a range.
fn word_len(text: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || "=!<>&|(){}[],\"'~^+*%".contains(c);
    let len = text.find(ends).unwrap_or(text.len());
    let len = text[..len].find("..").unwrap_or(len);
    // What can be no word is one, so that the reading goes on and the error has a place.
    len.max(text.chars().next().map_or(0, char::len_utf8))
}

/// The bytes that a string with backslashes stands for; `None` if one of them stands for
/// nothing.
pub(super) fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let [letter, behind @ ..] = rest else { return None };
        rest = behind;
        bytes.push(match letter {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'0'..=b'7' => {
                let digits =
                    1 + rest.iter().take(2).take_while(|b| (b'0'..=b'7').contains(b)).count();
                let octal = [letter].into_iter().chain(rest).take(digits);
                let number = octal.fold(0u16, |number, digit| number * 8 + u16::from(digit - b'0'));
                rest = rest.get(digits - 1..)?;
                u8::try_from(number).ok()?
            }
            b'x' => {
                let digits = rest.get(..2)?;
                rest = rest.get(2..)?;
                u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?
            }
            b'"' | b'\'' | b'\\' => *letter,
            _ => return None,
        });
    }
    Some(bytes)
}
