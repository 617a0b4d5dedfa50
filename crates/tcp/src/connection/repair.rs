//! Loss recovery put together: what an ACK, the reordering timer and the retransmission timer
//! do to a flight that something happened to. The mechanisms themselves are in `recovery`.

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Header;
use handclasp_wire::tcp::options::SackBlock;
use handclasp_wire::time::Instant;

use super::Connection;
use crate::context::Context;
use crate::event::{Event, LossSign, Proof};
use crate::recovery::frto::{Facts, Finding, Frto};
use crate::recovery::probe::{self, Outcome};
use crate::recovery::prr::Prr;
use crate::recovery::rack::Path;
use crate::recovery::{Method, Phase, sack};
use crate::send::flight::{Delivery, Losses, Verdict};
use crate::timer::Timer;

/// What an acceptable ACK told.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    pub(super) delivery: Delivery,
    /// What the peer received twice.
    pub(super) dsack: Option<SackBlock>,
    /// Bytes that `snd.una` moved by.
    pub(super) acked: u32,
    /// Bytes newly reported beyond a gap.
    pub(super) newly_sacked: u32,
    pub(super) duplicate: bool,
    /// It repeats the last one, with neither text nor SACK blocks nor another window.
    pub(super) bare: bool,
    /// Bytes in the network before it came.
    pub(super) in_flight: u32,
    /// The timestamp it echoes.
    pub(super) echo: Option<u32>,
}

/// The D-SACK block of an ACK, if it has one (RFC 2883 §4): below that ACK's own number, or
/// inside the block behind it.
pub(super) fn dsack(header: &Header) -> Option<SackBlock> {
    let blocks = header.options.sack.as_slice();
    let first = *blocks.first()?;
    let below = first.right.le(header.ack);
    let inside = |around: &SackBlock| around.left.le(first.left) && first.right.le(around.right);
    let doubled = below || blocks.get(1).is_some_and(inside);
    (doubled && first.left.lt(first.right)).then_some(first)
}

impl Connection {
    /// How losses are found on this connection.
    pub(super) fn method(&self) -> Method {
        let coarse =
            |rtt: core::time::Duration| rtt < self.config.clock_granularity.saturating_mul(4);
        if !self.negotiated.sack {
            Method::NewReno
        } else if !self.config.rack || self.snd.rtt.min().is_some_and(coarse) {
            Method::Sack
        } else {
            Method::Rack
        }
    }

    /// What an ACK means for losses. Returns when the reordering timer is to fire.
    pub(super) fn recover(&mut self, cx: &Context<'_>, news: &News) -> Option<Instant> {
        let happens = news.newly_sacked > 0 || news.duplicate || news.dsack.is_some();
        if self.snd.recovery.trouble().is_none() {
            if !happens {
                return None;
            }
            // All below what this ACK was the first to tell had arrived before.
            let una = self.snd.una - news.acked;
            let method = self.method();
            self.snd.recovery.begin_trouble(method, una);
        }
        let inflation = self.snd.recovery.inflation();
        let probe_idle = self.judge_probe(cx, news);
        self.note_reordering(cx, news, probe_idle);
        self.judge_timeout(cx, news);
        self.judge_echo(cx, news);
        let partial = self.progress(cx, news);
        let (losses, again) = self.find_losses(cx, news, partial);
        let inflated = self.snd.recovery.inflation();
        let delivered = (news.delivery.bytes + inflated).saturating_sub(inflation);
        // Without SACK a partial acknowledgment shows the next loss.
        let safe = news.acked > 0 && losses.bytes == 0;
        self.steer(delivered, safe);
        self.snd.recovery.settle(self.snd.una, &self.snd.flight);
        again
    }

    /// RFC 8985 §7.4.2. Returns whether a D-SACK, if there is one, is about a probe.
    fn judge_probe(&mut self, cx: &Context<'_>, news: &News) -> bool {
        let Some(t) = self.snd.recovery.trouble_mut() else { return false };
        let Some(probe) = t.probe else { return false };
        let open = t.phase == Phase::Open;
        match probe.judge(self.snd.una, news.dsack, news.bare) {
            Outcome::Unknown => return false,
            Outcome::Idle => t.probe = None,
            Outcome::Repaired => {
                t.probe = None;
                if open {
                    self.snd.recovery.count(|c| c.loss_probe_recoveries += 1);
                    cx.record(&self.tuple, || Event::Repaired { by: LossSign::TailProbe });
                    let flight_size = self.snd.flight_size(news.in_flight);
                    let resent = self.stats.bytes_resent;
                    self.snd.congestion_found(cx.now, flight_size, resent);
                    self.snd.congestion_over(cx.now, resent);
                    self.window_reduced();
                    self.record_congestion(cx);
                }
                return false;
            }
        }
        probe.resent.is_some()
    }

    /// What arrived out of order, and what arrived twice (RFC 8985 §6.2 steps 2 to 4).
    fn note_reordering(&mut self, cx: &Context<'_>, news: &News, of_probe: bool) {
        let (una, nxt) = (self.snd.una, self.snd.nxt);
        let resent = self.stats.segments_resent;
        let recovery = &mut self.snd.recovery;
        let mut reordering = recovery.reordering;
        let Some(t) = recovery.trouble_mut() else { return };
        let d = &news.delivery;
        let first_seen = t.rack.delivered(&mut reordering, d, cx.now);
        let mut doubled = false;
        if let Some(block) = news.dsack.filter(|_| !of_probe) {
            doubled = t.undo.as_mut().is_some_and(|undo| undo.doubled(block));
            // Copies that the network made say nothing about what we sent again.
            if resent > 0 {
                t.rack.duplicate_reported(&mut reordering, una, nxt);
            }
        }
        let has_undo = t.undo.is_some();
        recovery.reordering = reordering;
        if first_seen {
            recovery.count(|c| c.reorderings += 1);
        }
        if news.dsack.is_some() {
            recovery.count(|c| {
                c.dsacks_received += 1;
                c.dsacks_ignored += u64::from(!has_undo);
            });
        }
        if doubled {
            self.undo(cx, Proof::Duplicates);
        }
    }

    /// F-RTO (RFC 5682).
    fn judge_timeout(&mut self, cx: &Context<'_>, news: &News) {
        let snd = &self.snd;
        let Some(Phase::Loss { recover }) = snd.recovery.trouble().map(|t| t.phase) else { return };
        let new = snd.unsent().min(snd.window_room()).min(2 * u32::from(snd.smss));
        let facts = Facts {
            advances: news.acked > 0,
            covers_all: snd.una.ge(recover),
            duplicate: news.duplicate || news.newly_sacked > 0,
            original: news.delivery.first_original.is_some_and(|seq| seq.lt(recover)),
            sack: self.negotiated.sack,
            new_data: (new > 0).then(|| snd.nxt + new),
        };
        let Some(t) = self.snd.recovery.trouble_mut() else { return };
        match t.frto.acked(&facts) {
            Finding::Open | Finding::Real => {}
            Finding::Spurious => self.undo(cx, Proof::FRto),
            // It must go on whatever is under way.
            Finding::RealAfterProbing => self.snd.recovery.first_resend = true,
        }
    }

    /// Eifel detection (RFC 3522 §3.2).
    fn judge_echo(&mut self, cx: &Context<'_>, news: &News) {
        let (Some(echo), true) = (news.echo, news.acked > 0) else { return };
        let una = self.snd.una;
        let Some(t) = self.snd.recovery.trouble() else { return };
        let disproved = t.undo.as_ref().is_some_and(|u| u.is_disproved_by(una, echo));
        if disproved && t.phase != Phase::Open {
            self.undo(cx, Proof::Timestamp);
        }
    }

    /// What was thought lost was not: the window and the threshold are as before
    /// (RFC 4015 §3.2, RFC 5682 §4), and what was not sent again yet is under way.
    fn undo(&mut self, cx: &Context<'_>, by: Proof) {
        let phase = self.snd.recovery.phase();
        let Some(t) = self.snd.recovery.trouble_mut() else { return };
        t.leave();
        t.undo = None;
        self.snd.congestion_undone(cx.now);
        if phase != Phase::Open {
            self.snd.recovery.first_resend = false;
            self.snd.flight.forget_losses();
            self.snd.congestion_over(cx.now, self.stats.bytes_resent);
        }
        if let Phase::Loss { .. } = phase {
            self.snd.rtt.backoff = 0;
            self.snd.unanswered = 0;
        } else {
            // Not what was lost, but what was late.
            self.snd.recovery.reordering.seen = true;
        }
        self.snd.recovery.count(|c| match (by, phase) {
            (Proof::FRto, _) => c.spurious_timeouts += 1,
            (Proof::Duplicates, Phase::Open | Phase::Fast { .. }) => c.dsack_undos += 1,
            (_, Phase::Loss { .. }) => c.loss_undos += 1,
            (Proof::Timestamp, _) => c.full_undos += 1,
        });
        cx.record(&self.tuple, || Event::Undone { by });
        self.record_congestion(cx);
    }

    /// `snd.una` moved on, or did not. Returns whether this was a partial acknowledgment in fast
    /// recovery (RFC 6582 §3.2 step 5).
    fn progress(&mut self, cx: &Context<'_>, news: &News) -> bool {
        let (una, nxt, smss) = (self.snd.una, self.snd.nxt, u32::from(self.snd.smss));
        let sack = self.negotiated.sack;
        if news.acked == 0 {
            return false;
        }
        let Some(t) = self.snd.recovery.trouble_mut() else { return false };
        match t.phase {
            Phase::Open => {
                t.duplicates.reset(una);
                t.undo = t.undo.filter(|undo| undo.is_open(una));
                false
            }
            Phase::Fast { recover } | Phase::Loss { recover } if una.ge(recover) => {
                t.leave();
                if una == recover && !sack {
                    t.duplicates.passed(una);
                }
                t.undo = t.undo.filter(|_| sack);
                if let Some(undo) = &mut t.undo {
                    undo.recovered(nxt);
                }
                self.snd.recovery.reordering.recovered();
                self.snd.recovery.first_resend = false;
                self.snd.congestion_over(cx.now, self.stats.bytes_resent);
                false
            }
            Phase::Fast { .. } => {
                if !sack {
                    t.duplicates.deflate(news.acked, smss);
                }
                true
            }
            Phase::Loss { .. } => false,
        }
    }

    /// Finds out what was lost, and begins to repair it.
    fn find_losses(
        &mut self,
        cx: &Context<'_>,
        news: &News,
        partial: bool,
    ) -> (Losses, Option<Instant>) {
        let Some(method) = self.snd.recovery.trouble().map(|t| t.method) else {
            return Default::default();
        };
        let (losses, by, again) = match method {
            Method::Rack => {
                self.count_duplicate(news);
                let (losses, again) = self.detect_by_time(cx.now);
                (losses, LossSign::Rack, again)
            }
            Method::Sack => (self.detect_by_blocks(news), LossSign::Sack, None),
            Method::NewReno => {
                let (losses, by) = self.detect_by_duplicates(news, partial);
                (losses, by, None)
            }
        };
        self.take_losses(cx, losses, by, news.in_flight, news.delivery.bytes);
        (losses, again)
    }

    /// Counts a duplicate ACK; whether it is the third.
    fn count_duplicate(&mut self, news: &News) -> bool {
        let (smss, outstanding) = (u32::from(self.snd.smss), self.snd.flight.outstanding());
        let sack = self.negotiated.sack;
        let Some(t) = self.snd.recovery.trouble_mut().filter(|_| news.duplicate) else {
            return false;
        };
        // Who sends more duplicates than there were segments gets nothing for them
        // (RFC 9937 §6.2).
        let most = t.prr.as_ref().map_or(outstanding, |prr| prr.recover_fs().min(outstanding));
        let after_timeout = matches!(t.phase, Phase::Loss { .. });
        if sack {
            t.duplicates.count_one()
        } else {
            t.duplicates.guess_one(smss, most, after_timeout)
        }
    }

    fn detect_by_duplicates(&mut self, news: &News, partial: bool) -> (Losses, LossSign) {
        let enough = self.count_duplicate(news);
        let smss = u32::from(self.snd.smss);
        if partial {
            // RFC 6582 §3.2 step 3: at once, whatever the window says.
            self.snd.recovery.first_resend = true;
            let by = LossSign::PartialAck;
            return (self.snd.flight.mark_first_lost(smss, by), by);
        }
        let by = LossSign::DuplicateAcks;
        if enough && self.snd.recovery.is_open() {
            return (self.snd.flight.mark_first_lost(smss, by), by);
        }
        (Losses::default(), by)
    }

    fn detect_by_blocks(&mut self, news: &News) -> Losses {
        let enough = self.count_duplicate(news);
        let snd = &mut self.snd;
        let smss = u32::from(snd.smss);
        let reordering = snd.rtt.min().unwrap_or_default() / 4;
        let newest = news.delivery.newest.as_ref();
        let losses = sack::mark_lost(&mut snd.flight, smss, newest, reordering);
        if losses.bytes == 0 && enough && snd.recovery.is_open() {
            return snd.flight.mark_first_lost(smss, LossSign::Sack);
        }
        losses
    }

    fn detect_by_time(&mut self, now: Instant) -> (Losses, Option<Instant>) {
        let path = self.path();
        let snd = &mut self.snd;
        let Some(t) = snd.recovery.trouble() else { return Default::default() };
        t.rack.detect(&mut snd.flight, &path, snd.nxt, now)
    }

    /// What the reordering window depends on.
    fn path(&self) -> Path {
        Path {
            reordering: self.snd.recovery.reordering,
            min_rtt: self.snd.rtt.min().unwrap_or_default(),
            srtt: self.snd.rtt.srtt().unwrap_or_default(),
            recovering: !self.snd.recovery.is_open(),
        }
    }

    /// Records what was found lost, and enters fast recovery if that is the first of it.
    /// `delivered` is what the ACK that showed it brought.
    fn take_losses(
        &mut self,
        cx: &Context<'_>,
        losses: Losses,
        by: LossSign,
        in_flight: u32,
        delivered: u32,
    ) {
        if losses.bytes == 0 {
            return;
        }
        let smss = u32::from(self.snd.smss);
        let sack = self.negotiated.sack;
        cx.record(&self.tuple, || Event::Loss { bytes: losses.bytes, by });
        self.snd.recovery.count(|c| c.lost_retransmits += u64::from(losses.again.div_ceil(smss)));
        if !self.snd.recovery.is_open() {
            return;
        }
        self.snd.recovery.count(|c| {
            c.sack_recoveries += u64::from(sack);
            c.reno_recoveries += u64::from(!sack);
        });
        let (una, nxt) = (self.snd.una, self.snd.nxt);
        self.snd.recovery.first_resend = true;
        let left = self.snd.flight.outstanding() - self.snd.flight.sacked() + delivered;
        let flight_size = self.snd.flight_size(in_flight);
        let Some(t) = self.snd.recovery.trouble_mut() else { return };
        t.enter_fast(una, nxt);
        self.snd.congestion_found(cx.now, flight_size, self.stats.bytes_resent);
        self.window_reduced();
        if self.snd.controller.recovers_proportionally() {
            let gone = flight_size.saturating_sub(left);
            let (pipe, ssthresh) = (self.snd.pipe(), self.snd.controller.ssthresh());
            if let Some(t) = self.snd.recovery.trouble_mut() {
                t.prr = Some(Prr::new(left, gone, pipe, ssthresh));
            }
        }
        self.record_congestion(cx);
    }

    /// Lets out what proportional rate reduction allows after an ACK (RFC 9937 §6.2), and where
    /// nothing is left that may be sent, what may be lost (RFC 6675 §4).
    fn steer(&mut self, delivered: u32, safe: bool) {
        let (pipe, smss) = (self.snd.pipe(), u32::from(self.snd.smss));
        let Some(t) = self.snd.recovery.trouble_mut() else { return };
        let Phase::Fast { recover } = t.phase else { return };
        if let Some(prr) = &mut t.prr {
            prr.acked(delivered, pipe, safe, smss);
        }
        let by_blocks = t.method == Method::Sack;
        let idle = self.snd.flight.lost() == 0 && self.snd.congestion_room() >= smss;
        if by_blocks && idle && self.new_len(0) == 0 {
            let snd = &mut self.snd;
            if let Some(t) = snd.recovery.trouble_mut() {
                t.guess_next(&mut snd.flight, smss, recover);
            }
        }
    }

    /// Something left again: what would prove that it was for nothing, and what it counts as.
    pub(super) fn note_resent(&mut self, seq: SeqNumber, len: u32, stamp: u32) {
        let segments = u64::from(len.div_ceil(u32::from(self.snd.smss)));
        let recovery = &mut self.snd.recovery;
        recovery.sent(len);
        let Some(t) = recovery.trouble_mut() else { return };
        if let Some(undo) = &mut t.undo {
            undo.resent(seq, len, stamp);
        }
        t.high_rxt = t.high_rxt.max(seq + len);
        match t.phase {
            Phase::Open => {}
            Phase::Fast { .. } => recovery.count(|c| c.fast_retransmits += segments),
            Phase::Loss { .. } => recovery.count(|c| c.slow_start_retransmits += segments),
        }
    }

    /// The reordering timer fired (RFC 8985 §6.2 step 5): what had time to arrive is lost.
    pub(super) fn reordering_settled(&mut self, cx: &Context<'_>) {
        let in_flight = self.snd.pipe();
        let (losses, again) = self.detect_by_time(cx.now);
        self.take_losses(cx, losses, LossSign::Rack, in_flight, 0);
        match again {
            Some(at) => self.arm(cx, Timer::Reorder, at),
            None => self.arm(cx, Timer::Retransmit, cx.now + self.snd.rtt.rto(&self.config)),
        }
    }

    /// The retransmission timer fired for data: what is lost, and what that means for the window.
    pub(super) fn lose_by_timeout(&mut self, cx: &Context<'_>) {
        let reneged = self.has_reneged();
        if reneged {
            self.snd.flight.forget_sacks();
        }
        let in_flight = self.snd.flight.in_network();
        let phase = self.snd.recovery.phase();
        // The same data timed out before, or was found lost and the window reduced for it.
        let again = self.snd.unanswered > 1;
        let anew = match phase {
            Phase::Open => true,
            Phase::Fast { .. } => false,
            Phase::Loss { .. } => !again,
        };
        let losses = self.mark_timed_out(cx.now, reneged);
        let by = if reneged { LossSign::Reneging } else { LossSign::Timeout };
        cx.record(&self.tuple, || Event::Loss { bytes: losses.bytes, by });
        let sack = self.negotiated.sack;
        self.snd.recovery.count(|c| {
            c.timeouts += 1;
            c.renegings += u64::from(reneged);
            let failed = u64::from(matches!(phase, Phase::Fast { .. }));
            c.sack_recovery_fails += if sack { failed } else { 0 };
            c.reno_recovery_fails += if sack { 0 } else { failed };
        });
        self.snd.tell_of_losses(cx.now);
        self.snd.congestion_timeout(cx.now, in_flight, anew);
        self.window_reduced();
        let (una, nxt) = (self.snd.una, self.snd.nxt);
        // RFC 5682 §2.1, §3.1: not where losses were being repaired already.
        let f_rto = self.config.f_rto && !reneged && (phase == Phase::Open || again);
        self.snd.recovery.first_resend = true;
        if let Some(t) = self.snd.recovery.trouble_mut() {
            t.enter_loss(una, nxt, anew);
            t.frto = if f_rto { Frto::Resent } else { Frto::Off };
        }
        self.record_congestion(cx);
    }

    fn mark_timed_out(&mut self, now: Instant, reneged: bool) -> Losses {
        let (path, method) = (self.path(), self.method());
        let snd = &mut self.snd;
        let (nxt, smss) = (snd.nxt, u32::from(snd.smss));
        let t = snd.recovery.begin_trouble(method, snd.una);
        if t.method == Method::Rack && !reneged {
            return t.rack.timed_out(&mut snd.flight, &path, nxt, now, smss);
        }
        let why = if reneged { LossSign::Reneging } else { LossSign::Timeout };
        // What was resent and lost again counts as much as what was sent once.
        snd.flight.mark_lost(nxt, why, |_| Verdict::Lost)
    }

    /// Whether a tail loss probe may be scheduled (RFC 8985 §7.2, §7.3).
    fn may_probe(&self) -> bool {
        let recovery = &self.snd.recovery;
        self.config.tail_loss_probes
            && self.state.is_synchronized()
            && self.method() == Method::Rack
            && !recovery.probe_unmeasured
            && recovery.is_open()
            && recovery.trouble().is_none_or(|t| t.probe.is_none())
            && self.snd.flight.sacked() == 0
            && self.snd.flight.lost() == 0
    }

    /// Sets the timer that watches over what is in flight: for a probe where one may be sent,
    /// else for a timeout, which would come at `rto_at`.
    pub(super) fn watch_flight(&mut self, cx: &Context<'_>, rto_at: Instant) {
        if !self.may_probe() {
            self.arm(cx, Timer::Retransmit, rto_at);
            return;
        }
        let alone = self.snd.flight.is_one(u32::from(self.snd.smss));
        let wait = probe::timeout(self.snd.rtt.srtt(), alone);
        self.arm(cx, Timer::TailProbe, (cx.now + wait).min(rto_at));
    }

    /// When the retransmission timer would fire that runs since something was last acknowledged.
    pub(super) fn rto_at(&self, now: Instant) -> Instant {
        let since = self.snd.waiting_since.unwrap_or(now);
        (since + self.snd.rtt.rto(&self.config)).max(now)
    }
}
