//! The connections in TIME-WAIT.

use alloc::sync::Arc;

use handclasp_tcp::{Config, TimeWait, Tuple};
use handclasp_wire::time::Instant;
use slab::Slab;

use crate::slots::SPARE;
use crate::timers::Timers;

/// A connection in TIME-WAIT.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) tuple: Tuple,
    pub(crate) wait: TimeWait,
    pub(crate) config: Arc<Config>,
}

/// All of them, up to a limit beyond which the ones nearest to their end make room.
#[derive(Clone, Debug)]
pub(crate) struct TimeWaits {
    entries: Slab<Entry>,
    timers: Timers,
    limit: usize,
}

impl TimeWaits {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { entries: Slab::new(), timers: Timers::new(), limit }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= self.limit
    }

    pub(crate) fn insert(&mut self, entry: Entry) -> u32 {
        let deadline = entry.wait.deadline();
        let slot = self.entries.insert(entry);
        self.timers.schedule(slot, deadline);
        slot as u32
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&Entry> {
        self.entries.get(slot as usize)
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Entry> {
        self.entries.get_mut(slot as usize)
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<Entry> {
        let entry = self.entries.try_remove(slot as usize)?;
        self.timers.cancel(slot as usize);
        if self.entries.is_empty() && self.entries.capacity() > SPARE {
            self.entries.shrink_to_fit();
        }
        Some(entry)
    }

    /// Removes the one that is nearest to its end.
    pub(crate) fn remove_oldest(&mut self) -> Option<Entry> {
        let slot = self.timers.pop()?;
        self.remove(slot as u32)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Removes one whose 2 MSL are over.
    pub(crate) fn pop_over(&mut self, now: Instant) -> Option<Entry> {
        while let Some(slot) = self.timers.pop_due(now) {
            let deadline = self.entries[slot].wait.deadline();
            if deadline <= now {
                return self.remove(slot as u32);
            }
            self.timers.schedule(slot, deadline);
        }
        None
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}
