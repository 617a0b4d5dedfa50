//! Which packets to look at: Wireshark's display-filter language, for the fields that are here.
//!
//! ```
//! use handclasp_explain::filter::Filter;
//! assert!(Filter::parse("tcp.flags.syn == 1 && tcp.analysis.retransmission").is_ok());
//! let error = Filter::parse("tcp.prot == 80").unwrap_err();
//! assert_eq!(error.to_string(), "there is no field tcp.prot; is it tcp.port?");
//! assert_eq!(error.span, 0..8);
//! ```
//!
//! A field may have several values (`ip.addr` has two): `==` and its like ask whether any of
//! them fits, `!=` whether none is equal, as in Wireshark 4. The parser is written by hand: of a
//! grammar this small that is the shortest form, and its errors know their place.

pub mod field;
mod lex;
mod parse;
mod term;
pub mod value;

use std::fmt;
use std::ops::Range;

use handclasp_wire::time::Instant;
use regex::bytes::Regex;

use crate::capture::Frame;
use crate::capture::dissect::Segment;
use crate::flow::Seen;
use term::Term;
use value::Value;

/// A packet, and all that is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Its frame.
    pub frame: &'a Frame<'a>,
    /// Its segment.
    pub segment: &'a Segment<'a>,
    /// What it is within its connection.
    pub seen: &'a Seen,
    /// When other packets were seen.
    pub clock: Clock,
}

/// What a packet's time is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Clock {
    /// The capture's first frame.
    pub first: Instant,
    /// The frame before this one.
    pub previous: Instant,
    /// The frame before this one that was shown.
    pub displayed: Instant,
}

/// A filter.
#[derive(Clone, Debug)]
pub struct Filter {
    test: Test,
    /// Names that were written in capitals, which Wireshark would not take.
    pub respelled: Vec<(Range<usize>, &'static str)>,
}

/// Why a filter could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The bytes of the filter that are at fault.
    pub span: Range<usize>,
    /// What is wrong with them.
    pub cause: Cause,
}

/// What is wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// There is no such field; this one has the nearest name.
    UnknownField(String, &'static str),
    /// Something else was expected.
    Expected(&'static str),
    /// The field cannot have such a value.
    WrongValue(&'static str),
    /// The field has no bytes to search or to cut.
    NoBytes(&'static str),
    /// The regular expression is none.
    BadPattern(String),
    /// Parentheses are nested deeper than anybody writes.
    TooDeep,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::UnknownField(name, nearest) => {
                write!(f, "there is no field {name}; is it {nearest}?")
            }
            Cause::Expected(what) => write!(f, "{what} is expected here"),
            Cause::WrongValue(field) => write!(f, "{field} never has such a value"),
            Cause::NoBytes(field) => write!(f, "{field} has no bytes to search or to cut"),
            Cause::BadPattern(why) => write!(f, "this is no regular expression: {why}"),
            Cause::TooDeep => f.write_str("too many parentheses"),
        }
    }
}

impl FilterError {
    /// The filter, and under it a line that marks the fault. Tabs and characters of other widths
    /// than one count as one column.
    #[must_use]
    pub fn under(&self, text: &str) -> String {
        underlined(text, &self.span)
    }
}

/// A text, and under it a line that marks a part of it.
pub(crate) fn underlined(text: &str, span: &Range<usize>) -> String {
    let columns =
        |bytes: &Range<usize>| text.char_indices().filter(|(at, _)| bytes.contains(at)).count();
    let (before, marks) = (columns(&(0..span.start)), columns(span).max(1));
    format!("{text}\n{}{}", " ".repeat(before), "^".repeat(marks))
}

impl std::error::Error for FilterError {}

#[derive(Clone, Debug)]
enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    /// An odd number of these.
    Odd(Vec<Test>),
    Not(Box<Test>),
    /// The field is there, or the result of a calculation is not zero.
    Has(Term),
    Compare(Term, Relation, Every, Term),
    In(Term, Vec<(Value<'static>, Option<Value<'static>>)>),
    Matches(Term, Regex),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}

/// Whether all values must fit, or one of them is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Every {
    One,
    All,
}

impl Filter {
    /// Reads a filter; an empty one lets everything pass.
    ///
    /// # Errors
    /// If it is not in the language, or names a field that is not here.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::filter(text)
    }

    /// Whether a packet passes.
    #[must_use]
    pub fn passes(&self, packet: &Packet<'_>) -> bool {
        self.test.passes(packet)
    }
}

impl Test {
    fn passes(&self, packet: &Packet<'_>) -> bool {
        match self {
            Self::All(tests) => tests.iter().all(|test| test.passes(packet)),
            Self::Any(tests) => tests.iter().any(|test| test.passes(packet)),
            Self::Odd(tests) => tests.iter().filter(|test| test.passes(packet)).count() % 2 == 1,
            Self::Not(test) => !test.passes(packet),
            Self::Has(term) => match term {
                Term::Work(..) => term.values(packet).iter().any(Value::is_set),
                _ => term.is_there(packet),
            },
            Self::Compare(left, relation, every, right) => {
                let (left, right) = (left.values(packet), right.values(packet));
                let mut pairs = left.iter().flat_map(|a| right.iter().map(move |b| (a, b)));
                match every {
                    Every::One => pairs.any(|(a, b)| a.compare(*relation, b)),
                    Every::All => {
                        !left.is_empty()
                            && !right.is_empty()
                            && pairs.all(|(a, b)| a.compare(*relation, b))
                    }
                }
            }
            Self::In(term, set) => term.values(packet).iter().any(|value| {
                set.iter().any(|(low, high)| match high {
                    None => value.compare(Relation::Equal, low),
                    Some(high) => {
                        value.compare(Relation::GreaterOrEqual, low)
                            && value.compare(Relation::LessOrEqual, high)
                    }
                })
            }),
            Self::Matches(term, pattern) => term.values(packet).iter().any(|value| match value {
                Value::Bytes(bytes) => pattern.is_match(bytes),
                _ => false,
            }),
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
