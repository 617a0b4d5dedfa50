//! A place in a script's tokens, and what every part of the grammar needs there.

use std::time::Duration;

use super::error::ScriptError;
use super::lex::{Kind, Token};

pub(super) type Result<T> = std::result::Result<T, ScriptError>;

pub(super) struct Cursor<'s> {
    pub(super) source: &'s str,
    pub(super) tokens: Vec<Token>,
    pub(super) at: usize,
}

impl Cursor<'_> {
    pub(super) fn token(&self) -> &Token {
        // The last token is the end, which is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.token().kind
    }

    /// The kind of the token `n` behind this one.
    pub(super) fn ahead(&self, n: usize) -> &Kind {
        &self.tokens[(self.at + n).min(self.tokens.len() - 1)].kind
    }

    /// The token's text as it stands in the script.
    pub(super) fn text(&self) -> &str {
        &self.source[self.token().span.clone()]
    }

    pub(super) fn advance(&mut self) {
        self.at += 1;
    }

    pub(super) fn line(&self) -> usize {
        self.source[..self.token().span.start].matches('\n').count() + 1
    }

    /// The script from byte `start` to the last token read, in one line.
    pub(super) fn since(&self, start: usize) -> String {
        let end = self.tokens[self.at.saturating_sub(1)].span.end;
        let text = &self.source[start..end.max(start)];
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(super) fn fail<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(ScriptError::new(self.source, self.token().span.start, message))
    }

    pub(super) fn fail_at<T>(&self, at: usize, message: impl Into<String>) -> Result<T> {
        Err(ScriptError::new(self.source, at, message))
    }

    pub(super) fn expected<T>(&self, what: &str) -> Result<T> {
        self.fail(match self.kind() {
            Kind::End => format!("expected {what}, but the script ends here"),
            _ => format!("expected {what}"),
        })
    }

    pub(super) fn is_sign(&self, sign: char) -> bool {
        *self.kind() == Kind::Sign(sign)
    }

    pub(super) fn eat_sign(&mut self, sign: char) -> bool {
        let found = self.is_sign(sign);
        self.at += usize::from(found);
        found
    }

    pub(super) fn sign(&mut self, sign: char) -> Result<()> {
        if self.eat_sign(sign) { Ok(()) } else { self.expected(&format!("`{sign}`")) }
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.kind(), Kind::Word(found) if found == word)
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn word(&mut self, what: &str) -> Result<String> {
        let Kind::Word(word) = self.kind() else { return self.expected(what) };
        let word = word.clone();
        self.advance();
        Ok(word)
    }

    /// A whole number from 0 to `maximum`.
    pub(super) fn number(&mut self, what: &str, maximum: u32) -> Result<u32> {
        let (Kind::Int(n) | Kind::Hex(n)) = *self.kind() else { return self.expected(what) };
        match u32::try_from(n).ok().filter(|n| *n <= maximum) {
            Some(n) => {
                self.advance();
                Ok(n)
            }
            None => self.fail(format!("{what} must lie between 0 and {maximum}")),
        }
    }

    pub(super) fn u16(&mut self, what: &str) -> Result<u16> {
        self.number(what, 0xffff).map(|n| n as u16)
    }

    /// Seconds.
    pub(super) fn time(&mut self) -> Result<Duration> {
        let micros = match *self.kind() {
            Kind::Int(seconds) => seconds.saturating_mul(1_000_000),
            Kind::Float(seconds) => (seconds * 1e6).round() as i64,
            _ => return self.expected("a time in seconds"),
        };
        let Ok(micros) = u64::try_from(micros) else { return self.fail("a time is not negative") };
        self.advance();
        Ok(Duration::from_micros(micros))
    }
}
