//! A script cut into words, numbers, strings and signs.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::error::ScriptError;

/// What a piece of text is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Word(String),
    Int(i64),
    Hex(i64),
    Float(f64),
    Text(String),
    Command(String),
    Code(String),
    Address(IpAddr),
    /// `--name`.
    Option(String),
    Ellipsis,
    Sign(char),
    End,
}

/// A piece of text and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

/// Cuts a script up. The last token is [`Kind::End`].
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, ScriptError> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank()?;
        let start = lexer.at;
        let kind = lexer.next()?;
        let end = kind == Kind::End;
        tokens.push(Token { kind, span: start..lexer.at });
        if end {
            return Ok(tokens);
        }
    }
}

/// Puts what symbols stand for in their place.
pub(super) fn substitute(tokens: &mut [Token], symbols: &HashMap<String, String>) {
    for token in tokens {
        let Kind::Word(word) = &token.kind else { continue };
        if let Some(value) = symbols.get(word) {
            token.kind = meaning(value);
        }
    }
}

/// What a symbol's value is: `"text"`, `` `command` ``, a number or a word.
fn meaning(value: &str) -> Kind {
    let inside = |quote: char| value.strip_prefix(quote).and_then(|v| v.strip_suffix(quote));
    if let Some(text) = inside('"') {
        return Kind::Text(text.to_owned());
    }
    if let Some(command) = inside('`') {
        return Kind::Command(command.to_owned());
    }
    let number = match value.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16),
        None => value.parse(),
    };
    number.map_or_else(|_| Kind::Word(value.to_owned()), Kind::Int)
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn error<T>(&self, message: &str) -> Result<T, ScriptError> {
        Err(ScriptError::new(self.source, self.at, message))
    }

    /// Goes over everything in front of `end`, and over that.
    fn through(&mut self, from: usize, end: &str, what: &str) -> Result<&'s str, ScriptError> {
        let inside = &self.rest()[from..];
        let Some(len) = inside.find(end) else {
            return self.error(&format!("this {what} has no end: no {end}"));
        };
        self.at += from + len + end.len();
        Ok(&inside[..len])
    }

    fn skip_blank(&mut self) -> Result<(), ScriptError> {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            self.at += blank;
            if self.rest().starts_with("//") {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            } else if self.rest().starts_with("/*") {
                self.through(2, "*/", "comment")?;
            } else if blank == 0 {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Result<Kind, ScriptError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Kind::End) };
        if rest.starts_with("%{") {
            return Ok(Kind::Code(self.through(2, "}%", "snippet")?.trim().to_owned()));
        }
        if rest.starts_with("...") {
            self.at += 3;
            return Ok(Kind::Ellipsis);
        }
        if let Some(name) = rest.strip_prefix("--") {
            let len = name.find(|c| !is_word(c)).unwrap_or(name.len());
            self.at += 2 + len;
            return Ok(Kind::Option(name[..len].to_owned()));
        }
        match first {
            '"' => return Ok(Kind::Text(self.quoted('"')?)),
            '`' => return Ok(Kind::Command(self.quoted('`')?)),
            _ => {}
        }
        if let Some(kind) = self.address() {
            return Ok(kind);
        }
        if let Some((len, kind)) = number(rest) {
            let Some(kind) = kind else { return self.error("this number is too large") };
            self.at += len;
            return Ok(kind);
        }
        if is_word(first) {
            let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            self.at += len;
            return Ok(Kind::Word(rest[..len].to_owned()));
        }
        self.at += first.len_utf8();
        Ok(Kind::Sign(first))
    }

    /// What stands between quotation marks, escapes as they are written.
    fn quoted(&mut self, mark: char) -> Result<String, ScriptError> {
        let inside = &self.rest()[1..];
        let mut escaped = false;
        for (len, c) in inside.char_indices() {
            if c == mark && !escaped {
                self.at += len + 2;
                return Ok(inside[..len].to_owned());
            }
            escaped = c == '\\' && !escaped;
        }
        self.error("this string has no end")
    }

    fn address(&mut self) -> Option<Kind> {
        let rest = self.rest();
        let len = rest.find(|c: char| !(c.is_ascii_hexdigit() || c == ':' || c == '.'));
        let text = &rest[..len.unwrap_or(rest.len())];
        // `ipv6 a > b:` ends an address with a colon that is not its own.
        [text, text.strip_suffix(':').unwrap_or(text)].into_iter().find_map(|text| {
            let v4 = text.parse::<Ipv4Addr>().ok().map(IpAddr::V4);
            let address = v4.or_else(|| text.parse::<Ipv6Addr>().ok().map(IpAddr::V6))?;
            self.at += text.len();
            Some(Kind::Address(address))
        })
    }
}

/// The number that `text` begins with, if it does: how long it is, and what, unless that is
/// larger than any may be.
fn number(text: &str) -> Option<(usize, Option<Kind>)> {
    if let Some(digits) = text.strip_prefix("0x") {
        let len = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
        if len > 0 && !digits[len..].starts_with(is_word) {
            let value = i64::from_str_radix(&digits[..len], 16);
            return Some((2 + len, value.ok().map(Kind::Hex)));
        }
    }
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(text.starts_with('-'));
    let whole = sign + digits(&text[sign..]);
    if text[whole..].starts_with('.') {
        let fraction = digits(&text[whole + 1..]);
        if fraction > 0 {
            let end = whole + 1 + fraction;
            return Some((end, text[..end].parse().ok().map(Kind::Float)));
        }
    }
    if whole == sign || text[whole..].starts_with(is_word) {
        return None;
    }
    Some((whole, text[..whole].parse().ok().map(Kind::Int)))
}
