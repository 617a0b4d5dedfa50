//! What came of a run.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::ladder::Row;

/// Why a script failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The line of the event.
    pub line: usize,
    /// What was wrong; where packets differ, both below each other.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for Failure {}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Why it failed, unless it passed.
    pub failure: Option<Failure>,
    /// What happened, in order.
    pub ladder: Vec<Row>,
    /// What the script wanted and did not get, such as commands that are not understood.
    pub notes: BTreeSet<String>,
    /// Time from the script's start to its end.
    pub took: Duration,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(failure) = &self.failure else { return f.write_str("passed") };
        write!(f, "{failure}")?;
        for note in &self.notes {
            write!(f, "\n  note: {note}")?;
        }
        f.write_str("\n  so far:")?;
        self.ladder.iter().try_for_each(|row| write!(f, "\n  {row}"))
    }
}
