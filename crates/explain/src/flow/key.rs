//! What tells one connection from another.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

use crate::capture::dissect::Segment;
use crate::capture::link::Network;

/// Both ends, the smaller address first, and the network that they are in. Connections that
/// follow one another may have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The network within the link.
    pub network: Network,
    /// The ends.
    pub ends: [SocketAddr; 2],
}

/// In few words: every packet's key is hashed.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b] = self.ends;
        let [outer, inner] = self.network.vlans;
        match (a.ip(), b.ip()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                state.write_u64(u64::from(a.to_bits()) << 32 | u64::from(b.to_bits()));
            }
            (a, b) => (a, b).hash(state),
        }
        let ports = u64::from(a.port()) << 16 | u64::from(b.port());
        let vlans = u64::from(outer) << 16 | u64::from(inner);
        state.write_u64(ports << 32 | vlans);
        state.write_u16(self.network.session);
    }
}

impl Key {
    /// The key of a connection between these two, and which of its ends `src` is.
    #[must_use]
    pub fn new(network: Network, src: SocketAddr, dst: SocketAddr) -> (Self, usize) {
        match src <= dst {
            true => (Self { network, ends: [src, dst] }, 0),
            false => (Self { network, ends: [dst, src] }, 1),
        }
    }

    /// The key of a segment's connection, and which of its ends sent the segment.
    #[must_use]
    pub fn of(segment: &Segment<'_>) -> (Self, usize) {
        Self::new(segment.network, segment.src, segment.dst)
    }
}

impl Key {
    /// Which of `shards` tables the connection belongs to: the same for both directions, and
    /// in every run.
    #[must_use]
    pub fn shard(&self, shards: usize) -> usize {
        let mut mix: u64 = 0;
        let mut add = |number: u64| {
            // Fibonacci hashing: it spreads what differs in a few bits only.
            mix = (mix.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        };
        for end in self.ends {
            match end.ip() {
                IpAddr::V4(ip) => add(ip.to_bits().into()),
                IpAddr::V6(ip) => {
                    add(ip.to_bits() as u64);
                    add((ip.to_bits() >> 64) as u64);
                }
            }
            add(end.port().into());
        }
        ((u128::from(mix) * shards as u128) >> 64) as usize
    }

    /// A number that stands for the connection's ends and network, the same in every file and
    /// every version. Connections that follow one another may have the same.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        // FNV-1a: what matters here is that anybody can work it out again.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let mut add = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for end in self.ends {
            match end.ip() {
                IpAddr::V4(ip) => add(&ip.octets()),
                IpAddr::V6(ip) => add(&ip.octets()),
            }
            add(&end.port().to_be_bytes());
        }
        for vlan in self.network.vlans {
            add(&vlan.to_be_bytes());
        }
        add(&self.network.session.to_be_bytes());
        hash
    }
}
