//! Snippets: assertions about `tcp_info`, evaluated here where they are plain.
//!
//! Numbers, names, comparisons, arithmetic and assignments are understood. A snippet that holds
//! more leaves all of them to python3.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::outcome::Failure;
use super::{Checked, python};
use crate::linux;

/// What all snippets have in common.
#[derive(Debug, Default)]
pub(super) struct Snippets {
    names: HashMap<String, i64>,
    /// All of it as Python.
    program: String,
    /// The line of the snippet that is not understood here.
    beyond: Option<usize>,
}

/// Why a snippet did not do.
enum Trouble {
    /// It is not understood here.
    Beyond,
    /// An assertion does not hold, or a name is not known.
    Wrong(String),
}

impl Snippets {
    /// Evaluates a snippet where `fields` are the present.
    pub(super) fn take(
        &mut self,
        line: usize,
        text: &str,
        fields: BTreeMap<&'static str, i64>,
    ) -> Checked {
        for (name, value) in fields {
            self.program += &format!("{name} = {value}\n");
            self.names.insert(name.to_owned(), value);
        }
        self.program += text;
        self.program += "\n";
        if self.beyond.is_some() {
            return Ok(());
        }
        for statement in statements(text) {
            match self.statement(statement) {
                Ok(()) => {}
                Err(Trouble::Beyond) => {
                    self.beyond = Some(line);
                    return Ok(());
                }
                Err(Trouble::Wrong(message)) => return Err(Failure { line, message }),
            }
        }
        Ok(())
    }

    /// Runs what was not understood.
    pub(super) fn finish(&self) -> Checked<BTreeSet<String>> {
        let Some(line) = self.beyond else { return Ok(BTreeSet::new()) };
        python::run(&self.program).map_err(|message| Failure { line, message })
    }

    fn statement(&mut self, text: &str) -> Result<(), Trouble> {
        if text.starts_with("print") || text == "pass" {
            return Ok(());
        }
        if let Some(assertion) = text.strip_prefix("assert") {
            let mut reader = Reader::new(assertion, &self.names)?;
            let holds = reader.expression(0)?;
            if !reader.at_end() && reader.peek() != Some(&Token::Sign(",")) {
                return Err(Trouble::Beyond);
            }
            let met = reader.met.iter().map(|(name, value)| format!("{name} is {value}"));
            let met = met.collect::<Vec<_>>().join(", ");
            return match holds {
                0 => Err(Trouble::Wrong(format!("this does not hold, {met}:\n  {text}"))),
                _ => Ok(()),
            };
        }
        let (target, value) = text.split_once('=').ok_or(Trouble::Beyond)?;
        let (name, adds) = match target.trim().strip_suffix('+') {
            Some(name) => (name.trim(), true),
            None => (target.trim(), false),
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Trouble::Beyond);
        }
        let mut reader = Reader::new(value, &self.names)?;
        let mut value = reader.expression(0)?;
        if !reader.at_end() {
            return Err(Trouble::Beyond);
        }
        if adds {
            value += self.names.get(name).copied().ok_or(Trouble::Beyond)?;
        }
        self.names.insert(name.to_owned(), value);
        Ok(())
    }
}

/// A snippet's statements, without comments. One that is indented stays so.
fn statements(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or(line));
    let parts = lines.flat_map(|line| line.split(';').enumerate());
    let parts = parts.map(|(n, part)| if n > 0 { part.trim() } else { part.trim_end() });
    parts.filter(|part| !part.is_empty())
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(i64),
    Name(String),
    Sign(&'static str),
    /// Text, whatever it says: only messages hold it.
    Text,
}

/// Signs and words that join, the longer ones first, each with how tightly it binds.
const JOINS: [(&str, u8); 20] = [
    ("or", 1),
    ("and", 2),
    ("==", 4),
    ("!=", 4),
    ("<=", 4),
    (">=", 4),
    ("<<", 8),
    (">>", 8),
    ("//", 10),
    ("<", 4),
    (">", 4),
    ("|", 5),
    ("^", 6),
    ("&", 7),
    ("+", 9),
    ("-", 9),
    ("*", 10),
    ("%", 10),
    ("/", 10),
    (",", 0),
];

/// How tightly comparisons bind.
const COMPARES: u8 = 4;

/// How tightly `not` binds.
const NOT: u8 = 3;

struct Reader<'n> {
    tokens: Vec<Token>,
    at: usize,
    names: &'n HashMap<String, i64>,
    /// Names that were looked up, for whom it may concern.
    met: Vec<(String, i64)>,
}

impl<'n> Reader<'n> {
    fn new(text: &str, names: &'n HashMap<String, i64>) -> Result<Self, Trouble> {
        Ok(Self { tokens: tokens(text)?, at: 0, names, met: Vec::new() })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    const fn at_end(&self) -> bool {
        self.at == self.tokens.len()
    }

    /// Everything that binds more tightly than `outer`.
    fn expression(&mut self, outer: u8) -> Result<i64, Trouble> {
        let mut left = self.operand()?;
        while let Some(Token::Sign(sign)) = self.peek() {
            let sign = *sign;
            let binds = JOINS.iter().find(|(known, _)| *known == sign).map_or(0, |join| join.1);
            if binds <= outer {
                break;
            }
            left = if binds == COMPARES {
                self.comparisons(left)?
            } else {
                self.at += 1;
                let right = self.expression(binds)?;
                join(sign, left, right)?
            };
        }
        Ok(left)
    }

    /// A chain of comparisons, all of which must hold: Python compares neighbours.
    fn comparisons(&mut self, mut left: i64) -> Result<i64, Trouble> {
        let mut holds = true;
        while let Some(Token::Sign(sign @ ("==" | "!=" | "<" | ">" | "<=" | ">="))) = self.peek() {
            let sign = *sign;
            self.at += 1;
            let right = self.expression(COMPARES)?;
            holds &= join(sign, left, right)? != 0;
            left = right;
        }
        Ok(i64::from(holds))
    }

    fn operand(&mut self) -> Result<i64, Trouble> {
        let token = self.peek().cloned().ok_or(Trouble::Beyond)?;
        self.at += 1;
        match token {
            Token::Number(n) => Ok(n),
            Token::Sign("-") => Ok(-self.expression(10)?),
            Token::Sign("not") => Ok(i64::from(self.expression(NOT)? == 0)),
            Token::Sign("(") => {
                let value = self.expression(0)?;
                if self.peek() != Some(&Token::Sign(")")) {
                    return Err(Trouble::Beyond);
                }
                self.at += 1;
                Ok(value)
            }
            Token::Name(name) => {
                if self.peek() == Some(&Token::Sign("(")) {
                    return Err(Trouble::Beyond);
                }
                let value = self.names.get(&name).copied().or_else(|| linux::symbol(&name));
                let unknown = || Trouble::Wrong(format!("this stack does not tell {name}"));
                let value = value.or(constant(&name)).ok_or_else(unknown)?;
                self.met.push((name, value));
                Ok(value)
            }
            Token::Sign(_) | Token::Text => Err(Trouble::Beyond),
        }
    }
}

/// Names that Python knows by itself, or from packetdrill.
fn constant(name: &str) -> Option<i64> {
    match name {
        "True" => Some(1),
        "False" => Some(0),
        "TCP_INFINITE_SSTHRESH" => Some(0x7fff_ffff),
        _ => None,
    }
}

fn join(sign: &str, a: i64, b: i64) -> Result<i64, Trouble> {
    let value = match sign {
        "or" if a != 0 => Some(a),
        "or" => Some(b),
        "and" if a == 0 => Some(a),
        "and" => Some(b),
        "==" => Some(i64::from(a == b)),
        "!=" => Some(i64::from(a != b)),
        "<=" => Some(i64::from(a <= b)),
        ">=" => Some(i64::from(a >= b)),
        "<" => Some(i64::from(a < b)),
        ">" => Some(i64::from(a > b)),
        "|" => Some(a | b),
        "^" => Some(a ^ b),
        "&" => Some(a & b),
        "<<" => u32::try_from(b).ok().and_then(|b| a.checked_shl(b)),
        ">>" => u32::try_from(b).ok().and_then(|b| a.checked_shr(b)),
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        "//" if b > 0 => Some(a.div_euclid(b)),
        "%" if b > 0 => Some(a.rem_euclid(b)),
        // A quotient has a fraction.
        _ => None,
    };
    value.ok_or(Trouble::Beyond)
}

fn tokens(text: &str) -> Result<Vec<Token>, Trouble> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let len = rest.find(|c| !word(c)).unwrap_or(rest.len());
        let (token, len) = if first.is_ascii_digit() {
            let digits = &rest[..len];
            let number = match digits.strip_prefix("0x") {
                Some(digits) => i64::from_str_radix(digits, 16),
                None => digits.parse(),
            };
            if rest[len..].starts_with('.') {
                return Err(Trouble::Beyond);
            }
            (Token::Number(number.map_err(|_| Trouble::Beyond)?), len)
        } else if len > 0 {
            let word = &rest[..len];
            let sign = ["or", "and", "not"].into_iter().find(|sign| *sign == word);
            (sign.map_or_else(|| Token::Name(word.to_owned()), Token::Sign), len)
        } else if matches!(first, '"' | '\'') {
            let end = rest[1..].find(first).ok_or(Trouble::Beyond)?;
            (Token::Text, end + 2)
        } else {
            let signs = JOINS.iter().map(|join| join.0).chain(["(", ")"]);
            let mut found = signs.filter(|sign| rest.starts_with(sign));
            let sign = found.next().ok_or(Trouble::Beyond)?;
            (Token::Sign(sign), sign.len())
        };
        tokens.push(token);
        rest = rest[len..].trim_start();
    }
    Ok(tokens)
}

#[cfg(test)]
#[path = "code_tests.rs"]
mod tests;
