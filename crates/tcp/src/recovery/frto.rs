//! Whether a timeout was for nothing (F-RTO, RFC 5682): after it one segment is sent again and
//! then new ones, and what the next two ACKs say decides.

use handclasp_wire::seq::SeqNumber;

/// Where the algorithm stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Frto {
    /// It is not under way, or came to nothing.
    #[default]
    Off,
    /// Step 1 was done: the first segment was sent again.
    Resent,
    /// Step 2 was done: new data up to there may leave, and nothing else.
    Probing {
        /// Behind the two segments.
        until: SeqNumber,
    },
}

/// What an ACK tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// It moves `snd.una`.
    pub(crate) advances: bool,
    /// To what was in flight at the timeout, or beyond.
    pub(crate) covers_all: bool,
    /// It is a duplicate ACK, or reports something new beyond `snd.una`.
    pub(crate) duplicate: bool,
    /// It shows that something arrived that was in flight at the timeout and was not sent again.
    pub(crate) original: bool,
    /// The peer speaks SACK.
    pub(crate) sack: bool,
    /// Behind two segments of new data, if the peer's window takes any and there is some.
    pub(crate) new_data: Option<SeqNumber>,
}

/// What follows for the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Not yet anything.
    Open,
    /// The timeout was spurious.
    Spurious,
    /// It was right, or cannot be told from one that was: what is marked lost goes out again.
    Real,
    /// Likewise, after new data was sent: no more than three segments may be under way.
    RealAfterProbing,
}

impl Frto {
    /// An ACK came after the timeout (§2.1 steps 2 and 3, §3.1 steps 2 and 3).
    pub(crate) fn acked(&mut self, facts: &Facts) -> Finding {
        let news = facts.advances || facts.duplicate;
        let finding = match *self {
            Self::Off => return Finding::Open,
            _ if !news => return Finding::Open,
            Self::Resent => match facts.new_data {
                Some(until) if facts.advances && !facts.covers_all => {
                    *self = Self::Probing { until };
                    return Finding::Open;
                }
                _ => Finding::Real,
            },
            Self::Probing { .. } if facts.sack && facts.original => Finding::Spurious,
            Self::Probing { .. } if !facts.sack && facts.advances => Finding::Spurious,
            // The ACK to what was sent again may come in two parts.
            Self::Probing { .. } if facts.sack && facts.advances => return Finding::Open,
            Self::Probing { .. } => Finding::RealAfterProbing,
        };
        *self = Self::Off;
        finding
    }
}

#[cfg(test)]
#[path = "frto_tests.rs"]
mod tests;
