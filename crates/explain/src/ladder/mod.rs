//! A connection drawn between its two ends, a row for each packet.
//!
//! Rows are written as they come. Escape codes for colours are always there: a caller whose
//! output is no terminal strips them, as the `anstream` crate does.

mod layout;
mod segment;

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::catalogue::{Cast, Language, Message};
use crate::track::row::{Known, Row};
use crate::track::{Both, Side};

use layout::{HANGING, Layout, MARK, STATE, TIME, pad, wrap, wrap_text};

/// So many rows of plain data in a row are shown before the rest is folded into one line.
const PLAIN_ROWS: u64 = 4;

const FAINT: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();
const OUT: Style = AnsiColor::Cyan.on_default();
const IN: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();

/// What a ladder shows.
#[derive(Clone, Debug)]
pub struct View {
    /// Whose state stands on the left.
    pub left: Side,
    /// Headings above the states, left and right.
    pub names: [String; 2],
    /// Whether a mark behind the state, left and right, tells how it is known.
    pub marked: [bool; 2],
    /// Sequence numbers as in the headers instead of counted from the ISN.
    pub absolute: bool,
    /// Cells of a line on the screen.
    pub width: usize,
    /// After so many rows only those in which a state changes are shown, and runs of plain
    /// data are folded; `None` shows every packet.
    pub fold_after: Option<u64>,
    /// Who "we" are.
    pub cast: Cast,
}

/// Packets that are not shown.
#[derive(Clone, Copy, Debug, Default)]
struct Folded {
    packets: u64,
    bytes: [u64; 2],
}

/// Draws one connection.
pub struct Ladder<'a, W> {
    out: W,
    language: &'a dyn Language,
    view: View,
    layout: Layout,
    shown: u64,
    plain_run: u64,
    folded: Folded,
}

impl<'a, W: Write> Ladder<'a, W> {
    /// A ladder that writes to `out`.
    pub fn new(out: W, language: &'a dyn Language, view: View) -> Self {
        let legend = language.say(&view.cast, &Message::Legend);
        let heading = layout::cells(&view.names[1]) + 3 + layout::cells(&legend);
        let heading = if view.marked.contains(&true) { heading } else { 0 };
        let layout = Layout::new(view.width, view.marked[0], heading);
        Self { out, language, view, layout, shown: 0, plain_run: 0, folded: Folded::default() }
    }

    /// The text of a message.
    #[must_use]
    pub fn say(&self, message: &Message<'_>) -> String {
        self.language.say(&self.view.cast, message)
    }

    /// One line about the whole, whose parts are told apart by dots.
    ///
    /// # Errors
    ///
    /// When writing fails; so in all of these.
    pub fn title(&mut self, parts: &[String]) -> io::Result<()> {
        for line in join(parts, self.layout.width, 0) {
            writeln!(self.out, "{STRONG}{line}{STRONG:#}")?;
        }
        Ok(())
    }

    /// Turns the ladder so that this end is ours and stands on the left.
    pub const fn face(&mut self, ours: Side) {
        self.view.left = ours;
        self.view.cast = Cast { ours: Some(ours) };
    }

    /// A sentence with a heading in front of it.
    ///
    /// # Errors
    ///
    /// As [`Ladder::title`].
    pub fn paragraph(&mut self, heading: &str, text: &str) -> io::Result<()> {
        /// Cells of the heading, with the gap behind it.
        const HEADING: usize = 8;
        let mut heading = pad(heading, HEADING);
        for line in wrap_text(text, self.layout.width - HEADING, 0) {
            writeln!(self.out, "{FAINT}{heading}{FAINT:#}{line}")?;
            heading = pad("", HEADING);
        }
        Ok(())
    }

    /// The columns' headings.
    ///
    /// # Errors
    ///
    /// As [`Ladder::title`].
    pub fn headings(&mut self) -> io::Result<()> {
        let Layout { arrow, segment, width } = self.layout;
        let time = self.say(&Message::TimeHeading);
        let absolute = self.view.absolute;
        let numbers = self.say(&Message::SegmentHeading { absolute });
        let [left, right] = self.view.names.clone();
        let time = format!("{}{time}", " ".repeat(TIME.saturating_sub(layout::cells(&time))));
        let mut line = pad(&format!("{time}  {left}"), arrow);
        line = pad(&format!("{line}    {numbers}"), arrow + layout::ARROW + 1 + segment + 1);
        line.push_str(&right);
        let legend = format!("({})", self.say(&Message::Legend));
        if self.view.marked.contains(&true) {
            // Behind the heading if it fits, else on a line of its own below it.
            if layout::cells(&line) + 1 + layout::cells(&legend) <= width {
                line = format!("{line} {legend}");
            } else {
                let indent = width.saturating_sub(layout::cells(&legend));
                line = format!("{line}\n{}{legend}", " ".repeat(indent));
            }
        }
        for line in line.lines() {
            writeln!(self.out, "{FAINT}{line}{FAINT:#}")?;
        }
        Ok(())
    }

    /// The states before the first packet.
    ///
    /// # Errors
    ///
    /// As [`Ladder::title`].
    pub fn start(&mut self, states: &Both<Known>) -> io::Result<()> {
        let before = pad("", TIME);
        let between = pad("", layout::ARROW + 1 + self.layout.segment);
        let (left, right) = self.state_cells(states);
        writeln!(self.out, "{}", format!("{before}  {left} {between} {right}").trim_end())
    }

    /// Whether this packet is one of many that are only counted, and if so, counts it.
    pub fn folds(&mut self, row: &Row) -> bool {
        self.plain_run = if row.is_plain() { self.plain_run + 1 } else { 0 };
        let Some(limit) = self.view.fold_after else { return false };
        let folds = self.plain_run > PLAIN_ROWS || (self.shown >= limit && !row.turning);
        if folds {
            let side = usize::from(row.from == Side::Server);
            self.folded.packets += 1;
            self.folded.bytes[side] += row.segment.len as u64;
        }
        folds
    }

    /// One packet, whether it [folds](Self::folds) or not.
    ///
    /// # Errors
    ///
    /// As [`Ladder::title`].
    pub fn row(&mut self, row: &Row) -> io::Result<()> {
        self.unfold()?;
        self.shown += 1;
        self.segment_lines(row)?;
        for note in &row.notes {
            let text = self.say(&Message::Note { from: row.from, note });
            let style = if text.starts_with('✗') { BAD } else { FAINT };
            let room = self.layout.width - self.layout.arrow;
            let indent = pad("", self.layout.arrow);
            for line in wrap_text(&text, room, 2) {
                writeln!(self.out, "{indent}{style}{line}{style:#}")?;
            }
        }
        Ok(())
    }

    /// Says how much was not shown, if anything was not.
    fn unfold(&mut self) -> io::Result<()> {
        let Folded { packets, bytes } = std::mem::take(&mut self.folded);
        if packets == 0 {
            return Ok(());
        }
        let text = self.say(&Message::Folded { packets, bytes });
        let indent = pad(&format!("{:>TIME$}", "⋮"), self.layout.arrow);
        writeln!(self.out, "{FAINT}{indent}{text}{FAINT:#}")
    }

    fn segment_lines(&mut self, row: &Row) -> io::Result<()> {
        let words = segment::words(row, self.view.absolute);
        let words = words.iter().map(String::as_str);
        let mut lines = wrap(words, self.layout.segment, HANGING).into_iter();
        let first = pad(&lines.next().unwrap_or_default(), self.layout.segment);
        let (arrow, style) = self.arrow(row);
        let (left, right) = self.state_cells(&row.states);
        let strong = if row.turning { STRONG } else { Style::new() };
        let time = format!("{:>TIME$}", row.since_start.as_micros());
        write!(self.out, "{FAINT}{time}{FAINT:#}  {strong}{left}{strong:#} ")?;
        write!(self.out, "{style}{arrow}{style:#} {first} ")?;
        writeln!(self.out, "{strong}{}{strong:#}", right.trim_end())?;
        let indent = pad("", self.layout.arrow + layout::ARROW + 1);
        for line in lines {
            writeln!(self.out, "{indent}{line}")?;
        }
        Ok(())
    }

    fn arrow(&self, row: &Row) -> (&'static str, Style) {
        let arrives = row.fate.arrives();
        match (row.from == self.view.left, arrives) {
            (true, true) => ("──▶", OUT),
            (false, true) => ("◀──", IN),
            (true, false) => ("──✗", BAD),
            (false, false) => ("✗──", BAD),
        }
    }

    /// The cells of both states: left padded to its column, right with its mark.
    fn state_cells(&self, states: &Both<Known>) -> (String, String) {
        let Both { client, server } = *states;
        let (left, right) = match self.view.left {
            Side::Client => (client, server),
            Side::Server => (server, client),
        };
        let [left_marked, right_marked] = self.view.marked;
        (state_cell(left, left_marked), state_cell(right, right_marked))
    }

    /// The last line about the connection: whether it went well, and the totals.
    ///
    /// # Errors
    ///
    /// As [`Ladder::title`].
    pub fn outcome(&mut self, well: bool, parts: &[String]) -> io::Result<()> {
        self.unfold()?;
        let (mark, style) = mark(well);
        for (i, line) in join(parts, self.layout.width - 2, 0).iter().enumerate() {
            let mark = if i == 0 { mark } else { " " };
            writeln!(self.out, "{style}{mark}{style:#} {line}")?;
        }
        Ok(())
    }

    /// The last sentence of an experiment: whether it went as it should, and what happened.
    ///
    /// # Errors
    ///
    /// As [`Ladder::title`].
    pub fn verdict(&mut self, well: bool, text: &str) -> io::Result<()> {
        self.unfold()?;
        let (mark, style) = mark(well);
        for (i, line) in wrap_text(text, self.layout.width - 2, 0).iter().enumerate() {
            let mark = if i == 0 { mark } else { " " };
            writeln!(self.out, "{style}{mark}{style:#} {line}")?;
        }
        Ok(())
    }

    /// A command to try next, and what it shows.
    ///
    /// # Errors
    ///
    /// As [`Ladder::title`].
    pub fn next(&mut self, command: &str, shows: &str) -> io::Result<()> {
        let next = self.say(&Message::Next);
        writeln!(self.out, "{FAINT}{next}  {FAINT:#}{command}   {FAINT}{shows}{FAINT:#}")
    }

    /// Hands over what was drawn so far.
    ///
    /// # Errors
    ///
    /// As [`Ladder::title`].
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn state_cell(known: Known, marked: bool) -> String {
    let name = known.state.map_or("?", |state| state.name());
    let mark = match known {
        Known { state: None, .. } => ' ',
        Known { read: true, .. } => '•',
        Known { read: false, .. } => '~',
    };
    let width = if marked { STATE + MARK } else { STATE };
    if marked { pad(&format!("{name} {mark}"), width) } else { pad(name, width) }
}

const fn mark(well: bool) -> (&'static str, Style) {
    if well { ("✔", IN.bold()) } else { ("✘", BAD.bold()) }
}

/// Rows as lines of up to `width` cells, their columns aligned; the last column is wrapped.
#[must_use]
pub fn table<const N: usize>(rows: &[[String; N]], width: usize) -> Vec<String> {
    /// Cells between columns.
    const GAP: usize = 2;
    /// The last column has room for a few words at least.
    const LEAST: usize = 24;
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(layout::cells(cell));
        }
    }
    let mut lines = Vec::new();
    for row in rows {
        let Some((last, front)) = row.split_last() else { continue };
        let mut line: String =
            front.iter().zip(widths).map(|(cell, width)| pad(cell, width + GAP)).collect();
        let indent = layout::cells(&line);
        for text in wrap_text(last, width.saturating_sub(indent).max(LEAST), 0) {
            lines.push(format!("{line}{text}"));
            line = pad("", indent);
        }
    }
    lines
}

/// Parts with dots between them, on as few lines as they fit.
fn join(parts: &[String], width: usize, hanging: usize) -> Vec<String> {
    let last = parts.len().saturating_sub(1);
    let words: Vec<String> = (parts.iter().enumerate())
        .map(|(i, part)| if i < last { format!("{part} ·") } else { part.clone() })
        .collect();
    wrap(words.iter().map(String::as_str), width, hanging)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
