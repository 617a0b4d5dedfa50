//! How a connection ended, and what it came to.

use std::time::Duration;

use handclasp_tcp::State;

use super::Flow;
use crate::track::Side;
use crate::track::summary::Ending;

impl Flow {
    /// Which side an end is.
    #[must_use]
    pub const fn side(&self, end: usize) -> Side {
        if end == self.client { Side::Client } else { Side::Server }
    }

    /// From its first packet to its last.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.last.at - self.first.at
    }

    /// How it ended, as far as was captured.
    #[must_use]
    pub fn ending(&self) -> Ending {
        let [a, b] = [self.troubles[0].fin, self.troubles[1].fin];
        let first = match (a, b) {
            (Some(a), Some(b)) => Some(usize::from(b.frame < a.frame)),
            (Some(_), None) => Some(0),
            (None, Some(_)) => Some(1),
            (None, None) => None,
        };
        let both = a.is_some() && b.is_some();
        match (self.reset.filter(|reset| reset.believed), first) {
            // Behind both FINs a RST changes nothing.
            (Some(reset), first) if !(both && first.is_some()) => {
                let refused =
                    reset.by == self.server() && reset.before[self.client] == Some(State::SynSent);
                if refused { Ending::Refused } else { Ending::Reset(self.side(reset.by)) }
            }
            (_, Some(first)) if both => Ending::Closed(self.side(first)),
            (_, Some(first)) => Ending::HalfClosed(self.side(first)),
            (_, None) if self.is_unanswered() => Ending::Unanswered,
            (_, None) => Ending::Open,
        }
    }

    fn is_unanswered(&self) -> bool {
        self.handshake.syns.count() > 0 && self.ends[self.server()].counts.packets == 0
    }
}
