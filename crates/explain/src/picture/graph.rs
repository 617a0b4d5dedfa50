//! Graphs over time as SVG: what was sent and acknowledged, as tcptrace drew it, and what the
//! connection achieved.

use std::fmt::Write;

use super::course::{Course, Kind, Point, Run, Stream};
use super::ladder::Place;
use super::svg::{Escaped, style, ticks};
use crate::catalogue::{Size, Time};
use crate::track::Side;

const WIDTH: f64 = 980.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 964.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 484.0;

/// What a graph shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Graph {
    /// Sequence numbers: segments, ACKs, SACK blocks and the receive window.
    TimeSequence,
    /// Bytes of payload in a time.
    Throughput,
    /// Round trips.
    RoundTrip,
    /// The receive window and the bytes in flight.
    Window,
}

/// Rules of a graph alone.
const GRAPH: &str = "\
.l{fill:none;stroke-width:1.4;stroke:var(--ink)}
.resent{stroke:var(--bad);stroke-width:2.4}.late{stroke:var(--warn);stroke-width:2.4}
.probe{stroke:var(--faint)}.ends{stroke:var(--client);stroke-width:3}
.ack{stroke:var(--ack)}.window{stroke:var(--window)}.sack{stroke:var(--sack);stroke-width:2}
";

/// From values to pixels.
struct Scale {
    time: f64,
    low: f64,
    high: f64,
}

impl Scale {
    fn x(&self, at: u64) -> f64 {
        LEFT + (RIGHT - LEFT) * at as f64 / self.time.max(1.0)
    }

    fn y(&self, value: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * (value - self.low) / (self.high - self.low).max(1.0)
    }
}

/// One line of a graph: what it is called, its class, and its path.
type Line = (&'static str, &'static str, String);

/// A graph of what one side sent.
#[must_use]
pub fn draw(course: &Course, side: Side, graph: Graph, place: Place) -> String {
    let stream = course.stream(side);
    let time = end_of(stream) as f64;
    let (scale, lines) = match graph {
        Graph::TimeSequence => time_sequence(stream, time),
        Graph::Throughput => throughput(stream, time),
        Graph::RoundTrip => {
            let points = stream.round_trips();
            (scale_of(points, time), vec![("RTT", "ack", dots(points, &scale_of(points, time)))])
        }
        Graph::Window => window(stream, time),
    };
    frame(course, side, graph, &scale, &lines, place)
}

fn end_of(stream: &Stream) -> u64 {
    let segments = stream.segments().iter().map(|run| run.to);
    let acks = stream.acks().iter().map(|ack| ack.at);
    segments.chain(acks).max().unwrap_or(0)
}

fn scale_of(points: &[Point], time: f64) -> Scale {
    let high = points.iter().map(|point| point.value).max().unwrap_or(1);
    Scale { time, low: 0.0, high: high as f64 * 1.05 }
}

/// A cross of two strokes for each point.
fn dots(points: &[Point], scale: &Scale) -> String {
    let mut path = String::new();
    for point in points {
        let (x, y) = (scale.x(point.at), scale.y(point.value as f64));
        let _ = write!(path, "M{:.1} {y:.1}h4M{x:.1} {:.1}v4", x - 2.0, y - 2.0);
    }
    path
}

/// A line that stays as it is until the next point.
fn steps(points: impl Iterator<Item = (u64, u64)>, scale: &Scale) -> String {
    let mut path = String::new();
    for (at, value) in points {
        let (x, y) = (scale.x(at), scale.y(value as f64));
        match path.is_empty() {
            true => _ = write!(path, "M{x:.1} {y:.1}"),
            false => _ = write!(path, "H{x:.1}V{y:.1}"),
        }
    }
    path
}

fn time_sequence(stream: &Stream, time: f64) -> (Scale, Vec<Line>) {
    let runs = stream.segments();
    // The window's line may be far above what was sent: it must not press that flat.
    let sent = runs.iter().map(|run| run.high).max().unwrap_or(1) as f64;
    let edge = stream.acks().iter().map(|ack| ack.edge).max().unwrap_or(0) as f64;
    let high = if edge <= 2.0 * sent { edge.max(sent) } else { sent * 1.25 };
    let scale = Scale { time, low: 0.0, high: high.max(1.0) * 1.02 };
    let of = |kinds: &[Kind]| segments(runs, kinds, &scale);
    let acks = || stream.acks().iter();
    let mut sacks = String::new();
    for sack in stream.sacks() {
        let (left, right) = (scale.y(sack.left as f64), scale.y(sack.right as f64));
        let _ = write!(sacks, "M{:.1} {left:.1}V{right:.1}", scale.x(sack.at));
    }
    let lines = vec![
        ("receive window", "window", steps(acks().map(|ack| (ack.at, ack.edge)), &scale)),
        ("acknowledged", "ack", steps(acks().map(|ack| (ack.at, ack.ack)), &scale)),
        ("SACK", "sack", sacks),
        ("data", "data", of(&[Kind::Data])),
        ("probe", "probe", of(&[Kind::Probe])),
        ("out of order", "late", of(&[Kind::OutOfOrder])),
        ("sent again", "resent", of(&[Kind::Resent])),
        ("SYN, FIN, RST", "ends", of(&[Kind::Syn, Kind::Fin, Kind::Reset])),
    ];
    (scale, lines)
}

/// Segments as upright strokes; several in one, as a line from the first to the last.
fn segments(runs: &[Run], kinds: &[Kind], scale: &Scale) -> String {
    let mut path = String::new();
    for run in runs.iter().filter(|run| kinds.contains(&run.kind)) {
        let (x, low) = (scale.x(run.from), scale.y(run.low as f64));
        // One byte, or none, is still to be seen.
        let high = scale.y(run.high as f64).min(low - 1.5);
        let _ = write!(path, "M{x:.1} {low:.1}L{:.1} {high:.1}", scale.x(run.to));
    }
    path
}

fn throughput(stream: &Stream, time: f64) -> (Scale, Vec<Line>) {
    let width = crate::nanos::count(stream.bytes.width());
    let rates: Vec<Point> = (0..)
        .zip(stream.bytes.columns())
        .map(|(i, column)| Point {
            at: i * width,
            value: (u128::from(column[0]) * 1_000_000_000 / u128::from(width)) as u64,
        })
        .collect();
    let scale = scale_of(&rates, time);
    let path = steps(rates.iter().map(|point| (point.at, point.value)), &scale);
    (scale, vec![("bytes per second", "ends", path)])
}

fn window(stream: &Stream, time: f64) -> (Scale, Vec<Line>) {
    let windows = || stream.acks().iter().map(|ack| (ack.at, ack.edge - ack.ack));
    let flight = || stream.in_flight().iter().map(|point| (point.at, point.value));
    let high = windows().chain(flight()).map(|(_, value)| value).max().unwrap_or(1);
    let scale = Scale { time, low: 0.0, high: high as f64 * 1.05 };
    let lines = vec![
        ("receive window", "window", steps(windows(), &scale)),
        ("in flight", "ends", steps(flight(), &scale)),
    ];
    (scale, lines)
}

/// A value of this graph with its unit.
fn quantity(graph: Graph, value: f64) -> String {
    let nanos = |value: f64| std::time::Duration::from_nanos(value as u64);
    match graph {
        Graph::RoundTrip => Time(nanos(value)).to_string(),
        Graph::Throughput => format!("{}/s", Size(value as u64)),
        Graph::TimeSequence | Graph::Window => Size(value as u64).to_string(),
    }
}

fn frame(
    course: &Course,
    side: Side,
    graph: Graph,
    scale: &Scale,
    lines: &[Line],
    place: Place,
) -> String {
    let sockets = course.sockets();
    let title =
        sockets.map_or_else(String::new, |ends| format!("{} → {}", ends[side], ends[side.other()]));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         width=\"{WIDTH}\" height=\"{HEIGHT}\" aria-label=\"{0}\"><title>{0}</title>\n",
        Escaped(&title)
    );
    if place == Place::Alone {
        out.push_str(&style(GRAPH));
    }
    let _ = writeln!(
        out,
        "<text class=\"mono strong\" x=\"{LEFT}\" y=\"20\">{}</text>",
        Escaped(&title)
    );
    axes(&mut out, graph, scale);
    let mut x = LEFT;
    let _ = writeln!(
        out,
        "<clipPath id=\"c\"><rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{}\" height=\"{}\"/></clipPath>",
        RIGHT - LEFT,
        BOTTOM - TOP
    );
    for (name, class, path) in lines.iter().filter(|(_, _, path)| !path.is_empty()) {
        let _ = writeln!(
            out,
            "<path class=\"l {class}\" clip-path=\"url(#c)\" d=\"{path}\"/>\
             <path class=\"l {class}\" d=\"M{x} 34h14\"/><text x=\"{}\" y=\"38\">{name}</text>",
            x + 19.0
        );
        x += 36.0 + 6.6 * name.len() as f64;
    }
    out.push_str("</svg>\n");
    out
}

fn axes(out: &mut String, graph: Graph, scale: &Scale) {
    for value in ticks(scale.low, scale.high, 6) {
        let y = scale.y(value);
        let _ = writeln!(
            out,
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/><text class=\"faint\" \
             text-anchor=\"end\" x=\"{}\" y=\"{:.1}\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            quantity(graph, value)
        );
    }
    for value in ticks(0.0, scale.time, 8) {
        let x = scale.x(value as u64);
        let _ = writeln!(
            out,
            "<path class=\"grid\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/><text class=\"faint\" \
             text-anchor=\"middle\" x=\"{x:.1}\" y=\"{}\">{}</text>",
            BOTTOM + 18.0,
            Time(std::time::Duration::from_nanos(value as u64))
        );
    }
}
