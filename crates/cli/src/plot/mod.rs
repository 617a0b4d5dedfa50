//! Curves over time, as a picture that a browser shows: SVG that follows the reader's choice of
//! light or dark.

mod axis;

use std::fmt::Write as _;

use axis::Axis;

/// Pixels. The margins hold the figures of the axes.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
const HEAD: f64 = 64.0;
const PANEL: f64 = 190.0;
const GAP: f64 = 52.0;
const FOOT: f64 = 44.0;

/// Colours that colour-blind readers can tell apart, for a light and a dark ground.
const COLOURS: [(&str, &str); 8] = [
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#ff9d5c"),
    ("#009e73", "#3fd6a8"),
    ("#9b4f96", "#e09edb"),
    ("#a07800", "#f0c94a"),
    ("#4b5563", "#b6bfcc"),
    ("#7a1f1f", "#f08a8a"),
    ("#1f4e7a", "#8fb8ff"),
];

/// What the figures of an axis mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    BitsPerSecond,
    Seconds,
}

/// Panels below each other that share the time.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    pub(crate) panels: Vec<Panel>,
}

/// Curves that share an axis.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
    pub(crate) curves: Vec<Curve>,
}

/// Seconds, and what was measured then; nothing is a gap.
pub(crate) type Points = Vec<(f64, Option<f64>)>;

/// A curve.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) dashed: bool,
    /// Filled to the ground, lightly.
    pub(crate) filled: bool,
    pub(crate) points: Points,
}

impl Curve {
    pub(crate) fn new(name: impl Into<String>, points: Points) -> Self {
        Self { name: name.into(), dashed: false, filled: false, points }
    }

    pub(crate) fn dashed(self) -> Self {
        Self { dashed: true, ..self }
    }

    fn is_empty(&self) -> bool {
        self.points.iter().all(|(_, value)| value.is_none())
    }

    pub(crate) fn filled(self) -> Self {
        Self { filled: true, ..self }
    }
}

impl Figure {
    /// The picture.
    pub(crate) fn svg(&self) -> String {
        let height = HEAD + self.panels.len() as f64 * (PANEL + GAP) - GAP + FOOT;
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             role=\"img\" aria-label=\"{}\">\n<style>{}</style>\n\
             <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\" rx=\"10\"/>\n\
             <text class=\"title\" x=\"{LEFT}\" y=\"30\">{}</text>\n\
             <text class=\"note\" x=\"{LEFT}\" y=\"50\">{}</text>\n",
            escaped(&self.title),
            style(),
            escaped(&self.title),
            escaped(&self.subtitle),
        );
        let times = self.points().map(|(at, _)| *at);
        let time = Axis::new(times.fold(0.0, f64::max), Unit::Seconds, 8);
        for (n, panel) in self.panels.iter().enumerate() {
            let top = HEAD + GAP / 2.0 + n as f64 * (PANEL + GAP);
            panel.draw(&mut out, top, &time);
        }
        out.push_str("</svg>\n");
        out
    }

    fn points(&self) -> impl Iterator<Item = &(f64, Option<f64>)> {
        self.panels.iter().flat_map(|panel| &panel.curves).flat_map(|curve| &curve.points)
    }
}

impl Panel {
    fn draw(&self, out: &mut String, top: f64, time: &Axis) {
        let bottom = top + PANEL - GAP / 2.0;
        let values = self.curves.iter().flat_map(|c| &c.points).filter_map(|(_, value)| *value);
        let axis = Axis::new(values.fold(0.0, f64::max), self.unit, 4);
        let x = |at: f64| LEFT + at / time.end * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| bottom - value / axis.end * (bottom - top);
        let _ = writeln!(
            out,
            "<text class=\"head\" x=\"{LEFT}\" y=\"{:.1}\">{}</text>",
            top - 12.0,
            escaped(self.title)
        );
        for (value, label) in axis.ticks() {
            let at = y(value);
            let _ = writeln!(
                out,
                "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{}\"/>\
                 <text class=\"tick end\" x=\"{}\" y=\"{:.1}\">{label}</text>",
                WIDTH - RIGHT,
                LEFT - 8.0,
                at + 4.0
            );
        }
        for (value, label) in time.ticks() {
            let _ = writeln!(
                out,
                "<text class=\"tick middle\" x=\"{:.1}\" y=\"{:.1}\">{label}</text>",
                x(value),
                bottom + 18.0
            );
        }
        for (n, curve) in self.curves.iter().enumerate() {
            curve.draw(out, n % COLOURS.len(), x, y, bottom);
        }
        self.draw_legend(out, top - 12.0);
    }

    /// The names of the curves, from the right.
    fn draw_legend(&self, out: &mut String, baseline: f64) {
        let mut right = WIDTH - RIGHT;
        let drawn = |(_, curve): &(usize, &Curve)| !curve.is_empty();
        for (n, curve) in self.curves.iter().enumerate().filter(drawn).rev() {
            let width = 30.0 + 6.6 * curve.name.chars().count() as f64;
            let left = right - width;
            let dash = if curve.dashed { " dash" } else { "" };
            let _ = writeln!(
                out,
                "<path class=\"line c{}{dash}\" d=\"M{left:.1} {:.1}h18\"/>\
                 <text class=\"tick\" x=\"{:.1}\" y=\"{baseline:.1}\">{}</text>",
                n % COLOURS.len(),
                baseline - 4.0,
                left + 23.0,
                escaped(&curve.name)
            );
            right = left - 8.0;
        }
    }
}

impl Curve {
    fn draw(
        &self,
        out: &mut String,
        colour: usize,
        x: impl Fn(f64) -> f64,
        y: impl Fn(f64) -> f64,
        ground: f64,
    ) {
        for run in self.points.split(|(_, value)| value.is_none()) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            let mut path = String::new();
            for (n, (at, value)) in run.iter().enumerate() {
                let command = if n == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{command}{:.1} {:.1}", x(*at), y(value.unwrap_or(0.0)));
            }
            if self.filled {
                let (from, to) = (x(first.0), x(last.0));
                let _ = write!(out, "<path class=\"area f{colour}\" d=\"{path}");
                let _ = writeln!(out, "L{to:.1} {ground}L{from:.1} {ground}Z\"/>");
            }
            let dash = if self.dashed { " dash" } else { "" };
            let _ = writeln!(out, "<path class=\"line c{colour}{dash}\" d=\"{path}\"/>");
        }
    }
}

fn style() -> String {
    let mut style = String::from(
        "text{font:12px system-ui,sans-serif;fill:#374151}.title{font-size:17px;font-weight:600;\
         fill:#111827}.head{font-weight:600;font-size:13px}.tick,.note{fill:#6b7280}\
         .ground{fill:#fff}.grid{stroke:#e5e7eb;fill:none}\
         .end{text-anchor:end}.middle{text-anchor:middle}\
         .line{fill:none;stroke-width:1.6;stroke-linejoin:round}.dash{stroke-dasharray:5 4}\
         .area{opacity:.14}",
    );
    let mut dark = String::from(
        "text{fill:#d1d5db}.title{fill:#f9fafb}.tick,.note{fill:#9ca3af}.ground{fill:#14181f}\
         .grid{stroke:#2a313c}",
    );
    for (n, (on_light, on_dark)) in COLOURS.iter().enumerate() {
        let _ = write!(style, ".c{n}{{stroke:{on_light}}}.f{n}{{fill:{on_light}}}");
        let _ = write!(dark, ".c{n}{{stroke:{on_dark}}}.f{n}{{fill:{on_dark}}}");
    }
    format!("{style}@media(prefers-color-scheme:dark){{{dark}}}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
