//! The application's calls (RFC 9293 §3.9.1).

use alloc::sync::Arc;
use core::time::Duration;

use bytes::Bytes;
use handclasp_wire::seq::SeqNumber;

use super::{Connection, Error};
use crate::config::{Algorithm, Config, KeepAlive};
use crate::context::{Budget, Context};
use crate::receive::Urge;
use crate::state::{Cause, State};
use crate::timer::Timer;

impl Connection {
    /// Takes a copy of as much of `data` as the send buffer has room for; 0 means wait until
    /// the connection is writable.
    ///
    /// # Errors
    /// The connection failed ([`Connection::error`]), or [`Error::Closed`] after a shutdown.
    pub fn write(&mut self, cx: &Context<'_>, data: &[u8]) -> Result<usize, Error> {
        let room = self.write_room(cx)?;
        let n = data.len().min(room);
        let start = self.snd.data_end();
        self.snd.queue.push_slice(&data[..n]);
        self.after_write(start);
        cx.budget.take(n);
        Ok(n)
    }

    /// Takes from the front of `data` without copying; what is left in it did not fit.
    ///
    /// # Errors
    /// As [`Connection::write`].
    pub fn write_bytes(&mut self, cx: &Context<'_>, data: &mut Bytes) -> Result<usize, Error> {
        let room = self.write_room(cx)?;
        let piece = data.split_to(data.len().min(room));
        let n = piece.len();
        let start = self.snd.data_end();
        self.snd.queue.push_bytes(piece);
        self.after_write(start);
        cx.budget.take(n);
        Ok(n)
    }

    /// Like [`Connection::write`], and marks the peer's attention as wanted up to the end of
    /// what was taken (RFC 9293 §3.8.5). New applications should not (RFC 6093 §5).
    ///
    /// # Errors
    /// As [`Connection::write`].
    pub fn write_urgent(&mut self, cx: &Context<'_>, data: &[u8]) -> Result<usize, Error> {
        let n = self.write(cx, data)?;
        if n > 0 {
            self.snd.up = Some(self.snd.data_end());
        }
        Ok(n)
    }

    fn after_write(&mut self, start: SeqNumber) {
        self.snd.buffered(start);
        self.snd.wishes.written();
    }

    fn write_room(&mut self, cx: &Context<'_>) -> Result<usize, Error> {
        if let Some(error) = self.life.error {
            return Err(error);
        }
        if self.snd.closed || !self.state.can_send() {
            return Err(Error::Closed);
        }
        if !self.timers.is_set(Timer::Pacing) {
            self.snd.check_app_limited();
        }
        let guaranteed = Budget::GUARANTEED.saturating_sub(self.snd.queue.len());
        let memory = cx.budget.free().max(guaranteed);
        self.snd.starved = memory == 0;
        let room = self.snd.room(&self.config);
        self.snd.looked_for_room(room);
        Ok(room.min(memory))
    }

    /// Copies received data out. `Ok(Some(0))` is the end of the stream, `Ok(None)` means
    /// wait until the connection is readable.
    ///
    /// # Errors
    /// Why the connection failed, once everything received before is read.
    pub fn read(&mut self, cx: &Context<'_>, into: &mut [u8]) -> Result<Option<usize>, Error> {
        if self.rcv.queue.is_empty() {
            return Ok(self.at_end()?.then_some(0));
        }
        let n = self.rcv.queue.read(into);
        self.after_read(cx, n);
        Ok(Some(n))
    }

    /// Takes received data without copying, at most `max` bytes; empty is the end of the
    /// stream.
    ///
    /// # Errors
    /// As [`Connection::read`].
    pub fn read_bytes(&mut self, cx: &Context<'_>, max: usize) -> Result<Option<Bytes>, Error> {
        if self.rcv.queue.is_empty() {
            return Ok(self.at_end()?.then(Bytes::new));
        }
        let piece = self.rcv.queue.pop_bytes(max);
        self.after_read(cx, piece.len());
        Ok(Some(piece))
    }

    /// Copies received data out and leaves it there.
    ///
    /// # Errors
    /// As [`Connection::read`].
    pub fn peek(&self, into: &mut [u8]) -> Result<Option<usize>, Error> {
        if self.rcv.queue.is_empty() {
            return Ok(self.at_end()?.then_some(0));
        }
        Ok(Some(self.rcv.queue.peek(into)))
    }

    /// Whether nothing more will come: an orderly end is told from an error.
    fn at_end(&self) -> Result<bool, Error> {
        if self.rcv.is_finished() {
            return Ok(true);
        }
        match self.life.error {
            Some(error) => Err(error),
            None => Ok(matches!(self.state, State::Closed | State::TimeWait)),
        }
    }

    /// Room was made: the window may open, and the buffer grow.
    fn after_read(&mut self, cx: &Context<'_>, n: usize) {
        let pressure = cx.budget.under_pressure();
        let fallback = self.snd.rtt.srtt();
        self.rcv.tuning.read(&self.config, cx.now, n, fallback, pressure);
        self.rcv.settle(cx.budget);
        if self.rcv.urgent_left().is_none() {
            // Read past: so that it never lags behind by half of all numbers.
            self.rcv.up = None;
        }
        if self.state.can_receive() && self.rcv.should_update_window(cx.budget) {
            self.rcv.owed.urge = Urge::Now;
        }
    }

    /// Bytes up to the peer's urgent mark that were not yet read; `None` if none are.
    #[must_use]
    pub fn urgent_left(&self) -> Option<u32> {
        self.rcv.urgent_left()
    }

    /// Half-close: a FIN follows what was written (RFC 9293 §3.10.4). Reading goes on.
    pub fn shutdown(&mut self, cx: &Context<'_>) {
        match self.state {
            State::Closed | State::Listen | State::TimeWait => {}
            State::SynSent => {
                self.life.error.get_or_insert(Error::Closed);
                self.follow(cx, Cause::Close);
                self.pending.syn = false;
                self.release(cx);
            }
            _ => self.close_sending(cx),
        }
    }

    /// Full close: nobody will read or write any more. Data that was not read, or still
    /// comes, is answered with a RST, so that the peer learns that it was lost
    /// (RFC 9293 §3.6.1).
    pub fn close(&mut self, cx: &Context<'_>) {
        if self.life.orphaned {
            return;
        }
        self.life.orphaned = true;
        let unread = !self.rcv.queue.is_empty() || !self.rcv.reassembly.is_empty();
        self.rcv.queue = Default::default();
        self.rcv.settle(cx.budget);
        if unread && !matches!(self.state, State::Closed | State::TimeWait) {
            self.fail(cx, Cause::Abort, Error::Aborted, true);
            return;
        }
        self.shutdown(cx);
        if self.state == State::FinWait2 {
            self.arm(cx, Timer::FinWait2, cx.now + self.config.fin_wait_2);
        }
    }

    /// RST, and over (RFC 9293 §3.10.5). Unsent data is gone.
    pub fn abort(&mut self, cx: &Context<'_>) {
        self.life.orphaned = true;
        self.rcv.queue = Default::default();
        self.rcv.settle(cx.budget);
        if matches!(self.state, State::Closed | State::TimeWait) {
            return;
        }
        // Where both FINs were sent there is nothing left to cut short (RFC 9293 §3.10.5).
        let closing = matches!(self.state, State::Closing | State::LastAck);
        let reset = !closing || self.snd.fin_waits();
        self.fail(cx, Cause::Abort, Error::Aborted, reset);
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Sends small segments at once, or lets Nagle's rule hold them. Switched on, it lets out
    /// what waits now, a cork or not.
    pub fn set_nodelay(&mut self, on: bool) {
        Arc::make_mut(&mut self.config).nodelay = on;
        if on {
            self.flush();
        }
    }

    /// Holds segments that are not full back until the cork is taken out, or for 200 ms where
    /// nothing is under way. Taken out, it lets out what waits.
    pub fn set_cork(&mut self, on: bool) {
        self.snd.wishes.cork = on;
        if !on {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.snd.unsent() > 0 {
            self.snd.wishes.flush();
        }
    }

    /// Says that more follows what was written last: what does not fill a segment waits for it,
    /// for an ACK, or for 200 ms, and nothing is pushed.
    pub fn more_follows(&mut self) {
        self.snd.wishes.more_follows();
    }

    /// Ends a record: no segment will carry bytes from both before and behind this place.
    pub fn end_record(&mut self) {
        self.snd.wishes.record_ended(self.snd.data_end());
    }

    /// Hands the congestion window over to another controller, which goes on with it.
    pub fn set_congestion(&mut self, cx: &Context<'_>, algorithm: Algorithm) {
        if self.config.congestion == algorithm {
            return;
        }
        Arc::make_mut(&mut self.config).congestion = algorithm;
        // Before the handshake is over there is nothing to go on with.
        if self.state.is_synchronized() {
            self.snd.switch_controller(algorithm, cx.now);
            self.record_congestion(cx);
        }
    }

    /// Sets how many bytes may be written and not acknowledged; the buffer grows no more. What
    /// is in it already stays.
    pub fn set_send_buffer(&mut self, bytes: usize) {
        let config = Arc::make_mut(&mut self.config);
        (config.send_buffer_start, config.send_buffer_max) = (bytes, bytes);
        self.snd.set_limit(bytes);
    }

    /// Acknowledges at once as at the start of the connection, or delays ACKs from now on.
    pub fn set_quick_acks(&mut self, on: bool) {
        self.rcv.owed.quick = if on { self.config.quick_acks } else { 0 };
    }

    /// Sets how many bytes may wait unsent before writing has to wait; `None` for any number.
    pub fn set_notsent_lowat(&mut self, bytes: Option<u32>) {
        Arc::make_mut(&mut self.config).notsent_lowat = bytes;
    }

    /// Switches keep-alive on or off.
    pub fn set_keep_alive(&mut self, cx: &Context<'_>, keep_alive: Option<KeepAlive>) {
        Arc::make_mut(&mut self.config).keep_alive = keep_alive;
        self.life.keep_alive_probes = 0;
        self.restart_keep_alive(cx);
    }

    /// Sets how long data may stay unacknowledged; `None` leaves it to the retries.
    pub fn set_user_timeout(&mut self, timeout: Option<Duration>) {
        Arc::make_mut(&mut self.config).user_timeout = timeout;
    }

    /// Sets R2, the retransmissions after which the connection is given up; `u8::MAX` means
    /// never.
    pub fn set_retries(&mut self, retries: u8) {
        Arc::make_mut(&mut self.config).retries = retries;
    }

    /// Sets the differentiated services field (six bits) of what is sent from now on.
    pub fn set_dscp(&mut self, dscp: u8) {
        Arc::make_mut(&mut self.config).dscp = dscp & 0x3f;
    }

    /// Sets the time to live or hop limit of what is sent from now on; 0 is taken as 1.
    pub fn set_ttl(&mut self, ttl: u8) {
        Arc::make_mut(&mut self.config).ttl = ttl;
    }
}
