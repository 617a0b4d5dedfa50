//! Seeing the packets of a network.

use std::cell::RefCell;
use std::rc::Rc;

use handclasp_wire::frame::Medium;
use handclasp_wire::time::Instant;

use crate::network::{CableId, HostId};

/// What happens to a packet on a cable. Each one that is sent is seen once with one of the
/// others, and then as [`Fate::Delivered`] for each time it comes out at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It is on its way.
    Carried,
    /// It is on its way, and so is a copy that the cable made.
    Duplicated,
    /// It is on its way with a bit flipped.
    Damaged,
    /// It was lost by chance or by its number, or the cable is unplugged.
    Lost,
    /// It found no room in the queue before the line.
    QueueDropped,
    /// It was too large for the narrowest place of the way.
    TooBig,
    /// It came out at the other end, or ends.
    Delivered,
}

/// A packet at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// When.
    pub at: Instant,
    /// Where.
    pub cable: CableId,
    /// Whose packet it is.
    pub from: HostId,
    /// Its number among all that were sent in the network: how to know it again when it is
    /// delivered.
    pub number: u64,
    /// What the bytes start with.
    pub medium: Medium,
    /// All of it, with finished checksums; as it was sent, unless it is delivered.
    pub bytes: &'a [u8],
    /// What happens to it.
    pub fate: Fate,
}

/// Somebody who sees packets.
pub trait Tap {
    /// A packet was sent or delivered. Calls come in the order of time.
    fn seen(&mut self, packet: &Seen<'_>);
}

/// A tap that somebody else holds too, to look at what it saw.
impl<T: Tap> Tap for Rc<RefCell<T>> {
    fn seen(&mut self, packet: &Seen<'_>) {
        self.borrow_mut().seen(packet);
    }
}
