//! From a four-tuple to whoever it belongs to.

use handclasp_tcp::Tuple;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::forward::PendingId;
use crate::secret::TableHash;
use crate::slots::SPARE;
use crate::store::ConnId;

/// Whom a four-tuple belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Connection(ConnId),
    /// By place in the table of half-open connections.
    HalfOpen(u32),
    /// By place in the table of TIME-WAIT.
    TimeWait(u32),
    /// Waits at the forwarder.
    Pending(PendingId),
}

/// The table of all four-tuples. Its hash is keyed, since peers choose their half of the key.
#[derive(Clone)]
pub(crate) struct Demux {
    table: HashTable<(Tuple, Owner)>,
    hash: TableHash,
}

impl Demux {
    pub(crate) const fn new(hash: TableHash) -> Self {
        Self { table: HashTable::new(), hash }
    }

    pub(crate) fn get(&self, tuple: &Tuple) -> Option<Owner> {
        let found = self.table.find(self.hash.tuple(tuple), |(other, _)| other == tuple)?;
        Some(found.1)
    }

    /// Gives a tuple to `owner`, whoever had it before.
    pub(crate) fn insert(&mut self, tuple: Tuple, owner: Owner) {
        let hash = &self.hash;
        let place = self.table.entry(
            hash.tuple(&tuple),
            |(other, _)| *other == tuple,
            |(other, _)| hash.tuple(other),
        );
        match place {
            Entry::Occupied(mut taken) => taken.get_mut().1 = owner,
            Entry::Vacant(free) => {
                free.insert((tuple, owner));
            }
        }
    }

    pub(crate) fn remove(&mut self, tuple: &Tuple) {
        let hash = self.hash.tuple(tuple);
        if let Ok(found) = self.table.find_entry(hash, |(other, _)| other == tuple) {
            found.remove();
        }
        if self.table.is_empty() && self.table.capacity() > SPARE {
            self.table = HashTable::new();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Tuple, Owner)> {
        self.table.iter()
    }
}

#[cfg(test)]
#[path = "demux_tests.rs"]
mod tests;
