//! The host's secret, and the keyed functions drawn from it.
//!
//! Everything here that must not be guessed or steered from outside (where a tuple falls in a
//! hash table, initial sequence numbers, cookies, ports, identifications) is a keyed hash of
//! public facts, so that one secret is all the randomness a host ever needs.

use core::fmt;
use core::hash::{BuildHasher, Hasher};
use core::net::IpAddr;

use handclasp_tcp::Tuple;
use siphasher::sip::{SipHasher13, SipHasher24};

/// 256 secret bits that whoever starts a host draws from the system's generator
/// (RFC 6528 §4, RFC 4086), or from a seed in a simulation.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The secret that consists of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key for one purpose: no two purposes share one, so that an output that shows on the
    /// wire for one says nothing about another.
    fn key(&self, purpose: Purpose) -> (u64, u64) {
        let mut message = [0; 18];
        let (key, rest) = self.0.split_at(16);
        message[..16].copy_from_slice(rest);
        message[16] = purpose as u8;
        let mut half = |number| {
            message[17] = number;
            let mut hasher = SipHasher24::new_with_keys(word(&key[..8]), word(&key[8..]));
            hasher.write(&message);
            hasher.finish()
        };
        (half(0), half(1))
    }

    /// The function for what shows on the wire.
    pub(crate) fn prf(&self, purpose: Purpose) -> Prf {
        let (k0, k1) = self.key(purpose);
        Prf(SipHasher24::new_with_keys(k0, k1))
    }

    /// The function for a table whose keys the peer can choose.
    pub(crate) fn table_hash(&self) -> TableHash {
        let (k0, k1) = self.key(Purpose::Table);
        TableHash(SipHasher13::new_with_keys(k0, k1))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// What a keyed function is for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Table,
    Isn,
    TimestampOffset,
    PortOffset,
    PortIndex,
    PortStep,
    CookieMask,
    CookieMac,
    Identification,
    FastOpen,
}

/// A keyed function of a [`Message`].
#[derive(Clone)]
pub(crate) struct Prf(SipHasher24);

impl Prf {
    pub(crate) fn of(&self, message: &Message) -> u64 {
        self.0.hash(message.as_slice())
    }
}

/// The keyed hash of tables.
#[derive(Clone, Debug)]
pub(crate) struct TableHash(SipHasher13);

impl TableHash {
    pub(crate) fn tuple(&self, tuple: &Tuple) -> u64 {
        self.0.hash(Message::new().tuple(tuple).as_slice())
    }
}

impl BuildHasher for TableHash {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        self.0
    }
}

/// A short message, built without allocating.
pub(crate) struct Message {
    bytes: [u8; 48],
    len: usize,
}

impl Message {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; 48], len: 0 }
    }

    fn push(mut self, bytes: &[u8]) -> Self {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
        self
    }

    pub(crate) fn ip(self, ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => self.push(&ip.octets()),
            IpAddr::V6(ip) => self.push(&ip.octets()),
        }
    }

    pub(crate) fn number(self, number: u32) -> Self {
        self.push(&number.to_le_bytes())
    }

    pub(crate) fn tuple(self, tuple: &Tuple) -> Self {
        let ports = u32::from(tuple.local_port) << 16 | u32::from(tuple.remote_port);
        self.ip(tuple.local_ip).ip(tuple.remote_ip).number(ports)
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
