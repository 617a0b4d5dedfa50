//! A capture as tables, for programs that ask in SQL: packets, flows and findings.
//!
//! A table is a list of [`Column`]s; [`packets`], [`flows`] and [`findings`] make the cells of a
//! row in that order. `docs/export.md` has all columns, and a test sees to it that it does.

pub mod findings;
pub mod flows;
pub mod packets;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use crate::flow::Flow;
use crate::flow::key::Key;
use crate::nanos;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number that is not negative.
    Number,
    /// Yes or no.
    Flag,
    /// Text.
    Text,
}

impl Kind {
    /// What it is called in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Flag => "flag",
            Self::Text => "text",
        }
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, as SQL takes it without quotation marks.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be empty.
    pub optional: bool,
    /// What it says.
    pub says: &'static str,
}

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What a row of it is.
    pub says: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
}

/// All of them.
pub const TABLES: [&Table; 3] = [&packets::TABLE, &flows::TABLE, &findings::TABLE];

/// A value in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing is known.
    Empty,
    /// A number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// Text.
    Text(Cow<'a, str>),
}

impl<N: Into<u64>> From<N> for Cell<'_> {
    fn from(number: N) -> Self {
        Self::Number(number.into())
    }
}

/// A flag's cell; as a number it would be one, too.
const fn flag<'a>(flag: bool) -> Cell<'a> {
    Cell::Flag(flag)
}

fn text<'a>(text: impl Into<Cow<'a, str>>) -> Cell<'a> {
    Cell::Text(text.into())
}

fn time<'a>(time: Duration) -> Cell<'a> {
    Cell::Number(nanos::count(time))
}

fn maybe<'a, T>(value: Option<T>, cell: impl FnOnce(T) -> Cell<'a>) -> Cell<'a> {
    value.map_or(Cell::Empty, cell)
}

/// A key that is the same in every file and every run.
fn key<'a>(key: &Key) -> Cell<'a> {
    text(format!("{:016x}", key.fingerprint()))
}

/// Client and server.
fn sockets(flow: &Flow) -> [SocketAddr; 2] {
    [flow.key.ends[flow.client], flow.key.ends[flow.server()]]
}

macro_rules! columns {
    ($($name:literal $kind:ident $says:literal;)*) => {
        &[$($crate::table::column!($name $kind $says)),*]
    };
}

macro_rules! column {
    ($name:literal Number $says:literal) => {
        $crate::table::column!(@ $name, Number, false, $says)
    };
    ($name:literal Flag $says:literal) => {
        $crate::table::column!(@ $name, Flag, false, $says)
    };
    ($name:literal Text $says:literal) => {
        $crate::table::column!(@ $name, Text, false, $says)
    };
    ($name:literal MaybeNumber $says:literal) => {
        $crate::table::column!(@ $name, Number, true, $says)
    };
    ($name:literal MaybeFlag $says:literal) => {
        $crate::table::column!(@ $name, Flag, true, $says)
    };
    ($name:literal MaybeText $says:literal) => {
        $crate::table::column!(@ $name, Text, true, $says)
    };
    (@ $name:literal, $kind:ident, $optional:literal, $says:literal) => {
        $crate::table::Column {
            name: $name,
            kind: $crate::table::Kind::$kind,
            optional: $optional,
            says: $says,
        }
    };
}

use {column, columns};

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
