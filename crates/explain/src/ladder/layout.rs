//! Columns, and text that is wrapped and padded by the cells it takes on a screen.

use unicode_width::UnicodeWidthStr;

/// Cells for microseconds: up to 999 s.
pub(super) const TIME: usize = 9;
/// Cells for a frame's number, where there is one: `#12345`.
const NUMBER: usize = 6;
/// Cells for a state: `SYN-RECEIVED`.
pub(super) const STATE: usize = 12;
/// Cells for a mark and the space before it.
pub(super) const MARK: usize = 2;
/// Cells for an arrow.
pub(super) const ARROW: usize = 3;
/// Where the words of a segment's second line begin: behind its flags.
pub(super) const HANGING: usize = 6;

/// Narrower than this the columns do not fit.
const MIN_WIDTH: usize = 80;
/// Wider than this a line is hard to follow.
const MAX_WIDTH: usize = 108;

/// Cells for a segment where there is room: a SYN-ACK with its options.
const FULL_SEGMENT: usize = 43;

/// The columns for a screen of some width.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Cells of a line.
    pub(super) width: usize,
    /// Cells for the number of a frame.
    pub(super) number: usize,
    /// Where arrows and notes begin.
    pub(super) arrow: usize,
    /// Cells for a segment.
    pub(super) segment: usize,
}

impl Layout {
    /// For lines of `width` cells, the left states with or without a mark, and `heading` cells
    /// above the right states, if that much can be had.
    pub(super) fn new(width: usize, left_marked: bool, heading: usize, numbered: bool) -> Self {
        let width = width.clamp(MIN_WIDTH, MAX_WIDTH);
        let left = STATE + if left_marked { MARK } else { 0 };
        let number = if numbered { NUMBER } else { 0 };
        let arrow = number + TIME + 2 + left + 1;
        let rest = width - arrow - ARROW - 1 - 1;
        let segment = rest.saturating_sub(heading.max(STATE + MARK));
        let segment = if segment < FULL_SEGMENT { rest - STATE - MARK } else { segment };
        Self { width, number, arrow, segment }
    }
}

/// The cells that `text` takes.
#[must_use]
pub fn cells(text: &str) -> usize {
    text.width()
}

/// `text`, and spaces up to `width` cells.
#[must_use]
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(cells(text))))
}

/// Lines of up to `width` cells, broken between `words`; those behind the first are `hanging`
/// cells further in. A word that is too long has a line of its own, cut to fit.
pub(super) fn wrap<'a>(
    words: impl IntoIterator<Item = &'a str>,
    width: usize,
    hanging: usize,
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if cells(line) + 1 + cells(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("{:hanging$}{}", "", cut(word, width - hanging))),
            None => lines.push(cut(word, width)),
        }
    }
    lines
}

/// Lines of a sentence, as `wrap` makes them of words. Where a script has no spaces, a line may
/// break between any two of its characters, but not in front of a closing mark nor behind an
/// opening one.
#[must_use]
pub fn wrap_text(text: &str, width: usize, hanging: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for (piece, space) in pieces(text) {
        let indent = if lines.len() > 1 { hanging } else { 0 };
        let Some(line) = lines.last_mut() else { break };
        let gap = usize::from(space && cells(line) > indent);
        if cells(line) + gap + cells(piece) <= width || cells(line) <= indent {
            line.push_str(&" ".repeat(gap));
            line.push_str(&cut(piece, width - indent));
        } else {
            lines.push(format!("{:hanging$}{}", "", cut(piece, width - hanging)));
        }
    }
    lines
}

/// What must not be broken, and whether a space stands in front of it.
fn pieces(text: &str) -> Vec<(&str, bool)> {
    const CLOSING: &str = "，。；：、！？）」”,.;:!?)";
    const OPENING: &str = "（「“(";
    let mut pieces = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let (mut start, mut space) = (0, true);
        let mut before: Option<char> = None;
        for (at, c) in word.char_indices() {
            let wide = |c: char| cells(c.encode_utf8(&mut [0; 4])) > 1;
            let may = before.is_some_and(|b| {
                (wide(b) || wide(c)) && !CLOSING.contains(c) && !OPENING.contains(b)
            });
            if may {
                pieces.push((&word[start..at], space));
                (start, space) = (at, false);
            }
            before = Some(c);
        }
        pieces.push((&word[start..], space));
    }
    pieces
}

/// `word`, or its beginning and a dot-dot-dot if it takes more than `width` cells.
#[must_use]
pub fn cut(word: &str, width: usize) -> String {
    if cells(word) <= width {
        return word.into();
    }
    let mut out = String::new();
    for c in word.chars() {
        if cells(&out) + cells(c.encode_utf8(&mut [0; 4])) + 1 > width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
