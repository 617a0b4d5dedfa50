//! The diagram in characters, and for Mermaid.

use std::fmt::Write;

use super::{Edge, STATES, edges, label};

fn labels(edge: &Edge) -> String {
    let labels: Vec<_> = edge.causes.iter().map(|cause| label(edge.from, *cause)).collect();
    labels.join(", ")
}

/// One line for each way from a state to another, by state.
#[must_use]
pub fn text() -> String {
    let edges = edges();
    let mut out = String::new();
    for state in STATES {
        let mut name = state.name();
        for edge in edges.iter().filter(|edge| edge.from == state) {
            let arrow = if edge.ends { "╌╌▶" } else { "──▶" };
            let to = edge.to.name();
            // A string takes everything.
            let _ = writeln!(out, "{name:<13} {arrow} {to:<13} {}", labels(edge));
            name = "";
        }
    }
    out.push_str("\n──▶ as it should be, cause / what is sent    ╌╌▶ before its time\n");
    out
}

/// A Mermaid state diagram.
#[must_use]
pub fn mermaid() -> String {
    let id = |name: &str| name.replace('-', "_");
    let mut out = String::from("stateDiagram-v2\n");
    for state in STATES {
        let _ = writeln!(out, "    state \"{}\" as {}", state.name(), id(state.name()));
    }
    out.push_str("    [*] --> CLOSED\n");
    for edge in edges() {
        let (from, to) = (id(edge.from.name()), id(edge.to.name()));
        let _ = writeln!(out, "    {from} --> {to}: {}", labels(&edge));
    }
    out
}
