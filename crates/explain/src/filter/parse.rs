//! From a filter's text to its tests.

use std::ops::Range;

use super::field;
use super::value::{Constant, Kind};
use super::{Cause, Filter, FilterError, Operand, Relation, Test};

/// Parentheses and negations within each other.
const MAX_DEPTH: usize = 64;

type Result<T> = std::result::Result<T, FilterError>;

/// A word, a sign, or a string in quotation marks.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Sign(&'static str),
    Text(String),
    End,
}

/// Signs, the longer ones first.
const SIGNS: [&str; 20] = [
    "===", "!==", "==", "!=", "<=", ">=", "&&", "||", "..", "<", ">", "!", "&", "(", ")", "{", "}",
    "[", "]", ",",
];

struct Parser<'a> {
    text: &'a str,
    at: usize,
    token: Token,
    span: Range<usize>,
    depth: usize,
    respelled: Vec<(Range<usize>, &'static str)>,
}

pub(super) fn filter(text: &str) -> Result<Filter> {
    let (token, respelled) = (Token::End, Vec::new());
    let mut parser = Parser { text, at: 0, token, span: 0..0, depth: 0, respelled };
    parser.advance()?;
    let test = match parser.token {
        Token::End => Test::All(Vec::new()),
        _ => parser.any_of()?,
    };
    match parser.token {
        Token::End => Ok(Filter { test, respelled: parser.respelled }),
        _ => Err(parser.expected("&&, || or the end")),
    }
}

impl Parser<'_> {
    fn expected(&self, what: &'static str) -> FilterError {
        FilterError { span: self.span.clone(), cause: Cause::Expected(what) }
    }

    fn advance(&mut self) -> Result<Token> {
        let rest = &self.text[self.at..];
        let start = self.at + (rest.len() - rest.trim_start().len());
        let rest = &self.text[start..];
        let (token, len) = if rest.is_empty() {
            (Token::End, 0)
        } else if rest.starts_with('"') {
            self.span = start..self.text.len();
            let (text, len) = quoted(rest).ok_or_else(|| self.expected("a closing \""))?;
            (Token::Text(text), len)
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            (Token::Sign(sign), sign.len())
        } else {
            let len = word_len(rest);
            (Token::Word(rest[..len].to_owned()), len)
        };
        (self.at, self.span) = (start + len, start..start + len);
        Ok(std::mem::replace(&mut self.token, token))
    }

    /// Takes the next token if it is this sign or this word.
    fn takes(&mut self, sign: &str, word: &str) -> Result<bool> {
        let is = match &self.token {
            Token::Sign(found) => *found == sign,
            Token::Word(found) => !word.is_empty() && found.eq_ignore_ascii_case(word),
            Token::Text(_) | Token::End => false,
        };
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn any_of(&mut self) -> Result<Test> {
        let mut tests = vec![self.all_of()?];
        while self.takes("||", "or")? {
            tests.push(self.all_of()?);
        }
        Ok(Test::Any(tests))
    }

    fn all_of(&mut self) -> Result<Test> {
        let mut tests = vec![self.one()?];
        while self.takes("&&", "and")? {
            tests.push(self.one()?);
        }
        Ok(Test::All(tests))
    }

    fn one(&mut self) -> Result<Test> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(FilterError { span: self.span.clone(), cause: Cause::TooDeep });
        }
        let test = if self.takes("!", "not")? {
            Test::Not(Box::new(self.one()?))
        } else if self.takes("(", "")? {
            let test = self.any_of()?;
            if !self.takes(")", "")? {
                return Err(self.expected("\")\""));
            }
            test
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(test)
    }

    fn comparison(&mut self) -> Result<Test> {
        let operand = self.operand()?;
        if self.takes("", "in")? {
            return self.set(operand);
        }
        let relation = match &self.token {
            Token::Sign(sign) => relation(sign),
            Token::Word(word) => relation(&word.to_ascii_lowercase()),
            Token::Text(_) | Token::End => None,
        };
        let Some(relation) = relation else { return Ok(Test::Has(operand)) };
        self.advance()?;
        let constant = self.constant(&operand)?;
        Ok(Test::Compare(operand, relation, constant))
    }

    fn operand(&mut self) -> Result<Operand> {
        let span = self.span.clone();
        let Token::Word(name) = &self.token else { return Err(self.expected("a field")) };
        let field = field::find(name).map_err(|nearest| {
            let cause = Cause::UnknownField(name.clone(), nearest);
            FilterError { span: span.clone(), cause }
        })?;
        if field.name != name {
            self.respelled.push((span, field.name));
        }
        self.advance()?;
        let slice = if self.takes("[", "")? { Some(self.slice()?) } else { None };
        Ok(Operand { field, slice })
    }

    /// `[3]`, `[start:length]`, `[start-last]`, `[:length]` or `[start:]`, its bracket taken.
    fn slice(&mut self) -> Result<Range<usize>> {
        const WHAT: &str = "a slice like [0:4] or [0-3]";
        let span = self.span.clone();
        let wrong = FilterError { span, cause: Cause::Expected(WHAT) };
        let Token::Word(word) = self.advance()? else { return Err(wrong) };
        let number = |text: &str| text.parse::<usize>().map_err(|_| wrong.clone());
        let range = if let Some((start, len)) = word.split_once(':') {
            let start = if start.is_empty() { 0 } else { number(start)? };
            let end = if len.is_empty() { usize::MAX } else { start.saturating_add(number(len)?) };
            start..end
        } else if let Some((first, last)) = word.split_once('-') {
            number(first)?..number(last)?.saturating_add(1)
        } else {
            let at = number(&word)?;
            at..at.saturating_add(1)
        };
        if !self.takes("]", "")? {
            return Err(self.expected("\"]\""));
        }
        Ok(range)
    }

    fn set(&mut self, operand: Operand) -> Result<Test> {
        if !self.takes("{", "")? {
            return Err(self.expected("\"{\""));
        }
        let mut set = Vec::new();
        while !self.takes("}", "")? {
            let low = self.constant(&operand)?;
            let high = if self.takes("..", "")? { Some(self.constant(&operand)?) } else { None };
            set.push((low, high));
            // Commas may be left out, as they could before Wireshark 4.
            self.takes(",", "")?;
        }
        Ok(Test::In(operand, set))
    }

    fn constant(&mut self, operand: &Operand) -> Result<Constant> {
        let (span, kind) = (self.span.clone(), operand.field.kind);
        let constant = match self.advance()? {
            Token::Text(text) if kind == Kind::Bytes => Some(Constant::Bytes(text.into())),
            Token::Word(word) => Constant::read(kind, &word),
            Token::Text(_) => None,
            Token::Sign(_) | Token::End => {
                return Err(FilterError { span, cause: Cause::Expected("a value") });
            }
        };
        let cause = Cause::WrongValue(operand.field.name);
        constant.ok_or(FilterError { span, cause })
    }
}

/// A string, and how many bytes it takes with its quotation marks. A backslash makes the next
/// character an ordinary one.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut string = String::new();
    let mut chars = text.char_indices().skip(1);
    loop {
        match chars.next()? {
            (at, '"') => return Some((string, at + 1)),
            (_, '\\') => string.push(chars.next()?.1),
            (_, other) => string.push(other),
        }
    }
}

/// Bytes of the word at the front: up to a blank or a sign. Two dots part the ends of a range.
fn word_len(text: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || "=!<>&|(){}[],\"".contains(c);
    let len = text.find(ends).unwrap_or(text.len());
    let len = text[..len].find("..").unwrap_or(len);
    // What can be no word is one, so that the reading goes on and the error has a place.
    len.max(text.chars().next().map_or(0, char::len_utf8))
}

fn relation(text: &str) -> Option<Relation> {
    Some(match text {
        "==" | "eq" | "===" | "any_eq" | "all_eq" => Relation::Equal,
        "!=" | "ne" | "!==" => Relation::NotEqual,
        "<" | "lt" => Relation::Less,
        "<=" | "le" => Relation::LessOrEqual,
        ">" | "gt" => Relation::Greater,
        ">=" | "ge" => Relation::GreaterOrEqual,
        "contains" => Relation::Contains,
        "&" | "bitwise_and" => Relation::Bits,
        _ => return None,
    })
}
