//! Tail loss probes (TLP, RFC 8985 §7): a segment that draws an ACK before the timeout does.

use core::time::Duration;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::SackBlock;

/// How long a peer may hold back an ACK for a lone segment, where nothing else is known
/// (RFC 8985 §7.2, TLP.max_ack_delay).
const ACK_DELAY_MAX: Duration = Duration::from_millis(200);
/// Without a measurement (RFC 8985 §7.2).
const UNMEASURED: Duration = Duration::from_secs(1);

/// A probe that was sent and whose fate is not known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    /// TLP.end_seq.
    pub(crate) end: SeqNumber,
    /// Where it began, if it was a retransmission (TLP.is_retrans).
    pub(crate) resent: Option<SeqNumber>,
}

/// What an ACK says about a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Unknown,
    /// Nothing was lost.
    Idle,
    /// It repaired a loss that nothing else would have shown.
    Repaired,
}

impl Probe {
    /// §7.4.2. `bare` is a duplicate ACK without SACK blocks.
    pub(crate) fn judge(&self, ack: SeqNumber, dsack: Option<SackBlock>, bare: bool) -> Outcome {
        if ack.lt(self.end) {
            return Outcome::Unknown;
        }
        let Some(begin) = self.resent else { return Outcome::Idle };
        let both = dsack.is_some_and(|d| d.right == self.end && d.left.ge(begin));
        if both || ack == self.end && bare {
            Outcome::Idle
        } else if ack.gt(self.end) {
            Outcome::Repaired
        } else {
            Outcome::Unknown
        }
    }
}

/// §7.2: how long to wait for an ACK before a probe; `alone` with one segment in flight.
pub(crate) fn timeout(srtt: Option<Duration>, alone: bool) -> Duration {
    let Some(srtt) = srtt else { return UNMEASURED };
    srtt * 2 + if alone { ACK_DELAY_MAX } else { Duration::ZERO }
}
