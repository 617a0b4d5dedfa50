//! What a link does to packets.

use alloc::vec::Vec;
use core::num::NonZeroU64;
use core::time::Duration;

use handclasp_wire::frame::Medium;

/// How much a part of a link holds. Both limits apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Packets.
    pub packets: usize,
    /// Bytes.
    pub bytes: usize,
}

/// Loss in bursts, by Gilbert's and Elliott's model: the link is in a good or in a bad state,
/// each with a loss of its own, and each packet may find that it has changed.
///
/// Probabilities are from 0 to 1. A burst has on average `1 / leave` packets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bursts {
    /// Of the good state turning bad, for each packet.
    pub enter: f64,
    /// Of the bad state turning good, for each packet.
    pub leave: f64,
    /// Of losing a packet in the good state.
    pub loss_in_good: f64,
    /// Of losing a packet in the bad state.
    pub loss_in_bad: f64,
}

/// What a link does to packets. The default passes every packet on at once.
///
/// Probabilities are from 0 (never) to 1 (always); each kind of chance has its own random
/// numbers, so that switching one on changes nothing of what the others do.
///
/// ```
/// let config = handclasp_impair::config::Config::with(|c| c.loss = 0.01);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// How long a packet travels.
    pub delay: Duration,
    /// By how much that varies in both directions, every value being as likely. Packets keep
    /// their order: one that would overtake arrives together with the one before it.
    pub jitter: Duration,
    /// Bits that are put on the line in a second; without it a packet takes no time to be sent.
    pub rate: Option<NonZeroU64>,
    /// What waits for the line, the packet being sent included; what finds no room is dropped.
    /// Without a [`rate`](Self::rate) nothing waits.
    pub queue: Limit,
    /// What the link holds in all, waiting or on its way; what finds no room is dropped.
    pub held: Limit,
    /// Of losing a packet.
    pub loss: f64,
    /// Losing several packets one after the other.
    pub bursts: Option<Bursts>,
    /// Of holding a packet back by [`reorder_delay`](Self::reorder_delay), while later ones
    /// overtake it.
    pub reorder: f64,
    /// For how long a packet is held back.
    pub reorder_delay: Duration,
    /// Of sending a packet twice.
    pub duplicate: f64,
    /// Of flipping one bit of a packet.
    pub corrupt: f64,
    /// Of marking an ECN-capable packet as having met congestion (RFC 3168 §5), as a router does
    /// that would rather not drop it.
    pub mark: f64,
    /// Mark ECN-capable packets that find so many others waiting for the line.
    pub mark_above: Option<usize>,
    /// What packets begin with, for marks.
    pub medium: Medium,
    /// Packets to lose, by their number: the first one that is offered is number 1.
    pub drop_nth: Vec<u64>,
    /// Packets to hold back, by their number, and for how long.
    pub delay_nth: Vec<(u64, Duration)>,
}

impl Config {
    /// The default with a few changes.
    #[must_use]
    pub fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut config = Self::default();
        change(&mut config);
        config
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            rate: None,
            queue: Limit { packets: 1_000, bytes: 16 << 20 },
            held: Limit { packets: 1 << 20, bytes: 256 << 20 },
            loss: 0.0,
            bursts: None,
            reorder: 0.0,
            reorder_delay: Duration::from_millis(10),
            duplicate: 0.0,
            corrupt: 0.0,
            mark: 0.0,
            mark_above: None,
            medium: Medium::Ip,
            drop_nth: Vec::new(),
            delay_nth: Vec::new(),
        }
    }
}
