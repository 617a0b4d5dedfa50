//! Watching an interface without taking part.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};
use std::time::{Instant, SystemTime};

use handclasp_wire::frame::{Inbound, Medium};
use rustix::io::Errno;
use rustix::net::sockopt;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::interface::{Interface, explained, open_packet_socket};
use crate::pool::Pool;
use crate::tap::Direction;
use crate::{sys, vnet};

/// Bytes of packets that wait to be read, if the kernel lets us.
const RECEIVE_BUFFER: usize = 32 << 20;

/// A packet that passed an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// When the kernel saw it.
    pub at: Instant,
    /// Which way it went, seen from the kernel whose interface it is.
    pub direction: Direction,
    /// The packet, as the interface carried it: with offloads it may be large, and its checksum
    /// unfinished. [`split_inbound`](handclasp_wire::gso::split_inbound) makes it what a wire
    /// would have carried.
    pub packet: Inbound,
}

/// Every packet that passes an interface of the kernel's.
///
/// The loopback interface shows each packet twice, out and in. An Ethernet interface in
/// hardware shows what is sent to it and to groups; VLAN tags are not shown.
#[derive(Debug)]
pub struct Capture {
    socket: AsyncFd<OwnedFd>,
    interface: Interface,
    pool: Pool,
    clocks: Clocks,
}

impl Capture {
    /// Watches an interface of the calling thread's network namespace.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` without `CAP_NET_RAW`, `NotFound` if there is no such interface,
    /// `Unsupported` if it carries neither Ethernet frames nor bare IP packets.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its I/O driver enabled.
    pub fn open(interface: &str) -> io::Result<Self> {
        let name = interface;
        let interface = Interface::by_name(name)?;
        let socket = open_packet_socket()?;
        sys::packet_option(&socket, libc::PACKET_VNET_HDR)?;
        sys::stamp_packets(&socket)?;
        if sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER).is_err() {
            sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER)?;
        }
        sys::bind_packet(&socket, interface.index())
            .map_err(|e| explained(e, format_args!("cannot bind to {name}")))?;
        let socket = sys::register(socket, Interest::READABLE)?;
        Ok(Self { socket, interface, pool: Pool::new(), clocks: Clocks::read() })
    }

    /// What the packets begin with.
    #[must_use]
    pub fn medium(&self) -> Medium {
        self.interface.medium()
    }

    /// Packets that passed unseen since the last call, because others were not read in time.
    ///
    /// # Errors
    ///
    /// The kernel does not count them.
    pub fn overruns(&self) -> io::Result<u32> {
        sys::packet_drops(self.socket.get_ref())
    }

    /// The next packet.
    ///
    /// Cancel safe: a dropped call has not taken a packet.
    ///
    /// # Errors
    ///
    /// The interface is gone.
    pub async fn next(&mut self) -> io::Result<Captured> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next packet, or the task of `cx` is woken when there is one.
    ///
    /// # Errors
    ///
    /// The interface is gone.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Captured>> {
        self.interface.poll_changes(cx)?;
        loop {
            let mut guard = ready!(self.socket.poll_read_ready(cx))?;
            let socket = guard.get_inner();
            match self.pool.read_with(|buffer| sys::receive_captured(socket, buffer)) {
                Ok((meta, packet)) => {
                    let Some(header) = packet.first_chunk() else { continue };
                    let header = vnet::Header::parse(*header);
                    return Poll::Ready(Ok(Captured {
                        at: meta.at.map_or_else(Instant::now, |at| self.clocks.instant(at)),
                        direction: if meta.outgoing { Direction::Out } else { Direction::In },
                        packet: header.annotate(self.pool.take(vnet::LEN)),
                    }));
                }
                Err(Errno::AGAIN) => guard.clear_ready(),
                Err(Errno::NETDOWN | Errno::INTR) => {}
                Err(errno) => return Poll::Ready(Err(errno.into())),
            }
        }
    }
}

/// What turns the calendar's times, which the kernel stamps packets with, into those of the
/// clock that everything else is timed with. It stays the same, so that order does.
#[derive(Clone, Copy, Debug)]
struct Clocks {
    monotonic: Instant,
    calendar: SystemTime,
}

impl Clocks {
    /// Reads both at the same time, or as nearly so as several attempts allow: the thread may
    /// lose its processor between the two.
    fn read() -> Self {
        let attempts = (0..8).map(|_| {
            let (before, calendar, after) = (Instant::now(), SystemTime::now(), Instant::now());
            (after - before, Self { monotonic: before, calendar })
        });
        let (_, best) = attempts.min_by_key(|(apart, _)| *apart).expect("eight of them");
        best
    }

    fn instant(self, at: SystemTime) -> Instant {
        match at.duration_since(self.calendar) {
            Ok(later) => self.monotonic + later,
            Err(e) => self.monotonic.checked_sub(e.duration()).unwrap_or(self.monotonic),
        }
    }
}
