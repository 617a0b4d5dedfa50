//! A segment arrives: RFC 9293 §3.10.7's checks, in the RFC's order.

use alloc::boxed::Box;
use core::time::Duration;

use bytes::Bytes;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::SackBlock;
use handclasp_wire::tcp::{Flags, Header};

use super::{Connection, Error};
use crate::acceptable::{self, Reset, timestamp_is_old, touches_window};
use crate::context::Context;
use crate::ecn::Carriage;
use crate::event::{Event, Judgment};
use crate::half_open::reset_for;
use crate::state::{Cause, State};

/// After so long without a segment TS.Recent says nothing any more (RFC 7323 §5.5).
const TIMESTAMP_LIFETIME: Duration = Duration::from_secs(24 * 24 * 3600);

impl Connection {
    /// A segment came in (RFC 9293 §3.10.7). `payload` is a slice of the received packet.
    pub fn segment_arrives(&mut self, cx: &Context<'_>, header: &Header, payload: Bytes) {
        self.carried_segment_arrives(cx, header, payload, Carriage::default());
    }

    /// As [`Connection::segment_arrives`], with what its packet tells beside it.
    pub fn carried_segment_arrives(
        &mut self,
        cx: &Context<'_>,
        header: &Header,
        payload: Bytes,
        carriage: Carriage,
    ) {
        let len = payload.len();
        cx.record(&self.tuple, || Event::Received { header, len });
        self.stats.segments_in += 1;
        match self.state {
            State::Closed | State::Listen => {
                if !header.flags.contains(Flags::RST) {
                    self.pending.reply = Some(Box::new(reset_for(header, len)));
                }
            }
            State::SynSent => self.arrive_in_syn_sent(cx, header, payload, carriage),
            _ => self.arrive_synchronized(cx, header, payload, carriage),
        }
        self.rcv.settle(cx.budget);
    }

    /// RFC 9293 §3.10.7.4, "otherwise".
    fn arrive_synchronized(
        &mut self,
        cx: &Context<'_>,
        header: &Header,
        payload: Bytes,
        carriage: Carriage,
    ) {
        let flags = header.flags;
        // Both opened at once: the SYN-ACK lies before the window by its SYN alone.
        let crossed = self.state == State::SynReceived
            && flags.contains(Flags::SYN | Flags::ACK)
            && header.seq == self.rcv.irs;
        let seq = if crossed { header.seq + 1 } else { header.seq };
        let seg_len = header.seg_len(payload.len()) - u32::from(crossed);

        if self.is_syn_again(header) {
            self.pending.syn = true;
            return;
        }
        if !self.check_sequence(cx, header, seq, seg_len) {
            return;
        }
        if flags.contains(Flags::RST) {
            self.arrive_reset(cx, header);
            return;
        }
        if flags.contains(Flags::SYN) && !crossed {
            self.judge(cx, Judgment::ChallengedSyn);
            self.challenge(cx);
            return;
        }
        if !flags.contains(Flags::ACK) {
            self.judge(cx, Judgment::NoAck);
            return;
        }
        self.life.last_heard_at = cx.now;
        self.life.keep_alive_probes = 0;
        if !self.check_ack(cx, header, payload.len()) {
            return;
        }
        self.note_marks(header, carriage, payload.len());
        self.take_timestamp(cx, header, seq);
        self.after_fin_is_acknowledged(cx);
        self.arrive_text(cx, header, payload, seq);
    }

    /// First check: PAWS (RFC 7323 §5.3) and the sequence number. False drops the segment;
    /// an ACK tells its sender where we are.
    fn check_sequence(
        &mut self,
        cx: &Context<'_>,
        header: &Header,
        seq: SeqNumber,
        seg_len: u32,
    ) -> bool {
        let is_reset = header.flags.contains(Flags::RST);
        if self.negotiated.timestamps && !is_reset {
            match header.options.timestamps {
                // RFC 7323 §3.2: once agreed on, they stand on every segment. But the SYN of a
                // peer that restarted must be challenged, whatever it offers (RFC 5961 §4.2).
                None if !header.flags.contains(Flags::SYN) => return false,
                Some(t) if self.is_stale(cx, t.value) => {
                    self.judge(cx, Judgment::OldTimestamp);
                    self.reject(cx, header, seq, seg_len);
                    return false;
                }
                _ => {}
            }
        }
        let wnd = self.rcv.wnd();
        // A closed window takes no text, but the ACK and the RST of a probe at its edge. And
        // whose text filled the window and was lost acknowledges from its right edge.
        let probe_of_closed_window = wnd == 0 && seq == self.rcv.nxt;
        let ack_at_edge = seg_len == 0 && !is_reset && seq == self.rcv.nxt + wnd;
        if touches_window(self.rcv.nxt, wnd, seq, seg_len) || probe_of_closed_window || ack_at_edge
        {
            return true;
        }
        if !is_reset {
            self.judge(cx, Judgment::OutsideWindow);
            self.reject(cx, header, seq, seg_len);
        }
        false
    }

    /// Answers an unacceptable segment with an ACK, and says what of it was received twice.
    fn reject(&mut self, cx: &Context<'_>, header: &Header, seq: SeqNumber, seg_len: u32) {
        let old = seg_len > 0 && seq.lt(self.rcv.nxt);
        if old && self.negotiated.sack && !header.flags.contains(Flags::SYN) {
            let right = (seq + seg_len).min(self.rcv.nxt);
            self.rcv.owed.dsack = Some(SackBlock { left: seq, right });
        }
        if seg_len > 0 {
            self.rcv.owe_duplicate(false);
        } else {
            // Two ends that each find the other's bare ACKs unacceptable must not answer
            // each other for ever.
            self.challenge(cx);
        }
    }

    /// PAWS (RFC 7323 §5.3), unless TS.Recent is too old to tell (§5.5).
    fn is_stale(&self, cx: &Context<'_>, value: u32) -> bool {
        timestamp_is_old(value, self.rcv.ts_recent)
            && cx.now - self.rcv.ts_recent_at < TIMESTAMP_LIFETIME
    }

    /// RFC 7323 §4.3 (2): a segment that covers Last.ACK.sent brings the new TS.Recent. All
    /// checks passed: who can forge a RST or a SYN but not its answer must not set the clock.
    fn take_timestamp(&mut self, cx: &Context<'_>, header: &Header, seq: SeqNumber) {
        let Some(t) = header.options.timestamps.filter(|_| self.negotiated.timestamps) else {
            return;
        };
        if seq.le(self.rcv.last_ack_sent) && !self.is_stale(cx, t.value) {
            self.rcv.ts_recent = t.value;
            self.rcv.ts_recent_at = cx.now;
        }
    }

    /// Second check: RST (RFC 9293 §3.10.7.4, RFC 5961 §3).
    fn arrive_reset(&mut self, cx: &Context<'_>, header: &Header) {
        match acceptable::reset(self.rcv.nxt, self.rcv.wnd(), header.seq) {
            Reset::Ignore => {}
            Reset::Challenge => {
                self.judge(cx, Judgment::ChallengedReset);
                self.challenge(cx);
            }
            Reset::Valid => match self.state {
                // Everything was delivered: only the acknowledgment of our FIN is missing.
                State::Closing | State::LastAck | State::TimeWait if self.snd.is_delivered() => {
                    self.follow(cx, Cause::ResetArrived);
                    self.pending = Default::default();
                    self.release(cx);
                }
                State::SynReceived if !self.serves_fast() => {
                    self.fail(cx, Cause::ResetArrived, Error::Refused, false);
                }
                _ => self.fail(cx, Cause::ResetArrived, Error::Reset, false),
            },
        }
    }

    /// Asks for a challenge ACK, as many in a while as are allowed (RFC 5961 §7).
    pub(super) fn challenge(&mut self, cx: &Context<'_>) {
        if self.pending.challenge {
            return;
        }
        let life = &mut self.life;
        if cx.now - life.challenges_since >= self.config.challenge_interval {
            life.challenges_since = cx.now;
            life.challenges = 0;
        }
        if life.challenges < self.config.challenge_acks {
            life.challenges += 1;
            self.pending.challenge = true;
        }
    }
}
