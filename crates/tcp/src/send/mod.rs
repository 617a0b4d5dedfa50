//! The sending half: sequence variables, what was written, what is in flight.

mod autosize;
mod buffer;
mod canonical;
pub(crate) mod flight;
mod limits;
mod rate;
mod wishes;

use alloc::boxed::Box;
use core::time::Duration;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::time::Instant;

use crate::config::{Algorithm, Config, SendAccounting};
use crate::congestion::pacer::{self, Pacer};
use crate::congestion::validation::{Usage, Validation};
use crate::congestion::{Controller, LossSample, RateSample, Start, controller, initial_window};
use crate::queue::ByteQueue;
use crate::recovery::Recovery;
use crate::rtt::RttEstimator;
use buffer::Buffers;
use flight::{Delivery, Fate, Flight, Reading, Sent};
use limits::Limits;
use rate::RateEstimator;
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
    pub(crate) rate: RateEstimator,
    pacer: Pacer,
    /// Whether controllers that have no rate of their own are paced, too.
    paced: bool,
    /// Whether one ACK may grow an unpaced window by any number of segments.
    grows_freely: bool,
    /// See [`Start::abe`].
    abe: bool,
    usage: Usage,
    validation: Validation,
    /// Segments of the initial window.
    initial_segments: u8,
    /// Payload of a full segment, options already subtracted.
    pub(crate) smss: u16,
    /// Behind the last segment sent that was not full (Minshall's form of Nagle).
    pub(crate) small_end: SeqNumber,
    pub(crate) last_sent_at: Instant,
    /// Since when something has been unacknowledged, or a window closed.
    pub(crate) waiting_since: Option<Instant>,
    /// Retransmissions or probes since the peer was last heard to make progress.
    pub(crate) unanswered: u8,
    limit: usize,
    buffers: Buffers,
    pub(crate) limits: Limits,
}

impl Sender {
    pub(crate) fn new(config: &Config, iss: SeqNumber, now: Instant) -> Self {
        let start = Start {
            now,
            mss: 536,
            initial: initial_window(536, config.initial_window),
            srtt: None,
            seed: iss.0,
            paced: config.pacing || !config.limit_slow_start,
            abe: config.abe,
        };
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
            controller: controller(config.congestion, &start),
            rtt: RttEstimator::new(config),
            rate: RateEstimator::new(now),
            pacer: Pacer::default(),
            paced: config.pacing,
            grows_freely: !config.limit_slow_start,
            abe: config.abe,
            usage: Usage::new(iss),
            validation: Validation::new(),
            initial_segments: config.initial_window,
            smss: 536,
            small_end: iss,
            last_sent_at: now,
            waiting_since: None,
            unanswered: 0,
            limit: config.send_buffer_start.min(config.send_buffer_max),
            buffers: Buffers::new(iss),
            limits: Limits::new(now),
        }
    }

    /// Settles the segment size once both SYNs are known (RFC 9293 §3.7.1), and the initial
    /// window: one segment if the SYN timed out more than once (RFC 5681 §3.1, RFC 6928 §2).
    pub(crate) fn start(&mut self, config: &Config, now: Instant, smss: u16, syn_timeouts: u8) {
        self.smss = smss;
        self.initial_segments = if syn_timeouts > 1 { 1 } else { config.initial_window };
        self.control(config.congestion, now);
        if config.send_accounting == SendAccounting::Buffers {
            let wanted = self.memory_of_windows().min(config.send_buffer_max);
            self.limit = self.limit.max(wanted);
        }
    }

    /// Hands the window over to a new controller, which begins with nothing.
    fn control(&mut self, algorithm: Algorithm, now: Instant) {
        let start = Start {
            now,
            mss: u32::from(self.smss),
            initial: self.initial_window(),
            srtt: self.rtt.srtt(),
            seed: self.iss.0,
            paced: self.paced || self.grows_freely,
            abe: self.abe,
        };
        self.controller = controller(algorithm, &start);
        self.flight.watch(self.controller.watches_losses());
    }

    /// The same in the middle of a connection: the new controller goes on with the window that
    /// the old one had.
    pub(crate) fn switch_controller(&mut self, algorithm: Algorithm, now: Instant) {
        let (cwnd, ssthresh) = (self.controller.cwnd(), self.controller.ssthresh());
        self.control(algorithm, now);
        self.controller.set_windows(cwnd, ssthresh);
    }

    fn initial_window(&self) -> u32 {
        initial_window(u32::from(self.smss), self.initial_segments)
    }

    /// The connection is over: nothing is to be sent or waited for any more.
    pub(crate) fn discard(&mut self) {
        self.queue = ByteQueue::default();
        self.flight = Flight::default();
        self.recovery.discard();
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

    /// The congestion window: during fast recovery what proportional rate reduction makes of it,
    /// but a segment at least: with nothing in flight less would stop the ACK clock.
    pub(crate) fn cwnd(&self) -> u32 {
        let reduced = self.recovery.window().map(|window| window.max(u32::from(self.smss)));
        reduced.unwrap_or_else(|| self.controller.cwnd())
    }

    /// FlightSize as a loss finds it: `in_flight` before the ACK that shows it; more where other
    /// ACKs came together with that one and nothing could be sent in between.
    pub(crate) fn flight_size(&self, in_flight: u32) -> u32 {
        in_flight.max(self.usage.most().min(self.controller.cwnd()))
    }

    /// Bytes that the congestion window lets out now.
    pub(crate) fn congestion_room(&self) -> u32 {
        self.cwnd().saturating_sub(self.pipe())
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
        let in_flight = self.pipe();
        if self.flight.is_empty() {
            self.waiting_since = Some(now);
            self.rate.starts(now);
        }
        self.controller.sends(now, in_flight, self.rate.is_app_limited());
        self.flight.push(self.mark(self.nxt, len, now, Fate::empty()));
        self.recovery.sent(len);
        self.nxt += len;
        self.last_sent_at = now;
        let (room, smss) = (self.congestion_room(), u32::from(self.smss));
        self.usage.sent(self.una, self.nxt, in_flight + len, room, smss);
    }

    /// The application writes: if there was nothing left to send although the window let
    /// something out, the rates measured until now are its own, not the path's.
    pub(crate) fn check_app_limited(&mut self) {
        let idle = self.unsent() < u32::from(self.smss) && self.flight.lost() == 0;
        if idle && self.pipe() < self.controller.cwnd() {
            self.rate.mark_app_limited(self.pipe());
        }
    }

    /// What leaves now.
    fn mark(&self, seq: SeqNumber, len: u32, now: Instant, fate: Fate) -> Sent {
        let sent = self.rate.stamp(Sent::new(seq, len, now, fate));
        Sent { in_flight: self.pipe() + len, lost: self.flight.lost_ever(), ..sent }
    }

    /// `len` bytes left; says when the next ones may, if they have to wait.
    ///
    /// The initial window leaves as it always did: what is short is not made late.
    pub(crate) fn pace(&mut self, now: Instant, len: u32) -> Option<Instant> {
        let rate = self.pacing_rate()?;
        let sent = self.rate.delivered + u64::from(self.flight.outstanding());
        if sent <= u64::from(self.initial_window()) {
            return None;
        }
        self.pacer.sent(now, len, rate, u32::from(self.smss))
    }

    /// The most bytes to hand to a device that takes bursts of `burst`.
    pub(crate) fn burst(&self, burst: u32) -> u32 {
        let smss = u32::from(self.smss);
        self.pacing_rate().map_or(burst, |rate| burst.min(pacer::quantum(rate, smss)))
    }

    /// Bytes per second at which data may leave, if that is limited.
    pub(crate) fn pacing_rate(&self) -> Option<u64> {
        let controller = &self.controller;
        controller.pacing_rate().or_else(|| {
            let srtt = self.rtt.srtt().filter(|_| self.paced)?;
            Some(pacer::rate_of(controller.cwnd(), controller.ssthresh(), srtt))
        })
    }

    /// What a range that leaves again is marked with.
    pub(crate) fn resent_mark(&self, now: Instant) -> Sent {
        self.mark(self.una, 0, now, Fate::RESENT)
    }

    /// Moves `snd.una` and drops what was acknowledged.
    pub(crate) fn acknowledged(&mut self, ack: SeqNumber, reading: &Reading) -> Delivery {
        let data = self.data_end().min(ack).distance(self.data_base());
        self.queue.consume(usize::try_from(data).unwrap_or(0));
        let delivery = self.flight.acknowledge(ack, reading);
        self.una = ack;
        self.syn_acked = true;
        self.wishes.acknowledged(ack);
        // So that it never lags behind by half of all numbers.
        self.small_end = self.small_end.max(ack);
        self.unanswered = 0;
        self.starved = false;
        self.waiting_since = (!self.flight.is_empty()).then_some(reading.now);
        if self.up.is_some_and(|up| up.le(ack)) {
            self.up = None;
        }
        delivery
    }

    /// Tells the controller of an acknowledgment that found `prior` bytes in flight;
    /// `in_recovery` if it met fast recovery, be it the one that ends it: that restores the
    /// window and does not let it grow.
    pub(crate) fn feed_controller(
        &mut self,
        now: Instant,
        newly_acked: u32,
        d: &Delivery,
        prior: u32,
        in_recovery: bool,
    ) {
        let newly_lost = self.tell_of_losses(now);
        if d.bytes == 0 {
            return;
        }
        // Until F-RTO knows whether the timeout was for nothing, an ACK opens the window by one
        // segment: RFC 5682 §2.1 step 3 allows three then.
        let cautious = self.recovery.holds_back();
        let most = if cautious { u32::from(self.smss) } else { u32::MAX };
        let Some(measured) = self.rate.delivered(now, d, self.rtt.min()) else { return };
        let in_recovery = in_recovery || self.recovery.is_fast();
        let sample = RateSample {
            now,
            newly_acked: newly_acked.min(most),
            newly_delivered: d.bytes.min(most),
            newly_lost,
            delivered: self.rate.delivered,
            prior_delivered: measured.prior_delivered,
            interval: measured.interval,
            tx_in_flight: measured.tx_in_flight,
            lost: self.flight.lost_ever() - measured.prior_lost,
            rtt: d.rtt,
            srtt: self.rtt.srtt(),
            prior_in_flight: prior,
            in_flight: self.pipe(),
            app_limited: measured.app_limited,
            cwnd_limited: self.usage.is_cwnd_limited(&*self.controller),
            in_recovery,
        };
        self.controller.acked(&sample);
        if self.controller.recovers_proportionally() && !in_recovery {
            self.validate(now, newly_acked);
        }
    }

    /// RFC 7661 §4.2, §4.4.
    fn validate(&mut self, now: Instant, newly_acked: u32) {
        let srtt = self.rtt.srtt().unwrap_or_default();
        self.validation.acked(now, newly_acked, self.una, self.nxt, srtt);
        self.validation.judge(now, self.initial_window(), &mut *self.controller);
    }

    /// Tells the controller of what was found lost since it was told last; returns how much
    /// that is.
    pub(crate) fn tell_of_losses(&mut self, now: Instant) -> u32 {
        let ever = self.flight.lost_ever();
        let (bytes, losses) = self.flight.take_newly_lost();
        for sent in losses {
            let range = LossSample {
                bytes: sent.len,
                tx_in_flight: sent.in_flight,
                lost: ever - sent.lost,
                app_limited: sent.fate.contains(Fate::APP_LIMITED),
            };
            self.controller.range_lost(now, &range);
        }
        bytes
    }

    /// Losses were found while `in_flight` bytes were under way, of which this is the first;
    /// `resent` is how much was ever sent again.
    pub(crate) fn congestion_found(&mut self, now: Instant, in_flight: u32, resent: u64) {
        self.controller.lost(now, in_flight);
        let mss = u32::from(self.smss);
        self.validation.lost(in_flight, resent, mss, &mut *self.controller);
    }

    /// The path marked packets, while losses are not being repaired.
    pub(crate) fn congestion_marked(&mut self, now: Instant, in_flight: u32, resent: u64) {
        let in_flight = self.flight_size(in_flight);
        self.controller.marked(now, in_flight);
        let mss = u32::from(self.smss);
        self.validation.lost(in_flight, resent, mss, &mut *self.controller);
        self.validation.recovered(resent, mss, &mut *self.controller);
    }

    /// All that was in flight when losses were found is acknowledged.
    pub(crate) fn congestion_over(&mut self, now: Instant, resent: u64) {
        self.controller.recovered(now);
        let mss = u32::from(self.smss);
        self.validation.recovered(resent, mss, &mut *self.controller);
    }

    /// The losses were none.
    pub(crate) fn congestion_undone(&mut self, now: Instant) {
        self.controller.undo(now);
        self.validation.undone();
    }

    /// The retransmission timer fired.
    pub(crate) fn congestion_timeout(&mut self, now: Instant, in_flight: u32, first: bool) {
        self.controller.timed_out(now, in_flight, first);
        self.validation.timed_out();
    }

    /// After silence longer than an RTO the window is no longer known to fit
    /// (RFC 5681 §4.1).
    pub(crate) fn restart_after_idle(&mut self, config: &Config, now: Instant) {
        let idle: Duration = now - self.last_sent_at;
        if self.flight.is_empty()
            && idle > self.rtt.rto(config)
            && config.idle_restart
            && self.rate.delivered > 0
        {
            let window = self.initial_window();
            self.controller.restarted(now, window);
        }
    }
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
