//! What is compared: fields, parts of their bytes, and what is worked out from them.

use std::borrow::Cow;
use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use super::Packet;
use super::field::Field;
use super::value::{Kind, Value};

/// The values of a term in one packet.
pub(super) type Values<'a> = SmallVec<[Value<'a>; 4]>;

#[derive(Clone, Debug)]
pub(super) enum Term {
    Field(&'static Field),
    Slice(&'static Field, Vec<Part>),
    Constant(Value<'static>),
    Work(Box<Term>, Operation, Box<Term>),
    Call(Function, Box<Term>),
}

/// A part of some bytes; what is negative counts from the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) start: isize,
    pub(super) end: End,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// So many bytes.
    Length(usize),
    /// Up to this one.
    Last(isize),
    /// All that there are.
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    And,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Len,
    Count,
    Lower,
    Upper,
    Abs,
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match &*name.to_ascii_lowercase() {
            "len" => Self::Len,
            "count" => Self::Count,
            "lower" => Self::Lower,
            "upper" => Self::Upper,
            "abs" => Self::Abs,
            _ => return None,
        })
    }
}

impl Part {
    fn within(self, len: usize) -> Option<Range<usize>> {
        let place =
            |at: isize| if at < 0 { len.checked_sub(at.unsigned_abs()) } else { Some(at as usize) };
        let start = place(self.start)?;
        let end = match self.end {
            End::Length(count) => start.saturating_add(count),
            End::Last(at) => place(at)?.saturating_add(1),
            End::Open => len,
        };
        // What goes beyond the end has no value, as one byte behind it has none.
        let fits = start < end && end <= len;
        fits.then_some(start..end)
    }
}

impl Term {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Field(field) => field.kind,
            Self::Slice(..) => Kind::Bytes,
            Self::Constant(Value::Address(..)) => Kind::Address,
            Self::Constant(Value::Time(_)) => Kind::Time,
            Self::Constant(Value::Bytes(_)) => Kind::Bytes,
            Self::Constant(_) | Self::Call(Function::Len | Function::Count, _) => Kind::Number,
            Self::Work(of, ..) | Self::Call(_, of) => of.kind(),
        }
    }

    /// The name of the field that it is about.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Field(field) | Self::Slice(field, _) => field.name,
            Self::Work(of, ..) | Self::Call(_, of) => of.name(),
            Self::Constant(_) => "a value",
        }
    }

    pub(super) fn is_there(&self, packet: &Packet<'_>) -> bool {
        match self {
            Self::Field(field) => !field.values(packet).is_empty(),
            _ => !self.values(packet).is_empty(),
        }
    }

    pub(super) fn values<'a>(&'a self, packet: &Packet<'a>) -> Values<'a> {
        match self {
            Self::Field(field) => match field.kind {
                Kind::Protocol => field.bytes(packet).map(bytes).into_iter().collect(),
                _ => field.values(packet),
            },
            Self::Slice(field, parts) => {
                let whole = match field.kind {
                    Kind::Protocol => field.bytes(packet).map(bytes).into_iter().collect(),
                    _ => field.values(packet),
                };
                whole.into_iter().filter_map(|value| cut(value, parts)).collect()
            }
            Self::Constant(value) => smallvec![value.clone()],
            Self::Work(left, operation, right) => {
                let (left, right) = (left.values(packet), right.values(packet));
                let pairs = left.iter().flat_map(|a| right.iter().map(move |b| (a, b)));
                pairs.filter_map(|(a, b)| work(a, *operation, b)).collect()
            }
            Self::Call(Function::Count, of) => {
                let count = match &**of {
                    Self::Field(field) => field.values(packet).len(),
                    other => other.values(packet).len(),
                };
                if count == 0 { SmallVec::new() } else { smallvec![Value::Number(count as i64)] }
            }
            Self::Call(function, of) => {
                of.values(packet).into_iter().filter_map(|value| call(*function, value)).collect()
            }
        }
    }
}

const fn bytes(bytes: &[u8]) -> Value<'_> {
    Value::Bytes(Cow::Borrowed(bytes))
}

/// The parts put together; nothing if one of them is not there.
fn cut<'a>(value: Value<'a>, parts: &[Part]) -> Option<Value<'a>> {
    let Value::Bytes(whole) = value else { return None };
    if let ([part], Cow::Borrowed(whole)) = (parts, &whole) {
        return Some(bytes(&whole[part.within(whole.len())?]));
    }
    let mut together = Vec::new();
    for part in parts {
        together.extend_from_slice(&whole[part.within(whole.len())?]);
    }
    Some(Value::Bytes(together.into()))
}

fn work<'a>(a: &Value<'a>, operation: Operation, b: &Value<'a>) -> Option<Value<'a>> {
    use Operation as O;
    if let (Value::Bytes(a), O::And, Value::Bytes(b)) = (a, operation, b) {
        let both: Vec<u8> = a.iter().zip(b.iter()).map(|(a, b)| a & b).collect();
        let is_set = both.iter().any(|&byte| byte != 0);
        return is_set.then_some(Value::Bytes(both.into()));
    }
    let numbers = |a: i64, b: i64| match operation {
        O::And => Some(a & b),
        O::Add => a.checked_add(b),
        O::Subtract => a.checked_sub(b),
        O::Multiply => a.checked_mul(b),
        O::Divide => a.checked_div(b),
        O::Remainder => a.checked_rem(b),
    };
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => numbers(*a, *b).map(Value::Number),
        (Value::Time(a), Value::Time(b)) if matches!(operation, O::Add | O::Subtract) => {
            numbers(*a, *b).map(Value::Time)
        }
        _ => None,
    }
}

fn call(function: Function, value: Value<'_>) -> Option<Value<'_>> {
    Some(match (function, value) {
        (Function::Len, Value::Bytes(bytes)) => Value::Number(bytes.len() as i64),
        (Function::Lower, Value::Bytes(bytes)) => Value::Bytes(bytes.to_ascii_lowercase().into()),
        (Function::Upper, Value::Bytes(bytes)) => Value::Bytes(bytes.to_ascii_uppercase().into()),
        (Function::Abs, Value::Number(number)) => Value::Number(number.saturating_abs()),
        (Function::Abs, Value::Time(time)) => Value::Time(time.saturating_abs()),
        _ => return None,
    })
}
