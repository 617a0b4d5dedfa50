//! Opening: actively, simultaneously, or from a half-open connection that was completed.

use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::Bytes;
use handclasp_wire::tcp::{Flags, Header};

use super::{Connection, Error};
use crate::acceptable::{self, Ack};
use crate::config::Config;
use crate::context::Context;
use crate::ecn::Carriage;
use crate::half_open::{HalfOpen, backed_off, reset_for};
use crate::negotiation::{self, Negotiated};
use crate::opening::Opening;
use crate::receive::Urge;
use crate::state::{Cause, State};
use crate::timer::Timer;
use crate::tuple::Tuple;

impl Connection {
    /// Active open (RFC 9293 §3.10.1): the first [`Connection::poll_transmit`] is the SYN.
    #[must_use]
    pub fn connect(config: Arc<Config>, tuple: Tuple, opening: Opening, cx: &Context<'_>) -> Self {
        let mut connection = Self::new(config, tuple, opening, cx);
        connection.follow(cx, Cause::ActiveOpen);
        connection.pending.syn = true;
        connection
    }

    /// RFC 9293 §3.10.7.3, in its order.
    pub(super) fn arrive_in_syn_sent(
        &mut self,
        cx: &Context<'_>,
        header: &Header,
        payload: Bytes,
        carriage: Carriage,
    ) {
        let flags = header.flags;
        let acks = flags.contains(Flags::ACK);
        let ack_is_good =
            acks && acceptable::ack(self.snd.iss, self.snd.nxt, 0, header.ack) == Ack::New;
        if acks && !ack_is_good {
            if !flags.contains(Flags::RST) {
                self.pending.reply = Some(Box::new(reset_for(header, payload.len())));
            }
            return;
        }
        if flags.contains(Flags::RST) {
            if ack_is_good {
                self.fail(cx, Cause::ResetArrived, Error::Refused, false);
            }
            return;
        }
        if !flags.contains(Flags::SYN) {
            return;
        }
        self.take_syn(cx, header);
        if !ack_is_good {
            // Both opened at once (RFC 9293 §3.5): our SYN goes again, with an ACK.
            self.follow(cx, Cause::SynArrived);
            self.pending.syn = true;
            return;
        }
        self.follow(cx, Cause::SynAckArrived);
        self.take_ecn(header, carriage);
        self.finish_handshake(cx, header);
        self.rcv.owed.urge = Urge::Now;
        self.arrive_text(cx, header, payload, header.seq + 1);
    }

    /// Takes the peer's SYN: its initial number and its options.
    fn take_syn(&mut self, cx: &Context<'_>, header: &Header) {
        let ipv4 = self.tuple.local_ip.is_ipv4();
        self.negotiated = Negotiated::new(&self.config, &header.options, ipv4);
        let window = self.syn_window();
        self.rcv.start(header.seq, window, self.negotiated.rcv_scale);
        self.rcv.ts_recent = header.options.timestamps.map_or(0, |t| t.value);
        self.rcv.ts_recent_at = cx.now;
        self.snd.wnd = u32::from(header.window);
        self.snd.max_wnd = self.snd.wnd;
        self.snd.wl1 = header.seq;
    }

    /// Our SYN is acknowledged by `header`: everything that waits for that.
    pub(super) fn finish_handshake(&mut self, cx: &Context<'_>, header: &Header) {
        let timeouts = self.snd.unanswered;
        let held = self.snd.queue.len();
        let reading = self.reading(cx, header);
        let delivery = self.snd.acknowledged(header.ack, &reading);
        cx.budget.give_back(held - self.snd.queue.len());
        self.stats.bytes_acked += (held - self.snd.queue.len()) as u64;
        self.timers.cancel(Timer::Retransmit);
        self.measure(cx, header, &delivery, Ack::New);
        if !self.serves_fast() || timeouts > 1 {
            let smss = self.effective_mss();
            self.snd.start(&self.config, cx.now, smss, timeouts);
        }
        self.settle_fast(cx, header);
        if self.snd.flight.in_network() > 0 {
            self.arm(cx, Timer::Retransmit, cx.now + self.snd.rtt.rto(&self.config));
        }
        if timeouts > 0 {
            self.snd.rtt.syn_timed_out();
        }
        if core::mem::take(&mut self.pending.syn) {
            // The SYN-ACK that was to acknowledge a crossing SYN never left.
            self.rcv.owed.urge = Urge::Now;
        }
        self.pending.timeout = false;
        self.life.doubtful = false;
        self.life.last_heard_at = cx.now;
        self.rcv.data_at = cx.now;
        self.restart_keep_alive(cx);
    }

    /// The window field of our SYN, and of the SYN-ACK that answers a crossing one. Options
    /// are not taken off the segment it counts in: nothing is agreed yet.
    pub(super) fn syn_window(&self) -> u16 {
        let ip_len = self.tuple.ip_header_len();
        let mss = negotiation::announced_mss(&self.config, &self.opening, ip_len);
        negotiation::syn_window(&self.config, mss, false)
    }

    /// When a SYN sent now is to be sent again.
    pub(super) fn syn_timeout(&self) -> core::time::Duration {
        let sent_again = self.snd.unanswered;
        let linear = match self.state {
            State::SynSent => self.config.syn_linear_timeouts,
            _ => 0,
        };
        let doublings = sent_again.saturating_sub(linear);
        backed_off(self.config.rto_initial, doublings, self.config.rto_max)
    }
}

impl HalfOpen {
    /// The connection, in SYN-RECEIVED: give it the segment that completed it.
    #[must_use]
    pub fn complete(self, config: Arc<Config>, tuple: Tuple, cx: &Context<'_>) -> Connection {
        let sent_at = self.syn_ack_sent_at(&config);
        let timeouts = self.retransmits();
        if self.is_forgotten() {
            self.began(&tuple, cx);
        }
        let mut c = self.into_connection(config, tuple, cx);
        // The SYN-ACK is in flight since it was sent: its acknowledgment is a measurement,
        // unless nobody knows which one is acknowledged (Karn's rule).
        c.snd.sent(sent_at.unwrap_or(cx.now), 1);
        if sent_at.is_none() {
            c.snd.flight.mark_resent();
        }
        c.snd.unanswered = timeouts;
        c.arm(cx, Timer::Retransmit, cx.now + c.syn_timeout());
        c
    }

    /// A connection in SYN-RECEIVED that has sent nothing yet.
    pub(super) fn into_connection(
        self,
        config: Arc<Config>,
        tuple: Tuple,
        cx: &Context<'_>,
    ) -> Connection {
        let mut c = Connection::new(config, tuple, self.opening, cx);
        c.state = State::SynReceived;
        c.negotiated = self.negotiated;
        c.serve_ecn(self.ecn, self.syn_ecn);
        c.rcv.start(self.irs, self.rcv_wnd(), self.negotiated.rcv_scale);
        c.rcv.ts_recent = self.ts_recent;
        c.snd.wl1 = self.irs;
        c
    }
}
