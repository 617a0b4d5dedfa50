//! Things by number, where a number is never taken for that of a thing that is gone.

use alloc::vec::Vec;

/// Places whose memory an empty table keeps: tables fill and empty all the time, but a burst
/// leaves nothing behind.
pub(crate) const SPARE: usize = 1024;

/// A place in [`Slots`], and which of the things that were ever there is meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The place: places are dense, and used again.
    pub index: u32,
    /// Counts the things that have had the place.
    pub generation: u32,
}

impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{}", self.index, self.generation)
    }
}

/// Declares a name for the keys of one kind of thing.
macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $crate::slots::Key);

        impl $name {
            /// Its place: places are dense, and used again.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0.index as usize
            }
        }
    };
}
pub(crate) use key;

/// Things by [`Key`].
#[derive(Clone, Debug)]
pub struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    /// The generation of a place's first thing: beyond that of all that were ever removed.
    first: u32,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    generation: u32,
    thing: Option<T>,
}

impl<T> Slots<T> {
    /// No things.
    #[must_use]
    pub const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), first: 0 }
    }

    /// How many things there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a thing into a free place.
    pub fn insert(&mut self, thing: T) -> Key {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: self.first, thing: None });
            self.slots.len() as u32 - 1
        });
        let slot = &mut self.slots[index as usize];
        slot.thing = Some(thing);
        Key { index, generation: slot.generation }
    }

    /// The thing with this key, if it is still there.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slots.get(key.index as usize)?;
        slot.thing.as_ref().filter(|_| slot.generation == key.generation)
    }

    /// The thing with this key, to be changed, if it is still there.
    #[must_use]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        slot.thing.as_mut().filter(|_| slot.generation == key.generation)
    }

    /// The key of the thing at a place, if there is one.
    #[must_use]
    pub fn key_at(&self, index: usize) -> Option<Key> {
        let slot = self.slots.get(index).filter(|slot| slot.thing.is_some())?;
        Some(Key { index: index as u32, generation: slot.generation })
    }

    /// Takes a thing out, if it is still there.
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.generation != key.generation {
            return None;
        }
        let thing = slot.thing.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(key.index);
        if self.is_empty() && self.slots.capacity() > SPARE {
            let newest = self.slots.iter().map(|slot| slot.generation).max();
            *self = Self { first: newest.unwrap_or_default(), ..Self::new() };
        }
        Some(thing)
    }

    /// All things, by place.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let key = Key { index: index as u32, generation: slot.generation };
            Some((key, slot.thing.as_ref()?))
        })
    }
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
