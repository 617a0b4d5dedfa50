//! The trait between a link and a stack.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll};

use handclasp_wire::ethernet::MacAddr;
use handclasp_wire::frame::{Inbound, Medium, Outbound};

/// What a device can do, and how large its packets are.
///
/// Start from [`Capabilities::new`] and set what the device can do beyond it:
///
/// ```
/// use handclasp_device::device::Capabilities;
/// use handclasp_wire::frame::Medium;
///
/// let mut capabilities = Capabilities::new(Medium::Ip, 1420);
/// capabilities.tx_checksum = true;
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether packets begin with an Ethernet header or with an IP header.
    pub medium: Medium,
    /// The address that the stack is to have on an Ethernet link; `None` on other media.
    pub hardware_address: Option<MacAddr>,
    /// Bytes of the largest IP packet, its header included and the link's header not.
    pub mtu: usize,
    /// The device finishes a [`PartialChecksum`](handclasp_wire::frame::PartialChecksum).
    pub tx_checksum: bool,
    /// The device cuts an [`Outbound`] over IPv4 whose `segment_size` is set. Implies
    /// `tx_checksum` for such packets.
    pub tso_v4: bool,
    /// The same over IPv6.
    pub tso_v6: bool,
    /// An [`Inbound`] may be several segments in one, up to 65,535 bytes whatever the MTU.
    pub rx_coalesced: bool,
}

impl Capabilities {
    /// A device that carries packets of up to `mtu` bytes (IP header included) and does nothing
    /// else for the stack.
    #[must_use]
    pub fn new(medium: Medium, mtu: usize) -> Self {
        Self {
            medium,
            hardware_address: None,
            mtu,
            tx_checksum: false,
            tso_v4: false,
            tso_v6: false,
            rx_coalesced: false,
        }
    }
}

impl Default for Capabilities {
    /// IP packets of up to 1,500 bytes, no offload.
    fn default() -> Self {
        Self::new(Medium::Ip, 1500)
    }
}

/// A link to other hosts.
///
/// Both directions are polled by one task, which is the only one whose waker a device need
/// remember in each direction.
///
/// # Errors
///
/// An error from either method is the end of the device: the driver closes it and fails the
/// connections on it. What passes by itself (a full queue, an interface that is down) is not
/// an error but [`Poll::Pending`].
pub trait Device: Send {
    /// What the device can do now.
    ///
    /// This is cheap, and a driver asks again each time [`poll_receive`](Self::poll_receive)
    /// returned: an MTU may change while packets flow, and the device then wakes the receiver.
    fn capabilities(&self) -> Capabilities;

    /// Appends up to `max` received packets to `batch` and says how many.
    ///
    /// `Ready(Ok(0))` means the end of the link, and nothing else does; a driver asks for at
    /// least one packet.
    ///
    /// # Errors
    ///
    /// The device is gone or broken.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Vec<Inbound>,
        max: usize,
    ) -> Poll<io::Result<usize>>;

    /// Sends packets from the front of `batch` and removes those that the link took.
    ///
    /// `Ready(Ok(()))` means that `batch` is empty. `Pending` means that the link takes no more
    /// for now and that the task will be woken when it does; what is left in `batch` is still
    /// to be sent, and nothing was lost.
    ///
    /// A packet must not ask for more than [`capabilities`](Self::capabilities) offers.
    ///
    /// # Errors
    ///
    /// The device is gone or broken, or the packet at the front is one it cannot carry
    /// (`InvalidInput`).
    fn poll_transmit(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut VecDeque<Outbound>,
    ) -> Poll<io::Result<()>>;
}

impl<D: Device + ?Sized> Device for Box<D> {
    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Vec<Inbound>,
        max: usize,
    ) -> Poll<io::Result<usize>> {
        (**self).poll_receive(cx, batch, max)
    }

    fn poll_transmit(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut VecDeque<Outbound>,
    ) -> Poll<io::Result<()>> {
        (**self).poll_transmit(cx, batch)
    }
}
