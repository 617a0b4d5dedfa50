//! Sights for tests: a client of ours at port 1000 and a server at port 80.

use std::net::SocketAddr;

use handclasp::tcp::{State, Tuple};
use handclasp::wire::seq::SeqNumber;
use handclasp::wire::tcp::{Flags, Header};
use handclasp::wire::time::Instant;
use handclasp_explain::track::Fate;

use super::{Answer, SeenPacket, Sight, Step};

pub(super) fn ours() -> SocketAddr {
    "10.77.0.1:1000".parse().unwrap()
}

pub(super) fn peer() -> SocketAddr {
    "10.77.0.2:80".parse().unwrap()
}

pub(super) const SYN: Flags = Flags::SYN;
pub(super) const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
pub(super) const ACK: Flags = Flags::ACK;
pub(super) const FIN: Flags = Flags::FIN.union(Flags::ACK);

/// A packet that our stack sent, or else the peer.
pub(super) fn packet(by_us: bool, flags: Flags, seq: u32, ack: u32, len: usize) -> SeenPacket {
    let (src, dst) = if by_us { (ours(), peer()) } else { (peer(), ours()) };
    SeenPacket {
        at: Instant::ZERO,
        ours: by_us,
        src,
        dst,
        header: Header {
            src_port: src.port(),
            dst_port: dst.port(),
            seq: SeqNumber(seq),
            ack: SeqNumber(ack),
            flags,
            window: 65_000,
            ..Header::default()
        },
        len,
        payload: vec![b'x'; len],
        sum: flags.bits() ^ seq as u16 ^ (ack as u16).rotate_left(7),
        fate: Fate::Arrived,
        peer: None,
        remark: None,
    }
}

impl SeenPacket {
    /// With the peer's answer to the question for its state.
    pub(super) fn answered(self, state: State) -> Self {
        Self { peer: Some(Answer { at: self.at, state }), ..self }
    }

    /// At this many microseconds.
    pub(super) fn at(self, micros: u64) -> Self {
        Self { at: Instant::from_micros(micros), ..self }
    }

    /// With a bit flipped.
    pub(super) fn flipped(self) -> Self {
        Self { sum: self.sum ^ 0x100, ..self }
    }
}

pub(super) fn near(packet: SeenPacket) -> Sight {
    Sight::Near(Box::new(packet))
}

pub(super) fn far(packet: SeenPacket) -> Sight {
    Sight::Far(Box::new(packet))
}

pub(super) fn lost(packet: SeenPacket) -> Sight {
    Sight::Lost(Box::new(SeenPacket { fate: Fate::Lost, ..packet }))
}

pub(super) fn step(step: Step) -> Sight {
    Sight::Step(Tuple::new(ours(), peer()), step)
}
