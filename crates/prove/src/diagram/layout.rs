//! Where things stand in the picture.

use handclasp_tcp::State;

/// The picture's size.
pub const SIZE: (f64, f64) = (1060.0, 960.0);

/// Half the width and height of a state's box.
pub const HALF: (f64, f64) = (78.0, 27.0);

/// The middle of a state's box.
#[must_use]
pub const fn middle(state: State) -> (f64, f64) {
    match state {
        State::Closed => (530.0, 110.0),
        State::Listen => (230.0, 215.0),
        State::SynSent => (830.0, 215.0),
        State::SynReceived => (230.0, 400.0),
        State::Established => (830.0, 400.0),
        State::FinWait1 => (230.0, 575.0),
        State::CloseWait => (830.0, 575.0),
        State::FinWait2 => (230.0, 745.0),
        State::Closing => (530.0, 665.0),
        State::LastAck => (830.0, 745.0),
        State::TimeWait => (530.0, 860.0),
    }
}

/// How an arrow goes: how far its middle is pushed to the left of the straight line, and where
/// its words stand, from there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bend {
    /// Pushed so far to the left, as seen along the arrow.
    pub by: f64,
    /// The words are moved so far from its middle.
    pub words: (f64, f64),
}

/// How the arrow between two states goes.
#[must_use]
pub const fn bend(from: State, to: State) -> Bend {
    use State as S;
    let (by, words) = match (from, to) {
        (S::Closed, S::Listen) => (-30.0, (8.0, 26.0)),
        (S::Listen, S::Closed) => (-34.0, (-30.0, -12.0)),
        (S::Closed, S::SynSent) => (30.0, (-8.0, 26.0)),
        (S::SynSent, S::Closed) => (34.0, (30.0, -12.0)),
        (S::Listen, S::SynSent) => (0.0, (0.0, -9.0)),
        (S::Listen, S::SynReceived) => (0.0, (-62.0, 4.0)),
        (S::SynSent, S::SynReceived) => (0.0, (-66.0, -22.0)),
        (S::SynSent, S::Established) => (0.0, (62.0, 4.0)),
        (S::SynReceived, S::Established) => (0.0, (0.0, -9.0)),
        (S::SynReceived, S::FinWait1) => (0.0, (-52.0, 4.0)),
        (S::SynReceived, S::CloseWait) => (22.0, (96.0, 6.0)),
        (S::Established, S::FinWait1) => (-22.0, (-92.0, 8.0)),
        (S::Established, S::CloseWait) => (0.0, (46.0, 4.0)),
        (S::FinWait1, S::FinWait2) => (0.0, (-52.0, 4.0)),
        (S::FinWait1, S::Closing) => (0.0, (30.0, -12.0)),
        (S::CloseWait, S::LastAck) => (0.0, (50.0, 4.0)),
        (S::FinWait2, S::TimeWait) => (0.0, (-34.0, 16.0)),
        (S::Closing, S::TimeWait) => (0.0, (54.0, 4.0)),
        // Around everything, back to the beginning.
        (S::LastAck, S::Closed) => (-560.0, (14.0, 0.0)),
        (S::TimeWait, S::Closed) => (870.0, (0.0, 0.0)),
        _ => (0.0, (0.0, 0.0)),
    };
    Bend { by, words }
}
