//! Packets that pass an interface, for a capture: filtered by the kernel, in batches.
//!
//! [`capture`](crate::capture) shows a connection as its link carried it; this shows what a
//! packet socket sees, as tcpdump does, with two differences: checksums that the kernel left to
//! a device are finished, and VLAN tags that it took out of frames are put back.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};

use handclasp_wire::bpf;
use handclasp_wire::checksum::finish;
use handclasp_wire::frame::{Medium, PartialChecksum};
use handclasp_wire::packet::{Packet, Transport};
use handclasp_wire::time::Instant;
use rustix::io::Errno;
use rustix::net::sockopt;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::interface::{Interface, explained, open_packet_socket};
use crate::sys::{self, Mailbox, Received};
use crate::tap::Direction;

/// Packets that are taken from the kernel at once.
const BATCH: usize = 64;
/// The largest packet, with room for segments that the kernel joined.
const LARGEST: usize = 1 << 18;
/// Bytes of a VLAN tag, and where it stands.
const TAG: usize = 4;
const TAG_AT: usize = 12;

/// What to capture.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of each packet that are kept.
    pub snap_len: u32,
    /// The program that says which packets are wanted; none takes all.
    pub filter: Vec<bpf::Instruction>,
    /// Whether the interface is to hand over what is for others.
    pub promiscuous: bool,
    /// Bytes of packets that may wait to be taken, if the kernel lets us.
    pub buffer: usize,
}

impl Default for Options {
    fn default() -> Self {
        let (snap_len, buffer) = (LARGEST as u32, 32 << 20);
        Self { snap_len, filter: Vec::new(), promiscuous: true, buffer }
    }
}

/// A packet that passed.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When, since 1970.
    pub at: Instant,
    /// Which way, seen from the kernel whose interface it is.
    pub direction: Direction,
    /// How many bytes it had, of which `bytes` may be the beginning.
    pub len: u32,
    /// What was kept of it.
    pub bytes: &'a [u8],
}

/// How many packets there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Packets that the filter let through, lost ones included.
    pub passed: u64,
    /// Packets that were lost because they were not taken in time.
    pub dropped: u64,
}

/// An interface that is watched.
pub struct Live {
    socket: AsyncFd<OwnedFd>,
    interface: Interface,
    mailbox: Mailbox,
    statistics: Statistics,
}

impl Live {
    /// Watches an interface of the calling thread's network namespace. From here on no packet
    /// gets past unless there is no room for it.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` without `CAP_NET_RAW`, `NotFound` if there is no such interface,
    /// `Unsupported` if it carries neither Ethernet frames nor bare IP packets, `InvalidInput`
    /// if the kernel does not take the filter.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its I/O driver enabled.
    pub fn open(name: &str, options: &Options) -> io::Result<Self> {
        let interface = Interface::by_name(name)?;
        let socket = open_packet_socket()?;
        let loopback = sys::interface_hardware(&socket, name)? == libc::ARPHRD_LOOPBACK;
        sys::packet_option(&socket, libc::PACKET_AUXDATA)?;
        sys::stamp_packets(&socket)?;
        if loopback {
            // It shows each packet twice, out and in.
            sys::packet_option(&socket, libc::PACKET_IGNORE_OUTGOING)?;
        }
        if sockopt::set_socket_recv_buffer_size_force(&socket, options.buffer).is_err() {
            sockopt::set_socket_recv_buffer_size(&socket, options.buffer)?;
        }
        if !options.filter.is_empty() {
            attach(&socket, &options.filter)
                .map_err(|e| explained(e, "the kernel does not take the filter"))?;
        }
        if options.promiscuous && interface.medium() == Medium::Ethernet && !loopback {
            let kind = libc::PACKET_MR_PROMISC;
            sys::packet_membership(&socket, interface.index(), kind, [0; 6])?;
        }
        sys::bind_packet(&socket, interface.index())
            .map_err(|e| explained(e, format_args!("cannot bind to {name}")))?;
        let size = (options.snap_len as usize).clamp(64, LARGEST);
        let mailbox = Mailbox::new(BATCH, size, TAG);
        let socket = sys::register(socket, Interest::READABLE)?;
        let statistics = Statistics::default();
        Ok(Self { socket, interface, mailbox, statistics })
    }

    /// What packets of an interface begin with.
    ///
    /// # Errors
    ///
    /// As [`Live::open`], but for the filter.
    pub fn medium_of(name: &str) -> io::Result<Medium> {
        Interface::by_name(name).map(|interface| interface.medium())
    }

    /// What the packets begin with.
    #[must_use]
    pub fn medium(&self) -> Medium {
        self.interface.medium()
    }

    /// Waits for packets and hands them to `each`, the oldest first, until it says `false`.
    /// Says how many it got.
    ///
    /// Cancel safe: a dropped call has not taken a packet.
    ///
    /// # Errors
    ///
    /// The interface is gone; or `each`'s.
    pub async fn next(
        &mut self,
        mut each: impl FnMut(&Frame<'_>) -> io::Result<bool>,
    ) -> io::Result<usize> {
        std::future::poll_fn(|cx| self.poll_batch(cx)).await?;
        let medium = self.medium();
        let mut seen = 0;
        for (meta, slot) in self.mailbox.packets() {
            let bytes = restored(slot, &meta, medium);
            let since = |at: std::time::SystemTime| at.duration_since(std::time::UNIX_EPOCH).ok();
            let time = meta.at.and_then(since).unwrap_or_default();
            let frame = Frame {
                at: Instant::ZERO + time,
                direction: if meta.outgoing { Direction::Out } else { Direction::In },
                len: meta.len + if meta.tag.is_some() { TAG as u32 } else { 0 },
                bytes,
            };
            seen += 1;
            if !each(&frame)? {
                break;
            }
        }
        Ok(seen)
    }

    fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.interface.poll_changes(cx)?;
        loop {
            let mut guard = ready!(self.socket.poll_read_ready(cx))?;
            match self.mailbox.receive(guard.get_inner()) {
                Ok(0) | Err(Errno::AGAIN) => guard.clear_ready(),
                Ok(_) => return Poll::Ready(Ok(())),
                Err(Errno::NETDOWN | Errno::INTR) => {}
                Err(errno) => return Poll::Ready(Err(errno.into())),
            }
        }
    }

    /// How many packets there were since the beginning.
    ///
    /// # Errors
    ///
    /// The kernel does not count them.
    pub fn statistics(&mut self) -> io::Result<Statistics> {
        let [passed, dropped] = sys::packet_statistics(self.socket.get_ref())?;
        self.statistics.passed += u64::from(passed);
        self.statistics.dropped += u64::from(dropped);
        Ok(self.statistics)
    }
}

fn attach(socket: &OwnedFd, filter: &[bpf::Instruction]) -> io::Result<()> {
    let step =
        |i: &bpf::Instruction| libc::sock_filter { code: i.code, jt: i.jt, jf: i.jf, k: i.k };
    let mut program: Vec<_> = filter.iter().map(step).collect();
    sys::attach_filter(socket, &mut program)
}

/// The packet in a slot as it was before the kernel and the device shared work on it.
fn restored<'a>(slot: &'a mut [u8], meta: &Received, medium: Medium) -> &'a [u8] {
    let end = TAG + meta.captured;
    if meta.unfinished && meta.captured == meta.len as usize {
        finish_checksum(&mut slot[TAG..end], medium);
    }
    let Some([kind, tci]) = meta.tag.filter(|_| meta.captured >= TAG_AT) else {
        return &slot[TAG..end];
    };
    slot.copy_within(TAG..TAG + TAG_AT, 0);
    slot[TAG_AT..TAG_AT + 2].copy_from_slice(&kind.to_be_bytes());
    slot[TAG_AT + 2..TAG_AT + TAG].copy_from_slice(&tci.to_be_bytes());
    &slot[..end]
}

/// The field holds the pseudo header's sum already.
fn finish_checksum(bytes: &mut [u8], medium: Medium) {
    let (packet, _) = Packet::dissect(medium, bytes);
    let offset = match packet.transport {
        Transport::Tcp(_) => 16,
        Transport::Udp(_) => 6,
        _ => return,
    };
    let (start, end) = (packet.layout.transport, packet.layout.end);
    let Ok(start) = u16::try_from(start) else { return };
    // A packet whose field lies outside of it has nothing to finish.
    let _ = finish(&mut bytes[..end], PartialChecksum { start, offset });
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("interface", &self.interface).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
