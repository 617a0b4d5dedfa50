//! Packets that come in: from the script's numbers to bytes.

use std::net::{IpAddr, SocketAddr};

use handclasp_wire::checksum::{pseudo_header, sum};
use handclasp_wire::ip::{Ecn, protocol};
use handclasp_wire::ipv4::Ipv4;
use handclasp_wire::ipv6::Ipv6;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;
use handclasp_wire::tcp::raw::kind;
use handclasp_wire::tcp::view::RawHeader;
use handclasp_wire::udp::Udp;

use super::flow::{Flow, options, shift};
use super::{Checked, Kind, Run};
use crate::script::{Body, Class, IpInfo, Packet, Segment};

/// The first port of a peer that connects.
const PEER_PORT: u16 = 35_000;

impl Run<'_> {
    /// A packet comes in.
    pub(super) fn inject(&mut self, packet: &Packet) -> Checked {
        if !packet.around.is_empty() {
            return self.fail("packets inside packets are not supported");
        }
        let bytes = match &packet.body {
            Body::Tcp(segment) => self.segment(segment, packet.ip)?,
            Body::Udp { ports, len } => {
                let (from, to) = ports.unwrap_or((PEER_PORT, self.setup.bind_port));
                let udp = udp(from, to, *len, self.setup.remote, self.setup.local);
                self.ip_packet(protocol::UDP, &udp, packet.ip)
            }
            Body::Icmp(icmp) => self.icmp(icmp, packet.ip)?,
        };
        let at = self.machine.now();
        self.machine.receive(bytes);
        self.look();
        let text = packet.text.strip_prefix('<').unwrap_or(&packet.text);
        self.record(at, Kind::In, text.trim_start().to_owned());
        Ok(())
    }

    fn segment(&mut self, segment: &Segment, ip: IpInfo) -> Checked<Vec<u8>> {
        let syn = segment.flags.contains(Flags::SYN);
        self.choose_flow(segment.ports, true);
        let Some(flow) = &mut self.flow else { return self.fail("no connection is known yet") };
        match (syn, flow.open) {
            (true, false) => flow.remote_isn = segment.seq,
            (true, true) => flow.late_syn = Some(segment.seq),
            (false, _) => flow.open = true,
        }
        let flow = flow.clone();
        let seq = if syn { segment.seq } else { segment.seq.wrapping_add(flow.remote_isn) };
        let ack = segment.ack.map_or(0, |ack| ack.wrapping_add(flow.local_base()));
        let mut flags = segment.flags;
        if let Some(ace) = segment.ace {
            flags |= Flags::from_bits_truncate(u16::from(ace) << 6);
        }
        let mut bytes = Vec::new();
        let header = RawHeader {
            src_port: flow.remote.port(),
            dst_port: flow.local.port(),
            seq: SeqNumber(seq),
            ack: SeqNumber(ack),
            reserved: 0,
            flags,
            window: segment.window.unwrap_or(0),
            checksum: 0,
            urgent: segment.urgent,
            options: Default::default(),
        };
        header.emit(&mut bytes);
        let options = self.live_options(segment, &flow)?;
        bytes[12] += (options.len() / 4 * 16) as u8;
        bytes.extend(options);
        bytes.resize(bytes.len() + usize::from(segment.len), 0);
        finish(&mut bytes, 16, self.setup.remote, self.setup.local, protocol::TCP);
        Ok(self.ip_packet(protocol::TCP, &bytes, ip))
    }

    /// The options with the host's own numbers.
    fn live_options(&self, segment: &Segment, flow: &Flow) -> Checked<Vec<u8>> {
        let mut bytes = segment.options.clone().unwrap_or_default();
        for (found, range) in options(&bytes.clone()) {
            let data = &mut bytes[range.clone()];
            if found == kind::SACK {
                shift(&mut data[2..], flow.local_base());
            } else if found == kind::TIMESTAMPS && data.len() == 10 {
                let echo = u32::from_be_bytes([data[6], data[7], data[8], data[9]]);
                let echoes = segment.flags.contains(Flags::ACK) && !self.setup.any_echo;
                let live = match flow.timestamps.get(&echo) {
                    Some(live) => *live,
                    None if echo == 0 || !echoes => echo,
                    None => return self.fail(format!("no timestamp {echo} was sent before")),
                };
                data[6..].copy_from_slice(&live.to_be_bytes());
            }
        }
        Ok(bytes)
    }

    /// Makes the flow of a packet the one under test.
    pub(super) fn choose_flow(&mut self, ports: Option<(u16, u16)>, inbound: bool) {
        let (local_ip, remote_ip) = (self.setup.local, self.setup.remote);
        let Some((from, to)) = ports else {
            if self.flow.is_none() && inbound {
                // Every connection has a port of its own, as if the peer chose one.
                let port = PEER_PORT + self.others.len() as u16;
                let local = SocketAddr::new(local_ip, self.setup.bind_port);
                self.flow = Some(Flow::new(local, SocketAddr::new(remote_ip, port)));
            }
            return;
        };
        let (local, remote) = if inbound { (to, from) } else { (from, to) };
        let local = SocketAddr::new(local_ip, local);
        let remote = SocketAddr::new(remote_ip, remote);
        let before = self.flow.take();
        if before.as_ref().is_some_and(|flow| flow.is_between(local, remote)) {
            self.flow = before;
            return;
        }
        self.others.extend(before);
        let known = self.others.iter().position(|flow| flow.is_between(local, remote));
        let known = known.map(|at| self.others.remove(at));
        self.flow = Some(known.unwrap_or_else(|| Flow::new(local, remote)));
    }

    /// Puts an IP header in front of what the peer sends.
    pub(super) fn ip_packet(&self, number: u8, payload: &[u8], info: IpInfo) -> Vec<u8> {
        let class = match info.class {
            Class::Whole(class) => class,
            Class::Ecn(ecn) => ecn as u8,
            Class::Any | Class::Ect01 => 0,
        };
        let (dscp, ecn) = (class >> 2, Ecn::from_bits(class));
        let mut bytes = Vec::new();
        match (self.setup.remote, self.setup.local) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let ttl = info.ttl.unwrap_or(255);
                let plain = Ipv4::new(src, dst, number);
                Ipv4 { ttl, dscp, ecn, ..plain }.emit(payload.len(), &mut bytes);
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                let hop_limit = info.ttl.unwrap_or(255);
                let flow_label = info.flow_label.unwrap_or(0);
                let plain = Ipv6::new(src, dst, number);
                Ipv6 { hop_limit, dscp, ecn, flow_label, ..plain }.emit(payload.len(), &mut bytes);
            }
            _ => {}
        }
        bytes.extend_from_slice(payload);
        bytes
    }
}

/// Writes the checksum at byte `at`.
fn finish(bytes: &mut [u8], at: usize, src: IpAddr, dst: IpAddr, number: u8) {
    let sum = pseudo_header(src, dst, number, bytes.len() as u32) + sum(bytes);
    bytes[at..at + 2].copy_from_slice(&sum.finish().to_be_bytes());
}

fn udp(from: u16, to: u16, len: u16, src: IpAddr, dst: IpAddr) -> Vec<u8> {
    let mut bytes = Vec::new();
    Udp { src_port: from, dst_port: to }.emit(usize::from(len), 0, &mut bytes);
    bytes.resize(bytes.len() + usize::from(len), 0);
    finish(&mut bytes, 6, src, dst, protocol::UDP);
    bytes
}
