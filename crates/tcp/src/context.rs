//! What is handed into every verb: the time, the host's memory budget, a log.

use core::sync::atomic::{AtomicUsize, Ordering};

use handclasp_wire::time::Instant;

use crate::event::{Event, Log};
use crate::tuple::Tuple;

/// The surroundings of one call into a connection.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The present.
    pub now: Instant,
    /// The host's memory for buffers.
    pub budget: &'a Budget,
    /// Who wants to know what happens; `None` costs one branch per event.
    pub log: Option<&'a dyn Log>,
}

impl<'a> Context<'a> {
    /// A context nobody listens to.
    #[must_use]
    pub const fn new(now: Instant, budget: &'a Budget) -> Self {
        Self { now, budget, log: None }
    }

    /// Hands the event that `make` describes to the log, if there is one.
    pub(crate) fn record<'e>(&self, tuple: &Tuple, make: impl FnOnce() -> Event<'e>) {
        if let Some(log) = self.log {
            log.record(self.now, tuple, &make());
        }
    }
}

/// Bytes of buffer memory that all connections of a host may use together.
///
/// Every connection may always hold [`Budget::GUARANTEED`] bytes per direction, so that a full
/// budget slows connections down but stops none.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    /// Bytes per direction that a connection gets even when the budget is used up.
    pub const GUARANTEED: usize = 4096;

    /// A budget of `limit` bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0) }
    }

    /// Bytes that buffers hold now.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Bytes that buffers may hold in all.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes that are still free; zero when guaranteed memory overdrew it.
    #[must_use]
    pub fn free(&self) -> usize {
        self.limit.saturating_sub(self.used())
    }

    /// Whether less than a quarter is free: buffers stop growing and windows stop opening.
    #[must_use]
    pub fn under_pressure(&self) -> bool {
        self.free() < self.limit / 4
    }

    /// Counts `n` bytes as used, whether or not they fit.
    pub(crate) fn take(&self, n: usize) {
        self.used.fetch_add(n, Ordering::Relaxed);
    }

    /// Counts `n` bytes as free again.
    pub(crate) fn give_back(&self, n: usize) {
        self.used.fetch_sub(n, Ordering::Relaxed);
    }
}

impl Clone for Budget {
    /// A budget of its own that begins where this one is: for the copy of a whole host.
    fn clone(&self) -> Self {
        Self { limit: self.limit, used: AtomicUsize::new(self.used()) }
    }
}

impl Default for Budget {
    /// 1 GiB.
    fn default() -> Self {
        Self::new(1 << 30)
    }
}
