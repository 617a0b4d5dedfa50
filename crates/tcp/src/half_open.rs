//! A connection between a peer's SYN and its acknowledgment of ours: SYN-RECEIVED, passive.

use core::time::Duration;

use handclasp_wire::ip::Ecn;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::{FastOpen, Timestamps};
use handclasp_wire::tcp::{Flags, Header, Options};
use handclasp_wire::time::Instant;

use crate::acceptable::{self, Reset, touches_window};
use crate::config::Config;
use crate::context::Context;
use crate::ecn::accurate::first_option;
use crate::ecn::{self, Agreed};
use crate::event::{Event, Judgment, Purpose};
use crate::negotiation::{self, Negotiated};
use crate::opening::Opening;
use crate::state::{Cause, State};
use crate::timer::Timer;
use crate::tuple::Tuple;

/// What a listener remembers of a SYN it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HalfOpen {
    pub(crate) opening: Opening,
    pub(crate) irs: SeqNumber,
    pub(crate) negotiated: Negotiated,
    pub(crate) ts_recent: u32,
    rcv_wnd: u16,
    retransmits: u8,
    /// Rebuilt from a cookie: nobody knows when the SYN-ACK was sent.
    forgotten: bool,
    /// What our SYN-ACK agrees to, and the ECN field that the SYN came with.
    pub(crate) ecn: Agreed,
    pub(crate) syn_ecn: Ecn,
    deadline: Instant,
}

/// What a segment means to a half-open connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: drop it.
    Ignore,
    /// Send this; the half-open connection stays.
    Reply(Header),
    /// The attempt is over: forget it, and tell nobody (RFC 9293 §3.10.7.4).
    Forget,
    /// Ours is acknowledged: call [`HalfOpen::complete`] and give the segment to the
    /// connection, with whatever it carries.
    Complete,
}

/// What a deadline means to a half-open connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Not yet.
    Wait,
    /// Send the SYN-ACK again: [`HalfOpen::syn_ack`].
    Resend,
    /// Nobody answers: forget it.
    GiveUp,
}

/// What a SYN cookie gives back of a SYN that nobody remembered (RFC 4987 §3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// What we chose then.
    pub opening: Opening,
    /// The peer's initial sequence number.
    pub irs: SeqNumber,
    /// What was agreed, as far as the cookie and its timestamp could hold it.
    pub negotiated: Negotiated,
    /// The peer's last timestamp.
    pub ts_recent: u32,
}

impl HalfOpen {
    /// Takes a SYN and sets the first deadline for its SYN-ACK, which the caller sends.
    #[must_use]
    pub fn new(
        config: &Config,
        tuple: &Tuple,
        syn: &Header,
        opening: Opening,
        cx: &Context<'_>,
    ) -> Self {
        let heard = Rebuilt {
            opening,
            irs: syn.seq,
            negotiated: Negotiated::new(config, &syn.options, tuple.local_ip.is_ipv4()),
            ts_recent: syn.options.timestamps.map_or(0, |t| t.value),
        };
        let ecn = config.ecn.answers(syn.flags);
        let new = Self { forgotten: false, ecn, ..Self::rebuilt(config, tuple, heard, cx.now) };
        cx.record(tuple, || Event::Received { header: syn, len: 0 });
        new.began(tuple, cx);
        new.armed(tuple, cx);
        new
    }

    /// The same, with the ECN field that the SYN's packet had.
    #[must_use]
    pub const fn carried(self, ecn: Ecn) -> Self {
        Self { syn_ecn: ecn, ..self }
    }

    /// A half-open connection from what a cookie held.
    #[must_use]
    pub fn rebuilt(config: &Config, tuple: &Tuple, rebuilt: Rebuilt, now: Instant) -> Self {
        let Rebuilt { opening, irs, negotiated, ts_recent } = rebuilt;
        let mss = negotiation::announced_mss(config, &opening, tuple.ip_header_len());
        Self {
            opening,
            irs,
            negotiated,
            ts_recent,
            rcv_wnd: negotiation::syn_window(config, mss, negotiated.timestamps),
            retransmits: 0,
            forgotten: true,
            ecn: Agreed::None,
            syn_ecn: Ecn::NotEct,
            deadline: now + config.rto_initial,
        }
    }

    /// Our initial sequence number.
    #[must_use]
    pub const fn iss(&self) -> SeqNumber {
        self.opening.iss
    }

    /// The peer's initial sequence number.
    #[must_use]
    pub const fn irs(&self) -> SeqNumber {
        self.irs
    }

    /// What the SYN's options settled.
    #[must_use]
    pub const fn negotiated(&self) -> &Negotiated {
        &self.negotiated
    }

    /// How often the SYN-ACK was sent again.
    #[must_use]
    pub const fn retransmits(&self) -> u8 {
        self.retransmits
    }

    /// When to call [`HalfOpen::deadline_passed`].
    #[must_use]
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// When the SYN-ACK left, if it left once only.
    pub(crate) fn syn_ack_sent_at(&self, config: &Config) -> Option<Instant> {
        (self.retransmits == 0 && !self.forgotten).then(|| self.deadline - config.rto_initial)
    }

    pub(crate) const fn rcv_wnd(&self) -> u16 {
        self.rcv_wnd
    }

    /// The SYN-ACK, which the caller sends.
    #[must_use]
    pub fn syn_ack(&self, config: &Config, tuple: &Tuple, cx: &Context<'_>) -> Header {
        let header = self.build_syn_ack(config, tuple, cx.now);
        cx.record(tuple, || Event::Sent { header: &header, len: 0, purpose: Purpose::Open });
        header
    }

    /// The SYN-ACK with a Fast Open cookie for the next time (RFC 7413 §4.2.1); one that is
    /// sent again has none.
    #[must_use]
    pub fn syn_ack_with_cookie(
        &self,
        config: &Config,
        tuple: &Tuple,
        cookie: FastOpen,
        cx: &Context<'_>,
    ) -> Header {
        let mut header = self.build_syn_ack(config, tuple, cx.now);
        header.options.fast_open = Some(cookie);
        cx.record(tuple, || Event::Sent { header: &header, len: 0, purpose: Purpose::Open });
        header
    }

    fn build_syn_ack(&self, config: &Config, tuple: &Tuple, now: Instant) -> Header {
        let n = &self.negotiated;
        let accurate = self.ecn == Agreed::Accurate;
        let options = Options {
            mss: Some(negotiation::announced_mss(config, &self.opening, tuple.ip_header_len())),
            window_scale: n.scaling.then_some(n.rcv_scale),
            sack_permitted: n.sack,
            timestamps: self.timestamps(now),
            // What is sent again goes without: something may drop it (RFC 9768 §3.2.3.2.3).
            acc_ecn: (accurate && self.retransmits == 0).then(first_option),
            ..Options::default()
        };
        let ecn = match self.ecn {
            Agreed::None => Flags::empty(),
            Agreed::Classic => Flags::ECE,
            Agreed::Accurate => ecn::bits(ecn::reported(self.syn_ecn)),
        };
        Header {
            seq: self.opening.iss,
            flags: Flags::SYN | Flags::ACK | ecn,
            options,
            ..self.header(tuple)
        }
    }

    /// Judges a segment by RFC 9293 §3.10.7.4's checks for SYN-RECEIVED, in its order.
    #[must_use]
    pub fn segment_arrives(
        &self,
        config: &Config,
        tuple: &Tuple,
        header: &Header,
        payload_len: usize,
        cx: &Context<'_>,
    ) -> Verdict {
        let (verdict, judgment) = self.judge(config, tuple, header, payload_len, cx.now);
        // What completes it is the connection's to record.
        if verdict == Verdict::Complete {
            return verdict;
        }
        cx.record(tuple, || Event::Received { header, len: payload_len });
        if let Some(judgment) = judgment {
            cx.record(tuple, || Event::Judged(judgment));
        }
        if let Verdict::Reply(header) = &verdict {
            let purpose = purpose_of(header);
            cx.record(tuple, || Event::Sent { header, len: 0, purpose });
        }
        verdict
    }

    fn judge(
        &self,
        config: &Config,
        tuple: &Tuple,
        header: &Header,
        payload_len: usize,
        now: Instant,
    ) -> (Verdict, Option<Judgment>) {
        let rcv_nxt = self.irs + 1;
        let window = u32::from(self.rcv_wnd);
        let flags = header.flags;
        if flags.contains(Flags::SYN) && !flags.intersects(Flags::ACK | Flags::RST) {
            // The same SYN again: its answer was lost.
            if header.seq == self.irs {
                return (Verdict::Reply(self.build_syn_ack(config, tuple, now)), None);
            }
        }
        let stamp = header.options.timestamps.map(|t| t.value);
        let stamped = !self.negotiated.timestamps || stamp.is_some();
        let old_timestamp = self.negotiated.timestamps
            && stamp.is_some_and(|value| acceptable::timestamp_is_old(value, self.ts_recent));
        let in_window = touches_window(rcv_nxt, window, header.seq, header.seg_len(payload_len));
        if flags.contains(Flags::RST) {
            return match acceptable::reset(rcv_nxt, window, header.seq) {
                Reset::Valid => (Verdict::Forget, None),
                Reset::Challenge => self.challenge(tuple, now, Judgment::ChallengedReset),
                Reset::Ignore => (Verdict::Ignore, Some(Judgment::OutsideWindow)),
            };
        }
        if !in_window {
            return self.challenge(tuple, now, Judgment::OutsideWindow);
        }
        if old_timestamp {
            return self.challenge(tuple, now, Judgment::OldTimestamp);
        }
        if flags.contains(Flags::SYN) {
            return (Verdict::Forget, None);
        }
        // RFC 7323 §3.2: once agreed on, timestamps stand on every segment.
        if !flags.contains(Flags::ACK) || !stamped {
            return (Verdict::Ignore, (!flags.contains(Flags::ACK)).then_some(Judgment::NoAck));
        }
        if header.ack != self.opening.iss + 1 {
            let reset = reset_for(header, payload_len);
            return (Verdict::Reply(reset), Some(Judgment::AckOfUnsent));
        }
        (Verdict::Complete, None)
    }

    /// Says what the passing of the deadline means, and sets the next one.
    pub fn deadline_passed(&mut self, config: &Config, tuple: &Tuple, cx: &Context<'_>) -> Expiry {
        if cx.now < self.deadline {
            return Expiry::Wait;
        }
        cx.record(tuple, || Event::TimerFired(Timer::Retransmit));
        if self.retransmits >= config.syn_ack_retries {
            return Expiry::GiveUp;
        }
        self.retransmits += 1;
        self.deadline = cx.now + backed_off(config.rto_initial, self.retransmits, config.rto_max);
        self.armed(tuple, cx);
        Expiry::Resend
    }

    /// Records that nothing comes of it, and why.
    pub fn over(&self, tuple: &Tuple, cx: &Context<'_>, cause: Cause) {
        let (from, to) = (State::SynReceived, State::Closed);
        cx.record(tuple, || Event::State { from, to, cause });
    }

    /// Records that the SYN made a connection of this tuple.
    pub(crate) fn began(&self, tuple: &Tuple, cx: &Context<'_>) {
        let (from, to) = (State::Listen, State::SynReceived);
        cx.record(tuple, || Event::State { from, to, cause: Cause::SynArrived });
    }

    /// Whether its SYN was remembered by a cookie only, so that its beginning was not recorded.
    pub(crate) const fn is_forgotten(&self) -> bool {
        self.forgotten
    }

    fn armed(&self, tuple: &Tuple, cx: &Context<'_>) {
        let deadline = self.deadline;
        cx.record(tuple, || Event::TimerArmed { timer: Timer::Retransmit, deadline });
    }

    fn timestamps(&self, now: Instant) -> Option<Timestamps> {
        self.negotiated.timestamps.then(|| Timestamps {
            value: negotiation::timestamp(now, self.opening.timestamp_offset),
            echo: self.ts_recent,
        })
    }

    fn header(&self, tuple: &Tuple) -> Header {
        Header {
            src_port: tuple.local_port,
            dst_port: tuple.remote_port,
            ack: self.irs + 1,
            window: self.rcv_wnd,
            ..Header::default()
        }
    }

    fn challenge(
        &self,
        tuple: &Tuple,
        now: Instant,
        judgment: Judgment,
    ) -> (Verdict, Option<Judgment>) {
        let header = Header {
            seq: self.opening.iss + 1,
            flags: Flags::ACK,
            window: self.rcv_wnd >> self.negotiated.rcv_scale,
            options: Options { timestamps: self.timestamps(now), ..Options::default() },
            ..self.header(tuple)
        };
        (Verdict::Reply(header), Some(judgment))
    }
}

/// What an answer of a half-open connection is for.
fn purpose_of(header: &Header) -> Purpose {
    if header.flags.contains(Flags::RST) {
        Purpose::Reset
    } else if header.flags.contains(Flags::SYN) {
        Purpose::Open
    } else {
        Purpose::Challenge
    }
}

/// `base` doubled `times` times, at most `max` (RFC 6298 §5.5).
pub(crate) fn backed_off(base: Duration, times: u8, max: Duration) -> Duration {
    base.saturating_mul(1u32.checked_shl(u32::from(times)).unwrap_or(u32::MAX)).min(max)
}

/// The RST that answers a segment for which there is no connection (RFC 9293 §3.5.2).
///
/// The caller sees to it that no RST answers a RST.
#[must_use]
pub fn reset_for(header: &Header, payload_len: usize) -> Header {
    let ports =
        Header { src_port: header.dst_port, dst_port: header.src_port, ..Header::default() };
    if header.flags.contains(Flags::ACK) {
        Header { seq: header.ack, flags: Flags::RST, ..ports }
    } else {
        Header {
            ack: header.seq + header.seg_len(payload_len),
            flags: Flags::RST | Flags::ACK,
            ..ports
        }
    }
}
