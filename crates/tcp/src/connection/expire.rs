//! What happens when a timer fires (RFC 9293 §3.10.8).

use core::time::Duration;

use handclasp_wire::time::Instant;

use super::{Connection, Error};
use crate::config::KeepAlive;
use crate::context::Context;
use crate::receive::Urge;
use crate::state::{Cause, State};
use crate::timer::Timer;

impl Connection {
    /// The time is at or past [`Connection::next_deadline`].
    pub fn deadline_passed(&mut self, cx: &Context<'_>) {
        if self.user_timeout_at().is_some_and(|at| at <= cx.now) {
            self.give_up(cx);
        }
        while let Some(timer) = self.timers.pop_due(cx.now) {
            self.fired(cx, timer);
            match timer {
                Timer::Retransmit => self.retransmission_due(cx),
                Timer::TailProbe => self.tail_probe_due(cx),
                Timer::Reorder => self.reordering_settled(cx),
                Timer::Persist => self.window_probe_due(cx),
                Timer::DelayedAck => self.rcv.owed.urge = Urge::Now,
                Timer::Override => self.pending.small = true,
                Timer::KeepAlive => self.keep_alive_due(cx),
                // What it held back is asked for anew.
                Timer::Pacing => {}
                Timer::FinWait2 => self.follow(cx, Cause::Timeout),
            }
        }
    }

    /// RFC 6298 §5.4 to §5.7.
    fn retransmission_due(&mut self, cx: &Context<'_>) {
        if self.gives_up(cx) {
            return;
        }
        self.snd.unanswered = self.snd.unanswered.saturating_add(1);
        if self.snd.unanswered >= self.config.retries_warn {
            self.life.doubtful = true;
        }
        if matches!(self.state, State::SynSent | State::SynReceived) {
            self.pending.syn = true;
            self.pending.timeout = true;
            return;
        }
        self.stats.timeouts += 1;
        self.lose_by_timeout(cx);
        self.timers.cancel(Timer::Pacing);
        self.snd.rtt.backoff = self.snd.rtt.backoff.saturating_add(1);
        self.arm(cx, Timer::Retransmit, cx.now + self.snd.rtt.rto(&self.config));
    }

    /// RFC 8985 §7.3: no ACK came for the last of what is in flight.
    fn tail_probe_due(&mut self, cx: &Context<'_>) {
        self.pending.tail_probe = true;
        self.arm(cx, Timer::Retransmit, cx.now + self.snd.rtt.rto(&self.config));
    }

    /// When the user timeout ends the connection, if something waits for an answer
    /// (RFC 9293 §3.10.8).
    pub(super) fn user_timeout_at(&self) -> Option<Instant> {
        Some(self.snd.waiting_since? + self.config.user_timeout?)
    }

    /// R2 (RFC 9293 §3.8.3): whether the connection just ended.
    fn gives_up(&mut self, cx: &Context<'_>) -> bool {
        let limit = match self.state {
            State::SynSent => {
                self.config.syn_retries.saturating_add(self.config.syn_linear_timeouts)
            }
            State::SynReceived => self.config.syn_ack_retries,
            _ if self.life.orphaned => self.config.orphan_retries.min(self.config.retries),
            _ => self.config.retries,
        };
        let ends = limit != u8::MAX && self.snd.unanswered >= limit;
        if ends {
            self.give_up(cx);
        }
        ends
    }

    fn give_up(&mut self, cx: &Context<'_>) {
        let error = match (self.life.soft_error, self.state) {
            // The path said why, though it was too little to give up on at once
            // (RFC 9293 §3.9.2.2).
            (Some(why), _) => Error::Unreachable(why),
            (None, State::SynSent | State::SynReceived) => Error::HandshakeTimedOut,
            (None, _) => Error::TimedOut,
        };
        self.fail(cx, Cause::Timeout, error, true);
    }

    /// RFC 9293 §3.8.6.1: asks again, ever less often.
    fn window_probe_due(&mut self, cx: &Context<'_>) {
        if !self.window_is_shut() {
            return;
        }
        if self.gives_up(cx) {
            return;
        }
        if self.life.orphaned
            && cx.budget.under_pressure()
            && self.snd.rtt.backoff >= self.config.orphan_retries
        {
            // Nobody waits for this but a peer that takes nothing (RFC 6429 §3).
            self.give_up(cx);
            return;
        }
        self.snd.unanswered = self.snd.unanswered.saturating_add(1);
        self.snd.rtt.backoff = self.snd.rtt.backoff.saturating_add(1);
        self.snd.waiting_since.get_or_insert(cx.now);
        self.pending.window_probe = true;
        self.arm_persist(cx);
    }

    /// RFC 9293 §3.8.4.
    fn keep_alive_due(&mut self, cx: &Context<'_>) {
        let Some(KeepAlive { idle, interval, count }) = self.config.keep_alive else { return };
        let interval = interval.max(Duration::from_millis(1));
        let heard = self.life.last_heard_at;
        if !self.snd.is_flushed() || cx.now < heard + idle {
            // Data under way has its own timer; and silence counts from the last segment.
            let next = (heard + idle).max(cx.now + interval);
            self.arm(cx, Timer::KeepAlive, next);
            return;
        }
        if self.life.keep_alive_probes >= count {
            self.fail(cx, Cause::Timeout, Error::KeepAliveTimedOut, true);
            return;
        }
        self.life.keep_alive_probes += 1;
        self.pending.keep_alive = true;
        self.arm(cx, Timer::KeepAlive, cx.now + interval);
    }

    /// Sets the keep-alive timer anew, or switches it off.
    pub(super) fn restart_keep_alive(&mut self, cx: &Context<'_>) {
        match self.config.keep_alive {
            Some(k) if self.state.is_synchronized() && self.state != State::TimeWait => {
                let heard = self.life.last_heard_at;
                self.arm(cx, Timer::KeepAlive, (heard + k.idle).max(cx.now));
            }
            _ => self.timers.cancel(Timer::KeepAlive),
        }
    }
}
