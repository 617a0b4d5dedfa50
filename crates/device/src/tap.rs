//! Seeing the packets of a device as they pass.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use handclasp_wire::frame::{Inbound, Outbound};
use handclasp_wire::gso::{Split, split, split_inbound};

use crate::device::{Capabilities, Device};

/// Which way a packet went, seen from the stack on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To the stack.
    In,
    /// From the stack.
    Out,
}

/// Somebody who sees packets pass.
///
/// Several can see the same ones: a pair of taps is a tap, as are a tap that others hold too
/// (`Arc<Mutex<T>>`), one that may be missing (`Option<T>`) and one of an unknown kind
/// (`Box<dyn Tap>`).
pub trait Tap: Send {
    /// A packet passed at this time: from its first header on, with finished checksums and, of
    /// what the device carries as one large segment, one piece that fits the MTU.
    ///
    /// Packets come in the order in which they passed. One from the stack is seen right after
    /// the link took it, before anything is read from the link; its time is that before.
    fn packet(&mut self, at: Instant, direction: Direction, bytes: &[u8]);
}

impl<T: Tap + ?Sized> Tap for Box<T> {
    fn packet(&mut self, at: Instant, direction: Direction, bytes: &[u8]) {
        (**self).packet(at, direction, bytes);
    }
}

impl<T: Tap + ?Sized> Tap for Arc<Mutex<T>> {
    fn packet(&mut self, at: Instant, direction: Direction, bytes: &[u8]) {
        // A tap that panicked half way may be wrong about what it saw, but not unsound.
        self.lock().unwrap_or_else(PoisonError::into_inner).packet(at, direction, bytes);
    }
}

impl<T: Tap> Tap for Option<T> {
    fn packet(&mut self, at: Instant, direction: Direction, bytes: &[u8]) {
        if let Some(tap) = self {
            tap.packet(at, direction, bytes);
        }
    }
}

impl<A: Tap, B: Tap> Tap for (A, B) {
    fn packet(&mut self, at: Instant, direction: Direction, bytes: &[u8]) {
        self.0.packet(at, direction, bytes);
        self.1.packet(at, direction, bytes);
    }
}

/// A device whose packets a tap sees.
///
/// It can do what the device can do: packets stay large between it and the stack, and are cut
/// for the tap alone.
#[derive(Debug)]
pub struct Tapped<D, T> {
    device: D,
    tap: T,
    /// The packet that is being offered to the device, if any. It is empty between calls.
    offered: VecDeque<Outbound>,
    /// One piece of a packet.
    piece: Vec<u8>,
}

impl<D: Device, T: Tap> Tapped<D, T> {
    /// Shows the packets of `device` to `tap`.
    pub fn new(device: D, tap: T) -> Self {
        Self { device, tap, offered: VecDeque::with_capacity(1), piece: Vec::new() }
    }

    /// The device inside.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// Who sees its packets.
    pub fn tap(&self) -> &T {
        &self.tap
    }

    /// Both apart.
    pub fn into_parts(self) -> (D, T) {
        (self.device, self.tap)
    }
}

impl<D: Device, T: Tap> Device for Tapped<D, T> {
    fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Vec<Inbound>,
        max: usize,
    ) -> Poll<io::Result<usize>> {
        let before = batch.len();
        let received = self.device.poll_receive(cx, batch, max);
        let (at, medium) = (Instant::now(), self.device.capabilities().medium);
        for packet in batch.iter().skip(before) {
            let pieces = split_inbound(packet, medium);
            show(&mut self.tap, at, Direction::In, pieces, &mut self.piece);
        }
        received
    }

    fn poll_transmit(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut VecDeque<Outbound>,
    ) -> Poll<io::Result<()>> {
        let medium = self.device.capabilities().medium;
        // One at a time, since the device keeps what it takes: this is how it is known which
        // ones it took. The copy is of the header alone.
        while let Some(packet) = batch.pop_front() {
            let (copy, at) = (packet.clone(), Instant::now());
            self.offered.push_back(packet);
            let sent = self.device.poll_transmit(cx, &mut self.offered);
            if let Some(left) = self.offered.pop_front() {
                batch.push_front(left);
                return sent;
            }
            let pieces = split(&copy, medium);
            show(&mut self.tap, at, Direction::Out, pieces, &mut self.piece);
            if let Poll::Ready(Err(error)) = sent {
                return Poll::Ready(Err(error));
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn show(
    tap: &mut impl Tap,
    at: Instant,
    direction: Direction,
    mut pieces: Split<'_>,
    piece: &mut Vec<u8>,
) {
    while pieces.next_into(piece) {
        tap.packet(at, direction, piece);
    }
}

#[cfg(test)]
#[path = "tap_tests.rs"]
mod tests;
