//! All connections of a capture at a time.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::mem;
use std::time::Duration;

use handclasp_wire::time::Instant;
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::key::Key;
use super::{Flow, Seen, Sight, client};
use crate::capture::dissect::{Complaint, Segment};
use crate::capture::link::Network;
use crate::track::Fate;

/// What a table remembers, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Whether another network within the link makes another connection. Not so in captures of
    /// a port that tags one direction only.
    pub networks: bool,
    /// How long a connection that is over waits for stragglers.
    pub linger: Duration,
    /// How long one that is not open yet may be silent.
    pub opening: Duration,
    /// How long one that is open may be silent.
    pub idle: Duration,
    /// Connections at a time. Beyond it those go that were silent for longest.
    pub connections: usize,
}

impl Default for Limits {
    /// Half a minute behind the end, two minutes to open (Linux gives up a SYN after 127 s),
    /// two hours of silence (when keep-alives begin, RFC 9293 §3.8.4), a million connections.
    fn default() -> Self {
        Self {
            networks: true,
            linger: Duration::from_secs(30),
            opening: Duration::from_secs(130),
            idle: Duration::from_secs(2 * 3600),
            connections: 1_000_000,
        }
    }
}

impl Limits {
    /// Nothing is ever forgotten, as in Wireshark.
    #[must_use]
    pub fn endless() -> Self {
        let forever = Duration::MAX;
        let (linger, opening, idle) = (forever, forever, forever);
        Self { linger, opening, idle, connections: usize::MAX, ..Self::default() }
    }
}

/// Connections that are over. They are large, and stay where they are.
pub type Flows = Vec<Box<Flow>>;

/// Connections by their keys.
#[derive(Debug, Default)]
pub struct Table {
    limits: Limits,
    /// By their keys, which they have themselves. Boxes, so that a table that grows moves
    /// little and empty places are small.
    flows: HashTable<Box<Flow>>,
    hasher: DefaultHashBuilder,
    /// How many connections were seen.
    streams: u64,
    /// At how many connections those that are over are looked for.
    sweep_at: usize,
    over: Flows,
    /// Connections that may be over, by when they were: the first ones to be looked at again.
    /// Most go this way, one by one, so that the memory of one serves the next.
    lingering: VecDeque<(Instant, Key)>,
}

/// As long as there are so few, nothing is looked for.
const FEW: usize = 4096;

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, sweep_at: FEW, ..Self::default() }
    }

    /// Takes the next segment.
    pub fn see(&mut self, segment: &Segment<'_>) -> Seen {
        let (key, from) = Key::of(segment);
        let key = self.within(key);
        self.let_go(segment.at);
        if self.flows.len() > self.sweep_at {
            self.sweep(segment.at);
        }
        let next = self.streams;
        let new = || Flow::new(key, next, client(from, segment), Sight::of(segment));
        let hasher = &self.hasher;
        let (is, hash_of) =
            (|flow: &Flow| flow.key == key, |flow: &Flow| hasher.hash_one(flow.key));
        let found = self.flows.entry(hasher.hash_one(key), |flow| is(flow), |flow| hash_of(flow));
        let mut entry = match found {
            Entry::Occupied(entry) => entry,
            Entry::Vacant(place) => place.insert(Box::new(new())),
        };
        let flow = entry.get_mut();
        let reused = flow.is_reopened_by(from, segment);
        if reused {
            self.over.push(mem::replace(flow, Box::new(new())));
        }
        self.streams += u64::from(flow.stream == next);
        let was_over = !reused && flow.lingers();
        let seen = flow.see(from, segment, Fate::Arrived, reused);
        if !was_over && flow.lingers() {
            self.lingering.push_back((segment.at, key));
            flow.analyser.shrink();
        }
        seen
    }

    /// Hands out connections that are over and have waited for stragglers for long enough.
    fn let_go(&mut self, now: Instant) {
        while let Some((at, key)) = self.lingering.front().copied()
            && now - at > self.limits.linger
        {
            self.lingering.pop_front();
            let found = self.flows.find_entry(self.hasher.hash_one(key), |flow| flow.key == key);
            let Ok(entry) = found else { continue };
            if is_over(entry.get(), now, &self.limits) {
                self.over.push(entry.remove().0);
            } else if entry.get().lingers() {
                // A straggler came.
                self.lingering.push_back((entry.get().last.at, key));
            }
        }
    }

    /// Takes an ICMP error; those about connections that were not seen are passed over.
    pub fn complain(&mut self, complaint: &Complaint) {
        let (key, _) = Key::new(complaint.network, complaint.src, complaint.dst);
        let key = self.within(key);
        let hash = self.hasher.hash_one(key);
        if let Some(flow) = self.flows.find_mut(hash, |flow| flow.key == key) {
            flow.complain(complaint);
        }
    }

    fn within(&self, key: Key) -> Key {
        match self.limits.networks {
            true => key,
            false => Key { network: Network::default(), ..key },
        }
    }

    /// The connections that are over by now, which the table forgets.
    pub fn take_over(&mut self) -> Flows {
        mem::take(&mut self.over)
    }

    /// Connections that the table remembers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// All connections that were not handed out yet, in the order of their first packets.
    #[must_use]
    pub fn finish(mut self) -> Flows {
        self.over.extend(self.flows);
        self.over.sort_by_key(|flow| flow.first.frame);
        self.over
    }

    /// Moves out what is over. The table then may double before the next time, so that a
    /// connection is looked at a constant number of times on average.
    fn sweep(&mut self, now: Instant) {
        let limits = self.limits;
        let begin = self.over.len();
        let gone = self.flows.extract_if(|flow| is_over(flow, now, &limits));
        self.over.extend(gone);
        if self.flows.len() >= limits.connections {
            let mut last: Vec<Instant> = self.flows.iter().map(|flow| flow.last.at).collect();
            let half = last.len() / 2;
            let (_, &mut median, _) = last.select_nth_unstable(half);
            let gone = self.flows.extract_if(|flow| flow.last.at <= median);
            self.over.extend(gone);
        }
        self.over[begin..].sort_by_key(|flow| flow.first.frame);
        self.sweep_at = (2 * self.flows.len()).clamp(FEW, limits.connections.max(FEW));
    }
}

fn is_over(flow: &Flow, now: Instant, limits: &Limits) -> bool {
    let silent = now - flow.last.at;
    let opening = flow.handshake.third.is_none() && flow.handshake.syns.count() > 0;
    let limit = match opening {
        _ if flow.lingers() => limits.linger,
        true => limits.opening,
        false => limits.idle,
    };
    silent > limit
}

/// Puts together the connections of several tables, each of which saw the packets of other
/// keys (see [`Key::shard`]), and numbers them as one table would have done.
#[must_use]
pub fn merge(shards: impl IntoIterator<Item = Flows>) -> Flows {
    let mut flows: Flows = shards.into_iter().flatten().collect();
    flows.sort_by_key(|flow| flow.first.frame);
    for (stream, flow) in (0..).zip(&mut flows) {
        flow.stream = stream;
    }
    flows
}
