//! From a filter's text to its tests.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

use super::field;
use super::lex::{self, Token};
use super::term::{End, Function, Operation, Part, Term};
use super::value::{Kind, Value};
use super::{Cause, Every, Filter, FilterError, Relation, Test};

/// Parentheses and negations within each other.
const MAX_DEPTH: usize = 64;
/// Bytes that a regular expression may take when it is compiled.
const MAX_PATTERN: usize = 1 << 20;

type Result<T> = std::result::Result<T, FilterError>;

struct Parser<'a> {
    text: &'a str,
    token: Token<'a>,
    span: Range<usize>,
    depth: usize,
    respelled: Vec<(Range<usize>, &'static str)>,
}

pub(super) fn filter(text: &str) -> Result<Filter> {
    let (token, span) = lex::token(text, 0)?;
    let mut parser = Parser { text, token, span, depth: 0, respelled: Vec::new() };
    let test = match parser.token {
        Token::End => Test::All(Vec::new()),
        _ => parser.any_of()?,
    };
    match parser.token {
        Token::End => Ok(Filter { test, respelled: parser.respelled }),
        _ => Err(parser.expected("&&, || or the end")),
    }
}

impl<'a> Parser<'a> {
    fn expected(&self, what: &'static str) -> FilterError {
        FilterError { span: self.span.clone(), cause: Cause::Expected(what) }
    }

    fn advance(&mut self) -> Result<Token<'a>> {
        let (token, span) = lex::token(self.text, self.span.end)?;
        self.span = span;
        Ok(std::mem::replace(&mut self.token, token))
    }

    /// Takes the next token if it is this sign or this word.
    fn takes(&mut self, sign: &str, word: &str) -> Result<bool> {
        let is = match self.token {
            Token::Sign(found) => found == sign,
            Token::Word(found) => !word.is_empty() && found.eq_ignore_ascii_case(word),
            Token::Text { .. } | Token::Character(_) | Token::End => false,
        };
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn needs(&mut self, sign: &'static str, what: &'static str) -> Result<()> {
        if self.takes(sign, "")? { Ok(()) } else { Err(self.expected(what)) }
    }

    fn any_of(&mut self) -> Result<Test> {
        let mut tests = vec![self.odd_of()?];
        while self.takes("||", "or")? {
            tests.push(self.odd_of()?);
        }
        Ok(one_or(tests, Test::Any))
    }

    fn odd_of(&mut self) -> Result<Test> {
        let mut tests = vec![self.all_of()?];
        while self.takes("^^", "xor")? {
            tests.push(self.all_of()?);
        }
        Ok(one_or(tests, Test::Odd))
    }

    fn all_of(&mut self) -> Result<Test> {
        let mut tests = vec![self.one()?];
        while self.takes("&&", "and")? {
            tests.push(self.one()?);
        }
        Ok(one_or(tests, Test::All))
    }

    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(FilterError { span: self.span.clone(), cause: Cause::TooDeep });
        }
        Ok(())
    }

    fn one(&mut self) -> Result<Test> {
        self.deeper()?;
        let test = if self.takes("!", "not")? {
            Test::Not(Box::new(self.one()?))
        } else if self.takes("(", "")? {
            let test = self.any_of()?;
            self.needs(")", "\")\"")?;
            test
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(test)
    }

    fn comparison(&mut self) -> Result<Test> {
        let all = self.takes("", "all")?;
        let any = !all && self.takes("", "any")?;
        if let Some(literal) = self.literal()? {
            return self.turned_round(literal);
        }
        let left = self.term()?;
        if self.takes("", "not")? {
            return match self.takes("", "in")? {
                true => Ok(Test::Not(Box::new(self.set(left)?))),
                false => Err(self.expected("in")),
            };
        }
        if self.takes("", "in")? {
            return self.set(left);
        }
        if self.takes("~", "matches")? {
            return self.pattern(left);
        }
        let Some((relation, every)) = self.relation()? else { return Ok(Test::Has(left)) };
        let every = match (all, any) {
            (true, _) => Every::All,
            (_, true) => Every::One,
            _ => every,
        };
        if relation == Relation::Contains && !left.kind().is_like(Kind::Bytes) {
            return Err(self.no_bytes(&left));
        }
        let right = self.operand_for(&left)?;
        Ok(Test::Compare(left, relation, every, right))
    }

    fn no_bytes(&self, term: &Term) -> FilterError {
        FilterError { span: self.span.clone(), cause: Cause::NoBytes(term.name()) }
    }

    /// A value that stands on the left, where fields usually do.
    fn literal(&mut self) -> Result<Option<(Token<'a>, Range<usize>)>> {
        let is = match self.token {
            Token::Text { .. } | Token::Character(_) => true,
            Token::Word(word) => {
                word.starts_with(|c: char| c.is_ascii_digit() || c == ':' || c == '-')
            }
            Token::Sign(_) | Token::End => false,
        };
        let span = self.span.clone();
        Ok(if is { Some((self.advance()?, span)) } else { None })
    }

    fn turned_round(&mut self, (token, span): (Token<'a>, Range<usize>)) -> Result<Test> {
        let Some((relation, every)) = self.relation()? else {
            return Err(FilterError { span, cause: Cause::Expected("a field") });
        };
        let right = self.term()?;
        let left = Term::Constant(constant(right.kind(), right.name(), token, span)?);
        Ok(Test::Compare(left, relation, every, right))
    }

    fn relation(&mut self) -> Result<Option<(Relation, Every)>> {
        let relation = match self.token {
            Token::Sign(sign) => relation(sign),
            Token::Word(word) => relation(&word.to_ascii_lowercase()),
            Token::Text { .. } | Token::Character(_) | Token::End => None,
        };
        if relation.is_some() {
            self.advance()?;
        }
        Ok(relation)
    }

    /// Sums, and the bits that two have in common.
    fn term(&mut self) -> Result<Term> {
        let mut left = self.sum()?;
        while self.takes("&", "bitwise_and")? {
            left = self.work(left, Operation::And, Self::sum)?;
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Term> {
        let mut left = self.product()?;
        loop {
            let operation = if self.takes("+", "")? {
                Operation::Add
            } else if self.takes("", "-")? {
                Operation::Subtract
            } else {
                return Ok(left);
            };
            left = self.work(left, operation, Self::product)?;
        }
    }

    fn product(&mut self) -> Result<Term> {
        let mut left = self.factor()?;
        loop {
            let operation = if self.takes("*", "")? {
                Operation::Multiply
            } else if self.takes("", "/")? {
                Operation::Divide
            } else if self.takes("%", "")? {
                Operation::Remainder
            } else {
                return Ok(left);
            };
            left = self.work(left, operation, Self::factor)?;
        }
    }

    fn work(
        &mut self,
        left: Term,
        operation: Operation,
        right: fn(&mut Self) -> Result<Term>,
    ) -> Result<Term> {
        let right = match self.literal()? {
            Some((token, span)) => Term::Constant(constant(left.kind(), left.name(), token, span)?),
            None => right(self)?,
        };
        Ok(Term::Work(Box::new(left), operation, Box::new(right)))
    }

    /// A field, a part of one, or a function of one.
    fn factor(&mut self) -> Result<Term> {
        let span = self.span.clone();
        let Token::Word(name) = self.token else { return Err(self.expected("a field")) };
        if let Some(function) = Function::named(name) {
            self.advance()?;
            self.needs("(", "\"(\"")?;
            self.deeper()?;
            let of = self.term()?;
            self.depth -= 1;
            self.needs(")", "\")\"")?;
            return Ok(Term::Call(function, Box::new(of)));
        }
        let field = field::find(name).map_err(|nearest| {
            let cause = Cause::UnknownField(name.to_owned(), nearest);
            FilterError { span: span.clone(), cause }
        })?;
        if field.name != name {
            self.respelled.push((span, field.name));
        }
        self.advance()?;
        let term = Term::Field(field);
        if !self.takes("[", "")? {
            return Ok(term);
        }
        if !field.kind.is_like(Kind::Bytes) {
            return Err(self.no_bytes(&term));
        }
        let mut parts = vec![self.part()?];
        while self.takes(",", "")? {
            parts.push(self.part()?);
        }
        self.needs("]", "\"]\"")?;
        Ok(Term::Slice(field, parts))
    }

    /// `3`, `start:length`, `start-last`, `:length` or `start:`.
    fn part(&mut self) -> Result<Part> {
        const WHAT: &str = "a slice like [0:4] or [0-3]";
        let wrong = FilterError { span: self.span.clone(), cause: Cause::Expected(WHAT) };
        let Token::Word(word) = self.advance()? else { return Err(wrong) };
        let place = |text: &str| text.parse::<isize>().map_err(|_| wrong.clone());
        if let Some((start, len)) = word.split_once(':') {
            let start = if start.is_empty() { 0 } else { place(start)? };
            let end = match len {
                "" => End::Open,
                _ => End::Length(len.parse().map_err(|_| wrong.clone())?),
            };
            return Ok(Part { start, end });
        }
        // The first character may be a sign.
        let dash = word.char_indices().skip(1).find(|(_, c)| *c == '-').map(|(at, _)| at);
        Ok(match dash {
            Some(at) => {
                Part { start: place(&word[..at])?, end: End::Last(place(&word[at + 1..])?) }
            }
            None => Part { start: place(word)?, end: End::Length(1) },
        })
    }

    fn set(&mut self, term: Term) -> Result<Test> {
        self.needs("{", "\"{\"")?;
        let mut set = Vec::new();
        while !self.takes("}", "")? {
            let low = self.value_for(&term)?;
            let high = if self.takes("..", "")? { Some(self.value_for(&term)?) } else { None };
            set.push((low, high));
            // Commas may be left out, as they could before Wireshark 4.
            self.takes(",", "")?;
        }
        Ok(Test::In(term, set))
    }

    fn pattern(&mut self, term: Term) -> Result<Test> {
        if !term.kind().is_like(Kind::Bytes) {
            return Err(self.no_bytes(&term));
        }
        let span = self.span.clone();
        let Token::Text { inside, .. } = self.advance()? else {
            return Err(FilterError { span, cause: Cause::Expected("a pattern in \"\"") });
        };
        let pattern =
            pattern(inside).map_err(|why| FilterError { span, cause: Cause::BadPattern(why) })?;
        Ok(Test::Matches(term, pattern))
    }

    /// A value of the left side's kind, or another field of it.
    fn operand_for(&mut self, left: &Term) -> Result<Term> {
        let Token::Word(word) = self.token else { return self.value_for(left).map(Term::Constant) };
        let is_value = Value::read(left.kind(), word).is_some();
        let is_field = field::find(word).is_ok() || Function::named(word).is_some();
        if is_value || !is_field {
            return self.value_for(left).map(Term::Constant);
        }
        let span = self.span.clone();
        let right = self.term()?;
        if !right.kind().is_like(left.kind()) {
            return Err(FilterError { span, cause: Cause::WrongValue(left.name()) });
        }
        Ok(right)
    }

    fn value_for(&mut self, left: &Term) -> Result<Value<'static>> {
        let span = self.span.clone();
        let token = self.advance()?;
        constant(left.kind(), left.name(), token, span)
    }
}

fn one_or(mut tests: Vec<Test>, several: fn(Vec<Test>) -> Test) -> Test {
    match (tests.len(), tests.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            tests.extend(last);
            several(tests)
        }
    }
}

fn constant(
    kind: Kind,
    name: &'static str,
    token: Token<'_>,
    span: Range<usize>,
) -> Result<Value<'static>> {
    let value = match token {
        Token::Word(word) => Value::read(kind, word),
        Token::Text { inside, raw: true } => Value::of_text(kind, inside.into()),
        Token::Text { inside, .. } => {
            lex::unescaped(inside).and_then(|text| Value::of_text(kind, text))
        }
        Token::Character(inside) => match lex::unescaped(inside).as_deref() {
            Some(&[byte]) => Value::of_character(kind, byte),
            _ => None,
        },
        Token::Sign(_) | Token::End => {
            return Err(FilterError { span, cause: Cause::Expected("a value") });
        }
    };
    value.ok_or(FilterError { span, cause: Cause::WrongValue(name) })
}

/// Capitals do not count, and a character is a byte, as in Wireshark.
fn pattern(text: &str) -> std::result::Result<Regex, String> {
    let mut builder = RegexBuilder::new(text);
    builder.unicode(false).case_insensitive(true).size_limit(MAX_PATTERN);
    builder.build().map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        last.trim_start_matches("error: ").to_owned()
    })
}

fn relation(text: &str) -> Option<(Relation, Every)> {
    Some(match text {
        "==" | "eq" | "any_eq" => (Relation::Equal, Every::One),
        "===" | "all_eq" => (Relation::Equal, Every::All),
        "!=" | "ne" | "all_ne" => (Relation::NotEqual, Every::All),
        "!==" | "~=" | "any_ne" => (Relation::NotEqual, Every::One),
        "<" | "lt" => (Relation::Less, Every::One),
        "<=" | "le" => (Relation::LessOrEqual, Every::One),
        ">" | "gt" => (Relation::Greater, Every::One),
        ">=" | "ge" => (Relation::GreaterOrEqual, Every::One),
        "contains" => (Relation::Contains, Every::One),
        _ => return None,
    })
}
