//! Which packets, seen on both sides of a link, are the same.
//!
//! What is seen on the stack's side is handed on in the order in which it was seen there. A
//! packet of ours is kept back until it was seen on the peer's side too, or was lost, so that
//! its row can tell what became of it and how it left the peer.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use handclasp_explain::track::Fate;

use super::{SeenPacket, Sight};

/// How many packets are remembered that were seen on one side only.
const UNPAIRED: usize = 1 << 16;

/// How many packets are remembered that were seen on both, to know copies of them.
const PAIRED: usize = 1024;

/// How much longer than it has to a packet may take: it may queue, or be held back.
const SLACK: Duration = Duration::from_secs(2);

/// How many sights are held back by one that waits.
const HELD_BACK: usize = 1 << 18;

/// Pairs the sights of a link's two sides.
#[derive(Default)]
pub(crate) struct Pairing {
    /// Whether the peer's side is watched at all.
    two_sided: bool,
    patience: Duration,
    /// Ours that reached the peer and were not yet seen to leave.
    reached: VecDeque<SeenPacket>,
    /// The peer's that were not yet seen to arrive.
    coming: VecDeque<SeenPacket>,
    /// Ours that were lost, before they were seen to leave.
    lost: VecDeque<SeenPacket>,
    /// Were seen on both sides.
    paired: VecDeque<Mark>,
    /// Ours that were not waited for any longer.
    given_up: VecDeque<Mark>,
    queue: VecDeque<Waiting>,
}

/// What tells a packet from others of late.
type Mark = (SocketAddr, u32, u16);

fn mark(packet: &SeenPacket) -> Mark {
    (packet.src, packet.header.seq.0, packet.sum)
}

struct Waiting {
    sight: Sight,
    ready: bool,
}

impl Pairing {
    /// For a link whose other side is watched too; packets take up to `travel` on it.
    pub(crate) fn two_sided(travel: Duration) -> Self {
        Self { two_sided: true, patience: travel + SLACK, ..Self::default() }
    }

    /// For a link of which only the stack's side is seen.
    pub(crate) fn one_sided() -> Self {
        Self::default()
    }

    /// How long what waits to be paired is worth waiting for.
    pub(crate) fn patience(&self) -> Option<Duration> {
        let waits = !self.queue.is_empty() || !self.reached.is_empty();
        waits.then_some(self.patience)
    }

    /// Takes a sight in.
    pub(crate) fn put(&mut self, sight: Sight) {
        match sight {
            Sight::Far(packet) if packet.ours => self.far_ours(*packet),
            Sight::Lost(packet) if packet.ours => remember(&mut self.lost, *packet, UNPAIRED),
            Sight::Near(packet) if packet.ours && self.two_sided => self.near_ours(*packet),
            other => {
                self.tell_strays();
                match other {
                    Sight::Far(packet) => remember(&mut self.coming, *packet, UNPAIRED),
                    Sight::Near(packet) if self.two_sided => self.near_theirs(*packet),
                    Sight::Lost(packet) => self.lost_theirs(*packet),
                    // Without its other side, nothing is to be learned from it.
                    Sight::Near(packet) if packet.is_garbled() => {}
                    other => self.push(other, true),
                }
            }
        }
    }

    /// The next packet or step whose story is known.
    pub(crate) fn next(&mut self) -> Option<Sight> {
        self.queue.pop_front_if(|waiting| waiting.ready).map(|waiting| waiting.sight)
    }

    /// Waits no longer.
    pub(crate) fn give_up(&mut self) {
        self.tell_strays();
        let waiting = self.queue.iter_mut().filter(|waiting| !waiting.ready);
        for waiting in waiting {
            waiting.ready = true;
            if let Sight::Near(packet) = &waiting.sight {
                remember(&mut self.given_up, mark(packet), PAIRED);
            }
        }
    }

    fn push(&mut self, sight: Sight, ready: bool) {
        if self.queue.len() == HELD_BACK {
            self.give_up();
        }
        self.queue.push_back(Waiting { sight, ready });
    }

    fn near_ours(&mut self, mut packet: SeenPacket) {
        if let Some(lost) = take_like(&mut self.lost, &packet) {
            (packet.fate, packet.peer) = (Fate::Lost, lost.peer);
            return self.push(Sight::Near(Box::new(packet)), true);
        }
        let damaged = |paired: &VecDeque<Mark>, far: &SeenPacket| !paired.contains(&mark(far));
        let ready = if let Some(far) = take_like(&mut self.reached, &packet) {
            packet.peer = far.peer;
            remember(&mut self.paired, mark(&packet), PAIRED);
            true
        } else if let Some(at) = self.reached.iter().position(|far| damaged(&self.paired, far)) {
            packet.peer = self.reached.remove(at).and_then(|far| far.peer);
            packet.fate = Fate::Damaged;
            true
        } else {
            false
        };
        self.push(Sight::Near(Box::new(packet)), ready);
    }

    fn far_ours(&mut self, far: SeenPacket) {
        if self.arrives(&far, Fate::Arrived, |near| far.is_like(near)) {
            remember(&mut self.paired, mark(&far), PAIRED);
        } else if let Some(at) = self.given_up.iter().position(|late| *late == mark(&far)) {
            self.given_up.remove(at);
        } else {
            // Without a delay the link hands it over before it is seen to leave.
            remember(&mut self.reached, far, UNPAIRED);
        }
    }

    /// The first packet of ours that is on its way, and is `this`, arrived as `far`.
    fn arrives(
        &mut self,
        far: &SeenPacket,
        fate: Fate,
        this: impl Fn(&SeenPacket) -> bool,
    ) -> bool {
        for waiting in self.queue.iter_mut().filter(|waiting| !waiting.ready) {
            if let Sight::Near(near) = &mut waiting.sight
                && this(near)
            {
                (near.fate, near.peer) = (fate, far.peer);
                waiting.ready = true;
                return true;
            }
        }
        false
    }

    /// Nothing of ours left after these reached the peer. The link copied them, or damaged one
    /// that is on its way.
    fn tell_strays(&mut self) {
        for far in std::mem::take(&mut self.reached) {
            if self.paired.contains(&mark(&far)) {
                let copy = SeenPacket { fate: Fate::Copied, ..far };
                self.push(Sight::Near(Box::new(copy)), true);
            } else {
                self.arrives(&far, Fate::Damaged, |_| true);
            }
        }
    }

    fn near_theirs(&mut self, mut packet: SeenPacket) {
        if let Some(far) = take_like(&mut self.coming, &packet) {
            packet.peer = far.peer;
            remember(&mut self.paired, mark(&packet), PAIRED);
        } else if self.paired.contains(&mark(&packet)) {
            packet.fate = Fate::Copied;
        } else if let Some(far) = self.coming.pop_front() {
            packet = SeenPacket { at: packet.at, fate: Fate::Damaged, ..far };
        } else {
            return;
        }
        self.push(Sight::Near(Box::new(packet)), true);
    }

    fn lost_theirs(&mut self, mut packet: SeenPacket) {
        packet.peer = take_like(&mut self.coming, &packet).and_then(|far| far.peer);
        self.push(Sight::Near(Box::new(packet)), true);
    }
}

fn remember<T>(all: &mut VecDeque<T>, one: T, max: usize) {
    if all.len() == max {
        all.pop_front();
    }
    all.push_back(one);
}

fn take_like(packets: &mut VecDeque<SeenPacket>, packet: &SeenPacket) -> Option<SeenPacket> {
    let at = packets.iter().position(|other| other.is_like(packet))?;
    packets.remove(at)
}

#[cfg(test)]
#[path = "pairing_tests.rs"]
mod tests;
