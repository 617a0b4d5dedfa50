//! Deadlines of numbered things: a heap with one entry each, however often it is rescheduled.

use alloc::vec::Vec;

use handclasp_wire::time::Instant;

use crate::slots::SPARE;

/// "Not in the heap", in [`Timers::place`].
const ABSENT: u32 = u32::MAX;

/// A binary heap of deadlines that knows where each slot's entry stands.
///
/// It is lazy: a deadline that moves away, as a retransmission timer does with every ACK, costs
/// nothing. Its entry fires at the old time, and whoever owns the slot then says that it is not
/// due and schedules it anew. A deadline that comes nearer moves its entry. So a slot never has
/// two entries, and nothing piles up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    heap: Vec<Entry>,
    /// Where in `heap` a slot's entry is, by slot.
    place: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Instant,
    slot: u32,
}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self { heap: Vec::new(), place: Vec::new() }
    }

    /// Sees to it that `slot` fires at `at` or earlier.
    pub(crate) fn schedule(&mut self, slot: usize, at: Instant) {
        if slot >= self.place.len() {
            self.place.resize(slot + 1, ABSENT);
        }
        let place = self.place[slot];
        if place == ABSENT {
            self.heap.push(Entry { at, slot: slot as u32 });
            self.rise(self.heap.len() - 1);
        } else if at < self.heap[place as usize].at {
            self.heap[place as usize].at = at;
            self.rise(place as usize);
        }
    }

    /// Forgets `slot`'s deadline, if it has one.
    pub(crate) fn cancel(&mut self, slot: usize) {
        if let Some(place) = self.place.get(slot).copied().filter(|place| *place != ABSENT) {
            self.take(place as usize);
        }
    }

    /// When the first entry fires.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.first().map(|entry| entry.at)
    }

    /// Takes out the slot whose entry stands first, if its time has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<usize> {
        let due = self.heap.first().is_some_and(|entry| entry.at <= now);
        due.then(|| self.take(0))
    }

    /// Takes out the slot whose entry stands first, due or not.
    pub(crate) fn pop(&mut self) -> Option<usize> {
        (!self.heap.is_empty()).then(|| self.take(0))
    }

    fn take(&mut self, place: usize) -> usize {
        let taken = self.heap.swap_remove(place);
        self.place[taken.slot as usize] = ABSENT;
        if place < self.heap.len() {
            self.rise(place);
            self.sink(place);
        }
        if self.heap.is_empty() && self.heap.capacity() > SPARE {
            *self = Self::new();
        }
        taken.slot as usize
    }

    fn rise(&mut self, mut place: usize) {
        let entry = self.heap[place];
        while place > 0 && entry.at < self.heap[(place - 1) / 2].at {
            self.set(place, self.heap[(place - 1) / 2]);
            place = (place - 1) / 2;
        }
        self.set(place, entry);
    }

    fn sink(&mut self, mut place: usize) {
        let entry = self.heap[place];
        loop {
            let children = 2 * place + 1..(2 * place + 3).min(self.heap.len());
            let Some(child) = children.min_by_key(|child| self.heap[*child].at) else { break };
            if self.heap[child].at >= entry.at {
                break;
            }
            self.set(place, self.heap[child]);
            place = child;
        }
        self.set(place, entry);
    }

    fn set(&mut self, place: usize, entry: Entry) {
        self.heap[place] = entry;
        self.place[entry.slot as usize] = place as u32;
    }
}

#[cfg(test)]
#[path = "timers_tests.rs"]
mod tests;
