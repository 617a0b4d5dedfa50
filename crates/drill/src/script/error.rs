//! What is wrong with a script, and where.

use std::fmt;

/// A fault in a script: the line that holds it, and a mark under the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// What is wrong.
    pub message: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in characters.
    pub column: usize,
    text: String,
}

impl ScriptError {
    /// A fault at byte `at` of `source`.
    pub(crate) fn new(source: &str, at: usize, message: impl Into<String>) -> Self {
        let before = source.get(..at).unwrap_or(source);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let text = source[start..].lines().next().unwrap_or_default().to_owned();
        Self {
            message: message.into(),
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            text,
        }
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, line, column, text } = self;
        writeln!(f, "line {line}, column {column}: {message}")?;
        writeln!(f, "  {text}")?;
        // Tabs stay, so that the mark stands under its place.
        let before = text.chars().take(column - 1);
        let indent: String = before.map(|c| if c == '\t' { c } else { ' ' }).collect();
        write!(f, "  {indent}^")
    }
}

impl std::error::Error for ScriptError {}
