//! How a connection was opened: each of the three packets, as often as it was sent.

use std::time::Duration;

use handclasp_wire::tcp::Flags;
use smallvec::SmallVec;

use super::Sight;
use crate::capture::dissect::Segment;

/// How many sendings of one packet are kept; Linux sends a SYN seven times.
const MAX_SENDINGS: usize = 8;

/// One packet's sendings.
#[derive(Clone, Debug, Default)]
pub struct Sendings {
    // Mostly there is one.
    kept: SmallVec<[Sight; 1]>,
    count: u64,
}

impl Sendings {
    fn add(&mut self, sight: Sight) {
        if self.kept.len() < MAX_SENDINGS {
            self.kept.push(sight);
        }
        self.count += 1;
    }

    /// How often it was sent.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The first ones.
    #[must_use]
    pub fn first_few(&self) -> &[Sight] {
        &self.kept
    }

    /// The first one.
    #[must_use]
    pub fn first(&self) -> Option<Sight> {
        self.kept.first().copied()
    }

    /// How long each of them came after the one before.
    pub fn waits(&self) -> impl Iterator<Item = Duration> + '_ {
        self.kept.windows(2).map(|pair| pair[1].at - pair[0].at)
    }
}

/// The packets of a handshake.
#[derive(Clone, Debug, Default)]
pub struct Handshake {
    /// The client's SYN.
    pub syns: Sendings,
    /// The server's answer.
    pub syn_acks: Sendings,
    /// The client's first ACK behind it, with data or without.
    pub third: Option<Sight>,
    /// The number that the answer acknowledged.
    pub acknowledged: Option<u32>,
}

impl Handshake {
    pub(super) fn see(&mut self, by_client: bool, segment: &Segment<'_>) {
        let (flags, sight) = (segment.header.flags, Sight::of(segment));
        let (syn, ack) = (flags.contains(Flags::SYN), flags.contains(Flags::ACK));
        match (by_client, syn, ack) {
            _ if flags.contains(Flags::RST) => {}
            (true, true, false) => self.syns.add(sight),
            (false, true, true) => {
                self.acknowledged.get_or_insert(segment.header.ack.0);
                self.syn_acks.add(sight);
            }
            (true, false, true) if self.syn_acks.count() > 0 => {
                self.third.get_or_insert(sight);
            }
            _ => {}
        }
    }

    /// From the SYN to its answer, if neither was repeated: else nobody knows which of them
    /// was answered.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        let (syn, answer) = (self.syns.first()?, self.syn_acks.first()?);
        (self.syns.count() == 1 && self.syn_acks.count() == 1).then(|| answer.at - syn.at)
    }

    /// From the SYN to the ACK behind the answer: the whole path, whatever side it was
    /// captured at.
    #[must_use]
    pub fn full_round_trip(&self) -> Option<Duration> {
        self.round_trip()?;
        Some(self.third?.at - self.syns.first()?.at)
    }
}
