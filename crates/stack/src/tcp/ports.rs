//! Ephemeral ports (RFC 6056).

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;

use crate::secret::{Message, Prf, Purpose, Secret};

/// Counters that destinations share by hash; more make one destination's choices tell less
/// about another's (RFC 6056 §3.3.4 suggests ten and more).
const COUNTERS: usize = 256;
/// A counter moves on by up to so many, so that one choice does not give away the next
/// (RFC 6056 §3.3.5), yet ports come round late.
const STEP: u64 = 16;

/// Chooses ports by the double hash of RFC 6056 §3.3.4, whose counters step by random amounts
/// as in its §3.3.5.
#[derive(Clone)]
pub(crate) struct Ports {
    range: RangeInclusive<u16>,
    counters: Box<[u32; COUNTERS]>,
    choices: u32,
    offset: Prf,
    index: Prf,
    step: Prf,
}

impl Ports {
    pub(crate) fn new(range: RangeInclusive<u16>, secret: &Secret) -> Self {
        Self {
            range,
            counters: Box::new([0; COUNTERS]),
            choices: 0,
            offset: secret.prf(Purpose::PortOffset),
            index: secret.prf(Purpose::PortIndex),
            step: secret.prf(Purpose::PortStep),
        }
    }

    /// All ports of the range in the order in which they are to be tried for this pair, and
    /// the counter to be told of the choice.
    pub(crate) fn candidates(
        &self,
        local: IpAddr,
        remote: SocketAddr,
    ) -> (impl Iterator<Item = u16> + use<>, Counter) {
        let (first, last) = (u32::from(*self.range.start()), u32::from(*self.range.end()));
        let count = (last + 1).saturating_sub(first);
        let pair = || Message::new().ip(local).ip(remote.ip()).number(u32::from(remote.port()));
        let counter = self.index.of(&pair()) as usize % COUNTERS;
        let start = (self.offset.of(&pair()) as u32).wrapping_add(self.counters[counter]);
        let port = move |tried| (first + (start % count + tried) % count) as u16;
        ((0..count).map(port), Counter(counter))
    }

    /// The candidate after `tried` others was chosen: the next choice begins behind it.
    pub(crate) fn chosen(&mut self, counter: Counter, tried: usize) {
        self.choices = self.choices.wrapping_add(1);
        let step = 1 + self.step.of(&Message::new().number(self.choices)) % STEP;
        let counter = &mut self.counters[counter.0];
        *counter = counter.wrapping_add(tried as u32 + step as u32);
    }
}

/// One of the counters that destinations share.
#[derive(Clone, Copy)]
pub(crate) struct Counter(usize);

#[cfg(test)]
#[path = "ports_tests.rs"]
mod tests;
