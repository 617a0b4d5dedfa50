//! A file descriptor that gives and takes one packet in each read and write.
//!
//! TUN interfaces and packet sockets have this in common, and the virtio-net header.
//!
//! A call carries one packet. To have several in a call (`sendmmsg`, which a TUN interface does
//! not have) would save the way into the kernel and back, a thirtieth of what a small packet
//! costs on a veth pair; it is large segments that make many bytes cheap.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use handclasp_wire::frame::{Inbound, Medium, Outbound};
use handclasp_wire::gso::split_inbound;
use rustix::io::Errno;
use smallvec::SmallVec;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::pool::Pool;
use crate::timer::Timer;
use crate::{sys, vnet};

/// Slices that a write gathers. The kernel takes 1,024; a packet in more than this many is
/// copied together first.
const MAX_SLICES: usize = 256;

/// How soon a packet is offered again that the kernel had no memory or no queue for. It tells
/// nobody when it has, and a queue of a 1 Gbit/s interface empties in about this time.
const RETRY: Duration = Duration::from_millis(1);

/// How often that is done. What is refused then is refused by a rule (traffic control can say
/// no to a packet), which is the network's way to lose it.
const ATTEMPTS: u32 = 250;

/// How soon a packet is offered again to an interface that is down.
const DOWN_RETRY: Duration = Duration::from_millis(10);

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Sent,
    /// The descriptor becomes writable when it is worth trying again.
    Wait,
    /// It is worth trying again in a moment, but not for ever.
    Full,
    /// It is worth trying again after a while, until the interface is up.
    Down,
    /// This packet can never be sent: it has become larger than the MTU, or was corrupted until
    /// it looks like none.
    Discard,
    /// The device is broken, or the packet is.
    Fatal(Errno),
}

fn outcome(written: Result<(), Errno>) -> Outcome {
    match written {
        Ok(()) => Outcome::Sent,
        Err(Errno::AGAIN) => Outcome::Wait,
        Err(Errno::NOBUFS | Errno::NOMEM | Errno::INTR) => Outcome::Full,
        // A TUN interface, and another one. Neither tells when it is up.
        Err(Errno::IO | Errno::NETDOWN) => Outcome::Down,
        Err(Errno::MSGSIZE) => Outcome::Discard,
        Err(errno) => Outcome::Fatal(errno),
    }
}

#[derive(Debug)]
pub(crate) struct Framed {
    fd: AsyncFd<OwnedFd>,
    medium: Medium,
    vnet_header: bool,
    pool: Pool,
    retry: Timer,
    /// When `retry` is to end the pause in writing.
    paused_until: Option<Instant>,
    /// How often the kernel had no room for the packet at the front.
    attempts: u32,
    /// Datagrams that came in one read, of which not all fitted into a batch.
    datagrams: VecDeque<Inbound>,
    discarded: u64,
}

impl Framed {
    /// Wraps `fd`, which must not block.
    pub(crate) fn new(fd: OwnedFd, medium: Medium, vnet_header: bool) -> io::Result<Self> {
        Ok(Self {
            fd: sys::register(fd, Interest::READABLE | Interest::WRITABLE)?,
            medium,
            vnet_header,
            pool: Pool::new(),
            retry: Timer::new()?,
            paused_until: None,
            attempts: 0,
            datagrams: VecDeque::new(),
            discarded: 0,
        })
    }

    pub(crate) fn fd(&self) -> &OwnedFd {
        self.fd.get_ref()
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.fd.into_inner()
    }

    /// Packets that could not be sent or understood.
    pub(crate) fn discarded(&self) -> u64 {
        self.discarded
    }

    pub(crate) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Vec<Inbound>,
        max: usize,
    ) -> Poll<io::Result<usize>> {
        let before = batch.len();
        loop {
            let left = max - (batch.len() - before);
            batch.extend(self.datagrams.drain(..self.datagrams.len().min(left)));
            let count = batch.len() - before;
            if count >= max {
                return Poll::Ready(Ok(count));
            }
            let mut guard = match self.fd.poll_read_ready(cx) {
                Poll::Pending if count > 0 => return Poll::Ready(Ok(count)),
                ready => ready!(ready)?,
            };
            match read_packet(&mut self.pool, guard.get_inner(), self.vnet_header) {
                Ok(Read::Packet(packet)) => batch.push(packet),
                Ok(Read::Datagrams(joined)) => cut(&joined, self.medium, &mut self.datagrams),
                Ok(Read::Unknown) => self.discarded += 1,
                Ok(Read::End) => return Poll::Ready(Ok(count)),
                Err(Errno::AGAIN) => guard.clear_ready(),
                // A packet socket reports once that its interface went down.
                Err(Errno::NETDOWN | Errno::INTR) => {}
                Err(errno) => return Poll::Ready(Err(errno.into())),
            }
        }
    }

    pub(crate) fn poll_transmit(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut VecDeque<Outbound>,
    ) -> Poll<io::Result<()>> {
        while let Some(packet) = batch.front() {
            if let Some(until) = self.paused_until {
                ready!(self.retry.poll_until(cx, until))?;
                self.paused_until = None;
            }
            let mut guard = ready!(self.fd.poll_write_ready(cx))?;
            let written = write_packet(guard.get_inner(), packet, self.medium, self.vnet_header)?;
            let mut outcome = outcome(written);
            if outcome == Outcome::Full {
                self.attempts += 1;
                if self.attempts > ATTEMPTS {
                    outcome = Outcome::Discard;
                }
            } else if outcome == Outcome::Fatal(Errno::INVAL) && is_no_packet(packet, self.medium) {
                outcome = Outcome::Discard;
            }
            match outcome {
                Outcome::Sent | Outcome::Discard => {
                    batch.pop_front();
                    self.attempts = 0;
                    self.discarded += u64::from(outcome == Outcome::Discard);
                }
                Outcome::Wait => guard.clear_ready(),
                Outcome::Full => self.paused_until = Some(Instant::now() + RETRY),
                Outcome::Down => self.paused_until = Some(Instant::now() + DOWN_RETRY),
                Outcome::Fatal(errno) => return Poll::Ready(Err(errno.into())),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Whether a TUN interface refuses `packet` because it is of neither IP version.
fn is_no_packet(packet: &Outbound, medium: Medium) -> bool {
    let first = packet.header.first().or_else(|| packet.payload.first()?.first());
    medium == Medium::Ip && !first.is_some_and(|byte| matches!(byte >> 4, 4 | 6))
}

/// What a read gave.
enum Read {
    Packet(Inbound),
    /// Several UDP datagrams in one, which is for the device to cut: to a stack one packet is
    /// one datagram.
    Datagrams(Inbound),
    /// A packet in a form that was not asked for.
    Unknown,
    /// Nothing, and there never will be anything: the other end of a socket is closed.
    End,
}

fn read_packet(pool: &mut Pool, fd: &OwnedFd, vnet_header: bool) -> Result<Read, Errno> {
    let packet = pool.read(fd)?;
    if packet.is_empty() {
        return Ok(Read::End);
    }
    if !vnet_header {
        return Ok(Read::Packet(Inbound::new(pool.take(0))));
    }
    let Some(header) = packet.first_chunk() else { return Ok(Read::Unknown) };
    let header = vnet::Header::parse(*header);
    Ok(match header.gso {
        vnet::Gso::None | vnet::Gso::TcpV4 | vnet::Gso::TcpV6 => {
            Read::Packet(header.annotate(pool.take(vnet::LEN)))
        }
        vnet::Gso::Udp => Read::Datagrams(header.annotate(pool.take(vnet::LEN))),
        vnet::Gso::Other(_) => Read::Unknown,
    })
}

fn cut(joined: &Inbound, medium: Medium, datagrams: &mut VecDeque<Inbound>) {
    let checksum = joined.checksum;
    datagrams.extend(
        split_inbound(joined, medium)
            .map(|datagram| Inbound { checksum, ..Inbound::new(datagram.into()) }),
    );
}

/// Writes a packet: the outer error is a packet that must not have been offered.
fn write_packet(
    fd: &OwnedFd,
    packet: &Outbound,
    medium: Medium,
    vnet_header: bool,
) -> io::Result<Result<(), Errno>> {
    let header = vnet::Header::for_packet(packet, medium);
    let vnet = match header {
        Some(header) if vnet_header => Some(header.emit()),
        Some(vnet::Header::PLAIN) => None,
        _ => {
            let text = "a packet asks for an offload that this device does not have";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
    };
    let joined: Vec<u8>;
    let mut slices: SmallVec<[IoSlice<'_>; 8]> = SmallVec::new();
    slices.extend(vnet.as_ref().map(|bytes| IoSlice::new(bytes)));
    slices.push(IoSlice::new(&packet.header));
    if packet.payload.len() > MAX_SLICES {
        joined = packet.payload.concat();
        slices.push(IoSlice::new(&joined));
    } else {
        slices.extend(packet.payload.iter().map(|bytes| IoSlice::new(bytes)));
    }
    Ok(rustix::io::writev(fd, &slices).map(drop))
}

#[cfg(test)]
#[path = "framed_tests.rs"]
mod tests;
