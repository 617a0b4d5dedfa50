//! Bytes taken apart: every field with its place, its value and its meaning, what is wrong,
//! and what cannot be known.

use std::ops::Range;

use handclasp_wire::error::ParseError;
use serde::{Serialize, Serializer};

use crate::dissect::{Layout, Start, dissect};
use crate::field::Field;

mod finding;
mod input;
mod items;
mod print;
mod program;
mod sums;
mod together;
mod unknown;

pub use finding::Finding;
pub use input::{InputError, guess, read_bytes};
pub use sums::{Checksum, Doubt};
pub use together::{End, Flow, InFlow, Isn, Side, Window, read_together};
pub use unknown::{Unknown, inform};

/// A packet taken apart.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// What the bytes were read from.
    pub start: Start,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where the headers are.
    pub layout: Layout,
    /// Every field, in the order in which they stand. Together they are all the bytes.
    pub items: Vec<Item>,
    /// What is wrong, or strange.
    pub findings: Vec<Finding>,
    /// What cannot be known.
    pub unknown: Vec<Unknown>,
    /// What is to be said of the TCP checksum; `None` if there is none.
    pub checksum: Option<Checksum>,
}

/// A field, an option, or other bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The header that it is in, or `data` or `trailer`.
    pub layer: &'static str,
    /// Its name, as [`text`](crate::text) has it.
    pub name: String,
    /// Wireshark's name for it, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'static str>,
    /// The bytes that it touches.
    #[serde(serialize_with = "as_pair")]
    pub bytes: Range<usize>,
    /// The bits that are its own, counted from the first of those bytes; all if `None`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_optional_pair")]
    pub bits: Option<Range<u16>>,
    /// What stands there, in hex.
    pub raw: String,
    /// Its value.
    pub value: Value,
    /// What the value means, where it does not say that itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub meaning: String,
}

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(u64),
    /// Letters, an address, an option's parameters or printable bytes.
    Text(String),
}

fn as_pair<S: Serializer>(range: &Range<usize>, serializer: S) -> Result<S::Ok, S::Error> {
    [range.start, range.end].serialize(serializer)
}

fn as_optional_pair<S: Serializer>(
    range: &Option<Range<u16>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    range.as_ref().map(|range| [range.start, range.end]).serialize(serializer)
}

/// Takes bytes apart that begin with `start`, as far as that goes.
#[must_use]
pub fn decode(bytes: &[u8], start: Start) -> Decoded {
    let (layout, errors) = dissect(bytes, start);
    let checksum = sums::checksum(bytes, &layout);
    let items = items::items(bytes, &layout, checksum);
    let findings = finding::findings(bytes, &layout, &errors, checksum);
    let unknown = unknown::unknowns(bytes, &layout, checksum);
    Decoded { start, bytes: bytes.to_vec(), layout, items, findings, unknown, checksum }
}

impl Decoded {
    /// A field's value.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<u128> {
        self.layout.get(&self.bytes, field)
    }

    /// Where reading stopped and why, outermost header first.
    pub fn errors(&self) -> impl Iterator<Item = &ParseError> {
        self.findings.iter().filter_map(|finding| match finding {
            Finding::Malformed(error) => Some(error),
            _ => None,
        })
    }

    /// Fields and findings as one JSON object.
    #[must_use]
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        struct Object<'a> {
            v: u32,
            r#type: &'static str,
            start: &'static str,
            len: usize,
            fields: &'a [Item],
            findings: Vec<Told>,
            unknown: Vec<String>,
        }
        #[derive(Serialize)]
        struct Told {
            bytes: [usize; 2],
            text: String,
        }
        let told = |finding: &Finding| {
            let bytes = finding.bytes(&self.layout);
            Told { bytes: [bytes.start, bytes.end], text: finding.to_string() }
        };
        let object = Object {
            v: 1,
            r#type: "packet",
            start: match self.start {
                Start::Ethernet => "eth",
                Start::Ip => "ip",
                Start::Tcp => "tcp",
            },
            len: self.bytes.len(),
            fields: &self.items,
            findings: self.findings.iter().map(told).collect(),
            unknown: self.unknown.iter().map(Unknown::to_string).collect(),
        };
        // Strings and numbers do not fail.
        serde_json::to_string(&object).unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
