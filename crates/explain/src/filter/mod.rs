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

mod field;
mod parse;
mod value;

use std::fmt;
use std::ops::Range;

use crate::capture::Frame;
use crate::capture::dissect::Segment;
use crate::flow::Seen;
use field::Field;
pub(crate) use field::distance;
use value::{Constant, Value};

/// A packet, and all that is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Its frame.
    pub frame: &'a Frame<'a>,
    /// Its segment.
    pub segment: &'a Segment<'a>,
    /// What it is within its connection.
    pub seen: &'a Seen,
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
pub enum Cause {
    /// There is no such field; this one has the nearest name.
    UnknownField(String, &'static str),
    /// Something else was expected.
    Expected(&'static str),
    /// The field cannot have such a value.
    WrongValue(&'static str),
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
            Cause::TooDeep => f.write_str("too many parentheses"),
        }
    }
}

impl std::error::Error for FilterError {}

#[derive(Clone, Debug)]
enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    /// The field is there, or, of marks and flags that stand alone, it is set.
    Has(Operand),
    Compare(Operand, Relation, Constant),
    In(Operand, Vec<(Constant, Option<Constant>)>),
}

/// A field, or a part of its bytes.
#[derive(Clone, Debug)]
struct Operand {
    field: &'static Field,
    slice: Option<Range<usize>>,
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
    /// Some of these bits are set.
    Bits,
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
            Self::Not(test) => !test.passes(packet),
            Self::Has(operand) => operand.any(packet, |_| true),
            Self::Compare(operand, Relation::NotEqual, constant) => {
                operand.any(packet, |_| true)
                    && !operand.any(packet, |value| value.compare(Relation::Equal, constant))
            }
            Self::Compare(operand, relation, constant) => {
                operand.any(packet, |value| value.compare(*relation, constant))
            }
            Self::In(operand, set) => operand.any(packet, |value| {
                set.iter().any(|(low, high)| match high {
                    None => value.compare(Relation::Equal, low),
                    Some(high) => {
                        value.compare(Relation::GreaterOrEqual, low)
                            && value.compare(Relation::LessOrEqual, high)
                    }
                })
            }),
        }
    }
}

impl Operand {
    fn any(&self, packet: &Packet<'_>, fits: impl Fn(&Value<'_>) -> bool) -> bool {
        let values = (self.field.values)(packet);
        values.into_iter().flatten().any(|value| match (&self.slice, value) {
            (None, value) => fits(&value),
            (Some(range), Value::Bytes(bytes)) => {
                let end = range.end.min(bytes.len());
                bytes.get(range.start..end).is_some_and(|part| fits(&Value::Bytes(part)))
            }
            (Some(_), _) => false,
        })
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
