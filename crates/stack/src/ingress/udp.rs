//! UDP datagrams.

use core::net::SocketAddr;

use handclasp_tcp::Context;
use handclasp_wire::error::Layer;
use handclasp_wire::udp::{Udp, UdpView};

use super::Received;
use crate::discard::Discard;
use crate::forward::Unreachable;
use crate::host::Host;
use crate::ip::addresses::Destination;
use crate::reply::Complaint;
use crate::store::{Datagram, Store};

impl Host {
    pub(super) fn udp_arrives<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        received: &Received,
    ) -> Result<(), Discard> {
        let view = UdpView::parse(&received.payload)?;
        if !received.trusted && !view.checksum_ok(received.src, received.dst) {
            return Err(Discard::BadChecksum(Layer::Udp));
        }
        let local = SocketAddr::new(received.dst, view.dst_port());
        let remote = SocketAddr::new(received.src, view.src_port());
        let socket = match self.udp.find(local, remote) {
            Some(socket) => Some(socket),
            None if received.destination == Destination::Group => None,
            None => self.begin_flow(store, local, remote, cx.now),
        };
        let Some(socket) = socket else {
            self.counters.udp_no_ports += 1;
            let complaint = Complaint::Unreachable(Unreachable::Port);
            self.complain_about(received, complaint, cx);
            return Err(Discard::ClosedPort);
        };
        self.udp.used(socket, cx.now);
        let end = Udp::HEADER_LEN + view.payload().len();
        let mut rest = received.payload.slice(Udp::HEADER_LEN..end);
        let size = received.segment_size.map_or(usize::MAX, |size| usize::from(size.max(1)));
        let mut delivered = Ok(());
        // Several in one, if the device joined them; an empty one counts, too.
        while delivered.is_ok() {
            let payload = rest.split_to(size.min(rest.len()));
            if store.deliver(socket, Datagram { local, remote, payload }) {
                self.counters.udp_in_datagrams += 1;
            } else {
                delivered = Err(Discard::SocketQueueFull);
            }
            if rest.is_empty() {
                break;
            }
        }
        delivered
    }
}
