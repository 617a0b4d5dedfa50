//! A device behind a link that delays, limits, loses, reorders, duplicates or corrupts.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use handclasp_impair::config::Config;
use handclasp_impair::link::{Counters, Link};
use handclasp_wire::frame::{Inbound, Medium, Outbound};
use handclasp_wire::gso::{Split, split, split_inbound};
use handclasp_wire::packet::{Net, Packet, Transport};
use handclasp_wire::time;
use smallvec::smallvec;

use crate::device::{Capabilities, Device};
use crate::tap::{Direction, Tap};
use crate::timer::Timer;

/// The protocol that tells routers of IPv4's multicast groups.
const IGMP: u8 = 2;

/// Packets that are handed to the device at once.
const BATCH: usize = 64;

/// A device behind a link that treats packets badly, in each direction by a configuration of
/// its own.
///
/// The link carries single packets with finished checksums, as a wire would: what the stack
/// sends as one large segment is cut before it, and what the device coalesced is too. Packets
/// that hosts run the link with (ARP, neighbour discovery, who is in which group) pass beside
/// it, so that packet number 2 is the second of a connection whatever the hosts had to ask and
/// tell each other before.
///
/// The driver of a device polls its receiving side all the time, and that is also what moves
/// delayed packets out.
pub struct Impaired<D> {
    device: D,
    outgoing: Lane,
    incoming: Lane,
    /// Packets that have passed the link and are to be taken by the device.
    arrived: VecDeque<Outbound>,
    /// Packets between the device and the link.
    received: Vec<Inbound>,
    /// Packets between the device and the stack that pass beside the link.
    beside: VecDeque<Bytes>,
    /// The device has come to its end.
    ended: bool,
    lost: Option<Box<dyn Tap>>,
}

impl<D: Device> Impaired<D> {
    /// Puts a link before `device`: `outgoing` for what the stack sends, `incoming` for what it
    /// receives. The same seed has the same packets, by their numbers, meet the same fate.
    ///
    /// # Errors
    ///
    /// The process has no file descriptor left.
    ///
    /// # Panics
    ///
    /// As [`Timer::new`].
    pub fn new(device: D, outgoing: Config, incoming: Config, seed: u64) -> io::Result<Self> {
        let medium = device.capabilities().medium;
        // The directions are not to lose the same numbers.
        let other_seed = seed ^ 0x9e37_79b9_7f4a_7c15;
        Ok(Self {
            device,
            outgoing: Lane::new(outgoing, seed, medium, Direction::Out)?,
            incoming: Lane::new(incoming, other_seed, medium, Direction::In)?,
            arrived: VecDeque::new(),
            received: Vec::new(),
            beside: VecDeque::new(),
            ended: false,
            lost: None,
        })
    }

    /// Shows each packet that the link loses or has no room for to `tap`, when it goes in.
    #[must_use]
    pub fn show_lost(mut self, tap: impl Tap + 'static) -> Self {
        self.lost = Some(Box::new(tap));
        self
    }

    /// What became of the packets that the stack sent, and of those that it was sent.
    pub fn counters(&self) -> (Counters, Counters) {
        (self.outgoing.link.counters(), self.incoming.link.counters())
    }

    /// The device behind the link.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// Hands the device what has passed the link. Ready when there is no more of it for now;
    /// the task is woken when there is.
    fn poll_outgoing(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            while self.arrived.len() < BATCH
                && let Poll::Ready(packet) = self.outgoing.poll_pop(cx)?
            {
                self.arrived.push_back(whole(packet));
            }
            if self.arrived.is_empty() {
                return Poll::Ready(Ok(()));
            }
            ready!(self.device.poll_transmit(cx, &mut self.arrived))?;
        }
    }
}

impl<D: Device> Device for Impaired<D> {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // All of it is done here.
            tx_checksum: true,
            tso_v4: true,
            tso_v6: true,
            rx_coalesced: false,
            ..self.device.capabilities()
        }
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Vec<Inbound>,
        max: usize,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Err(error)) = self.poll_outgoing(cx) {
            return Poll::Ready(Err(error));
        }
        let before = batch.len();
        loop {
            while batch.len() - before < max
                && let Some(packet) = self.beside.pop_front()
            {
                batch.push(Inbound::new(packet));
            }
            while batch.len() - before < max
                && let Poll::Ready(packet) = self.incoming.poll_pop(cx)?
            {
                batch.push(Inbound::new(packet));
            }
            if batch.len() > before || self.ended && self.incoming.link.held() == 0 {
                return Poll::Ready(Ok(batch.len() - before));
            }
            if self.ended {
                return Poll::Pending;
            }
            self.ended = ready!(self.device.poll_receive(cx, &mut self.received, BATCH))? == 0;
            for packet in self.received.drain(..) {
                let pieces = split_inbound(&packet, self.incoming.medium);
                let beside = |packet| self.beside.push_back(packet);
                self.incoming.push(pieces, &mut self.lost, beside);
            }
        }
    }

    fn poll_transmit(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut VecDeque<Outbound>,
    ) -> Poll<io::Result<()>> {
        // A device that takes no more pushes back on the stack: the link would hold any number.
        ready!(self.poll_outgoing(cx))?;
        for packet in batch.drain(..) {
            let pieces = split(&packet, self.outgoing.medium);
            let beside = |packet| self.arrived.push_back(whole(packet));
            self.outgoing.push(pieces, &mut self.lost, beside);
        }
        match self.poll_outgoing(cx) {
            Poll::Ready(sent) => Poll::Ready(sent),
            // The link took all; what the device does not take now goes out when it can.
            Poll::Pending => Poll::Ready(Ok(())),
        }
    }
}

impl<D: fmt::Debug> fmt::Debug for Impaired<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Impaired")
            .field("device", &self.device)
            .field("outgoing", &self.outgoing.link.counters())
            .field("incoming", &self.incoming.link.counters())
            .finish_non_exhaustive()
    }
}

/// One direction.
struct Lane {
    link: Link<Bytes>,
    timer: Timer,
    /// Where the link's time begins.
    origin: Instant,
    medium: Medium,
    direction: Direction,
    /// One piece of a packet.
    piece: Vec<u8>,
}

impl Lane {
    fn new(
        mut config: Config,
        seed: u64,
        medium: Medium,
        direction: Direction,
    ) -> io::Result<Self> {
        config.medium = medium;
        let (link, timer, origin) = (Link::new(config, seed), Timer::new()?, Instant::now());
        Ok(Self { link, timer, origin, medium, direction, piece: Vec::new() })
    }

    /// Puts pieces of a packet into the link, or hands them `beside` it.
    fn push(
        &mut self,
        mut pieces: Split<'_>,
        lost: &mut Option<Box<dyn Tap>>,
        mut beside: impl FnMut(Bytes),
    ) {
        let at = Instant::now();
        while pieces.next_into(&mut self.piece) {
            let packet = Bytes::copy_from_slice(&self.piece);
            if runs_the_link(&packet, self.medium) {
                beside(packet);
                continue;
            }
            let before = self.link.counters();
            self.link.push(self.time(at), packet);
            let after = self.link.counters();
            let is_lost = after.lost > before.lost || after.queue_dropped > before.queue_dropped;
            if let (true, Some(tap)) = (is_lost, &mut *lost) {
                tap.packet(at, self.direction, &self.piece);
            }
        }
    }

    /// The next packet that has passed the link; the task is woken when there is one.
    fn poll_pop(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        loop {
            if let Some(packet) = self.link.pop(self.time(Instant::now())) {
                return Poll::Ready(Ok(packet));
            }
            let Some(deadline) = self.link.next_deadline() else { return Poll::Pending };
            let deadline = self.origin + Duration::from_nanos(deadline.as_nanos());
            ready!(self.timer.poll_until(cx, deadline))?;
        }
    }

    fn time(&self, at: Instant) -> time::Instant {
        time::Instant::ZERO + at.saturating_duration_since(self.origin)
    }
}

/// A packet that needs nothing more done to it.
fn whole(packet: Bytes) -> Outbound {
    Outbound { payload: smallvec![packet], ..Outbound::default() }
}

/// Whether a packet is of ARP, of IPv6's neighbour discovery (RFC 4861 §4), or says who is in
/// which multicast group (RFC 2710, RFC 9776, RFC 9777).
fn runs_the_link(packet: &[u8], medium: Medium) -> bool {
    let (packet, _) = Packet::dissect(medium, packet);
    match (packet.net, packet.transport) {
        (Net::Arp(_), _) => true,
        (_, Transport::Icmpv6(icmp)) => matches!(icmp.message().kind, 130..=137 | 143),
        (_, Transport::Other { protocol }) => protocol == IGMP,
        _ => false,
    }
}

#[cfg(test)]
#[path = "impaired_tests.rs"]
mod tests;
