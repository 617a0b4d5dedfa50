//! Templates as text: pairs of name and value, or a whole line.

use std::fmt;
use std::ops::Range;

use handclasp_wire::notation;

mod line;
mod pair;
mod payload;
mod print;
pub mod value;

pub use line::is_row;
pub use pair::Pair;
pub use payload::{Hex, unescape};

/// Why a text is not understood, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    /// The bytes of the text that are at fault. Of a [`Pair`] the text is `name value`, with
    /// one space in between.
    pub span: Range<usize>,
    /// What is wrong there.
    pub problem: Problem,
    /// What may have been meant.
    pub nearest: Option<&'static str>,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Something else should stand there.
    Expected(&'static str),
    /// A number does not fit its field.
    TooLarge {
        /// The most that the field holds.
        maximum: u128,
    },
    /// A name that nothing of this sort has.
    Unknown(&'static str),
    /// It cannot be together with what was said before.
    Contradicts(&'static str),
}

impl SpecError {
    pub(crate) const fn new(span: Range<usize>, problem: Problem) -> Self {
        Self { span, problem, nearest: None }
    }

    /// The error of a name that is none of `known`.
    pub(crate) fn unknown(
        span: Range<usize>,
        what: &'static str,
        name: &str,
        known: impl Iterator<Item = &'static str>,
    ) -> Self {
        Self { span, problem: Problem::Unknown(what), nearest: nearest(name, known) }
    }

    /// The same error in a text with `bytes` more in front.
    pub(crate) fn behind(self, bytes: usize) -> Self {
        Self { span: self.span.start + bytes..self.span.end + bytes, ..self }
    }

    /// The text with the fault marked under it, and what is wrong: two lines. Tabs and
    /// characters of other widths than one count as one column.
    #[must_use]
    pub fn under(&self, text: &str) -> String {
        let columns =
            |bytes: &Range<usize>| text.char_indices().filter(|(at, _)| bytes.contains(at)).count();
        let (before, marks) = (columns(&(0..self.span.start)), columns(&self.span).max(1));
        format!("{text}\n{}{} {self}", " ".repeat(before), "^".repeat(marks))
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problem {
            Problem::Expected(what) => write!(f, "expected {what}")?,
            Problem::TooLarge { maximum } => write!(f, "the number is above {maximum}")?,
            Problem::Unknown(what) => write!(f, "there is no such {what}")?,
            Problem::Contradicts(what) => write!(f, "this contradicts {what}")?,
        }
        match self.nearest {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SpecError {}

/// An error of the notation, which knows where its fault begins and not where it ends.
fn from_notation(error: notation::NotationError, text: &str) -> SpecError {
    let rest = text.get(error.at..).unwrap_or_default();
    let word = rest.find([' ', ',', ']', '>']).unwrap_or(rest.len());
    let span = error.at..error.at + word.max(1).min(rest.len().max(1));
    match error.problem {
        notation::Problem::TooLarge { maximum } => {
            SpecError::new(span, Problem::TooLarge { maximum: maximum.into() })
        }
        notation::Problem::Expected(what) => SpecError::new(span, Problem::Expected(what)),
        notation::Problem::Unknown(what) => {
            let known = notation::OPTION_NAMES.into_iter();
            SpecError::unknown(span, what, rest.get(..word).unwrap_or_default(), known)
        }
        _ => SpecError::new(span, Problem::Expected("this notation")),
    }
}

/// The name that is closest to what was written, if it is close enough to have been meant.
#[must_use]
pub fn nearest(
    written: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    let length = written.chars().count();
    let meant = |(distance, _): &(usize, &str)| *distance <= length.div_ceil(3).min(3);
    known.into_iter().map(|name| (distance(written, name), name)).filter(meant).min().map(|n| n.1)
}

/// How many letters must be changed, added, left out or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = rows[i][j] + usize::from(x != y);
            let mut least = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && (*x, a[i - 1]) == (b[j - 1], *y) {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
