//! A property that is found violated once: by the shortest run.

use std::sync::atomic::{AtomicBool, Ordering};

/// Remembers that a violation was found. The explorer keeps the last of those it meets before
/// it stops, and the first is the shortest.
#[derive(Debug, Default)]
pub(crate) struct First(AtomicBool);

impl First {
    /// Whether the property counts as held: it does again once it was seen violated.
    pub(crate) fn holds(&self, holds: impl FnOnce() -> bool) -> bool {
        if self.0.load(Ordering::Relaxed) || holds() {
            return true;
        }
        self.0.store(true, Ordering::Relaxed);
        false
    }
}
