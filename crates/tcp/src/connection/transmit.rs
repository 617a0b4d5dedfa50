//! What to send next, in this order: what ends or opens the connection, answers, what was
//! lost, probes, new data with the FIN behind it, a bare ACK.

use core::time::Duration;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header};

use super::Connection;
use crate::context::Context;
use crate::event::{Event, LossSign, Purpose};
use crate::receive::{Owed, Urge};
use crate::recovery::probe::Probe;
use crate::send::flight::Fate;
use crate::state::{Cause, State};
use crate::timer::Timer;
use crate::transmit::{Slices, Transmit};

/// RFC 9293 §3.8.6.2.1 (4): 0.1 to 1 second.
const OVERRIDE_TIMEOUT: Duration = Duration::from_millis(200);

impl Connection {
    /// What to send next; call until `None`. `burst` is the most payload bytes that one
    /// [`Transmit`] may hold where the device cuts segments itself (TSO), 0 where it does
    /// not.
    pub fn poll_transmit(&mut self, cx: &Context<'_>, burst: usize) -> Option<Transmit> {
        if let Some(reply) = self.pending.reply.take() {
            return Some(self.emit(cx, *reply, Slices::new(), None, Purpose::Reset));
        }
        if core::mem::take(&mut self.pending.reset) {
            let header = self.reset_header(cx);
            return Some(self.emit(cx, header, Slices::new(), None, Purpose::Reset));
        }
        match self.state {
            State::Closed | State::Listen => None,
            State::SynSent | State::SynReceived => self.transmit_syn(cx, burst),
            _ => self.transmit_synchronized(cx, burst),
        }
    }

    /// A SYN or SYN-ACK, for the first time or again.
    fn transmit_syn(&mut self, cx: &Context<'_>, burst: usize) -> Option<Transmit> {
        if !core::mem::take(&mut self.pending.syn) {
            let early = self.serves_fast().then(|| self.transmit_new(cx, burst)).flatten();
            return early.or_else(|| self.transmit_ack(cx));
        }
        let mut header = self.syn_header(cx);
        let mut payload = Slices::new();
        let again = self.snd.nxt != self.snd.iss;
        if again {
            self.fall_back_from_fast();
            self.snd.flight.mark_first_lost(1, LossSign::Timeout);
            let mark = self.snd.resent_mark(cx.now);
            self.snd.flight.resend_lost(1, self.snd.nxt, mark);
        } else {
            header.options.fast_open = self.fast_open_option();
            self.snd.sent(cx.now, 1);
            payload = self.send_with_syn(cx, &header);
        }
        self.arm(cx, Timer::Retransmit, cx.now + self.syn_timeout());
        // A SYN-ACK that answers a crossing SYN is no retransmission.
        let timeout = core::mem::take(&mut self.pending.timeout);
        let again = Purpose::Retransmit(LossSign::Timeout);
        let purpose = if timeout { again } else { Purpose::Open };
        Some(self.emit(cx, header, payload, None, purpose))
    }

    fn transmit_synchronized(&mut self, cx: &Context<'_>, burst: usize) -> Option<Transmit> {
        // A device that cuts bursts repeats the urgent pointer, which counts from each segment.
        let alone = self.snd.up.is_some() || self.ecn_forbids_bursts();
        let burst = if alone { 0 } else { self.snd.burst(burst as u32) as usize };
        let transmit = self
            .transmit_lost(cx, burst)
            .or_else(|| self.transmit_tail_probe(cx))
            .or_else(|| self.transmit_probe(cx))
            .or_else(|| self.transmit_new(cx, burst))
            .or_else(|| self.transmit_ack(cx));
        if transmit.is_none() {
            self.snd.note_limit(cx.now);
        }
        transmit
    }

    /// Whether data has to wait for its turn in time.
    fn is_paced(&self) -> bool {
        self.timers.is_set(Timer::Pacing)
    }

    /// `len` numbers left: what follows them may have to wait.
    fn pace(&mut self, cx: &Context<'_>, len: u32) {
        if let Some(at) = self.snd.pace(cx.now, len) {
            self.timers.set(Timer::Pacing, at);
        }
    }

    /// Lost data, as far as the congestion window allows; the first piece in any case.
    fn transmit_lost(&mut self, cx: &Context<'_>, burst: usize) -> Option<Transmit> {
        if !self.may_resend() {
            return None;
        }
        let smss = u32::from(self.snd.smss);
        let burst = self.snd.autosized(&self.config, burst as u32);
        let forced = self.snd.recovery.first_resend;
        let room = self.snd.congestion_room();
        let most =
            if forced || room < 2 * smss { smss } else { whole_segments(room.min(burst), smss) };
        let most = match self.snd.flight.first_lost() {
            Some(seq) => self.snd.wishes.within_record(seq, most),
            None => most,
        };
        let mark = self.snd.resent_mark(cx.now);
        // Sequence numbers beyond a window that shrank are not sent again (RFC 9293 §3.8.6).
        let (seq, len, why) = self.snd.flight.resend_lost(most, self.snd.edge(), mark)?;
        self.snd.recovery.first_resend = false;
        self.snd.last_sent_at = cx.now;
        self.note_resent(seq, len, self.stamp(cx));
        // RFC 6675 §6: the first of what is in flight is on its way anew, and so is its timeout.
        let anew = seq == self.snd.una && !self.timers.is_set(Timer::Reorder);
        if anew || !self.timers.watches() || self.timers.is_set(Timer::TailProbe) {
            self.arm(cx, Timer::Retransmit, cx.now + self.snd.rtt.rto(&self.config));
        }
        self.pace(cx, len);
        Some(self.transmit_range(cx, seq, len, Purpose::Retransmit(why)))
    }

    /// Whether something lost lies inside the peer's window, and ours lets it out.
    fn may_resend(&self) -> bool {
        let snd = &self.snd;
        if self.is_paced() {
            return false;
        }
        let free = !snd.recovery.holds_back() && snd.congestion_room() >= u32::from(snd.smss);
        (snd.recovery.first_resend || free)
            && snd.flight.first_lost().is_some_and(|seq| seq.lt(snd.edge()))
    }

    /// A tail loss probe (RFC 8985 §7.3): a segment of new data if the peer's window takes one,
    /// else the last of what is in flight, whatever the congestion window says.
    fn transmit_tail_probe(&mut self, cx: &Context<'_>) -> Option<Transmit> {
        let due = core::mem::take(&mut self.pending.tail_probe);
        if !due || self.snd.flight.is_empty() || !self.snd.recovery.is_open() {
            return None;
        }
        let smss = u32::from(self.snd.smss);
        let new = self.snd.unsent().min(self.snd.window_room()).min(smss);
        let transmit = if new > 0 {
            self.transmit_new_data(cx, new, Purpose::TailProbe)
        } else {
            self.resend_tail(cx, smss)?
        };
        let resent = (new == 0).then_some(transmit.header.seq);
        let (una, end, method) = (self.snd.una, self.snd.nxt, self.method());
        self.snd.recovery.begin_trouble(method, una).probe = Some(Probe { end, resent });
        self.snd.recovery.probe_unmeasured = true;
        self.snd.recovery.count(|c| c.loss_probes += 1);
        self.arm(cx, Timer::Retransmit, cx.now + self.snd.rtt.rto(&self.config));
        Some(transmit)
    }

    /// The last segment of the flight again, though it is not known to be lost.
    fn resend_tail(&mut self, cx: &Context<'_>, smss: u32) -> Option<Transmit> {
        let last = self.snd.flight.last().filter(|last| !last.fate.contains(Fate::SACKED))?;
        let fin = self.snd.fin.is_some_and(|fin| fin + 1 == last.end());
        let text = last.len - u32::from(fin);
        let whole = text.saturating_sub(1) / smss * smss;
        let (seq, len) = (last.seq + whole, last.len - whole);
        let edge = self.snd.edge();
        if (seq + len).gt(edge) || self.snd.flight.lost() > 0 {
            return None;
        }
        let why = LossSign::TailProbe;
        self.snd.flight.mark_range_lost(seq, len, why);
        let mark = self.snd.resent_mark(cx.now);
        self.snd.flight.resend_lost(len, edge, mark)?;
        self.snd.last_sent_at = cx.now;
        Some(self.transmit_range(cx, seq, len, Purpose::Retransmit(why)))
    }

    /// A probe of a closed window or of an idle peer: an ACK with an old number and no text,
    /// which a living peer answers (RFC 9293 §3.8.4, §3.8.6.1).
    fn transmit_probe(&mut self, cx: &Context<'_>) -> Option<Transmit> {
        let purpose = if core::mem::take(&mut self.pending.window_probe) {
            Purpose::WindowProbe
        } else if core::mem::take(&mut self.pending.keep_alive) {
            Purpose::KeepAlive
        } else {
            return None;
        };
        let header = self.acknowledging(cx, self.snd.una - 1, Flags::empty());
        Some(self.emit(cx, header, Slices::new(), None, purpose))
    }

    /// New data and the FIN, as far as both windows, Nagle and silly-window avoidance allow.
    fn transmit_new(&mut self, cx: &Context<'_>, burst: usize) -> Option<Transmit> {
        let unsent = self.snd.unsent();
        // What was lost has precedence, though it may have to wait for room; but not while
        // F-RTO finds out whether it was.
        let waits = self.snd.flight.lost() > 0 && self.snd.recovery.frto_edge().is_none();
        let nothing = unsent == 0 && !self.snd.fin_waits();
        if nothing || waits || self.is_paced() {
            return None;
        }
        self.snd.restart_after_idle(&self.config, cx.now);
        let window = self.snd.window_room();
        if self.may_send_fin() {
            return Some(self.transmit_fin(cx));
        }
        let len = self.new_len(self.snd.autosized(&self.config, burst as u32));
        if len == 0 {
            self.wait_for_room(cx, window);
            return None;
        }
        Some(self.transmit_new_data(cx, len, Purpose::Data))
    }

    /// The next `len` bytes of new data, and the FIN if it follows them.
    fn transmit_new_data(&mut self, cx: &Context<'_>, len: u32, purpose: Purpose) -> Transmit {
        if len == self.snd.unsent() {
            self.snd.wishes.emptied(self.pending.small);
        }
        self.pending.small = false;
        self.timers.cancel(Timer::Override);
        let seq = self.next_new();
        let last = len == self.snd.unsent() && self.snd.fin_waits();
        let fin = last && self.snd.window_room() > len;
        if fin {
            self.snd.fin = Some(seq + len);
        }
        if !len.is_multiple_of(u32::from(self.snd.smss)) {
            self.snd.small_end = seq + len;
        }
        self.snd.sent(cx.now, len + u32::from(fin));
        self.after_sending_new(cx);
        self.pace(cx, len);
        self.transmit_range(cx, seq, len + u32::from(fin), purpose)
    }

    /// How many bytes of new data may leave in one piece; 0 if none.
    pub(super) fn new_len(&self, burst: u32) -> u32 {
        let smss = u32::from(self.snd.smss);
        let unsent = self.snd.unsent_of_record();
        let window = self.snd.window_room();
        let room = match self.snd.recovery.frto_edge() {
            // RFC 5682 §2.1 step 2: two segments, whatever the congestion window says.
            Some(until) => u32::try_from(until.distance(self.snd.nxt)).unwrap_or(0),
            None => self.snd.congestion_room(),
        };
        let usable = window.min(room).min(unsent);
        let most = usable.min(burst.max(smss));
        let more_records = unsent < self.snd.unsent();
        if self.snd.recovery.frto_edge().is_some() {
            // Held back, however small, it would hold back what was lost too.
            most
        } else if most == unsent && (more_records || self.may_send_small(unsent % smss)) {
            most
        } else if most >= smss {
            whole_segments(most, smss)
        } else if self.may_send_into_small_window(window, most) {
            most
        } else {
            0
        }
    }

    /// Whether a FIN may leave by itself: like every octet, it needs its place in the window.
    fn may_send_fin(&self) -> bool {
        self.snd.unsent() == 0 && self.snd.fin_waits() && self.snd.window_room() > 0
    }

    /// Whether a segment that is not full may leave: Nagle's rule as Minshall bettered it,
    /// one small segment in flight at a time (RFC 9293 §3.7.4). `rest` is what the last
    /// segment would carry, 0 if it is full.
    fn may_send_small(&self, rest: u32) -> bool {
        let wishes = &self.snd.wishes;
        let nagle = self.config.nodelay || self.snd.small_end.le(self.snd.una);
        rest == 0
            || self.snd.closed
            || self.pending.small
            || wishes.flushes()
            || nagle && !wishes.hold_small()
    }

    /// RFC 9293 §3.8.6.2.1 (3): half of the largest window ever seen is worth a segment, and
    /// so is anything when the override timer has fired.
    fn may_send_into_small_window(&self, window: u32, len: u32) -> bool {
        len > 0 && len == window && (len >= self.snd.max_wnd / 2 || self.pending.small)
    }

    /// Nothing may be sent now: sees to it that something will wake us.
    fn wait_for_room(&mut self, cx: &Context<'_>, window: u32) {
        // What the override timer granted was for the window of that time.
        self.pending.small &= window > 0;
        if !self.waits_without_timer() {
            return;
        }
        if window == 0 {
            self.arm_persist(cx);
        } else {
            self.arm(cx, Timer::Override, cx.now + OVERRIDE_TIMEOUT);
        }
    }

    /// Whether something is to be sent, nothing under way will bring an ACK, and no timer
    /// will look again.
    fn waits_without_timer(&self) -> bool {
        let waits = self.snd.unsent() > 0 || self.snd.fin_waits();
        let looks = self.timers.is_set(Timer::Persist) || self.timers.is_set(Timer::Override);
        waits && self.snd.flight.is_empty() && !looks
    }

    pub(super) fn arm_persist(&mut self, cx: &Context<'_>) {
        let wait = self.snd.rtt.rto(&self.config);
        self.arm(cx, Timer::Persist, cx.now + wait);
    }

    fn transmit_fin(&mut self, cx: &Context<'_>) -> Transmit {
        let seq = self.next_new();
        self.snd.fin = Some(seq);
        self.snd.sent(cx.now, 1);
        self.after_sending_new(cx);
        self.transmit_range(cx, seq, 1, Purpose::Fin)
    }

    fn after_sending_new(&mut self, cx: &Context<'_>) {
        if !self.timers.watches() || self.timers.is_set(Timer::TailProbe) {
            self.watch_flight(cx, self.rto_at(cx.now));
        }
        // An application that answers lets ACKs ride on its answers.
        if self.rcv.owed.urge != Urge::None {
            self.rcv.owed.quick = 0;
        }
    }

    /// A segment or burst of the `len` numbers from `seq` on, FIN included.
    fn transmit_range(
        &mut self,
        cx: &Context<'_>,
        seq: SeqNumber,
        len: u32,
        purpose: Purpose,
    ) -> Transmit {
        let fin = self.snd.fin.is_some_and(|fin| fin == seq + (len - 1));
        let text = len - u32::from(fin);
        let offset = (seq - self.snd.data_base()) as usize;
        let payload = self.snd.queue.slices(offset, text as usize);
        let last = offset + text as usize == self.snd.queue.len();
        let size = self.snd.smss;
        let segment_size = (text > u32::from(size)).then_some(size);
        let mut flags = Flags::empty();
        // The segment that empties the buffer is pushed (RFC 9293 §3.9.1.2), unless the
        // application said that more follows.
        let asked =
            last && self.snd.wishes.pushes_last() || self.snd.wishes.is_record_end(seq + text);
        let pushed = asked || self.config.push_bursts && segment_size.is_some();
        flags.set(Flags::PSH, pushed && text > 0);
        flags.set(Flags::FIN, fin);
        let owed = self.rcv.owed.clone();
        let mut header = self.acknowledging(cx, seq, flags);
        if let Some(up) = self.snd.up.filter(|up| up.gt(seq)) {
            header.flags |= Flags::URG;
            header.urgent = (up - seq).min(65_535) as u16;
        }
        self.fit_sack(&mut header, text, owed);
        self.emit(cx, header, payload, segment_size, purpose)
    }

    /// SACK blocks leave with data only where they do not make the packet too large; else an
    /// ACK that was `owed` stays owed, and a bare one follows with them.
    fn fit_sack(&mut self, header: &mut Header, text: u32, owed: Owed) {
        let len = u32::from(Self::sack_len(header));
        if len == 0 || text + len <= u32::from(self.snd.smss) {
            return;
        }
        header.options.sack = Default::default();
        if owed.urge == Urge::Now {
            self.rcv.owed = owed;
        }
    }

    /// An ACK and nothing else, if one is due.
    fn transmit_ack(&mut self, cx: &Context<'_>) -> Option<Transmit> {
        let purpose = if core::mem::take(&mut self.pending.challenge) {
            Purpose::Challenge
        } else if self.rcv.owed.urge == Urge::Now {
            Purpose::Ack
        } else if self.rcv.owed.duplicates > 0 {
            self.rcv.owed.duplicates -= 1;
            Purpose::Ack
        } else {
            return None;
        };
        let header = self.acknowledging(cx, self.snd.nxt, Flags::empty());
        Some(self.emit(cx, header, Slices::new(), None, purpose))
    }

    /// Closes our sending side in the state machine; the FIN itself follows the data.
    pub(super) fn close_sending(&mut self, cx: &Context<'_>) {
        if !self.snd.closed {
            self.snd.closed = true;
            // RFC 9293 §3.10.4: in SYN-RECEIVED the close waits for ESTABLISHED.
            if self.state != State::SynReceived {
                self.follow(cx, Cause::Close);
            }
        }
    }

    /// Records that a timer fired.
    pub(super) fn fired(&self, cx: &Context<'_>, timer: Timer) {
        cx.record(&self.tuple, || Event::TimerFired(timer));
    }

    /// Whether [`Connection::poll_transmit`] has anything to do, be it to set a timer for data
    /// that must wait; cheap, for hosts that skip idle connections.
    #[must_use]
    pub fn wants_to_send(&self) -> bool {
        let p = &self.pending;
        if p.reply.is_some() || p.reset {
            return true;
        }
        let owes_ack =
            p.challenge || self.rcv.owed.urge == Urge::Now || self.rcv.owed.duplicates > 0;
        match self.state {
            State::Closed | State::Listen => false,
            State::SynSent | State::SynReceived => {
                p.syn || owes_ack || self.serves_fast() && self.wants_to_send_data()
            }
            _ => {
                let probes = p.window_probe || p.keep_alive || p.tail_probe;
                owes_ack || probes || self.wants_to_send_data()
            }
        }
    }

    fn wants_to_send_data(&self) -> bool {
        if self.is_paced() {
            return false;
        }
        let only_lost = self.snd.flight.lost() > 0 && self.snd.recovery.frto_edge().is_none();
        let new = || self.new_len(0) > 0 || self.may_send_fin() || self.waits_without_timer();
        self.snd.flight.lost() > 0 && self.may_resend() || !only_lost && new()
    }
}

/// The most whole segments in `len`, at least one.
fn whole_segments(len: u32, smss: u32) -> u32 {
    (len / smss).max(1) * smss
}
