//! Seeing what a stack does, and telling it.
//!
//! A [`Near`](eye::Near) tap sits between the stack and its link, and an [`Ear`](eye::Ear) in
//! the stack's log. Where the other end can be asked for its state, a [`Far`](eye::Far) tap
//! behind the link asks it at each packet. [`Pairing`](pairing::Pairing) finds out which
//! packets seen near and far are the same, and so what the link did to them. All this is sent
//! to a [`Narrator`](narrator::Narrator) on a thread of its own, so that the stack does not wait
//! for a terminal; it makes rows of it, which a [`Teller`](tell::Teller) tells.

pub(crate) mod eye;
pub(crate) mod narrator;
pub(crate) mod pairing;
pub(crate) mod tell;
pub(crate) mod totals;

use std::net::SocketAddr;

use handclasp::tcp::event::LossSign;
use handclasp::tcp::state::Cause;
use handclasp::tcp::{State, Tuple};
use handclasp::wire::seq::SeqNumber;
use handclasp::wire::tcp::Header;
use handclasp::wire::time::Instant;
use handclasp_explain::track::note::Note;
use handclasp_explain::track::{Fate, Packet};

/// One thing that was seen.
#[derive(Debug)]
pub(crate) enum Sight {
    /// A packet passed between the stack and the link.
    Near(Box<SeenPacket>),
    /// A packet passed between the link and the peer.
    Far(Box<SeenPacket>),
    /// The link lost a packet.
    Lost(Box<SeenPacket>),
    /// A connection of the stack took a step.
    Step(Tuple, Step),
    /// Our end, which somebody plays by hand, is in this state; or it is again in whichever
    /// its packets show.
    Claim(Tuple, Option<State>),
    /// Whoever plays our end says what a packet is.
    Remark(Tuple, Remark),
    /// There is nothing more to see.
    End,
}

/// What is said of a packet in place of what it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    /// Of the next one that is sent.
    Next(Note),
    /// Of the last one that came.
    Last(Note),
}

/// A TCP packet; or, where the link damaged one so that it is none any more, what is left.
#[derive(Clone, Debug)]
pub(crate) struct SeenPacket {
    pub(crate) at: Instant,
    /// Whether the stack sent it.
    pub(crate) ours: bool,
    pub(crate) src: SocketAddr,
    pub(crate) dst: SocketAddr,
    pub(crate) header: Header,
    pub(crate) len: usize,
    /// The payload's beginning.
    pub(crate) payload: Vec<u8>,
    /// The sum of all its bytes, which changes with any bit.
    pub(crate) sum: u16,
    pub(crate) fate: Fate,
    /// What the peer said of its state when it was asked.
    pub(crate) peer: Option<Answer>,
    /// What is known of it in place of what it looks like.
    pub(crate) remark: Option<Note>,
}

/// What the peer said of its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) at: Instant,
    pub(crate) state: State,
}

impl SeenPacket {
    /// The connection, as the stack sees it.
    pub(crate) fn tuple(&self) -> Tuple {
        if self.ours { Tuple::new(self.src, self.dst) } else { Tuple::new(self.dst, self.src) }
    }

    /// Whether it was damaged so much that it is no TCP packet any more.
    pub(crate) fn is_garbled(&self) -> bool {
        self.src.port() == 0 && self.dst.port() == 0
    }

    /// Whether both may be the same packet, seen at two places.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.sum == other.sum
            && self.src == other.src
            && self.dst == other.dst
            && self.len == other.len
            && self.header == other.header
    }

    pub(crate) fn as_packet(&self) -> Packet<'_> {
        Packet {
            at: self.at,
            src: self.src,
            dst: self.dst,
            header: &self.header,
            len: self.len,
            payload: &self.payload,
            fate: self.fate,
        }
    }
}

/// What of the stack's log counts for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The state changed.
    State { to: State, cause: Cause },
    /// The connection took the segments with these numbers.
    Received { seq: SeqNumber, seg_len: u32 },
    /// The connection sent the segments with these numbers.
    /// If again, for this reason.
    Sent { seq: SeqNumber, seg_len: u32, why: Option<LossSign> },
}

#[cfg(test)]
mod sights;
