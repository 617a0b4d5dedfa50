//! One direction of a link.

use alloc::collections::{BTreeMap, VecDeque};
use core::num::NonZeroU64;
use core::time::Duration;

use handclasp_wire::time::Instant;

use crate::chance::Chance;
use crate::config::{Config, Limit};
use crate::packet::Packet;

/// What became of the packets so far.
///
/// At any time `offered + duplicated = lost + queue_dropped + delivered +` what is still held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Pushed.
    pub offered: u64,
    /// Popped.
    pub delivered: u64,
    /// Lost by chance or by their number.
    pub lost: u64,
    /// Dropped because a limit was reached.
    pub queue_dropped: u64,
    /// Copies that were made.
    pub duplicated: u64,
    /// Bytes of the delivered.
    pub delivered_bytes: u64,
    /// Popped behind a packet that was pushed later.
    pub reordered: u64,
    /// Changed by a bit.
    pub corrupted: u64,
    /// Marked as having met congestion.
    pub marked: u64,
}

/// A link in one direction, and what it holds.
#[derive(Clone, Debug)]
pub struct Link<P> {
    config: Config,
    chances: Chances,
    line: Line,
    /// What arrives in the order in which it was pushed, the next one first.
    in_order: VecDeque<Arrival<P>>,
    /// What is held back, by its time and number.
    strays: BTreeMap<(Instant, u64), P>,
    bytes: usize,
    /// The number of the next packet to be accepted.
    next: u64,
    /// One more than the highest number among the delivered.
    newest: u64,
    counters: Counters,
}

#[derive(Clone, Debug)]
struct Arrival<P> {
    at: Instant,
    number: u64,
    packet: P,
}

impl<P: Packet> Link<P> {
    /// A link that does what `config` says; all its chance comes from `seed`.
    #[must_use]
    pub fn new(mut config: Config, seed: u64) -> Self {
        config.drop_nth.sort_unstable();
        config.delay_nth.sort_unstable();
        Self {
            config,
            chances: Chances::new(seed),
            line: Line::default(),
            in_order: VecDeque::new(),
            strays: BTreeMap::new(),
            bytes: 0,
            next: 0,
            newest: 0,
            counters: Counters::default(),
        }
    }

    /// Puts a packet into the link at `now`, which must not be earlier than it was before.
    pub fn push(&mut self, now: Instant, packet: P) {
        self.counters.offered += 1;
        let bits = 8 * packet.len() as u64;
        let fate = self.chances.draw(&self.config, self.counters.offered, bits);
        if fate.lost {
            self.counters.lost += 1;
            return;
        }
        let copy = fate.duplicated.then(|| packet.clone());
        self.accept(now, packet, &fate);
        if let Some(copy) = copy {
            self.counters.duplicated += 1;
            self.accept(now, copy, &Fate { held_back: None, corrupted: None, ..fate });
        }
    }

    /// Takes the next packet that has arrived by `now`.
    pub fn pop(&mut self, now: Instant) -> Option<P> {
        let in_order = self.in_order.front().map(|arrival| (arrival.at, arrival.number));
        let stray = self.strays.first_key_value().map(|(key, _)| *key);
        let (at, number) = in_order.into_iter().chain(stray).min()?;
        if at > now {
            return None;
        }
        let packet = if in_order == Some((at, number)) {
            self.in_order.pop_front()?.packet
        } else {
            self.strays.pop_first()?.1
        };
        self.bytes -= packet.len();
        self.counters.delivered += 1;
        self.counters.delivered_bytes += packet.len() as u64;
        self.counters.reordered += u64::from(number < self.newest);
        self.newest = self.newest.max(number + 1);
        Some(packet)
    }

    /// When the next packet arrives, if one is on its way.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let in_order = self.in_order.front().map(|arrival| arrival.at);
        let stray = self.strays.first_key_value().map(|((at, _), _)| *at);
        in_order.into_iter().chain(stray).min()
    }

    /// What became of the packets so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Packets that are in the link.
    #[must_use]
    pub fn held(&self) -> usize {
        self.in_order.len() + self.strays.len()
    }

    /// How long a packet that comes at `now` waits for the line.
    #[must_use]
    pub const fn backlog(&self, now: Instant) -> Duration {
        self.line.free.saturating_since(now)
    }

    /// Bytes of the packets that are in the link.
    #[must_use]
    pub const fn held_bytes(&self) -> usize {
        self.bytes
    }

    fn accept(&mut self, now: Instant, mut packet: P, fate: &Fate) {
        let (Config { rate, queue, mark_above, .. }, len) = (&self.config, packet.len());
        let crowded = mark_above.is_some_and(|limit| self.line.waiting(now) >= limit);
        let room = self.config.held.has_room(self.held(), self.bytes, len);
        let sent = if room { self.line.send(now, len, *rate, *queue) } else { None };
        let Some(sent) = sent else {
            self.counters.queue_dropped += 1;
            return;
        };
        if (fate.marked || crowded) && packet.mark(self.config.medium) {
            self.counters.marked += 1;
        }
        if let Some(bit) = fate.corrupted {
            packet.corrupt(bit as usize);
            self.counters.corrupted += 1;
        }
        let (number, arrival) = (self.next, sent + fate.travel);
        self.next += 1;
        self.bytes += len;
        match fate.held_back {
            Some(longer) => {
                self.strays.insert((arrival + longer, number), packet);
            }
            None => {
                let before = self.in_order.back().map_or(Instant::ZERO, |last| last.at);
                self.in_order.push_back(Arrival { at: arrival.max(before), number, packet });
            }
        }
    }
}

impl Limit {
    /// Whether a packet of `len` bytes fits beside these.
    const fn has_room(self, packets: usize, bytes: usize, len: usize) -> bool {
        packets < self.packets && bytes.saturating_add(len) <= self.bytes
    }
}

/// Puts packets on the line one after the other.
#[derive(Clone, Debug, Default)]
struct Line {
    /// When the last packet will have been sent.
    free: Instant,
    /// When each packet will have been sent, and its bytes.
    waiting: VecDeque<(Instant, usize)>,
    bytes: usize,
}

impl Line {
    /// Packets that wait, the one being sent included.
    fn waiting(&mut self, now: Instant) -> usize {
        while let Some((_, len)) = self.waiting.pop_front_if(|(sent, _)| *sent <= now) {
            self.bytes -= len;
        }
        self.waiting.len()
    }

    /// When a packet that comes now will have been sent; `None` if it finds no room.
    fn send(
        &mut self,
        now: Instant,
        len: usize,
        rate: Option<NonZeroU64>,
        queue: Limit,
    ) -> Option<Instant> {
        let Some(rate) = rate else { return Some(now) };
        if !queue.has_room(self.waiting(now), self.bytes, len) {
            return None;
        }
        // Rounded up, so that the rate is never exceeded.
        let nanos = (len as u128 * 8 * 1_000_000_000).div_ceil(rate.get().into());
        let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.free = self.free.max(now) + takes;
        self.waiting.push_back((self.free, len));
        self.bytes += len;
        Some(self.free)
    }
}

/// What chance, and its number, have in store for one packet.
struct Fate {
    lost: bool,
    duplicated: bool,
    travel: Duration,
    held_back: Option<Duration>,
    corrupted: Option<u64>,
    marked: bool,
}

/// A stream of random numbers for each kind of chance.
#[derive(Clone, Debug)]
struct Chances {
    loss: Chance,
    bursts: Chance,
    in_burst: bool,
    jitter: Chance,
    reorder: Chance,
    duplicate: Chance,
    corrupt: Chance,
    mark: Chance,
}

impl Chances {
    fn new(seed: u64) -> Self {
        Self {
            loss: Chance::new(seed, 0),
            bursts: Chance::new(seed, 1),
            in_burst: false,
            jitter: Chance::new(seed, 2),
            reorder: Chance::new(seed, 3),
            duplicate: Chance::new(seed, 4),
            corrupt: Chance::new(seed, 5),
            mark: Chance::new(seed, 6),
        }
    }

    /// Draws for the `nth` packet, of this many bits. Every stream is drawn from for every
    /// packet, so that none depends on what another one said.
    fn draw(&mut self, config: &Config, nth: u64, bits: u64) -> Fate {
        let by_number = config.drop_nth.binary_search(&nth).is_ok();
        let by_chance = self.loss.happens(config.loss);
        let by_burst = self.lost_in_burst(config);
        let by_number_delay = config.delay_nth.binary_search_by_key(&nth, |(n, _)| *n).ok();
        let reordered = self.reorder.happens(config.reorder).then_some(config.reorder_delay);
        let (corrupted, bit) = (self.corrupt.happens(config.corrupt), self.corrupt.below(bits));
        Fate {
            lost: by_number || by_chance || by_burst,
            duplicated: self.duplicate.happens(config.duplicate),
            travel: self.jitter.around(config.delay, config.jitter),
            held_back: by_number_delay
                .and_then(|place| config.delay_nth.get(place))
                .map(|(_, delay)| *delay)
                .or(reordered),
            corrupted: (corrupted && bits > 0).then_some(bit),
            marked: self.mark.happens(config.mark),
        }
    }

    fn lost_in_burst(&mut self, config: &Config) -> bool {
        let Some(bursts) = config.bursts else { return false };
        let change = if self.in_burst { bursts.leave } else { bursts.enter };
        self.in_burst ^= self.bursts.happens(change);
        let loss = if self.in_burst { bursts.loss_in_bad } else { bursts.loss_in_good };
        self.bursts.happens(loss)
    }
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
