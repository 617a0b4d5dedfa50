//! Where things stand in the picture.

use handclasp_tcp::State;

/// The picture's size.
pub const SIZE: (f64, f64) = (1060.0, 930.0);

/// Half the width and height of a state's box.
pub const HALF: (f64, f64) = (97.0, 28.0);

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

/// How an arrow goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// In a curve whose middle is pushed so far to the left of the straight line, as seen along
    /// the arrow.
    Curve(f64),
    /// Out to the side, up or down there, and back in.
    Around(f64),
}

/// How the arrow between two states goes, and how far its words stand from its middle.
#[must_use]
pub const fn way(from: State, to: State) -> Option<(Way, (f64, f64))> {
    use State as S;
    use Way::{Around, Curve};
    Some(match (from, to) {
        (S::Closed, S::Listen) => (Curve(-26.0), (-26.0, -8.0)),
        (S::Listen, S::Closed) => (Curve(-26.0), (28.0, 18.0)),
        (S::Closed, S::SynSent) => (Curve(26.0), (50.0, -8.0)),
        (S::SynSent, S::Closed) => (Curve(26.0), (-28.0, 18.0)),
        (S::Listen, S::SynSent) => (Curve(0.0), (0.0, -9.0)),
        (S::Listen, S::SynReceived) => (Curve(0.0), (-58.0, 4.0)),
        (S::SynSent, S::SynReceived) => (Curve(0.0), (-56.0, -8.0)),
        (S::SynSent, S::Established) => (Curve(0.0), (58.0, 4.0)),
        (S::SynReceived, S::Established) => (Curve(0.0), (0.0, -9.0)),
        (S::SynReceived, S::FinWait1) => (Curve(0.0), (-46.0, 4.0)),
        (S::SynReceived, S::CloseWait) => (Curve(22.0), (118.0, 36.0)),
        (S::Established, S::FinWait1) => (Curve(-22.0), (-118.0, 36.0)),
        (S::Established, S::CloseWait) => (Curve(0.0), (42.0, 4.0)),
        (S::FinWait1, S::FinWait2) => (Curve(0.0), (-48.0, 4.0)),
        (S::FinWait1, S::Closing) => (Curve(0.0), (34.0, -10.0)),
        (S::CloseWait, S::LastAck) => (Curve(0.0), (46.0, 4.0)),
        (S::FinWait2, S::TimeWait) => (Curve(0.0), (-34.0, 18.0)),
        (S::Closing, S::TimeWait) => (Curve(0.0), (48.0, 4.0)),
        (S::LastAck, S::Closed) => (Around(1000.0), (0.0, 4.0)),
        (S::TimeWait, S::Closed) => (Around(60.0), (0.0, 4.0)),
        _ => return None,
    })
}
