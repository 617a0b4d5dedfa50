//! A connection's settings. Defaults follow Linux where the RFCs leave room.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use crate::ecn::EcnMode;

/// Which congestion controller a connection starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// CUBIC (RFC 9438) with HyStart++ (RFC 9406).
    #[default]
    Cubic,
    /// NewReno (RFC 5681, RFC 6582).
    Reno,
    /// BBR, version 3 (draft-ietf-ccwg-bbr). Always paces.
    Bbr,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cubic, Self::Reno, Self::Bbr];

    /// Its name, as Linux has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cubic => "cubic",
            Self::Reno => "reno",
            Self::Bbr => "bbr",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no congestion controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchAlgorithm;

impl fmt::Display for NoSuchAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such congestion controller: type ")?;
        for (n, algorithm) in Algorithm::ALL.into_iter().enumerate() {
            let before = ["", ", ", " or "][n];
            write!(f, "{before}{algorithm}")?;
        }
        Ok(())
    }
}

impl core::error::Error for NoSuchAlgorithm {}

impl FromStr for Algorithm {
    type Err = NoSuchAlgorithm;

    fn from_str(name: &str) -> Result<Self, NoSuchAlgorithm> {
        Self::ALL.into_iter().find(|a| a.name() == name).ok_or(NoSuchAlgorithm)
    }
}

/// Keep-alive probing (RFC 9293 §3.8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// Silence before the first probe. The RFC asks for two hours or more by default.
    pub idle: Duration,
    /// Between probes. Linux answers two of them in a second, unless it is told otherwise
    /// (`tcp_invalid_ratelimit`).
    pub interval: Duration,
    /// Unanswered probes after which the peer counts as gone.
    pub count: u8,
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self { idle: Duration::from_secs(7200), interval: Duration::from_secs(75), count: 9 }
    }
}

/// What the limit of the send buffer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SendAccounting {
    /// Bytes of payload.
    #[default]
    Bytes,
    /// Buffers with their overhead, as Linux counts: each holds a burst, and one that was begun
    /// is filled whatever the limit says.
    Buffers,
}

/// Settings of one connection; those of a host are what its connections start from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Most bytes of unread and out-of-order data; also decides the window scale we offer.
    pub receive_buffer_max: usize,
    /// Bytes of unread data a connection starts with; grows as the path needs.
    pub receive_buffer_start: usize,
    /// Most bytes written but not yet acknowledged.
    pub send_buffer_max: usize,
    /// Bytes that may be written before the path has shown what it carries.
    pub send_buffer_start: usize,
    /// What the limits of the send buffer count.
    pub send_accounting: SendAccounting,
    /// Take no more from the application while so many bytes were never sent
    /// (`TCP_NOTSENT_LOWAT`), so that what is written last is sent soon.
    pub notsent_lowat: Option<u32>,
    /// Most separate ranges kept beyond a gap: bounds the cost of a peer that sends holes.
    pub reassembly_ranges: usize,
    /// Largest payload we announce and send, in bytes, if less than the link's.
    pub max_segment_size: Option<u16>,
    /// Offer window scaling (RFC 7323 §2).
    pub window_scaling: bool,
    /// Offer timestamps (RFC 7323 §3).
    pub timestamps: bool,
    /// Offer selective acknowledgments (RFC 2018).
    pub sack: bool,
    /// Explicit congestion notification.
    pub ecn: EcnMode,
    /// Slow down less for a mark than for a loss (RFC 8511, an experiment).
    pub abe: bool,
    /// Send small segments at once (no Nagle, RFC 9293 §3.7.4).
    pub nodelay: bool,
    /// Set PSH at the end of every burst of several segments, not only where what was written
    /// ends, so that a receiver that joins segments hands them on at once. Linux does.
    pub push_bursts: bool,
    /// Size bursts for a device that cuts segments itself by the connection's pace, and by no
    /// more than half of the congestion window, as Linux does; else they are as large as the
    /// window and the device allow.
    pub autosize_bursts: bool,
    /// Segments that a burst sized so may have at any pace.
    pub burst_segments_min: u8,
    /// Longest wait for company before an ACK leaves alone; 500 ms and more count as 499
    /// (RFC 9293 §3.8.6.3).
    pub delayed_ack: Duration,
    /// Acknowledge at once so many times at the start of a connection, while the peer is in
    /// slow start.
    pub quick_acks: u8,
    /// Segments in the initial congestion window (RFC 6928).
    pub initial_window: u8,
    /// The congestion controller.
    pub congestion: Algorithm,
    /// Spread what the window lets out over the round trip, in bursts of a millisecond: at the
    /// rate of two windows in slow start, of 1.2 afterwards, which is Linux's. What Linux
    /// leaves to a queueing discipline is on here, because bursts cost a narrow queue's path a
    /// third of its throughput; the initial window leaves at once all the same. A controller
    /// that has a rate of its own (BBR) is always paced.
    pub pacing: bool,
    /// Let one ACK grow a window that is not paced by eight segments at most in slow start
    /// (RFC 9406 §4.3's L). Linux has no such bound.
    pub limit_slow_start: bool,
    /// Go back to the initial window after silence longer than the RTO (RFC 5681 §4.1). Without
    /// it a window that is not used is only halved, every five minutes (RFC 7661).
    pub idle_restart: bool,
    /// How far apart two readings of the host's clock are at least. On a path whose least round
    /// trip is not four times that, losses cannot be told by time (RFC 8985 §4): there RFC 6675
    /// finds them.
    pub clock_granularity: Duration,
    /// Tell losses by time where the peer speaks SACK (RACK, RFC 8985 §6), not by RFC 6675.
    pub rack: bool,
    /// Where losses are told by time: probe for a lost tail before the retransmission timer
    /// fires (TLP, RFC 8985 §7).
    pub tail_loss_probes: bool,
    /// Find out whether a timeout was for nothing (F-RTO, RFC 5682).
    pub f_rto: bool,
    /// RTO before the first measurement (RFC 6298 §2.1).
    pub rto_initial: Duration,
    /// Least RTO. RFC 6298 §2.4 says one second; Linux 200 ms.
    pub rto_min: Duration,
    /// What the RTO is above the smoothed round trip at least, however steady that is. RFC 6298
    /// §2.3 has no such least but the clock's; Linux has 200 ms.
    pub rto_variation_min: Duration,
    /// Greatest RTO (RFC 6298 §2.5: at least 60 s).
    pub rto_max: Duration,
    /// Retransmissions of a SYN before `connect` fails. RFC 9293 §3.8.3 wants three minutes:
    /// 7 give 247 s and more; Linux's 6 do not.
    pub syn_retries: u8,
    /// The first so many retransmissions of a SYN wait one initial RTO each, before the
    /// waits double. 0 is the classic doubling; Linux 6.18 has 4.
    pub syn_linear_timeouts: u8,
    /// Retransmissions of a SYN-ACK: 5 wait 1, 2, 4, 8, 16 and 32 s, 63 s in all.
    pub syn_ack_retries: u8,
    /// R1 (RFC 9293 §3.8.3): retransmissions after which the application is told and the
    /// route is doubted.
    pub retries_warn: u8,
    /// R2: retransmissions after which the connection is given up; 15 take over 15 minutes.
    /// `u8::MAX` means never.
    pub retries: u8,
    /// Retransmissions once no application holds the connection any more.
    pub orphan_retries: u8,
    /// Give up when data has been unacknowledged for so long (RFC 9293 §3.10.8).
    pub user_timeout: Option<Duration>,
    /// Probe an idle peer.
    pub keep_alive: Option<KeepAlive>,
    /// Maximum segment lifetime; TIME-WAIT lasts twice as long. The RFC's figure is two
    /// minutes, Linux's TIME-WAIT is 60 s.
    pub msl: Duration,
    /// How long FIN-WAIT-2 lasts when no application waits for the peer's FIN.
    pub fin_wait_2: Duration,
    /// Challenge ACKs of a connection in each `challenge_interval` (RFC 5961 §7).
    pub challenge_acks: u8,
    /// See `challenge_acks`.
    pub challenge_interval: Duration,
    /// Differentiated services field, as the octet's upper six bits.
    pub dscp: u8,
    /// Time to live or hop limit.
    pub ttl: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            receive_buffer_max: 6 << 20,
            receive_buffer_start: 65_535,
            send_buffer_max: 4 << 20,
            send_buffer_start: 87_040,
            send_accounting: SendAccounting::Bytes,
            notsent_lowat: None,
            reassembly_ranges: 512,
            max_segment_size: None,
            window_scaling: true,
            timestamps: true,
            sack: true,
            ecn: EcnMode::default(),
            abe: false,
            nodelay: false,
            push_bursts: true,
            autosize_bursts: false,
            burst_segments_min: 2,
            delayed_ack: Duration::from_millis(40),
            quick_acks: 16,
            initial_window: 10,
            congestion: Algorithm::Cubic,
            pacing: true,
            limit_slow_start: true,
            idle_restart: true,
            clock_granularity: Duration::from_micros(1),
            rack: true,
            tail_loss_probes: true,
            f_rto: true,
            rto_initial: Duration::from_secs(1),
            rto_min: Duration::from_millis(200),
            rto_variation_min: Duration::ZERO,
            rto_max: Duration::from_secs(120),
            syn_retries: 7,
            syn_linear_timeouts: 4,
            syn_ack_retries: 5,
            retries_warn: 3,
            retries: 15,
            orphan_retries: 8,
            user_timeout: None,
            keep_alive: None,
            msl: Duration::from_secs(30),
            fin_wait_2: Duration::from_secs(60),
            challenge_acks: 10,
            challenge_interval: Duration::from_secs(1),
            dscp: 0,
            ttl: 64,
        }
    }
}

impl Config {
    /// The window scale that lets us announce all of `receive_buffer_max`
    /// (RFC 7323 §2.2; at most 14).
    #[must_use]
    pub fn window_scale(&self) -> u8 {
        (0..14).find(|s| self.receive_buffer_max >> s <= 65_535).unwrap_or(14)
    }
}
