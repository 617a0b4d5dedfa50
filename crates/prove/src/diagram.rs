//! The state machine as a picture, drawn from the table that the machine follows.

pub mod layout;
mod svg;
mod text;

use handclasp_tcp::State;
use handclasp_tcp::state::Cause;

pub use svg::svg;
pub use text::{mermaid, text};

/// All states, in the order of a connection's life.
pub const STATES: [State; 11] = [
    State::Closed,
    State::Listen,
    State::SynSent,
    State::SynReceived,
    State::Established,
    State::FinWait1,
    State::FinWait2,
    State::CloseWait,
    State::Closing,
    State::LastAck,
    State::TimeWait,
];

/// All that can move a connection.
pub const CAUSES: [Cause; 12] = [
    Cause::PassiveOpen,
    Cause::ActiveOpen,
    Cause::SynArrived,
    Cause::SynAckArrived,
    Cause::SynAcknowledged,
    Cause::Close,
    Cause::FinArrived,
    Cause::FinAcknowledged,
    Cause::ResetArrived,
    Cause::Abort,
    Cause::Timeout,
    Cause::Unreachable,
];

/// One way from a state to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Before.
    pub from: State,
    /// After.
    pub to: State,
    /// What leads there.
    pub causes: Vec<Cause>,
    /// It ends the connection before its time.
    pub ends: bool,
}

/// Every transition in the table; those between the same two states together, apart from what
/// ends a connection before its time.
#[must_use]
pub fn edges() -> Vec<Edge> {
    let mut edges: Vec<Edge> = Vec::new();
    for from in STATES {
        for cause in CAUSES {
            let Some(to) = from.after(cause) else { continue };
            let ends = ends_early(from, cause);
            match edges.iter_mut().find(|e| e.from == from && e.to == to && e.ends == ends) {
                Some(edge) => edge.causes.push(cause),
                None => edges.push(Edge { from, to, causes: vec![cause], ends }),
            }
        }
    }
    edges
}

/// Whether a connection ends by this before its time. The end of 2 MSL is TIME-WAIT's time.
const fn ends_early(from: State, cause: Cause) -> bool {
    match cause {
        Cause::Timeout => !matches!(from, State::TimeWait),
        Cause::ResetArrived | Cause::Abort | Cause::Unreachable => true,
        _ => false,
    }
}

/// What a cause is called, and what is sent because of it.
#[must_use]
pub const fn label(from: State, cause: Cause) -> &'static str {
    match (from, cause) {
        (_, Cause::PassiveOpen) => "listen",
        (_, Cause::ActiveOpen) => "connect / SYN",
        (_, Cause::SynArrived) => "SYN / SYN-ACK",
        (_, Cause::SynAckArrived) => "SYN-ACK / ACK",
        (_, Cause::SynAcknowledged) => "ACK of SYN",
        (State::Listen | State::SynSent, Cause::Close) => "close",
        (_, Cause::Close) => "close / FIN",
        (_, Cause::FinArrived) => "FIN / ACK",
        (_, Cause::FinAcknowledged) => "ACK of FIN",
        (_, Cause::ResetArrived) => "RST",
        (State::Listen | State::SynSent | State::TimeWait, Cause::Abort) => "abort",
        (_, Cause::Abort) => "abort / RST",
        (State::TimeWait, Cause::Timeout) => "2 MSL over",
        (_, Cause::Timeout) => "timeout",
        (_, Cause::Unreachable) => "unreachable",
    }
}

#[cfg(test)]
#[path = "diagram/tests.rs"]
mod tests;
