//! The connection itself: from SYN-SENT, or the end of SYN-RECEIVED, until it is over.
//!
//! `arrive` holds RFC 9293 §3.10.7's checks in the RFC's order, `handshake` what SYNs do,
//! `acknowledge` what an ACK does, `repair` what losses do, `text` what data, URG and FIN do,
//! `transmit` what is sent when, `expire` what timers do, `user` the application's calls,
//! `fast_open` data in the handshake.

mod acknowledge;
mod activity;
mod arrive;
mod canonical;
mod ecn;
mod error;
mod expire;
mod fast_open;
mod handshake;
mod info;
mod path;
mod repair;
mod segment;
mod text;
mod transmit;
mod user;

use alloc::boxed::Box;
use alloc::sync::Arc;

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Header;
use handclasp_wire::time::Instant;

pub use activity::Activity;
pub use error::{Error, PathError};
pub use info::{Info, RecoveryCounts, Repair, Statistics};

use crate::config::Config;
use crate::context::Context;
use crate::ecn::Feedback;
use crate::event::{Event, Judgment};
use crate::fast_open::Part;
use crate::negotiation::Negotiated;
use crate::opening::Opening;
use crate::receive::Receiver;
use crate::send::Sender;
use crate::state::{Cause, State};
use crate::time_wait::TimeWait;
use crate::timer::{Timer, Timers};
use crate::tuple::Tuple;

bitflags::bitflags! {
    /// What an application could do now without waiting.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct Readiness: u8 {
        /// The handshake is over, well or badly.
        const CONNECTED = 1 << 0;
        /// A read returns data, the end of the stream, or an error.
        const READABLE = 1 << 1;
        /// A write takes data, or returns an error.
        const WRITABLE = 1 << 2;
        /// Everything written, and the FIN if there is one, is acknowledged.
        const FLUSHED = 1 << 3;
        /// The peer marked data urgent that was not yet read.
        const URGENT = 1 << 4;
        /// The connection is over for the application: closed or failed.
        const OVER = 1 << 5;
        /// Retransmissions reached R1: delivery is in doubt (RFC 9293 §3.8.3).
        const DOUBTFUL = 1 << 6;
    }
}

/// What is left of a connection in its host's eyes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is alive: keep it in the table.
    Open,
    /// Only TIME-WAIT is left: keep this instead, once the last ACK went out.
    TimeWait(TimeWait),
    /// Nothing is left: forget its tuple.
    Closed,
}

/// Segments that wait for the next [`Connection::poll_transmit`], besides data.
#[derive(Clone, Debug, Default)]
struct Pending {
    /// A SYN or SYN-ACK.
    syn: bool,
    /// The RST that ends the connection.
    reset: bool,
    /// An answer to one segment that leaves the connection as it is.
    reply: Option<Box<Header>>,
    /// A challenge ACK (RFC 5961).
    challenge: bool,
    /// A probe of a closed window.
    window_probe: bool,
    /// A keep-alive probe.
    keep_alive: bool,
    /// The override timer fired: send less than a full segment.
    small: bool,
    /// The SYN that leaves next is for the retransmission timer.
    timeout: bool,
    /// A tail loss probe.
    tail_probe: bool,
}

/// How the connection fares beyond its sequence numbers.
#[derive(Clone, Debug)]
struct Life {
    error: Option<Error>,
    soft_error: Option<PathError>,
    /// No application holds the connection any more.
    orphaned: bool,
    /// The handshake was completed once.
    was_open: bool,
    /// Retransmissions reached R1.
    doubtful: bool,
    last_heard_at: Instant,
    keep_alive_probes: u8,
    time_wait_until: Instant,
    /// Challenge ACKs in the interval that began then (RFC 5961 §7).
    challenges: u8,
    challenges_since: Instant,
}

/// One connection.
#[derive(Clone, Debug)]
pub struct Connection {
    tuple: Tuple,
    state: State,
    config: Arc<Config>,
    opening: Opening,
    negotiated: Negotiated,
    snd: Sender,
    rcv: Receiver,
    timers: Timers,
    pending: Pending,
    life: Life,
    /// Fast Open's part in the handshake, until that is over.
    fast: Option<Box<Part>>,
    /// How marks are fed back, if the handshake agreed on that.
    ecn: Option<Box<Feedback>>,
    stats: Statistics,
    /// The largest packet the path carries, as far as is known.
    path_mtu: u16,
}

impl Connection {
    fn new(config: Arc<Config>, tuple: Tuple, opening: Opening, cx: &Context<'_>) -> Self {
        let snd = Sender::new(&config, opening.iss, cx.now);
        Self {
            tuple,
            state: State::Closed,
            opening,
            negotiated: Negotiated {
                peer_mss: 536,
                snd_scale: 0,
                rcv_scale: 0,
                scaling: false,
                sack: false,
                timestamps: false,
            },
            snd,
            rcv: Receiver::new(&config, cx.now),
            timers: Timers::new(),
            pending: Pending::default(),
            life: Life {
                error: None,
                soft_error: None,
                orphaned: false,
                was_open: false,
                doubtful: false,
                last_heard_at: cx.now,
                keep_alive_probes: 0,
                time_wait_until: cx.now,
                challenges: 0,
                challenges_since: cx.now,
            },
            fast: None,
            ecn: None,
            stats: Statistics::default(),
            path_mtu: opening.path_mtu,
            config,
        }
    }

    /// The four-tuple.
    #[must_use]
    pub const fn tuple(&self) -> &Tuple {
        &self.tuple
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// `snd.nxt`: the next sequence number to send.
    #[must_use]
    pub const fn snd_nxt(&self) -> SeqNumber {
        self.snd.nxt
    }

    /// `rcv.nxt`: the next sequence number expected.
    #[must_use]
    pub const fn rcv_nxt(&self) -> SeqNumber {
        self.rcv.nxt
    }

    /// Why the connection ended, if it ended badly.
    #[must_use]
    pub const fn error(&self) -> Option<Error> {
        self.life.error
    }

    /// Whether the handshake was completed, whatever came then.
    #[must_use]
    pub const fn was_open(&self) -> bool {
        self.life.was_open
    }

    /// When to call [`Connection::deadline_passed`], if at all.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next().into_iter().chain(self.user_timeout_at()).min()
    }

    /// What its host is to keep of it. Ask when [`Connection::poll_transmit`] returned `None`:
    /// before, its last segment would be lost with it.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Closed => Phase::Closed,
            State::TimeWait => Phase::TimeWait(TimeWait {
                snd_nxt: self.snd.nxt,
                rcv_nxt: self.rcv.nxt,
                window: (self.rcv.wnd() >> self.rcv.scale).min(65_535) as u16,
                rcv_wnd: self.rcv.wnd(),
                ts_recent: self.negotiated.timestamps.then_some(self.rcv.ts_recent),
                timestamp_offset: self.opening.timestamp_offset,
                deadline: self.life.time_wait_until,
            }),
            _ => Phase::Open,
        }
    }

    /// What the application could do without waiting.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let mut ready = Readiness::empty();
        let failed = self.life.error.is_some();
        let over = matches!(self.state, State::Closed | State::TimeWait);
        ready.set(Readiness::CONNECTED, self.life.was_open || failed);
        let readable = !self.rcv.queue.is_empty() || self.rcv.is_finished() || over;
        ready.set(Readiness::READABLE, readable || failed);
        let writable = self.state.can_send() && !self.snd.closed && self.has_write_room();
        ready.set(Readiness::WRITABLE, writable || failed || over);
        ready.set(Readiness::FLUSHED, self.snd.is_flushed() || failed);
        ready.set(Readiness::URGENT, self.rcv.urgent_left().is_some());
        ready.set(Readiness::OVER, over);
        ready.set(Readiness::DOUBTFUL, self.life.doubtful);
        ready
    }

    fn has_write_room(&self) -> bool {
        self.snd.has_room(&self.config) && !self.snd.starved
    }

    /// Follows `cause` in the transition table.
    fn follow(&mut self, cx: &Context<'_>, cause: Cause) {
        let Some(to) = self.state.after(cause) else { return };
        let from = core::mem::replace(&mut self.state, to);
        cx.record(&self.tuple, || Event::State { from, to, cause });
        match to {
            State::Established => self.life.was_open = true,
            State::CloseWait => self.life.was_open = true,
            State::FinWait2 if self.life.orphaned => {
                self.arm(cx, Timer::FinWait2, cx.now + self.config.fin_wait_2);
            }
            State::TimeWait => {
                self.timers.cancel_all();
                self.life.time_wait_until = cx.now + self.config.msl * 2;
            }
            State::Closed => self.timers.cancel_all(),
            _ => {}
        }
    }

    /// Ends the connection with an error, and a RST where `reset` says so.
    fn fail(&mut self, cx: &Context<'_>, cause: Cause, error: Error, reset: bool) {
        self.life.error.get_or_insert(error);
        cx.record(&self.tuple, || Event::Failed(error));
        let reset = reset && (self.state.is_synchronized() || self.state == State::SynReceived);
        self.follow(cx, cause);
        self.pending = Pending { reset, ..Pending::default() };
        self.release(cx);
    }

    /// Lets go of what will never be sent or put together. What was received in order may
    /// still be read (a RST makes it unreadable in other stacks: here the error comes after
    /// it).
    fn release(&mut self, cx: &Context<'_>) {
        cx.budget.give_back(self.snd.queue.len());
        self.snd.discard();
        self.rcv.owed = Default::default();
        self.rcv.reassembly = Default::default();
        self.rcv.settle(cx.budget);
    }

    fn arm(&mut self, cx: &Context<'_>, timer: Timer, deadline: Instant) {
        self.timers.set(timer, deadline);
        cx.record(&self.tuple, || Event::TimerArmed { timer, deadline });
    }

    fn judge(&self, cx: &Context<'_>, judgment: Judgment) {
        cx.record(&self.tuple, || Event::Judged(judgment));
    }

    /// Bytes of options that every segment carries.
    const fn fixed_options(&self) -> u16 {
        if self.negotiated.timestamps { 12 } else { 0 }
    }

    fn effective_mss(&self) -> u16 {
        let ours = self.config.max_segment_size.unwrap_or(u16::MAX);
        Sender::effective_mss(
            self.negotiated.peer_mss.min(ours),
            self.path_mtu,
            self.tuple.ip_header_len(),
            self.fixed_options(),
        )
    }
}
