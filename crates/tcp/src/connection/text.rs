//! Sixth to eighth check: URG, the text, FIN (RFC 9293 §3.10.7.4).

use alloc::boxed::Box;
use core::time::Duration;

use bytes::{Buf, Bytes};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::SackBlock;
use handclasp_wire::tcp::{Flags, Header};

use super::{Connection, Error};
use crate::context::Context;
use crate::event::Judgment;
use crate::half_open::reset_for;
use crate::negotiation::timestamp;
use crate::receive::Urge;
use crate::state::{Cause, State};
use crate::timer::Timer;

/// RFC 9293 §3.8.6.3: less than half a second.
const DELAYED_ACK_MAX: Duration = Duration::from_millis(499);

impl Connection {
    /// Takes what a segment carries. `seq` is the number of its first octet of text, behind
    /// a SYN if it has one. What carries nothing gets no answer, though our window be closed:
    /// two closed windows would answer each other for ever.
    pub(super) fn arrive_text(
        &mut self,
        cx: &Context<'_>,
        header: &Header,
        mut text: Bytes,
        seq: SeqNumber,
    ) {
        if !self.state.can_receive() {
            self.arrive_after_fin(header, text.len());
            return;
        }
        if header.flags.contains(Flags::URG) {
            self.arrive_urgent(header, seq);
        }
        if self.life.orphaned && !text.is_empty() {
            // Nobody will ever read it: the peer must know (RFC 9293 §3.6.1, RFC 2525 §2.17).
            // As if nobody were there, and as Linux has it: what it acknowledges is where it
            // believes a RST (RFC 5961 §3), whatever of ours is lost.
            self.judge(cx, Judgment::DataAfterClose);
            let answer = reset_for(header, text.len());
            self.fail(cx, Cause::Abort, Error::Aborted, false);
            self.pending.reply = Some(Box::new(answer));
            return;
        }
        if header.flags.contains(Flags::FIN) {
            self.note_fin(seq + text.len() as u32);
        }
        let bare_fin = header.flags.contains(Flags::FIN) && text.is_empty();
        let start = self.trim_to_window(&mut text, seq);
        if !text.is_empty() {
            self.stats.data_segments_in += 1;
            self.note_data_segment(cx, header, text.len());
            if start == self.rcv.nxt {
                self.take_text(text);
            } else {
                self.keep_beyond_gap(cx, start, text);
            }
        }
        self.reach_fin(cx, bare_fin);
        self.schedule_ack(cx);
    }

    /// Remembers where the peer's stream ends. What it sent beyond such an end already gives
    /// the lie to it, and one behind the window comes again.
    fn note_fin(&mut self, fin: SeqNumber) {
        let beyond = self.rcv.reassembly.end().is_some_and(|end| end.gt(fin));
        if fin.le(self.rcv.edge) && !beyond {
            self.rcv.fin.get_or_insert(fin);
        }
    }

    /// Cuts off what lies before `rcv.nxt`, behind the window or behind the FIN; returns
    /// where the rest begins.
    fn trim_to_window(&mut self, text: &mut Bytes, seq: SeqNumber) -> SeqNumber {
        let mut start = seq;
        let had_text = !text.is_empty();
        if seq.lt(self.rcv.nxt) {
            let old = ((self.rcv.nxt - seq) as usize).min(text.len());
            if old > 0 && self.negotiated.sack {
                let right = seq + old as u32;
                self.rcv.owed.dsack = Some(SackBlock { left: seq, right });
            }
            text.advance(old);
            start = self.rcv.nxt;
        }
        let edge = self.rcv.fin.map_or(self.rcv.edge, |fin| self.rcv.edge.min(fin));
        let room = usize::try_from(edge.distance(start)).unwrap_or(0);
        text.truncate(room);
        if had_text && text.is_empty() {
            // All of it was old, or the window is shut: say where we are.
            self.rcv.owe_duplicate(!self.negotiated.sack);
        }
        start
    }

    fn note_data_segment(&mut self, cx: &Context<'_>, header: &Header, len: usize) {
        self.rcv.data_at = cx.now;
        // A coalesced packet is larger than any segment: the MSS bounds the estimate.
        let mss = self.effective_mss();
        let len = u16::try_from(len).unwrap_or(u16::MAX).min(mss);
        self.rcv.segment = self.rcv.segment.max(len).min(mss);
        if let Some(t) = header.options.timestamps.filter(|_| self.negotiated.timestamps) {
            let now = timestamp(cx.now, self.opening.timestamp_offset);
            let age = now.wrapping_sub(t.echo);
            if t.echo != 0 && age < 60_000 {
                self.rcv.tuning.echo_age(Duration::from_millis(u64::from(age)));
            }
        }
    }

    /// Text at `rcv.nxt`.
    fn take_text(&mut self, text: Bytes) {
        let len = text.len() as u32;
        let moved = self.rcv.take_in_order(text);
        self.stats.bytes_in += u64::from(moved);
        self.rcv.owe_for(moved, moved > len);
    }

    /// Text beyond a gap: kept, and the sender told at once (RFC 5681 §4.2).
    fn keep_beyond_gap(&mut self, cx: &Context<'_>, start: SeqNumber, text: Bytes) {
        let full = cx.budget.under_pressure() && self.rcv.reassembly.bytes() > 0;
        let runs = if full { 0 } else { self.config.reassembly_ranges };
        let inserted = self.rcv.reassembly.insert(start, text, runs);
        if inserted.dropped {
            self.judge(cx, Judgment::NoRoom);
            self.stats.dropped_beyond_gap += 1;
        } else if inserted.kept > 0 {
            self.judge(cx, Judgment::OutOfOrder);
        }
        self.stats.segments_out_of_order += 1;
        if let Some(block) = inserted.duplicate.filter(|_| self.negotiated.sack) {
            self.judge(cx, Judgment::DuplicateData);
            self.rcv.owed.dsack = Some(block);
        }
        self.rcv.owe_duplicate(!self.negotiated.sack);
    }

    /// Eighth check: the FIN takes effect when all before it has arrived.
    fn reach_fin(&mut self, cx: &Context<'_>, bare_fin: bool) {
        if self.rcv.fin == Some(self.rcv.nxt) {
            self.rcv.nxt += 1;
            self.rcv.edge = self.rcv.edge.max(self.rcv.nxt);
            self.rcv.owed.urge = Urge::Now;
            self.follow(cx, Cause::FinArrived);
        } else if bare_fin {
            self.rcv.owe_duplicate(!self.negotiated.sack);
        }
    }

    /// The peer closed already: a FIN again means that our ACK was lost; other text is
    /// ignored (RFC 9293 §3.10.7.4).
    fn arrive_after_fin(&mut self, header: &Header, len: usize) {
        if header.seg_len(len) > 0 && self.state.is_synchronized() {
            self.rcv.owe_duplicate(false);
        }
    }

    /// Sixth check: the urgent pointer designates the octet behind the last urgent one
    /// (RFC 9293 §3.8.5).
    fn arrive_urgent(&mut self, header: &Header, seq: SeqNumber) {
        let up = seq + u32::from(header.urgent);
        if self.rcv.up.is_none_or(|known| up.gt(known)) && up.gt(self.rcv.nxt) {
            self.rcv.up = Some(up);
            self.stats.urgent_notices += 1;
        }
    }

    /// Sets the delayed ACK's timer where an ACK may wait.
    fn schedule_ack(&mut self, cx: &Context<'_>) {
        if self.rcv.owed.urge == Urge::Delayed && !self.timers.is_set(Timer::DelayedAck) {
            let delay = self.config.delayed_ack.min(DELAYED_ACK_MAX);
            self.arm(cx, Timer::DelayedAck, cx.now + delay);
        }
        if self.state == State::Closed {
            self.rcv.owed.urge = Urge::None;
        }
    }
}
