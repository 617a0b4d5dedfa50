//! Payload as text.

use std::fmt;

use super::{Problem, SpecError};

/// Bytes that print themselves in hex.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Bytes from pairs of hex digits, with spaces or colons between them, or none.
pub(super) fn read_hex(text: &str) -> Result<Vec<u8>, SpecError> {
    let problem = Problem::Expected("pairs of hex digits");
    let mut bytes = Vec::new();
    let mut high = None;
    for (at, letter) in text.char_indices().skip(if text.starts_with("0x") { 2 } else { 0 }) {
        match (letter.to_digit(16), high) {
            (Some(digit), None) => high = Some(digit),
            (Some(digit), Some(first)) => {
                bytes.push((first << 4 | digit) as u8);
                high = None;
            }
            (None, None) if matches!(letter, ' ' | ':') => {}
            (None, _) => return Err(SpecError::new(at..at + letter.len_utf8(), problem)),
        }
    }
    match high {
        None => Ok(bytes),
        Some(_) => Err(SpecError::new(text.len() - 1..text.len(), problem)),
    }
}

/// Bytes from text in which `\n`, `\r`, `\t`, `\0`, `\\`, `\'`, `\"` and `\x7f` have their
/// usual meanings.
///
/// # Errors
/// If there is another letter behind a backslash.
pub fn unescape(text: &str) -> Result<Vec<u8>, SpecError> {
    let mut bytes = Vec::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter != '\\' {
            bytes.extend(letter.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let problem = Problem::Expected(r#"one of n r t 0 \ ' " or xHH behind a backslash"#);
        let error = SpecError::new(at..at + 1, problem);
        bytes.push(match letters.next().map(|(_, escaped)| escaped) {
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('t') => b'\t',
            Some('0') => 0,
            Some(same @ ('\\' | '\'' | '"')) => same as u8,
            Some('x') => {
                let mut digit = || letters.next().and_then(|(_, letter)| letter.to_digit(16));
                let (Some(high), Some(low)) = (digit(), digit()) else { return Err(error) };
                (high << 4 | low) as u8
            }
            _ => return Err(error),
        });
    }
    Ok(bytes)
}
