//! A connection's timers: a table of slots and one next deadline.

use handclasp_wire::time::Instant;

/// What a connection can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timer {
    /// Retransmission (RFC 6298), of a SYN too.
    Retransmit,
    /// A tail loss probe (RFC 8985 §7.2), instead of the retransmission timer.
    TailProbe,
    /// Looking again what is lost and what was only reordered (RFC 8985 §6.2), instead of the
    /// retransmission timer.
    Reorder,
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
    /// Letting the next burst of data leave: while it is set, none does.
    Pacing,
}

/// Slots of the table: the three timers that watch over what is in flight share one, since
/// setting one of them ends the others (RFC 8985 §8).
const SLOTS: usize = 7;

impl Timer {
    const fn slot(self) -> usize {
        match self {
            Self::Retransmit | Self::TailProbe | Self::Reorder => 0,
            Self::Persist => 1,
            Self::DelayedAck => 2,
            Self::Override => 3,
            Self::KeepAlive => 4,
            Self::FinWait2 => 5,
            Self::Pacing => 6,
        }
    }
}

/// When each timer fires, if it does.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    deadlines: [Instant; SLOTS],
    /// Which of those that share a slot is set.
    watch: Timer,
}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self { deadlines: [Instant::FAR_FUTURE; SLOTS], watch: Timer::Retransmit }
    }

    /// Sets `timer`, and ends what shares its slot.
    pub(crate) fn set(&mut self, timer: Timer, deadline: Instant) {
        self.deadlines[timer.slot()] = deadline;
        if timer.slot() == 0 {
            self.watch = timer;
        }
    }

    /// Ends `timer`, and what shares its slot.
    pub(crate) fn cancel(&mut self, timer: Timer) {
        self.deadlines[timer.slot()] = Instant::FAR_FUTURE;
    }

    pub(crate) fn cancel_all(&mut self) {
        *self = Self::new();
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        let shares = timer.slot() == 0 && self.watch != timer;
        !shares && self.deadlines[timer.slot()] != Instant::FAR_FUTURE
    }

    /// Whether any timer watches over what is in flight.
    pub(crate) fn watches(&self) -> bool {
        self.deadlines[0] != Instant::FAR_FUTURE
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.deadlines.iter().min().copied().filter(|d| *d != Instant::FAR_FUTURE)
    }

    /// Takes out one timer whose deadline has come, the earliest first.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let all = [
            self.watch,
            Timer::Persist,
            Timer::DelayedAck,
            Timer::Override,
            Timer::KeepAlive,
            Timer::FinWait2,
            Timer::Pacing,
        ];
        let due = all.into_iter().min_by_key(|t| self.deadlines[t.slot()])?;
        if self.deadlines[due.slot()] > now || !self.is_set(due) {
            return None;
        }
        self.cancel(due);
        Some(due)
    }
}
