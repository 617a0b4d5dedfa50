//! Initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323 §5.4).

use handclasp_tcp::Tuple;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::time::Instant;

use crate::secret::{Message, Prf, Purpose, Secret};

/// How far beyond the last incarnation's numbers a reopened connection starts: more than an
/// unscaled window, so that no old segment fits.
const REOPEN_GAP: u32 = 65_537;

/// Chooses where a connection's numbers start.
#[derive(Clone)]
pub(crate) struct Starts {
    sequence: Prf,
    timestamp: Prf,
}

impl Starts {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self { sequence: secret.prf(Purpose::Isn), timestamp: secret.prf(Purpose::TimestampOffset) }
    }

    /// `M + F(localip, localport, remoteip, remoteport, secret)`, M counting every 4 µs
    /// (RFC 6528 §3).
    pub(crate) fn sequence(&self, tuple: &Tuple, now: Instant) -> SeqNumber {
        let clock = (now.as_micros() / 4) as u32;
        SeqNumber(clock) + self.sequence.of(&Message::new().tuple(tuple)) as u32
    }

    /// The same, but beyond `after`, up to which the tuple's last incarnation may have sent:
    /// faster than the clock counts, if it was in a hurry (RFC 9293 §3.6.1, RFC 6191 §2).
    pub(crate) fn sequence_after(
        &self,
        tuple: &Tuple,
        after: SeqNumber,
        now: Instant,
    ) -> SeqNumber {
        let usual = self.sequence(tuple, now);
        let least = after + REOPEN_GAP;
        usual.max(least)
    }

    /// What a tuple's TSvals are moved by: the same for every incarnation, so that they keep
    /// growing from one to the next and RFC 6191 and PAWS hold.
    pub(crate) fn timestamp_offset(&self, tuple: &Tuple) -> u32 {
        self.timestamp.of(&Message::new().tuple(tuple)) as u32
    }
}

#[cfg(test)]
#[path = "isn_tests.rs"]
mod tests;
