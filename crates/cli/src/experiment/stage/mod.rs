//! Where experiments take place: a peer, and time.

#[cfg(target_os = "linux")]
pub(super) mod live;
pub(super) mod simulated;

use std::net::{IpAddr, SocketAddr};

use handclasp::tcp::{State, Tuple};
use handclasp::wire::time::Instant;

use crate::error::Error;
use crate::watch::Sight;

/// The port that the peer's server listens on, in a lab and in virtual time.
pub(super) const SERVER: u16 = 80;
/// One that nobody listens on there.
pub(super) const CLOSED: u16 = 81;

/// What the peer's server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// It answers a request with a page, closes its direction and reads to the end.
    Page,
    /// The same, and it takes data in a SYN that has a Fast Open cookie.
    FastOpen,
    /// As [`Service::Page`], with room for a handful of half-open connections.
    SmallQueue,
    /// It reads to the end, and probes a peer that is silent.
    KeepAlive,
}

/// A packet that came, from its IP header on, and when.
pub(super) type Came = (Instant, Vec<u8>);

/// A peer, and time.
pub(super) trait Stage {
    /// The present.
    fn now(&self) -> Instant;

    /// Our address.
    fn ours(&self) -> IpAddr;

    /// The peer's server, or whatever port was named.
    fn server(&self) -> SocketAddr;

    /// A port of the peer's that nobody listens on.
    fn closed(&self) -> SocketAddr;

    /// Sends an IP packet.
    fn send(&mut self, packet: &[u8]) -> Result<(), Error>;

    /// Shows an IP packet as sent and lost on the way.
    fn lose(&mut self, packet: &[u8]) -> Result<(), Error>;

    /// The next packet that comes, if one comes until then.
    fn receive(&mut self, until: Instant) -> Result<Option<Came>, Error>;

    /// The state of the peer's end of the connection that is ours by this name; `None` where
    /// the peer cannot be asked.
    fn state(&mut self, ours: &Tuple) -> Result<Option<State>, Error>;

    /// Whether the peer's programs are ours to start.
    fn commands_peer(&self) -> bool;

    /// Has the peer connect to a socket of ours, read to the end, and close, if it is at our
    /// command.
    fn call(&mut self, to: SocketAddr) -> Result<(), Error>;

    /// Whether time is real, so that waiting for it is felt.
    fn is_real(&self) -> bool;

    /// Shows who watches what our end has to say of itself.
    fn show(&self, sight: Sight);

    /// Ends the recording, if there is one.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}
