//! In which frames something happened.

use crate::mark::Marks;

/// How many frames are kept of what happens often.
const FIRST: usize = 4;

/// Frames in which the same happened: the first few, the last, and how many there were.
///
/// Most of what can happen to a connection does not: nothing takes eight bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames(Option<Box<Kept>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Kept {
    count: u64,
    first: [u64; FIRST],
    last: u64,
}

impl Frames {
    pub(crate) fn add(&mut self, frame: u64) {
        let kept = self.0.get_or_insert_default();
        if let Some(place) = kept.first.get_mut(kept.count as usize) {
            *place = frame;
        }
        kept.last = frame;
        kept.count += 1;
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, |kept| kept.count)
    }

    /// Those that are kept, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().flat_map(|kept| {
            let few = FIRST.min(kept.count as usize);
            let last = (kept.count as usize > FIRST).then_some(kept.last);
            kept.first[..few].iter().copied().chain(last)
        })
    }
}

/// Frames of one end by the marks that they have. Connections without trouble have none.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    of: Vec<(Marks, Frames)>,
}

impl Evidence {
    pub(super) fn add(&mut self, marks: Marks, frame: u64) {
        for mark in marks {
            match self.of.iter_mut().find(|(of, _)| *of == mark) {
                Some((_, frames)) => frames.add(frame),
                None => {
                    let mut frames = Frames::default();
                    frames.add(frame);
                    self.of.push((mark, frames));
                }
            }
        }
    }

    /// The frames with this one mark.
    #[must_use]
    pub fn of(&self, mark: Marks) -> Option<&Frames> {
        self.of.iter().find(|(of, _)| *of == mark).map(|(_, frames)| frames)
    }

    /// How many frames have this one mark.
    #[must_use]
    pub fn count(&self, mark: Marks) -> u64 {
        self.of(mark).map_or(0, Frames::count)
    }
}
