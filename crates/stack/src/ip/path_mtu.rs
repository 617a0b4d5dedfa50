//! What paths were found to carry (RFC 1191, RFC 8201).

use alloc::collections::VecDeque;
use core::net::IpAddr;
use core::time::Duration;

use handclasp_wire::time::Instant;
use hashbrown::HashMap;

use crate::secret::TableHash;

/// How long a discovery counts before larger packets are tried again (RFC 1191 §6.3,
/// RFC 8201 §5.3).
const LIFETIME: Duration = Duration::from_secs(600);
/// Destinations remembered; the oldest discovery goes first.
const CAPACITY: usize = 1024;
/// The least that an IPv4 path is believed to carry. RFC 791 guarantees 68 bytes, but a forged
/// report of so little would be an attack (RFC 5927 §7.2), and real links below this are gone.
const IPV4_MINIMUM: u16 = 552;
/// Every IPv6 link carries this much (RFC 8200 §5).
const IPV6_MINIMUM: u16 = 1280;
/// Sizes of links old and new, for routers that say only that a packet was too large
/// (RFC 1191 §7.1).
const PLATEAUS: [u16; 9] = [552, 1006, 1280, 1492, 2002, 4352, 8166, 17_914, 32_000];

/// Largest packets by destination, where less than the link's MTU.
#[derive(Clone)]
pub(crate) struct PathMtus {
    known: HashMap<IpAddr, Found, TableHash>,
    /// In the order in which they were found, and thus expire. An entry whose discovery was
    /// renewed meanwhile is passed over.
    order: VecDeque<(Instant, IpAddr)>,
}

#[derive(Clone)]
struct Found {
    mtu: u16,
    expires: Instant,
}

impl PathMtus {
    pub(crate) fn new(hash: TableHash) -> Self {
        Self { known: HashMap::with_hasher(hash), order: VecDeque::new() }
    }

    /// What is known of the way to `destination`, in bytes.
    pub(crate) fn to(&self, destination: IpAddr) -> Option<u16> {
        if self.known.is_empty() {
            return None;
        }
        self.known.get(&destination).map(|found| found.mtu)
    }

    /// Notes a discovery; it only ever lowers what was known (RFC 1191 §3, RFC 8201 §4).
    pub(crate) fn learn(&mut self, destination: IpAddr, mtu: u16, now: Instant) {
        if self.to(destination).is_some_and(|known| known <= mtu) {
            return;
        }
        while self.order.len() >= CAPACITY {
            self.drop_oldest();
        }
        let expires = now + LIFETIME;
        self.known.insert(destination, Found { mtu, expires });
        self.order.push_back((expires, destination));
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.order.front().map(|(expires, _)| *expires)
    }

    /// Forgets what is too old; says whether there was something.
    pub(crate) fn deadline_passed(&mut self, now: Instant) -> bool {
        let before = self.known.len();
        while self.next_deadline().is_some_and(|expires| expires <= now) {
            self.drop_oldest();
        }
        self.known.len() < before
    }

    fn drop_oldest(&mut self) {
        let Some((expires, destination)) = self.order.pop_front() else { return };
        if self.known.get(&destination).is_some_and(|found| found.expires == expires) {
            self.known.remove(&destination);
        }
    }
}

/// What a report of a next hop's MTU is worth: `reported` is 0 where the router did not say,
/// and `packet_len` the length of the packet that was too large. `None`: not believable.
pub(crate) fn believable(destination: IpAddr, reported: u32, packet_len: u16) -> Option<u16> {
    let minimum = match destination {
        IpAddr::V4(_) => IPV4_MINIMUM,
        // RFC 8201 §4: such a report is to be discarded.
        IpAddr::V6(_) if reported < u32::from(IPV6_MINIMUM) => return None,
        IpAddr::V6(_) => IPV6_MINIMUM,
    };
    let mtu = match reported {
        0 => PLATEAUS.into_iter().rfind(|size| *size < packet_len).unwrap_or(minimum),
        _ => u16::try_from(reported).ok()?,
    };
    // A packet that fits was not too large (RFC 5927 §7.2).
    (mtu < packet_len).then(|| mtu.max(minimum))
}

#[cfg(test)]
#[path = "path_mtu_tests.rs"]
mod tests;
