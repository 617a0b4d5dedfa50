//! The diagram as SVG, for light and dark pages.

use std::fmt::Write;

use handclasp_tcp::State;

use super::layout::{HALF, SIZE, Way, middle, way};
use super::{Edge, STATES, edges, label};

/// How wide the corners of arrows are that go around.
const CORNER: f64 = 18.0;

const STYLE: &str = "\
    svg { --page: #fbfaf7; --ink: #23262b; --soft: #6b7280; --box: #ffffff; --line: #3f6f8f;
      --open: #1f7a5a; --close: #a8551c; --end: #a33a3a; }
    @media (prefers-color-scheme: dark) {
      svg { --page: #15181d; --ink: #e7e5df; --soft: #9aa3af; --box: #1f242b; --line: #7fb2d3;
        --open: #5cc79d; --close: #e0985f; --end: #e07f7f; } }
    text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: var(--ink);
      text-anchor: middle; }
    .name { font-weight: 600; font-size: 15px; letter-spacing: .02em; }
    .title { font-weight: 600; font-size: 19px; text-anchor: start; }
    .sub, .cut { fill: var(--soft); font-size: 12px; }
    .sub { text-anchor: start; }
    .cut { fill: var(--end); font-size: 10.5px; }
    .halo { paint-order: stroke; stroke: var(--page); stroke-width: 5px; }
    rect.page { fill: var(--page); }
    .state rect { fill: var(--box); stroke: var(--line); stroke-width: 1.6; }
    .open rect { stroke: var(--open); } .close rect { stroke: var(--close); }
    path.way { fill: none; stroke: var(--line); stroke-width: 1.5; }
    marker path { fill: var(--line); }
";

/// The diagram.
#[must_use]
pub fn svg() -> String {
    let (width, height) = SIZE;
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-labelledby=\"t\">"
    ));
    line("<title id=\"t\">The states of a TCP connection (RFC 9293)</title>".to_owned());
    line(format!("<style>\n{STYLE}</style>"));
    line(
        "<defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" \
         markerHeight=\"8\" orient=\"auto-start-reverse\"><path d=\"M0 0 10 5 0 10 2.4 5z\"/>\
         </marker></defs>"
            .to_owned(),
    );
    line(format!("<rect class=\"page\" width=\"{width}\" height=\"{height}\" rx=\"14\"/>"));
    line("<text class=\"title\" x=\"28\" y=\"40\">The states of a TCP connection</text>".into());
    line(
        "<text class=\"sub\" x=\"28\" y=\"60\">cause / what is sent · in red: what leads to \
         CLOSED before its time</text>"
            .into(),
    );
    let edges = edges();
    let proper = || edges.iter().filter(|edge| !edge.ends);
    proper().filter_map(arrow).for_each(&mut line);
    proper().filter_map(words).for_each(&mut line);
    for state in STATES {
        let cut = edges.iter().find(|edge| edge.from == state && edge.ends);
        line(boxed(state, cut));
    }
    line("</svg>".to_owned());
    out
}

/// A place in the picture.
type Point = (f64, f64);

/// An arrow's path, and where its words stand.
fn course(edge: &Edge) -> Option<(String, Point)> {
    let (a, b) = (middle(edge.from), middle(edge.to));
    let (way, words) = way(edge.from, edge.to)?;
    let (path, middle) = match way {
        Way::Curve(by) => {
            let (dx, dy) = (b.0 - a.0, b.1 - a.1);
            let length = dx.hypot(dy).max(1.0);
            // Left of the arrow on a page whose y grows downwards.
            let (cx, cy) =
                ((a.0 + b.0) / 2.0 + dy / length * by, (a.1 + b.1) / 2.0 - dx / length * by);
            let (a, b) = (border(a, (cx, cy)), border(b, (cx, cy)));
            let path = format!("M{:.0} {:.0}Q{cx:.0} {cy:.0} {:.0} {:.0}", a.0, a.1, b.0, b.1);
            (path, ((a.0 + 2.0 * cx + b.0) / 4.0, (a.1 + 2.0 * cy + b.1) / 4.0))
        }
        Way::Around(x) => {
            let side = (x - a.0).signum();
            let (start, end) = (a.0 + side * HALF.0, b.0 + side * (HALF.0 + 3.0));
            let up = (b.1 - a.1).signum() * CORNER;
            let path = format!(
                "M{start:.0} {:.0}H{:.0}q{:.0} 0 {:.0} {up:.0}V{:.0}q0 {up:.0} {:.0} {up:.0}\
                 H{end:.0}",
                a.1,
                x - side * CORNER,
                side * CORNER,
                side * CORNER,
                b.1 - up,
                -side * CORNER,
            );
            (path, (x, (a.1 + b.1) / 2.0))
        }
    };
    Some((path, (middle.0 + words.0, middle.1 + words.1)))
}

/// Where a line from the middle of a box to a point crosses the box's border.
fn border(from: Point, to: Point) -> Point {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let gap = 3.0;
    let reach = ((HALF.0 + gap) / dx.abs().max(1e-9)).min((HALF.1 + gap) / dy.abs().max(1e-9));
    (from.0 + dx * reach, from.1 + dy * reach)
}

fn arrow(edge: &Edge) -> Option<String> {
    let (path, ..) = course(edge)?;
    Some(format!("<path class=\"way\" marker-end=\"url(#tip)\" d=\"{path}\"/>"))
}

fn words(edge: &Edge) -> Option<String> {
    let (_, (x, y)) = course(edge)?;
    let labels: Vec<_> = edge.causes.iter().map(|cause| label(edge.from, *cause)).collect();
    let labels = labels.join(", ");
    Some(format!("<text class=\"halo\" x=\"{x:.0}\" y=\"{y:.0}\">{labels}</text>"))
}

fn boxed(state: State, cut: Option<&Edge>) -> String {
    let (x, y) = middle(state);
    let (half_x, half_y) = HALF;
    let (left, top) = (x - half_x, y - half_y);
    let (width, height) = (2.0 * half_x, 2.0 * half_y);
    let class = match state {
        State::Closed | State::Listen | State::SynSent | State::SynReceived => "",
        State::Established => " open",
        _ => " close",
    };
    let mut group = format!("<g class=\"state{class}\">");
    // A string takes everything.
    let _ = write!(
        group,
        "<rect x=\"{left:.0}\" y=\"{top:.0}\" width=\"{width}\" height=\"{height}\" rx=\"9\"/>"
    );
    let raised = if cut.is_some() { -2.0 } else { 5.0 };
    let name_y = y + raised;
    let name = state.name();
    let _ = write!(group, "<text class=\"name\" x=\"{x:.0}\" y=\"{name_y:.0}\">{name}</text>");
    if let Some(edge) = cut {
        let short = |cause| label(edge.from, cause).split(" /").next().unwrap_or_default();
        let causes: Vec<_> = edge.causes.iter().map(|cause| short(*cause)).collect();
        let (causes, at) = (causes.join(" · "), y + 16.0);
        let _ = write!(group, "<text class=\"cut\" x=\"{x:.0}\" y=\"{at:.0}\">{causes}</text>");
    }
    group.push_str("</g>");
    group
}
