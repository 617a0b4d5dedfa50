//! A packet held against a template.

use std::fmt;

use handclasp_wire::error::ParseError;
use handclasp_wire::notation::{Base, OptionList};

use super::{Payload, Setting, Template};
use crate::dissect::{Start, dissect};
use crate::field::{Family, Field, Layer};
use crate::text::value::ValueText;

/// The first thing in which a packet differs from a template, in the packet's order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// A header is not there, or not whole.
    NoHeader {
        /// Which one.
        layer: Layer,
        /// Why, if the packet is malformed.
        error: Option<ParseError>,
    },
    /// It is the other version of IP.
    Family {
        /// The version that is wanted.
        expected: Family,
    },
    /// A field has another value.
    Field {
        /// Which one.
        field: Field,
        /// The packet's version of IP.
        family: Family,
        /// What is wanted, or what would be right.
        expected: u128,
        /// What is there.
        actual: u128,
        /// The bits that count.
        care: u128,
    },
    /// A part of variable length has other bytes.
    Part {
        /// `ip-options`, `options`, `data` or `trailer`.
        part: &'static str,
        /// What is wanted.
        expected: Vec<u8>,
        /// What is there.
        actual: Vec<u8>,
    },
    /// There is more or less payload.
    PayloadLen {
        /// Bytes that are wanted.
        expected: usize,
        /// Bytes that are there.
        actual: usize,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader { layer, error: None } => {
                write!(f, "there is no {} header", layer.name())
            }
            Self::NoHeader { layer, error: Some(error) } => {
                write!(f, "there is no whole {} header: {error}", layer.name())
            }
            Self::Family { expected: Family::V4 } => f.write_str("it is not IPv4"),
            Self::Family { expected: Family::V6 } => f.write_str("it is not IPv6"),
            Self::Field { field, family, expected, actual, care } => {
                let text = |value| ValueText { field: *field, family: *family, value };
                let (is, not) = (text(*actual), text(expected & care));
                write!(f, "{} is {is}, not {not}", field.name())
            }
            Self::Part { part: "options", expected, actual } => {
                let text = |bytes| OptionList::new(bytes, Base::ABSOLUTE);
                write!(f, "options are <{}>, not <{}>", text(actual), text(expected))
            }
            Self::Part { part, expected, actual } => {
                let at = expected.iter().zip(actual).take_while(|(a, b)| a == b).count();
                let (is, not) = (actual.len(), expected.len());
                match (expected.get(at), actual.get(at)) {
                    (Some(not), Some(is)) => {
                        write!(f, "{part} has {is:#04x} at byte {at}, not {not:#04x}")
                    }
                    _ => write!(f, "{part} has {is} bytes, not {not}"),
                }
            }
            Self::PayloadLen { expected, actual } => {
                write!(f, "there are {actual} bytes of payload, not {expected}")
            }
        }
    }
}

impl std::error::Error for Mismatch {}

impl Template {
    /// Whether a packet that begins with `start` is as this template wants it. Fields that are
    /// [`Setting::Auto`] must be right as far as the packet itself tells what is right; bytes
    /// that a capture cut off are not missed.
    ///
    /// # Errors
    /// The first thing that differs.
    pub fn matches(&self, packet: &[u8], start: Start) -> Result<(), Mismatch> {
        let (layout, errors) = dissect(packet, start);
        if let Some(layer) = self.layers.iter().copied().find(|layer| !layout.has(*layer)) {
            return Err(Mismatch::NoHeader { layer, error: errors.first().copied() });
        }
        if self.layers.contains(&Layer::Ip)
            && let Some(expected) = self.family.filter(|family| *family != layout.family)
        {
            return Err(Mismatch::Family { expected });
        }
        for (field, setting) in &self.fields {
            let Some(place) = field.place(layout.family) else { continue };
            let (expected, care) = match *setting {
                Setting::Given(value) => (value, place.maximum()),
                Setting::Bits { value, care } => (value, care & place.maximum()),
                Setting::Random => continue,
                Setting::Auto(more) => match layout.fit(packet, *field) {
                    Some(right) => (right.wrapping_add_signed(more.into()), place.maximum()),
                    None => continue,
                },
            };
            let actual = layout.get(packet, *field).unwrap_or_default();
            if (actual ^ expected) & care != 0 {
                let (field, family) = (*field, layout.family);
                return Err(Mismatch::Field { field, family, expected, actual, care });
            }
        }
        self.parts_match(&Self::of_layout(packet, &layout))
    }

    fn parts_match(&self, actual: &Self) -> Result<(), Mismatch> {
        let pad = |bytes: &Vec<u8>, to: usize| {
            let mut padded = bytes.clone();
            padded.resize(bytes.len().next_multiple_of(to), 0);
            padded
        };
        let ip_word = if actual.family == Some(Family::V6) { 1 } else { 4 };
        let parts = [
            ("ip-options", &self.ip_options, &actual.ip_options, ip_word),
            ("options", &self.options, &actual.options, 4),
        ];
        for (part, expected, actual, word) in parts {
            same(part, expected.as_ref().map(|bytes| pad(bytes, word)), actual.as_ref())?;
        }
        if let Some(Payload::Bytes(actual)) = &actual.payload {
            match &self.payload {
                Some(Payload::Bytes(expected)) => {
                    same("data", Some(expected.clone()), Some(actual))?
                }
                Some(Payload::Len(expected)) if *expected != actual.len() => {
                    let (expected, actual) = (*expected, actual.len());
                    return Err(Mismatch::PayloadLen { expected, actual });
                }
                Some(Payload::Len(_)) | None => {}
            }
        }
        same("trailer", self.trailer.clone(), actual.trailer.as_ref())
    }
}

/// Compares a part, if it is wanted.
fn same(
    part: &'static str,
    expected: Option<Vec<u8>>,
    actual: Option<&Vec<u8>>,
) -> Result<(), Mismatch> {
    let Some(expected) = expected else { return Ok(()) };
    let actual = actual.cloned().unwrap_or_default();
    if expected == actual { Ok(()) } else { Err(Mismatch::Part { part, expected, actual }) }
}
