//! TCP segments: checked, and handed to whom their four-tuple belongs.

use bytes::{Buf, Bytes};
use handclasp_tcp::ecn::Carriage;
use handclasp_tcp::state::Cause;
use handclasp_tcp::{Connection, Context, Tuple, half_open, time_wait};
use handclasp_wire::error::Layer;
use handclasp_wire::ip::is_unicast;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::{Flags, Header, TcpView};

use super::Received;
use crate::discard::Discard;
use crate::host::Host;
use crate::ip::addresses::Destination;
use crate::reply::ip_fields;
use crate::store::{ConnId, Store};
use crate::tcp::demux::Owner;

/// A segment, and whose it is.
pub(super) struct Segment {
    pub(super) tuple: Tuple,
    pub(super) header: Header,
    pub(super) text: Bytes,
    pub(super) destination: Destination,
    /// What its packet tells beside it.
    pub(super) carriage: Carriage,
}

impl Host {
    pub(super) fn tcp_arrives<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        received: Received,
    ) -> Result<(), Discard> {
        self.counters.tcp_in_segs += 1;
        if received.destination == Destination::Group || !is_unicast(received.src) {
            return Err(Discard::NotUnicast);
        }
        let view = TcpView::parse(&received.payload)?;
        if !received.trusted && !view.checksum_ok(received.src, received.dst) {
            return Err(Discard::BadChecksum(Layer::Tcp));
        }
        let header = view.to_header();
        let tuple = Tuple {
            local_ip: received.dst,
            remote_ip: received.src,
            local_port: header.dst_port,
            remote_port: header.src_port,
        };
        let header_len = view.header_len();
        let mut text = received.payload;
        text.advance(header_len);
        let each = received.segment_size.map_or(usize::MAX, |size| usize::from(size.max(1)));
        let packets = text.len().div_ceil(each).clamp(1, usize::from(u16::MAX)) as u16;
        let carriage = Carriage { ecn: received.ecn, packets };
        let destination = received.destination;
        let segment = Segment { tuple, header, text, destination, carriage };
        match self.tcp.demux.get(&tuple) {
            Some(Owner::Connection(id)) => self.for_connection(store, cx, id, segment),
            Some(Owner::HalfOpen(slot)) => self.for_half_open(store, cx, slot, segment),
            Some(Owner::TimeWait(slot)) => self.for_time_wait(store, cx, slot, segment),
            Some(Owner::Pending(id)) => self.for_pending(id, &segment),
            None => self.for_nobody(store, cx, segment, None),
        }
    }

    fn for_connection<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        id: ConnId,
        segment: Segment,
    ) -> Result<(), Discard> {
        let Segment { header, text, carriage, .. } = &segment;
        let arrive = |connection: &mut Connection| {
            connection.carried_segment_arrives(cx, header, text.clone(), *carriage);
        };
        let delivered = store.with(id, arrive).is_some();
        if delivered {
            self.touched(id);
            return Ok(());
        }
        // Its store lost it: so do we.
        self.forget(id);
        self.for_nobody(store, cx, segment, None)
    }

    fn for_half_open<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        slot: u32,
        segment: Segment,
    ) -> Result<(), Discard> {
        let Segment { tuple, header, text, .. } = &segment;
        let Some(entry) = self.tcp.half_opens.get_mut(slot) else { return Ok(()) };
        let verdict = entry.half.segment_arrives(&entry.config, tuple, header, text.len(), cx);
        match verdict {
            half_open::Verdict::Ignore => Err(Discard::Unexpected),
            half_open::Verdict::Reply(answer) => {
                let ip = ip_fields(&entry.config);
                self.reply(tuple, ip, &answer, cx.now);
                Ok(())
            }
            half_open::Verdict::Forget => {
                // A RST, or a SYN that has no place here: RFC 9293 §3.10.7.4 goes back to LISTEN.
                self.abandon(store, cx, slot, Cause::ResetArrived);
                Ok(())
            }
            half_open::Verdict::Complete => self.handshake_done(store, cx, slot, segment),
        }
    }

    fn for_time_wait<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        slot: u32,
        segment: Segment,
    ) -> Result<(), Discard> {
        let Segment { tuple, header, text, .. } = &segment;
        let Some(entry) = self.tcp.time_waits.get_mut(slot) else { return Ok(()) };
        let config = entry.config.clone();
        match entry.wait.segment_arrives(&config, tuple, header, text.len(), cx) {
            time_wait::Verdict::Ignore => Err(Discard::Unexpected),
            time_wait::Verdict::Reply(answer) => {
                self.reply(tuple, ip_fields(&config), &answer, cx.now);
                Ok(())
            }
            time_wait::Verdict::Forget => {
                self.tcp.remove_time_wait(cx, slot, Cause::ResetArrived);
                Ok(())
            }
            time_wait::Verdict::Reopen { after } => {
                self.tcp.remove_time_wait(cx, slot, Cause::Abort);
                self.counters.tcp_ext_tw_recycled += 1;
                self.for_nobody(store, cx, segment, Some(after))
            }
        }
    }

    /// A four-tuple without an owner: a listener's, the forwarder's, or a closed port. A new
    /// connection must start beyond `after`, if the tuple had a life before.
    fn for_nobody<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        segment: Segment,
        after: Option<SeqNumber>,
    ) -> Result<(), Discard> {
        let own = segment.destination == Destination::Own;
        let listener = self.tcp.listeners.at(segment.tuple.local());
        if let Some(listener) = listener.filter(|_| own) {
            return self.for_listener(store, cx, listener, segment, after);
        }
        if self.forward.is_active() && self.forward.config.tcp {
            return self.for_forwarder(store, cx, segment, after);
        }
        self.for_closed_port(cx, &segment)
    }

    /// RFC 9293 §3.10.7.1.
    pub(super) fn for_closed_port(
        &mut self,
        cx: &Context<'_>,
        segment: &Segment,
    ) -> Result<(), Discard> {
        if !self.answers_for(segment.destination) {
            return Err(Discard::OtherHost);
        }
        self.reset(&segment.tuple, &segment.header, segment.text.len(), cx.now);
        Err(Discard::ClosedPort)
    }

    /// RFC 9293 §3.10.7.2's checks in LISTEN, up to the SYN. Says whether the segment is one.
    pub(super) fn is_syn(segment: &Segment) -> Result<bool, Discard> {
        let flags = segment.header.flags;
        if flags.contains(Flags::RST) || !flags.intersects(Flags::ACK | Flags::SYN) {
            return Err(Discard::Unexpected);
        }
        Ok(!flags.contains(Flags::ACK))
    }
}
