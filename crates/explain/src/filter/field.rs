//! The fields, by Wireshark's names.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use handclasp_wire::tcp::Flags;

use super::Packet;
use super::value::{Kind, Value};
use crate::mark::Marks;

/// Up to two values: no field here has more.
type Values<'a> = [Option<Value<'a>>; 2];

/// A field.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) values: for<'a> fn(&Packet<'a>) -> Values<'a>,
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const fn one(value: Value<'_>) -> Values<'_> {
    [Some(value), None]
}

fn number<'a>(value: impl Into<u64>) -> Values<'a> {
    one(Value::Number(value.into()))
}

fn maybe<'a>(value: Option<impl Into<u64>>) -> Values<'a> {
    [value.map(|value| Value::Number(value.into())), None]
}

fn time<'a>(value: Option<Duration>) -> Values<'a> {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    [value.map(|time| Value::Time(nanos(time))), None]
}

fn flag<'a>(packet: &Packet<'_>, flag: Flags) -> Values<'a> {
    number(packet.segment.header.flags.contains(flag))
}

/// Marks are there or not; they have no value.
fn mark<'a>(packet: &Packet<'_>, mark: Marks) -> Values<'a> {
    [packet.seen.analysis.marks.contains(mark).then_some(Value::Number(1)), None]
}

fn addresses<'a>(packet: &Packet<'_>, which: [bool; 2], v4: bool) -> Values<'a> {
    let (src, dst) = (packet.segment.src.ip(), packet.segment.dst.ip());
    let value =
        |ip: IpAddr, wanted: bool| (wanted && ip.is_ipv4() == v4).then_some(Value::Address(ip));
    [value(src, which[0]), value(dst, which[1])]
}

fn present<'a>(there: bool) -> Values<'a> {
    [there.then_some(Value::Present), None]
}

macro_rules! fields {
    ($($name:literal $kind:ident $values:expr;)*) => {
        /// All of them.
        pub(super) static FIELDS: &[Field] =
            &[$(Field { name: $name, kind: Kind::$kind, values: $values }),*];
    };
}

fields! {
    "frame.number" Number |p| number(p.frame.number);
    "frame.len" Number |p| number(p.frame.len);
    "frame.cap_len" Number |p| number(p.frame.bytes.len() as u64);
    "frame.time_epoch" Time |p| one(Value::Time(p.frame.at.as_nanos()));
    "frame.interface_id" Number |p| number(p.frame.interface);
    "vlan.id" Number |p| p.segment.network.vlans.map(|id| {
        (id != 0).then_some(Value::Number(id.into()))
    });
    "ip" Protocol |p| present(p.segment.src.is_ipv4());
    "ip.src" Address |p| addresses(p, [true, false], true);
    "ip.dst" Address |p| addresses(p, [false, true], true);
    "ip.addr" Address |p| addresses(p, [true, true], true);
    "ip.ttl" Number |p| maybe(p.segment.src.is_ipv4().then_some(p.segment.ip.ttl));
    "ip.id" Number |p| maybe(p.segment.ip.id);
    "ip.flags.df" Number |p| number(p.segment.ip.dont_fragment);
    "ipv6" Protocol |p| present(p.segment.src.is_ipv6());
    "ipv6.src" Address |p| addresses(p, [true, false], false);
    "ipv6.dst" Address |p| addresses(p, [false, true], false);
    "ipv6.addr" Address |p| addresses(p, [true, true], false);
    "ipv6.hlim" Number |p| maybe(p.segment.src.is_ipv6().then_some(p.segment.ip.ttl));
    "tcp" Protocol |_| present(true);
    "tcp.stream" Number |p| number(p.seen.stream);
    "tcp.srcport" Number |p| number(p.segment.src.port());
    "tcp.dstport" Number |p| number(p.segment.dst.port());
    "tcp.port" Number |p| [p.segment.src, p.segment.dst].map(|end| {
        Some(Value::Number(end.port().into()))
    });
    "tcp.len" Number |p| number(p.segment.len);
    "tcp.payload" Bytes |p| [
        (!p.segment.payload.is_empty()).then_some(Value::Bytes(p.segment.payload)), None,
    ];
    "tcp.seq" Number |p| number(p.seen.analysis.seq);
    "tcp.seq_raw" Number |p| number(p.segment.header.seq.0);
    "tcp.ack" Number |p| number(p.seen.analysis.ack);
    "tcp.ack_raw" Number |p| number(p.segment.header.ack.0);
    "tcp.flags" Number |p| number(p.segment.header.flags.bits());
    "tcp.flags.fin" Number |p| flag(p, Flags::FIN);
    "tcp.flags.syn" Number |p| flag(p, Flags::SYN);
    "tcp.flags.reset" Number |p| flag(p, Flags::RST);
    "tcp.flags.push" Number |p| flag(p, Flags::PSH);
    "tcp.flags.ack" Number |p| flag(p, Flags::ACK);
    "tcp.flags.urg" Number |p| flag(p, Flags::URG);
    "tcp.flags.ece" Number |p| flag(p, Flags::ECE);
    "tcp.flags.cwr" Number |p| flag(p, Flags::CWR);
    "tcp.flags.ae" Number |p| flag(p, Flags::AE);
    "tcp.window_size_value" Number |p| number(p.segment.header.window);
    "tcp.window_size" Number |p| number(p.seen.analysis.window);
    "tcp.urgent_pointer" Number |p| number(p.segment.header.urgent);
    "tcp.checksum.status" Number |p| number(match p.segment.checksum_ok {
        Some(fits) => u8::from(fits),
        None => 2,
    });
    "tcp.options.mss_val" Number |p| maybe(p.segment.header.options.mss);
    "tcp.options.wscale.shift" Number |p| maybe(p.segment.header.options.window_scale);
    "tcp.options.timestamp.tsval" Number |p| {
        maybe(p.segment.header.options.timestamps.map(|timestamps| timestamps.value))
    };
    "tcp.options.timestamp.tsecr" Number |p| {
        maybe(p.segment.header.options.timestamps.map(|timestamps| timestamps.echo))
    };
    "tcp.completeness" Number |p| number(p.seen.analysis.completeness.bits());
    "tcp.analysis" Protocol |p| present(p.seen.analysis.says_something());
    "tcp.analysis.flags" Protocol |p| present(!p.seen.analysis.marks.is_empty());
    "tcp.analysis.retransmission" Number |p| mark(p, Marks::RETRANSMISSION);
    "tcp.analysis.fast_retransmission" Number |p| mark(p, Marks::FAST_RETRANSMISSION);
    "tcp.analysis.spurious_retransmission" Number |p| mark(p, Marks::SPURIOUS_RETRANSMISSION);
    "tcp.analysis.out_of_order" Number |p| mark(p, Marks::OUT_OF_ORDER);
    "tcp.analysis.lost_segment" Number |p| mark(p, Marks::LOST_SEGMENT);
    "tcp.analysis.ack_lost_segment" Number |p| mark(p, Marks::ACK_LOST_SEGMENT);
    "tcp.analysis.duplicate_ack" Number |p| mark(p, Marks::DUPLICATE_ACK);
    "tcp.analysis.keep_alive" Number |p| mark(p, Marks::KEEP_ALIVE);
    "tcp.analysis.keep_alive_ack" Number |p| mark(p, Marks::KEEP_ALIVE_ACK);
    "tcp.analysis.zero_window" Number |p| mark(p, Marks::ZERO_WINDOW);
    "tcp.analysis.zero_window_probe" Number |p| mark(p, Marks::ZERO_WINDOW_PROBE);
    "tcp.analysis.zero_window_probe_ack" Number |p| mark(p, Marks::ZERO_WINDOW_PROBE_ACK);
    "tcp.analysis.window_update" Number |p| mark(p, Marks::WINDOW_UPDATE);
    "tcp.analysis.window_full" Number |p| mark(p, Marks::WINDOW_FULL);
    "tcp.analysis.reused_ports" Number |p| mark(p, Marks::REUSED_PORTS);
    "tcp.analysis.duplicate_ack_num" Number |p| {
        maybe(p.seen.analysis.duplicate_ack.map(|duplicate| duplicate.count))
    };
    "tcp.analysis.duplicate_ack_frame" Number |p| {
        maybe(p.seen.analysis.duplicate_ack.map(|duplicate| duplicate.of))
    };
    "tcp.analysis.acks_frame" Number |p| maybe(p.seen.analysis.acks.map(|acks| acks.frame));
    "tcp.analysis.ack_rtt" Time |p| time(p.seen.analysis.acks.map(|acks| acks.time));
    "tcp.analysis.initial_rtt" Time |p| time(p.seen.analysis.initial_rtt);
    "tcp.analysis.rto" Time |p| time(p.seen.analysis.rto.map(|rto| rto.time));
    "tcp.analysis.rto_frame" Number |p| maybe(p.seen.analysis.rto.map(|rto| rto.frame));
    "tcp.analysis.bytes_in_flight" Number |p| maybe(p.seen.analysis.bytes_in_flight);
    "tcp.analysis.push_bytes_sent" Number |p| maybe(p.seen.analysis.push_bytes);
}

/// The field of this name in any case, or else the one with the nearest name.
pub(super) fn find(name: &str) -> Result<&'static Field, &'static str> {
    let found = FIELDS.iter().find(|field| field.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let lower = name.to_ascii_lowercase();
        let nearest = FIELDS.iter().min_by_key(|field| distance(field.name, &lower));
        nearest.map_or("tcp", |field| field.name)
    })
}

/// How many letters are to be put in, taken out or changed to make one of the other.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    // Longer names are not worth the time, and are none of ours.
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
