//! A connection that is over but remembered for 2 MSL (RFC 9293 §3.6.1).

use core::time::Duration;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::tcp::{Flags, Header, Options};
use handclasp_wire::time::Instant;

use crate::acceptable::{self, Reset, timestamp_is_old, touches_window};
use crate::config::Config;
use crate::context::Context;
use crate::event::{Event, Purpose};
use crate::negotiation::timestamp;
use crate::state::{Cause, State};
use crate::tuple::Tuple;

/// What is kept of a connection in TIME-WAIT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeWait {
    pub(crate) snd_nxt: SeqNumber,
    pub(crate) rcv_nxt: SeqNumber,
    /// As it stands in the header.
    pub(crate) window: u16,
    /// The window in bytes.
    pub(crate) rcv_wnd: u32,
    /// The peer's last timestamp, where timestamps were agreed on.
    pub(crate) ts_recent: Option<u32>,
    pub(crate) timestamp_offset: u32,
    pub(crate) deadline: Instant,
}

/// What a segment means to a connection in TIME-WAIT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: drop it.
    Ignore,
    /// Send this.
    Reply(Header),
    /// A valid RST: forget the connection.
    Forget,
    /// A SYN for a new incarnation (RFC 6191): forget this one and treat the SYN as new,
    /// with an initial sequence number after this.
    Reopen {
        /// The new ISS must lie beyond this number (RFC 9293 §3.6.1).
        after: SeqNumber,
    },
}

impl TimeWait {
    /// When 2 MSL are over and the entry can go.
    #[must_use]
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Beyond which number an active open of the same sockets must start, if it may take this
    /// one's place: the peer tells its SYN from old segments by a later timestamp, which a
    /// second of waiting makes sure of (RFC 6191 §2, RFC 7323 §5.2).
    #[must_use]
    pub fn reusable(&self, config: &Config, now: Instant) -> Option<SeqNumber> {
        let since = self.deadline - config.msl * 2;
        let later = now.saturating_since(since) >= Duration::from_secs(1);
        (self.ts_recent.is_some() && later).then_some(self.snd_nxt)
    }

    /// Judges a segment (RFC 9293 §3.10.7.4; RFC 6191 for a SYN).
    pub fn segment_arrives(
        &mut self,
        config: &Config,
        tuple: &Tuple,
        header: &Header,
        payload_len: usize,
        cx: &Context<'_>,
    ) -> Verdict {
        cx.record(tuple, || Event::Received { header, len: payload_len });
        let verdict = self.judge(config, tuple, header, payload_len, cx.now);
        if let Verdict::Reply(header) = &verdict {
            cx.record(tuple, || Event::Sent { header, len: 0, purpose: Purpose::Ack });
        }
        verdict
    }

    /// Records that the connection is forgotten, and why.
    pub fn over(&self, tuple: &Tuple, cx: &Context<'_>, cause: Cause) {
        let (from, to) = (State::TimeWait, State::Closed);
        cx.record(tuple, || Event::State { from, to, cause });
    }

    fn judge(
        &mut self,
        config: &Config,
        tuple: &Tuple,
        header: &Header,
        payload_len: usize,
        now: Instant,
    ) -> Verdict {
        let flags = header.flags;
        if flags.contains(Flags::RST) {
            return match acceptable::reset(self.rcv_nxt, self.rcv_wnd, header.seq) {
                Reset::Valid => Verdict::Forget,
                Reset::Challenge => Verdict::Reply(self.ack(tuple, now)),
                Reset::Ignore => Verdict::Ignore,
            };
        }
        if flags.contains(Flags::SYN) && !flags.contains(Flags::ACK) {
            return if self.is_newer(header) {
                Verdict::Reopen { after: self.snd_nxt }
            } else {
                Verdict::Reply(self.ack(tuple, now))
            };
        }
        let len = header.seg_len(payload_len);
        if flags.contains(Flags::FIN) && header.seq + len == self.rcv_nxt {
            // The peer did not hear our ACK of its FIN: wait 2 MSL anew.
            self.deadline = now + config.msl * 2;
            return Verdict::Reply(self.ack(tuple, now));
        }
        if len > 0 || !touches_window(self.rcv_nxt, self.rcv_wnd, header.seq, len) {
            return Verdict::Reply(self.ack(tuple, now));
        }
        Verdict::Ignore
    }

    /// RFC 6191 §2: a later timestamp, or a later sequence number where the SYN has none or
    /// the same. A stamped SYN where the old connection had no timestamps is none of its own.
    fn is_newer(&self, syn: &Header) -> bool {
        match (self.ts_recent, syn.options.timestamps) {
            (Some(recent), Some(t)) if t.value != recent => !timestamp_is_old(t.value, recent),
            (None, Some(_)) => true,
            _ => syn.seq.gt(self.rcv_nxt),
        }
    }

    fn ack(&self, tuple: &Tuple, now: Instant) -> Header {
        let timestamps = self
            .ts_recent
            .map(|echo| Timestamps { value: timestamp(now, self.timestamp_offset), echo });
        Header {
            src_port: tuple.local_port,
            dst_port: tuple.remote_port,
            seq: self.snd_nxt,
            ack: self.rcv_nxt,
            flags: Flags::ACK,
            window: self.window,
            urgent: 0,
            options: Options { timestamps, ..Options::default() },
        }
    }
}
