//! The ACK field: what it acknowledges, the window it brings, the losses it shows.

use alloc::boxed::Box;
use core::time::Duration;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::SackBlock;
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::time::Instant;

use super::Connection;
use super::repair::{News, dsack};
use crate::acceptable::{self, Ack};
use crate::context::Context;
use crate::event::{Event, Judgment};
use crate::half_open::reset_for;
use crate::negotiation::timestamp;
use crate::send::flight::{Delivery, Fate, Reading};
use crate::state::{Cause, State};
use crate::timer::Timer;

/// How long a peer that seems to have reneged may take to say otherwise.
const RENEGE_PATIENCE: Duration = Duration::from_millis(10);

impl Connection {
    /// Fifth check (RFC 9293 §3.10.7.4): the ACK field. False drops the segment.
    pub(super) fn check_ack(
        &mut self,
        cx: &Context<'_>,
        header: &Header,
        payload_len: usize,
    ) -> bool {
        let kind = acceptable::ack(self.snd.una, self.snd.nxt, self.snd.max_wnd, header.ack);
        if self.state == State::SynReceived {
            if kind != Ack::New {
                self.pending.reply = Some(Box::new(reset_for(header, payload_len)));
                return false;
            }
            self.follow(cx, Cause::SynAcknowledged);
            self.finish_handshake(cx, header);
            self.note_first_report(cx, header, payload_len);
            self.take_window(cx, header);
            if self.snd.closed {
                self.follow(cx, Cause::Close);
            }
            return true;
        }
        match kind {
            Ack::Unsent => {
                self.judge(cx, Judgment::AckOfUnsent);
                self.challenge(cx);
                return false;
            }
            Ack::TooOld => {
                self.judge(cx, Judgment::AckTooOld);
                self.challenge(cx);
                return false;
            }
            Ack::New | Ack::Old => {}
        }
        let window_moved = self.take_window(cx, header);
        let look_again = self.acknowledged(cx, header, kind, payload_len, window_moved);
        self.rearm_after_ack(cx, kind == Ack::New, look_again);
        true
    }

    /// What an acceptable ACK does to the flight. Returns when the reordering timer is to fire.
    fn acknowledged(
        &mut self,
        cx: &Context<'_>,
        header: &Header,
        kind: Ack,
        payload_len: usize,
        window_moved: bool,
    ) -> Option<Instant> {
        let una = self.snd.una;
        let in_flight = self.snd.pipe();
        let had_flight = !self.snd.flight.is_empty();
        let was_fast = self.snd.recovery.is_fast();
        let reading = self.reading(cx, header);
        let mut delivery = Delivery::default();
        if kind == Ack::New {
            let held = self.snd.queue.len();
            delivery = self.snd.acknowledged(header.ack, &reading);
            cx.budget.give_back(held - self.snd.queue.len());
            self.stats.bytes_acked += (held - self.snd.queue.len()) as u64;
            self.life.doubtful = false;
        }
        let newly_sacked = self.take_sack(header, &reading, &mut delivery);
        self.measure(cx, header, &delivery, kind);

        let acked = self.snd.una - una;
        let sack = self.negotiated.sack;
        let bare = header.seg_len(payload_len) == 0 && !window_moved;
        // RFC 6675 §2's definition with SACK, RFC 5681 §2's without.
        let tells_of_loss = if sack { newly_sacked > 0 } else { bare };
        let repeats = kind == Ack::Old && header.ack == una;
        let duplicate = repeats && had_flight && tells_of_loss;
        if duplicate {
            self.stats.duplicate_acks += 1;
            self.judge(cx, Judgment::DuplicateAck);
        }
        let news = News {
            delivery,
            dsack: dsack(header).filter(|block| sack && self.may_be_ours(block)),
            acked,
            newly_sacked,
            duplicate,
            bare: repeats && bare && header.options.sack.is_empty(),
            in_flight,
            echo: self.echo(header),
        };
        let look_again = self.recover(cx, &news);
        let marked = self.note_report(cx, header, delivery.bytes, in_flight);
        self.snd.feed_controller(cx.now, acked, &delivery, in_flight, was_fast || marked);
        self.snd.tune_limit(&self.config, cx.budget.under_pressure());
        if delivery.bytes > 0 {
            self.record_congestion(cx);
        }
        look_again
    }

    /// What an ACK is read with.
    pub(super) fn reading(&self, cx: &Context<'_>, header: &Header) -> Reading {
        let millis = cx.now.as_millis();
        let echoed_before = self.echo(header).map_or(Instant::FAR_FUTURE, |echo| {
            let age = (self.stamp(cx)).wrapping_sub(echo);
            Instant::from_millis((millis + 1).saturating_sub(u64::from(age)))
        });
        Reading {
            now: cx.now,
            min_rtt: self.snd.rtt.min().unwrap_or_default(),
            echoed_before,
            smss: u32::from(self.snd.smss),
        }
    }

    /// The timestamp that an ACK echoes, if it does.
    fn echo(&self, header: &Header) -> Option<u32> {
        let stamps = header.options.timestamps.filter(|_| self.negotiated.timestamps)?;
        (stamps.echo != 0).then_some(stamps.echo)
    }

    /// The TSval of what is sent now.
    pub(super) fn stamp(&self, cx: &Context<'_>) -> u32 {
        timestamp(cx.now, self.opening.timestamp_offset)
    }

    /// Whether a block reports something that we sent lately enough to remember.
    fn may_be_ours(&self, block: &SackBlock) -> bool {
        let lately = self.snd.una - self.snd.max_wnd;
        block.left.ge(lately) && block.right.le(self.snd.nxt)
    }

    /// Marks what the SACK option reports (RFC 2018 §5); returns the bytes newly reported.
    fn take_sack(&mut self, header: &Header, reading: &Reading, delivery: &mut Delivery) -> u32 {
        if !self.negotiated.sack {
            return 0;
        }
        let before = delivery.bytes;
        for block in header.options.sack.as_slice() {
            // A block at or below una is a D-SACK (RFC 2883 §4) or nonsense.
            let valid = block.left.gt(self.snd.una)
                && block.left.lt(block.right)
                && block.right.le(self.snd.nxt);
            if valid {
                delivery.merge(self.snd.flight.selectively_acknowledge(*block, reading));
            }
        }
        delivery.bytes - before
    }

    /// RFC 6298 §3: a round trip of what was sent once; with timestamps, of what was sent
    /// again too (RFC 7323 §4.1), if the echo is of the last time: of an earlier one it says
    /// as little as no timestamp does (Karn's rule), since the ACK to it may have been lost.
    pub(super) fn measure(&mut self, cx: &Context<'_>, header: &Header, d: &Delivery, kind: Ack) {
        if let Some(rtt) = d.rtt {
            self.measured(cx, rtt, d.bytes);
        } else if let (Some(t), Some(newest)) = (header.options.timestamps, &d.newest)
            && self.negotiated.timestamps
            && kind == Ack::New
            && t.echo != 0
        {
            let stamp = |at| timestamp(at, self.opening.timestamp_offset);
            let age = stamp(cx.now).wrapping_sub(t.echo);
            if age <= stamp(cx.now).wrapping_sub(stamp(newest.sent_at)) {
                self.measured(cx, Duration::from_millis(u64::from(age.max(1))), d.bytes);
            }
        }
    }

    fn measured(&mut self, cx: &Context<'_>, sample: Duration, acked: u32) {
        // An ACK for every second segment of what was in flight (RFC 7323 appendix G).
        let flight = self.snd.flight.outstanding() + acked;
        let in_round = flight.div_ceil(2 * u32::from(self.snd.smss)).max(1);
        self.snd.rtt.sample(&self.config, cx.now, sample, in_round);
        self.snd.recovery.probe_unmeasured = false;
        let rtt = &self.snd.rtt;
        cx.record(&self.tuple, || Event::Rtt {
            sample,
            srtt: rtt.srtt().unwrap_or_default(),
            rttvar: rtt.rttvar().unwrap_or_default(),
            rto: rtt.rto(&self.config),
        });
    }

    pub(super) fn record_congestion(&self, cx: &Context<'_>) {
        let snd = &self.snd;
        cx.record(&self.tuple, || Event::Congestion {
            cwnd: snd.cwnd(),
            ssthresh: snd.controller.ssthresh(),
        });
    }

    /// RFC 9293 §3.10.7.4: the window, unless the segment is older than the last that brought
    /// one. Returns whether it changed.
    fn take_window(&mut self, cx: &Context<'_>, header: &Header) -> bool {
        let snd = &mut self.snd;
        // The window counts from `seg.ack`: of an old one it says nothing about what lies beyond
        // `snd.una`, and what moves `snd.una` is later than all that did not, though it may have
        // been sent again and have an old sequence number. `snd.wl2` is never beyond `snd.una`,
        // so that nothing remains for it to say.
        let newer = header.ack.gt(snd.una) || header.ack == snd.una && snd.wl1.le(header.seq);
        if !newer {
            return false;
        }
        // The window of a SYN is never scaled (RFC 7323 §2.2): both sides opened at once.
        let is_syn = header.flags.contains(Flags::SYN);
        let scale = if is_syn { 0 } else { self.negotiated.snd_scale };
        let wnd = u32::from(header.window) << scale;
        let changed = wnd != snd.wnd;
        snd.wnd = wnd;
        snd.max_wnd = snd.max_wnd.max(wnd);
        snd.wl1 = header.seq;
        if changed {
            cx.record(&self.tuple, || Event::Window { snd_wnd: wnd });
        }
        changed
    }

    /// RFC 6298 §5.2, §5.3, and the persist timer's beginning and end.
    fn rearm_after_ack(&mut self, cx: &Context<'_>, progress: bool, look_again: Option<Instant>) {
        if self.window_is_shut() {
            // The peer lives, it is only full (RFC 9293 §3.8.6.1): what it takes to open its
            // window counts against nobody.
            self.timers.cancel(Timer::Retransmit);
            self.snd.unanswered = 0;
            self.snd.waiting_since = None;
            if !self.timers.is_set(Timer::Persist) {
                self.snd.rtt.backoff = 0;
                self.arm_persist(cx);
            }
            return;
        }
        if self.timers.is_set(Timer::Persist) {
            self.timers.cancel(Timer::Persist);
            self.snd.rtt.backoff = 0;
            self.snd.unanswered = 0;
            self.snd.waiting_since = (!self.snd.flight.is_empty()).then_some(cx.now);
        }
        // Every partial ACK in recovery starts the timer anew, not the first alone: the slower
        // and steadier variant of RFC 6582 §4.
        // A probe that waits to be sent is not needed any more.
        self.pending.tail_probe &= !progress;
        let reneged = self.has_reneged();
        if self.snd.flight.is_empty() {
            self.timers.cancel(Timer::Retransmit);
        } else if reneged {
            // Its next ACK may tell otherwise: as Linux, half a round trip's patience.
            let patience = RENEGE_PATIENCE.max(self.snd.rtt.srtt().unwrap_or_default() / 2);
            let at = (cx.now + patience).min(self.rto_at(cx.now));
            if progress {
                self.arm(cx, Timer::Retransmit, at);
            }
        } else if let Some(at) = look_again {
            self.arm(cx, Timer::Reorder, at);
        } else if progress || !self.timers.watches() {
            self.watch_flight(cx, cx.now + self.snd.rtt.rto(&self.config));
        } else if !self.timers.is_set(Timer::Retransmit) {
            // A probe or a look that the ACK made needless.
            self.watch_flight(cx, self.rto_at(cx.now));
        }
    }

    /// Whether there is something to send that the peer's window does not let out, and
    /// nothing under way that would bring an ACK.
    pub(super) fn window_is_shut(&self) -> bool {
        let snd = &self.snd;
        let first_unacked_fits = snd.flight.is_empty() || snd.edge().gt(snd.una);
        if !snd.flight.is_empty() {
            return !first_unacked_fits;
        }
        snd.wnd == 0 && (snd.unsent() > 0 || snd.fin_waits())
    }

    /// Whether the peer's cumulative ACK shows that it threw away what it had selectively
    /// acknowledged (RFC 2018 §8).
    pub(super) fn has_reneged(&self) -> bool {
        self.snd.flight.first().is_some_and(|f| f.fate.contains(Fate::SACKED))
    }

    /// Our FIN may just have been acknowledged.
    pub(super) fn after_fin_is_acknowledged(&mut self, cx: &Context<'_>) {
        if self.snd.fin_acked() {
            self.follow(cx, Cause::FinAcknowledged);
        }
    }

    /// Where new data would begin.
    pub(super) fn next_new(&self) -> SeqNumber {
        self.snd.nxt.max(self.snd.data_base())
    }
}
