//! A link in memory: two devices that face each other, or one that a program feeds.
//!
//! A full link makes its sender wait; it never loses a packet.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use handclasp_wire::ethernet::MacAddr;
use handclasp_wire::frame::{Inbound, Medium, Outbound, RxChecksum};

use crate::device::{Capabilities, Device};

/// Two devices, each of which receives what the other sends.
///
/// Up to `capacity` packets wait in each direction (at least one). `mtu` counts bytes of an IP
/// packet. Checksums stay unfinished and large segments whole on their way, since neither
/// leaves the machine; [`ChannelDevice::plain`] has them done. On an Ethernet medium the two
/// have the addresses `02:00:00:00:00:01` and `02:00:00:00:00:02`.
#[must_use]
pub fn pair(capacity: usize, mtu: usize, medium: Medium) -> (ChannelDevice, ChannelDevice) {
    let (one, two) = (Direction::new(capacity), Direction::new(capacity));
    let device = |last, outgoing: &Direction, incoming: &Direction| ChannelDevice {
        outgoing: Sender::new(outgoing.clone()),
        incoming: Receiver(incoming.clone()),
        capabilities: Capabilities {
            tx_checksum: true,
            tso_v4: true,
            tso_v6: true,
            rx_coalesced: true,
            ..capabilities(medium, mtu, last)
        },
        mtu: Arc::new(AtomicUsize::new(mtu)),
    };
    (device(1, &one, &two), device(2, &two, &one))
}

/// A device, and the program's end of the link it is on: a tunnel, a WireGuard session.
///
/// Up to `capacity` packets wait in each direction (at least one). `mtu` counts bytes of an IP
/// packet. The program gets packets with finished checksums that fit the MTU. On an Ethernet
/// medium the device has the address `02:00:00:00:00:01`.
#[must_use]
pub fn port(capacity: usize, mtu: usize, medium: Medium) -> (ChannelDevice, ChannelPort) {
    let (one, two) = (Direction::new(capacity), Direction::new(capacity));
    let mtu_now = Arc::new(AtomicUsize::new(mtu));
    let device = ChannelDevice {
        outgoing: Sender::new(one.clone()),
        incoming: Receiver(two.clone()),
        capabilities: capabilities(medium, mtu, 1),
        mtu: mtu_now.clone(),
    };
    let sender = PortSender { queue: Sender::new(two), mtu: mtu_now };
    (device, ChannelPort { sender, receiver: PortReceiver { queue: Receiver(one) } })
}

fn capabilities(medium: Medium, mtu: usize, last: u8) -> Capabilities {
    let hardware_address = match medium {
        Medium::Ethernet => Some(MacAddr([2, 0, 0, 0, 0, last])),
        Medium::Ip => None,
    };
    Capabilities { hardware_address, ..Capabilities::new(medium, mtu) }
}

/// One end of a link in memory. Dropping it ends the link for the other.
#[derive(Debug)]
pub struct ChannelDevice {
    outgoing: Sender,
    incoming: Receiver,
    capabilities: Capabilities,
    mtu: Arc<AtomicUsize>,
}

impl ChannelDevice {
    /// The same device without offload: it sends complete packets that fit the MTU.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.capabilities = Capabilities {
            hardware_address: self.capabilities.hardware_address,
            ..Capabilities::new(self.capabilities.medium, self.capabilities.mtu)
        };
        self
    }
}

impl Device for ChannelDevice {
    fn capabilities(&self) -> Capabilities {
        Capabilities { mtu: self.mtu.load(Ordering::Relaxed), ..self.capabilities }
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Vec<Inbound>,
        max: usize,
    ) -> Poll<io::Result<usize>> {
        self.incoming.poll_pop(cx, max, |packet| batch.push(packet)).map(Ok)
    }

    fn poll_transmit(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut VecDeque<Outbound>,
    ) -> Poll<io::Result<()>> {
        while !batch.is_empty() {
            let room = ready!(self.outgoing.poll_room(cx))?;
            let count = room.min(batch.len());
            self.outgoing.push(batch.drain(..count).map(cross));
        }
        Poll::Ready(Ok(()))
    }
}

/// What `packet` is to the one who receives it.
fn cross(packet: Outbound) -> Inbound {
    let payload_len = packet.payload_len();
    let data = if packet.header.is_empty() && packet.payload.len() == 1 {
        packet.payload.into_iter().next().unwrap_or_default()
    } else {
        let mut data = BytesMut::with_capacity(packet.header.len() + payload_len);
        data.extend_from_slice(&packet.header);
        packet.payload.iter().for_each(|bytes| data.extend_from_slice(bytes));
        data.freeze()
    };
    let checksum = match packet.checksum {
        Some(_) => RxChecksum::Trusted,
        None => RxChecksum::Unknown,
    };
    let segment_size = packet.segment_size.filter(|&size| payload_len > size.into());
    Inbound { data, checksum, segment_size }
}

/// The end of a link that a program feeds with packets and takes packets from.
#[derive(Debug)]
pub struct ChannelPort {
    sender: PortSender,
    receiver: PortReceiver,
}

impl ChannelPort {
    /// Hands a packet to the device; see [`PortSender::send`].
    ///
    /// # Errors
    ///
    /// `BrokenPipe`: the device is gone.
    pub async fn send(&mut self, packet: Bytes) -> io::Result<()> {
        self.sender.send(packet).await
    }

    /// The next packet from the device; see [`PortReceiver::recv`].
    pub async fn recv(&mut self) -> Option<Bytes> {
        self.receiver.recv().await
    }

    /// Both directions apart, for two tasks.
    #[must_use]
    pub fn split(self) -> (PortSender, PortReceiver) {
        (self.sender, self.receiver)
    }
}

/// The way to the device. Dropping it is the end of the link for the device.
#[derive(Debug)]
pub struct PortSender {
    queue: Sender,
    mtu: Arc<AtomicUsize>,
}

impl PortSender {
    /// Hands a packet to the device, and waits while too many wait already.
    ///
    /// Cancel safe: a dropped call has not sent anything.
    ///
    /// # Errors
    ///
    /// `BrokenPipe`: the device is gone.
    pub async fn send(&mut self, packet: Bytes) -> io::Result<()> {
        poll_fn(|cx| self.queue.poll_room(cx)).await?;
        self.queue.push(std::iter::once(Inbound::new(packet)));
        Ok(())
    }

    /// Hands a packet to the device without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` while too many wait already, `BrokenPipe` if the device is gone.
    pub fn try_send(&mut self, packet: Bytes) -> io::Result<()> {
        match self.queue.poll_room(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(room) => room?,
            Poll::Pending => return Err(io::ErrorKind::WouldBlock.into()),
        };
        self.queue.push(std::iter::once(Inbound::new(packet)));
        Ok(())
    }

    /// Changes the MTU (bytes of an IP packet) of the link while packets flow.
    pub fn set_mtu(&mut self, mtu: usize) {
        self.mtu.store(mtu, Ordering::Relaxed);
        self.queue.direction.wake_receiver();
    }
}

/// The way from the device. Dropping it breaks the link for the device.
#[derive(Debug)]
pub struct PortReceiver {
    queue: Receiver,
}

impl PortReceiver {
    /// The next packet from the device; `None` once it is gone.
    ///
    /// Cancel safe: a dropped call has not taken a packet.
    pub async fn recv(&mut self) -> Option<Bytes> {
        let mut packet = None;
        poll_fn(|cx| self.queue.poll_pop(cx, 1, |p| packet = Some(p.data))).await;
        packet
    }

    /// The next packet from the device, if one waits.
    ///
    /// # Errors
    ///
    /// `WouldBlock` while none waits, `BrokenPipe` once the device is gone.
    pub fn try_recv(&mut self) -> io::Result<Bytes> {
        let mut packet = None;
        let cx = &mut Context::from_waker(Waker::noop());
        match self.queue.poll_pop(cx, 1, |p| packet = Some(p.data)) {
            Poll::Ready(_) => packet.ok_or_else(broken),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

/// One direction of a link. Its lock is held for a push or a pop, never while packets are
/// copied and never while somebody waits.
#[derive(Clone, Debug)]
struct Direction {
    queue: Arc<Mutex<Queue>>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Queue {
    packets: VecDeque<Inbound>,
    receiver: Option<Waker>,
    sender: Option<Waker>,
    /// One of the two ends is gone.
    closed: bool,
}

impl Direction {
    fn new(capacity: usize) -> Self {
        Self { queue: Arc::default(), capacity: capacity.max(1) }
    }

    fn with<T>(&self, f: impl FnOnce(&mut Queue) -> T) -> T {
        // Nothing panics while it holds the lock, so nothing can be half done.
        f(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wake_receiver(&self) {
        wake(self.with(|queue| queue.receiver.take()));
    }

    fn close(&self) {
        let wakers = self.with(|queue| {
            queue.closed = true;
            [queue.receiver.take(), queue.sender.take()]
        });
        wakers.into_iter().for_each(wake);
    }
}

/// The only sender of a direction.
#[derive(Debug)]
struct Sender {
    direction: Direction,
    /// Packets between the caller and the lock.
    staged: Vec<Inbound>,
}

impl Sender {
    fn new(direction: Direction) -> Self {
        Self { direction, staged: Vec::new() }
    }

    /// How many packets may be pushed, which is at least one. It only grows until they are.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let capacity = self.direction.capacity;
        self.direction.with(|queue| {
            if queue.closed {
                return Poll::Ready(Err(broken()));
            }
            let room = capacity.saturating_sub(queue.packets.len());
            if room == 0 {
                set(&mut queue.sender, cx);
                return Poll::Pending;
            }
            Poll::Ready(Ok(room))
        })
    }

    fn push(&mut self, packets: impl Iterator<Item = Inbound>) {
        self.staged.extend(packets);
        let receiver = self.direction.with(|queue| {
            queue.packets.extend(self.staged.drain(..));
            queue.receiver.take()
        });
        wake(receiver);
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.direction.close();
    }
}

/// The only receiver of a direction.
#[derive(Debug)]
struct Receiver(Direction);

impl Receiver {
    /// Pops at least one packet and `max` at most; none means that there is no sender any more.
    fn poll_pop(
        &mut self,
        cx: &mut Context<'_>,
        max: usize,
        each: impl FnMut(Inbound),
    ) -> Poll<usize> {
        let (popped, sender) = self.0.with(|queue| {
            let count = queue.packets.len().min(max.max(1));
            if count == 0 && !queue.closed {
                set(&mut queue.receiver, cx);
                return (Poll::Pending, None);
            }
            queue.packets.drain(..count).for_each(each);
            (Poll::Ready(count), queue.sender.take())
        });
        wake(sender);
        popped
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn set(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

/// Wakes outside the lock: what is woken may run at once and want the lock.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the other end of the link is gone")
}

#[cfg(test)]
#[path = "channel_tests.rs"]
mod tests;
