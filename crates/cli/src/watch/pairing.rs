//! Which packets, seen on both sides of a link, are the same.
//!
//! What is seen on the stack's side is handed on in the order in which it was seen there. A
//! packet of ours is kept back until it was seen on the peer's side too, or was lost, so that
//! its row can tell what became of it and how it left the peer.

use std::collections::VecDeque;

use handclasp_explain::track::Fate;

use super::{SeenPacket, Sight};

/// How many packets are remembered that were seen on one side only.
const UNPAIRED: usize = 1024;

/// Pairs the sights of a link's two sides.
#[derive(Default)]
pub(crate) struct Pairing {
    /// Whether the peer's side is watched at all.
    two_sided: bool,
    /// Ours that reached the peer and were not yet seen to leave.
    reached: VecDeque<SeenPacket>,
    /// The peer's that were not yet seen to arrive.
    coming: VecDeque<SeenPacket>,
    /// Ours that were lost, before they were seen to leave.
    lost: VecDeque<SeenPacket>,
    queue: VecDeque<Waiting>,
}

struct Waiting {
    sight: Sight,
    ready: bool,
}

impl Pairing {
    /// For a link whose other side is watched, or not.
    pub(crate) fn new(two_sided: bool) -> Self {
        Self { two_sided, ..Self::default() }
    }

    /// Takes a sight in.
    pub(crate) fn put(&mut self, sight: Sight) {
        match sight {
            Sight::Far(packet) if packet.ours => self.far_ours(*packet),
            Sight::Lost(packet) if packet.ours => remember(&mut self.lost, *packet),
            Sight::Near(packet) if packet.ours && self.two_sided => self.near_ours(*packet),
            other => {
                self.tell_copies();
                match other {
                    Sight::Far(packet) => remember(&mut self.coming, *packet),
                    Sight::Near(packet) if self.two_sided => self.near_theirs(*packet),
                    Sight::Lost(packet) => self.lost_theirs(*packet),
                    other => self.push(other, true),
                }
            }
        }
    }

    /// The next packet or step whose story is known.
    pub(crate) fn next(&mut self) -> Option<Sight> {
        self.queue.pop_front_if(|waiting| waiting.ready).map(|waiting| waiting.sight)
    }

    /// Whether something waits to be paired.
    pub(crate) fn waits(&self) -> bool {
        !self.queue.is_empty() || !self.reached.is_empty()
    }

    /// Waits no longer.
    pub(crate) fn give_up(&mut self) {
        self.tell_copies();
        self.queue.iter_mut().for_each(|waiting| waiting.ready = true);
    }

    fn push(&mut self, sight: Sight, ready: bool) {
        self.queue.push_back(Waiting { sight, ready });
    }

    fn near_ours(&mut self, mut packet: SeenPacket) {
        let mut ready = false;
        if let Some(lost) = take_like(&mut self.lost, &packet) {
            (packet.fate, packet.peer, ready) = (Fate::Lost, lost.peer, true);
        } else if let Some(far) = take_like(&mut self.reached, &packet) {
            (packet.fate, packet.peer, ready) = (far.fate, far.peer, true);
        }
        self.push(Sight::Near(Box::new(packet)), ready);
    }

    fn far_ours(&mut self, far: SeenPacket) {
        let alike = |waiting: &&mut Waiting| match &waiting.sight {
            Sight::Near(near) => {
                near.ours && !waiting.ready && (far.is_like(near) || far.fate == Fate::Damaged)
            }
            _ => false,
        };
        match self.queue.iter_mut().find(alike) {
            Some(waiting) => {
                if let Sight::Near(near) = &mut waiting.sight {
                    (near.fate, near.peer) = (far.fate, far.peer);
                }
                waiting.ready = true;
            }
            // Without a delay the link hands it over before it is seen to leave.
            None => remember(&mut self.reached, far),
        }
    }

    /// Nothing of ours left after these reached the peer: the link copied them.
    fn tell_copies(&mut self) {
        for packet in std::mem::take(&mut self.reached) {
            let copy = SeenPacket { fate: Fate::Copied, ..packet };
            self.push(Sight::Near(Box::new(copy)), true);
        }
    }

    fn near_theirs(&mut self, mut packet: SeenPacket) {
        match take_like(&mut self.coming, &packet) {
            Some(far) => packet.peer = far.peer,
            None if packet.fate == Fate::Damaged => {
                packet.peer = self.coming.pop_front().and_then(|far| far.peer);
            }
            None => packet.fate = Fate::Copied,
        }
        self.push(Sight::Near(Box::new(packet)), true);
    }

    fn lost_theirs(&mut self, mut packet: SeenPacket) {
        packet.peer = take_like(&mut self.coming, &packet).and_then(|far| far.peer);
        self.push(Sight::Near(Box::new(packet)), true);
    }
}

fn remember(packets: &mut VecDeque<SeenPacket>, packet: SeenPacket) {
    if packets.len() == UNPAIRED {
        packets.pop_front();
    }
    packets.push_back(packet);
}

fn take_like(packets: &mut VecDeque<SeenPacket>, packet: &SeenPacket) -> Option<SeenPacket> {
    let at = packets.iter().position(|other| other.is_like(packet))?;
    packets.remove(at)
}

#[cfg(test)]
#[path = "pairing_tests.rs"]
mod tests;
