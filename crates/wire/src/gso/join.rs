//! Joining.

use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use super::headers::{Headers, set_flags};
use crate::frame::{INLINE_HEADER, Inbound, Medium, RxChecksum};
use crate::packet::{Net, Packet, Transport};
use crate::seq::SeqNumber;
use crate::tcp::header::Flags;

/// The most bytes that an IP packet's length field counts.
const MAX_PACKET: usize = 65_535;

/// Joins segments of one connection that come behind each other into one packet, so that the
/// stack is entered once for all of them.
///
/// Two segments are joined when cutting the result gives both back: the second one starts where
/// the first one ends, is not larger, and their headers say the same but for what counts up.
/// A shorter one, PSH or FIN ends the packet; a SYN, a RST, urgent data, a mark of congestion
/// that differs, CWR or another acknowledgment are never hidden in one. A segment whose
/// checksum is wrong is passed on for the stack to see and to count.
///
/// ```
/// # use handclasp_wire::{frame::{Inbound, Medium}, gso::Join};
/// # let received: Vec<Inbound> = vec![];
/// let mut join = Join::new(Medium::Ip);
/// let mut packets: Vec<Inbound> = received.into_iter().filter_map(|p| join.push(p)).collect();
/// packets.extend(join.flush());
/// ```
#[derive(Debug)]
pub struct Join {
    medium: Medium,
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    first: Inbound,
    run: Option<Run>,
}

/// A packet to which more may be joined.
#[derive(Debug)]
struct Run {
    headers: Headers,
    /// Everything that must not differ.
    key: SmallVec<[u8; INLINE_HEADER]>,
    /// Routers must not fragment it, so that the identification has no meaning (RFC 6864 §4.1).
    atomic: bool,
    /// Of the first segment.
    seq: SeqNumber,
    /// Of the last one.
    flags: Flags,
    /// Bytes of the first segment's payload.
    size: u16,
    /// Bytes of payload in all.
    len: usize,
    /// The payloads behind the first.
    more: Vec<Bytes>,
}

impl Join {
    /// Nothing joined yet, for packets that start as `medium` says.
    #[must_use]
    pub const fn new(medium: Medium) -> Self {
        Self { medium, pending: None }
    }

    /// Takes the next packet. Returns what was held back if this one does not belong to it.
    #[must_use = "the packet that was held back is handed out here"]
    pub fn push(&mut self, mut packet: Inbound) -> Option<Inbound> {
        let next = Run::start(&packet, self.medium);
        if let Some(next) = &next {
            // It was verified just now, or before.
            packet.checksum = RxChecksum::Trusted;
            let held = self.pending.as_mut().and_then(|pending| pending.run.as_mut());
            if let Some(run) = held.filter(|run| run.continues_with(next)) {
                run.append(next, packet.data.slice(next.headers.layout.payload()));
                return None;
            }
        }
        let before = self.flush();
        self.pending = Some(Pending { first: packet, run: next });
        before
    }

    /// Hands out what was held back: when no more packets are there to read.
    #[must_use = "the packet that was held back is handed out here"]
    pub fn flush(&mut self) -> Option<Inbound> {
        self.pending.take().map(|Pending { first, run }| match run {
            Some(run) if !run.more.is_empty() => run.finish(&first.data),
            _ => first,
        })
    }
}

impl Run {
    /// A run of this packet alone; `None` if nothing can be joined to it, nor it to anything.
    fn start(packet: &Inbound, medium: Medium) -> Option<Self> {
        let parsed = Packet::parse(medium, &packet.data).ok()?;
        let Transport::Tcp(tcp) = parsed.transport else { return None };
        let (intact, atomic) = match parsed.net {
            Net::Ipv4(ip) => (ip.checksum_ok(), ip.dont_fragment()),
            _ => (true, true),
        };
        let trusted = packet.checksum == RxChecksum::Trusted;
        let plain = Flags::ACK | Flags::PSH | Flags::FIN | Flags::ECE | Flags::AE;
        let flags = tcp.flags();
        let joinable = intact
            && packet.segment_size.is_none()
            && !tcp.payload().is_empty()
            && flags.contains(Flags::ACK)
            && plain.contains(flags)
            && (trusted || parsed.checksum_ok() == Some(true));
        let headers = Headers::of(&parsed).filter(|_| joinable)?;
        let mut key = headers.blank(&packet.data);
        set_flags(&mut key, headers.layout.transport, flags - (Flags::PSH | Flags::FIN));
        let len = tcp.payload().len();
        let (seq, size) = (tcp.seq(), u16::try_from(len).ok()?);
        Some(Self { headers, key, atomic, seq, flags, size, len, more: Vec::new() })
    }

    fn continues_with(&self, next: &Self) -> bool {
        let full = self.len == usize::from(self.size) * (self.more.len() + 1);
        let ended = self.flags.intersects(Flags::PSH | Flags::FIN) || !full;
        let nth = (self.more.len() + 1) as u16;
        let layout = self.headers.layout;
        let len = layout.payload - layout.net + self.len + next.len;
        let identification = self.headers.identification.wrapping_add(nth);
        !ended
            && next.size <= self.size
            && next.seq == self.seq + self.len as u32
            && len <= MAX_PACKET
            && (self.atomic || next.headers.identification == identification)
            && next.key == self.key
    }

    fn append(&mut self, next: &Self, payload: Bytes) {
        self.len += next.len;
        self.flags = next.flags;
        self.more.push(payload);
    }

    /// The packet that holds all of the run. Its checksum is left unfinished.
    fn finish(self, first: &[u8]) -> Inbound {
        let layout = self.headers.layout;
        let mut data = BytesMut::with_capacity(layout.payload + self.len);
        data.extend_from_slice(first.get(..layout.end).unwrap_or(first));
        for payload in &self.more {
            data.extend_from_slice(payload);
        }
        set_flags(&mut data, layout.transport, self.flags);
        self.headers.fit(&mut data, 0);
        let checksum = RxChecksum::Trusted;
        Inbound { data: data.freeze(), checksum, segment_size: Some(self.size) }
    }
}
