//! In which order segments were sent, whatever order they came in.

use crate::capture::dissect::Segment;

/// How many identifications in a row must have counted up before they are believed.
const STEADY: u8 = 4;
/// A sender that counts for each connection, as Linux does, steps by little more than one.
const STEP: u16 = 255;

/// What the newest segment of one end carried.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stamp {
    /// IPv4's identification.
    id: u16,
    /// How many of them counted up.
    steps: u8,
    /// TSval.
    time: Option<u32>,
}

impl Stamp {
    /// Whether `segment` was certainly sent after the newest one: its timestamp or its
    /// identification says so.
    pub(super) fn is_older_than(&self, segment: &Segment<'_>) -> bool {
        let time = segment.header.options.timestamps.map(|timestamps| timestamps.value);
        match (self.time, time) {
            (Some(old), Some(new)) if old != new => new.wrapping_sub(old).cast_signed() > 0,
            _ => self.steps >= STEADY && self.step(segment).is_some(),
        }
    }

    /// By how much its identification counted up, if it did.
    fn step(&self, segment: &Segment<'_>) -> Option<u16> {
        let step = segment.ip.id?.wrapping_sub(self.id);
        (1..=STEP).contains(&step).then_some(step)
    }

    pub(super) fn note(&mut self, segment: &Segment<'_>) {
        if let Some(timestamps) = segment.header.options.timestamps {
            let newer = |old: u32| timestamps.value.wrapping_sub(old).cast_signed() > 0;
            if self.time.is_none_or(newer) {
                self.time = Some(timestamps.value);
            }
        }
        let Some(id) = segment.ip.id else { return };
        match self.step(segment) {
            Some(_) => (self.id, self.steps) = (id, self.steps.saturating_add(1)),
            // One that was overtaken changes nothing.
            None if self.id.wrapping_sub(id) <= STEP && self.steps > 0 => {}
            None => (self.id, self.steps) = (id, 0),
        }
    }
}
