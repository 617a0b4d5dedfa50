//! The sending half: sequence variables, what was written, what is in flight.

mod autosize;
mod buffer;
pub(crate) mod flight;
mod limits;
pub(crate) mod recovery;
mod wishes;

use alloc::boxed::Box;
use core::time::Duration;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::time::Instant;

use crate::config::{Config, SendAccounting};
use crate::congestion::{self, Controller, RateSample};
use crate::queue::ByteQueue;
use crate::rtt::RttEstimator;
use buffer::Buffers;
use flight::{Delivery, Fate, Flight, Sent};
use limits::Limits;
use recovery::Recovery;
use wishes::Wishes;

/// The least payload a peer's MSS option can bring us down to: what smaller ones would cost
/// is known from attacks on other stacks.
const MSS_MIN: u16 = 48;

/// The send sequence variables of RFC 9293 §3.3.1 and what hangs on them.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) iss: SeqNumber,
    /// Whether our SYN is acknowledged; after 4 GiB `snd.una` may be `iss` again.
    pub(crate) syn_acked: bool,
    pub(crate) una: SeqNumber,
    pub(crate) nxt: SeqNumber,
    /// In bytes, scaled.
    pub(crate) wnd: u32,
    pub(crate) wl1: SeqNumber,
    /// The greatest window the peer ever offered.
    pub(crate) max_wnd: u32,
    /// Behind the last urgent octet written (RFC 9293 §3.8.5).
    pub(crate) up: Option<SeqNumber>,
    /// Written and not acknowledged, from [`Sender::data_base`] on.
    pub(crate) queue: ByteQueue,
    /// A write found no memory in the host's budget; what is acknowledged makes room.
    pub(crate) starved: bool,
    /// The application will write no more.
    pub(crate) closed: bool,
    /// How the application wants its data cut and held back.
    pub(crate) wishes: Wishes,
    /// The FIN's sequence number, once sent.
    pub(crate) fin: Option<SeqNumber>,
    pub(crate) flight: Flight,
    pub(crate) recovery: Recovery,
    pub(crate) controller: Box<dyn Controller>,
    pub(crate) rtt: RttEstimator,
    /// Bytes delivered over the connection's life, and when the last of them was.
    pub(crate) delivered: u64,
    pub(crate) delivered_at: Instant,
    /// Payload of a full segment, options already subtracted.
    pub(crate) smss: u16,
    /// Behind the last segment sent that was not full (Minshall's form of Nagle).
    pub(crate) small_end: SeqNumber,
    pub(crate) last_sent_at: Instant,
    /// Since when something has been unacknowledged, or a window closed.
    pub(crate) waiting_since: Option<Instant>,
    /// Retransmissions or probes since the peer was last heard to make progress.
    pub(crate) unanswered: u8,
    /// The most that was in flight in this round of the window, and where the round ends.
    cwnd_used: u32,
    cwnd_round: SeqNumber,
    limit: usize,
    buffers: Buffers,
    pub(crate) limits: Limits,
}

impl Sender {
    pub(crate) fn new(config: &Config, iss: SeqNumber, now: Instant) -> Self {
        Self {
            iss,
            syn_acked: false,
            una: iss,
            nxt: iss,
            wnd: 0,
            wl1: SeqNumber(0),
            max_wnd: 0,
            up: None,
            queue: ByteQueue::default(),
            starved: false,
            closed: false,
            wishes: Wishes::default(),
            fin: None,
            flight: Flight::default(),
            recovery: Recovery::default(),
            controller: congestion::controller(config.congestion, 536, config.initial_window),
            rtt: RttEstimator::new(config),
            delivered: 0,
            delivered_at: now,
            smss: 536,
            small_end: iss,
            last_sent_at: now,
            waiting_since: None,
            unanswered: 0,
            cwnd_used: 0,
            cwnd_round: iss,
            limit: config.send_buffer_start.min(config.send_buffer_max),
            buffers: Buffers::new(iss),
            limits: Limits::new(now),
        }
    }

    /// Settles the segment size once both SYNs are known (RFC 9293 §3.7.1), and the initial
    /// window: one segment if the SYN timed out more than once (RFC 5681 §3.1, RFC 6928 §2).
    pub(crate) fn start(&mut self, config: &Config, smss: u16, syn_timeouts: u8) {
        self.smss = smss;
        let segments = if syn_timeouts > 1 { 1 } else { config.initial_window };
        self.controller = congestion::controller(config.congestion, u32::from(smss), segments);
        if config.send_accounting == SendAccounting::Buffers {
            let wanted = self.memory_of_windows().min(config.send_buffer_max);
            self.limit = self.limit.max(wanted);
        }
    }

    /// The connection is over: nothing is to be sent or waited for any more.
    pub(crate) fn discard(&mut self) {
        self.queue = ByteQueue::default();
        self.flight = Flight::default();
        self.up = None;
        self.waiting_since = None;
    }

    /// What a full segment carries: the least of what the peer takes and the path carries,
    /// less `options` bytes that every segment has.
    pub(crate) fn effective_mss(peer_mss: u16, path_mtu: u16, ip_len: u16, options: u16) -> u16 {
        peer_mss.min(path_mtu.saturating_sub(ip_len + 20)).max(MSS_MIN).saturating_sub(options)
    }

    /// The sequence number of the first byte in `queue`.
    pub(crate) fn data_base(&self) -> SeqNumber {
        if self.syn_acked { self.una } else { self.iss + 1 }
    }

    /// The sequence number behind the last byte written.
    pub(crate) fn data_end(&self) -> SeqNumber {
        self.fin.unwrap_or_else(|| self.data_base() + self.queue.len() as u32)
    }

    /// Bytes written that were never sent.
    pub(crate) fn unsent(&self) -> u32 {
        let next = self.nxt.max(self.data_base());
        // Negative once the queue was discarded.
        u32::try_from(self.data_end().distance(next)).unwrap_or(0)
    }

    /// Bytes of the record that is sent next that were never sent.
    pub(crate) fn unsent_of_record(&self) -> u32 {
        self.wishes.within_record(self.nxt.max(self.data_base()), self.unsent())
    }

    /// The most bytes to hand to a device that takes bursts of `burst`, as Linux sizes them.
    pub(crate) fn autosized(&self, config: &Config, burst: u32) -> u32 {
        if !config.autosize_bursts {
            return burst;
        }
        autosize::autosized(
            burst,
            &autosize::Path {
                smss: self.smss,
                cwnd: self.controller.cwnd(),
                ssthresh: self.controller.ssthresh(),
                srtt: self.rtt.srtt(),
                rtt_min: self.rtt.min(),
                least: u32::from(config.burst_segments_min),
            },
        )
    }

    /// Whether a FIN waits for its turn.
    pub(crate) fn fin_waits(&self) -> bool {
        self.closed && self.fin.is_none()
    }

    /// Whether our FIN was sent and acknowledged.
    pub(crate) fn fin_acked(&self) -> bool {
        self.fin.is_some_and(|fin| self.una.gt(fin))
    }

    /// Whether every byte written is acknowledged, be it without the FIN.
    pub(crate) fn is_delivered(&self) -> bool {
        self.queue.is_empty() && !self.fin_waits()
    }

    /// Whether everything written, and the FIN if there is one, is acknowledged.
    pub(crate) fn is_flushed(&self) -> bool {
        self.is_delivered() && self.una == self.nxt
    }

    /// The first sequence number that the peer's window does not take.
    pub(crate) fn edge(&self) -> SeqNumber {
        self.una + self.wnd
    }

    /// Bytes of new data that the peer's window takes now; 0 when it shrank.
    pub(crate) fn window_room(&self) -> u32 {
        u32::try_from(self.edge().distance(self.nxt)).unwrap_or(0)
    }

    /// Bytes believed to be in the network: without SACK, duplicate ACKs say how many left it,
    /// limited transmit's among them (RFC 5681 §3.2).
    pub(crate) fn pipe(&self) -> u32 {
        self.flight.in_network().saturating_sub(self.recovery.inflation())
    }

    /// Bytes that the congestion window lets out now.
    pub(crate) fn congestion_room(&self) -> u32 {
        self.controller.cwnd().saturating_sub(self.pipe())
    }

    /// Bytes that may be written and not acknowledged.
    pub(crate) const fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }

    /// Lets the buffer hold two windows, so that a window can be sent while one is
    /// acknowledged.
    pub(crate) fn tune_limit(&mut self, config: &Config, under_pressure: bool) {
        let wanted = match config.send_accounting {
            SendAccounting::Bytes => self.controller.cwnd().saturating_mul(2) as usize,
            // Linux looks only when somebody waits, and not where the window is full.
            SendAccounting::Buffers if !self.is_wanting() || self.congestion_room() == 0 => return,
            SendAccounting::Buffers => self.memory_of_windows(),
        };
        if wanted > self.limit && !under_pressure {
            self.limit = wanted.min(config.send_buffer_max);
        }
    }

    /// Counts a range that leaves now for the first time.
    pub(crate) fn sent(&mut self, now: Instant, len: u32) {
        let app_limited = self.unsent() <= len;
        if self.flight.is_empty() {
            self.waiting_since = Some(now);
            // RFC 8985's rate samples begin when the pipe was last empty.
            self.delivered_at = now;
        }
        self.flight.push(Sent {
            seq: self.nxt,
            len,
            sent_at: now,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            fate: if app_limited { Fate::APP_LIMITED } else { Fate::empty() },
        });
        self.nxt += len;
        self.last_sent_at = now;
        self.cwnd_used = self.cwnd_used.max(self.flight.in_network());
    }

    /// What a range that leaves again is marked with.
    pub(crate) fn resent_mark(&self, now: Instant) -> Sent {
        Sent {
            seq: self.una,
            len: 0,
            sent_at: now,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            fate: Fate::RESENT,
        }
    }

    /// Moves `snd.una` and drops what was acknowledged.
    pub(crate) fn acknowledged(&mut self, ack: SeqNumber, now: Instant) -> Delivery {
        let data = self.data_end().min(ack).distance(self.data_base());
        self.queue.consume(usize::try_from(data).unwrap_or(0));
        let delivery = self.flight.acknowledge(ack, now);
        self.una = ack;
        self.syn_acked = true;
        self.wishes.acknowledged(ack);
        // So that it never lags behind by half of all numbers.
        self.small_end = self.small_end.max(ack);
        self.unanswered = 0;
        self.starved = false;
        self.waiting_since = (!self.flight.is_empty()).then_some(now);
        if self.up.is_some_and(|up| up.le(ack)) {
            self.up = None;
        }
        delivery
    }

    /// Tells the controller of an acknowledgment; `in_recovery` if it met fast recovery, be it
    /// the one that ends it: that restores the window and does not let it grow.
    pub(crate) fn feed_controller(
        &mut self,
        now: Instant,
        newly_acked: u32,
        d: &Delivery,
        in_recovery: bool,
    ) {
        if d.bytes == 0 {
            return;
        }
        self.delivered += u64::from(d.bytes);
        self.delivered_at = now;
        let newest = d.newest.unwrap_or_else(|| self.resent_mark(now));
        let sample = RateSample {
            now,
            newly_acked,
            delivered: self.delivered,
            prior_delivered: newest.delivered,
            interval: now - newest.delivered_at,
            rtt: d.rtt,
            in_flight: self.flight.in_network(),
            app_limited: !self.used_its_window(),
            in_recovery: in_recovery || self.recovery.is_fast(),
        };
        self.controller.acked(&sample);
        if self.una.ge(self.cwnd_round) {
            self.cwnd_round = self.nxt;
            self.cwnd_used = self.flight.in_network();
        }
    }

    /// Whether the congestion window, not the application, held us back in this round
    /// (RFC 7661 §4.1; in slow start half of it is enough, for it doubles).
    fn used_its_window(&self) -> bool {
        let cwnd = self.controller.cwnd();
        if cwnd < self.controller.ssthresh() {
            cwnd < self.cwnd_used.saturating_mul(2)
        } else {
            cwnd < self.cwnd_used + 2 * u32::from(self.smss)
        }
    }

    /// After silence longer than an RTO the window is no longer known to fit
    /// (RFC 5681 §4.1).
    pub(crate) fn restart_after_idle(&mut self, config: &Config, now: Instant) {
        let idle: Duration = now - self.last_sent_at;
        if self.flight.is_empty() && idle > self.rtt.rto(config) && self.delivered > 0 {
            self.controller.restarted(now);
        }
    }
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
