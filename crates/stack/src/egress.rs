//! The way out: who may send is asked in turn.

use alloc::collections::VecDeque;
use core::net::IpAddr;

use bytes::Bytes;
use handclasp_tcp::connection::{PathError, Phase, RecoveryCounts};
use handclasp_tcp::fast_open::Lesson;
use handclasp_tcp::{Context, Transmit, Tuple};
use handclasp_wire::checksum;
use handclasp_wire::frame::{Outbound, PartialChecksum};
use handclasp_wire::ip::protocol;
use handclasp_wire::tcp::Flags;
use handclasp_wire::time::Instant;
use handclasp_wire::udp::{self, Udp};

use crate::host::{Host, Sender};
use crate::ip::Envelope;
use crate::store::{ConnId, Datagram, Store, UdpId};
use crate::tcp;

/// The most payload of a burst: what IP's length field leaves beside the longest headers.
const BURST_MAX: usize = 65_535 - 40 - 60;
/// Packets to ourselves that are taken in at a time, so that answers to answers cannot keep us.
const OWN_MAX: usize = 1024;
/// The most bytes that a UDP datagram carries over IPv4 and IPv6.
const UDP_MAX: [usize; 2] = [65_507, 65_527];

/// What a connection said when it was asked for something to send.
struct Answer {
    transmit: Option<Transmit>,
    /// Asked for only when there was nothing to send.
    phase: Option<Phase>,
    deadline: Option<Instant>,
    opened: bool,
    failed: bool,
    resent: u64,
    recovery: Option<RecoveryCounts>,
    lesson: Option<Lesson>,
}

impl Host {
    /// Moves packets for the device into `out` until it holds `max_packets`, or nothing wants
    /// to be sent.
    ///
    /// Answers come first; then connections and sockets that may have something to send take
    /// turns, one segment or burst each. What finds no place in `out` stays where it is, so
    /// that a link that takes no more holds back the senders and nothing is dropped.
    pub fn poll_transmit<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        out: &mut VecDeque<Outbound>,
        max_packets: usize,
    ) {
        let answers = max_packets.saturating_sub(out.len()).min(self.ip.outbox.len());
        out.extend(self.ip.outbox.drain(..answers));
        // For the time of the turns the caller's queue is our outbox: no packet moves twice.
        core::mem::swap(out, &mut self.ip.outbox);
        let mut own = OWN_MAX;
        while self.ip.outbox.len() < max_packets {
            if own > 0 && self.receive_own(store, cx) {
                own -= 1;
                continue;
            }
            match self.ready.pop_front() {
                Some(Sender::Connection(id)) => self.transmit_connection(store, cx, id),
                Some(Sender::Udp(id)) => self.transmit_datagram(store, id, cx.now),
                None => break,
            }
        }
        core::mem::swap(out, &mut self.ip.outbox);
    }

    /// One turn of a connection.
    fn transmit_connection<S: Store>(&mut self, store: &mut S, cx: &Context<'_>, id: ConnId) {
        let burst = self.ip.interface.burst.min(BURST_MAX);
        let Some(flow) = self.tcp.flows.get_mut(id) else { return };
        flow.queued = false;
        let answer = store.with(id, |connection| {
            let transmit = connection.poll_transmit(cx, burst);
            Answer {
                phase: transmit.is_none().then(|| connection.phase()),
                deadline: connection.next_deadline(),
                opened: connection.state().is_synchronized(),
                failed: connection.error().is_some(),
                resent: connection.statistics().segments_resent,
                recovery: connection.take_recovery_news(),
                lesson: connection.take_lesson(),
                transmit,
            }
        });
        let Some(answer) = answer else {
            self.forget(id);
            return;
        };
        flow.opened |= answer.opened;
        if let Some(lesson) = answer.lesson {
            let Tuple { local_ip, remote_ip, .. } = flow.tuple;
            match lesson {
                Lesson::Remember { taken, .. } => {
                    self.counters.tcp_ext_fast_open_active += u64::from(taken);
                }
                Lesson::Refused | Lesson::TimedOut => {
                    self.counters.tcp_ext_fast_open_active_fail += 1;
                }
            }
            self.tcp.fast_servers.learn(local_ip, remote_ip, lesson, cx.now);
        }
        if let Some(listener) = flow.fast.take_if(|_| answer.opened) {
            self.tcp.listeners.fast_done(listener);
        }
        self.counters.tcp_retrans_segs += answer.resent.saturating_sub(flow.resent);
        flow.resent = answer.resent;
        if let Some(news) = &answer.recovery {
            self.counters.tcp_recovery.add(news);
        }
        match (answer.transmit, answer.phase) {
            (Some(transmit), _) => {
                // It is not asked for more before the device took this, which may be long after
                // its deadline.
                self.schedule(id, answer.deadline);
                self.touched(id);
                self.send_transmit(store, cx, id, transmit);
            }
            (None, Some(Phase::TimeWait(wait))) => {
                let (tuple, config) = (flow.tuple, flow.config.clone());
                self.forget(id);
                store.remove(id);
                let full = self.tcp.insert_time_wait(cx, tuple, wait, config);
                self.counters.tcp_ext_time_wait_overflow += u64::from(full);
            }
            (None, Some(Phase::Closed)) => {
                self.counters.tcp_estab_resets += u64::from(answer.failed && flow.opened);
                self.counters.tcp_attempt_fails += u64::from(answer.failed && !flow.opened);
                self.forget(id);
                store.remove(id);
            }
            (None, _) => self.schedule(id, answer.deadline),
        }
    }

    fn schedule(&mut self, id: ConnId, deadline: Option<Instant>) {
        if let Some(deadline) = deadline {
            self.tcp.flows.schedule(id, deadline);
        }
    }

    fn send_transmit<S: Store>(
        &mut self,
        store: &mut S,
        cx: &Context<'_>,
        id: ConnId,
        transmit: Transmit,
    ) {
        let Some(flow) = self.tcp.flows.get_mut(id) else { return };
        let tuple = flow.tuple;
        let segments = transmit
            .segment_size
            .map_or(1, |size| transmit.payload_len().div_ceil(usize::from(size.max(1))));
        let reset = transmit.header.flags.contains(Flags::RST);
        self.counters.tcp_out_segs += segments as u64;
        self.counters.tcp_out_rsts += u64::from(reset);
        let mut segment = tcp::emit(&tuple, &transmit.header, transmit.payload);
        segment.segment_size = transmit.segment_size;
        if self.send_segment(&tuple, transmit.ip, segment, cx.now).is_err() {
            store.with(id, |connection| connection.host_unreachable(cx));
        }
    }

    /// Takes a connection out of the tables.
    pub(crate) fn forget(&mut self, id: ConnId) {
        if let Some(flow) = self.tcp.flows.remove(id) {
            self.tcp.demux.remove(&flow.tuple);
            if let Some(listener) = flow.fast {
                self.tcp.listeners.fast_done(listener);
            }
        }
    }

    /// One turn of a UDP socket.
    fn transmit_datagram<S: Store>(&mut self, store: &mut S, id: UdpId, now: Instant) {
        let Some(socket) = self.udp.get_mut(id) else { return };
        socket.queued = false;
        if let Some(datagram) = store.next_datagram(id) {
            self.touched_udp(id);
            let remote = datagram.remote;
            if let Err(why) = self.send_datagram(id, datagram, now) {
                store.udp_failed(id, remote, why);
            }
        }
    }

    pub(crate) fn send_datagram(
        &mut self,
        id: UdpId,
        datagram: Datagram,
        now: Instant,
    ) -> Result<(), PathError> {
        let Some(socket) = self.udp.get_mut(id) else { return Ok(()) };
        let (bound, flow) = (socket.local, socket.remote().is_some());
        let remote = datagram.remote;
        if datagram.payload.len() > UDP_MAX[usize::from(remote.is_ipv6())] {
            return Err(PathError::PacketTooBig { mtu: u16::MAX });
        }
        let source = if flow {
            Some(bound.ip())
        } else {
            // Only what is ours can be wished for.
            let wishes = [datagram.local.ip(), bound.ip()];
            let wish = wishes.into_iter().find(|ip| self.ip.addresses.is_own(*ip));
            wish.or_else(|| self.ip.source_for(remote.ip()))
        };
        let source = source.filter(|ip| ip.is_ipv4() == remote.is_ipv4());
        let source = source.ok_or(PathError::NoRoute)?;
        let ports = Udp { src_port: bound.port(), dst_port: remote.port() };
        let body = emit_udp(source, remote.ip(), ports, datagram.payload);
        let envelope = Envelope::new(source, remote.ip(), protocol::UDP);
        self.counters.ip_out_requests += 1;
        self.counters.udp_out_datagrams += 1;
        self.udp.used(id, now);
        self.ip.send(&envelope, body, now).map_err(|_| {
            self.counters.ip_out_no_routes += 1;
            PathError::NoRoute
        })
    }
}

/// A datagram as the network layer takes it: its checksum is still to be finished.
fn emit_udp(source: IpAddr, to: IpAddr, ports: Udp, payload: Bytes) -> Outbound {
    let len = (Udp::HEADER_LEN + payload.len()) as u32;
    let sum = checksum::pseudo_header(source, to, protocol::UDP, len);
    let mut body = Outbound {
        checksum: Some(PartialChecksum { start: 0, offset: udp::CHECKSUM_AT as u16 }),
        ..Outbound::default()
    };
    ports.emit(payload.len(), sum.partial(), &mut body.header);
    body.payload.push(payload);
    body
}
