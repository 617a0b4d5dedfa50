//! Fast Open's cookies (RFC 7413): those we give, and those we were given.

use alloc::collections::VecDeque;
use core::net::IpAddr;
use core::time::Duration;

use handclasp_tcp::fast_open::{Known, Lesson};
use handclasp_wire::tcp::options::FastOpen;
use handclasp_wire::time::Instant;
use hashbrown::HashMap;

use crate::secret::{Message, Prf, Purpose, Secret, TableHash};

/// How long a cookie is given out; it is honoured for as long again (RFC 7413 §4.1.2).
const EPOCH: Duration = Duration::from_secs(12 * 3600);

/// Servers remembered at most; the one that was learned first makes room.
const SERVERS_MAX: usize = 1024;

/// For how long Fast Open is left alone where it failed (RFC 7413 §4.1.3.1): a minute after a
/// SYN that timed out, which may have been chance, and twice as long each further time.
const TIMED_OUT: Duration = Duration::from_secs(60);
const REFUSED: Duration = Duration::from_secs(3600);

/// What a server's cookie is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    Nothing,
    /// Good.
    Good,
    /// Good, but of the epoch before: the client is to get this one.
    Old(FastOpen),
}

/// Makes and checks the cookies of our listeners.
pub(crate) struct Cookies(Prf);

impl Cookies {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self(secret.prf(Purpose::FastOpen))
    }

    /// The cookie for a client, in the form of option that it asked with.
    pub(crate) fn cookie(&self, client: IpAddr, experimental: bool, now: Instant) -> FastOpen {
        self.of_epoch(client, experimental, epoch(now))
    }

    pub(crate) fn check(&self, client: IpAddr, given: &FastOpen, now: Instant) -> Worth {
        let current = self.cookie(client, given.experimental, now);
        if *given == current {
            return Worth::Good;
        }
        let before = epoch(now).wrapping_sub(1);
        let old = self.of_epoch(client, given.experimental, before);
        if *given == old { Worth::Old(current) } else { Worth::Nothing }
    }

    fn of_epoch(&self, client: IpAddr, experimental: bool, epoch: u32) -> FastOpen {
        let tag = self.0.of(&Message::new().ip(client).number(epoch)).to_be_bytes();
        let mut cookie = [0; 16];
        cookie[..tag.len()].copy_from_slice(&tag);
        FastOpen { cookie, len: tag.len() as u8, experimental }
    }
}

fn epoch(now: Instant) -> u32 {
    (now.as_millis() / EPOCH.as_millis() as u64) as u32
}

/// Our address and a server's.
type Pair = (IpAddr, IpAddr);

/// What is known of a server.
#[derive(Clone, Copy, Debug)]
struct Server {
    known: Known,
    /// Until then its cookie is not used, nor one asked for.
    not_before: Instant,
    timeouts: u8,
}

/// The servers that we opened to fast, and what came of it (RFC 7413 §4.1.3).
pub(crate) struct Servers {
    by_pair: HashMap<Pair, Server, TableHash>,
    /// In the order in which they were learned.
    order: VecDeque<Pair>,
}

impl Servers {
    pub(crate) fn new(hash: TableHash) -> Self {
        Self { by_pair: HashMap::with_hasher(hash), order: VecDeque::new() }
    }

    /// What to open with; `None` is an ordinary open.
    pub(crate) fn known(&self, ours: IpAddr, server: IpAddr, now: Instant) -> Option<Known> {
        match self.by_pair.get(&(ours, server)) {
            None => Some(UNKNOWN),
            Some(entry) => (entry.not_before <= now).then_some(entry.known),
        }
    }

    pub(crate) fn learn(&mut self, ours: IpAddr, server: IpAddr, lesson: Lesson, now: Instant) {
        let pair = (ours, server);
        if !self.by_pair.contains_key(&pair) {
            if self.order.len() >= SERVERS_MAX
                && let Some(first) = self.order.pop_front()
            {
                self.by_pair.remove(&first);
            }
            self.order.push_back(pair);
        }
        let entry = self.by_pair.entry(pair).or_insert(Server {
            known: UNKNOWN,
            not_before: Instant::ZERO,
            timeouts: 0,
        });
        match lesson {
            Lesson::Remember { known, .. } => {
                *entry = Server { known, not_before: Instant::ZERO, timeouts: 0 };
            }
            Lesson::Refused => {
                *entry = Server { known: UNKNOWN, not_before: now + REFUSED, timeouts: 0 };
            }
            Lesson::TimedOut => {
                entry.not_before = now + TIMED_OUT * (1 << entry.timeouts.min(6));
                entry.timeouts = entry.timeouts.saturating_add(1);
            }
        }
    }
}

/// Asks for a cookie (RFC 7413 §4.2.1).
const UNKNOWN: Known =
    Known { cookie: FastOpen { cookie: [0; 16], len: 0, experimental: false }, mss: 536 };

#[cfg(test)]
#[path = "fast_open_tests.rs"]
mod tests;
