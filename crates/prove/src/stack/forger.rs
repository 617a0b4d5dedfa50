//! Packets of somebody who sees nothing that passes between the ends.

use bytes::Bytes;
use handclasp_tcp::State;
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header};
use handclasp_wire::{checksum, time::Instant};
use std::net::IpAddr;

use super::end::End;
use super::world::Flying;

/// What is forged, in the name of the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Forgery {
    /// A RST inside the window, but not where the next segment begins (RFC 5961 §3).
    ResetInWindow,
    /// A RST right behind the window.
    ResetBehind,
    /// A SYN, be it exactly where the next segment begins (RFC 5961 §4).
    Syn,
    /// Data with an acknowledgment of what was never sent (RFC 5961 §5).
    AckOfUnsent,
    /// Data with an acknowledgment from long ago (RFC 5961 §5).
    AckTooOld,
    /// Data right behind the window.
    DataBehind,
    /// Data that fits exactly: it takes somebody who sees the numbers.
    Data,
    /// A RST that fits exactly: likewise.
    Reset,
}

impl Forgery {
    /// What whoever guesses can send without more luck than RFC 5961 reckons with.
    pub const BLIND: [Self; 6] = [
        Self::ResetInWindow,
        Self::ResetBehind,
        Self::Syn,
        Self::AckOfUnsent,
        Self::AckTooOld,
        Self::DataBehind,
    ];
    /// What whoever sees the numbers can send.
    pub const SIGHTED: [Self; 2] = [Self::Data, Self::Reset];

    /// The packet, for an end that has a connection.
    #[must_use]
    pub fn packet(self, to: usize, target: &End, now: Instant) -> Option<Flying> {
        let connection = target.connection()?;
        let synchronized = connection.state().is_synchronized();
        if !synchronized || connection.state() == State::TimeWait {
            return None;
        }
        let (nxt, wnd) = (connection.rcv_nxt(), connection.info().rcv_wnd);
        let acks = connection.snd_nxt();
        let long_ago = acks - (1 << 30);
        let zero = SeqNumber(0);
        let data: &[u8] = b"?";
        let (seq, ack, flags, payload) = match self {
            Self::ResetInWindow => (nxt + 1, zero, Flags::RST, &[][..]),
            Self::ResetBehind => (nxt + wnd, zero, Flags::RST, &[][..]),
            Self::Syn => (nxt, zero, Flags::SYN, &[][..]),
            Self::AckOfUnsent => (nxt, acks + 1, Flags::ACK, data),
            Self::AckTooOld => (nxt, long_ago, Flags::ACK, data),
            Self::DataBehind => (nxt + wnd, acks, Flags::ACK, data),
            Self::Data => (nxt, acks, Flags::ACK, data),
            Self::Reset => (nxt, zero, Flags::RST, &[][..]),
        };
        let tuple = target.tuple();
        let header = Header {
            src_port: tuple.remote_port,
            dst_port: tuple.local_port,
            seq,
            ack,
            flags,
            window: 1000,
            ..Header::default()
        };
        let (IpAddr::V4(src), IpAddr::V4(dst)) = (tuple.remote_ip, tuple.local_ip) else {
            return None;
        };
        let mut segment = Vec::new();
        header.emit(&mut segment);
        segment.extend_from_slice(payload);
        let len = segment.len() as u32;
        let sum = checksum::pseudo_header(src.into(), dst.into(), protocol::TCP, len)
            + checksum::sum(&segment);
        segment[16..18].copy_from_slice(&sum.finish().to_be_bytes());
        let mut packet = Vec::new();
        Ipv4::new(src, dst, protocol::TCP).emit(segment.len(), &mut packet);
        packet.extend_from_slice(&segment);
        Some(Flying { to, bytes: Bytes::from(packet), sent_at: now })
    }
}
