//! The ladder of a run: what stands left and right of each packet.

use std::io::{self, Write};

/// What happens in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Something at one end alone.
    Still,
    /// A packet arrives on the right.
    Right,
    /// A packet arrives on the left.
    Left,
    /// A packet for the right is lost.
    LostRight,
    /// A packet for the left is lost.
    LostLeft,
}

impl Way {
    /// A packet that arrives at the end on the right, or on the left.
    pub(super) const fn to(right: bool, arrives: bool) -> Self {
        match (right, arrives) {
            (true, true) => Self::Right,
            (false, true) => Self::Left,
            (true, false) => Self::LostRight,
            (false, false) => Self::LostLeft,
        }
    }

    const fn arrow(self) -> &'static str {
        match self {
            Self::Still => "   ",
            Self::Right => "──▶",
            Self::Left => "◀──",
            Self::LostRight => "──✗",
            Self::LostLeft => "✗──",
        }
    }
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// How things stand on the left after it.
    pub(super) left: String,
    /// Which way it goes.
    pub(super) way: Way,
    /// What it is.
    pub(super) what: String,
    /// How things stand on the right after it.
    pub(super) right: String,
}

/// Columns of a line of text.
const WIDTH: usize = 100;

/// Writes a sentence behind a mark of one character, in as many lines as it needs.
pub(super) fn say(out: &mut dyn Write, mark: char, sentence: &str) -> io::Result<()> {
    let mut line = format!("{mark} ");
    for word in sentence.split(' ') {
        if line.chars().count() + word.chars().count() > WIDTH {
            writeln!(out, "{}", line.trim_end())?;
            line = "  ".to_owned();
        }
        line += word;
        line.push(' ');
    }
    writeln!(out, "{}", line.trim_end())
}

/// Writes rows below each other, in columns as wide as they need.
pub(super) fn write(out: &mut dyn Write, rows: &[Row]) -> io::Result<()> {
    let widest = |of: fn(&Row) -> &str| rows.iter().map(|r| of(r).chars().count()).max();
    let left = widest(|row| &row.left).unwrap_or(0);
    let what = widest(|row| &row.what).unwrap_or(0);
    for Row { left: at_left, way, what: middle, right } in rows {
        let arrow = way.arrow();
        let line = format!("  {at_left:<left$}  {arrow}  {middle:<what$}  {right}");
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
