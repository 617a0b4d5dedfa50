//! System calls and the expressions in them.

use super::cursor::{Cursor, Result};
use super::lex::Kind;
use super::{Call, Expr, Field};

impl Cursor<'_> {
    pub(super) fn call(&mut self) -> Result<Call> {
        let ends = match self.kind() {
            Kind::Ellipsis => {
                self.advance();
                Some(self.time()?)
            }
            _ => None,
        };
        let start = self.token().span.start;
        let name = self.word("a system call")?;
        self.sign('(')?;
        let arguments = self.list(')')?;
        self.sign('=')?;
        let result = self.expr()?;
        let errno = match self.kind() {
            Kind::Word(word) => Some(word.clone()),
            _ => None,
        };
        if errno.is_some() {
            self.advance();
        }
        let text = self.since(start);
        self.note()?;
        Ok(Call { ends, name, arguments, result, errno, text })
    }

    /// Words in parentheses that mean nothing.
    fn note(&mut self) -> Result<()> {
        if !self.eat_sign('(') {
            return Ok(());
        }
        while !self.eat_sign(')') {
            if *self.kind() == Kind::End {
                return self.expected("`)`");
            }
            self.advance();
        }
        Ok(())
    }

    /// Expressions with commas between them, and what closes the list.
    fn list(&mut self, close: char) -> Result<Vec<Expr>> {
        let mut items = Vec::new();
        while !self.eat_sign(close) {
            if !items.is_empty() {
                self.sign(',')?;
            }
            items.push(self.expr()?);
        }
        Ok(items)
    }

    fn expr(&mut self) -> Result<Expr> {
        let left = self.term()?;
        if self.eat_sign('|') {
            return Ok(Expr::Or(Box::new(left), Box::new(self.expr()?)));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Expr> {
        let kind = self.kind().clone();
        match kind {
            Kind::Ellipsis => {
                self.advance();
                Ok(Expr::Any)
            }
            Kind::Int(n) | Kind::Hex(n) => {
                self.advance();
                Ok(Expr::Int(n))
            }
            Kind::Address(address) => {
                self.advance();
                Ok(Expr::Address(address))
            }
            Kind::Text(_) => self.strings(),
            Kind::Word(word) => {
                self.advance();
                if self.eat_sign('(') {
                    return Ok(Expr::Call(word, self.list(')')?));
                }
                Ok(Expr::Word(word))
            }
            Kind::Sign('[') => {
                self.advance();
                self.list(']').map(Expr::List)
            }
            Kind::Sign('{') => {
                self.advance();
                self.fields()
            }
            _ => self.expected("an expression"),
        }
    }

    /// Strings behind each other, which are one; `...` behind it says that it is cut short.
    fn strings(&mut self) -> Result<Expr> {
        let mut bytes = Vec::new();
        while let Kind::Text(text) = self.kind() {
            match unescape(text) {
                Ok(piece) => bytes.extend(piece),
                Err(why) => return self.fail(why),
            }
            self.advance();
        }
        if *self.kind() == Kind::Ellipsis {
            self.advance();
        }
        Ok(Expr::Text(bytes))
    }

    fn fields(&mut self) -> Result<Expr> {
        let mut fields = Vec::new();
        while !self.eat_sign('}') {
            if !fields.is_empty() {
                self.sign(',')?;
            }
            fields.push(self.field()?);
        }
        Ok(Expr::Struct(fields))
    }

    fn field(&mut self) -> Result<Field> {
        let value = self.expr()?;
        if !self.eat_sign('=') {
            return Ok(Field { name: None, argument: None, value });
        }
        let (name, argument) = match value {
            Expr::Word(name) => (name, None),
            Expr::Call(name, mut arguments) if arguments.len() == 1 => (name, arguments.pop()),
            _ => return self.fail("only a name may stand in front of `=`"),
        };
        Ok(Field { name: Some(name), argument, value: self.expr()? })
    }
}

/// The bytes that a string with C's escapes stands for.
fn unescape(text: &str) -> std::result::Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let [letter, behind @ ..] = rest else { return Err("a lone backslash".to_owned()) };
        rest = behind;
        bytes.push(match letter {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'v' => 11,
            b'\\' | b'"' | b'\'' | b'?' => *letter,
            b'x' => number(&mut rest, 16, 2)?,
            b'0'..=b'7' => {
                rest = &text.as_bytes()[text.len() - rest.len() - 1..];
                number(&mut rest, 8, 3)?
            }
            _ => return Err(format!("there is no escape \\{}", char::from(*letter))),
        });
    }
    Ok(bytes)
}

/// A byte written with at most `most` digits.
fn number(rest: &mut &[u8], radix: u32, most: usize) -> std::result::Result<u8, String> {
    let digits = rest.iter().take(most).take_while(|c| char::from(**c).is_digit(radix)).count();
    let (text, behind) = rest.split_at(digits);
    *rest = behind;
    let text = std::str::from_utf8(text).unwrap_or_default();
    u8::from_str_radix(text, radix).map_err(|_| "an escape is one byte".to_owned())
}
