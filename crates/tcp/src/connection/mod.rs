//! The connection itself: from SYN-SENT, or the end of SYN-RECEIVED, until it is over.

mod error;

use alloc::sync::Arc;
use core::time::Duration;

use bytes::Bytes;
use handclasp_wire::tcp::Header;
use handclasp_wire::time::Instant;

pub use error::{Error, PathError};

use crate::config::{Config, KeepAlive};
use crate::context::Context;
use crate::half_open::HalfOpen;
use crate::opening::Opening;
use crate::state::State;
use crate::time_wait::TimeWait;
use crate::transmit::Transmit;
use crate::tuple::Tuple;
use handclasp_wire::seq::SeqNumber;

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

/// One connection.
#[derive(Clone, Debug)]
pub struct Connection {
    tuple: Tuple,
}

#[allow(unused_variables, missing_docs)]
impl Connection {
    /// Active open (RFC 9293 §3.10.1): the first [`Connection::poll_transmit`] is the SYN.
    pub fn connect(config: Arc<Config>, tuple: Tuple, opening: Opening, cx: &Context<'_>) -> Self {
        todo!()
    }
    /// A segment came in (RFC 9293 §3.10.7). `payload` is a slice of the received packet.
    pub fn segment_arrives(&mut self, cx: &Context<'_>, header: &Header, payload: Bytes) {
        todo!()
    }
    /// An ICMP error quoted a segment of this connection that began at `seq` (RFC 5927).
    pub fn path_error(&mut self, cx: &Context<'_>, error: PathError, seq: SeqNumber) {
        todo!()
    }
    /// The host's route or link to the peer changed: packets of at most `mtu` bytes from now.
    pub fn set_path_mtu(&mut self, cx: &Context<'_>, mtu: u16) {
        todo!()
    }
    /// The time is at or past [`Connection::next_deadline`].
    pub fn deadline_passed(&mut self, cx: &Context<'_>) {
        todo!()
    }
    /// What to send next; call until `None`. `burst` is the most payload bytes one
    /// [`Transmit`] may hold where the device cuts segments itself, 0 where it does not.
    pub fn poll_transmit(&mut self, cx: &Context<'_>, burst: usize) -> Option<Transmit> {
        todo!()
    }
    /// When to call [`Connection::deadline_passed`], if at all.
    pub fn next_deadline(&self) -> Option<Instant> {
        todo!()
    }
    /// What its host is to keep of it. Ask when `poll_transmit` returned `None`.
    pub fn phase(&self) -> Phase {
        todo!()
    }
    pub fn state(&self) -> State {
        todo!()
    }
    pub fn tuple(&self) -> &Tuple {
        &self.tuple
    }
    pub fn readiness(&self) -> Readiness {
        todo!()
    }
    /// Takes as much of `data` as the send buffer has room for; 0 means wait for WRITABLE.
    pub fn write(&mut self, cx: &Context<'_>, data: &[u8]) -> Result<usize, Error> {
        todo!()
    }
    /// Takes from the front of `data` without copying; what is left in it did not fit.
    pub fn write_bytes(&mut self, cx: &Context<'_>, data: &mut Bytes) -> Result<usize, Error> {
        todo!()
    }
    /// Copies received data out. `Ok(Some(0))` is the end of the stream, `Ok(None)` means wait.
    pub fn read(&mut self, cx: &Context<'_>, into: &mut [u8]) -> Result<Option<usize>, Error> {
        todo!()
    }
    /// Takes received data without copying; empty is the end of the stream.
    pub fn read_bytes(&mut self, cx: &Context<'_>, max: usize) -> Result<Option<Bytes>, Error> {
        todo!()
    }
    /// Copies received data out and leaves it there.
    pub fn peek(&self, into: &mut [u8]) -> Result<Option<usize>, Error> {
        todo!()
    }
    /// Half-close: a FIN follows what was written (RFC 9293 §3.10.4).
    pub fn shutdown(&mut self, cx: &Context<'_>) {
        todo!()
    }
    /// Full close: nobody will read or write any more; a RST if data was unread.
    pub fn close(&mut self, cx: &Context<'_>) {
        todo!()
    }
    /// RST, and over (RFC 9293 §3.10.5).
    pub fn abort(&mut self, cx: &Context<'_>) {
        todo!()
    }
    pub fn set_nodelay(&mut self, on: bool) {
        todo!()
    }
    pub fn set_keep_alive(&mut self, cx: &Context<'_>, keep_alive: Option<KeepAlive>) {
        todo!()
    }
    pub fn set_user_timeout(&mut self, timeout: Option<Duration>) {
        todo!()
    }
    /// Why the connection ended, if it ended badly.
    pub fn error(&self) -> Option<Error> {
        todo!()
    }
}

impl HalfOpen {
    /// The connection, in SYN-RECEIVED: give it the segment that completed it.
    #[must_use]
    pub fn complete(self, config: Arc<Config>, tuple: Tuple, cx: &Context<'_>) -> Connection {
        let _ = (config, tuple, cx);
        todo!()
    }
}
