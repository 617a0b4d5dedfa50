//! A connection's timers: a table of slots and one next deadline.

use handclasp_wire::time::Instant;

/// What a connection can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timer {
    /// Retransmission (RFC 6298), of a SYN too.
    Retransmit,
    /// Probing a zero window (RFC 9293 §3.8.6.1).
    Persist,
    /// A delayed ACK (RFC 9293 §3.8.6.3).
    DelayedAck,
    /// Sending less than a full segment after all (RFC 9293 §3.8.6.2.1's override).
    Override,
    /// Keep-alive (RFC 9293 §3.8.4).
    KeepAlive,
    /// Waiting in FIN-WAIT-2 for a peer when no application waits with us.
    FinWait2,
}

impl Timer {
    const ALL: [Self; 6] = [
        Self::Retransmit,
        Self::Persist,
        Self::DelayedAck,
        Self::Override,
        Self::KeepAlive,
        Self::FinWait2,
    ];
}

/// When each timer fires, if it does.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    deadlines: [Instant; Timer::ALL.len()],
}

impl Timers {
    /// All deadlines, set or not.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = Instant> {
        self.deadlines.into_iter()
    }

    pub(crate) const fn new() -> Self {
        Self { deadlines: [Instant::FAR_FUTURE; Timer::ALL.len()] }
    }

    pub(crate) fn set(&mut self, timer: Timer, deadline: Instant) {
        self.deadlines[timer as usize] = deadline;
    }

    pub(crate) fn cancel(&mut self, timer: Timer) {
        self.deadlines[timer as usize] = Instant::FAR_FUTURE;
    }

    pub(crate) fn cancel_all(&mut self) {
        *self = Self::new();
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.deadlines[timer as usize] != Instant::FAR_FUTURE
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.deadlines.iter().min().copied().filter(|d| *d != Instant::FAR_FUTURE)
    }

    /// Takes out one timer whose deadline has come, the earliest first.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let due = Timer::ALL.into_iter().min_by_key(|t| self.deadlines[*t as usize])?;
        if self.deadlines[due as usize] > now || !self.is_set(due) {
            return None;
        }
        self.cancel(due);
        Some(due)
    }
}
