//! Packets that go out: caught, counted in the script's numbers, and compared.

use std::net::SocketAddr;
use std::time::Duration;

use handclasp_wire::ip::Ecn;
use handclasp_wire::packet::{Net, Packet as Wire, Transport};
use handclasp_wire::tcp::raw::kind;
use handclasp_wire::tcp::{Flags, TcpView};
use handclasp_wire::time::Instant;

use super::flow::{Flow, options, shift};
use super::{Checked, Kind, PATIENCE, Run};
use crate::script::{Body, Class, IpInfo, Packet, Segment};

/// The bits that an ACE field takes the place of.
const ECN_BITS: Flags = Flags::AE.union(Flags::CWR).union(Flags::ECE);

/// A segment that was sent, in the script's numbers.
struct Seen {
    segment: Segment,
    class: u8,
    ttl: u8,
    at: Instant,
}

impl Run<'_> {
    /// A packet is to go out between `from` and `to`.
    pub(super) fn expect(
        &mut self,
        packet: &Packet,
        from: Instant,
        to: Instant,
        tolerance: Duration,
    ) -> Checked {
        let Body::Tcp(expected) = &packet.body else {
            return self.fail("only TCP can be expected");
        };
        if !packet.around.is_empty() {
            return self.fail("packets inside packets are not supported");
        }
        if let Some(ports) = expected.ports {
            self.choose_flow(Some(ports), false);
        }
        let any = to == Instant::FAR_FUTURE;
        let limit = if any { self.machine.now() + tolerance } else { to + tolerance + PATIENCE };
        let Some(mut seen) = self.next_segment(expected, limit) else {
            let due = if any { String::new() } else { format!(" at {} s", self.clock(from)) };
            return self
                .fail(format!("nothing was sent, though this was due{due}:\n  > {expected}"));
        };
        while !self.setup.strict_segments && continues(&seen.segment, expected) {
            let Some(next) = self.next_segment(expected, limit) else { break };
            if next.segment.seq != seen.segment.seq.wrapping_add(u32::from(seen.segment.len)) {
                return self.differ(expected, &seen.segment, "and no more of it was sent");
            }
            let (seq, len) = (seen.segment.seq, seen.segment.len);
            let cwr = seen.segment.flags & Flags::CWR;
            seen = next;
            seen.segment.seq = seq;
            seen.segment.len += len;
            seen.segment.flags |= cwr;
        }
        self.compare(expected, packet.ip, &seen)?;
        let early = from - seen.at > tolerance;
        if !any && (early || seen.at - to > tolerance) {
            let (at, from) = (self.clock(seen.at), self.clock(from));
            return self.fail(format!("this packet was sent at {at} s, not at {from} s"));
        }
        Ok(())
    }

    /// The next segment of the flow, if there is one until `limit`.
    fn next_segment(&mut self, expected: &Segment, limit: Instant) -> Option<Seen> {
        self.look();
        loop {
            while let Some(sent) = self.sent.pop_front() {
                if let Some(seen) = self.see(&sent.bytes, sent.at, expected) {
                    self.record(seen.at, Kind::Out, seen.segment.to_string());
                    return Some(seen);
                }
            }
            if self.machine.now() >= limit {
                return None;
            }
            self.step(limit);
        }
    }

    /// Counts a packet in the script's numbers; `None` if it is none of the flow.
    fn see(&mut self, bytes: &[u8], at: Instant, expected: &Segment) -> Option<Seen> {
        let packet = Wire::parse_ip(bytes).ok()?;
        let Transport::Tcp(tcp) = packet.transport else { return None };
        let (src, dst) = packet.addresses()?;
        let local = SocketAddr::new(src, tcp.src_port());
        let remote = SocketAddr::new(dst, tcp.dst_port());
        let flow = self.flow.as_mut().filter(|flow| flow.is_between(local, remote))?;
        flow.local = local;
        let (class, ttl) = match packet.net {
            Net::Ipv4(ip) => (ip.dscp() << 2 | ip.ecn() as u8, ip.ttl()),
            Net::Ipv6(ip) => (ip.dscp() << 2 | ip.ecn() as u8, ip.hop_limit()),
            _ => return None,
        };
        let segment = in_script(flow, &tcp, expected);
        Some(Seen { segment, class, ttl, at })
    }

    fn compare(&self, expected: &Segment, ip: IpInfo, seen: &Seen) -> Checked {
        let actual = &seen.segment;
        let ecn = Ecn::from_bits(seen.class);
        let class_fits = match ip.class {
            Class::Any => true,
            Class::Ecn(wanted) => ecn == wanted,
            Class::Ect01 => [Ecn::Ect0, Ecn::Ect1].contains(&ecn),
            Class::Whole(class) => class == seen.class,
        };
        if !class_fits {
            let why = format!("its traffic class is {:#04x}, not as {:?}", seen.class, ip.class);
            return self.differ(expected, actual, &why);
        }
        if let Some(ttl) = ip.ttl
            && ttl != seen.ttl
        {
            let why = format!("its time to live is {}, not {ttl}", seen.ttl);
            return self.differ(expected, actual, &why);
        }
        if expected.fields() == actual.fields() {
            Ok(())
        } else {
            self.differ(expected, actual, "")
        }
    }

    /// Both segments below each other, with what differs marked.
    fn differ(&self, expected: &Segment, actual: &Segment, why: &str) -> Checked {
        let (mut first, mut second, mut marks) = (String::new(), String::new(), String::new());
        let mut names = Vec::new();
        for ((name, wanted), (_, found)) in expected.fields().iter().zip(actual.fields()) {
            let width = wanted.len().max(found.len());
            let mark = if *wanted == found { " " } else { "^" };
            if width > 0 {
                first += &format!("{wanted:width$} ");
                second += &format!("{found:width$} ");
                marks += &format!("{} ", mark.repeat(width));
            }
            names.extend((*wanted != found).then_some(*name));
        }
        let why = match (names.as_slice(), why) {
            ([], why) => why.to_owned(),
            (names, "") => format!("the {} differ", names.join(" and ")),
            (names, why) => format!("the {} differ, {why}", names.join(" and ")),
        };
        let (first, second, marks) = (first.trim_end(), second.trim_end(), marks.trim_end());
        self.fail(format!("{why}:\n  expected  {first}\n  actual    {second}\n            {marks}"))
    }
}

/// Whether more of what is expected should follow.
fn continues(seen: &Segment, expected: &Segment) -> bool {
    seen.len > 0 && seen.len < expected.len && seen.seq == expected.seq
}

/// A segment in the script's numbers. What the script leaves open is left out.
fn in_script(flow: &mut Flow, tcp: &TcpView<'_>, expected: &Segment) -> Segment {
    let flags = tcp.flags();
    let syn = flags.contains(Flags::SYN);
    if syn {
        flow.local_isn = Some(tcp.seq().0);
        // A SYN-ACK accepts a SYN, and the connection begins anew.
        if let Some(isn) = flow.late_syn.take().filter(|_| flags.contains(Flags::ACK)) {
            (flow.remote_isn, flow.open) = (isn, false);
        }
    }
    let mut bytes = tcp.option_bytes().to_vec();
    let wanted = expected.options.as_deref().unwrap_or_default();
    let wanted_time = timestamps(wanted);
    for (found, range) in options(tcp.option_bytes()) {
        let data = &mut bytes[range];
        if found == kind::SACK {
            shift(&mut data[2..], flow.remote_isn.wrapping_neg());
        } else if found == kind::TIMESTAMPS
            && data.len() == 10
            && let Some(wanted) = wanted_time
        {
            let live = u32::from_be_bytes([data[2], data[3], data[4], data[5]]);
            let called = u32::from_be_bytes([wanted[0], wanted[1], wanted[2], wanted[3]]);
            flow.timestamps.insert(called, live);
            // Clocks are not compared: scripts count in ticks of their own.
            data[2..].copy_from_slice(&wanted);
        }
    }
    // The number that a SYN-ACK acknowledges counts as it stands there, all others from the ISN.
    let base = if syn { 0 } else { flow.remote_isn };
    let ack = flags.contains(Flags::ACK).then(|| tcp.ack().0.wrapping_sub(base));
    let bits = flags.bits();
    let ace = expected.ace.map(|_| ((bits >> 6) & 0b111) as u8);
    Segment {
        ports: expected.ports,
        flags: if ace.is_some() { flags - ECN_BITS } else { flags },
        ace,
        seq: if syn { expected.seq } else { tcp.seq().0.wrapping_sub(flow.local_base()) },
        len: tcp.payload().len() as u16,
        ack,
        window: expected.window.map(|_| tcp.window()),
        urgent: tcp.urgent(),
        options: expected.options.as_ref().map(|_| bytes),
    }
}

/// Value and echo of the timestamps among the options.
fn timestamps(bytes: &[u8]) -> Option<[u8; 8]> {
    let (_, range) = options(bytes).into_iter().find(|(found, _)| *found == kind::TIMESTAMPS)?;
    bytes.get(range.start + 2..range.end)?.try_into().ok()
}
