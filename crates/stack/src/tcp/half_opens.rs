//! The half-open connections of all listeners and of the forwarder.

use alloc::sync::Arc;

use handclasp_tcp::{Config, HalfOpen, Tuple};
use handclasp_wire::time::Instant;
use slab::Slab;

use crate::forward::PendingId;
use crate::listen::ListenerId;
use crate::slots::SPARE;
use crate::timers::Timers;

/// Who wants the connection once it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acceptor {
    Listener(ListenerId),
    /// The application took it when it was pending.
    Pending(PendingId),
    /// The forwarder's policy took it.
    Policy,
}

/// A half-open connection and what is needed to complete it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) tuple: Tuple,
    pub(crate) half: HalfOpen,
    pub(crate) config: Arc<Config>,
    pub(crate) acceptor: Acceptor,
}

/// All of them; how many there may be is up to their [`Acceptor`]s.
#[derive(Clone, Debug, Default)]
pub(crate) struct HalfOpens {
    entries: Slab<Entry>,
    timers: Timers,
}

impl HalfOpens {
    pub(crate) fn insert(&mut self, entry: Entry) -> u32 {
        let deadline = entry.half.deadline();
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

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The next one whose deadline has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<u32> {
        self.timers.pop_due(now).map(|slot| slot as u32)
    }

    /// Sets the entry's deadline in the queue to what it says itself.
    pub(crate) fn reschedule(&mut self, slot: u32) {
        if let Some(entry) = self.entries.get(slot as usize) {
            self.timers.schedule(slot as usize, entry.half.deadline());
        }
    }

    /// The places of one acceptor's.
    pub(crate) fn of(&self, acceptor: Acceptor) -> impl Iterator<Item = u32> {
        let its = move |(slot, entry): (usize, &Entry)| {
            (entry.acceptor == acceptor).then_some(slot as u32)
        };
        self.entries.iter().filter_map(its)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}
