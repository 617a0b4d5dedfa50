//! The ladder as SVG: an arrow for each packet, between the states of both ends.

use std::fmt::Write;

use super::course::{Course, Entry};
use super::svg::{Escaped, style};
use crate::catalogue::{Cast, Language, Message, Time};
use crate::ladder::segment;
use crate::track::Side;
use crate::track::row::{Known, Row};

/// Where things stand, in pixels.
const WIDTH: u32 = 980;
const LEFT: u32 = 235;
const RIGHT: u32 = 745;
const TOP: u32 = 64;
/// What a packet takes, with its slope; and each line of text below it.
const STEP: u32 = 40;
const SLOPE: u32 = 9;
const LINE: u32 = 17;
/// Characters of a note's line.
const NOTE: usize = 84;
/// A silence of so many round figures is drawn as a gap.
const GAP_NANOS: u128 = 100_000_000;

/// What a picture is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file of its own, with its colours.
    Alone,
    /// A page that has them.
    Page,
}

/// A connection's ladder.
#[must_use]
pub fn draw(course: &Course, language: &dyn Language, place: Place) -> String {
    let mut body = String::new();
    let mut y = TOP;
    let mut last = None;
    let mut states: [Known; 2] = Default::default();
    for entry in &course.entries {
        match entry {
            Entry::Row(row) => {
                if let Some(last) = last {
                    y = gap(&mut body, y, row.at - last);
                }
                last = Some(row.at);
                y = packet(&mut body, y, row, &mut states, language);
            }
            Entry::Folded { packets, bytes } => {
                let (packets, bytes) = (*packets, *bytes);
                let text = say(language, &Message::Folded { packets, bytes });
                y += LINE;
                let (middle, at) = (LEFT.midpoint(RIGHT), y + 4);
                let _ = write!(
                    body,
                    "<text class=\"faint\" x=\"{middle}\" y=\"{at}\" text-anchor=\"middle\">\
                     ⋮ {}</text>",
                    Escaped(&text)
                );
                y += LINE;
            }
        }
    }
    frame(course, &body, y + 24, place)
}

fn say(language: &dyn Language, message: &Message<'_>) -> String {
    language.say(&Cast::default(), message)
}

/// The two ends with their lines, and what is between them.
fn frame(course: &Course, body: &str, height: u32, place: Place) -> String {
    let names = course.sockets();
    let name = |side: Side| names.map(|names| names[side].to_string()).unwrap_or_default();
    let (client, server) = (name(Side::Client), name(Side::Server));
    let title = format!("{client} → {server}");
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ladder\" width=\"{WIDTH}\" \
         height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"{0}\"><title>{0}</title>\n",
        Escaped(&title)
    );
    if place == Place::Alone {
        out.push_str(&style(LADDER));
    }
    for (x, name, class) in [(LEFT, &client, "client"), (RIGHT, &server, "server")] {
        let _ = writeln!(
            out,
            "<text class=\"mono strong\" x=\"{x}\" y=\"28\" text-anchor=\"middle\">{}</text>\
             <path class=\"post {class}\" d=\"M{x} 40V{}\"/>",
            Escaped(name),
            height - 12
        );
    }
    out.push_str(body);
    out.push_str("</svg>\n");
    out
}

/// Rules of a ladder alone.
pub(super) const LADDER: &str = "\
.post{stroke-width:2;fill:none}
.post.client{stroke:var(--client)}.post.server{stroke:var(--server)}
.arrow{stroke-width:1.5;fill:none}
.arrow.client{stroke:var(--client)}.arrow.server{stroke:var(--server)}.arrow.bad{stroke:var(--bad)}
.tip{stroke:none}.tip.client{fill:var(--client)}.tip.server{fill:var(--server)}
.tip.bad{fill:var(--bad)}
.bad-text{fill:var(--bad)}
.gap{stroke:var(--line);stroke-dasharray:2 4;fill:none}
";

fn gap(body: &mut String, y: u32, silence: std::time::Duration) -> u32 {
    if silence.as_nanos() < GAP_NANOS {
        return y;
    }
    let (at, middle) = (y + LINE, LEFT.midpoint(RIGHT));
    let (from, before, behind, to) = (LEFT + 8, middle - 50, middle + 50, RIGHT - 8);
    let _ = writeln!(
        body,
        "<path class=\"gap\" d=\"M{from} {at}H{before}M{behind} {at}H{to}\"/>\
         <text class=\"faint\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        at + 4,
        Time(silence)
    );
    at + LINE
}

/// Draws one packet; says where the next begins.
fn packet(
    body: &mut String,
    y: u32,
    row: &Row,
    states: &mut [Known; 2],
    language: &dyn Language,
) -> u32 {
    let by_client = row.from == Side::Client;
    let bad = !row.marks.is_empty() || !row.fate.arrives();
    let class = match (bad, by_client) {
        (true, _) => "bad",
        (false, true) => "client",
        (false, false) => "server",
    };
    let (from, to) = if by_client { (LEFT, RIGHT) } else { (RIGHT, LEFT) };
    let (start, end) = (y + STEP - SLOPE - 8, y + STEP - 8);
    let back = if by_client { to - 9 } else { to + 9 };
    let middle = LEFT.midpoint(RIGHT);
    let number = row.number;
    let label = segment::words(row, false).join(" ");
    let _ = writeln!(
        body,
        "<g class=\"packet\"><title>#{number}</title>\
         <path class=\"arrow {class}\" d=\"M{from} {start}L{to} {end}\"/>\
         <path class=\"tip {class}\" d=\"M{to} {end}L{back} {}L{back} {}z\"/>\
         <text class=\"mono\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
         <text class=\"faint\" x=\"8\" y=\"{start}\">{}</text></g>",
        end - 5,
        end + 4,
        start - 4,
        Escaped(&label),
        Time(row.since_start)
    );
    let now = [row.states.client, row.states.server];
    for (i, state) in now.iter().enumerate() {
        if std::mem::replace(&mut states[i], *state) == *state {
            continue;
        }
        let name = state.state.map_or("?", |state| state.name());
        let (x, anchor) = if i == 0 { (LEFT - 10, "end") } else { (RIGHT + 10, "start") };
        let at = if (i == 0) == by_client { start } else { end };
        let _ = writeln!(
            body,
            "<text class=\"strong\" x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{name}</text>",
            at + 4
        );
    }
    notes(body, y + STEP, row, language)
}

/// What the packet means, below it.
fn notes(body: &mut String, mut y: u32, row: &Row, language: &dyn Language) -> u32 {
    for note in &row.notes {
        let text = say(language, &Message::Note { from: row.from, note });
        let class = if text.starts_with('✗') { "bad-text" } else { "faint" };
        for line in crate::ladder::layout::wrap_text(&text, NOTE, 0) {
            y += LINE - 2;
            let _ = writeln!(
                body,
                "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
                LEFT + 16,
                y - 2,
                Escaped(&line)
            );
        }
    }
    y
}
