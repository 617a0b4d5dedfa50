//! Who has which hardware address on an Ethernet link (RFC 826, RFC 4861 §7.3).

use alloc::collections::VecDeque;
use core::net::IpAddr;
use core::time::Duration;

use handclasp_wire::ethernet::MacAddr;
use handclasp_wire::frame::Outbound;
use handclasp_wire::time::Instant;
use hashbrown::HashMap;
use slab::Slab;

use crate::secret::TableHash;
use crate::timers::Timers;

/// Neighbours remembered. The one unused for longest makes room.
const CAPACITY: usize = 1024;
/// Packets that wait for one neighbour's answer; the oldest makes room (RFC 1122 §2.3.2.2).
const WAITING: usize = 256;
/// The same for all neighbours together: whoever makes us answer to many silent ones must not
/// fill our memory with the answers.
const WAITING_IN_ALL: usize = 2048;
/// Requests without an answer after which a neighbour counts as gone (RFC 4861 §10).
const ATTEMPTS: u8 = 3;
/// How long a stale address serves before we ask: whoever has just asked for us need not be
/// asked back at once (RFC 4861 §7.3.3).
const DELAY: Duration = Duration::from_secs(5);
/// Between requests (RFC 4861 §10).
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a confirmed address is trusted before its use makes us ask again (RFC 4861 §10).
const REACHABLE: Duration = Duration::from_secs(30);

/// Packets that waited for a neighbour.
pub(crate) type Waiting = VecDeque<Outbound>;

/// The neighbours known and being asked for.
#[derive(Clone)]
pub(crate) struct Neighbours {
    entries: Slab<Neighbour>,
    by_ip: HashMap<IpAddr, u32, TableHash>,
    timers: Timers,
    /// Requests to be sent.
    questions: VecDeque<Question>,
    /// Packets that wait, for all of them.
    waiting: usize,
}

#[derive(Clone)]
struct Neighbour {
    ip: IpAddr,
    mac: Option<MacAddr>,
    state: State,
    /// When a packet last went to it, or it was last heard of.
    used: Instant,
    waiting: Waiting,
}

/// RFC 4861 §7.3.2's states. Where an address is known it serves in all of them.
#[derive(Clone, Copy)]
enum State {
    /// Asked so many times. Without an address that is INCOMPLETE; with one PROBE, or DELAY
    /// before the first request.
    Asking { attempts: u8, next: Instant },
    /// REACHABLE until then; STALE afterwards.
    Known { until: Instant },
}

/// A request for a neighbour's hardware address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) target: IpAddr,
    /// Whom to ask: everyone, or the address last known.
    pub(crate) ask: Option<MacAddr>,
}

/// What makes us believe that a neighbour has a hardware address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// It answered, presumably us: only believed of those whom we know or ask.
    Answer,
    /// It asked for us, and waits for our reply.
    AskedUs,
    /// It announced itself to everyone: only believed of those whom we know.
    Announcement,
}

impl Neighbours {
    pub(crate) fn new(hash: TableHash) -> Self {
        Self {
            entries: Slab::new(),
            by_ip: HashMap::with_hasher(hash),
            timers: Timers::new(),
            questions: VecDeque::new(),
            waiting: 0,
        }
    }

    /// The address to send to now. `None`: it is being asked for, [`Neighbours::wait`].
    pub(crate) fn lookup(&mut self, ip: IpAddr, now: Instant) -> Option<MacAddr> {
        let slot = self.slot(ip, now);
        let neighbour = &mut self.entries[slot];
        neighbour.used = now;
        let mac = neighbour.mac;
        match neighbour.state {
            State::Known { until } if until <= now => {
                let next = now + DELAY;
                neighbour.state = State::Asking { attempts: 0, next };
                self.timers.schedule(slot, next);
            }
            State::Asking { attempts: 0, .. } if mac.is_none() => self.ask(slot, 1, now),
            _ => {}
        }
        mac
    }

    /// Keeps a packet until the neighbour's address is known. Returns one that had to make
    /// room.
    pub(crate) fn wait(&mut self, ip: IpAddr, packet: Outbound) -> Option<Outbound> {
        let Some(slot) = self.by_ip.get(&ip) else { return Some(packet) };
        let waiting = &mut self.entries[*slot as usize].waiting;
        waiting.push_back(packet);
        if waiting.len() > WAITING || self.waiting >= WAITING_IN_ALL {
            return waiting.pop_front();
        }
        self.waiting += 1;
        None
    }

    /// Takes note of a neighbour's address and returns the packets that waited for it.
    pub(crate) fn learn(
        &mut self,
        ip: IpAddr,
        mac: MacAddr,
        evidence: Evidence,
        now: Instant,
    ) -> Waiting {
        let slot = match self.by_ip.get(&ip) {
            Some(slot) => *slot as usize,
            None if evidence == Evidence::AskedUs => self.slot(ip, now),
            None => return Waiting::new(),
        };
        let neighbour = &mut self.entries[slot];
        // Only an answer shows that it hears us; of the others, those that tell nothing new
        // change nothing, and a new address is stale (RFC 4861 §7.2.3, §7.2.5).
        if evidence == Evidence::Answer {
            neighbour.state = State::Known { until: now + REACHABLE };
        } else if neighbour.mac != Some(mac) {
            neighbour.state = State::Known { until: now };
        }
        neighbour.mac = Some(mac);
        neighbour.used = now;
        self.waiting -= neighbour.waiting.len();
        core::mem::take(&mut neighbour.waiting)
    }

    /// What went to a neighbour got no answer from beyond it: asks whether it is still there
    /// (RFC 9293 §3.8.3, RFC 4861 §7.3.1).
    pub(crate) fn doubt(&mut self, ip: IpAddr, now: Instant) {
        let Some(slot) = self.by_ip.get(&ip).map(|slot| *slot as usize) else { return };
        if matches!(self.entries[slot].state, State::Known { .. }) {
            self.ask(slot, 1, now);
        }
    }

    pub(crate) fn next_question(&mut self) -> Option<Question> {
        self.questions.pop_front()
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Asks again where no answer came. A neighbour that never answers is forgotten: it is
    /// returned with the packets that waited for it.
    pub(crate) fn pop_failed(&mut self, now: Instant) -> Option<(IpAddr, Waiting)> {
        while let Some(slot) = self.timers.pop_due(now) {
            let State::Asking { attempts, next } = self.entries[slot].state else { continue };
            if next > now {
                self.timers.schedule(slot, next);
            } else if attempts < ATTEMPTS {
                self.ask(slot, attempts + 1, now);
            } else {
                let neighbour = self.forget(slot);
                return Some((neighbour.ip, neighbour.waiting));
            }
        }
        None
    }

    fn ask(&mut self, slot: usize, attempts: u8, now: Instant) {
        let neighbour = &mut self.entries[slot];
        let next = now + INTERVAL;
        neighbour.state = State::Asking { attempts, next };
        self.questions.push_back(Question { target: neighbour.ip, ask: neighbour.mac });
        self.timers.schedule(slot, next);
    }

    fn slot(&mut self, ip: IpAddr, now: Instant) -> usize {
        if let Some(slot) = self.by_ip.get(&ip) {
            return *slot as usize;
        }
        if self.entries.len() >= CAPACITY {
            self.forget_unused();
        }
        let slot = self.entries.insert(Neighbour {
            ip,
            mac: None,
            state: State::Asking { attempts: 0, next: now },
            used: now,
            waiting: Waiting::new(),
        });
        self.by_ip.insert(ip, slot as u32);
        slot
    }

    fn forget_unused(&mut self) {
        if let Some((slot, _)) = self.entries.iter().min_by_key(|(_, neighbour)| neighbour.used) {
            self.forget(slot);
        }
    }

    fn forget(&mut self, slot: usize) -> Neighbour {
        let neighbour = self.entries.remove(slot);
        self.by_ip.remove(&neighbour.ip);
        self.timers.cancel(slot);
        self.waiting -= neighbour.waiting.len();
        neighbour
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The address known of a neighbour, be it stale.
    pub(crate) fn known(&self, ip: IpAddr) -> Option<MacAddr> {
        self.entries[*self.by_ip.get(&ip)? as usize].mac
    }

    /// Those whose address is known.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (IpAddr, MacAddr)> {
        self.entries.iter().filter_map(|(_, neighbour)| Some((neighbour.ip, neighbour.mac?)))
    }
}

#[cfg(test)]
#[path = "neighbour_tests.rs"]
mod tests;
